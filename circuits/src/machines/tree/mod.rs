//! The state tree: opens every leaf that a batch touches once against the old root and closes it once against the new
//! root. It provides the journals' first and last rows; the journal constrains the accesses between. It works in the
//! subtree of the shape's [`Levels`](crate::machine::Levels); the levels above are hashed once a batch, not in each row.
//!
//! Source: docs/circuits/tree.md, docs/state.md (indexed Merkle tree, arity 8, depth 10).
//!
//! A row replaces one leaf in the running tree:
//! ```text
//!  root_in ─┬─ old path ── old leaf          one operation on a leaf is       journal
//!           │  same position and siblings    UPDATE   the leaf is there       first = old value, last = new value
//!  root_out ┴─ new path ── new leaf          ABSENT   it is not               first = last = nothing, index 0
//!     │                                      LINK     its predecessor's pointers change
//!  next row's root_in                        APPEND   next row: the leaf      first = nothing, last = new value
//! ```
//!
//! | family | states | constraints a row |
//! |---|---|---|
//! | kind | which of the four a row is; enabled rows come first; LINK is followed by APPEND | 4 |
//! | key | key = Poseidon(1 + storage, address, slot) | 300 |
//! | order | keys of operations increase; opened key ≤ key < next key | 86 |
//! | leaf | what the old and the new leaf hold | 683 |
//! | pair | APPEND continues its LINK | 5 |
//! | path | both leaves' roots at one position | 821 a level |
//! | root | the roots are the running roots | 2 |
//! | journal | first and last rows | 24 |
//!
//! Together 6,030 a row at six levels: a leaf that exists takes one row, a new leaf two. Once a batch, family *top*: the
//! subtree roots before and after lead to the tree roots, 804 a level above and 1.
//!
//! Provides: `Bus::Account`, `Bus::Storage` (first rows sent at time 0, last rows received). Uses: `Bus::Range16`.
//!
//! Not checked here: that values written by the journals are in range (their writers check what they send), that a new
//! leaf's position is the next free one (its writer counts; here the position was empty), that the old root is the
//! batch's (the caller passes it), that an empty account leaves no leaf.

mod constraints;
mod leaf;
mod machine;
mod path;
mod row;
#[cfg(test)]
mod tests;
mod top;
pub mod witness;

pub use self::{
    constraints::synthesize,
    machine::Tree,
    row::{RowKind, TreeRow, TreeRows, TreeShape, Value},
};
