//! Signed transactions of every type, from the development accounts.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use cairn_protocol::constants::DEVNET_CHAIN_ID;
use k256::ecdsa::SigningKey;

use super::PRICE_WEI;

/// Private keys of the first five development accounts.
pub const KEYS: [&str; 5] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
];

/// Receives what is sent.
pub const RECIPIENT: Address = Address::repeat_byte(0xee);

/// Signs as account `from`.
pub fn signed<T: SignableTransaction<Signature>>(from: usize, tx: T) -> Bytes
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let key = SigningKey::from_slice(&hex::decode(KEYS[from]).unwrap()).unwrap();
    let signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718().into()
}

pub fn legacy_tx(nonce: u64) -> TxLegacy {
    TxLegacy {
        chain_id: Some(DEVNET_CHAIN_ID),
        nonce,
        gas_price: PRICE_WEI * 2,
        gas_limit: 50_000,
        to: TxKind::Call(RECIPIENT),
        value: U256::from(1),
        input: Bytes::new(),
    }
}

pub fn access_list_tx(nonce: u64) -> TxEip2930 {
    let TxLegacy { gas_price, gas_limit, to, value, input, .. } = legacy_tx(nonce);
    let access_list = Default::default();
    TxEip2930 { chain_id: DEVNET_CHAIN_ID, nonce, gas_price, gas_limit, to, value, input, access_list }
}

pub fn dynamic_fee_tx(nonce: u64) -> TxEip1559 {
    let TxLegacy { gas_price, gas_limit, to, value, input, .. } = legacy_tx(nonce);
    TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: gas_price,
        max_priority_fee_per_gas: gas_price,
        to,
        value,
        access_list: Default::default(),
        input,
    }
}

/// A transfer of 1 wei.
pub fn transfer(from: usize, nonce: u64) -> Bytes {
    signed(from, dynamic_fee_tx(nonce))
}
