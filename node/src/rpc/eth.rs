//! The `eth`, `net` and `web3` namespaces. Spec: docs/rpc.md.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::{
    Block, FeeHistory, Filter, FilterBlockOption, Log, Transaction, TransactionReceipt, TransactionRequest,
};
use cairn_protocol::constants::BLOCK_GAS_LIMIT;
use cairn_sequencer::{
    call::{CallRequest, Caller},
    evm::EvmDb,
};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use super::{
    error::RpcError,
    reader::{self, resolve, resolve_number, state_at},
};
use crate::{
    chain::Chain,
    storage::{Kind, StorageError},
};

/// Most blocks of one `eth_getLogs`.
const MAX_LOG_BLOCKS: u64 = 10_000;
/// Most blocks of one `eth_feeHistory`.
const MAX_FEE_BLOCKS: u64 = 1_024;

/// Methods of the `eth` namespace. All of them read the database or run the EVM: none runs on the async threads.
#[rpc(server, namespace = "eth")]
pub trait EthApi {
    #[method(name = "chainId")]
    fn chain_id(&self) -> RpcResult<U64>;
    #[method(name = "blockNumber")]
    fn block_number(&self) -> RpcResult<U64>;
    #[method(name = "syncing")]
    fn syncing(&self) -> RpcResult<bool>;
    #[method(name = "accounts")]
    fn accounts(&self) -> RpcResult<Vec<Address>>;
    #[method(name = "getBlockByNumber", blocking)]
    fn block_by_number(&self, block: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<Block>>;
    #[method(name = "getBlockByHash", blocking)]
    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>>;
    #[method(name = "getBlockTransactionCountByNumber", blocking)]
    fn transaction_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>>;
    #[method(name = "getBlockTransactionCountByHash", blocking)]
    fn transaction_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>>;
    #[method(name = "getBlockReceipts", blocking)]
    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>>;
    #[method(name = "getBalance", blocking)]
    fn balance(&self, address: Address, block: Option<BlockId>) -> RpcResult<U256>;
    #[method(name = "getTransactionCount", blocking)]
    fn transaction_count(&self, address: Address, block: Option<BlockId>) -> RpcResult<U64>;
    #[method(name = "getCode", blocking)]
    fn code(&self, address: Address, block: Option<BlockId>) -> RpcResult<Bytes>;
    #[method(name = "getStorageAt", blocking)]
    fn storage_at(&self, address: Address, slot: U256, block: Option<BlockId>) -> RpcResult<B256>;
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> RpcResult<U256>;
    #[method(name = "maxPriorityFeePerGas")]
    fn max_priority_fee_per_gas(&self) -> RpcResult<U256>;
    #[method(name = "feeHistory", blocking)]
    fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory>;
    #[method(name = "estimateGas", blocking)]
    fn estimate_gas(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<U256>;
    #[method(name = "call", blocking)]
    fn call(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<Bytes>;
    #[method(name = "sendRawTransaction", blocking)]
    fn send_raw_transaction(&self, raw: Bytes) -> RpcResult<B256>;
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
    #[method(name = "getTransactionReceipt", blocking)]
    fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>>;
    #[method(name = "getLogs", blocking)]
    fn logs(&self, filter: Filter) -> RpcResult<Vec<Log>>;
}

/// Methods of the `net` namespace.
#[rpc(server, namespace = "net")]
pub trait NetApi {
    #[method(name = "version")]
    fn version(&self) -> RpcResult<String>;
    #[method(name = "listening")]
    fn listening(&self) -> RpcResult<bool>;
    #[method(name = "peerCount")]
    fn peer_count(&self) -> RpcResult<U64>;
}

/// Methods of the `web3` namespace.
#[rpc(server, namespace = "web3")]
pub trait Web3Api {
    #[method(name = "clientVersion")]
    fn client_version(&self) -> RpcResult<String>;
    #[method(name = "sha3")]
    fn sha3(&self, data: Bytes) -> RpcResult<B256>;
}

/// Serves the three namespaces from a chain.
#[derive(Clone)]
pub struct EthRpc {
    pub chain: Arc<Chain>,
}

impl EthRpc {
    fn block_at(&self, number: Option<u64>, full: Option<bool>) -> RpcResult<Option<Block>> {
        let Some(number) = number else { return Ok(None) };
        Ok(reader::block(&self.chain, number, full.unwrap_or(false))?)
    }

    fn by_number(&self, block: BlockNumberOrTag) -> Result<Option<u64>, RpcError> {
        resolve_number(&self.chain, block)
    }

    fn by_hash(&self, hash: B256) -> Result<Option<u64>, RpcError> {
        Ok(self.chain.storage().block_number(hash)?)
    }

    fn count_at(&self, number: Option<u64>) -> Result<Option<U64>, RpcError> {
        let Some(number) = number else { return Ok(None) };
        let block = self.chain.storage().block(number)?;
        Ok(block.map(|b| U64::from(u64::from(b.transaction.is_some()))))
    }

    fn transaction_at(&self, number: Option<u64>, index: U64) -> Result<Option<Transaction>, RpcError> {
        let (Some(number), true) = (number, index.is_zero()) else { return Ok(None) };
        let block = self.chain.storage().block(number)?;
        match block.and_then(|b| b.transaction) {
            Some(tx) => reader::transaction(&self.chain, tx.hash),
            None => Ok(None),
        }
    }

    fn with_caller<T>(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        run: impl FnOnce(&Caller<'_>, &CallRequest) -> Result<T, cairn_sequencer::call::CallError>,
    ) -> Result<T, RpcError> {
        let (state, number) = state_at(&self.chain, block)?;
        let context = self.chain.context_of(number)?;
        let caller = Caller::new(EvmDb { state: &state, hashes: self.chain.storage() }, context);
        Ok(run(&caller, &call_request(request)?)?)
    }

    /// Gas that a request needs.
    pub(super) fn estimate(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
    ) -> Result<u64, RpcError> {
        self.with_caller(request, block, |caller, r| caller.estimate_gas(r))
    }

    fn find_logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let number = self.by_hash(hash)?.ok_or(RpcError::UnknownBlock)?;
                (number, number)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let head = self.chain.heads().trusted_block;
                let bound = |block: Option<BlockNumberOrTag>| -> Result<u64, RpcError> {
                    match block {
                        None => Ok(head),
                        // A number past the head is a bound like any other.
                        Some(BlockNumberOrTag::Number(number)) => Ok(number),
                        Some(tag) => Ok(self.by_number(tag)?.unwrap_or(head)),
                    }
                };
                let (from, to) = (bound(from_block)?, bound(to_block)?);
                if from > to {
                    return Err(RpcError::InvalidRange { from, to });
                }
                (from, to.min(head))
            }
        };
        let got = (to + 1).saturating_sub(from);
        if got > MAX_LOG_BLOCKS {
            return Err(RpcError::RangeTooLarge { got, limit: MAX_LOG_BLOCKS });
        }
        let mut logs = Vec::new();
        for number in from..=to {
            let block = self.chain.storage().block(number)?;
            // Most blocks emit nothing: only receipts with logs are built.
            if block.and_then(|b| b.transaction).is_none_or(|tx| tx.logs.is_empty()) {
                continue;
            }
            for receipt in reader::receipts(&self.chain, number)?.unwrap_or_default() {
                let matching = receipt.inner.logs().iter().filter(|log| {
                    filter.matches_address(log.address()) && filter.matches_topics(log.topics())
                });
                logs.extend(matching.cloned());
            }
        }
        Ok(logs)
    }

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
        let newest = self.by_number(newest)?.ok_or(RpcError::UnknownBlock)?;
        let oldest = (newest + 1).saturating_sub(count);
        let mut history = FeeHistory { oldest_block: oldest, ..FeeHistory::default() };
        let mut rewards = Vec::new();
        for number in oldest..=newest {
            let block = self.chain.storage().block(number)?;
            let block = block.ok_or(StorageError::Missing { kind: Kind::Block })?;
            let (used, price) = block.transaction.map_or((0, 0), |tx| (tx.gas_used, tx.gas_price_wei));
            history.base_fee_per_gas.push(0);
            history.base_fee_per_blob_gas.push(1);
            history.gas_used_ratio.push(used as f64 / BLOCK_GAS_LIMIT as f64);
            history.blob_gas_used_ratio.push(0.0);
            // One transaction a block: every percentile is its price. Wallets offer what they read here: it is never
            // less than the pool accepts.
            let reward = price.max(u128::from(self.chain.gas_price_wei()));
            rewards.push(vec![reward; percentiles.as_ref().map_or(0, Vec::len)]);
        }
        history.base_fee_per_gas.push(0);
        history.base_fee_per_blob_gas.push(1);
        history.reward = percentiles.map(|_| rewards);
        Ok(history)
    }
}

