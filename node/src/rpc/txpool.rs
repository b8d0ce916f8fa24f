//! The `txpool` namespace: what waits to be executed, in geth's shapes. Spec: docs/rpc.md#txpool.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, U64};
use cairn_sequencer::pool::{PooledAccount, PooledTx, ValidTx};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::{Serialize, Serializer, ser::Error as _};

use super::reader;
use crate::chain::Chain;

/// A transaction in full. Becomes JSON only as it is written, so that an answer that grows too long costs no more than
/// one that is not.
#[derive(Clone, Debug)]
pub struct FullTx(ValidTx);

impl Serialize for FullTx {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        reader::pooled(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A transaction in one line.
#[derive(Clone, Debug)]
pub struct TxLine(ValidTx);

impl Serialize for TxLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tx = &self.0.tx;
        let to = tx.to.map_or_else(|| "contract creation".to_owned(), |to| to.to_checksum(None));
        let (value, gas, price) = (tx.value, tx.gas_limit, tx.max_fee_per_gas);
        serializer.collect_str(&format_args!("{to}: {value} wei + {gas} gas × {price} wei"))
    }
}

/// Transactions of one sender by nonce.
type ByNonce<T> = BTreeMap<u64, T>;

/// The pool, or the part of one sender.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Content<T> {
    /// Can be executed in turn.
    pub pending: T,
    /// Wait for a nonce.
    pub queued: T,
}

/// Counts. Quantities are hex.
pub type PoolCounts = Content<U64>;

/// Methods of the `txpool` namespace.
#[rpc(server, namespace = "txpool")]
pub trait TxpoolApi {
    #[method(name = "status", blocking)]
    fn status(&self) -> RpcResult<PoolCounts>;
    #[method(name = "content", blocking)]
    fn content(&self) -> RpcResult<Content<BTreeMap<String, ByNonce<FullTx>>>>;
    #[method(name = "contentFrom", blocking)]
    fn content_from(&self, sender: Address) -> RpcResult<Content<ByNonce<FullTx>>>;
    #[method(name = "inspect", blocking)]
    fn inspect(&self) -> RpcResult<Content<BTreeMap<String, ByNonce<TxLine>>>>;
}

/// Serves the namespace from a chain.
#[derive(Clone)]
pub struct TxpoolRpc {
    pub chain: Arc<Chain>,
}

fn by_nonce<'a, T>(txs: impl Iterator<Item = &'a PooledTx>, view: fn(ValidTx) -> T) -> ByNonce<T> {
    txs.map(|pooled| (pooled.valid.tx.nonce, view(pooled.valid.clone()))).collect()
}

impl TxpoolRpc {
    fn all<T>(&self, view: fn(ValidTx) -> T) -> Content<BTreeMap<String, ByNonce<T>>> {
        self.chain.with_pool(|pool| {
            let mut content = Content { pending: BTreeMap::new(), queued: BTreeMap::new() };
            for account in pool.accounts() {
                let name = account.sender.to_checksum(None);
                let (pending, queued) = split(&account, view);
                if !queued.is_empty() {
                    content.queued.insert(name.clone(), queued);
                }
                if !pending.is_empty() {
                    content.pending.insert(name, pending);
                }
            }
            content
        })
    }
}

fn split<T>(account: &PooledAccount<'_>, view: fn(ValidTx) -> T) -> (ByNonce<T>, ByNonce<T>) {
    (by_nonce(account.pending(), view), by_nonce(account.queued(), view))
}

impl TxpoolApiServer for TxpoolRpc {
    fn status(&self) -> RpcResult<PoolCounts> {
        let status = self.chain.with_pool(|pool| pool.status());
        Ok(Content { pending: U64::from(status.pending), queued: U64::from(status.queued) })
    }

    fn content(&self) -> RpcResult<Content<BTreeMap<String, ByNonce<FullTx>>>> {
        Ok(self.all(FullTx))
    }

    fn content_from(&self, sender: Address) -> RpcResult<Content<ByNonce<FullTx>>> {
        Ok(self.chain.with_pool(|pool| {
            let (pending, queued) =
                pool.account(sender).map(|account| split(&account, FullTx)).unwrap_or_default();
            Content { pending, queued }
        }))
    }

    fn inspect(&self) -> RpcResult<Content<BTreeMap<String, ByNonce<TxLine>>>> {
        Ok(self.all(TxLine))
    }
}
