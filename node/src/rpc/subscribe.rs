//! Subscriptions over WebSocket. What a subscriber is to be told of is read from the database, from the last block it was
//! sent on, and sent as fast as it takes it: nothing waits for it in memory but the connection's buffer. One that does
//! not keep up is closed. Spec: docs/rpc.md#subscriptions.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use alloy_consensus::{Header, Sealed};
use alloy_rlp::Decodable;
use alloy_rpc_types_eth::{Filter, Log};
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink,
    core::{SubscriptionError, SubscriptionResult, async_trait, server::SendTimeoutError},
    proc_macros::rpc,
    types::ErrorObjectOwned,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::{
    budget::{Budget, Exhausted},
    error::{INVALID_PARAMS, METHOD_NOT_FOUND, RpcError, shown},
    logs::{self, LogQuery},
    reader,
};
use crate::{
    chain::{Chain, ChainError, POOL_FEED},
    metrics::SubscriptionGauge,
};

/// Most headers in memory for one subscriber.
const HEADERS_AT_ONCE: u64 = 64;
/// Most blocks searched for one subscriber before it is looked at again.
const LOG_BLOCKS_AT_ONCE: u64 = 1_024;
/// A block that takes the logs in memory for one subscriber past this is the last one read.
const LOG_BYTES_AT_ONCE: usize = 256 << 10;

/// The `eth_subscribe` method.
#[rpc(server, namespace = "eth")]
pub trait SubscribeApi {
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = Value)]
    async fn subscribe(&self, kind: String, params: Option<Value>) -> SubscriptionResult;
}

