//! The openings of a batch: what it does to each leaf it touches, by ascending key, each relative to the tree that
//! the leaves before it left behind. And an independent check of them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    leaf::{Leaf, LeafId, StateCommitment, field_to_b256},
    witness::{LeafAccess, LeafOp, Opening, fold_path},
};

use crate::{
    error::StateError,
    overlay::Overlay,
    tree::{CAPACITY, TreeReader},
};

/// A leaf that a batch touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    pub id: LeafId,
    /// The value after the batch; `None` if the batch only reads the leaf, or it is absent and stays so.
    pub new_value: Option<[Fr; 3]>,
    /// The position that the leaf took if the batch created it.
    pub created_index: Option<u64>,
}

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
    #[error("leaf {id:?} is touched twice")]
    TouchedTwice { id: LeafId },
    #[error("leaf {id:?} exists at {index} and cannot be created")]
    ExistsAlready { id: LeafId, index: u64 },
    #[error("leaf {id:?} is absent: a new value needs a position and a position a new value")]
    IncompleteCreation { id: LeafId },
    #[error("the operations lead to {got:?}, the batch to {expected:?}")]
    OtherState { expected: StateCommitment, got: StateCommitment },
}

/// The operations of a batch on the tree `before` it.
///
/// # Errors
/// If the store fails, or a leaf is touched in a way that contradicts `before`.
pub fn batch_leaf_ops<R: TreeReader + ?Sized>(
    before: &R,
    touched: &[Touched],
) -> Result<BatchLeafOps, WitnessError> {
    let mut by_key = BTreeMap::new();
    for t in touched {
        if by_key.insert(field_to_b256(t.id.key()), t).is_some() {
            return Err(WitnessError::TouchedTwice { id: t.id });
        }
    }
    let mut tree = Overlay::new(before);
    let mut ops = Vec::with_capacity(touched.len());
    for t in by_key.into_values() {
        let access = match (tree.index_of(&t.id)?, t.new_value, t.created_index) {
            (Some(index), _, Some(_)) => return Err(WitnessError::ExistsAlready { id: t.id, index }),
            (Some(index), new_value, None) => {
                let opening = tree.opening(index)?;
                let new_value = new_value.unwrap_or(opening.leaf.value);
                tree.update(index, new_value)?;
                LeafAccess::Update { opening, new_value }
            }
            (None, Some(new_value), Some(index)) => {
                let key = t.id.key();
                let predecessor = tree.opening(tree.predecessor(key)?)?;
                let (next_key, next_index) = tree.link(predecessor.index, key, index)?;
                tree.flush()?;
                let siblings = tree.siblings(index)?;
                tree.fill(index, t.id, Leaf { key, value: new_value, next_key, next_index })?;
                LeafAccess::Insert { predecessor, index, siblings, new_value }
            }
            (None, None, None) => {
                LeafAccess::Absent { predecessor: tree.opening(tree.predecessor(t.id.key())?)? }
            }
            (None, ..) => return Err(WitnessError::IncompleteCreation { id: t.id }),
        };
        tree.flush()?;
        ops.push(LeafOp { id: t.id, access });
    }
    Ok(BatchLeafOps { ops, new_state: tree.commitment() })
}

/// The operations that lead from the state `before` a batch to the state `after` it, given the leaves that the batch
/// touches.
///
/// # Errors
/// If the store fails, or the batch changed a leaf that is not in `ids`.
pub fn leaf_ops_between<B, A>(
    before: &B,
    after: &A,
    ids: impl IntoIterator<Item = LeafId>,
) -> Result<BatchLeafOps, WitnessError>
where
    B: TreeReader + ?Sized,
    A: TreeReader + ?Sized,
{
    let mut touched = Vec::new();
    for id in ids {
        let index = after.index_of(&id)?;
        let new_value = index.map(|i| after.leaf(i)).transpose()?.map(|leaf| leaf.value);
        let created_index = if before.index_of(&id)?.is_none() { index } else { None };
        touched.push(Touched { id, new_value, created_index });
    }
    let result = batch_leaf_ops(before, &touched)?;
    if result.new_state != after.commitment() {
        return Err(WitnessError::OtherState { expected: after.commitment(), got: result.new_state });
    }
    Ok(result)
}

/// The rule that a list of operations breaks; `position` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafOpsError {
    #[error("operation {position}: keys are not strictly ascending")]
    KeysNotAscending { position: usize },
    #[error("operation {position}: the opened leaf has another key")]
    WrongKey { position: usize },
    #[error("operation {position}: the opened leaf is not the predecessor of the key")]
    NotPredecessor { position: usize },
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

/// Checks operations by their paths alone: that they start at `old` and end at `new`, that every leaf is what it is
/// said to be, and that nothing else changes.
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
            return Err(LeafOpsError::KeysNotAscending { position });
        }
        last_key = key;
        match &op.access {
            LeafAccess::Update { opening, new_value } => {
                if opening.leaf.key != key {
                    return Err(LeafOpsError::WrongKey { position });
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
    // Positions are distinct, new and below the new count: the right number of them fills the gap without holes.
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
    if leaf.precedes(key) { Ok(()) } else { Err(LeafOpsError::NotPredecessor { position }) }
}
