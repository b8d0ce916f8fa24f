//! From a batch's leaf operations to rows. Pure; believes everything: what is wrong fails a constraint.

use ark_ff::Zero;
use cairn_protocol::{
    leaf::{LeafId, address_to_field, halves},
    witness::{LeafAccess, LeafOp, Opening},
};

use super::row::{RowKind, TreeRow, Value};

/// Why there are no rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeRowsError {
    #[error("leaf operations need {needed} tree rows, the shape has {capacity}")]
    Capacity { needed: usize, capacity: usize },
    #[error("one last access time an operation: expected {expected}, got {got}")]
    Times { expected: usize, got: usize },
}

/// Rows that `ops` take: one each, two for an insertion.
#[must_use]
pub fn rows_needed(ops: &[LeafOp]) -> usize {
    ops.iter().map(|op| if matches!(op.access, LeafAccess::Insert { .. }) { 2 } else { 1 }).sum()
}

/// `capacity` rows for `ops`, the unused ones disabled. `last_times[i]` is the journal's time of the last access to
/// the leaf of `ops[i]`, 0 if there was none.
pub fn rows(ops: &[LeafOp], last_times: &[u64], capacity: usize) -> Result<Vec<TreeRow>, TreeRowsError> {
    if last_times.len() != ops.len() {
        return Err(TreeRowsError::Times { expected: ops.len(), got: last_times.len() });
    }
    let needed = rows_needed(ops);
    if needed > capacity {
        return Err(TreeRowsError::Capacity { needed, capacity });
    }
    let mut rows = Vec::with_capacity(capacity);
    for (op, &last_time) in ops.iter().zip(last_times) {
        push_op(&mut rows, op, last_time);
    }
    rows.resize_with(capacity, TreeRow::default);
    Ok(rows)
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
