//! The `eth`, `net` and `web3` namespaces. Spec: docs/rpc.md.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::Block;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::{
    error::{RpcError, shown},
    reader::{self, resolve_number, state_at},
};
use crate::chain::Chain;

/// The chain, blocks and accounts of the `eth` namespace. What reads the database or runs the EVM does not run on the async
/// threads.
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
    #[method(name = "coinbase")]
    fn coinbase(&self) -> RpcResult<Address>;
    #[method(name = "protocolVersion")]
    fn protocol_version(&self) -> RpcResult<U64>;
    #[method(name = "getBlockByNumber", blocking)]
    fn block_by_number(&self, block: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<AnyBlock>>;
    #[method(name = "getBlockByHash", blocking)]
    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>>;
    #[method(name = "getUncleCountByBlockNumber", blocking)]
    fn uncle_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>>;
    #[method(name = "getUncleCountByBlockHash", blocking)]
    fn uncle_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>>;
    #[method(name = "getUncleByBlockNumberAndIndex")]
    fn uncle_by_number(&self, block: BlockNumberOrTag, index: U64) -> RpcResult<Option<Block>>;
    #[method(name = "getUncleByBlockHashAndIndex")]
    fn uncle_by_hash(&self, hash: B256, index: U64) -> RpcResult<Option<Block>>;
    #[method(name = "getBalance", blocking)]
    fn balance(&self, address: Address, block: Option<BlockId>) -> RpcResult<U256>;
    #[method(name = "getTransactionCount", blocking)]
    fn transaction_count(&self, address: Address, block: Option<BlockId>) -> RpcResult<U64>;
    #[method(name = "getCode", blocking)]
    fn code(&self, address: Address, block: Option<BlockId>) -> RpcResult<Bytes>;
    #[method(name = "getStorageAt", blocking)]
    fn storage_at(&self, address: Address, slot: StorageSlot, block: Option<BlockId>) -> RpcResult<B256>;
}

/// A block, or what would be the next.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum AnyBlock {
    Sealed(Box<Block>),
    Pending(Value),
}

/// A storage slot: up to 64 hex digits, padded or not, as geth takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageSlot(pub U256);

impl<'de> Deserialize<'de> for StorageSlot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
        if digits.len() > 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let reason = format!("a storage slot has up to 64 hex digits, not {:?}", shown(&text));
            return Err(D::Error::custom(reason));
        }
        U256::from_str_radix(digits, 16).map(Self).map_err(D::Error::custom)
    }
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
        Ok(self.chain.block_named(hash)?)
    }
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

    fn coinbase(&self) -> RpcResult<Address> {
        Ok(self.chain.coinbase())
    }

    fn protocol_version(&self) -> RpcResult<U64> {
        // It has no peers to speak a version with.
        Ok(U64::ZERO)
    }

    fn block_by_number(&self, block: BlockNumberOrTag, full: Option<bool>) -> RpcResult<Option<AnyBlock>> {
        if block.is_pending() {
            let pending = reader::pending_block(&self.chain, full.unwrap_or(false))?;
            return Ok(Some(AnyBlock::Pending(pending)));
        }
        Ok(self.block_at(self.by_number(block)?, full)?.map(|block| AnyBlock::Sealed(Box::new(block))))
    }

    fn block_by_hash(&self, hash: B256, full: Option<bool>) -> RpcResult<Option<Block>> {
        self.block_at(self.by_hash(hash)?, full)
    }

    fn uncle_count_by_number(&self, block: BlockNumberOrTag) -> RpcResult<Option<U64>> {
        Ok(self.by_number(block)?.map(|_| U64::ZERO))
    }

    fn uncle_count_by_hash(&self, hash: B256) -> RpcResult<Option<U64>> {
        Ok(self.by_hash(hash)?.map(|_| U64::ZERO))
    }

    fn uncle_by_number(&self, _: BlockNumberOrTag, _: U64) -> RpcResult<Option<Block>> {
        Ok(None)
    }

    fn uncle_by_hash(&self, _: B256, _: U64) -> RpcResult<Option<Block>> {
        Ok(None)
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

    fn storage_at(&self, address: Address, slot: StorageSlot, block: Option<BlockId>) -> RpcResult<B256> {
        let (state, _) = state_at(&self.chain, block)?;
        Ok(B256::from(state.storage(address, slot.0).map_err(RpcError::from)?))
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
