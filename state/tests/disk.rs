//! A disk that is full or cannot be written: the error says so and what to do, nothing of the batch is in the store, and the
//! blocks that were acknowledged are there afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use cairn_protocol::leaf::AccountValue;
use cairn_state::{
    Batch, BlockChanges, MemoryStore, RocksStore, StateDb, StateError, StoreError, Table,
    testing::{Fault, FaultyStore},
};
use common::{address, genesis};

/// A small file system of its own, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` if this process may not mount.
    fn new(dir: &Path) -> Option<Self> {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(dir).output();
        done.is_ok_and(|o| o.status.success()).then(|| Self(dir.to_owned()))
    }

    fn remount(&self, mode: &str) {
        let option = format!("remount,{mode}");
        let done = Command::new("mount").args(["-o", &option]).arg(&self.0).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn block(number: u64) -> (BlockChanges, Batch) {
    let mut changes = BlockChanges::new();
    changes.set_account(address(5), &AccountValue { nonce: number, ..Default::default() });
    let mut extra = Batch::new();
    // Not to be compressed, so that the disk fills after some tens of blocks.
    let noise =
        (0..40_000u64 / 32).flat_map(|n| alloy_primitives::keccak256((number << 32 | n).to_be_bytes()));
    extra.put(Table::Chain, number.to_be_bytes(), noise.collect::<Vec<u8>>());
    (changes, extra)
}

/// Commits blocks, in groups of three, until the store fails, perhaps at the sync; then nothing but whole blocks is there. Returns the error and
/// the number of the newest block.
fn fill(db: &StateDb) -> (StateError, u64) {
    let (error, acknowledged) = loop {
        let newest = db.newest().unwrap();
        assert!(newest < 1000, "the disk does not fill");
        let (changes, extras): (Vec<_>, Vec<_>) = (newest + 1..=newest + 3).map(block).unzip();
        let prepared = db.prepare_blocks(&changes).unwrap();
        if let Err(e) = db.commit_prepared(prepared.into_iter().zip(extras).collect()) {
            break (e, newest);
        }
    };
    let newest = db.newest().unwrap();
    assert!((acknowledged..=acknowledged + 3).contains(&newest), "{acknowledged} {newest}");
    assert_whole(db, newest);
    (error, newest)
}

/// Blocks up to `newest` are there with their records, and nothing of a later one is.
fn assert_whole(db: &StateDb, newest: u64) {
    assert_eq!(db.newest().unwrap(), newest);
    assert_eq!(db.account(address(5)).unwrap().map(|a| a.nonce), (newest > 0).then_some(newest));
    for number in 1..=newest {
        assert_eq!(db.account_at(number, address(5)).unwrap().unwrap().nonce, number);
        assert!(db.store().get(Table::Chain, &number.to_be_bytes()).unwrap().is_some());
    }
    for table in [Table::Chain, Table::Blocks] {
        db.store()
            .scan(table, &(newest + 1).to_be_bytes(), &mut |k, _| panic!("an entry of block {k:?}"))
            .unwrap();
    }
}

#[test]
fn rejects_writes_on_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(mount) = Mount::new(dir.path()) {
        let path = dir.path().join("db");
        // To be freed, as whoever runs the node would: with a log alone on it, a full disk has no room to open again.
        let ballast = dir.path().join("ballast");
        std::fs::write(&ballast, vec![0; 8 << 20]).unwrap();
        let db = StateDb::open(Arc::new(RocksStore::open(&path).unwrap()), &genesis()).unwrap();
        let (error, newest) = fill(&db);
        assert!(matches!(error, StateError::Store(StoreError::NoSpace { .. })), "{error:?}");
        assert!(error.to_string().contains("free some and restart"), "{error}");
        let (changes, extra) = block(newest + 1);
        assert!(db.commit_block_with(newest + 1, &changes, extra).is_err(), "it must be opened again");
        assert_whole(&db, newest);
        drop(db);
        std::fs::remove_file(&ballast).unwrap();
        let db = StateDb::open(Arc::new(RocksStore::open(&path).unwrap()), &genesis()).unwrap();
        assert_whole(&db, newest);
        let (changes, extra) = block(newest + 1);
        db.commit_block_with(newest + 1, &changes, extra).unwrap();
        assert_whole(&db, newest + 1);
        drop((db, mount));
    }
    // The same by an injected fault, which needs no permission.
    for fails_at in [20, 21, 22, 23] {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let db = StateDb::open(store.clone(), &genesis()).unwrap();
        let full = StoreError::NoSpace { message: "full".to_owned() };
        store.fail_after(fails_at, Fault::Before, full.clone());
        let (error, newest) = fill(&db);
        assert_eq!(error, StateError::Store(full));
        store.heal();
        let (changes, extra) = block(newest + 1);
        db.commit_block_with(newest + 1, &changes, extra).unwrap();
        assert_whole(&db, newest + 1);
    }
}

#[test]
fn rejects_a_read_only_disk() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(mount) = Mount::new(dir.path()) {
        let path = dir.path().join("db");
        drop(RocksStore::open(&path).unwrap());
        mount.remount("ro");
        let error = RocksStore::open(&path).err().unwrap();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains("make its directory writable"), "{error}");
        assert!(matches!(RocksStore::open(dir.path().join("new")).err(), Some(StoreError::ReadOnly { .. })));
        mount.remount("rw");
        RocksStore::open(&path).unwrap();
        drop(mount);
    }
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let read_only = StoreError::ReadOnly { message: "mounted so".to_owned() };
    store.fail_after(0, Fault::Before, read_only.clone());
    assert_eq!(StateDb::open(store.clone(), &genesis()).err(), Some(StateError::Store(read_only)));
    store.heal();
    assert_whole(&StateDb::open(store, &genesis()).unwrap(), 0);
}
