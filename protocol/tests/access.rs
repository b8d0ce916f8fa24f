//! The order of new leaves: the allocator against a naive model of frames that create leaves and revert.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use cairn_protocol::access::LeafAllocator;
use proptest::prelude::*;

/// What a frame does, in order.
#[derive(Clone, Debug)]
enum Action {
    /// A leaf, by its number, gets a value; 0 is the empty one.
    Write(u8, u64),
    /// An inner frame, and whether it reverts.
    Frame(Vec<Action>, bool),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let write =
        (0..12u8, prop_oneof![Just(0u64), 1..4u64]).prop_map(|(leaf, value)| Action::Write(leaf, value));
    let list = prop::collection::vec(write.clone(), 0..5);
    list.prop_recursive(4, 48, 6, move |inner| {
        let frame = (inner, any::<bool>()).prop_map(|(actions, reverts)| Action::Frame(actions, reverts));
        prop::collection::vec(prop_oneof![write.clone(), frame], 0..6)
    })
}

/// Value and position of the leaves that were written; position 0 is absent.
type Leaves = BTreeMap<u8, (u64, u64)>;

/// The leaf count at the start: leaves 0 to 3 exist, at the positions 1 to 4.
const COUNT: u64 = 5;

fn start() -> Leaves {
    (0..4u8).map(|leaf| (leaf, (9, u64::from(leaf) + 1))).collect()
}

/// Rule 3 by undoing: leaves and allocator of a frame's start come back when it reverts.
fn by_undo(actions: &[Action], leaves: &mut Leaves, allocator: &mut LeafAllocator) {
    for action in actions {
        match action {
            Action::Write(leaf, value) => {
                let entry = leaves.entry(*leaf).or_default();
                *entry = (*value, allocator.write(entry.1, *value == 0));
            }
            Action::Frame(inner, reverts) => {
                let (saved, checkpoint) = (leaves.clone(), *allocator);
                by_undo(inner, leaves, allocator);
                if *reverts {
                    *leaves = saved;
                    *allocator = checkpoint;
                }
            }
        }
    }
}

/// Rule 3 by knowing beforehand: inside a frame that will revert nothing gets a position.
fn by_prophecy(actions: &[Action], doomed: bool, leaves: &mut Leaves, allocator: &mut LeafAllocator) {
    for action in actions {
        match action {
            Action::Write(leaf, value) => {
                let entry = leaves.entry(*leaf).or_default();
                *entry = (*value, allocator.write(entry.1, *value == 0 || doomed));
            }
            Action::Frame(inner, reverts) => {
                let saved = leaves.clone();
                by_prophecy(inner, doomed || *reverts, leaves, allocator);
                if *reverts {
                    *leaves = saved;
                }
            }
        }
    }
}

/// The writes that last, in order.
fn lasting(actions: &[Action], out: &mut Vec<(u8, u64)>) {
    for action in actions {
        match action {
            Action::Write(leaf, value) => out.push((*leaf, *value)),
            Action::Frame(inner, false) => lasting(inner, out),
            Action::Frame(_, true) => {}
        }
    }
}

/// The rule as a sentence: new leaves lie in the order in which lasting writes first gave them a value.
fn naive(actions: &[Action]) -> Vec<u8> {
    let (mut writes, mut created) = (vec![], vec![]);
    lasting(actions, &mut writes);
    for (leaf, value) in writes {
        if value != 0 && !start().contains_key(&leaf) && !created.contains(&leaf) {
            created.push(leaf);
        }
    }
    created
}

proptest! {
    #[test]
    fn prop_new_leaves_lie_in_the_order_of_lasting_writes(actions in actions()) {
        let created = naive(&actions);
        let (mut undone, mut undoing) = (start(), LeafAllocator::new(COUNT));
        by_undo(&actions, &mut undone, &mut undoing);
        let (mut foreseen, mut foreseeing) = (start(), LeafAllocator::new(COUNT));
        by_prophecy(&actions, false, &mut foreseen, &mut foreseeing);
        for (leaves, allocator) in [(&undone, undoing), (&foreseen, foreseeing)] {
            prop_assert_eq!(allocator.leaf_count(), COUNT + created.len() as u64);
            for (leaf, (_, position)) in leaves {
                let expected = match created.iter().position(|l| l == leaf) {
                    Some(order) => COUNT + order as u64,
                    None => start().get(leaf).map_or(0, |(_, position)| *position),
                };
                prop_assert_eq!(*position, expected, "leaf {}", leaf);
            }
        }
        let values = |leaves: &Leaves| leaves.iter().map(|(l, (v, _))| (*l, *v)).collect::<Vec<_>>();
        prop_assert_eq!(values(&undone), values(&foreseen));
    }
}

#[test]
fn accepts_each_case_of_the_rule() {
    let run = |actions: &[Action]| {
        let (mut leaves, mut allocator) = (start(), LeafAllocator::new(COUNT));
        by_undo(actions, &mut leaves, &mut allocator);
        (leaves, allocator.leaf_count())
    };
    use Action::{Frame, Write};
    // A leaf that exists keeps its place, an absent one that is written empty stays absent.
    let (leaves, count) = run(&[Write(0, 7), Write(4, 0)]);
    assert_eq!((leaves[&0], leaves[&4], count), ((7, 1), (0, 0), 5));
    // A leaf that is emptied again keeps its place, and the next one comes after it.
    let (leaves, count) = run(&[Write(4, 1), Write(4, 0), Write(5, 1), Write(4, 2)]);
    assert_eq!((leaves[&4], leaves[&5], count), ((2, 5), (1, 6), 7));
    // A creation that is reverted takes no place; created again later, the leaf comes later.
    let (leaves, count) = run(&[Frame(vec![Write(4, 1)], true), Write(5, 1), Write(4, 1)]);
    assert_eq!((leaves[&5], leaves[&4], count), ((1, 5), (1, 6), 7));
    // An inner frame that succeeds goes with its caller that reverts.
    let (leaves, count) = run(&[Frame(vec![Frame(vec![Write(4, 1)], false)], true)]);
    assert_eq!((leaves.get(&4), count), (None, 5));
}
