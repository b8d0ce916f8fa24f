//! Keys, signed transactions and a chain in memory.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use cairn_protocol::genesis::{Genesis, GenesisAccount};
use cairn_state::{MemoryStore, StateDb};
use k256::ecdsa::SigningKey;

pub const CHAIN_ID: u64 = 1001;

/// The key number `n`.
pub fn key(n: u8) -> SigningKey {
    SigningKey::from_slice(&[n.max(1); 32]).unwrap()
}

pub fn address(key: &SigningKey) -> Address {
    Address::from_private_key(key)
}

/// A state with 100 ETH for each of the first `accounts` keys.
pub fn state(accounts: u8) -> StateDb {
    let genesis = Genesis {
        chain_id: CHAIN_ID,
        accounts: (1..=accounts)
            .map(|n| {
                let balance = U256::from(10u64).pow(U256::from(20u64));
                (address(&key(n)), GenesisAccount { balance, ..GenesisAccount::default() })
            })
            .collect(),
    };
    StateDb::open(Arc::new(MemoryStore::default()), &genesis).unwrap()
}

/// The ways to sign a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    LegacyWithoutChain,
    Legacy,
    Eip2930,
    Eip1559,
}

#[derive(Clone, Debug)]
pub struct Transfer {
    pub kind: Kind,
    pub nonce: u64,
    pub to: Address,
    pub value: U256,
    pub gas_limit: u64,
    pub max_fee: u128,
    /// Ignored but by EIP-1559.
    pub priority: u128,
    pub data: Bytes,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            kind: Kind::Eip1559,
            nonce: 0,
            to: Address::repeat_byte(0xee),
            value: U256::from(1u64),
            gas_limit: 21_000,
            max_fee: 10,
            priority: 10,
            data: Bytes::new(),
        }
    }
}

fn signed<T: SignableTransaction<Signature>>(tx: T, key: &SigningKey) -> Vec<u8>
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = Signature::from(key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap());
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
}

impl Transfer {
    /// The transaction as on the wire.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let Self { nonce, value, gas_limit, .. } = *self;
        let (to, input) = (TxKind::Call(self.to), self.data.clone());
        let legacy = |chain_id| TxLegacy {
            chain_id,
            nonce,
            gas_price: self.max_fee,
            gas_limit,
            to,
            value,
            input: input.clone(),
        };
        match self.kind {
            Kind::LegacyWithoutChain => signed(legacy(None), key),
            Kind::Legacy => signed(legacy(Some(CHAIN_ID)), key),
            Kind::Eip2930 => signed(
                TxEip2930 {
                    chain_id: CHAIN_ID,
                    nonce,
                    gas_price: self.max_fee,
                    gas_limit,
                    to,
                    value,
                    input,
                    ..TxEip2930::default()
                },
                key,
            ),
            Kind::Eip1559 => signed(
                TxEip1559 {
                    chain_id: CHAIN_ID,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: self.max_fee,
                    max_priority_fee_per_gas: self.priority,
                    to,
                    value,
                    input,
                    ..TxEip1559::default()
                },
                key,
            ),
        }
    }
}
