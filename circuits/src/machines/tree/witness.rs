//! From a batch's leaf operations to rows. Pure. Checks only that they fit the shape: the constraints refuse a
//! wrong operation.

use ark_ff::Zero;
use cairn_protocol::{
    constants::TREE_DEPTH,
    leaf::{LeafId, address_to_field, halves, zero_hash},
    witness::{LeafAccess, LeafOp, Opening, Siblings, fold_levels},
};

use super::row::{RowKind, TreeRow, TreeRows, TreeShape, Value};
use crate::machine::Levels;

/// Why there are no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeRowsError {
    #[error(
        "leaf operations need {needed} tree rows, the shape has {capacity}: prove the batch in a shape with more rows"
    )]
    Capacity { needed: usize, capacity: usize },
    #[error("each operation has one last access time: expected {expected} times, got {got}")]
    Times { expected: usize, got: usize },
    #[error(
        "leaf operation {operation} is at position {position}, the shape's tree paths of {levels} levels reach those \
         below {}: prove the batch in a shape with more levels", levels.positions()
    )]
    Position { operation: usize, position: u64, levels: Levels },
    #[error(
        "leaf operation {operation}: a sibling at level {level} is not an empty subtree, so the tree has leaves above \
         the {} that the shape's tree paths of {levels} levels reach: prove the batch in a shape with more levels",
        levels.positions()
    )]
    Sibling { operation: usize, level: usize, levels: Levels },
}

/// Rows that `ops` take: one each, two for an insertion.
#[must_use]
pub fn rows_needed(ops: &[LeafOp]) -> usize {
    ops.iter().map(|op| if matches!(op.access, LeafAccess::Insert { .. }) { 2 } else { 1 }).sum()
}

/// The shape's rows for `ops`, the unused ones disabled. `last_times[i]` is the journal's time of the last access to
/// the leaf of `ops[i]`, 0 if there was none. Without operations the subtree root is unknown, and the rows are
/// satisfying only if paths have all levels; a batch has some, as it counts its blocks in a leaf.
pub fn rows(ops: &[LeafOp], last_times: &[u64], shape: TreeShape) -> Result<TreeRows, TreeRowsError> {
    if last_times.len() != ops.len() {
        return Err(TreeRowsError::Times { expected: ops.len(), got: last_times.len() });
    }
    let needed = rows_needed(ops);
    if needed > shape.rows {
        return Err(TreeRowsError::Capacity { needed, capacity: shape.rows });
    }
    let levels = shape.levels;
    for (operation, op) in ops.iter().enumerate() {
        check_levels(operation, op, levels)?;
    }
    let subtree = ops.first().map(|op| subtree_root(opening(op), levels)).unwrap_or_default();
    let mut rows = Vec::with_capacity(shape.rows);
    for (op, &last_time) in ops.iter().zip(last_times) {
        push_op(&mut rows, op, last_time);
    }
    rows.resize_with(shape.rows, TreeRow::default);
    Ok(TreeRows { levels, subtree, rows })
}

/// The leaf that `op` opens first.
fn opening(op: &LeafOp) -> &Opening {
    match &op.access {
        LeafAccess::Update { opening, .. } => opening,
        LeafAccess::Insert { predecessor, .. } | LeafAccess::Absent { predecessor } => predecessor,
    }
}

/// All paths of `op` lie in the subtree, which is alone in the tree.
fn check_levels(operation: usize, op: &LeafOp, levels: Levels) -> Result<(), TreeRowsError> {
    let opening = opening(op);
    let appended = match &op.access {
        LeafAccess::Insert { index, siblings, .. } => Some((*index, siblings)),
        LeafAccess::Update { .. } | LeafAccess::Absent { .. } => None,
    };
    for (position, siblings) in std::iter::once((opening.index, &opening.siblings)).chain(appended) {
        if position >= levels.positions() {
            return Err(TreeRowsError::Position { operation, position, levels });
        }
        let siblings: &Siblings = siblings;
        let is_empty = |level: usize| siblings[level].iter().all(|s| *s == zero_hash(level));
        if let Some(level) = (levels.get()..TREE_DEPTH).find(|&level| !is_empty(level)) {
            return Err(TreeRowsError::Sibling { operation, level, levels });
        }
    }
    Ok(())
}

/// Root of the subtree that `opening` lies in.
fn subtree_root(opening: &Opening, levels: Levels) -> crate::F {
    fold_levels(opening.leaf.hash(), opening.index, &opening.siblings[..levels.get()])
}

fn push_op(rows: &mut Vec<TreeRow>, op: &LeafOp, last_time: u64) {
    let base = identity(op.id);
    match &op.access {
        LeafAccess::Update { opening, new_value } => rows.push(TreeRow {
            kind: RowKind::Update,
            old: Value::from_fields(opening.leaf.value),
            new: Value::from_fields(*new_value),
            last_time,
            ..opened(base, opening)
        }),
        LeafAccess::Absent { predecessor } => rows.push(TreeRow {
            kind: RowKind::Absent,
            passed: predecessor.leaf.value,
            last_time,
            ..opened(base, predecessor)
        }),
        LeafAccess::Insert { predecessor, index, siblings, new_value } => {
            rows.push(TreeRow {
                kind: RowKind::Link,
                passed: predecessor.leaf.value,
                new_next_index: *index,
                ..opened(base.clone(), predecessor)
            });
            rows.push(TreeRow {
                kind: RowKind::Append,
                index: *index,
                siblings: siblings.clone(),
                opened_key: op.id.key(),
                next_key: predecessor.leaf.next_key,
                next_index: predecessor.leaf.next_index,
                new_next_index: predecessor.leaf.next_index,
                new: Value::from_fields(*new_value),
                last_time,
                ..base
            });
        }
    }
}

fn identity(id: LeafId) -> TreeRow {
    let (storage, address, (slot_hi, slot_lo)) = match id {
        LeafId::Account(address) => (false, address, Default::default()),
        LeafId::Storage(address, slot) => (true, address, halves(slot)),
    };
    TreeRow { storage, address: address_to_field(address), slot_hi, slot_lo, ..TreeRow::default() }
}

fn opened(base: TreeRow, opening: &Opening) -> TreeRow {
    TreeRow {
        index: opening.index,
        siblings: opening.siblings.clone(),
        opened_key: opening.leaf.key,
        next_key: opening.leaf.next_key,
        next_index: opening.leaf.next_index,
        new_next_index: opening.leaf.next_index,
        ..base
    }
}

/// (high, low) of the integer that stands for a next key: r itself, the second representative of 0, if there is none.
pub(super) fn limit(next_key: crate::F) -> [u128; 2] {
    if next_key.is_zero() {
        crate::gadgets::compare::modulus()
    } else {
        crate::gadgets::compare::split(next_key)
    }
}
