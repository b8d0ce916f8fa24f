//! Batches in brief: state, size, why it closed, what it took to prove and to settle.

use alloy_primitives::B256;
use cairn_protocol::resources::Rows;
use cairn_sequencer::shapes::ShapeId;
use serde::Serialize;

use crate::{
    chain::{Chain, ChainError, Heads},
    settlement::Lane,
    shapes,
    storage::{BatchRecord, Kind, SequenceRecord, StorageError},
};

/// The state that a sealed batch, or a block, has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reached {
    /// The sequencer's word.
    Trusted,
    /// The data is on L1.
    Virtual,
    /// The proof is on L1.
    Consolidated,
}

impl Reached {
    /// The state of a batch.
    #[must_use]
    pub const fn of(batch: u64, heads: &Heads) -> Self {
        if batch <= heads.verified_batch {
            Self::Consolidated
        } else if batch <= heads.virtual_batch {
            Self::Virtual
        } else {
            Self::Trusted
        }
    }
}

/// An L1 transaction that settled a range of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Transaction {
    pub tx_hash: B256,
    pub first_batch: u64,
    pub last_batch: u64,
    /// L2 transactions in the range.
    pub transactions: u64,
    /// Null if it was settled before the node wrote this down; so `settled_ms`.
    pub gas_used: Option<u64>,
    /// Unix time in milliseconds.
    pub settled_ms: Option<u64>,
}

/// Proof of a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Unix time in milliseconds.
    pub started_ms: u64,
    /// Null while it is being made.
    pub seconds: Option<f64>,
    pub shape_id: ShapeId,
    /// The shape's name.
    pub shape: String,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchSummary {
    pub number: u64,
    pub state: Reached,
    /// When its first transaction came, Unix time in seconds.
    pub timestamp: u64,
    /// When it closed, Unix time in milliseconds.
    pub sealed_ms: u64,
    pub first_block: u64,
    pub last_block: u64,
    /// One transaction is one block.
    pub transactions: u64,
    pub close_reason: String,
    pub counters: Rows,
    pub state_root: B256,
    pub acc_input_hash: B256,
    /// Null until work begins.
    pub proof: Option<Proof>,
    /// Posted the data; null until then.
    pub sequence: Option<L1Transaction>,
    /// Verified the proof; null until then.
    pub verification: Option<L1Transaction>,
}

fn batch(chain: &Chain, number: u64) -> Result<BatchRecord, StorageError> {
    chain.storage().batch(number)?.ok_or(StorageError::Missing { kind: Kind::Batch })
}

/// The L1 transaction of a lane that holds a batch.
pub(super) fn settled(chain: &Chain, lane: Lane, number: u64) -> Result<Option<L1Transaction>, ChainError> {
    let heads = chain.heads();
    let (kind, reached) = match lane {
        Lane::Sequence => (Kind::Sequence, heads.virtual_batch),
        Lane::Verify => (Kind::Verification, heads.verified_batch),
    };
    if number > reached {
        return Ok(None);
    }
    // The record with the smallest last batch that is not below this one is the one that holds it.
    let record = chain.storage().first_from::<SequenceRecord>(kind, &number.to_be_bytes())?;
    let Some(SequenceRecord { first_batch, last_batch, l1_tx_hash, .. }) = record else { return Ok(None) };
    let (first, last) = (batch(chain, first_batch)?, batch(chain, last_batch)?);
    let measure = chain.storage().settlement_measure(lane, last_batch)?;
    Ok(Some(L1Transaction {
        tx_hash: l1_tx_hash,
        first_batch,
        last_batch,
        transactions: last.batch.last_block - first.batch.header.first_block + 1,
        gas_used: measure.map(|m| m.gas_used),
        settled_ms: measure.map(|m| m.settled_ms),
    }))
}

fn summary(chain: &Chain, record: BatchRecord) -> Result<BatchSummary, ChainError> {
    let header = &record.batch.header;
    let number = header.number;
    let proof = chain.storage().proof_measure(number)?;
    Ok(BatchSummary {
        number,
        state: Reached::of(number, &chain.heads()),
        timestamp: header.timestamp,
        sealed_ms: record.sealed_ms,
        first_block: header.first_block,
        last_block: record.batch.last_block,
        transactions: record.batch.last_block - header.first_block + 1,
        close_reason: record.batch.reason.to_string(),
        counters: record.batch.counters,
        state_root: record.state_root,
        acc_input_hash: record.acc_input_hash,
        proof: proof.map(|m| Proof {
            started_ms: m.started_ms,
            seconds: m.seconds,
            shape_id: m.shape,
            shape: shapes::name(m.shape),
        }),
        sequence: settled(chain, Lane::Sequence, number)?,
        verification: settled(chain, Lane::Verify, number)?,
    })
}

/// Sealed batches from `from` downwards, at most `count`; the newest ones without `from`.
///
/// # Errors
/// If the storage fails.
pub fn batches(chain: &Chain, from: Option<u64>, count: u64) -> Result<Vec<BatchSummary>, ChainError> {
    let sealed = chain.heads().sealed_batch;
    let newest = from.unwrap_or(sealed).min(sealed);
    let oldest = (newest + 1).saturating_sub(count).max(1);
    (oldest..=newest).rev().map(|number| summary(chain, batch(chain, number)?)).collect()
}
