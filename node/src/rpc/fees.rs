//! Fees of the `eth` namespace: the base fee is 0, the pool asks for a price. Spec: docs/rpc.md#eth.

use std::sync::Arc;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U256};
use alloy_rpc_types_eth::FeeHistory;
use cairn_protocol::constants::BLOCK_GAS_LIMIT;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use super::{error::RpcError, reader::resolve_number};
use crate::{
    chain::Chain,
    storage::{Kind, StorageError},
};

/// Most blocks of one `eth_feeHistory`.
const MAX_FEE_BLOCKS: u64 = 1_024;
/// In wei: that of a chain without blobs.
const BLOB_BASE_FEE: u64 = 1;

/// Fees of the `eth` namespace.
#[rpc(server, namespace = "eth")]
pub trait FeeApi {
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> RpcResult<U256>;
    #[method(name = "maxPriorityFeePerGas")]
    fn max_priority_fee_per_gas(&self) -> RpcResult<U256>;
    #[method(name = "blobBaseFee")]
    fn blob_base_fee(&self) -> RpcResult<U256>;
    #[method(name = "feeHistory", blocking)]
    fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory>;
}

/// Serves the fees of a chain.
#[derive(Clone)]
pub struct FeeRpc {
    pub chain: Arc<Chain>,
}

impl FeeRpc {
    fn fees(
        &self,
        count: u64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, RpcError> {
        if count == 0 || count > MAX_FEE_BLOCKS {
            return Err(RpcError::BlockCount { got: count, limit: MAX_FEE_BLOCKS });
        }
        if let Some(list) = &percentiles
            && !(list.iter().all(|p| (0.0..=100.0).contains(p)) && list.is_sorted())
        {
            return Err(RpcError::Percentiles);
        }
        let newest = resolve_number(&self.chain, newest)?.ok_or(RpcError::UnknownBlock)?;
        let oldest = (newest + 1).saturating_sub(count);
        let mut history = FeeHistory { oldest_block: oldest, ..FeeHistory::default() };
        let mut rewards = Vec::new();
        for number in oldest..=newest {
            let block = self.chain.storage().block(number)?;
            let block = block.ok_or(StorageError::Missing { kind: Kind::Block })?;
            let (used, price) = block.transaction.map_or((0, 0), |tx| (tx.gas_used, tx.gas_price_wei));
            history.base_fee_per_gas.push(0);
            history.base_fee_per_blob_gas.push(u128::from(BLOB_BASE_FEE));
            history.gas_used_ratio.push(used as f64 / BLOCK_GAS_LIMIT as f64);
            history.blob_gas_used_ratio.push(0.0);
            // One transaction a block: every percentile is its price. Wallets offer what they read here: it is never
            // less than the pool accepts.
            let reward = price.max(u128::from(self.chain.gas_price_wei()));
            rewards.push(vec![reward; percentiles.as_ref().map_or(0, Vec::len)]);
        }
        history.base_fee_per_gas.push(0);
        history.base_fee_per_blob_gas.push(u128::from(BLOB_BASE_FEE));
        history.reward = percentiles.map(|_| rewards);
        Ok(history)
    }
}

impl FeeApiServer for FeeRpc {
    fn gas_price(&self) -> RpcResult<U256> {
        Ok(U256::from(self.chain.gas_price_wei()))
    }

    fn max_priority_fee_per_gas(&self) -> RpcResult<U256> {
        Ok(U256::from(self.chain.gas_price_wei()))
    }

    fn blob_base_fee(&self) -> RpcResult<U256> {
        Ok(U256::from(BLOB_BASE_FEE))
    }

    fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory> {
        Ok(self.fees(count.to(), newest, percentiles)?)
    }
}
