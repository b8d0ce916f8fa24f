//! The transactions of one sender, by nonce.

use std::{cmp::Reverse, collections::BTreeMap};

use alloy_primitives::{Address, U256};
use cairn_protocol::transfer::max_cost_wei;

use super::PooledTx;

/// Price first, then arrival.
pub(super) type ReadyKey = (Reverse<u128>, u64, Address);

#[derive(Debug)]
pub(super) struct AccountQueue {
    /// Nonce of the account in the newest block.
    pub account_nonce: u64,
    /// Nonce that is executed next: above the account's while blocks are executed and not written yet.
    pub next_nonce: u64,
    pub by_nonce: BTreeMap<u64, PooledTx>,
}

impl AccountQueue {
    pub const fn new(account_nonce: u64) -> Self {
        Self { account_nonce, next_nonce: account_nonce, by_nonce: BTreeMap::new() }
    }

    /// The transaction that can be executed now.
    pub fn head(&self) -> Option<&PooledTx> {
        self.by_nonce.get(&self.next_nonce)
    }

    pub fn ready_key(&self) -> Option<ReadyKey> {
        let head = self.head()?;
        Some((Reverse(head.valid.tx.effective_gas_price()), head.arrival, head.valid.sender))
    }

    /// The first nonce from the account's on that is not pooled.
    pub fn pending_nonce(&self) -> u64 {
        let mut nonce = self.account_nonce;
        // Nonces are below u64::MAX (EIP-2681).
        while self.by_nonce.contains_key(&nonce) {
            nonce += 1;
        }
        nonce
    }

    /// Wei that the queue may cost, without the transaction `nonce`.
    pub fn cost_without(&self, nonce: u64) -> U256 {
        self.by_nonce
            .range(self.account_nonce..)
            .filter(|(n, _)| **n != nonce)
            .fold(U256::ZERO, |sum, (_, pooled)| {
                sum.saturating_add(max_cost_wei(&pooled.valid.tx).unwrap_or(U256::MAX))
            })
    }
}