/// A request in the executor's terms.
fn call_request(request: TransactionRequest) -> Result<CallRequest, RpcError> {
    if request.gas_price.is_some()
        && (request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::GasPriceAndMaxFee);
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
        max_priority_fee_per_gas: request.max_priority_fee_per_gas,
        access_list: request.access_list.unwrap_or_default(),
    })
}

impl EthApiServer for EthRpc {
    fn chain_id(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.chain_id()))
    }

    fn block_number(&self) -> RpcResult<U64> {
        Ok(U64::from(self.chain.heads().trusted_block))
    }

    fn syncing(&self) -> RpcResult<bool> {
        // The sequencer is where blocks begin.
        Ok(false)
    }

    fn accounts(&self) -> RpcResult<Vec<Address>> {
        // The node holds no keys of users.
        Ok(Vec::new())
    }

    fn block_by_number(&self, block: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<Block>> {
        self.block_at(self.by_number(block)?, full)
    }

    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>> {
        self.block_at(self.by_hash(hash)?, full)
    }

    fn transaction_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>> {
        Ok(self.count_at(self.by_number(block)?)?)
    }

    fn transaction_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>> {
        Ok(self.count_at(self.by_hash(hash)?)?)
    }

    fn block_receipts(&self, block: BlockId) -> RpcResult<Option<Vec<TransactionReceipt>>> {
        match resolve(&self.chain, Some(block))? {
            Some(number) => Ok(reader::receipts(&self.chain, number)?),
            None => Ok(None),
        }
    }

    fn balance(&self, address: Address, block: Option<BlockId>) -> RpcResult<U256> {
        let (state, _) = state_at(&self.chain, block)?;
        Ok(state.account(address).map_err(RpcError::from)?.map_or(U256::ZERO, |a| a.balance))
    }

    fn transaction_count(&self, address: Address, block: Option<BlockId>) -> RpcResult<U64> {
        if block.is_some_and(|b| b.is_pending())
            && let Some(nonce) = self.chain.with_pool(|pool| pool.pending_nonce(address))
        {
            return Ok(U64::from(nonce));
        }
        let (state, _) = state_at(&self.chain, block)?;
        Ok(U64::from(state.account(address).map_err(RpcError::from)?.map_or(0, |a| a.nonce)))
    }

    fn code(&self, address: Address, block: Option<BlockId>) -> RpcResult<Bytes> {
        let (state, _) = state_at(&self.chain, block)?;
        match state.account(address).map_err(RpcError::from)? {
            Some(account) => {
                Ok(state.code(account.keccak_code_hash).map_err(RpcError::from)?.unwrap_or_default())
            }
            None => Ok(Bytes::new()),
        }
    }

    fn storage_at(&self, address: Address, slot: U256, block: Option<BlockId>) -> RpcResult<B256> {
        let (state, _) = state_at(&self.chain, block)?;
        Ok(B256::from(state.storage(address, slot).map_err(RpcError::from)?))
    }

    fn gas_price(&self) -> RpcResult<U256> {
        Ok(U256::from(self.chain.gas_price_wei()))
    }

    fn max_priority_fee_per_gas(&self) -> RpcResult<U256> {
        Ok(U256::from(self.chain.gas_price_wei()))
    }

    fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory> {
        Ok(self.fees(count.to(), newest, percentiles)?)
    }

    fn estimate_gas(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<U256> {
        Ok(U256::from(self.estimate(request, block)?))
    }

    fn call(&self, request: TransactionRequest, block: Option<BlockId>) -> RpcResult<Bytes> {
        Ok(self.with_caller(request, block, |caller, r| caller.call(r))?)
    }

    fn send_raw_transaction(&self, raw: Bytes) -> RpcResult<B256> {
        Ok(self.chain.submit(&raw).map_err(RpcError::from)?)
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

    fn transaction_receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>> {
        Ok(reader::receipt(&self.chain, hash)?)
    }

    fn logs(&self, filter: Filter) -> RpcResult<Vec<Log>> {
        Ok(self.find_logs(&filter)?)
    }
}

impl NetApiServer for EthRpc {
    fn version(&self) -> RpcResult<String> {
        Ok(self.chain.chain_id().to_string())
    }

    fn listening(&self) -> RpcResult<bool> {
        Ok(true)
    }

    fn peer_count(&self) -> RpcResult<U64> {
        Ok(U64::ZERO)
    }
}

impl Web3ApiServer for EthRpc {
    fn client_version(&self) -> RpcResult<String> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let mode = self.chain.proof_mode();
        Ok(format!("cairn/v{}/{arch}-{os}/{mode}", env!("CARGO_PKG_VERSION")))
    }

    fn sha3(&self, data: Bytes) -> RpcResult<B256> {
        Ok(keccak256(&data))
    }
}
