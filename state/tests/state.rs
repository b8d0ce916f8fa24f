//! The state database against the naive model, over memory and RocksDB, with crashes, reopening and reverting.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use alloy_primitives::{U256, keccak256};
use cairn_protocol::{
    Fr,
    code::code_hash,
    constants::KECCAK_EMPTY,
    genesis::Genesis,
    leaf::{AccountValue, LeafId},
};
use cairn_state::{
    Batch, BlockChanges, MemoryStore, RocksStore, StateDb, StateError, Store, StoreError, Table, TreeReader,
    testing::Fault,
};
use common::{Model, address, assert_equal, assert_openings, block, dump, faulty, genesis};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn prop_history_equals_model(blocks in prop::collection::vec(block(), 1..10), pick in any::<prop::sample::Index>()) {
        let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
        let mut models = vec![Model::genesis(&genesis())];
        for (i, changes) in blocks.iter().enumerate() {
            let mut model = models[i].clone();
            model.apply(changes);
            prop_assert_eq!(db.preview(changes).unwrap(), model.commitment());
            prop_assert_eq!(db.commit_block(i as u64 + 1, changes).unwrap(), model.commitment());
            models.push(model);
        }
        for (number, model) in models.iter().enumerate() {
            assert_equal(&db, number as u64, model);
        }
        let number = pick.index(models.len());
        assert_openings(&db.at(number as u64).unwrap(), &models[number]);
    }

    #[test]
    fn prop_revert_restores_the_store(blocks in prop::collection::vec(block(), 1..8), to in any::<prop::sample::Index>()) {
        let store = Arc::new(MemoryStore::new());
        let db = StateDb::open(store.clone(), &genesis()).unwrap();
        let mut dumps = vec![dump(&*store)];
        for (i, changes) in blocks.iter().enumerate() {
            db.commit_block(i as u64 + 1, changes).unwrap();
            dumps.push(dump(&*store));
        }
        let to = to.index(dumps.len());
        let commitment = db.revert_to(to as u64).unwrap();
        prop_assert_eq!(commitment, db.commitment().unwrap());
        prop_assert_eq!(&dump(&*store), &dumps[to]);
        for (i, changes) in blocks.iter().enumerate().skip(to) {
            db.commit_block(i as u64 + 1, changes).unwrap();
        }
        prop_assert_eq!(&dump(&*store), &dumps[blocks.len()]);
    }

    #[test]
    fn prop_crash_at_any_write_leaves_whole_blocks(blocks in prop::collection::vec(block(), 1..6), after in any::<bool>()) {
        let fault = if after { Fault::After } else { Fault::Before };
        // The first write is the genesis.
        for crash_at in 0..=blocks.len() {
            let inner = Arc::new(MemoryStore::new());
            let mut committed = 0;
            if let Ok(db) = StateDb::open(faulty(&inner, crash_at, fault), &genesis()) {
                for (i, changes) in blocks.iter().enumerate() {
                    match db.commit_block(i as u64 + 1, changes) {
                        Ok(_) => committed = i as u64 + 1,
                        Err(_) => break,
                    }
                }
            }
            let db = StateDb::open(inner, &genesis()).unwrap();
            let newest = db.newest().unwrap();
            // What was acknowledged is there; at most the block in flight is there too, as a whole.
            prop_assert!(newest == committed || (after && newest == committed + 1));
            let mut model = Model::genesis(&genesis());
            assert_equal(&db, 0, &model);
            for (i, changes) in blocks.iter().enumerate() {
                let number = i as u64 + 1;
                model.apply(changes);
                if number > newest {
                    db.commit_block(number, changes).unwrap();
                }
                assert_equal(&db, number, &model);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn prop_rocksdb_equals_memory_across_reopening(blocks in prop::collection::vec(block(), 1..12)) {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStore::new());
        let in_memory = StateDb::open(memory.clone(), &genesis()).unwrap();
        let mut store = Arc::new(RocksStore::open(dir.path()).unwrap());
        let mut on_disk = StateDb::open(store.clone(), &genesis()).unwrap();
        for (i, changes) in blocks.iter().enumerate() {
            let number = i as u64 + 1;
            prop_assert_eq!(on_disk.commit_block(number, changes), in_memory.commit_block(number, changes));
            if i % 3 == 2 {
                drop(on_disk);
                drop(store);
                store = Arc::new(RocksStore::open(dir.path()).unwrap());
                on_disk = StateDb::open(store.clone(), &genesis()).unwrap();
            }
        }
        prop_assert_eq!(dump(&*store), dump(&*memory));
        // Scans back and predecessor queries over the real iterator.
        let mut model = Model::genesis(&genesis());
        for (i, changes) in blocks.iter().enumerate() {
            model.apply(changes);
            assert_equal(&on_disk, i as u64 + 1, &model);
        }
        assert_openings(&on_disk.latest().unwrap(), &model);
    }
}

#[test]
fn accepts_code_of_genesis_and_blocks() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let record = db.account(address(0xcc)).unwrap().unwrap();
    assert_eq!(record.code_hash, code_hash(&[0x60, 0x00]));
    assert_eq!(record.keccak_code_hash, keccak256([0x60, 0x00]));
    assert_eq!(db.code(record.keccak_code_hash).unwrap().unwrap().to_vec(), [0x60, 0x00]);
    assert_eq!(db.code(KECCAK_EMPTY).unwrap().unwrap().len(), 0);
    assert_eq!(db.code(common::b256(7)).unwrap(), None);
    assert_eq!(db.storage(address(0xcc), U256::from(5)).unwrap(), U256::MAX);

    let code = vec![0xfe; 700];
    let value = AccountValue { nonce: 1, code_hash: code_hash(&code), ..Default::default() };
    let mut changes = BlockChanges::new();
    changes.set_account(address(3), &value);
    let unknown = db.commit_block(1, &changes).unwrap_err();
    assert!(matches!(unknown, StateError::UnknownCode { .. }));
    changes.add_code(code.clone().into());
    db.commit_block(1, &changes).unwrap();
    assert_eq!(db.account(address(3)).unwrap().unwrap().keccak_code_hash, keccak256(&code));
    let view = db.latest().unwrap();
    assert_eq!(view.code_by_poseidon(value.code_hash).unwrap().unwrap().to_vec(), code);
    assert_eq!(view.code_by_poseidon(Fr::from(1)).unwrap(), None);
}

