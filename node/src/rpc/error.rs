//! Errors over JSON-RPC: one match from our errors to codes. Source: docs/rpc.md#errors.

use cairn_sequencer::{
    call::{CallError, OverrideError},
    pool::PoolError,
    trace::{TraceError, TracerError},
};
use cairn_state::StateError;
use jsonrpsee::{core::ClientError, types::ErrorObjectOwned};
use serde_json::{Value, json};

use crate::{chain::ChainError, storage::StorageError};

/// Invalid parameters.
pub const INVALID_PARAMS: i32 = -32602;
/// There is no such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// Fault of the node.
pub const INTERNAL: i32 = -32603;
/// What geth answers with: invalid input, in its words.
pub const SERVER: i32 = -32000;
/// The resource is not known.
pub const RESOURCE_NOT_FOUND: i32 = -32001;
/// What answers it is not available now.
pub const RESOURCE_UNAVAILABLE: i32 = -32002;
/// A well-formed transaction of a kind that is refused.
pub const TRANSACTION_REJECTED: i32 = -32003;
/// A limit of the node.
pub const LIMIT_EXCEEDED: i32 = -32005;
/// A call reverted; the data is its output.
pub const REVERTED: i32 = 3;

/// Longest part of what a client sent that an error repeats, in bytes.
const SHOWN_BYTES: usize = 64;

