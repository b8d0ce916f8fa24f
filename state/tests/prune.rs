//! Pruned databases against unpruned ones, and pruning that is interrupted anywhere.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, sync::Arc};

use cairn_state::{MemoryStore, RocksStore, StateDb, StateError, Store, Table, TreeReader, testing::Fault};
use common::{
    Model, address, assert_equal, assert_openings, assert_view_equal, block, dump, faulty, genesis,
};
use proptest::prelude::*;

type Dump = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// The entries of the state, without those that say how far pruning is.
fn entries(store: &dyn Store) -> Dump {
    dump(store).into_iter().filter(|((table, _), _)| *table != Table::Meta).collect()
}

fn history(store: Arc<dyn Store>, blocks: &[cairn_state::BlockChanges]) -> StateDb {
    let db = StateDb::open(store, &genesis()).unwrap();
    let prepared = db.prepare_blocks(blocks).unwrap();
    db.commit_prepared(prepared.into_iter().map(|b| (b, cairn_state::Batch::new())).collect()).unwrap();
    db
}

/// States from `earliest` on are the models', those before are refused.
fn assert_pruned(db: &StateDb, earliest: usize, models: &[Model]) {
    assert_eq!(db.earliest(), earliest as u64);
    for (number, model) in models.iter().enumerate() {
        let refused = StateError::Pruned { number: number as u64, earliest: earliest as u64 };
        if number < earliest {
            assert_eq!(db.at(number as u64).err(), Some(refused.clone()));
            assert_eq!(db.commitment_at(number as u64), Err(refused.clone()));
            assert_eq!(db.revert_to(number as u64), Err(refused));
        } else {
            assert_equal(db, number as u64, model);
            assert_openings(&db.at(number as u64).unwrap(), model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn prop_later_states_stay(blocks in prop::collection::vec(block(), 2..14), more in prop::collection::vec(block(), 1..4), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let store = Arc::new(MemoryStore::new());
        let db = history(store.clone(), &blocks);
        let models = Model::history(&blocks);
        let (first, second) = (a.index(blocks.len()) + 1, b.index(blocks.len()) + 1);
        let mut bound = 0;
        for earliest in [first, second] {
            let before = entries(&*store);
            let removed = db.prune_to(earliest as u64).unwrap();
            let after = entries(&*store);
            prop_assert_eq!((before.len() - after.len()) as u64, removed);
            prop_assert!(after.iter().all(|(k, v)| before.get(k) == Some(v)), "nothing but removals");
            // A block record at least.
            prop_assert_eq!(removed > 0, earliest > bound);
            bound = bound.max(earliest);
            assert_pruned(&db, bound, &models);
            prop_assert_eq!(db.prune_to(bound as u64), Ok(0));
            prop_assert_eq!(entries(&*store), after);
        }
        // One version up to the bound, of every leaf and node.
        for table in [Table::Leaves, Table::Nodes] {
            let mut kept = BTreeMap::new();
            for (_, key) in entries(&*store).into_keys().filter(|(t, _)| *t == table) {
                let (id, block) = key.split_at(key.len() - 8);
                if u64::from_be_bytes(block.try_into().unwrap()) <= bound as u64 {
                    *kept.entry(id.to_vec()).or_insert(0) += 1;
                }
            }
            prop_assert!(kept.values().all(|n| *n == 1), "{:?}", kept);
        }
        // Goes on, goes back to the bound and on again.
        let db = StateDb::open(store.clone(), &genesis()).unwrap();
        assert_pruned(&db, bound, &models);
        db.revert_to(bound as u64).unwrap();
        let mut model = models[bound].clone();
        for (i, changes) in more.iter().enumerate() {
            model.apply(changes);
            db.commit_block((bound + i) as u64 + 1, changes).unwrap();
        }
        assert_equal(&db, (bound + more.len()) as u64, &model);
        assert_openings(&db.latest().unwrap(), &model);
    }

    #[test]
    fn prop_an_interrupted_pruning_is_harmless(blocks in prop::collection::vec(block(), 2..10), to in any::<prop::sample::Index>(), after in any::<bool>()) {
        let fault = if after { Fault::After } else { Fault::Before };
        let models = Model::history(&blocks);
        let earliest = to.index(blocks.len()) + 1;
        let whole = Arc::new(MemoryStore::new());
        history(whole.clone(), &blocks).prune_to(earliest as u64).unwrap();
        for fails_at in 0.. {
            let inner = Arc::new(MemoryStore::new());
            drop(history(inner.clone(), &blocks));
            let store = faulty(&inner, fails_at, fault);
            let result = StateDb::open(store.clone(), &genesis()).unwrap().prune_to(earliest as u64);
            let db = StateDb::open(inner.clone(), &genesis()).unwrap();
            assert_pruned(&db, if fails_at == 0 && !after { 0 } else { earliest }, &models);
            db.prune_to(earliest as u64).unwrap();
            prop_assert_eq!(dump(&*inner), dump(&*whole));
            if result.is_ok() {
                // At the bound, and at the removals.
                prop_assert!(fails_at >= 2);
                break;
            }
        }
    }
}

/// More removals in one block than fit in a batch: interrupted between the batches of a block.
#[test]
fn accepts_an_interruption_inside_a_block() {
    let accounts = |nonce: u64| {
        let mut changes = cairn_state::BlockChanges::new();
        for n in 0..5000u64 {
            let value = cairn_protocol::leaf::AccountValue { nonce, ..Default::default() };
            let address = alloy_primitives::Address::left_padding_from(&(n + 1).to_be_bytes());
            changes.set_account(address, &value);
        }
        changes
    };
    let blocks = vec![accounts(1), accounts(2), accounts(3)];
    let whole = Arc::new(MemoryStore::new());
    let db = history(whole.clone(), &blocks);
    let expected = db.commitment().unwrap();
    let untouched = dump(&*whole);
    db.prune_to(3).unwrap();
    let mut interruptions = 0;
    for fails_at in 0.. {
        let inner = Arc::new(MemoryStore::new());
        let mut batch = cairn_state::Batch::new();
        untouched.iter().for_each(|((table, k), v)| batch.put(*table, k.clone(), v.clone()));
        inner.write(batch).unwrap();
        let store = faulty(&inner, fails_at, Fault::Before);
        if StateDb::open(store, &genesis()).unwrap().prune_to(3).is_ok() {
            break;
        }
        interruptions += 1;
        let db = StateDb::open(inner.clone(), &genesis()).unwrap();
        assert_eq!(db.commitment().unwrap(), expected);
        assert_eq!(db.latest().unwrap().children(10, 0).unwrap(), db.at(3).unwrap().children(10, 0).unwrap());
        db.prune_to(3).unwrap();
        assert!(dump(&*inner) == dump(&*whole));
    }
    // Two blocks of 5000 leaves and 715 nodes in batches of 4096, and the bound.
    assert!(interruptions >= 4, "{interruptions}");
}

#[test]
fn rejects_unknown_bounds_and_views_before_the_bound() {
    let mut changes = cairn_state::BlockChanges::new();
    let value = cairn_protocol::leaf::AccountValue { nonce: 9, ..Default::default() };
    changes.set_account(address(20), &value);
    let blocks = vec![changes.clone(), changes.clone(), changes];
    let store = Arc::new(MemoryStore::new());
    let db = history(store, &blocks);
    assert_eq!(db.prune_to(4), Err(StateError::UnknownBlock { number: 4, newest: 3 }));
    assert_eq!(db.prune_to(0), Ok(0));
    assert_eq!(db.earliest(), 0);
    let (old, kept) = (db.at(0).unwrap(), db.at(2).unwrap());
    db.prune_to(2).unwrap();
    // An old view says that it is too old: it never answers with what a later block left.
    let refused = StateError::Pruned { number: 0, earliest: 2 };
    assert_eq!(old.account(address(9)).err(), Some(refused.clone()));
    assert_eq!(old.children(10, 0).err(), Some(refused));
    assert_view_equal(&kept, &Model::history(&blocks)[2]);
}

#[test]
fn accepts_pruning_in_rocksdb() {
    let dir = tempfile::tempdir().unwrap();
    let blocks: Vec<_> = (0..30u64)
        .map(|n| {
            let mut changes = cairn_state::BlockChanges::new();
            let value = cairn_protocol::leaf::AccountValue { nonce: n + 1, ..Default::default() };
            changes.set_account(address(n as u8 % 5), &value);
            changes
        })
        .collect();
    let models = Model::history(&blocks);
    let memory = Arc::new(MemoryStore::new());
    history(memory.clone(), &blocks).prune_to(17).unwrap();
    let store = Arc::new(RocksStore::open(dir.path()).unwrap());
    let db = history(store.clone(), &blocks);
    db.prune_to(17).unwrap();
    assert_eq!(dump(&*store), dump(&*memory));
    assert_pruned(&db, 17, &models);
}
