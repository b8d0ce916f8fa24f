//! Batch openings: made by the overlay, checked by their paths alone, and refused when altered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    access::{BlockAccess, TouchedLeaf},
    leaf::{LeafId, field_to_b256},
    witness::{LeafAccess, LeafOp},
};
use cairn_state::{
    BlockChanges, MemoryStore, StateDb, StateError, Store, Table, TreeReader,
    witness::{LeafOpsError, WitnessError, batch_leaf_ops, check_leaf_ops, leaf_ops_between},
};
use common::{Model, address, block, genesis};
use proptest::prelude::*;

/// What blocks touch and what is read besides, by the naive model: in order of first access, with the values before and
/// after, and the positions of the leaves that were not there before.
fn touched(blocks: &[BlockChanges], reads: &[LeafId], before: &Model, after: &Model) -> BlockAccess {
    let mut ids: Vec<LeafId> = vec![];
    let accessed = blocks.iter().flat_map(|b| b.accesses.iter().map(|(id, _)| *id));
    accessed.chain(reads.iter().copied()).for_each(|id| {
        if !ids.contains(&id) {
            ids.push(id);
        }
    });
    let value = |model: &Model, id| model.leaves.get(&id).map_or([Fr::zero(); 3], |(_, value)| *value);
    let created = |id| match (before.leaves.get(&id), after.leaves.get(&id)) {
        (None, Some((index, _))) => Some(*index),
        _ => None,
    };
    let leaf = |id| TouchedLeaf {
        id,
        old_value: value(before, id),
        new_value: value(after, id),
        created: created(id),
    };
    BlockAccess { leaves: ids.into_iter().map(leaf).collect() }
}