/// The beginning of a text that a client sent.
#[must_use]
pub fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES)]
}

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("header not found")]
    UnknownBlock,
    #[error("header for hash not found")]
    UnknownBlockHash,
    #[error("unknown block")]
    UnknownLogBlock,
    #[error("state of block {number} is not kept, the earliest kept is that of block {earliest}")]
    Pruned { number: u64, earliest: u64 },
    #[error("invalid block range params: from {from} to {to}")]
    InvalidRange { from: u64, to: u64 },
    #[error("block range of {got} blocks, the limit is {limit}")]
    RangeTooLarge { got: u64, limit: u64 },
    #[error("query returned more than {limit} results. Try with this block range [{from:#x}, {to:#x}].")]
    TooManyLogs { limit: usize, from: u64, to: u64 },
    #[error("filter with {got} addresses and topics, the limit is {limit}")]
    FilterTooLarge { got: usize, limit: usize },
    #[error("{limit} filters are installed, that is the limit")]
    TooManyFilters { limit: usize },
    #[error("filter not found")]
    FilterNotFound,
    #[error("block count {got} is not between 1 and {limit}")]
    BlockCount { got: u64, limit: u64 },
    #[error("{got} storage slots, the limit is {limit}")]
    TooManySlots { got: usize, limit: usize },
    #[error("a page of {got} entries: not between 1 and {limit}")]
    PageSize { got: u64, limit: u64 },
    #[error("reward percentiles must be ascending and between 0 and 100")]
    Percentiles,
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Override(#[from] OverrideError),
    #[error("transaction not found")]
    UnknownTransaction,
    #[error("batch {number} is not sealed")]
    UnknownBatch { number: u64 },
    #[error("genesis is not traceable")]
    GenesisNotTraceable,
    #[error("transaction index {index} out of range for block {number}")]
    TransactionIndex { index: u64, number: u64 },
    #[error("chainId does not match node's (have={got}, want={expected})")]
    ChainId { got: u64, expected: u64 },
    #[error("{field} is not supported: this chain has the rules of Cancun, without blobs")]
    CallField { field: &'static str },
    #[error("both \"input\" and \"data\" are set and differ")]
    InputAndData,
    #[error("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")]
    GasPriceAndMaxFee,
    /// The sequencer's own error, as it came.
    #[error("{0}")]
    Relayed(ErrorObjectOwned),
    #[error("the sequencer cannot be reached: {source}")]
    SequencerUnreachable { source: ClientError },
    #[error("the sequencer did not answer within {after_s} s: it may or may not have the transaction")]
    SequencerTimeout { after_s: u64 },
    #[error("an answer cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("a request was not finished: {0}")]
    Aborted(#[from] tokio::task::JoinError),
}

impl From<TracerError> for RpcError {
    fn from(e: TracerError) -> Self {
        Self::Trace(e.into())
    }
}

impl From<StateError> for RpcError {
    fn from(e: StateError) -> Self {
        match e {
            StateError::Pruned { number, earliest } => Self::Pruned { number, earliest },
            other => Self::Chain(other.into()),
        }
    }
}

impl From<StorageError> for RpcError {
    fn from(e: StorageError) -> Self {
        Self::Chain(e.into())
    }
}

/// The code of each error, and data if there is any.
fn code(error: &RpcError) -> (i32, Option<Value>) {
    match error {
        RpcError::Relayed(error) => (error.code(), None),
        RpcError::Chain(_)
        | RpcError::Encode(_)
        | RpcError::Aborted(_)
        | RpcError::Trace(TraceError::Diverges { .. })
        | RpcError::Pool(PoolError::Store(_) | PoolError::State(_)) => (INTERNAL, None),
        RpcError::Call(e) | RpcError::Trace(TraceError::Call(e)) => call_code(e),
        RpcError::Pool(
            PoolError::NotProvable(_) | PoolError::ExceedsCapacity(_) | PoolError::TreeFull { .. },
        ) => (TRANSACTION_REJECTED, None),
        RpcError::Pool(PoolError::Full { .. })
        | RpcError::RangeTooLarge { .. }
        | RpcError::Trace(TraceError::Exceeded(_))
        | RpcError::TooManySlots { .. }
        | RpcError::TooManyLogs { .. }
        | RpcError::FilterTooLarge { .. }
        | RpcError::TooManyFilters { .. } => (LIMIT_EXCEEDED, None),
        RpcError::Pruned { earliest, .. } => {
            (RESOURCE_NOT_FOUND, Some(json!({ "earliestBlock": format!("{earliest:#x}") })))
        }
        RpcError::SequencerUnreachable { .. } | RpcError::SequencerTimeout { .. } => {
            (RESOURCE_UNAVAILABLE, None)
        }
        RpcError::Pool(
            PoolError::Decode(_)
            | PoolError::TypeNotSupported(_)
            | PoolError::Oversized { .. }
            | PoolError::InvalidSender(_)
            | PoolError::ChainIdMismatch { .. }
            | PoolError::PriorityFeeAboveMaxFee { .. }
            | PoolError::GasLimitAboveBlock { .. }
            | PoolError::InitcodeTooLong { .. }
            | PoolError::NonceMax
            | PoolError::IntrinsicGas { .. }
            | PoolError::SenderNotEoa { .. }
            | PoolError::NonceTooLow { .. }
            | PoolError::NonceTooHigh { .. }
            | PoolError::InsufficientFunds { .. }
            | PoolError::InsufficientFundsWithQueue { .. }
            | PoolError::Underpriced { .. }
            | PoolError::ReplacementUnderpriced
            | PoolError::AlreadyKnown
            | PoolError::AccountLimit { .. },
        )
        | RpcError::UnknownBlock
        | RpcError::UnknownBlockHash
        | RpcError::UnknownLogBlock
        | RpcError::FilterNotFound
        | RpcError::UnknownTransaction
        | RpcError::UnknownBatch { .. }
        | RpcError::GenesisNotTraceable => (SERVER, None),
        RpcError::InvalidRange { .. }
        | RpcError::BlockCount { .. }
        | RpcError::PageSize { .. }
        | RpcError::Percentiles
        | RpcError::Trace(TraceError::Tracer(_))
        | RpcError::Override(_)
        | RpcError::TransactionIndex { .. }
        | RpcError::ChainId { .. }
        | RpcError::CallField { .. }
        | RpcError::InputAndData
        | RpcError::GasPriceAndMaxFee => (INVALID_PARAMS, None),
    }
}

fn call_code(error: &CallError) -> (i32, Option<Value>) {
    match error {
        CallError::View(_) | CallError::Revm { .. } => (INTERNAL, None),
        CallError::Halt { .. }
        | CallError::Invalid { .. }
        | CallError::GasRequiredExceedsAllowance { .. } => (SERVER, None),
        CallError::AccessListUnsettled { .. } => (LIMIT_EXCEEDED, None),
        CallError::Revert { output } => (REVERTED, Some(json!(output))),
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        if let RpcError::Relayed(error) = error {
            return error;
        }
        let (code, data) = code(&error);
        if code == INTERNAL {
            tracing::error!(%error, "request failed");
        }
        Self::owned(code, error.to_string(), data)
    }
}
