//! A store on disk: RocksDB, one column family a table, every batch synchronous.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Options,
    WriteBatch, WriteOptions,
};

use super::{Batch, Store, StoreError, Table, Visitor};

/// Size of the block cache, in bytes.
const CACHE_BYTES: usize = 128 << 20;
/// Bits a key of the bloom filters.
const BLOOM_BITS: f64 = 10.0;

/// See the module.
pub struct RocksStore {
    db: DB,
}

impl From<rocksdb::Error> for StoreError {
    fn from(e: rocksdb::Error) -> Self {
        Self::Backend { message: e.into_string() }
    }
}

impl RocksStore {
    /// Opens or creates the database at `path`.
    ///
    /// # Errors
    /// If it is locked by another process, unreadable or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let families = Table::ALL.map(|table| {
            let mut blocks = BlockBasedOptions::default();
            blocks.set_block_cache(&cache);
            blocks.set_bloom_filter(BLOOM_BITS, false);
            let mut options = Options::default();
            options.set_block_based_table_factory(&blocks);
            options.set_compression_type(DBCompressionType::Lz4);
            ColumnFamilyDescriptor::new(table.name(), options)
        });
        Ok(Self { db: DB::open_cf_descriptors(&options, path, families)? })
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(table.name()).ok_or(StoreError::MissingTable { table: table.name() })
    }
}

impl Store for RocksStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(table)?, key)?)
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let mut iterator = self.db.raw_iterator_cf(self.family(table)?);
        iterator.seek(from);
        while let Some((key, value)) = iterator.item() {
            if !visit(key, value) {
                break;
            }
            iterator.next();
        }
        Ok(iterator.status()?)
    }

    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let mut iterator = self.db.raw_iterator_cf(self.family(table)?);
        iterator.seek_for_prev(from);
        while let Some((key, value)) = iterator.item() {
            if !visit(key, value) {
                break;
            }
            iterator.prev();
        }
        Ok(iterator.status()?)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        for (table, key, value) in batch.ops {
            let family = self.family(table)?;
            match value {
                Some(value) => writes.put_cf(family, key, value),
                None => writes.delete_cf(family, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.db.write_opt(writes, &options)?)
    }
}