/// Reads something of every table of the state.
fn read_all(store: &Arc<dyn Store>) -> Result<(), StateError> {
    let db = StateDb::open(Arc::clone(store), &genesis())?;
    db.block_access(1)?;
    let view = db.latest()?;
    let account = view.account(address(0xcc))?.unwrap();
    assert!(view.code(account.keccak_code_hash)?.is_some());
    // Leads from a key to its predecessor, and from that leaf to the root.
    assert!(!view.state_proof(&LeafId::Account(address(0x77)))?.present);
    Ok(())
}

#[test]
fn rejects_values_of_another_version_in_every_table_of_every_store() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(RocksStore::open(dir.path()).unwrap())];
    for store in stores {
        let mut changes = BlockChanges::new();
        changes.set_account(address(1), &AccountValue { nonce: 1, ..Default::default() });
        StateDb::open(Arc::clone(&store), &genesis()).unwrap().commit_block(1, &changes).unwrap();
        read_all(&store).unwrap();
        // Those behind are the node's.
        for table in &Table::ALL[..8] {
            let (mut whole, mut other) = (Batch::new(), Batch::new());
            store
                .scan(*table, &[], &mut |key, value| {
                    whole.put(*table, key, value);
                    let mut value = value.to_vec();
                    value[0] += 1;
                    other.put(*table, key, value);
                    true
                })
                .unwrap();
            assert!(!other.is_empty(), "{table:?}");
            store.write(other).unwrap();
            let error = read_all(&store).unwrap_err();
            assert!(
                matches!(&error, StateError::Store(StoreError::OtherVersion { table: named, expected, got, .. })
                    if *named == table.name() && *got == expected + 1),
                "{table:?}: {error}"
            );
            store.write(whole).unwrap();
            read_all(&store).unwrap();
        }
    }
}