/// Every way to alter one operation in one place.
fn alterations(op: &LeafOp) -> Vec<LeafOp> {
    let one = Fr::from(1u64);
    let mut out = vec![];
    let mut push = |change: &dyn Fn(&mut LeafOp)| {
        let mut altered = op.clone();
        change(&mut altered);
        out.push(altered);
    };
    // An absent leaf may have any other id of the same gap.
    if !matches!(op.access, LeafAccess::Absent { .. }) {
        push(&|op| op.id = LeafId::Account(address(0xee)));
    }
    push(&|op| match &mut op.access {
        LeafAccess::Update { opening: o, .. }
        | LeafAccess::Insert { predecessor: o, .. }
        | LeafAccess::Absent { predecessor: o } => o.index ^= 1,
    });
    for part in 0..6 {
        push(&|op| match &mut op.access {
            LeafAccess::Update { opening: o, .. }
            | LeafAccess::Insert { predecessor: o, .. }
            | LeafAccess::Absent { predecessor: o } => match part {
                0 => o.leaf.key += one,
                4 => o.leaf.next_key += one,
                5 => o.leaf.next_index += 1,
                n => o.leaf.value[n - 1] += one,
            },
        });
    }
    for level in 0..10 {
        push(&|op| match &mut op.access {
            LeafAccess::Update { opening: o, .. }
            | LeafAccess::Insert { predecessor: o, .. }
            | LeafAccess::Absent { predecessor: o } => o.siblings[level][level % 7] += one,
        });
    }
    match &op.access {
        LeafAccess::Update { .. } => push(&|op| {
            if let LeafAccess::Update { new_value, .. } = &mut op.access {
                new_value[0] += one;
            }
        }),
        LeafAccess::Insert { .. } => {
            for part in 0..3 {
                push(&|op| {
                    if let LeafAccess::Insert { index, siblings, new_value, .. } = &mut op.access {
                        match part {
                            0 => *index += 1,
                            1 => siblings[3][2] += one,
                            _ => new_value[1] += one,
                        }
                    }
                });
            }
        }
        LeafAccess::Absent { .. } => {}
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn prop_openings_lead_from_batch_start_to_end(
        early in prop::collection::vec(block(), 0..3),
        batch in prop::collection::vec(block(), 1..5),
        late in prop::collection::vec(block(), 0..3),
        read_only in prop::collection::vec(0..40u8, 0..5),
        pick in any::<prop::sample::Index>(),
    ) {
        let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
        for (i, changes) in early.iter().chain(&batch).chain(&late).enumerate() {
            db.commit_block(i as u64 + 1, changes).unwrap();
        }
        // The newest state is later than the batch.
        let before = db.at(early.len() as u64).unwrap();
        let after = db.at((early.len() + batch.len()) as u64).unwrap();
        let (old, new) = (before.commitment(), after.commitment());
        // Each block's record is the model's, and so are all of them together.
        let models = Model::history(&[early.clone(), batch.clone()].concat());
        let records: Vec<BlockAccess> = (1..=batch.len())
            .map(|n| db.block_access((early.len() + n) as u64).unwrap())
            .collect();
        for (n, record) in records.iter().enumerate() {
            let at = early.len() + n;
            prop_assert_eq!(record, &touched(&batch[n..=n], &[], &models[at], &models[at + 1]));
        }
        let (first, last) = (&models[early.len()], &models[early.len() + batch.len()]);
        prop_assert_eq!(BlockAccess::merge(&records), Ok(touched(&batch, &[], first, last)));
        let reads: Vec<LeafId> = read_only.iter().map(|n| LeafId::Account(address(*n))).collect();
        let access = touched(&batch, &reads, first, last);
        let result = leaf_ops_between(&before, new, &access).unwrap();
        prop_assert_eq!(result.new_state, new);
        prop_assert_eq!(result.ops.len(), access.leaves.len());
        prop_assert_eq!(check_leaf_ops(&result.ops, old, new), Ok(()));

        if !result.ops.is_empty() {
            let at = pick.index(result.ops.len());
            for altered in alterations(&result.ops[at]) {
                let mut ops = result.ops.clone();
                ops[at] = altered;
                prop_assert!(check_leaf_ops(&ops, old, new).is_err());
            }
            let mut swapped = result.ops.clone();
            swapped.rotate_left(1);
            prop_assert!(swapped.len() == 1 || check_leaf_ops(&swapped, old, new).is_err());
            let mut doubled = result.ops.clone();
            doubled.insert(at, doubled[at].clone());
            let last = field_to_b256(doubled[at].id.key());
            let twice = LeafOpsError::KeysNotAscending { position: at + 1, last, got: last };
            prop_assert_eq!(check_leaf_ops(&doubled, old, new), Err(twice));
            let mut wrong = new;
            wrong.leaf_count += 1;
            let is_wrong = matches!(check_leaf_ops(&result.ops, old, wrong), Err(LeafOpsError::WrongNewState { .. }));
            prop_assert!(is_wrong);
            // A changed leaf left out leads elsewhere.
            let mut missing = access;
            missing.leaves.retain(|leaf| leaf.id != result.ops[at].id);
            match leaf_ops_between(&before, new, &missing) {
                Ok(r) => prop_assert_eq!(check_leaf_ops(&r.ops, old, new), Ok(())),
                Err(e) => {
                    let other = matches!(e, WitnessError::OtherState { .. });
                    prop_assert!(other);
                }
            }
        }
    }
}

#[test]
fn rejects_contradictions_by_name() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let view = db.latest().unwrap();
    let (present, absent) = (LeafId::Account(address(1)), LeafId::Account(address(2)));
    let (empty, value) = ([Fr::zero(); 3], [Fr::from(1u64), Fr::zero(), Fr::zero()]);
    let held = view.find(&present).unwrap().unwrap().1;
    let run = |leaves: &[TouchedLeaf]| batch_leaf_ops(&view, &BlockAccess { leaves: leaves.to_vec() }).err();
    let t = |id, old_value, new_value, created| TouchedLeaf { id, old_value, new_value, created };
    assert_eq!(
        run(&[t(present, held, value, Some(6))]),
        Some(WitnessError::ExistsAlready { id: present, index: 3 })
    );
    assert_eq!(run(&[t(absent, empty, value, None)]), Some(WitnessError::NotCreated { id: absent }));
    assert_eq!(run(&[t(absent, value, value, None)]), Some(WitnessError::OtherOldValue { id: absent }));
    assert_eq!(run(&[t(present, value, value, None)]), Some(WitnessError::OtherOldValue { id: present }));
    assert_eq!(run(&[t(absent, empty, empty, None)]), None);
    // A leaf that was created and emptied again is there.
    assert_eq!(run(&[t(absent, empty, empty, Some(7))]), None);
    assert_eq!(
        run(&[t(absent, empty, empty, None), t(absent, empty, empty, None)]),
        Some(WitnessError::TouchedTwice { id: absent })
    );
    assert!(matches!(run(&[t(absent, empty, value, Some(2))]), Some(WitnessError::State(_))));
    // A position with a gap below it: the path is right, the count is not.
    let gap = BlockAccess { leaves: vec![t(absent, empty, value, Some(9))] };
    let gap = batch_leaf_ops(&view, &gap).unwrap();
    assert!(matches!(
        check_leaf_ops(&gap.ops, view.commitment(), gap.new_state),
        Err(LeafOpsError::PositionOutOfRange { index: 9, .. })
    ));
}

#[test]
fn rejects_records_of_no_block_and_of_pruned_ones_by_name() {
    let store = Arc::new(MemoryStore::new());
    let db = StateDb::open(store.clone(), &genesis()).unwrap();
    for number in 1..=4u8 {
        let mut changes = BlockChanges::new();
        changes.read(LeafId::Account(address(number)));
        db.commit_block(number.into(), &changes).unwrap();
    }
    assert_eq!(db.block_access(0), Err(StateError::UnknownBlock { number: 0, newest: 4 }));
    assert_eq!(db.block_access(5), Err(StateError::UnknownBlock { number: 5, newest: 4 }));
    db.prune_to(2).unwrap();
    assert_eq!(db.block_access(2), Err(StateError::Pruned { number: 1, earliest: 2 }));
    // The state before block 3 is kept, and so is its record.
    assert_eq!(db.block_access(3).unwrap().leaves[0].id, LeafId::Account(address(3)));
    db.revert_to(3).unwrap();
    assert_eq!(db.block_access(4), Err(StateError::UnknownBlock { number: 4, newest: 3 }));
    let mut records = vec![];
    store
        .scan(Table::Accesses, &[], &mut |key, _| {
            records.push(key.to_vec());
            true
        })
        .unwrap();
    assert_eq!(records, [3u64.to_be_bytes()]);
}
