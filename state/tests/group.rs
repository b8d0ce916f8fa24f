//! Groups of blocks that are prepared and committed together, against the same blocks one after the other; what a group
//! leaves behind when a write fails; and views that outlive the blocks after theirs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alloy_primitives::Bytes;
use cairn_protocol::{
    code::code_hash,
    leaf::{AccountValue, LeafId},
    witness::fold_path,
};
use cairn_state::{
    Batch, BlockChanges, Membership, MemoryStore, PreparedBlock, RocksStore, StateDb, StateError, StateView,
    Store, Table, TreeReader,
    testing::{Fault, FaultyStore},
};
use common::{
    Model, address, assert_equal, assert_openings, assert_view_equal, block, dump, failure, faulty, genesis,
};
use proptest::prelude::*;

/// Blocks with a write each of another table.
fn with_records(blocks: Vec<PreparedBlock>) -> Vec<(PreparedBlock, Batch)> {
    let record = |block: PreparedBlock| {
        let mut extra = Batch::new();
        extra.put(Table::App, block.number.to_be_bytes(), vec![7]);
        (block, extra)
    };
    blocks.into_iter().map(record).collect()
}

fn commit_one_by_one(db: &StateDb, blocks: &[BlockChanges]) {
    for (i, changes) in blocks.iter().enumerate() {
        let number = i as u64 + 1;
        let mut extra = Batch::new();
        extra.put(Table::App, number.to_be_bytes(), vec![7]);
        db.commit_block_with(number, changes, extra).unwrap();
    }
}

/// Splits at the given places.
fn groups<'a>(blocks: &'a [BlockChanges], sizes: &[usize]) -> Vec<&'a [BlockChanges]> {
    let mut rest = blocks;
    let mut out = vec![];
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (group, after) = rest.split_at((*size).min(rest.len()));
        out.push(group);
        rest = after;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn prop_groups_equal_single_blocks(blocks in prop::collection::vec(block(), 1..20), sizes in prop::collection::vec(1..9usize, 1..4)) {
        let single = Arc::new(MemoryStore::new());
        commit_one_by_one(&StateDb::open(single.clone(), &genesis()).unwrap(), &blocks);
        let grouped = Arc::new(MemoryStore::new());
        let db = StateDb::open(grouped.clone(), &genesis()).unwrap();
        for group in groups(&blocks, &sizes) {
            let before = dump(&*grouped);
            let prepared = db.prepare_blocks(group).unwrap();
            prop_assert_eq!(&before, &dump(&*grouped), "preparing writes nothing");
            db.commit_prepared(with_records(prepared)).unwrap();
        }
        prop_assert_eq!(dump(&*grouped), dump(&*single));
        for (number, model) in Model::history(&blocks).iter().enumerate() {
            assert_equal(&db, number as u64, model);
        }
    }

    /// Views of every block stay right while blocks are committed after them and taken back again, whatever is in memory.
    #[test]
    fn prop_views_stay_right(blocks in prop::collection::vec(block(), 2..10), others in prop::collection::vec(block(), 1..5), to in any::<prop::sample::Index>()) {
        let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
        let mut models = Model::history(&blocks);
        let mut views = vec![db.latest().unwrap()];
        for (i, changes) in blocks.iter().enumerate() {
            db.commit_block(i as u64 + 1, changes).unwrap();
            views.push(db.latest().unwrap());
            // The oldest views read last, when the newest have filled the memory.
            for (view, model) in views.iter().zip(&models).rev() {
                assert_view_equal(view, model);
            }
        }
        let to = to.index(blocks.len());
        db.revert_to(to as u64).unwrap();
        views.truncate(to + 1);
        models.truncate(to + 1);
        for (i, changes) in others.iter().enumerate() {
            let mut model = models[to + i].clone();
            model.apply(changes);
            models.push(model);
            db.commit_block((to + i) as u64 + 1, changes).unwrap();
            views.push(db.latest().unwrap());
            for (view, model) in views.iter().zip(&models).rev() {
                assert_view_equal(view, model);
                assert_openings(view, model);
            }
        }
    }

    /// A group that fails at any of its writes leaves whole blocks, the running database knows which, and goes on from there.
    #[test]
    fn prop_a_failed_group_leaves_whole_blocks(blocks in prop::collection::vec(block(), 2..7), after in any::<bool>()) {
        let fault = if after { Fault::After } else { Fault::Before };
        let models = Model::history(&blocks);
        // The last step is the sync.
        for fails_at in 0..=blocks.len() {
            let inner = Arc::new(MemoryStore::new());
            let store = Arc::new(FaultyStore::new(inner.clone()));
            let db = StateDb::open(store.clone(), &genesis()).unwrap();
            let prepared = db.prepare_blocks(&blocks).unwrap();
            store.fail_after(fails_at, fault, failure());
            let got = db.commit_prepared(with_records(prepared));
            prop_assert_eq!(got, Err(StateError::Store(failure())));
            let expected = (fails_at + usize::from(after)).min(blocks.len());
            prop_assert_eq!(db.newest().unwrap(), expected as u64);
            let reopened = StateDb::open(inner.clone(), &genesis()).unwrap();
            for (number, model) in models.iter().enumerate().take(expected + 1) {
                assert_equal(&db, number as u64, model);
                assert_equal(&reopened, number as u64, model);
                let record = inner.get(Table::App, &(number as u64).to_be_bytes()).unwrap();
                prop_assert_eq!(record.is_some(), number > 0);
            }
            prop_assert_eq!(inner.get(Table::App, &(expected as u64 + 1).to_be_bytes()).unwrap(), None);
            store.heal();
            let rest = db.prepare_blocks(&blocks[expected..]).unwrap();
            db.commit_prepared(with_records(rest)).unwrap();
            assert_equal(&db, blocks.len() as u64, &models[blocks.len()]);
            assert_openings(&db.latest().unwrap(), &models[blocks.len()]);
        }
    }
}

