//! Why the pool refuses a transaction. Where geth has a sentence for it, ours is the same.

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    resources::CapacityExceeded,
    transfer::{InvalidTx, NotProvable},
    tx::{SignatureError, TxDecodeError},
};
use thiserror::Error;

/// Why a transaction is refused. Amounts are in wei.
#[derive(Debug, Error)]
pub enum PoolError {
    #[error("rlp: {0}")]
    Decode(TxDecodeError),
    #[error("transaction type not supported: {0}")]
    TypeNotSupported(TxDecodeError),
    #[error("oversized data: transaction size {got}, limit {limit}")]
    Oversized { got: usize, limit: usize },
    #[error("invalid sender: {0}")]
    InvalidSender(#[from] SignatureError),
    #[error("invalid chain id for signer: have {got} want {expected}")]
    ChainIdMismatch { expected: u64, got: u64 },
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {priority_wei}, maxFeePerGas: {max_wei}"
    )]
    PriorityFeeAboveMaxFee { priority_wei: u128, max_wei: u128 },
    #[error("exceeds block gas limit: gas {gas_limit}, limit {block_gas_limit}")]
    GasLimitAboveBlock { gas_limit: u64, block_gas_limit: u64 },
    #[error("max initcode size exceeded: code size {length}, limit {max}")]
    InitcodeTooLong { length: usize, max: usize },
    #[error("nonce has max value")]
    NonceMax,
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {intrinsic_gas}")]
    IntrinsicGas { gas_limit: u64, intrinsic_gas: u64 },
    #[error("sender not an eoa: address {sender}")]
    SenderNotEoa { sender: Address },
    #[error("nonce too low: next nonce {next}, tx nonce {got}")]
    NonceTooLow { next: u64, got: u64 },
    #[error("nonce too high: next nonce {next}, tx nonce {got}, at most {limit} ahead")]
    NonceTooHigh { next: u64, got: u64, limit: u64 },
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    InsufficientFunds { balance: U256, cost: U256 },
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}"
    )]
    InsufficientFundsWithQueue { balance: U256, queued: U256, cost: U256 },
    #[error("transaction underpriced: gas tip cap {got}, minimum needed {minimum}")]
    Underpriced { got: u128, minimum: u128 },
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    #[error("already known")]
    AlreadyKnown,
    #[error("account limit exceeded: {limit} transactions pooled")]
    AccountLimit { limit: usize },
    #[error("txpool is full: {limit} transactions pooled")]
    Full { limit: usize },
    #[error(transparent)]
    NotProvable(#[from] NotProvable),
    #[error("not provable yet: one transaction {0}")]
    ExceedsCapacity(#[from] CapacityExceeded),
    /// `promised` counts the accounts that this transaction and those in the pool may create.
    #[error(
        "not provable: the state tree has {leaves} leaves, this transaction and those in the pool may create {promised}, \
         the largest circuit reaches {positions}"
    )]
    TreeFull { leaves: u64, promised: u64, positions: u64 },
    /// It could not be made durable; nothing was accepted.
    #[error("transaction pool store failed: {0}")]
    Store(#[from] cairn_state::StoreError),
    #[error("state could not be read: {0}")]
    State(#[from] cairn_state::StateError),
}

impl From<TxDecodeError> for PoolError {
    fn from(e: TxDecodeError) -> Self {
        match e {
            TxDecodeError::BlobTransaction
            | TxDecodeError::SetCodeTransaction
            | TxDecodeError::UnknownType { .. } => Self::TypeNotSupported(e),
            TxDecodeError::Empty
            | TxDecodeError::NotATransaction { .. }
            | TxDecodeError::Field { .. }
            | TxDecodeError::InvalidV { .. }
            | TxDecodeError::InvalidYParity { .. }
            | TxDecodeError::TrailingBytes { .. } => Self::Decode(e),
        }
    }
}

impl From<InvalidTx> for PoolError {
    fn from(e: InvalidTx) -> Self {
        match e {
            InvalidTx::ChainIdMismatch { expected, got } => Self::ChainIdMismatch { expected, got },
            InvalidTx::PriorityFeeAboveMaxFee { priority_wei, max_wei } => {
                Self::PriorityFeeAboveMaxFee { priority_wei, max_wei }
            }
            InvalidTx::GasLimitAboveBlock { gas_limit, block_gas_limit } => {
                Self::GasLimitAboveBlock { gas_limit, block_gas_limit }
            }
            InvalidTx::InitcodeTooLong { length, max } => Self::InitcodeTooLong { length, max },
            InvalidTx::NonceOverflow => Self::NonceMax,
            InvalidTx::GasBelowIntrinsic { gas_limit, intrinsic_gas } => {
                Self::IntrinsicGas { gas_limit, intrinsic_gas }
            }
            InvalidTx::SenderHasCode { sender } => Self::SenderNotEoa { sender },
            InvalidTx::NonceTooLow { account, tx } => Self::NonceTooLow { next: account, got: tx },
            // The pool queues nonces ahead of the account; this arises only when one is executed out of turn.
            InvalidTx::NonceTooHigh { account, tx } => {
                Self::NonceTooHigh { next: account, got: tx, limit: 0 }
            }
            InvalidTx::InsufficientFunds { balance_wei, cost_wei } => {
                Self::InsufficientFunds { balance: balance_wei, cost: cost_wei }
            }
        }
    }
}
