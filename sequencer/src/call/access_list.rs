//! The access list with which a call costs what it says: `eth_createAccessList`.

use alloy_eips::eip2930::AccessListResult;
use alloy_primitives::U256;
use revm::context::result::ExecutionResult;
use revm_inspectors::access_list::AccessListInspector;

use super::{
    CallRequest, Caller,
    error::{CallError, halt_message},
};
use crate::evm::inspect;

/// Most runs until the list must have settled. A list only grows; a contract whose path depends on the gas that is left
/// could make it grow by one slot a run.
const MAX_RUNS: u32 = 32;

impl Caller<'_> {
    /// The addresses and slots that a call touches when it has that very list, with the gas it then uses. A call that
    /// fails has a list too, and the reason of its failure in it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn create_access_list(&self, request: &CallRequest) -> Result<AccessListResult, CallError> {
        let mut request = request.clone();
        for _ in 0..MAX_RUNS {
            let mut inspector = AccessListInspector::new(request.access_list.clone());
            let gas = self.call_gas(&request)?;
            let result =
                inspect(&self.db, self.env(&request), self.tx(&request, gas), &mut inspector)?.result;
            let access_list = inspector.into_access_list();
            if access_list == request.access_list {
                let error = match &result {
                    ExecutionResult::Success { .. } => None,
                    ExecutionResult::Revert { .. } => Some("execution reverted".to_owned()),
                    ExecutionResult::Halt { reason, .. } => Some(halt_message(reason)),
                };
                let gas_used = U256::from(result.gas().tx_gas_used());
                return Ok(AccessListResult { access_list, gas_used, error });
            }
            request.access_list = access_list;
        }
        Err(CallError::AccessListUnsettled { runs: MAX_RUNS })
    }
}
