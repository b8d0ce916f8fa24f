//! Logs, and filters that clients poll for them, for blocks and for pooled transactions. A filter is a position and what
//! to look for: what it has to report is read when it is polled. Spec: docs/rpc.md#filters.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterChanges, Log};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use tokio::sync::broadcast::{self, error::TryRecvError};

use super::{
    error::RpcError,
    logs::{self, LogQuery, MAX_LOG_BLOCKS, MAX_LOGS},
};
use crate::chain::Chain;

/// Most filters at a time, of all clients.
pub const MAX_FILTERS: usize = 1_000;
/// A filter that is not polled for this long is gone.
pub const FILTER_LIFETIME: Duration = Duration::from_secs(300);
/// Most block hashes of one poll; the next poll goes on from there.
const MAX_HASHES: u64 = 10_000;

/// Logs and filters of the `eth` namespace.
#[rpc(server, namespace = "eth")]
pub trait FilterApi {
    #[method(name = "getLogs", blocking)]
    fn logs(&self, filter: Filter) -> RpcResult<Vec<Log>>;
    #[method(name = "newFilter")]
    fn new_filter(&self, filter: Filter) -> RpcResult<U128>;
    #[method(name = "newBlockFilter")]
    fn new_block_filter(&self) -> RpcResult<U128>;
    #[method(name = "newPendingTransactionFilter")]
    fn new_pending_transaction_filter(&self) -> RpcResult<U128>;
    #[method(name = "getFilterChanges", blocking)]
    fn filter_changes(&self, id: U128) -> RpcResult<FilterChanges>;
    #[method(name = "getFilterLogs", blocking)]
    fn filter_logs(&self, id: U128) -> RpcResult<Vec<Log>>;
    #[method(name = "uninstallFilter")]
    fn uninstall_filter(&self, id: U128) -> RpcResult<bool>;
}

/// What a filter reports, and from where on.
pub enum Position {
    /// The next block.
    Blocks { next: u64 },
    /// The next block.
    Logs { query: Box<LogQuery>, next: u64 },
    /// The feed that the pool keeps, for all receivers together.
    Pending { feed: broadcast::Receiver<B256> },
}

struct Entry {
    position: Arc<Mutex<Position>>,
    expires: Instant,
}

/// The filters that clients have installed.
#[derive(Default)]
pub struct Filters {
    entries: HashMap<U128, Entry>,
}

impl Filters {
    /// Installs a filter under an id that cannot be guessed.
    ///
    /// # Errors
    /// If there are [`MAX_FILTERS`] already.
    pub fn install(&mut self, position: Position, now: Instant) -> Result<U128, RpcError> {
        self.entries.retain(|_, entry| entry.expires > now);
        if self.entries.len() >= MAX_FILTERS {
            return Err(RpcError::TooManyFilters { limit: MAX_FILTERS });
        }
        let id = U128::from(rand::random::<u128>());
        let position = Arc::new(Mutex::new(position));
        self.entries.insert(id, Entry { position, expires: now + FILTER_LIFETIME });
        Ok(id)
    }

    /// A filter; it then lives on for [`FILTER_LIFETIME`].
    ///
    /// # Errors
    /// If there is none.
    pub fn poll(&mut self, id: U128, now: Instant) -> Result<Arc<Mutex<Position>>, RpcError> {
        let entry = self.entries.get_mut(&id).filter(|entry| entry.expires > now);
        let entry = entry.ok_or(RpcError::FilterNotFound)?;
        entry.expires = now + FILTER_LIFETIME;
        Ok(Arc::clone(&entry.position))
    }

    /// Whether there was such a filter.
    pub fn uninstall(&mut self, id: U128, now: Instant) -> bool {
        self.entries.remove(&id).is_some_and(|entry| entry.expires > now)
    }
}

