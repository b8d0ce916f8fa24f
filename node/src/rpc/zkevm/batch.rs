//! Batches and full blocks in the shapes of Polygon zkEVM's JSON-RPC.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::{Block, Transaction, TransactionReceipt};
use cairn_protocol::resources::{Resource, Rows};
use cairn_sequencer::{
    batch::{BatchHeader, CloseReason},
    shapes::ShapeId,
};
use serde::{Deserialize, Serialize};

use crate::{
    chain::Chain,
    config::ProofMode,
    rpc::{error::RpcError, reader},
    shapes,
    storage::{BatchRecord, Kind, SequenceRecord, StorageError},
};

/// A hash, or the whole thing if it was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HashOr<T> {
    Hash(B256),
    Full(Box<T>),
}

impl<T> HashOr<T> {
    /// The hash, if it is no more than that.
    #[must_use]
    pub const fn hash(&self) -> Option<B256> {
        match self {
            Self::Hash(hash) => Some(*hash),
            Self::Full(_) => None,
        }
    }
}

/// A transaction with its receipt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FullTransaction {
    #[serde(flatten)]
    pub transaction: Transaction,
    pub receipt: Option<TransactionReceipt>,
}

/// A block with its transactions and their receipts.
pub type FullBlock = Block<FullTransaction>;

/// [`Rows`] with hex quantities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcCounters(BTreeMap<Resource, U64>);

impl From<Rows> for RpcCounters {
    fn from(rows: Rows) -> Self {
        Self(rows.iter().map(|(resource, number)| (resource, U64::from(number))).collect())
    }
}

/// A circuit shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcShape {
    /// Names its verifier on L1.
    pub id: U64,
    pub name: String,
}

impl From<ShapeId> for RpcShape {
    fn from(id: ShapeId) -> Self {
        Self { id: U64::from(id.0), name: shapes::name(id) }
    }
}

/// A batch. Quantities are hex. An open one has no roots yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RpcBatch {
    pub number: U64,
    /// No batch is forced yet.
    pub forced_batch_number: Option<U64>,
    pub coinbase: Address,
    pub state_root: B256,
    pub global_exit_root: B256,
    pub mainnet_exit_root: B256,
    pub rollup_exit_root: B256,
    pub local_exit_root: B256,
    pub acc_input_hash: B256,
    pub timestamp: U64,
    /// L1 transaction that posted the batch.
    pub send_sequences_tx_hash: Option<B256>,
    /// L1 transaction that proved the batch.
    pub verify_batch_tx_hash: Option<B256>,
    pub closed: bool,
    pub blocks: Vec<HashOr<FullBlock>>,
    pub transactions: Vec<HashOr<FullTransaction>>,
    /// The bytes on L1.
    pub batch_l2_data: Bytes,
    /// Why it closed: "capacity", "bytes", "gas" or "age".
    pub close_reason: Option<String>,
    /// "groth16", or "mock": nothing is proven.
    pub proof_mode: String,
    /// What it is proven in; null until work on its proof begins.
    pub shape: Option<RpcShape>,
    pub counters: RpcCounters,
    pub gas_used: U64,
}

/// What an open and a sealed batch have in common.
struct Parts<'a> {
    header: &'a BatchHeader,
    last_block: u64,
    counters: Rows,
    reason: Option<CloseReason>,
    sealed: Option<&'a BatchRecord>,
}

/// A sealed batch; with whole blocks and transactions if `full`.
pub(super) fn sealed(chain: &Chain, record: &BatchRecord, full: bool) -> Result<RpcBatch, RpcError> {
    let batch = &record.batch;
    let parts = Parts {
        header: &batch.header,
        last_block: batch.last_block,
        counters: batch.counters,
        reason: Some(batch.reason),
        sealed: Some(record),
    };
    view(chain, &parts, full)
}

