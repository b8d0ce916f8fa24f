//! Reasons as labels: one word each, so that there are as many series as variants.

use cairn_sequencer::{
    batch::CloseReason,
    pool::{DropReason, PoolError},
};

pub(super) const fn close(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Capacity => "capacity",
        CloseReason::Bytes => "bytes",
        CloseReason::Gas => "gas",
        CloseReason::Age => "age",
    }
}

/// What broke a rule later on is counted by the rule.
pub(super) const fn dropped(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::Replaced { .. } => "replaced",
        DropReason::Lifetime { .. } => "lifetime",
        DropReason::Execution { .. } => "execution",
        DropReason::Rule(rule) => pool(rule),
    }
}

pub(super) const fn pool(error: &PoolError) -> &'static str {
    match error {
        PoolError::Decode(_) => "decode",
        PoolError::TypeNotSupported(_) => "type_not_supported",
        PoolError::Oversized { .. } => "oversized",
        PoolError::InvalidSender(_) => "invalid_sender",
        PoolError::ChainIdMismatch { .. } => "chain_id",
        PoolError::PriorityFeeAboveMaxFee { .. } => "priority_fee",
        PoolError::GasLimitAboveBlock { .. } => "gas_limit",
        PoolError::InitcodeTooLong { .. } => "initcode",
        PoolError::NonceMax => "nonce_max",
        PoolError::IntrinsicGas { .. } => "intrinsic_gas",
        PoolError::SenderNotEoa { .. } => "sender_not_eoa",
        PoolError::NonceTooLow { .. } => "nonce_too_low",
        PoolError::NonceTooHigh { .. } => "nonce_too_high",
        PoolError::InsufficientFunds { .. } | PoolError::InsufficientFundsWithQueue { .. } => "funds",
        PoolError::Underpriced { .. } => "underpriced",
        PoolError::ReplacementUnderpriced => "replacement_underpriced",
        PoolError::AlreadyKnown => "already_known",
        PoolError::AccountLimit { .. } => "account_limit",
        PoolError::Full { .. } => "full",
        PoolError::NotProvable(_) => "not_provable",
        PoolError::ExceedsCapacity(_) => "exceeds_capacity",
        PoolError::TreeFull { .. } => "tree_full",
        PoolError::Store(_) | PoolError::State(_) => "internal",
    }
}
