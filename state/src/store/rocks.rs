//! A store on disk: RocksDB, one column family a table, one write-ahead log for all of them, a checksum on every value.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRawIterator,
    IteratorMode, Options, ReadOptions, SliceTransform, WriteBatch, WriteOptions,
};

use super::{Batch, Store, StoreError, Table, Visitor, checksum};

/// Size of the block cache, in bytes.
const CACHE_BYTES: usize = 128 << 20;
/// Size of what is not in sorted files yet, over all tables, in bytes.
const BUFFER_BYTES: usize = 128 << 20;
/// Size of the write-ahead log at which the oldest buffers are flushed, in bytes.
const LOG_BYTES: u64 = 256 << 20;
/// Flushes and compactions sync each time they have written so many bytes: a block that is made durable meanwhile would
/// wait behind one large sync at their end.
const SYNC_BYTES: u64 = 512 << 10;
/// The most that flushes and compactions write, in bytes per second, for the same reason.
const BACKGROUND_BYTES_PER_S: i64 = 32 << 20;
/// Refill period in microseconds and fairness of RocksDB's rate limiter: its defaults.
const REFILL_US: i64 = 100_000;
const FAIRNESS: i32 = 10;
/// Bits a key of the bloom filters.
const BLOOM_BITS: f64 = 10.0;

/// Format of the database: what the state commits to, and how values are kept (version byte, content, checksum). Format 2
/// has code hashes without due push data, format 3 the node's records by bincode, format 4 no records of what blocks
/// touched; databases from before the checksum have no format entry.
const FORMAT: u8 = 5;
/// Key of the format, in RocksDB's default column family.
const FORMAT_KEY: &[u8] = b"format";
/// The table name in the checksum of the format entry.
const FORMAT_TABLE: &str = "format";

/// A store on disk.
pub struct RocksStore {
    db: DB,
}

/// Length in bytes of the key without its block number, for tables that are read by [`Store::last_version`].
const fn version_prefix(table: Table) -> Option<usize> {
    match table {
        Table::Leaves => Some(8),
        Table::Nodes => Some(9),
        _ => None,
    }
}

fn table_options(table: Table, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_bloom_filter(BLOOM_BITS, false);
    let mut options = Options::default();
    if let Some(bytes) = version_prefix(table) {
        // Filters hold prefixes, so that a file without any version of an entry is skipped; whole keys are never looked up.
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(bytes));
        blocks.set_whole_key_filtering(false);
    }
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}