/// The batch that takes transactions.
pub(super) fn open(chain: &Chain, full: bool) -> Result<Option<RpcBatch>, RpcError> {
    let Some((header, counters, _)) = chain.open_batch() else { return Ok(None) };
    // Blocks that are executed and not written are nobody's business yet.
    let last_block = chain.heads().trusted_block;
    let parts = Parts { header: &header, last_block, counters, reason: None, sealed: None };
    view(chain, &parts, full).map(Some)
}

fn view(chain: &Chain, parts: &Parts<'_>, full: bool) -> Result<RpcBatch, RpcError> {
    let (storage, heads, header) = (chain.storage(), chain.heads(), parts.header);
    let id = header.number.to_be_bytes();
    // The record with the smallest last batch that is not below this one is the one that holds it.
    let settled = |kind, reached: u64| -> Result<Option<SequenceRecord>, StorageError> {
        if header.number <= reached { storage.first_from(kind, &id) } else { Ok(None) }
    };
    let sequence = settled(Kind::Sequence, heads.virtual_batch)?;
    let verification = settled(Kind::Verification, heads.verified_batch)?;
    let (mut blocks, mut transactions) = (Vec::new(), Vec::new());
    let (mut bytes, mut gas_used) = (Vec::new(), 0);
    for number in header.first_block..=parts.last_block {
        let block = storage.block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
        if full {
            let whole = full_block(chain, number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
            let list = whole.transactions.as_transactions().unwrap_or_default();
            transactions.extend(list.iter().map(|tx| HashOr::Full(Box::new(tx.clone()))));
            blocks.push(HashOr::Full(Box::new(whole)));
        } else {
            blocks.push(HashOr::Hash(block.hash));
            transactions.extend(block.transaction.iter().map(|tx| HashOr::Hash(tx.hash)));
        }
        if let Some(tx) = block.transaction {
            gas_used += tx.gas_used;
            bytes.extend_from_slice(&tx.raw);
        }
    }
    let sealed = parts.sealed;
    let exit_roots = chain.storage().exit_roots(header.global_exit_root)?;
    Ok(RpcBatch {
        number: U64::from(header.number),
        forced_batch_number: None,
        coinbase: header.coinbase,
        state_root: sealed.map_or(B256::ZERO, |s| s.state_root),
        global_exit_root: header.global_exit_root,
        mainnet_exit_root: exit_roots.map_or(B256::ZERO, |roots| roots.mainnet_exit_root),
        rollup_exit_root: exit_roots.map_or(B256::ZERO, |roots| roots.rollup_exit_root),
        local_exit_root: sealed.map_or(B256::ZERO, |s| s.local_exit_root),
        acc_input_hash: sealed.map_or(B256::ZERO, |s| s.acc_input_hash),
        timestamp: U64::from(header.timestamp),
        send_sequences_tx_hash: sequence.map(|s| s.l1_tx_hash),
        verify_batch_tx_hash: verification.map(|s| s.l1_tx_hash),
        closed: sealed.is_some(),
        blocks,
        transactions,
        batch_l2_data: sealed.map_or_else(|| bytes.into(), |s| s.batch.transactions.clone()),
        close_reason: parts.reason.map(|reason| reason.to_string()),
        proof_mode: mode_name(chain.proof_mode()),
        shape: storage.proof_measure(header.number)?.map(|measure| measure.shape.into()),
        counters: parts.counters.into(),
        gas_used: U64::from(gas_used),
    })
}

fn mode_name(mode: ProofMode) -> String {
    mode.to_string()
}

/// A block with whole transactions and their receipts.
pub(super) fn full_block(chain: &Chain, number: u64) -> Result<Option<FullBlock>, RpcError> {
    let Some(block) = reader::block(chain, number, true)? else { return Ok(None) };
    let mut receipts = reader::receipts(chain, number)?.unwrap_or_default().into_iter();
    // One receipt a transaction, in the same order.
    Ok(Some(block.map_transactions(|transaction| FullTransaction { transaction, receipt: receipts.next() })))
}
