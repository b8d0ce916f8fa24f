//! A user of L2: JSON-RPC over ethers, nothing else.

use alloy_primitives::Address;
use cairn_node::{l1::account::Account, rpc::zkevm::RpcBatch};
use ethers::{
    middleware::SignerMiddleware,
    providers::{Http, JsonRpcError, Middleware, Provider, RpcError as _},
    signers::{LocalWallet, Signer as _},
    types::{self as e, BlockNumber},
};
use eyre::OptionExt;

use crate::{
    l1::POLL,
    wait::{PROVEN, SOON, until},
};

/// Signs and sends.
pub type User = SignerMiddleware<Provider<Http>, LocalWallet>;

/// The node's JSON-RPC.
#[derive(Clone, Debug)]
pub struct L2 {
    pub url: String,
    pub provider: Provider<Http>,
}

/// An address as ethers has it.
#[must_use]
pub fn h160(address: Address) -> e::H160 {
    e::H160(address.into_array())
}

/// The wallet of a development account, for a chain.
///
/// # Errors
/// If there is no such account.
pub fn wallet(account: u32, chain_id: u64) -> eyre::Result<LocalWallet> {
    let key = Account::development(account)?.key();
    Ok(LocalWallet::from_bytes(key.as_slice())?.with_chain_id(chain_id))
}

impl L2 {
    /// A client; nothing is asked.
    ///
    /// # Errors
    /// If `url` is malformed.
    pub fn connect(url: &str) -> eyre::Result<Self> {
        Ok(Self { url: url.to_owned(), provider: Provider::<Http>::try_from(url)?.interval(POLL) })
    }

    /// A client that signs with a development account.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn user(&self, account: u32) -> eyre::Result<User> {
        let chain_id = self.provider.get_chainid().await?.as_u64();
        Ok(SignerMiddleware::new(self.provider.clone(), wallet(account, chain_id)?))
    }

    /// Hands in raw bytes: the hash, or what the node answers instead.
    ///
    /// # Errors
    /// If the answer is no answer of JSON-RPC.
    pub async fn submit(&self, raw: &[u8]) -> eyre::Result<Result<e::H256, JsonRpcError>> {
        let raw = format!("0x{}", hex::encode(raw));
        match self.provider.request("eth_sendRawTransaction", [raw]).await {
            Ok(hash) => Ok(Ok(hash)),
            Err(error) => match error.as_error_response() {
                Some(response) => Ok(Err(response.clone())),
                None => Err(error.into()),
            },
        }
    }

    /// The receipt of a transaction, once it is in a block.
    ///
    /// # Errors
    /// If the node does not answer or the transaction stays out of blocks.
    pub async fn receipt(&self, hash: e::H256) -> eyre::Result<e::TransactionReceipt> {
        let look = || async { Ok(self.provider.get_transaction_receipt(hash).await?) };
        until(&format!("transaction {hash:?} is in a block"), SOON, look).await
    }

    /// Number of the block of a tag.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn block_number(&self, tag: BlockNumber) -> eyre::Result<u64> {
        let block = self.provider.get_block(tag).await?.ok_or_eyre("no block")?;
        Ok(block.number.ok_or_eyre("a block without a number")?.as_u64())
    }

    /// Waits until `block` is proven on L1.
    ///
    /// # Errors
    /// If that does not happen in time.
    pub async fn finalized(&self, block: u64) -> eyre::Result<()> {
        let look = || async {
            let reached = self.block_number(BlockNumber::Finalized).await? >= block;
            Ok(reached.then_some(()))
        };
        until(&format!("block {block} is finalized"), PROVEN, look).await
    }

    /// A batch.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn batch(&self, number: u64) -> eyre::Result<Option<RpcBatch>> {
        Ok(self.provider.request("zkevm_getBatchByNumber", [format!("{number:#x}")]).await?)
    }

    /// A number that a method without parameters returns.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn number(&self, method: &str) -> eyre::Result<u64> {
        Ok(self.provider.request::<_, e::U64>(method, ()).await?.as_u64())
    }

    /// Wei of an account.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn balance(&self, account: Address, at: BlockNumber) -> eyre::Result<e::U256> {
        Ok(self.provider.get_balance(h160(account), Some(at.into())).await?)
    }

    /// Nonce of an account.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn nonce(&self, account: Address, at: BlockNumber) -> eyre::Result<u64> {
        Ok(self.provider.get_transaction_count(h160(account), Some(at.into())).await?.as_u64())
    }
}
