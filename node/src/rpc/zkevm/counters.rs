//! `zkevm_estimateCounters`: what a transaction would cost to prove, against the capacity of the largest shape.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::{BlockId, eip2718::Encodable2718};
use alloy_primitives::{Signature, TxKind, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use cairn_protocol::{
    constants::BLOCK_GAS_LIMIT,
    tx::{DecodedTx, TxDecodeError, decode_tx},
};
use cairn_sequencer::{
    admission::Admission,
    call::CallError,
    counters::BatchMeter,
    evm::EvmDb,
    executor::{ExecuteError, Executed, execute},
};
use serde::{Deserialize, Serialize};

use super::batch::RpcCounters;
use crate::{
    chain::{Chain, ChainError},
    rpc::{error::RpcError, reader::state_at},
};

/// What a batch of the transaction alone would use, and what a batch has room for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountersEstimate {
    pub counters_used: RpcCounters,
    pub counters_limits: RpcCounters,
    pub gas_used: U64,
    /// Whether it succeeds.
    pub success: bool,
    /// Why a chain that proves would refuse it: an operation without a circuit, or a machine that is too small.
    pub not_provable: Option<String>,
}

/// The request as a transaction of its sender's next nonce, free of charge, with a signature of usual length.
fn transaction(chain: &Chain, request: &TransactionRequest, nonce: u64) -> Result<DecodedTx, TxDecodeError> {
    let input = request.input.input.clone().or_else(|| request.input.data.clone()).unwrap_or_default();
    let tx = TxEip1559 {
        chain_id: chain.chain_id(),
        nonce,
        gas_limit: request.gas.unwrap_or(BLOCK_GAS_LIMIT).min(BLOCK_GAS_LIMIT),
        max_fee_per_gas: 0,
        max_priority_fee_per_gas: 0,
        to: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        access_list: request.access_list.clone().unwrap_or_default(),
        input,
    };
    // Prices take up to nine bytes each in practice; two integers of 32 bytes are the signature.
    let signature = Signature::new(U256::MAX, U256::MAX, true);
    decode_tx(&TxEnvelope::from(tx.into_signed(signature)).encoded_2718())
}

/// Executes the request on the state of a block and counts.
pub(super) fn estimate(
    chain: &Chain,
    request: &TransactionRequest,
    block: Option<BlockId>,
) -> Result<CountersEstimate, RpcError> {
    let (state, number) = state_at(chain, block)?;
    let context = chain.context_of(number)?;
    let sender = request.from.unwrap_or_default();
    let nonce = state.account(sender)?.map_or(0, |account| account.nonce);
    let tx = transaction(chain, request, nonce)
        .map_err(|e| RpcError::Pool(cairn_sequencer::pool::PoolError::from(e)))?;
    let run = |admission| -> Result<Executed, ExecuteError> {
        execute(&tx, sender, &context, EvmDb { state: &state, hashes: chain.storage() }, admission)
    };
    let executed = run(Admission::Everything).map_err(|e| match e {
        ExecuteError::Invalid(e) => RpcError::Pool(e.into()),
        ExecuteError::Refused { reason } => RpcError::Call(CallError::Invalid { reason }),
        other => ChainError::Execute { number, source: Box::new(other) }.into(),
    })?;
    let counters = BatchMeter::with_new_root().counters_with(&executed.work(&tx));
    let not_provable = match run(Admission::Provable) {
        Ok(_) => chain.room().fits(&counters, executed.leaf_count).err().map(|e| e.to_string()),
        Err(e) => Some(e.to_string()),
    };
    Ok(CountersEstimate {
        counters_used: counters.into(),
        counters_limits: (*chain.capacity()).into(),
        gas_used: U64::from(executed.receipt.gas_used),
        success: executed.receipt.success,
        not_provable,
    })
}
