//! Why a call yields nothing, in geth's words.

use alloy_primitives::{Address, Bytes, U256};
use revm::context::result::{EVMError, HaltReason, InvalidTransaction};
use thiserror::Error;

use crate::evm::ViewError;

/// Why a call yields nothing.
#[derive(Debug, Error)]
pub enum CallError {
    #[error("{}", revert_message(.output))]
    Revert { output: Bytes },
    #[error("{}", halt_message(.reason))]
    Halt { reason: HaltReason },
    #[error("{}", invalid_message(.reason))]
    Invalid { reason: InvalidTransaction },
    #[error("gas required exceeds allowance ({allowance})")]
    GasRequiredExceedsAllowance { allowance: u64 },
    #[error("the access list has not settled after {runs} runs")]
    AccessListUnsettled { runs: u32 },
    #[error("state could not be read: {0}")]
    View(#[from] ViewError),
    #[error("revm failed: {message}")]
    Revm { message: String },
}

impl From<EVMError<ViewError>> for CallError {
    fn from(e: EVMError<ViewError>) -> Self {
        match e {
            EVMError::Transaction(reason) => Self::Invalid { reason },
            EVMError::Database(e) => Self::View(e),
            e @ (EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_)) => {
                Self::Revm { message: e.to_string() }
            }
        }
    }
}

/// Why overrides are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OverrideError {
    #[error("account {address} has both 'state' and 'stateDiff'")]
    StateAndDiff { address: Address },
    #[error("account {address} is not a precompile")]
    NotAPrecompile { address: Address },
    #[error("account {address} is already overridden")]
    AlreadyOverridden { address: Address },
    #[error("block override \"{field}\" is not supported for this RPC method")]
    NotSupported { field: &'static str },
    #[error("block override \"{field}\" is larger than {limit}")]
    TooLarge { field: &'static str, limit: u128 },
}

/// geth's sentence, with the reason of `Error(string)` or `Panic(uint256)` if there is one.
fn revert_message(output: &Bytes) -> String {
    match revert_reason(output) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".to_owned(),
    }
}

/// The reason that Solidity put into the output of a reverted call.
fn revert_reason(output: &[u8]) -> Option<String> {
    if let Some(body) = output.strip_prefix(&[0x4e, 0x48, 0x7b, 0x71]) {
        let code = U256::from_be_slice(body.get(..32)?);
        return Some(panic_reason(code));
    }
    let body = output.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
    let length = usize::try_from(U256::from_be_slice(body.get(32..64)?)).ok()?;
    let text = body.get(64..64usize.checked_add(length)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// geth's word for a panic code of Solidity. Source: go-ethereum, accounts/abi/abi.go, `panicReasons`.
fn panic_reason(code: U256) -> String {
    let known = match u64::try_from(code) {
        Ok(0x00) => "generic panic",
        Ok(0x01) => "assert(false)",
        Ok(0x11) => "arithmetic underflow or overflow",
        Ok(0x12) => "division or modulo by zero",
        Ok(0x21) => "enum overflow",
        Ok(0x22) => "invalid encoded storage byte array accessed",
        Ok(0x31) => "out-of-bounds array access; popping on an empty array",
        Ok(0x32) => "out-of-bounds access of an array or bytesN",
        Ok(0x41) => "out of memory",
        Ok(0x51) => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    known.to_owned()
}

pub(crate) fn halt_message(reason: &HaltReason) -> String {
    match reason {
        HaltReason::OutOfGas(_) => "out of gas".to_owned(),
        HaltReason::OpcodeNotFound | HaltReason::InvalidFEOpcode => "invalid opcode".to_owned(),
        other => other.to_string(),
    }
}

fn invalid_message(reason: &InvalidTransaction) -> String {
    match reason {
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: have {balance} want {fee}")
        }
        InvalidTransaction::OverflowPaymentInTransaction => {
            "insufficient funds for gas * price + value".to_owned()
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            format!("intrinsic gas too low: gas {gas_limit}, minimum needed {initial_gas}")
        }
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => {
            "max priority fee per gas higher than max fee per gas".to_owned()
        }
        InvalidTransaction::GasPriceLessThanBasefee => "max fee per gas less than block base fee".to_owned(),
        InvalidTransaction::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
        other => other.to_string(),
    }
}
