//! The openings of a batch: what it does to each leaf it touches, by ascending key, each relative to the tree after the
//! operations before it; and an independent check of them. Not here: what is touched (`cairn_protocol::access`).

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    access::{BlockAccess, TouchedLeaf},
    leaf::{Leaf, LeafId, StateCommitment, field_to_b256},
    witness::{LeafAccess, LeafOp, Opening, fold_path},
};

use crate::{
    error::StateError,
    overlay::Overlay,
    tree::{CAPACITY, TreeReader},
};

/// What a batch does to the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLeafOps {
    /// By ascending key.
    pub ops: Vec<LeafOp>,
    /// The commitment after the last of them.
    pub new_state: StateCommitment,
}

/// Why openings cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the record has leaf {id:?} twice")]
    TouchedTwice { id: LeafId },
    #[error("leaf {id:?} exists at {index} and cannot be created")]
    ExistsAlready { id: LeafId, index: u64 },
    #[error("leaf {id:?} is absent and gets a value, but the record does not have it as created")]
    NotCreated { id: LeafId },
    #[error("leaf {id:?} does not hold the old value of the record in the state before the batch")]
    OtherOldValue { id: LeafId },
    #[error("the operations lead to {got:?}, the state after the batch is {expected:?}")]
    OtherState { expected: StateCommitment, got: StateCommitment },
}

/// The operations of a batch on the tree `before` it.
///
/// # Errors
/// If the store fails, or the record contradicts `before`.
pub fn batch_leaf_ops<R: TreeReader + ?Sized>(
    before: &R,
    access: &BlockAccess,
) -> Result<BatchLeafOps, WitnessError> {
    let mut by_key = BTreeMap::new();
    for leaf in &access.leaves {
        if by_key.insert(field_to_b256(leaf.id.key()), leaf).is_some() {
            return Err(WitnessError::TouchedTwice { id: leaf.id });
        }
    }
    let mut tree = Overlay::new(before);
    let mut ops = Vec::with_capacity(access.leaves.len());
    for &TouchedLeaf { id, old_value, new_value, created } in by_key.into_values() {
        let found = tree.find(&id)?;
        if found.map_or_else(<[Fr; 3]>::default, |(_, value)| value) != old_value {
            return Err(WitnessError::OtherOldValue { id });
        }
        let access = match (found, created) {
            (Some((index, _)), Some(_)) => return Err(WitnessError::ExistsAlready { id, index }),
            (Some((index, _)), None) => {
                let opening = tree.opening(index)?;
                tree.update(index, new_value)?;
                LeafAccess::Update { opening, new_value }
            }
            (None, Some(index)) => {
                let key = id.key();
                let predecessor = tree.opening(tree.predecessor(key)?)?;
                let (next_key, next_index) = tree.link(predecessor.index, key, index)?;
                tree.flush()?;
                let siblings = tree.siblings(index)?;
                tree.fill(index, id, Leaf { key, value: new_value, next_key, next_index })?;
                LeafAccess::Insert { predecessor, index, siblings, new_value }
            }
            (None, None) if new_value != <[Fr; 3]>::default() => {
                return Err(WitnessError::NotCreated { id });
            }
            (None, None) => LeafAccess::Absent { predecessor: tree.opening(tree.predecessor(id.key())?)? },
        };
        tree.flush()?;
        ops.push(LeafOp { id, access });
    }
    Ok(BatchLeafOps { ops, new_state: tree.commitment() })
}

/// The operations that lead from the state `before` a batch to the state `after` it, given what the batch touched: the
/// merged records of its blocks.
///
/// # Errors
/// If the store fails, the record contradicts `before`, or it does not lead to `after`.
pub fn leaf_ops_between<R: TreeReader + ?Sized>(
    before: &R,
    after: StateCommitment,
    access: &BlockAccess,
) -> Result<BatchLeafOps, WitnessError> {
    let result = batch_leaf_ops(before, access)?;
    if result.new_state != after {
        return Err(WitnessError::OtherState { expected: after, got: result.new_state });
    }
    Ok(result)
}

