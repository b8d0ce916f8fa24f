//! Between alloy's types and ethers'.

use alloy_primitives::{Address, B256, Bytes, U256};
use ethers::types as e;

pub fn address(a: Address) -> e::H160 {
    e::H160(a.into_array())
}

pub fn from_address(a: e::H160) -> Address {
    Address::from(a.0)
}

pub fn hash(h: B256) -> e::H256 {
    e::H256(h.0)
}

pub fn from_hash(h: e::H256) -> B256 {
    B256::from(h.0)
}

pub fn word(v: U256) -> e::U256 {
    e::U256::from_big_endian(&v.to_be_bytes::<32>())
}

pub fn from_word(v: e::U256) -> U256 {
    U256::from_limbs(v.0)
}

pub fn bytes(b: &Bytes) -> e::Bytes {
    e::Bytes(b.0.clone())
}

pub fn from_bytes(b: e::Bytes) -> Bytes {
    Bytes(b.0)
}