impl RocksStore {
    /// Opens or creates the database at `path`.
    ///
    /// # Errors
    /// If it is locked by another process, unreadable, damaged, or of another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_db_write_buffer_size(BUFFER_BYTES);
        options.set_max_total_wal_size(LOG_BYTES);
        options.set_bytes_per_sync(SYNC_BYTES);
        options.set_ratelimiter(BACKGROUND_BYTES_PER_S, REFILL_US, FAIRNESS);
        options.set_keep_log_file_num(4);
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let families =
            Table::ALL.map(|table| ColumnFamilyDescriptor::new(table.name(), table_options(table, &cache)));
        let store = Self { db: DB::open_cf_descriptors(&options, path, families)? };
        store.check_format()?;
        Ok(store)
    }

    /// A database without entries gets the format, any other must have it.
    fn check_format(&self) -> Result<(), StoreError> {
        let got = match self.db.get(FORMAT_KEY)? {
            Some(stored) => checksum::open(FORMAT_TABLE, FORMAT_KEY, &stored)?.first().copied().unwrap_or(0),
            None => {
                for table in Table::ALL {
                    if self.db.iterator_cf(self.family(table)?, IteratorMode::Start).next().is_some() {
                        return Err(StoreError::OtherFormat { expected: FORMAT, got: 0 });
                    }
                }
                let mut options = WriteOptions::default();
                options.set_sync(true);
                let sealed = checksum::seal(FORMAT_TABLE, FORMAT_KEY, vec![FORMAT]);
                self.db.put_opt(FORMAT_KEY, sealed, &options)?;
                FORMAT
            }
        };
        if got == FORMAT { Ok(()) } else { Err(StoreError::OtherFormat { expected: FORMAT, got }) }
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(table.name()).ok_or(StoreError::MissingTable { table: table.name() })
    }

    /// An iterator over the whole table that ignores the filters of prefixes.
    fn iterator(&self, table: Table) -> Result<DBRawIterator<'_>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        Ok(self.db.raw_iterator_cf_opt(self.family(table)?, options))
    }

    /// Without `sync`, the batch is in the write-ahead log's file but perhaps not on the disk.
    fn apply(&self, batch: Batch, sync: bool) -> Result<(), StoreError> {
        let mut writes = WriteBatch::default();
        for (table, key, value) in batch.ops {
            let family = self.family(table)?;
            match value {
                Some(value) => {
                    let sealed = checksum::seal(table.name(), &key, value);
                    writes.put_cf(family, key, sealed);
                }
                None => writes.delete_cf(family, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        Ok(self.db.write_opt(writes, &options)?)
    }
}

/// Visits entries until the iterator ends or the visitor has seen enough; `step` goes to the next one.
fn visit_all(
    table: Table,
    mut iterator: DBRawIterator<'_>,
    step: impl Fn(&mut DBRawIterator<'_>),
    visit: &mut Visitor<'_>,
) -> Result<(), StoreError> {
    while let Some((key, stored)) = iterator.item() {
        if !visit(key, checksum::open(table.name(), key, stored)?) {
            break;
        }
        step(&mut iterator);
    }
    // An iterator also ends at an error.
    Ok(iterator.status()?)
}

impl Store for RocksStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(stored) = self.db.get_pinned_cf(self.family(table)?, key)? else { return Ok(None) };
        Ok(Some(checksum::open(table.name(), key, &stored)?.to_vec()))
    }

    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let mut iterator = self.iterator(table)?;
        iterator.seek(from);
        visit_all(table, iterator, |i| i.next(), visit)
    }

    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let mut iterator = self.iterator(table)?;
        iterator.seek_for_prev(from);
        visit_all(table, iterator, |i| i.prev(), visit)
    }

    fn last_version(&self, table: Table, key: &[u8]) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let prefix = &key[..key.len().saturating_sub(8)];
        let mut options = ReadOptions::default();
        // The filters apply only to prefixes of the length they were made for.
        options.set_total_order_seek(version_prefix(table) != Some(prefix.len()));
        let mut iterator = self.db.raw_iterator_cf_opt(self.family(table)?, options);
        iterator.seek_for_prev(key);
        let Some((found, stored)) = iterator.item() else {
            iterator.status()?;
            return Ok(None);
        };
        match found.split_last_chunk() {
            Some((p, block)) if p == prefix => {
                let value = checksum::open(table.name(), found, stored)?;
                Ok(Some((u64::from_be_bytes(*block), value.to_vec())))
            }
            _ => Ok(None),
        }
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.apply(batch, true)
    }

    fn write_unsynced(&self, batch: Batch) -> Result<(), StoreError> {
        self.apply(batch, false)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(self.db.flush_wal(true)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrupt(table: Table, key: &[u8]) -> StoreError {
        StoreError::corrupt(table.name(), key)
    }

    fn put(store: &RocksStore, table: Table, key: &[u8], value: &[u8]) {
        let mut batch = Batch::new();
        batch.put(table, key, value);
        store.write(batch).unwrap();
    }

    /// What is stored, checksum included.
    fn raw(store: &RocksStore, table: Table, key: &[u8]) -> Vec<u8> {
        store.db.get_cf(store.family(table).unwrap(), key).unwrap().unwrap()
    }

    fn put_raw(store: &RocksStore, table: Table, key: &[u8], stored: &[u8]) {
        store.db.put_cf(store.family(table).unwrap(), key, stored).unwrap();
    }

    #[test]
    fn rejects_every_flipped_bit_of_a_value() {
        let dir = tempfile::tempdir().unwrap();
        let store = RocksStore::open(dir.path()).unwrap();
        // Position 1, blocks 2 to 4.
        let key = |block: u8| [[0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, block]].concat();
        let table = Table::Leaves;
        for block in 2..=4 {
            put(&store, table, &key(block), &[1, 0xab, 0, 0xff, block]);
        }
        let good = raw(&store, table, &key(3));
        assert_eq!(good.len(), 9);
        let error = || corrupt(table, &key(3));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            put_raw(&store, table, &key(3), &bad);
            assert_eq!(store.get(table, &key(3)), Err(error()), "bit {bit}");
            assert_eq!(store.last_version(table, &key(3)), Err(error()), "bit {bit}");
            // Scans see what is before the damage, then the error; they do not go on behind it.
            let mut seen = vec![];
            let mut visit = |k: &[u8], _: &[u8]| {
                seen.push(k.to_vec());
                true
            };
            assert_eq!(store.scan(table, &[], &mut visit), Err(error()), "bit {bit}");
            assert_eq!(store.scan_back(table, &[0xff; 17], &mut visit), Err(error()), "bit {bit}");
            assert_eq!(seen, [key(2), key(4)]);
        }
        for length in 0..good.len() {
            put_raw(&store, table, &key(3), &good[..length]);
            assert_eq!(store.get(table, &key(3)), Err(error()), "{length} bytes");
        }
        put_raw(&store, table, &key(3), &good);
        assert_eq!(store.get(table, &key(3)).unwrap().unwrap(), [1, 0xab, 0, 0xff, 3]);
    }

    #[test]
    fn rejects_a_value_in_anothers_place() {
        let dir = tempfile::tempdir().unwrap();
        let store = RocksStore::open(dir.path()).unwrap();
        put(&store, Table::App, b"key", b"value");
        let stored = raw(&store, Table::App, b"key");
        for (table, key) in [(Table::Pool, &b"key"[..]), (Table::App, b"ke"), (Table::App, b"keyv")] {
            put_raw(&store, table, key, &stored);
            assert_eq!(store.get(table, key), Err(corrupt(table, key)));
        }
    }

    #[test]
    fn accepts_a_long_key_in_a_short_message() {
        let error = corrupt(Table::Chain, &[0xab; 200]).to_string();
        assert!(
            error.contains("table chain") && error.contains("backup") && error.contains("ab…"),
            "{error}"
        );
        assert!(error.len() < 300, "{error}");
    }

    #[test]
    fn rejects_databases_of_another_format() {
        let dir = tempfile::tempdir().unwrap();
        drop(RocksStore::open(dir.path()).unwrap());
        // Empty, with its format.
        let store = RocksStore::open(dir.path()).unwrap();
        let sealed = checksum::seal(FORMAT_TABLE, FORMAT_KEY, vec![FORMAT + 1]);
        store.db.put(FORMAT_KEY, sealed).unwrap();
        drop(store);
        let got = RocksStore::open(dir.path()).err();
        assert_eq!(got, Some(StoreError::OtherFormat { expected: FORMAT, got: FORMAT + 1 }));

        let dir = tempfile::tempdir().unwrap();
        let store = RocksStore::open(dir.path()).unwrap();
        store.db.delete(FORMAT_KEY).unwrap();
        put(&store, Table::Meta, b"head", &[1]);
        drop(store);
        let got = RocksStore::open(dir.path()).err();
        assert_eq!(got, Some(StoreError::OtherFormat { expected: FORMAT, got: 0 }));
    }

    /// Versions in files with filters, of prefixes that are there and that are not.
    #[test]
    fn accepts_the_last_version_from_files_and_memory() {
        let dir = tempfile::tempdir().unwrap();
        let store = RocksStore::open(dir.path()).unwrap();
        let memory = crate::store::MemoryStore::new();
        let key = |level: u8, node: u64, block: u64| {
            let mut key = vec![level];
            key.extend(node.to_be_bytes());
            key.extend(block.to_be_bytes());
            key
        };
        for block in 0..60u64 {
            let mut batch = Batch::new();
            for node in [block % 7, 20 + block % 3] {
                batch.put(Table::Nodes, key(1 + (node % 2) as u8, node, block), vec![block as u8]);
            }
            memory.write(batch.clone()).unwrap();
            store.write_unsynced(batch).unwrap();
            if block % 13 == 5 {
                store.db.flush_cf(store.family(Table::Nodes).unwrap()).unwrap();
            }
        }
        store.sync().unwrap();
        for level in 0..4 {
            for node in 0..24 {
                for block in [0, 1, 5, 6, 30, 59, 60, u64::MAX] {
                    let key = key(level, node, block);
                    let expected = memory.last_version(Table::Nodes, &key);
                    assert_eq!(store.last_version(Table::Nodes, &key), expected, "{key:?}");
                }
            }
        }
    }
}
