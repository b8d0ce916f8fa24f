//! Where accepted transactions are kept, so that they outlive the process.

use std::{collections::BTreeMap, sync::Mutex};

use alloy_primitives::Bytes;

use super::error::PoolStoreError;

/// A durable list of raw transactions by arrival number. `put` returns after the transaction would survive the loss
/// of the process.
pub trait PoolStore: Send + Sync {
    /// Records a transaction; in the same step forgets the one that it replaces.
    ///
    /// # Errors
    /// If the record may not be durable; the pool then refuses the transaction.
    fn put(&self, arrival: u64, raw: &Bytes, replaces: Option<u64>) -> Result<(), PoolStoreError>;

    /// Forgets transactions; absent ones are ignored.
    ///
    /// # Errors
    /// If the store fails. The transactions may come back at the next start, where the pool judges them again.
    fn remove(&self, arrivals: &[u64]) -> Result<(), PoolStoreError>;

    /// All transactions in order of arrival.
    ///
    /// # Errors
    /// If the store fails.
    fn load(&self) -> Result<Vec<(u64, Bytes)>, PoolStoreError>;
}

/// A store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryPoolStore(Mutex<BTreeMap<u64, Bytes>>);

impl MemoryPoolStore {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Bytes>> {
        // Every critical section is one map operation: a poisoned map is still whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl PoolStore for MemoryPoolStore {
    fn put(&self, arrival: u64, raw: &Bytes, replaces: Option<u64>) -> Result<(), PoolStoreError> {
        let mut map = self.lock();
        map.insert(arrival, raw.clone());
        if let Some(old) = replaces {
            map.remove(&old);
        }
        Ok(())
    }

    fn remove(&self, arrivals: &[u64]) -> Result<(), PoolStoreError> {
        let mut map = self.lock();
        for arrival in arrivals {
            map.remove(arrival);
        }
        Ok(())
    }

    fn load(&self) -> Result<Vec<(u64, Bytes)>, PoolStoreError> {
        Ok(self.lock().iter().map(|(k, v)| (*k, v.clone())).collect())
    }
}
