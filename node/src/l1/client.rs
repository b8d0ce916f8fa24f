//! One endpoint of L1 and the number of its chain.

use std::{fmt, future::Future, time::Duration};

use alloy_primitives::{Address, B256, Bytes, U256};
use ethers::{
    abi::{AbiDecode, AbiEncode},
    providers::{Http, Middleware, Provider, ProviderError},
    types::{
        BlockId as EthersBlockId, BlockNumber, Filter, Log, TransactionReceipt, TransactionRequest,
        transaction::eip2718::TypedTransaction,
    },
};

use super::{convert, error::RequestError};
use crate::config::shown_url;

/// Longest wait for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Which state a read is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// The newest block.
    #[default]
    Latest,
    /// A block by number.
    Block(u64),
    /// A block by hash: fails when a reorganisation removed it.
    Hash(B256),
}

impl From<At> for EthersBlockId {
    fn from(at: At) -> Self {
        match at {
            At::Latest => Self::Number(BlockNumber::Latest),
            At::Block(number) => Self::Number(number.into()),
            At::Hash(hash) => Self::Hash(convert::hash(hash)),
        }
    }
}

/// A block's header, as far as the node needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Block {
    pub number: u64,
    pub hash: B256,
    pub parent_hash: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// None before EIP-1559.
    pub base_fee_wei: Option<u128>,
}

/// A transaction as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L1Transaction {
    pub hash: B256,
    pub from: Address,
    pub to: Option<Address>,
    pub nonce: u64,
    pub input: Bytes,
    /// None while it waits for a block.
    pub block_number: Option<u64>,
}

