use alloy_primitives::{Address, U256};
use ark_bn254::Fr;
use proptest::prelude::*;

use super::*;
use crate::leaf::{LeafId, storage_to_fields};

fn slot(n: u64) -> LeafId {
    LeafId::Storage(Address::repeat_byte(1), U256::from(n))
}

fn value(n: u64) -> [Fr; 3] {
    storage_to_fields(U256::from(n))
}

fn touched(n: u64, old: u64, new: u64, created: Option<u64>) -> TouchedLeaf {
    TouchedLeaf { id: slot(n), old_value: value(old), new_value: value(new), created }
}

/// Slots below 10 exist: slot n at position n + 1 with value n.
fn before(id: LeafId) -> Option<(u64, [Fr; 3])> {
    (0..10).find(|n| slot(*n) == id).map(|n| (n + 1, value(n)))
}

fn record(recorder: &mut AccessRecorder, accesses: &[(u64, Option<u64>)]) {
    for (n, write) in accesses {
        recorder.access_known((slot(*n), write.map(value)), before(slot(*n)));
    }
}

#[test]
fn accepts_reads_and_writes_in_order_of_first_access() {
    let mut recorder = AccessRecorder::new(11);
    record(
        &mut recorder,
        &[(20, None), (3, Some(7)), (21, Some(1)), (20, Some(5)), (22, Some(0)), (21, Some(0))],
    );
    record(&mut recorder, &[(4, None), (3, Some(8))]);
    assert_eq!(recorder.leaf_count(), 13);
    let access = recorder.finish();
    assert_eq!(
        access.leaves,
        [
            touched(20, 0, 5, Some(12)),
            touched(3, 3, 8, None),
            // Created before slot 20, which was only read until then; emptied again.
            touched(21, 0, 0, Some(11)),
            touched(22, 0, 0, None),
            touched(4, 4, 4, None),
        ]
    );
    assert_eq!(access.created(), [(11, slot(21)), (12, slot(20))]);
}

#[test]
fn rejects_an_access_whose_leaf_cannot_be_read_and_asks_once() {
    let mut recorder = AccessRecorder::new(11);
    assert_eq!(recorder.access((slot(1), Some(value(2))), || Err("unreadable")), Err("unreadable"));
    assert_eq!(recorder.access((slot(1), Some(value(2))), || Ok::<_, &str>(before(slot(1)))), Ok(()));
    assert_eq!(recorder.access((slot(1), None), || Err("asked twice")), Ok(()));
    assert_eq!(recorder.finish().leaves, [touched(1, 1, 2, None)]);
}

#[test]
fn rejects_records_that_do_not_follow_each_other() {
    let first = BlockAccess { leaves: vec![touched(20, 0, 5, Some(11))] };
    let other_value = BlockAccess { leaves: vec![touched(20, 4, 5, None)] };
    let again = BlockAccess { leaves: vec![touched(20, 5, 6, Some(12))] };
    assert_eq!(
        BlockAccess::merge([&first, &other_value]),
        Err(AccessError::ValueNotContinued { record: 1, id: slot(20) })
    );
    assert_eq!(
        BlockAccess::merge([&first, &again]),
        Err(AccessError::CreatedTwice { record: 1, id: slot(20) })
    );
}

proptest! {
    /// The merged records of blocks are the record of one block that does it all.
    #[test]
    fn prop_merged_records_are_the_record_of_all(
        blocks in prop::collection::vec(prop::collection::vec((5..15u64, prop::option::of(0..3u64)), 0..8), 0..5)
    ) {
        let mut whole = AccessRecorder::new(11);
        let mut records: Vec<BlockAccess> = vec![];
        let mut leaf_count = 11;
        let mut state: std::collections::HashMap<LeafId, (u64, [Fr; 3])> =
            (0..10).map(|n| (slot(n), (n + 1, value(n)))).collect();
        for block in &blocks {
            record(&mut whole, block);
            let mut part = AccessRecorder::new(leaf_count);
            for (n, write) in block {
                part.access_known((slot(*n), write.map(value)), state.get(&slot(*n)).copied());
            }
            leaf_count = part.leaf_count();
            let part = part.finish();
            for leaf in &part.leaves {
                let index = leaf.created.or(state.get(&leaf.id).map(|(index, _)| *index));
                if let Some(index) = index {
                    state.insert(leaf.id, (index, leaf.new_value));
                }
            }
            records.push(part);
        }
        prop_assert_eq!(whole.leaf_count(), leaf_count);
        prop_assert_eq!(BlockAccess::merge(&records), Ok(whole.finish()));
    }
}
