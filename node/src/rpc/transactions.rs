//! Transactions of the `eth` namespace: sending and reading them, and their receipts. Spec: docs/rpc.md#eth.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64};
use alloy_rpc_types_eth::{Transaction, TransactionReceipt};
use jsonrpsee::{
    core::{RpcResult, async_trait},
    proc_macros::rpc,
};

use super::{
    error::RpcError,
    reader::{self, resolve, resolve_number},
    relay::Relay,
};
use crate::{chain::Chain, storage::TxRecord};

/// Transactions of the `eth` namespace.
#[rpc(server, namespace = "eth")]
pub trait TransactionApi {
    #[method(name = "sendRawTransaction")]
    async fn send_raw_transaction(&self, raw: Bytes) -> RpcResult<B256>;
    #[method(name = "getTransactionByHash", blocking)]
    fn transaction_by_hash(&self, hash: B256) -> RpcResult<Option<Transaction>>;
    #[method(name = "getTransactionByBlockNumberAndIndex", blocking)]
    fn transaction_by_number_and_index(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> RpcResult<Option<Transaction>>;
    #[method(name = "getTransactionByBlockHashAndIndex", blocking)]
    fn transaction_by_hash_and_index(&self, hash: B256, index: U64) -> RpcResult<Option<Transaction>>;
    #[method(name = "getRawTransactionByHash", blocking)]
    fn raw_transaction_by_hash(&self, hash: B256) -> RpcResult<Bytes>;
    #[method(name = "getRawTransactionByBlockNumberAndIndex", blocking)]
    fn raw_transaction_by_number_and_index(&self, block: BlockNumberOrTag, index: U64) -> RpcResult<Bytes>;
    #[method(name = "getRawTransactionByBlockHashAndIndex", blocking)]
    fn raw_transaction_by_hash_and_index(&self, hash: B256, index: U64) -> RpcResult<Bytes>;
    #[method(name = "getTransactionReceipt", blocking)]
    fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>>;
    #[method(name = "getBlockReceipts", blocking)]
    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>>;
    #[method(name = "getBlockTransactionCountByNumber", blocking)]
    fn transaction_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>>;
    #[method(name = "getBlockTransactionCountByHash", blocking)]
    fn transaction_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>>;
}

/// Serves the transactions of a chain.
#[derive(Clone)]
pub struct TransactionRpc {
    pub chain: Arc<Chain>,
    /// Where raw transactions go, if not into the chain's own pool.
    pub relay: Option<Relay>,
}

impl TransactionRpc {
    /// The number of the block in whose transactions a client looks; the pending block has none.
    fn by_number(&self, block: BlockNumberOrTag) -> Result<Option<u64>, RpcError> {
        if block.is_pending() { Ok(None) } else { resolve_number(&self.chain, block) }
    }

    fn by_hash(&self, hash: B256) -> Result<Option<u64>, RpcError> {
        Ok(self.chain.block_named(hash)?)
    }

    fn record_at(&self, number: Option<u64>, index: U64) -> Result<Option<TxRecord>, RpcError> {
        let (Some(number), true) = (number, index.is_zero()) else { return Ok(None) };
        Ok(self.chain.storage().block(number)?.and_then(|block| block.transaction))
    }

    fn transaction_at(&self, number: Option<u64>, index: U64) -> Result<Option<Transaction>, RpcError> {
        match self.record_at(number, index)? {
            Some(tx) => reader::transaction(&self.chain, tx.hash),
            None => Ok(None),
        }
    }

    fn raw_at(&self, number: Option<u64>, index: U64) -> Result<Bytes, RpcError> {
        Ok(self.record_at(number, index)?.map(|tx| tx.raw).unwrap_or_default())
    }

    fn count_at(&self, number: u64) -> Result<Option<U64>, RpcError> {
        let block = self.chain.storage().block(number)?;
        Ok(block.map(|b| U64::from(u64::from(b.transaction.is_some()))))
    }
}

#[async_trait]
impl TransactionApiServer for TransactionRpc {
    async fn send_raw_transaction(&self, raw: Bytes) -> RpcResult<B256> {
        if let Some(relay) = &self.relay {
            return Ok(relay.send(raw).await?);
        }
        let chain = Arc::clone(&self.chain);
        let submitted = tokio::task::spawn_blocking(move || chain.submit(&raw)).await;
        Ok(submitted.map_err(RpcError::from)?.map_err(RpcError::from)?)
    }

    fn transaction_by_hash(&self, hash: B256) -> RpcResult<Option<Transaction>> {
        Ok(reader::transaction(&self.chain, hash)?)
    }

    fn transaction_by_number_and_index(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> RpcResult<Option<Transaction>> {
        Ok(self.transaction_at(self.by_number(block)?, index)?)
    }

    fn transaction_by_hash_and_index(&self, hash: B256, index: U64) -> RpcResult<Option<Transaction>> {
        Ok(self.transaction_at(self.by_hash(hash)?, index)?)
    }

    fn raw_transaction_by_hash(&self, hash: B256) -> RpcResult<Bytes> {
        Ok(reader::raw_transaction(&self.chain, hash)?.unwrap_or_default())
    }

    fn raw_transaction_by_number_and_index(&self, block: BlockNumberOrTag, index: U64) -> RpcResult<Bytes> {
        Ok(self.raw_at(self.by_number(block)?, index)?)
    }

    fn raw_transaction_by_hash_and_index(&self, hash: B256, index: U64) -> RpcResult<Bytes> {
        Ok(self.raw_at(self.by_hash(hash)?, index)?)
    }

    fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>> {
        Ok(reader::receipt(&self.chain, hash)?)
    }

    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>> {
        if block.is_pending() {
            return Ok(Some(Vec::new()));
        }
        match resolve(&self.chain, Some(block))? {
            Some(number) => Ok(reader::receipts(&self.chain, number)?),
            None => Ok(None),
        }
    }

    fn transaction_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>> {
        if block.is_pending() {
            return Ok(Some(U64::ZERO));
        }
        match self.by_number(block)? {
            Some(number) => Ok(self.count_at(number)?),
            None => Ok(None),
        }
    }

    fn transaction_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>> {
        match self.by_hash(hash)? {
            Some(number) => Ok(self.count_at(number)?),
            None => Ok(None),
        }
    }
}