/// Every write is another step, so that the test above counts what it thinks it counts.
#[test]
fn accepts_one_write_a_block_and_one_sync_a_group() {
    let inner = Arc::new(MemoryStore::new());
    let store = faulty(&inner, usize::MAX, Fault::Before);
    let db = StateDb::open(store.clone(), &genesis()).unwrap();
    assert_eq!(store.steps(), 1);
    let blocks = vec![BlockChanges::new(); 5];
    db.commit_prepared(with_records(db.prepare_blocks(&blocks).unwrap())).unwrap();
    assert_eq!(store.steps(), 1 + 5 + 1);
    db.commit_block(6, &BlockChanges::new()).unwrap();
    assert_eq!(store.steps(), 8);
    db.commit_prepared(vec![]).unwrap();
    assert_eq!(db.newest().unwrap(), 6);
}

#[test]
fn rejects_blocks_that_were_prepared_on_another_state() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let change = |nonce: u64| {
        let mut changes = BlockChanges::new();
        changes.set_account(address(3), &AccountValue { nonce, ..Default::default() });
        changes
    };
    let prepare = |blocks: &[BlockChanges]| with_records(db.prepare_blocks(blocks).unwrap());
    let early = prepare(&[change(1), change(2)]);
    db.commit_block(1, &change(5)).unwrap();
    let stale = prepare(&[change(6), change(7)]);
    assert_eq!(db.commit_prepared(early.clone()), Err(StateError::WrongBlock { expected: 2, got: 1 }));

    let mut gap = stale.clone();
    gap.remove(0);
    assert_eq!(db.commit_prepared(gap), Err(StateError::WrongBlock { expected: 2, got: 3 }));
    let mut swapped = stale.clone();
    swapped.swap(0, 1);
    assert_eq!(db.commit_prepared(swapped), Err(StateError::WrongBlock { expected: 2, got: 3 }));

    // The number is right, the state is another.
    db.revert_to(0).unwrap();
    db.commit_block(1, &change(8)).unwrap();
    let before = dump(&**db.store());
    assert!(matches!(db.commit_prepared(stale), Err(StateError::OtherParent { number: 2, .. })));
    assert_eq!(before, dump(&**db.store()));
    db.revert_to(0).unwrap();
    db.commit_prepared(early).unwrap();
    assert_eq!(db.account(address(3)).unwrap().unwrap().nonce, 2);
}

