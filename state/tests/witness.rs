//! Batch openings: made by the overlay, checked by their paths alone, and refused when altered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    leaf::LeafId,
    witness::{LeafAccess, LeafOp},
};
use cairn_state::{
    BlockChanges, MemoryStore, StateDb, TreeReader,
    witness::{LeafOpsError, Touched, WitnessError, batch_leaf_ops, check_leaf_ops, leaf_ops_between},
};
use common::{address, block, genesis};
use proptest::prelude::*;

fn touched_ids(blocks: &[BlockChanges], read_only: &[u8]) -> Vec<LeafId> {
    let mut ids: Vec<LeafId> = blocks.iter().flat_map(|b| b.writes.iter().map(|(id, _)| *id)).collect();
    ids.extend(read_only.iter().map(|n| LeafId::Account(address(*n))));
    ids.sort_unstable();
    ids.dedup();
    ids
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
        let ids = touched_ids(&batch, &read_only);
        let result = leaf_ops_between(&before, &after, ids.iter().copied()).unwrap();
        prop_assert_eq!(result.new_state, new);
        prop_assert_eq!(result.ops.len(), ids.len());
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
            prop_assert_eq!(check_leaf_ops(&doubled, old, new), Err(LeafOpsError::KeysNotAscending { position: at + 1 }));
            let mut wrong = new;
            wrong.leaf_count += 1;
            let is_wrong = matches!(check_leaf_ops(&result.ops, old, wrong), Err(LeafOpsError::WrongNewState { .. }));
            prop_assert!(is_wrong);
            // A changed leaf left out leads elsewhere.
            let missing = ids.iter().copied().filter(|id| *id != result.ops[at].id);
            match leaf_ops_between(&before, &after, missing) {
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
    let value = Some([Fr::from(1u64), Fr::zero(), Fr::zero()]);
    let run = |touched: &[Touched]| batch_leaf_ops(&view, touched).err();
    let t = |id, new_value, created_index| Touched { id, new_value, created_index };
    assert_eq!(
        run(&[t(present, value, Some(6))]),
        Some(WitnessError::ExistsAlready { id: present, index: 3 })
    );
    assert_eq!(run(&[t(absent, value, None)]), Some(WitnessError::IncompleteCreation { id: absent }));
    assert_eq!(run(&[t(absent, None, Some(6))]), Some(WitnessError::IncompleteCreation { id: absent }));
    assert_eq!(
        run(&[t(absent, None, None), t(absent, None, None)]),
        Some(WitnessError::TouchedTwice { id: absent })
    );
    assert!(matches!(run(&[t(absent, value, Some(2))]), Some(WitnessError::State(_))));
    // A position with a gap below it: the path is right, the count is not.
    let gap = batch_leaf_ops(&view, &[t(absent, value, Some(9))]).unwrap();
    assert!(matches!(
        check_leaf_ops(&gap.ops, view.commitment(), gap.new_state),
        Err(LeafOpsError::PositionOutOfRange { index: 9, .. })
    ));
}