/// Why the node closes a subscription.
#[derive(Debug, thiserror::Error)]
pub enum Closed {
    #[error("subscription closed: no message was taken for {} ms", after.as_millis())]
    Stalled { after: Duration },
    #[error("subscription closed: {behind} blocks behind, the limit is {limit}")]
    Behind { behind: u64, limit: u64 },
    #[error("subscription closed: {missed} pending transactions missed, at most {limit} wait")]
    Missed { missed: u64, limit: usize },
    #[error("subscription closed: {0}")]
    NoRoom(#[from] Exhausted),
    #[error("subscription closed: {0}")]
    Read(#[from] RpcError),
    #[error("subscription closed: {0}")]
    Encode(#[from] serde_json::Error),
    #[error("subscription closed: {0}")]
    Aborted(#[from] tokio::task::JoinError),
}

/// What a client can subscribe to.
enum Topic {
    NewHeads,
    Logs(Box<LogQuery>),
    NewPendingTransactions { full: bool },
    Syncing,
}

/// Serves subscriptions from a chain.
#[derive(Clone)]
pub struct SubscribeRpc {
    pub chain: Arc<Chain>,
    /// How long a message may wait for room in the connection's buffer.
    pub timeout: Duration,
    /// How far a subscriber may be behind, in blocks.
    pub max_lag: u64,
    /// What large messages wait in.
    pub budget: Budget,
}

fn parameter<T: DeserializeOwned + Default>(params: Option<Value>) -> Result<T, ErrorObjectOwned> {
    let Some(value) = params.filter(|value| !value.is_null()) else { return Ok(T::default()) };
    serde_json::from_value(value).map_err(|e| {
        let message = format!("invalid argument 1: {}", shown(&e.to_string()));
        ErrorObjectOwned::owned(INVALID_PARAMS, message, None::<()>)
    })
}

impl Topic {
    fn parse(kind: &str, params: Option<Value>) -> Result<Self, ErrorObjectOwned> {
        match kind {
            "newHeads" => Ok(Self::NewHeads),
            "logs" => Ok(Self::Logs(Box::new(LogQuery::new(parameter::<Filter>(params)?)?))),
            "newPendingTransactions" => Ok(Self::NewPendingTransactions { full: parameter(params)? }),
            "syncing" => Ok(Self::Syncing),
            other => {
                let message = format!("no {:?} subscription in eth namespace", shown(other));
                Err(ErrorObjectOwned::owned(METHOD_NOT_FOUND, message, None::<()>))
            }
        }
    }
}

/// Some headers of blocks in `blocks`, and the number that follows them.
fn read_headers(
    chain: &Chain,
    blocks: RangeInclusive<u64>,
) -> Result<(Vec<alloy_rpc_types_eth::Header>, u64), RpcError> {
    let (from, to) = blocks.into_inner();
    let to = to.min(from.saturating_add(HEADERS_AT_ONCE - 1));
    let mut headers = Vec::new();
    chain.storage().scan_blocks(from..=to, |block| {
        let header = Header::decode(&mut &*block.header)
            .map_err(|source| ChainError::Rlp { number: block.number, source })?;
        let sealed = Sealed::new_unchecked(header, block.hash);
        headers.push(alloy_rpc_types_eth::Header::from_sealed(sealed));
        Ok::<_, RpcError>(true)
    })?;
    Ok((headers, to + 1))
}

/// The wanted logs of some blocks in `blocks`, and the number that follows these blocks.
fn read_logs(
    chain: &Chain,
    query: &LogQuery,
    blocks: RangeInclusive<u64>,
) -> Result<(Vec<Log>, u64), RpcError> {
    let (from, to) = blocks.into_inner();
    let mut to = to.min(from.saturating_add(LOG_BLOCKS_AT_ONCE - 1));
    let (mut found, mut bytes) = (Vec::new(), 0);
    logs::read(chain, query, from..=to, |number, logs| {
        bytes += logs.iter().map(|log| size_of::<Log>() + log.data().data.len()).sum::<usize>();
        found.extend(logs);
        let more = bytes < LOG_BYTES_AT_ONCE;
        if !more {
            to = number;
        }
        more
    })?;
    Ok((found, to + 1))
}

impl SubscribeRpc {
    /// Sends a notification. Whether the subscription goes on.
    async fn send(&self, sink: &SubscriptionSink, item: &impl Serialize) -> Result<bool, Closed> {
        let message = serde_json::value::to_raw_value(item)?;
        let _held = self.budget.take_within(message.get().len(), self.timeout).await?;
        match sink.send_timeout(message, self.timeout).await {
            Ok(()) => Ok(true),
            Err(SendTimeoutError::Closed(_)) => Ok(false),
            Err(SendTimeoutError::Timeout(_)) => Err(Closed::Stalled { after: self.timeout }),
        }
    }

    /// Sends what `read` finds in the blocks from `next` on, until the client leaves.
    async fn follow<T: Serialize + Send + Sync + 'static>(
        &self,
        sink: &SubscriptionSink,
        mut next: u64,
        read: impl Fn(&Chain, RangeInclusive<u64>) -> Result<(Vec<T>, u64), RpcError> + Send + Sync + 'static,
    ) -> Result<(), Closed> {
        let mut heads = self.chain.subscribe();
        let read = Arc::new(read);
        loop {
            let head = heads.borrow_and_update().trusted_block;
            let behind = (head + 1).saturating_sub(next);
            if behind == 0 {
                tokio::select! {
                    () = sink.closed() => return Ok(()),
                    // The sender lives in the chain, which lives in here.
                    _ = heads.changed() => continue,
                }
            }
            if behind > self.max_lag {
                return Err(Closed::Behind { behind, limit: self.max_lag });
            }
            let (chain, reader) = (Arc::clone(&self.chain), Arc::clone(&read));
            let found = tokio::task::spawn_blocking(move || reader(&chain, next..=head)).await?;
            let (items, after) = found?;
            for item in &items {
                if !self.send(sink, item).await? {
                    return Ok(());
                }
            }
            next = after;
        }
    }

    async fn pending(
        &self,
        sink: &SubscriptionSink,
        mut feed: tokio::sync::broadcast::Receiver<alloy_primitives::B256>,
        full: bool,
    ) -> Result<(), Closed> {
        loop {
            let hash = tokio::select! {
                () = sink.closed() => return Ok(()),
                received = feed.recv() => match received {
                    Ok(hash) => hash,
                    Err(RecvError::Lagged(missed)) => return Err(Closed::Missed { missed, limit: POOL_FEED }),
                    Err(RecvError::Closed) => return Ok(()),
                },
            };
            let open = if full {
                let chain = Arc::clone(&self.chain);
                let found = tokio::task::spawn_blocking(move || reader::transaction(&chain, hash)).await??;
                // It may have left the pool without a block since.
                let Some(transaction) = found else { continue };
                self.send(sink, &transaction).await?
            } else {
                self.send(sink, &hash).await?
            };
            if !open {
                return Ok(());
            }
        }
    }

    async fn run(&self, pending: PendingSubscriptionSink, topic: Topic) -> Result<(), Closed> {
        // What comes after this point is reported, even if the client learns the id of its subscription later.
        let next = self.chain.heads().trusted_block + 1;
        let feed = self.chain.subscribe_pool();
        let Ok(sink) = pending.accept().await else { return Ok(()) };
        let _gauge = SubscriptionGauge::open();
        match topic {
            Topic::NewHeads => self.follow(&sink, next, read_headers).await,
            Topic::Logs(query) => {
                let read = move |chain: &Chain, blocks| read_logs(chain, &query, blocks);
                self.follow(&sink, next, read).await
            }
            Topic::NewPendingTransactions { full } => self.pending(&sink, feed, full).await,
            // The sequencer is where blocks begin: it never starts to synchronise.
            Topic::Syncing => {
                self.send(&sink, &false).await?;
                sink.closed().await;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl SubscribeApiServer for SubscribeRpc {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: String,
        params: Option<Value>,
    ) -> SubscriptionResult {
        match Topic::parse(&kind, params) {
            Err(error) => {
                pending.reject(error).await;
                Ok(())
            }
            Ok(topic) => self.run(pending, topic).await.map_err(|reason| {
                tracing::info!(kind, %reason, "subscriber dropped");
                SubscriptionError::from(reason.to_string())
            }),
        }
    }
}
