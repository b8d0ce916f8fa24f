//! The pool's side of the chain: what comes in is durable before its sender is told, what goes out without a block
//! leaves a reason behind.

use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use cairn_sequencer::pool::{Added, DropReason, Pool, PoolConfig, PoolError, PooledTx, ValidTx};
use cairn_state::{Batch, StateDb};

use super::{Chain, ChainError, lock, now};
use crate::{
    metrics,
    storage::{DroppedRecord, Kind, Storage, StorageError, delete, put},
};

/// The pool as the storage kept it. What became invalid leaves it with a reason; what is in a block leaves it silently.
pub(super) fn restore_pool(
    storage: &Storage,
    state: &StateDb,
    config: PoolConfig,
) -> Result<Pool, ChainError> {
    let mut pool = Pool::new(config);
    let view = state.latest()?;
    let mut writes = Batch::new();
    for (arrival, stored) in storage.pool()? {
        let hash = keccak256(&stored.raw);
        let in_block = storage.transaction_block(hash)?.is_some();
        let reason = match pool.restore(arrival, &stored, &view) {
            Ok(()) => continue,
            Err(PoolError::Store(e)) => return Err(StorageError::from(e).into()),
            Err(PoolError::State(e)) => return Err(e.into()),
            Err(reason) => reason,
        };
        delete(&mut writes, Kind::Pool, &arrival.to_be_bytes());
        if !in_block {
            tracing::info!(%hash, %reason, "pooled transaction dropped");
            let record = DroppedRecord { reason: reason.to_string(), at_s: now()?.as_secs() };
            storage.put_dropped(&mut writes, hash, &record)?;
        }
    }
    storage.write(writes)?;
    Ok(pool)
}

impl Chain {
    /// Takes a raw transaction into the pool: once this returns, it survives the process.
    ///
    /// # Errors
    /// The rule that the transaction breaks.
    pub fn submit(&self, raw: &[u8]) -> Result<B256, PoolError> {
        self.admit(raw).inspect(|_| metrics::pool_accepted()).inspect_err(metrics::pool_refused)
    }

    fn admit(&self, raw: &[u8]) -> Result<B256, PoolError> {
        let valid = ValidTx::new(raw, &self.pool_config)?;
        let now_s = now().map_or(0, |now| now.as_secs());
        let added = {
            let mut pool = lock(&self.pool);
            pool.add(valid, now_s, &self.state.latest()?)?
        };
        // Outside the lock: the database makes the writes of many callers durable together.
        let hash = added.pooled.valid.hash;
        if let Err(error) = self.keep(&added, now_s) {
            lock(&self.pool).discard(hash);
            if let PoolError::Store(e) = &error {
                // The first failure counts. Whoever makes blocks learns of it at once.
                let _ = self.failure.set(e.clone());
                self.pool_changed.notify_one();
            }
            return Err(error);
        }
        self.pool_changed.notify_one();
        // Without a receiver there is nobody to tell.
        let _ = self.pool_feed.send(hash);
        Ok(hash)
    }

    fn keep(&self, added: &Added, now_s: u64) -> Result<(), PoolError> {
        let (pooled, failed) = (&added.pooled, |e: StorageError| PoolError::Store(e.into_store()));
        let id = pooled.arrival.to_be_bytes();
        let mut writes = Batch::new();
        put(&mut writes, Kind::Pool, &id, &pooled.stored()).map_err(failed)?;
        if let Some(old) = &added.replaced {
            delete(&mut writes, Kind::Pool, &old.arrival.to_be_bytes());
            let reason = DropReason::Replaced { by: pooled.valid.hash };
            metrics::pool_dropped(&reason);
            let record = DroppedRecord { reason: reason.to_string(), at_s: now_s };
            self.storage.put_dropped(&mut writes, old.valid.hash, &record).map_err(failed)?;
        }
        self.storage.write(writes).map_err(failed)?;
        // Its block may have been written in the meantime, and have deleted a record that was not there yet.
        if lock(&self.pool).get(&pooled.valid.hash).is_none() {
            let mut writes = Batch::new();
            delete(&mut writes, Kind::Pool, &id);
            self.storage.write(writes).map_err(failed)?;
        }
        Ok(())
    }

    /// Writes down why transactions left the pool without a block.
    pub(super) fn record_dropped(&self, dropped: &[(PooledTx, DropReason)]) -> Result<(), ChainError> {
        if dropped.is_empty() {
            return Ok(());
        }
        let at_s = now()?.as_secs();
        let mut writes = Batch::new();
        for (pooled, reason) in dropped {
            let hash = pooled.valid.hash;
            metrics::pool_dropped(reason);
            tracing::info!(%hash, %reason, "pooled transaction dropped");
            delete(&mut writes, Kind::Pool, &pooled.arrival.to_be_bytes());
            let record = DroppedRecord { reason: reason.to_string(), at_s };
            self.storage.put_dropped(&mut writes, hash, &record)?;
        }
        Ok(self.storage.write(writes)?)
    }

    /// Ends lifetimes, and judges the pool by the newest state if a batch has changed it.
    pub(super) fn tend_pool(&self, revalidate: bool) -> Result<(), ChainError> {
        let now_s = now()?.as_secs();
        let mut dropped = lock(&self.pool).expire(now_s);
        if revalidate {
            let state = self.state.latest()?;
            dropped.extend(lock(&self.pool).revalidate(&state)?);
        }
        self.record_dropped(&dropped)
    }

    /// Why a transaction left the pool without a block, if it did so lately.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn dropped(&self, hash: B256) -> Result<Option<DroppedRecord>, ChainError> {
        Ok(self.storage.get(Kind::Dropped, hash.as_slice())?)
    }

    /// The store, for what is kept beside the chain.
    #[must_use]
    pub fn store(&self) -> Arc<dyn cairn_state::Store> {
        Arc::clone(self.state.store())
    }
}
