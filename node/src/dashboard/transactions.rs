//! Where a transaction is, and the transactions of an address.

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::tx::decode_tx;
use serde::Serialize;

use super::batches::{Reached, settled};
use crate::{
    chain::{Chain, ChainError},
    settlement::Lane,
    storage::{Kind, StorageError},
};

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// It waits.
    Pooled,
    /// In a block of the trusted state.
    Included,
    /// In a batch whose data is on L1.
    Virtual,
    /// In a batch whose proof is on L1.
    Consolidated,
    /// It left the pool without a block.
    Dropped,
    /// Never heard of it, or too long ago.
    Unknown,
}

/// A transaction on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionStatus {
    pub hash: B256,
    pub status: Place,
    /// Why it waits or left; null in a block.
    pub reason: Option<String>,
    pub block: Option<u64>,
    /// Its batch, which may still be open.
    pub batch: Option<u64>,
    /// L1 transaction that posted its batch.
    pub sequence_tx_hash: Option<B256>,
    /// L1 transaction that proved its batch.
    pub verify_tx_hash: Option<B256>,
}

/// One line of an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressTransaction {
    pub hash: B256,
    pub block: u64,
    pub batch: u64,
    pub state: Reached,
    /// Unix time in seconds.
    pub timestamp: u64,
    pub from: Address,
    /// Null for a creation.
    pub to: Option<Address>,
    pub value: U256,
    pub success: bool,
    pub gas_used: u64,
}

/// A page of an account's history, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressPage {
    pub transactions: Vec<AddressTransaction>,
    /// `before` of the next page; null if this is the last.
    pub next: Option<u64>,
}

/// Where a transaction is.
///
/// # Errors
/// If the storage fails.
pub fn transaction_status(chain: &Chain, hash: B256) -> Result<TransactionStatus, ChainError> {
    let mut status = TransactionStatus {
        hash,
        status: Place::Unknown,
        reason: None,
        block: None,
        batch: None,
        sequence_tx_hash: None,
        verify_tx_hash: None,
    };
    // The pool first: a transaction moves from it into a block, not back.
    let waits = chain.with_pool(|pool| {
        let valid = &pool.get(&hash)?.valid;
        let next = pool.pending_nonce(valid.sender).unwrap_or_default();
        Some((valid.tx.nonce, next))
    });
    if let Some(number) = chain.block_with(hash)? {
        let block = chain.storage().block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
        status.status = match Reached::of(block.batch, &chain.heads()) {
            Reached::Trusted => Place::Included,
            Reached::Virtual => Place::Virtual,
            Reached::Consolidated => Place::Consolidated,
        };
        status.block = Some(number);
        status.batch = Some(block.batch);
        status.sequence_tx_hash = settled(chain, Lane::Sequence, block.batch)?.map(|s| s.tx_hash);
        status.verify_tx_hash = settled(chain, Lane::Verify, block.batch)?.map(|s| s.tx_hash);
    } else if let Some((nonce, next)) = waits {
        status.status = Place::Pooled;
        status.reason = Some(if nonce < next {
            "pending: it waits for its turn".to_owned()
        } else {
            format!("queued: its nonce is {nonce}, its sender's transaction with nonce {next} is missing")
        });
    } else if let Some(dropped) = chain.dropped(hash)? {
        status.status = Place::Dropped;
        status.reason = Some(dropped.reason);
    }
    Ok(status)
}

fn line(chain: &Chain, number: u64) -> Result<Option<AddressTransaction>, ChainError> {
    let block = chain.storage().block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
    let Some(record) = block.transaction else { return Ok(None) };
    let tx = decode_tx(&record.raw).map_err(|reason| ChainError::Decode { number, reason })?;
    Ok(Some(AddressTransaction {
        hash: record.hash,
        block: number,
        batch: block.batch,
        state: Reached::of(block.batch, &chain.heads()),
        timestamp: chain.header(number)?.map_or(0, |header| header.timestamp),
        from: record.sender,
        to: tx.to,
        value: tx.value,
        success: record.success,
        gas_used: record.gas_used,
    }))
}

/// Transactions that touch an address in blocks below `before`, at most `count`.
///
/// # Errors
/// If the storage fails.
pub fn address_transactions(
    chain: &Chain,
    address: Address,
    before: Option<u64>,
    count: usize,
) -> Result<AddressPage, ChainError> {
    let blocks = chain.storage().blocks_of(address, before.unwrap_or(u64::MAX), count)?;
    let next = blocks.last().copied().filter(|_| blocks.len() == count);
    let lines = blocks.iter().filter_map(|number| line(chain, *number).transpose());
    Ok(AddressPage { transactions: lines.collect::<Result<_, _>>()?, next })
}
