//! A row's native values. Nothing here is trusted: the constraints decide.

use ark_ff::Zero;
use cairn_protocol::witness::Siblings;

use crate::machine::Levels;
use crate::{F, gadgets::compare::split};

/// What a row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowKind {
    #[default]
    Disabled,
    /// The leaf exists; its value is replaced.
    Update,
    /// The leaf does not exist: its predecessor is opened and stays as it is.
    Absent,
    /// First half of an insertion: the predecessor's pointers change.
    Link,
    /// Second half, directly after [`RowKind::Link`]: an unused position becomes the new leaf.
    Append,
}

/// A leaf's value in the parts that the journals carry. A storage value has zero nonce and code hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Value {
    pub nonce: u64,
    /// High half of balance or storage value.
    pub hi: u128,
    /// Low half of balance or storage value.
    pub lo: u128,
    pub code_hash: F,
}

impl Value {
    /// Splits leaf elements (low + 2¹²⁸·nonce, high, code hash). Bits that fit nowhere are lost: such a leaf fails its
    /// hash.
    #[must_use]
    pub fn from_fields([v0, v1, v2]: [F; 3]) -> Self {
        let [nonce, lo] = split(v0);
        Self { nonce: nonce as u64, hi: split(v1)[1], lo, code_hash: v2 }
    }
}

/// One replacement of a leaf in the running tree.
#[derive(Clone, Debug, Default)]
pub struct TreeRow {
    pub kind: RowKind,
    /// The operation's key is a storage slot's, not an account's. Boolean by tree.key.storage.
    pub storage: bool,
    /// The operation's address. Any field element: fixed by the key and, if anything changes, by the journal.
    pub address: F,
    /// High half of the slot; 0 for an account by tree.key.slot.
    pub slot_hi: F,
    /// Low half of the slot; 0 for an account by tree.key.slot.
    pub slot_lo: F,
    /// Position of the opened leaf, below 8^levels by tree.path.position.
    pub index: u64,
    /// Its path, shared by the old and the new leaf; the rows use the lowest levels.
    pub siblings: Box<Siblings>,
    /// Key of the opened leaf: the operation's own, or its predecessor's (ABSENT, LINK).
    pub opened_key: F,
    /// Larger neighbour of the opened leaf, 0 if none. APPEND: what the new leaf inherits.
    pub next_key: F,
    /// Position of `next_key`, below 2³⁰ by tree.leaf.range.
    pub next_index: u64,
    /// `next_index` afterwards; differs in LINK only.
    pub new_next_index: u64,
    /// UPDATE: the value before the batch, in range by tree.leaf.range. Else zero.
    pub old: Value,
    /// UPDATE, APPEND: the value after the batch, in range because the journal's writers say so. Else zero.
    pub new: Value,
    /// ABSENT, LINK: the predecessor's value elements, which pass unchanged. Else zero.
    pub passed: [F; 3],
    /// Time of the last access in the journal, 0 if there was none. Fixed by the journal's balance.
    pub last_time: u64,
}

/// How many rows there are, and how deep their paths go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeShape {
    pub rows: usize,
    pub levels: Levels,
}

/// The rows of a batch.
#[derive(Clone, Debug)]
pub struct TreeRows {
    pub levels: Levels,
    /// Root, before the batch, of the subtree that all positions lie in. Fixed by tree.top.root.
    pub subtree: F,
    pub rows: Vec<TreeRow>,
}

impl TreeRows {
    /// Disabled rows only, with 0 for the subtree root: the structure without a satisfying assignment.
    #[must_use]
    pub fn empty(shape: TreeShape) -> Self {
        Self { levels: shape.levels, subtree: F::zero(), rows: vec![TreeRow::default(); shape.rows] }
    }
}

impl TreeRow {
    /// High half that stands in the opened leaf's third element.
    pub(super) fn opened_hi(&self) -> u128 {
        if self.passed[1].is_zero() { self.old.hi } else { split(self.passed[1])[1] }
    }
}