#[test]
fn rejects_other_genesis_wrong_block_and_unknown_block() {
    let store = Arc::new(MemoryStore::new());
    let db = StateDb::open(store.clone(), &genesis()).unwrap();
    let mut other = genesis();
    other.chain_id = 5;
    assert!(matches!(StateDb::open(store.clone(), &other), Err(StateError::GenesisMismatch { .. })));
    let empty = BlockChanges::new();
    assert_eq!(db.commit_block(2, &empty), Err(StateError::WrongBlock { expected: 1, got: 2 }));
    assert_eq!(db.commit_block(0, &empty), Err(StateError::WrongBlock { expected: 1, got: 0 }));
    db.commit_block(1, &empty).unwrap();
    assert_eq!(db.commit_block(1, &empty), Err(StateError::WrongBlock { expected: 2, got: 1 }));
    assert_eq!(db.at(2).err(), Some(StateError::UnknownBlock { number: 2, newest: 1 }));
    assert_eq!(db.revert_to(2).err(), Some(StateError::UnknownBlock { number: 2, newest: 1 }));
    assert_eq!(db.commitment_at(1).unwrap(), db.commitment_at(0).unwrap());
}

#[test]
fn accepts_genesis_without_accounts() {
    let genesis = Genesis { chain_id: 1, accounts: vec![] };
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis).unwrap();
    let mut model = Model::genesis(&genesis);
    assert_eq!(db.commitment().unwrap(), model.commitment());
    assert_openings(&db.latest().unwrap(), &model);
    let mut changes = BlockChanges::new();
    changes.set_account(address(1), &AccountValue { nonce: 1, ..Default::default() });
    model.apply(&changes);
    assert_eq!(db.commit_block(1, &changes).unwrap(), model.commitment());
}

#[test]
fn accepts_extra_writes_in_the_same_batch() {
    let store = Arc::new(MemoryStore::new());
    let db = StateDb::open(store.clone(), &genesis()).unwrap();
    let mut extra = Batch::new();
    extra.put(Table::App, b"n".to_vec(), vec![1, 2]);
    db.commit_block_with(1, &BlockChanges::new(), extra.clone()).unwrap();
    assert_eq!(store.get(Table::App, b"n").unwrap(), Some(vec![1, 2]));
    let mut extra = Batch::new();
    extra.put(Table::App, b"m".to_vec(), vec![3]);
    assert!(db.commit_block_with(7, &BlockChanges::new(), extra).is_err());
    assert_eq!(store.get(Table::App, b"m").unwrap(), None);
}

/// A database that was not closed: its files are copied while it is open.
#[test]
fn accepts_rocksdb_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let db = StateDb::open(Arc::new(RocksStore::open(&live).unwrap()), &genesis()).unwrap();
    let mut model = Model::genesis(&genesis());
    for number in 1..=5u64 {
        let mut changes = BlockChanges::new();
        let value = AccountValue { nonce: number, ..Default::default() };
        changes.set_account(address(number as u8 + 100), &value);
        db.commit_block(number, &changes).unwrap();
        model.apply(&changes);
        let copy = dir.path().join(format!("copy{number}"));
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(&live).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let reopened = StateDb::open(Arc::new(RocksStore::open(&copy).unwrap()), &genesis()).unwrap();
        assert_eq!(reopened.newest().unwrap(), number);
        assert_eq!(reopened.commitment().unwrap(), model.commitment());
    }
}