/// The rule that a list of operations breaks; `position` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafOpsError {
    #[error("operation {position}: its key {got} is not above {last}, the key before it")]
    KeysNotAscending { position: usize, last: B256, got: B256 },
    #[error("operation {position}: the opened leaf has key {got}, expected {expected}")]
    WrongKey { position: usize, expected: B256, got: B256 },
    #[error(
        "operation {position}: the opened leaf is not the predecessor of {key}: its key is {leaf_key}, the next key {next_key}"
    )]
    NotPredecessor { position: usize, key: B256, leaf_key: B256, next_key: B256 },
    #[error(
        "operation {position}: the path of the opened leaf leads to {got}, the tree's root is {expected}"
    )]
    WrongPath { position: usize, expected: B256, got: B256 },
    #[error(
        "operation {position}: the path of the new position leads to {got}, the tree's root is {expected}"
    )]
    PositionNotEmpty { position: usize, expected: B256, got: B256 },
    #[error("operation {position}: position {index} is outside the {leaf_count} leaves of the new state")]
    PositionOutOfRange { position: usize, index: u64, leaf_count: u64 },
    #[error("operation {position}: position {index} is not new or is taken twice")]
    PositionNotNew { position: usize, index: u64 },
    #[error("the operations lead to {got:?}, expected {expected:?}")]
    WrongNewState { expected: StateCommitment, got: StateCommitment },
}

/// Checks operations by their paths alone: that they start at `old` and end at `new`, that every opened leaf is in the tree,
/// and that nothing else changes.
///
/// # Errors
/// The first rule that is broken.
pub fn check_leaf_ops(
    ops: &[LeafOp],
    old: StateCommitment,
    new: StateCommitment,
) -> Result<(), LeafOpsError> {
    let mut root = old.tree_root;
    let mut last_key = Fr::zero();
    let mut created = BTreeSet::new();
    for (position, op) in ops.iter().enumerate() {
        let key = op.id.key();
        // The field's order is that of its canonical integers.
        if key <= last_key {
            let (last, got) = (field_to_b256(last_key), field_to_b256(key));
            return Err(LeafOpsError::KeysNotAscending { position, last, got });
        }
        last_key = key;
        match &op.access {
            LeafAccess::Update { opening, new_value } => {
                if opening.leaf.key != key {
                    let (expected, got) = (field_to_b256(key), field_to_b256(opening.leaf.key));
                    return Err(LeafOpsError::WrongKey { position, expected, got });
                }
                root = replace(position, root, opening, &Leaf { value: *new_value, ..opening.leaf }, new)?;
            }
            LeafAccess::Absent { predecessor } => {
                check_predecessor(position, key, &predecessor.leaf)?;
                root = replace(position, root, predecessor, &predecessor.leaf, new)?;
            }
            LeafAccess::Insert { predecessor, index, siblings, new_value } => {
                check_predecessor(position, key, &predecessor.leaf)?;
                if *index >= new.leaf_count || *index >= CAPACITY {
                    let leaf_count = new.leaf_count;
                    return Err(LeafOpsError::PositionOutOfRange { position, index: *index, leaf_count });
                }
                if *index < old.leaf_count || !created.insert(*index) {
                    return Err(LeafOpsError::PositionNotNew { position, index: *index });
                }
                let Leaf { next_key, next_index, .. } = predecessor.leaf;
                let linked = Leaf { next_key: key, next_index: *index, ..predecessor.leaf };
                root = replace(position, root, predecessor, &linked, new)?;
                let got = fold_path(Fr::zero(), *index, siblings);
                if got != root {
                    let (expected, got) = (field_to_b256(root), field_to_b256(got));
                    return Err(LeafOpsError::PositionNotEmpty { position, expected, got });
                }
                let leaf = Leaf { key, value: *new_value, next_key, next_index };
                root = fold_path(leaf.hash(), *index, siblings);
            }
        }
    }
    // Positions are distinct and between the old and the new count: as many as the difference leave no hole.
    let got = StateCommitment { tree_root: root, leaf_count: old.leaf_count + created.len() as u64 };
    if got == new { Ok(()) } else { Err(LeafOpsError::WrongNewState { expected: new, got }) }
}

/// Checks an opening and returns the root with `leaf` in its place.
fn replace(
    position: usize,
    root: Fr,
    opening: &Opening,
    leaf: &Leaf,
    new: StateCommitment,
) -> Result<Fr, LeafOpsError> {
    if opening.index >= new.leaf_count || opening.index >= CAPACITY {
        let (index, leaf_count) = (opening.index, new.leaf_count);
        return Err(LeafOpsError::PositionOutOfRange { position, index, leaf_count });
    }
    let got = opening.root();
    if got != root {
        let (expected, got) = (field_to_b256(root), field_to_b256(got));
        return Err(LeafOpsError::WrongPath { position, expected, got });
    }
    if *leaf == opening.leaf {
        return Ok(root);
    }
    Ok(fold_path(leaf.hash(), opening.index, &opening.siblings))
}

fn check_predecessor(position: usize, key: Fr, leaf: &Leaf) -> Result<(), LeafOpsError> {
    if leaf.precedes(key) {
        return Ok(());
    }
    let [key, leaf_key, next_key] = [key, leaf.key, leaf.next_key].map(field_to_b256);
    Err(LeafOpsError::NotPredecessor { position, key, leaf_key, next_key })
}
