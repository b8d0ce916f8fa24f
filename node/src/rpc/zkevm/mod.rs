//! The `zkevm` namespace: batches on their way from trusted to virtual to consolidated. Spec: docs/rpc.md.

mod batch;
mod counters;

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::{Deserialize, Serialize};

pub use self::{
    batch::{FullBlock, FullTransaction, HashOr, RpcBatch, RpcCounters},
    counters::CountersEstimate,
};
use super::{
    call::{CallRpc, Overrides},
    error::RpcError,
    reader::resolve_number,
};
use crate::chain::Chain;

/// The two trees under a global exit root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitRoots {
    /// L1 block of the update.
    pub block_number: U64,
    pub timestamp: U64,
    pub mainnet_exit_root: B256,
    pub rollup_exit_root: B256,
}

/// Methods of the `zkevm` namespace.
#[rpc(server, namespace = "zkevm")]
pub trait ZkevmApi {
    #[method(name = "batchNumber")]
    fn batch_number(&self) -> RpcResult<U64>;
    #[method(name = "virtualBatchNumber")]
    fn virtual_batch_number(&self) -> RpcResult<U64>;
    #[method(name = "verifiedBatchNumber")]
    fn verified_batch_number(&self) -> RpcResult<U64>;
    #[method(name = "consolidatedBlockNumber", blocking)]
    fn consolidated_block_number(&self) -> RpcResult<U64>;
    #[method(name = "getBatchByNumber", blocking)]
    fn batch_by_number(&self, batch: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<RpcBatch>>;
    #[method(name = "getFullBlockByNumber", blocking)]
    fn full_block_by_number(
        &self,
        block: BlockNumberOrTag,
        full: Option<bool>,
    ) -> RpcResult<Option<FullBlock>>;
    #[method(name = "getFullBlockByHash", blocking)]
    fn full_block_by_hash(&self, block: B256, full: Option<bool>) -> RpcResult<Option<FullBlock>>;
    #[method(name = "estimateCounters", blocking)]
    fn estimate_counters(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
    ) -> RpcResult<CountersEstimate>;
    #[method(name = "estimateFee", blocking)]
    fn estimate_fee(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<U256>;
    #[method(name = "getLatestGlobalExitRoot", blocking)]
    fn latest_global_exit_root(&self) -> RpcResult<B256>;
    #[method(name = "getExitRootsByGER", blocking)]
    fn exit_roots(&self, global_exit_root: B256) -> RpcResult<Option<ExitRoots>>;
    #[method(name = "batchNumberByBlockNumber", blocking)]
    fn batch_number_by_block_number(&self, block: U64) -> RpcResult<Option<U64>>;
    #[method(name = "isBlockVirtualized", blocking)]
    fn is_block_virtualized(&self, block: U64) -> RpcResult<bool>;
    #[method(name = "isBlockConsolidated", blocking)]
    fn is_block_consolidated(&self, block: U64) -> RpcResult<bool>;
}

/// Serves the namespace from a chain.
#[derive(Clone)]
pub struct ZkevmRpc {
    pub chain: Arc<Chain>,
    /// Most gas of one call.
    pub gas_cap: u64,
}

impl ZkevmRpc {
    fn batch_of(&self, block: u64) -> Result<Option<u64>, RpcError> {
        if block > self.chain.heads().trusted_block {
            return Ok(None);
        }
        Ok(self.chain.storage().block(block)?.map(|b| b.batch))
    }

    fn find(&self, batch: BlockNumberOrTag, full: bool) -> Result<Option<RpcBatch>, RpcError> {
        let heads = self.chain.heads();
        let number = match batch {
            // The batch that takes transactions, if there is one.
            BlockNumberOrTag::Pending => match batch::open(&self.chain, full)? {
                Some(open) => return Ok(Some(open)),
                None => heads.sealed_batch,
            },
            BlockNumberOrTag::Latest => heads.sealed_batch,
            BlockNumberOrTag::Safe => heads.virtual_batch,
            BlockNumberOrTag::Finalized => heads.verified_batch,
            BlockNumberOrTag::Earliest => 1,
            BlockNumberOrTag::Number(number) if number == heads.sealed_batch + 1 => {
                return batch::open(&self.chain, full);
            }
            BlockNumberOrTag::Number(number) => number,
        };
        let record = self.chain.storage().batch(number)?;
        record.map(|record| batch::sealed(&self.chain, &record, full)).transpose()
    }

    fn reached(&self, block: u64, batch: u64) -> Result<bool, RpcError> {
        Ok(self.batch_of(block)?.is_some_and(|of| of <= batch))
    }
}

impl ZkevmApiServer for ZkevmRpc {
    fn batch_number(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.heads().sealed_batch))
    }

    fn virtual_batch_number(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.heads().virtual_batch))
    }

    fn verified_batch_number(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.heads().verified_batch))
    }

    fn consolidated_block_number(&self) -> RpcResult<U64> {
        let batch = self.chain.heads().verified_batch;
        Ok(U64::from(self.chain.last_block_of(batch).map_err(RpcError::from)?))
    }

    fn batch_by_number(&self, batch: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<RpcBatch>> {
        Ok(self.find(batch, full.unwrap_or(false))?)
    }

    fn full_block_by_number(
        &self,
        block: BlockNumberOrTag,
        _full: Option<bool>,
    ) -> RpcResult<Option<FullBlock>> {
        let Some(number) = resolve_number(&self.chain, block)? else { return Ok(None) };
        Ok(batch::full_block(&self.chain, number)?)
    }

    fn full_block_by_hash(&self, block: B256, _full: Option<bool>) -> RpcResult<Option<FullBlock>> {
        let number = self.chain.block_named(block).map_err(RpcError::from)?;
        let Some(number) = number else { return Ok(None) };
        Ok(batch::full_block(&self.chain, number)?)
    }

    fn estimate_counters(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
    ) -> RpcResult<CountersEstimate> {
        Ok(counters::estimate(&self.chain, &request, block)?)
    }

    fn estimate_fee(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<U256> {
        let calls = CallRpc { chain: Arc::clone(&self.chain), gas_cap: self.gas_cap };
        let gas = calls.estimate(request, block, Overrides::default())?;
        Ok(U256::from(gas) * U256::from(self.chain.gas_price_wei()))
    }

    fn latest_global_exit_root(&self) -> RpcResult<B256> {
        let progress = self.chain.storage().exit_root_progress().map_err(RpcError::from)?;
        Ok(progress.latest.unwrap_or_default())
    }

    fn exit_roots(&self, global_exit_root: B256) -> RpcResult<Option<ExitRoots>> {
        let known = self.chain.storage().exit_roots(global_exit_root).map_err(RpcError::from)?;
        Ok(known.map(|update| ExitRoots {
            block_number: U64::from(update.block_number),
            timestamp: U64::from(update.timestamp),
            mainnet_exit_root: update.mainnet_exit_root,
            rollup_exit_root: update.rollup_exit_root,
        }))
    }

    fn batch_number_by_block_number(&self, block: U64) -> RpcResult<Option<U64>> {
        Ok(self.batch_of(block.to())?.map(U64::from))
    }

    fn is_block_virtualized(&self, block: U64) -> RpcResult<bool> {
        Ok(self.reached(block.to(), self.chain.heads().virtual_batch)?)
    }

    fn is_block_consolidated(&self, block: U64) -> RpcResult<bool> {
        Ok(self.reached(block.to(), self.chain.heads().verified_batch)?)
    }
}
