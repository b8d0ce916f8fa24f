//! Calls that only read: `eth_call` and `eth_estimateGas`, any EVM code, on the state of a block.

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_protocol::constants::{BLOCK_GAS_LIMIT, TX_GAS};
use revm::context::{
    BlockEnv, CfgEnv, TxEnv,
    result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction},
};
use thiserror::Error;

use crate::evm::{BlockContext, EvmDb, ViewError, transact};

/// A call that is not signed.
#[derive(Clone, Debug, Default)]
pub struct CallRequest {
    pub from: Address,
    /// `None`: contract creation.
    pub to: Option<Address>,
    /// In wei.
    pub value: U256,
    pub data: Bytes,
    /// `None`: as much as a block holds and the sender can pay.
    pub gas: Option<u64>,
    /// Largest price a unit of gas, in wei; 0: free.
    pub max_fee_per_gas: u128,
    /// In wei; `None`: as `max_fee_per_gas`.
    pub max_priority_fee_per_gas: Option<u128>,
    pub access_list: AccessList,
}

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
    #[error("state could not be read: {0}")]
    View(#[from] ViewError),
    #[error("revm failed: {message}")]
    Revm { message: String },
}

/// geth's sentence, with the reason of `Error(string)` if there is one.
fn revert_message(output: &Bytes) -> String {
    match revert_reason(output) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".to_owned(),
    }
}

/// The string of a Solidity `Error(string)`.
fn revert_reason(output: &[u8]) -> Option<String> {
    let body = output.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
    let length = usize::try_from(U256::from_be_slice(body.get(32..64)?)).ok()?;
    let text = body.get(64..64usize.checked_add(length)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn halt_message(reason: &HaltReason) -> String {
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
        InvalidTransaction::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
        other => other.to_string(),
    }
}

/// Runs calls on one state.
pub struct Caller<'a> {
    db: EvmDb<'a>,
    context: BlockContext,
}

impl<'a> Caller<'a> {
    /// Calls see the environment of `context`.
    pub const fn new(db: EvmDb<'a>, context: BlockContext) -> Self {
        Self { db, context }
    }

    fn env(&self) -> (BlockEnv, CfgEnv) {
        let mut cfg = self.context.cfg_env();
        cfg.disable_nonce_check = true;
        cfg.disable_eip3607 = true;
        (self.context.block_env(), cfg)
    }

    fn transact(&self, request: &CallRequest, gas: u64) -> Result<ExecutionResult, CallError> {
        let tx = TxEnv {
            tx_type: 2,
            caller: request.from,
            gas_limit: gas,
            gas_price: request.max_fee_per_gas,
            kind: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            data: request.data.clone(),
            chain_id: Some(self.context.chain_id),
            access_list: request.access_list.clone(),
            gas_priority_fee: Some(request.max_priority_fee_per_gas.unwrap_or(request.max_fee_per_gas)),
            ..TxEnv::default()
        };
        let (block, cfg) = self.env();
        match transact(self.db, block, cfg, tx) {
            Ok(out) => Ok(out.result),
            Err(EVMError::Transaction(reason)) => Err(CallError::Invalid { reason }),
            Err(EVMError::Database(e)) => Err(CallError::View(e)),
            Err(e @ (EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_))) => {
                Err(CallError::Revm { message: e.to_string() })
            }
        }
    }

    /// The gas that the sender can pay for, at most a block's.
    fn gas_allowance(&self, request: &CallRequest) -> Result<u64, CallError> {
        let wanted = request.gas.unwrap_or(BLOCK_GAS_LIMIT).min(BLOCK_GAS_LIMIT);
        if request.max_fee_per_gas == 0 {
            return Ok(wanted);
        }
        let account = self.db.state.account(request.from).map_err(ViewError::from)?;
        let balance = account.map_or(U256::ZERO, |a| a.balance);
        let affordable = balance.saturating_sub(request.value) / U256::from(request.max_fee_per_gas);
        Ok(wanted.min(u64::try_from(affordable).unwrap_or(u64::MAX)))
    }

    /// The output of a call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call(&self, request: &CallRequest) -> Result<Bytes, CallError> {
        let gas = match request.gas {
            Some(gas) => gas.min(BLOCK_GAS_LIMIT),
            None => self.gas_allowance(request)?,
        };
        match self.transact(request, gas)? {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(CallError::Revert { output }),
            ExecutionResult::Halt { reason, .. } => Err(CallError::Halt { reason }),
        }
    }

    /// The least gas limit, to 1.5 %, with which the call succeeds; exact for a plain transfer.
    ///
    /// # Errors
    /// See [`CallError`]; a call that fails with all the gas that it may have fails here with the same reason.
    pub fn estimate_gas(&self, request: &CallRequest) -> Result<u64, CallError> {
        let allowance = self.gas_allowance(request)?;
        let mut high = allowance;
        // Tried with everything first: what fails then fails always.
        let gas = match self.transact(request, high) {
            Ok(ExecutionResult::Success { gas, .. }) => gas,
            Ok(ExecutionResult::Revert { output, .. }) => return Err(CallError::Revert { output }),
            Ok(ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. })
            | Err(CallError::Invalid { reason: InvalidTransaction::CallGasCostMoreThanGasLimit { .. } }) => {
                return Err(CallError::GasRequiredExceedsAllowance { allowance });
            }
            Ok(ExecutionResult::Halt { reason, .. }) => return Err(CallError::Halt { reason }),
            Err(e) => return Err(e),
        };
        let used = gas.tx_gas_used();
        // A call may need more than it uses: refunds come at its end, and a callee gets 63/64 of what is left.
        let mut low = used.max(TX_GAS) - 1;
        if self.succeeds(request, used)? {
            return Ok(used);
        }
        let optimistic = (gas.total_gas_spent() + 2_300) * 64 / 63;
        if optimistic < high {
            if self.succeeds(request, optimistic)? {
                high = optimistic;
            } else {
                low = optimistic;
            }
        }
        while low + 1 < high && (high - low) as f64 / high as f64 > 0.015 {
            let middle = low + (high - low) / 2;
            if self.succeeds(request, middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high)
    }

    fn succeeds(&self, request: &CallRequest, gas: u64) -> Result<bool, CallError> {
        match self.transact(request, gas) {
            Ok(result) => Ok(result.is_success()),
            Err(CallError::Invalid { reason: InvalidTransaction::CallGasCostMoreThanGasLimit { .. } }) => {
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }
}