#[test]
fn accepts_code_of_an_earlier_block_of_the_group() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let code = Bytes::from(vec![0xfe; 300]);
    let account = AccountValue { nonce: 1, code_hash: code_hash(&code), ..Default::default() };
    let mut uses = BlockChanges::new();
    uses.set_account(address(3), &account);
    let mut brings = BlockChanges::new();
    brings.add_code(code.clone());
    let unknown = db.prepare_blocks(&[uses.clone(), brings.clone()]).unwrap_err();
    assert!(matches!(unknown, StateError::UnknownCode { .. }));
    db.commit_prepared(with_records(db.prepare_blocks(&[brings, uses]).unwrap())).unwrap();
    let keccak = db.account(address(3)).unwrap().unwrap().keccak_code_hash;
    assert_eq!(db.code(keccak).unwrap(), Some(code));
}

/// A group that was acknowledged is there after a kill, also in RocksDB.
#[test]
fn accepts_a_group_in_rocksdb_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let db = StateDb::open(Arc::new(RocksStore::open(&live).unwrap()), &genesis()).unwrap();
    let blocks: Vec<BlockChanges> = (0..20u64)
        .map(|n| {
            let mut changes = BlockChanges::new();
            let value = AccountValue { nonce: n + 1, ..Default::default() };
            changes.set_account(address(n as u8 % 7), &value);
            changes
        })
        .collect();
    db.commit_prepared(with_records(db.prepare_blocks(&blocks).unwrap())).unwrap();
    let copy = dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(&live).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let reopened = StateDb::open(Arc::new(RocksStore::open(&copy).unwrap()), &genesis()).unwrap();
    assert_eq!(reopened.newest().unwrap(), 20);
    for (number, model) in Model::history(&blocks).iter().enumerate() {
        assert_equal(&reopened, number as u64, model);
    }
}

/// Readers in other threads see whole blocks only, each block as it was, while groups are committed under them.
#[test]
fn accepts_readers_during_commits() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let done = AtomicBool::new(false);
    // Every block sets the nonces of accounts 2, 3 and 4 to its number, and creates or changes one more.
    let changes = |number: u64| {
        let mut changes = BlockChanges::new();
        let value = AccountValue { nonce: number, ..Default::default() };
        for n in [2, 3, 4, 10 + (number % 200) as u8] {
            changes.set_account(address(n), &value);
        }
        changes
    };
    let check = |view: &StateView| {
        let number = view.block();
        for n in [2, 3, 4] {
            assert_eq!(view.account(address(n)).unwrap().map_or(0, |a| a.nonce), number);
        }
        match view.prove(&LeafId::Account(address(10 + (number % 200) as u8))).unwrap() {
            Membership::Present(o) => {
                let root = fold_path(o.leaf.hash(), o.index, &o.siblings);
                assert_eq!(root, view.commitment().tree_root, "block {number}");
                assert_eq!(AccountValue::from_fields(&o.leaf.value).unwrap().nonce, number);
            }
            Membership::Absent { .. } => assert_eq!(number, 0),
        }
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0u64;
                    while !done.load(Ordering::SeqCst) {
                        let newest = db.latest().unwrap();
                        check(&newest);
                        check(&db.at(newest.block() / 2).unwrap());
                        check(&newest);
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for group in 0..60 {
            let blocks: Vec<_> = (1..=5).map(|n| changes(group * 5 + n)).collect();
            db.commit_prepared(with_records(db.prepare_blocks(&blocks).unwrap())).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| assert!(reader.join().unwrap() > 0));
    });
    check(&db.latest().unwrap());
    assert_eq!(db.newest().unwrap(), 300);
}
