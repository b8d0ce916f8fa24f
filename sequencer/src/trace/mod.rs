//! Traces in geth's shapes: what happened inside a transaction or a call, by re-executing it on the state before it.
//! The tracers are those of revm-inspectors; here are their choice, the limits that a run has ([`budget`], `bounded`),
//! and the words in which geth reports a failed step.

mod bounded;
pub mod budget;
pub mod options;
mod words;

use alloy_primitives::Address;
use alloy_rpc_types_trace::geth::{GethTrace, PreStateConfig};
use cairn_protocol::tx::DecodedTx;
use revm::{DatabaseRef, context::TxEnv, context::result::ResultAndState};
use revm_inspectors::tracing::{DebugInspector, DebugInspectorError};
use thiserror::Error;

pub use budget::{Budget, TraceLimits};
pub use options::{Tracer, TracerError};
pub use revm_inspectors::tracing::TransactionContext;

use crate::{
    call::{CallError, CallRequest, Caller, overrides::OverlayDb},
    evm::{BlockContext, EvmDb, EvmEnv, ViewError, inspect, tx_env},
};
use bounded::Bounded;
use budget::Exceeded;

/// Why there is no trace.
#[derive(Debug, Error)]
pub enum TraceError {
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    #[error(transparent)]
    Tracer(#[from] TracerError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// A fault of this software: the execution is not the one that made the block.
    #[error("re-execution uses {got} gas, the block says {expected}")]
    Diverges { expected: u64, got: u64 },
}

impl From<ViewError> for TraceError {
    fn from(e: ViewError) -> Self {
        Self::Call(e.into())
    }
}

/// A transaction that is in a block.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    pub tx: &'a DecodedTx,
    pub sender: Address,
    /// Gas that its block says it used.
    pub gas_used: u64,
}

/// Traces a past transaction on the state before its block, `db`.
///
/// # Errors
/// See [`TraceError`].
pub fn trace_transaction(
    db: EvmDb<'_>,
    block: &BlockContext,
    past: &Past<'_>,
    place: TransactionContext,
    tracer: &Tracer,
    budget: &mut Budget,
) -> Result<GethTrace, TraceError> {
    let tx = tx_env(past.tx, past.sender);
    let (trace, result) = run(&OverlayDb::new(db), block.into(), tx, place, tracer, budget)?;
    let got = result.result.gas().tx_gas_used();
    if got != past.gas_used {
        return Err(TraceError::Diverges { expected: past.gas_used, got });
    }
    Ok(trace)
}

impl Caller<'_> {
    /// The trace of a call. A call that fails has one too.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn trace(
        &self,
        request: &CallRequest,
        tracer: &Tracer,
        budget: &mut Budget,
    ) -> Result<GethTrace, TraceError> {
        let tx = self.tx(request, self.call_gas(request)?);
        Ok(run(&self.db, self.env(request), tx, TransactionContext::default(), tracer, budget)?.0)
    }
}

fn run(
    mut db: &OverlayDb<'_>,
    env: EvmEnv,
    tx: TxEnv,
    place: TransactionContext,
    tracer: &Tracer,
    budget: &mut Budget,
) -> Result<(GethTrace, ResultAndState), TraceError> {
    let mut inspector = Bounded::new(tracer.inspector()?, budget);
    let result = inspect(db, env.clone(), tx.clone(), &mut inspector);
    // A run that was stopped ends in an error of revm, which says less.
    let mut inspector = inspector.finish()?;
    let result = result.map_err(CallError::from)?;
    if let DebugInspector::PreStateTracer(_, config) = &inspector {
        charge_prestate(db, config, &result, budget)?;
    }
    let trace = inspector.get_result(Some(place), &tx, &env.block, &result, &mut db);
    let mut trace = trace.map_err(|e| match e {
        DebugInspectorError::Database(e) => TraceError::from(e),
        // The tracer was made from these options before.
        _ => TracerError::config(tracer).into(),
    })?;
    if let GethTrace::Default(frame) = &mut trace {
        words::as_geth(frame);
    }
    Ok((trace, result))
}

/// The accounts of a prestate come from the result, not from steps: they are charged once it is known.
fn charge_prestate(
    db: &OverlayDb<'_>,
    config: &PreStateConfig,
    result: &ResultAndState,
    budget: &mut Budget,
) -> Result<(), TraceError> {
    for account in result.state.values() {
        budget.charge(budget::FRAME_BYTES + account.storage.len() * budget::SLOT_BYTES)?;
        let hash = account.original_info().code_hash;
        if config.code_enabled() && !hash.is_zero() {
            budget.charge(2 * db.code_by_hash_ref(hash)?.len())?;
        }
    }
    Ok(())
}
