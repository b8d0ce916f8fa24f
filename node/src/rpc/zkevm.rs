//! The `zkevm` namespace: batches on their way from trusted to virtual to consolidated. Spec: docs/rpc.md.

use std::sync::Arc;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::{Deserialize, Serialize};

use super::error::RpcError;
use crate::{
    chain::Chain,
    storage::{BatchRecord, Kind, SequenceRecord, StorageError},
};

/// A sealed batch. Quantities are hex.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RpcBatch {
    pub number: U64,
    pub coinbase: Address,
    pub state_root: B256,
    pub global_exit_root: B256,
    pub local_exit_root: B256,
    pub acc_input_hash: B256,
    pub timestamp: U64,
    /// L1 transaction that posted the batch.
    pub send_sequences_tx_hash: Option<B256>,
    /// L1 transaction that proved the batch.
    pub verify_batch_tx_hash: Option<B256>,
    /// Hashes of the blocks.
    pub blocks: Vec<B256>,
    /// Hashes of the transactions.
    pub transactions: Vec<B256>,
    /// The bytes on L1.
    pub batch_l2_data: Bytes,
    pub closed: bool,
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
    #[method(name = "getBatchByNumber", blocking)]
    fn batch_by_number(&self, batch: BlockNumberOrTag) -> RpcResult<Option<RpcBatch>>;
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
}

impl ZkevmRpc {
    fn batch_of(&self, block: u64) -> Result<Option<u64>, RpcError> {
        Ok(self.chain.storage().block(block)?.map(|b| b.batch))
    }

    fn view(&self, record: BatchRecord) -> Result<RpcBatch, RpcError> {
        let storage = self.chain.storage();
        let header = &record.batch.header;
        let heads = self.chain.heads();
        let id = header.number.to_be_bytes();
        // The record with the smallest last batch that is not below this one is the one that holds it.
        let sequence = if header.number <= heads.virtual_batch {
            storage.first_from::<SequenceRecord>(Kind::Sequence, &id)?
        } else {
            None
        };
        let verification = if header.number <= heads.verified_batch {
            storage.first_from::<SequenceRecord>(Kind::Verification, &id)?
        } else {
            None
        };
        let (mut blocks, mut transactions) = (Vec::new(), Vec::new());
        for number in header.first_block..=record.batch.last_block {
            let block = storage.block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
            blocks.push(block.hash);
            transactions.extend(block.transaction.map(|tx| tx.hash));
        }
        Ok(RpcBatch {
            number: U64::from(header.number),
            coinbase: header.coinbase,
            state_root: record.state_root,
            global_exit_root: header.global_exit_root,
            local_exit_root: record.local_exit_root,
            acc_input_hash: record.acc_input_hash,
            timestamp: U64::from(header.timestamp),
            send_sequences_tx_hash: sequence.map(|s| s.l1_tx_hash),
            verify_batch_tx_hash: verification.map(|s| s.l1_tx_hash),
            blocks,
            transactions,
            batch_l2_data: record.batch.transactions,
            closed: true,
        })
    }

    fn find(&self, batch: BlockNumberOrTag) -> Result<Option<RpcBatch>, RpcError> {
        let heads = self.chain.heads();
        let number = match batch {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => heads.sealed_batch,
            BlockNumberOrTag::Safe => heads.virtual_batch,
            BlockNumberOrTag::Finalized => heads.verified_batch,
            BlockNumberOrTag::Earliest => 1,
            BlockNumberOrTag::Number(number) => number,
        };
        self.chain.storage().batch(number)?.map(|record| self.view(record)).transpose()
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

    fn batch_by_number(&self, batch: BlockNumberOrTag) -> RpcResult<Option<RpcBatch>> {
        Ok(self.find(batch)?)
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
