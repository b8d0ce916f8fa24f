//! Errors over JSON-RPC: one match from our errors to codes. Source: docs/rpc.md#errors.

use alloy_primitives::Bytes;
use cairn_sequencer::{call::CallError, pool::PoolError};
use cairn_state::StateError;
use jsonrpsee::types::ErrorObjectOwned;

use crate::{chain::ChainError, storage::StorageError};

/// Invalid parameters.
pub const INVALID_PARAMS: i32 = -32602;
/// Fault of the node.
pub const INTERNAL: i32 = -32603;
/// What geth answers with: invalid input, in its words.
pub const SERVER: i32 = -32000;
/// The resource is not known.
pub const RESOURCE_NOT_FOUND: i32 = -32001;
/// A well-formed transaction of a kind that is refused.
pub const TRANSACTION_REJECTED: i32 = -32003;
/// A limit of the node.
pub const LIMIT_EXCEEDED: i32 = -32005;
/// A call reverted; the data is its output.
pub const REVERTED: i32 = 3;

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
    #[error("invalid block range: from {from} to {to}")]
    InvalidRange { from: u64, to: u64 },
    #[error("block range of {got} blocks, the limit is {limit}")]
    RangeTooLarge { got: u64, limit: u64 },
    #[error("block count {got} is not between 1 and {limit}")]
    BlockCount { got: u64, limit: u64 },
    #[error("{got} storage slots, the limit is {limit}")]
    TooManySlots { got: usize, limit: usize },
    #[error("a page of {got} entries: not between 1 and {limit}")]
    PageSize { got: u64, limit: u64 },
    #[error("reward percentiles must be ascending and between 0 and 100")]
    Percentiles,
    #[error("both \"input\" and \"data\" are set and differ")]
    InputAndData,
    #[error("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")]
    GasPriceAndMaxFee,
}

impl From<StateError> for RpcError {
    fn from(e: StateError) -> Self {
        Self::Chain(e.into())
    }
}

impl From<StorageError> for RpcError {
    fn from(e: StorageError) -> Self {
        Self::Chain(e.into())
    }
}

/// The code of each error, and data if there is any.
fn code(error: &RpcError) -> (i32, Option<Bytes>) {
    match error {
        RpcError::Chain(_)
        | RpcError::Pool(PoolError::Store(_) | PoolError::State(_))
        | RpcError::Call(CallError::View(_) | CallError::Revm { .. }) => (INTERNAL, None),
        RpcError::Pool(PoolError::NotProvable(_) | PoolError::ExceedsCapacity(_)) => {
            (TRANSACTION_REJECTED, None)
        }
        RpcError::Pool(PoolError::Full { .. })
        | RpcError::RangeTooLarge { .. }
        | RpcError::TooManySlots { .. } => (LIMIT_EXCEEDED, None),
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
        | RpcError::Call(
            CallError::Halt { .. }
            | CallError::Invalid { .. }
            | CallError::GasRequiredExceedsAllowance { .. },
        )
        | RpcError::UnknownBlock => (SERVER, None),
        RpcError::Call(CallError::Revert { output }) => (REVERTED, Some(output.clone())),
        RpcError::InvalidRange { .. }
        | RpcError::BlockCount { .. }
        | RpcError::PageSize { .. }
        | RpcError::Percentiles
        | RpcError::InputAndData
        | RpcError::GasPriceAndMaxFee => (INVALID_PARAMS, None),
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let (code, data) = code(&error);
        if code == INTERNAL {
            tracing::error!(%error, "request failed");
        }
        Self::owned(code, error.to_string(), data)
    }
}