/// A JSON-RPC endpoint over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    provider: Provider<Http>,
    chain_id: u64,
    poll: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a key of the endpoint's owner.
        f.debug_struct("Client")
            .field("chain_id", &self.chain_id)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks the endpoint for its chain; whoever waits for the chain asks again every `poll`.
    ///
    /// # Errors
    /// If `url` is malformed or the endpoint does not answer.
    pub async fn connect(url: &str, poll: Duration) -> Result<Self, RequestError> {
        let provider =
            Provider::<Http>::try_from(url).map_err(|_| RequestError::Url { url: shown_url(url) })?;
        let provider = provider.interval(poll);
        let chain_id = answer("eth_chainId", provider.get_chainid()).await?;
        let chain_id = u64::try_from(chain_id).map_err(|_| RequestError::Answer { method: "eth_chainId" })?;
        Ok(Self { provider, chain_id, poll })
    }

    /// Number of the endpoint's chain.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// How often to ask for news.
    #[must_use]
    pub const fn poll(&self) -> Duration {
        self.poll
    }

    /// A block's header; none if there is no such block.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn block(&self, at: At) -> Result<Option<L1Block>, RequestError> {
        const METHOD: &str = "eth_getBlockBy";
        let block = answer(METHOD, self.provider.get_block(EthersBlockId::from(at))).await?;
        let Some(block) = block else { return Ok(None) };
        let malformed = RequestError::Answer { method: METHOD };
        let (Some(number), Some(hash)) = (block.number, block.hash) else { return Err(malformed) };
        let (Ok(timestamp), Ok(base_fee_wei)) =
            (u64::try_from(block.timestamp), block.base_fee_per_gas.map(u128::try_from).transpose())
        else {
            return Err(malformed);
        };
        Ok(Some(L1Block {
            number: number.as_u64(),
            hash: convert::from_hash(hash),
            parent_hash: convert::from_hash(block.parent_hash),
            timestamp,
            base_fee_wei,
        }))
    }

    /// The newest block's header.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn head(&self) -> Result<L1Block, RequestError> {
        self.block(At::Latest).await?.ok_or(RequestError::Answer { method: "eth_getBlockByNumber" })
    }

    /// A transaction, in a block or waiting for one.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn transaction(&self, hash: B256) -> Result<Option<L1Transaction>, RequestError> {
        let found =
            answer("eth_getTransactionByHash", self.provider.get_transaction(convert::hash(hash))).await?;
        found.map(transaction).transpose()
    }

    /// Wei of an account.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn balance(&self, account: Address) -> Result<U256, RequestError> {
        let wei =
            answer("eth_getBalance", self.provider.get_balance(convert::address(account), None)).await?;
        Ok(convert::from_word(wei))
    }

    /// Code of an account; empty if it has none.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn code(&self, account: Address) -> Result<Bytes, RequestError> {
        let code = answer("eth_getCode", self.provider.get_code(convert::address(account), None)).await?;
        Ok(convert::from_bytes(code))
    }

    /// Calls a function without a transaction.
    pub(super) async fn read<R: AbiDecode>(
        &self,
        to: Address,
        function: impl AbiEncode + Send,
        at: At,
    ) -> Result<R, RequestError> {
        let request = TransactionRequest::new().to(convert::address(to)).data(function.encode());
        let data = self.call(&request.into(), at).await?;
        R::decode(&data).map_err(|_| RequestError::Answer { method: "eth_call" })
    }

    pub(super) async fn call(&self, request: &TypedTransaction, at: At) -> Result<Bytes, RequestError> {
        let data = answer("eth_call", self.provider.call(request, Some(at.into()))).await?;
        Ok(convert::from_bytes(data))
    }

    /// Gas of a transaction on top of those that wait for a block.
    pub(super) async fn estimate(&self, request: &TypedTransaction) -> Result<u64, RequestError> {
        const METHOD: &str = "eth_estimateGas";
        let pending = Some(EthersBlockId::Number(BlockNumber::Pending));
        let gas = answer(METHOD, self.provider.estimate_gas(request, pending)).await?;
        u64::try_from(gas).map_err(|_| RequestError::Answer { method: METHOD })
    }

    /// Nonce of the account's next transaction in the state `at`, or counting those that wait if none.
    pub(super) async fn nonce(&self, account: Address, at: Option<At>) -> Result<u64, RequestError> {
        const METHOD: &str = "eth_getTransactionCount";
        let at = at.map_or(EthersBlockId::Number(BlockNumber::Pending), EthersBlockId::from);
        let nonce =
            answer(METHOD, self.provider.get_transaction_count(convert::address(account), Some(at))).await?;
        u64::try_from(nonce).map_err(|_| RequestError::Answer { method: METHOD })
    }

    pub(super) async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, RequestError> {
        let hash = convert::hash(hash);
        answer("eth_getTransactionReceipt", self.provider.get_transaction_receipt(hash)).await
    }

    pub(super) async fn broadcast(&self, raw: &Bytes) -> Result<(), RequestError> {
        answer("eth_sendRawTransaction", self.provider.send_raw_transaction(convert::bytes(raw))).await?;
        Ok(())
    }

    /// What the endpoint suggests to pay on top of the base fee; none if it has no such method.
    pub(super) async fn suggested_tip(&self) -> Result<Option<u128>, RequestError> {
        const METHOD: &str = "eth_maxPriorityFeePerGas";
        let tip: Result<ethers::types::U256, _> = answer(METHOD, self.provider.request(METHOD, ())).await;
        match tip {
            Ok(wei) => Ok(Some(u128::try_from(wei).map_err(|_| RequestError::Answer { method: METHOD })?)),
            Err(RequestError::Refused { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(super) async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RequestError> {
        answer("eth_getLogs", self.provider.get_logs(filter)).await
    }

    /// The transaction of `account` with `nonce` in a block.
    pub(super) async fn transaction_of(
        &self,
        block: u64,
        account: Address,
        nonce: u64,
    ) -> Result<Option<B256>, RequestError> {
        let block = answer("eth_getBlockByNumber", self.provider.get_block_with_txs(block)).await?;
        let transactions = block.map(|b| b.transactions).unwrap_or_default();
        let found = transactions
            .into_iter()
            .find(|tx| tx.from == convert::address(account) && tx.nonce == nonce.into());
        Ok(found.map(|tx| convert::from_hash(tx.hash)))
    }

    /// Any method, for what only development chains have.
    #[cfg(test)]
    pub(super) async fn raw_request(
        &self,
        method: &'static str,
        params: serde_json::Value,
    ) -> Result<serde_json::Value, RequestError> {
        answer(method, self.provider.request(method, params)).await
    }
}

fn transaction(tx: ethers::types::Transaction) -> Result<L1Transaction, RequestError> {
    let nonce =
        u64::try_from(tx.nonce).map_err(|_| RequestError::Answer { method: "eth_getTransactionByHash" })?;
    Ok(L1Transaction {
        hash: convert::from_hash(tx.hash),
        from: convert::from_address(tx.from),
        to: tx.to.map(convert::from_address),
        nonce,
        input: convert::from_bytes(tx.input),
        block_number: tx.block_number.map(|n| n.as_u64()),
    })
}

async fn answer<T>(
    method: &'static str,
    request: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, RequestError> {
    match tokio::time::timeout(ANSWER_LIMIT, request).await {
        Ok(result) => result.map_err(|e| RequestError::new(method, e)),
        Err(_) => Err(RequestError::Timeout { method, limit: ANSWER_LIMIT }),
    }
}
