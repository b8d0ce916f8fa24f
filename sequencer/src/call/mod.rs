//! Calls that only read, any EVM code, on the state of a block: `eth_call`, `eth_estimateGas`, `eth_createAccessList`,
//! each with the overrides of its caller. Traces of calls are in [`crate::trace`].

mod access_list;
pub mod error;
pub mod overrides;

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_rpc_types_eth::{BlockOverrides, state::StateOverride};
use cairn_protocol::constants::TX_GAS;
use revm::{
    DatabaseRef,
    context::{
        TxEnv,
        result::{ExecutionResult, HaltReason, InvalidTransaction},
    },
};

pub use error::{CallError, OverrideError};
use overrides::OverlayDb;

use crate::evm::{BlockContext, EvmDb, EvmEnv, transact};

/// Most gas of a call, unless configured; geth's default.
pub const GAS_CAP: u64 = 50_000_000;

/// A call that is not signed.
#[derive(Clone, Debug, Default)]
pub struct CallRequest {
    pub from: Address,
    /// `None`: contract creation.
    pub to: Option<Address>,
    /// In wei.
    pub value: U256,
    pub data: Bytes,
    /// `None`: as much as the sender can pay, at most the cap.
    pub gas: Option<u64>,
    /// Largest price a unit of gas, in wei; 0: free.
    pub max_fee_per_gas: u128,
    /// In wei; `None`: as `max_fee_per_gas`.
    pub max_priority_fee_per_gas: Option<u128>,
    pub access_list: AccessList,
}

/// Runs calls on one state.
pub struct Caller<'a> {
    pub(crate) db: OverlayDb<'a>,
    env: EvmEnv,
    chain_id: u64,
    gas_cap: u64,
}

impl<'a> Caller<'a> {
    /// Calls see the environment of `context` and use at most `gas_cap`.
    #[must_use]
    pub fn new(db: EvmDb<'a>, context: &BlockContext, gas_cap: u64) -> Self {
        let mut env = EvmEnv::from(context);
        env.cfg.disable_nonce_check = true;
        env.cfg.disable_eip3607 = true;
        // The cap of a call is `gas_cap`, which may be more than a block holds.
        env.cfg.disable_block_gas_limit = true;
        Self { db: OverlayDb::new(db), env, chain_id: context.chain_id, gas_cap }
    }

    /// Pretends accounts and another block.
    ///
    /// # Errors
    /// See [`OverrideError`].
    pub fn with_overrides(
        mut self,
        state: Option<StateOverride>,
        block: Option<BlockOverrides>,
    ) -> Result<Self, OverrideError> {
        self.db.pretend(state.unwrap_or_default(), &mut self.env)?;
        self.db.pretend_block(block.unwrap_or_default(), &mut self.env)?;
        Ok(self)
    }

    /// The environment of one call: who pays nothing for gas sees no base fee, as in geth.
    pub(crate) fn env(&self, request: &CallRequest) -> EvmEnv {
        let mut env = self.env.clone();
        if request.max_fee_per_gas == 0 {
            env.block.basefee = 0;
        }
        env
    }

    /// A call as revm takes it.
    pub(crate) fn tx(&self, request: &CallRequest, gas: u64) -> TxEnv {
        TxEnv {
            tx_type: 2,
            caller: request.from,
            gas_limit: gas,
            gas_price: request.max_fee_per_gas,
            kind: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            data: request.data.clone(),
            chain_id: Some(self.chain_id),
            access_list: request.access_list.clone(),
            gas_priority_fee: Some(request.max_priority_fee_per_gas.unwrap_or(request.max_fee_per_gas)),
            ..TxEnv::default()
        }
    }

    fn transact(&self, request: &CallRequest, gas: u64) -> Result<ExecutionResult, CallError> {
        Ok(transact(&self.db, self.env(request), self.tx(request, gas))?.result)
    }

    /// At most `wanted`, at most the cap, and at most what the sender can pay for.
    fn gas_allowance(&self, request: &CallRequest, wanted: u64) -> Result<u64, CallError> {
        let wanted = wanted.min(self.gas_cap);
        if request.max_fee_per_gas == 0 {
            return Ok(wanted);
        }
        let balance = self.db.basic_ref(request.from)?.map_or(U256::ZERO, |a| a.balance);
        let affordable = balance.saturating_sub(request.value) / U256::from(request.max_fee_per_gas);
        Ok(wanted.min(u64::try_from(affordable).unwrap_or(u64::MAX)))
    }

    /// The gas with which a call runs.
    pub(crate) fn call_gas(&self, request: &CallRequest) -> Result<u64, CallError> {
        match request.gas {
            Some(gas) => Ok(gas.min(self.gas_cap)),
            None => self.gas_allowance(request, self.gas_cap),
        }
    }

    /// The output of a call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call(&self, request: &CallRequest) -> Result<Bytes, CallError> {
        match self.transact(request, self.call_gas(request)?)? {
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
        let wanted = request.gas.filter(|gas| *gas >= TX_GAS).unwrap_or(self.env.block.gas_limit);
        let allowance = self.gas_allowance(request, wanted)?;
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
