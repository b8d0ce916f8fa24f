//! A store in memory, for tests and for state that is thrown away.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

use super::{Batch, Store, StoreError, Table, Visitor};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: RwLock<BTreeMap<Table, Entries>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, table: Table, f: impl FnOnce(&Entries) -> T) -> T {
        // A writer that panicked left either map operation complete: the content stays usable.
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        f(tables.get(&table).unwrap_or(&Entries::new()))
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read(table, |t| t.get(key).cloned()))
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.read(table, |t| {
            let _ = t.range::<[u8], _>((Bound::Included(from), Bound::Unbounded)).all(|(k, v)| visit(k, v));
        });
        Ok(())
    }

    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.read(table, |t| {
            let range = t.range::<[u8], _>((Bound::Unbounded, Bound::Included(from)));
            let _ = range.rev().all(|(k, v)| visit(k, v));
        });
        Ok(())
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for (table, key, value) in batch.ops {
            let entries = tables.entry(table).or_default();
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn write_unsynced(&self, batch: Batch) -> Result<(), StoreError> {
        self.write(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
