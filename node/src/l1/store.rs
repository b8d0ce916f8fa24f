//! What the sender writes down, and where.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::{error::Revert, fees::Fees};

/// One signed form of a transaction; a later one offers more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub hash: B256,
    /// As it is sent.
    pub raw: Bytes,
    pub fees: Fees,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is in a block, confirmed, and had its effect.
    Done(Sent),
    /// It is in a block, confirmed, and was refused there.
    Reverted { sent: Sent, revert: Revert },
    /// Another transaction of the account took the nonce, confirmed: the job has no effect and never will.
    NonceTaken { nonce: u64, by: B256 },
}

/// A transaction in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub hash: B256,
    pub nonce: u64,
    pub block_number: u64,
    pub block_hash: B256,
    pub gas_used: u64,
    pub gas_price_wei: u128,
    /// The contract that it created.
    pub created: Option<Address>,
}

/// A job that was given a nonce: everything that is needed to send it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendRecord {
    /// Names the job; what is recorded under one name is sent once.
    pub job: String,
    pub chain_id: u64,
    pub account: Address,
    pub nonce: u64,
    /// None creates a contract.
    pub to: Option<Address>,
    pub data: Bytes,
    pub value_wei: U256,
    pub gas_limit: u64,
    /// L1's newest block when the nonce was given.
    pub since_block: u64,
    /// Oldest first, at least one.
    pub attempts: Vec<Attempt>,
    pub outcome: Option<Outcome>,
}

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the record of L1 transactions: {0}")]
pub struct SendStoreError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where records are kept. What [`SendStore::put`] wrote survives a crash of the machine from the moment it returns.
pub trait SendStore: Send + Sync {
    /// Writes a record, in the place of an older one of its job, account and chain.
    ///
    /// # Errors
    /// If it is not certain that the record is kept.
    fn put(&self, record: &SendRecord) -> Result<(), SendStoreError>;

    /// The record of a job.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(&self, chain_id: u64, account: Address, job: &str) -> Result<Option<SendRecord>, SendStoreError>;

    /// Every record of an account, in any order.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn list(&self, chain_id: u64, account: Address) -> Result<Vec<SendRecord>, SendStoreError>;

    /// Removes the record of a job; one that is not there is no error.
    ///
    /// # Errors
    /// If it is not certain that the record is gone.
    fn remove(&self, chain_id: u64, account: Address, job: &str) -> Result<(), SendStoreError>;
}

/// Records that end with the process: for tests, and for tools that send once and wait.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<BTreeMap<(u64, Address, String), SendRecord>>,
}

impl MemoryStore {
    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<(u64, Address, String), SendRecord>) -> T) -> T {
        // Each change is one call on the map, so that a panic elsewhere leaves it whole.
        f(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SendStore for MemoryStore {
    fn put(&self, record: &SendRecord) -> Result<(), SendStoreError> {
        let key = (record.chain_id, record.account, record.job.clone());
        self.with(|records| records.insert(key, record.clone()));
        Ok(())
    }

    fn get(&self, chain_id: u64, account: Address, job: &str) -> Result<Option<SendRecord>, SendStoreError> {
        Ok(self.with(|records| records.get(&(chain_id, account, job.to_owned())).cloned()))
    }

    fn list(&self, chain_id: u64, account: Address) -> Result<Vec<SendRecord>, SendStoreError> {
        let owned = |r: &&SendRecord| r.chain_id == chain_id && r.account == account;
        Ok(self.with(|records| records.values().filter(owned).cloned().collect()))
    }

    fn remove(&self, chain_id: u64, account: Address, job: &str) -> Result<(), SendStoreError> {
        self.with(|records| records.remove(&(chain_id, account, job.to_owned())));
        Ok(())
    }
}