/// Serves logs and filters from a chain.
#[derive(Clone)]
pub struct FilterRpc {
    chain: Arc<Chain>,
    filters: Arc<Mutex<Filters>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A position moves when what was before it has been read: a poisoned one is still right.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FilterRpc {
    /// No filters yet.
    #[must_use]
    pub fn new(chain: Arc<Chain>) -> Self {
        Self { chain, filters: Arc::default() }
    }

    fn install(&self, position: Position) -> RpcResult<U128> {
        Ok(lock(&self.filters).install(position, Instant::now())?)
    }

    fn next_block(&self) -> u64 {
        self.chain.heads().trusted_block + 1
    }

    fn changes(&self, position: &mut Position) -> Result<FilterChanges, RpcError> {
        let head = self.chain.heads().trusted_block;
        match position {
            Position::Blocks { next } => {
                let to = head.min(next.saturating_add(MAX_HASHES - 1));
                let mut hashes = Vec::new();
                self.chain.storage().scan_blocks(*next..=to, |block| {
                    hashes.push(block.hash);
                    Ok::<_, RpcError>(true)
                })?;
                *next = to + 1;
                Ok(FilterChanges::Hashes(hashes))
            }
            Position::Logs { query, next } => {
                let last = match query.blocks().get_to_block() {
                    Some(BlockNumberOrTag::Number(number)) => head.min(*number),
                    _ => head,
                };
                let mut to = last.min(next.saturating_add(MAX_LOG_BLOCKS - 1));
                let mut found = Vec::new();
                logs::read(&self.chain, query, *next..=to, |number, logs| {
                    found.extend(logs);
                    let more = found.len() < MAX_LOGS;
                    if !more {
                        to = number;
                    }
                    more
                })?;
                *next = (*next).max(to + 1);
                Ok(FilterChanges::Logs(found))
            }
            Position::Pending { feed } => {
                let mut hashes = Vec::new();
                loop {
                    match feed.try_recv() {
                        Ok(hash) => hashes.push(hash),
                        // The oldest are gone, the newest are still there.
                        Err(TryRecvError::Lagged(_)) => {}
                        Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                    }
                }
                Ok(FilterChanges::Hashes(hashes))
            }
        }
    }
}

impl FilterApiServer for FilterRpc {
    fn logs(&self, filter: Filter) -> RpcResult<Vec<Log>> {
        Ok(logs::find(&self.chain, &LogQuery::new(filter)?)?)
    }

    fn new_filter(&self, filter: Filter) -> RpcResult<U128> {
        let query = LogQuery::new(filter)?;
        let mut next = self.next_block();
        if let FilterBlockOption::Range { from_block, to_block } = query.blocks() {
            let number = |block: &Option<BlockNumberOrTag>| block.and_then(|b| b.as_number());
            if let (Some(from), Some(to)) = (number(from_block), number(to_block))
                && from > to
            {
                return Err(RpcError::InvalidRange { from, to }.into());
            }
            next = next.max(number(from_block).unwrap_or(0));
        }
        self.install(Position::Logs { query: Box::new(query), next })
    }

    fn new_block_filter(&self) -> RpcResult<U128> {
        self.install(Position::Blocks { next: self.next_block() })
    }

    fn new_pending_transaction_filter(&self) -> RpcResult<U128> {
        self.install(Position::Pending { feed: self.chain.subscribe_pool() })
    }

    fn filter_changes(&self, id: U128) -> RpcResult<FilterChanges> {
        let position = lock(&self.filters).poll(id, Instant::now())?;
        // Two polls of one filter take turns, so that nothing is reported twice.
        let mut position = lock(&position);
        Ok(self.changes(&mut position)?)
    }

    fn filter_logs(&self, id: U128) -> RpcResult<Vec<Log>> {
        let position = lock(&self.filters).poll(id, Instant::now())?;
        let query = match &*lock(&position) {
            Position::Logs { query, .. } => query.clone(),
            Position::Blocks { .. } | Position::Pending { .. } => return Err(RpcError::FilterNotFound.into()),
        };
        Ok(logs::find(&self.chain, &query)?)
    }

    fn uninstall_filter(&self, id: U128) -> RpcResult<bool> {
        Ok(lock(&self.filters).uninstall(id, Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_filter_that_was_not_polled_for_its_lifetime() {
        let (mut filters, start) = (Filters::default(), Instant::now());
        let id = filters.install(Position::Blocks { next: 1 }, start).unwrap();
        let almost = FILTER_LIFETIME - Duration::from_millis(1);
        // A poll gives it another lifetime.
        assert!(filters.poll(id, start + almost).is_ok());
        assert!(filters.poll(id, start + 2 * almost).is_ok());
        let late = start + 2 * almost + FILTER_LIFETIME;
        assert!(matches!(filters.poll(id, late), Err(RpcError::FilterNotFound)));
        assert!(!filters.uninstall(id, late));
    }

    #[test]
    fn rejects_more_filters_than_the_limit_until_some_expire() {
        let (mut filters, start) = (Filters::default(), Instant::now());
        for _ in 0..MAX_FILTERS {
            filters.install(Position::Blocks { next: 1 }, start).unwrap();
        }
        let full = filters.install(Position::Blocks { next: 1 }, start);
        assert!(matches!(full, Err(RpcError::TooManyFilters { limit: MAX_FILTERS })));
        let id = filters.install(Position::Blocks { next: 1 }, start + FILTER_LIFETIME).unwrap();
        assert_eq!(filters.entries.len(), 1);
        assert!(filters.uninstall(id, start + FILTER_LIFETIME));
        assert!(!filters.uninstall(id, start + FILTER_LIFETIME));
    }
}
