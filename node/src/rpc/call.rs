//! Methods of the `eth` namespace that run the EVM and write nothing: calls, estimates, access lists. Spec: docs/rpc.md.
//! Traces of calls are in `debug`.

use std::sync::Arc;

use alloy_eips::{BlockId, eip2930::AccessListResult};
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use cairn_sequencer::{
    call::{CallRequest, Caller},
    evm::EvmDb,
};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use super::{error::RpcError, reader::state_at};
use crate::chain::Chain;

/// See the module.
#[rpc(server, namespace = "eth")]
pub trait CallApi {
    #[method(name = "call", blocking)]
    fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> RpcResult<Bytes>;
    #[method(name = "estimateGas", blocking)]
    fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> RpcResult<U256>;
    #[method(name = "createAccessList", blocking)]
    fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> RpcResult<AccessListResult>;
}

/// Serves the calls from a chain.
#[derive(Clone)]
pub struct CallRpc {
    pub chain: Arc<Chain>,
    /// Most gas of one call.
    pub gas_cap: u64,
}

/// The overrides of one call.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub state: Option<StateOverride>,
    pub block: Option<BlockOverrides>,
}

impl CallRpc {
    fn with_caller<T, E>(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        overrides: Overrides,
        run: impl FnOnce(&Caller<'_>, &CallRequest) -> Result<T, E>,
    ) -> Result<T, RpcError>
    where
        RpcError: From<E>,
    {
        let (state, number) = state_at(&self.chain, block)?;
        let context = self.chain.context_of(number)?;
        let db = EvmDb { state: &state, hashes: self.chain.storage() };
        let caller =
            Caller::new(db, &context, self.gas_cap).with_overrides(overrides.state, overrides.block)?;
        Ok(run(&caller, &call_request(request, self.chain.chain_id())?)?)
    }

    /// Gas that a request needs.
    pub(super) fn estimate(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        overrides: Overrides,
    ) -> Result<u64, RpcError> {
        self.with_caller(request, block, overrides, |caller, r| caller.estimate_gas(r))
    }
}

/// A request in the executor's terms. Its nonce is not looked at, as in geth.
pub fn call_request(request: TransactionRequest, chain_id: u64) -> Result<CallRequest, RpcError> {
    if request.gas_price.is_some()
        && (request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::GasPriceAndMaxFee);
    }
    if let Some(got) = request.chain_id.filter(|got| *got != chain_id) {
        return Err(RpcError::ChainId { got, expected: chain_id });
    }
    let unsupported = [
        ("maxFeePerBlobGas", request.max_fee_per_blob_gas.is_some()),
        ("blobVersionedHashes", request.blob_versioned_hashes.is_some()),
        ("blobs", request.sidecar.is_some()),
        ("authorizationList", request.authorization_list.is_some()),
    ];
    if let Some((field, _)) = unsupported.into_iter().find(|(_, is_set)| *is_set) {
        return Err(RpcError::CallField { field });
    }
    let data = match (request.input.input, request.input.data) {
        (Some(a), Some(b)) if a != b => return Err(RpcError::InputAndData),
        (a, b) => a.or(b).unwrap_or_default(),
    };
    Ok(CallRequest {
        from: request.from.unwrap_or_default(),
        to: request.to.and_then(|kind| kind.to().copied()),
        value: request.value.unwrap_or_default(),
        data,
        gas: request.gas,
        max_fee_per_gas: request.gas_price.or(request.max_fee_per_gas).unwrap_or(0),
        // Whoever names a largest fee and no tip gives none.
        max_priority_fee_per_gas: match request.gas_price {
            Some(_) => None,
            None => Some(request.max_priority_fee_per_gas.unwrap_or(0)),
        },
        access_list: request.access_list.unwrap_or_default(),
    })
}

impl CallApiServer for CallRpc {
    fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> RpcResult<Bytes> {
        let overrides = Overrides { state: state_overrides, block: block_overrides };
        Ok(self.with_caller(request, block, overrides, |caller, r| caller.call(r))?)
    }

    fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> RpcResult<U256> {
        let overrides = Overrides { state: state_overrides, block: block_overrides };
        Ok(U256::from(self.estimate(request, block, overrides)?))
    }

    fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> RpcResult<AccessListResult> {
        let overrides = Overrides { state: state_overrides, block: None };
        Ok(self.with_caller(request, block, overrides, |caller, r| caller.create_access_list(r))?)
    }
}
