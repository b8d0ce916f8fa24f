//! What a batch itself does to the state, before its transactions and after them: two machines of one row each.
//!
//! | machine | file | accesses |
//! |---|---|---|
//! | [`ExitRoot`] | `exit_root` | `globalExitRootMap[global exit root]`, before the transactions |
//! | [`BatchEnd`] | `batch_end` | block number, `lastRollupExitRoot`, after them |
//!
//! Not checked here: that what is accessed is in the tree (the tree machine's), that the wires of the header are in range
//! (they are hashed).

mod access;
mod batch_end;
mod exit_root;
#[cfg(test)]
mod tests;

pub use self::{
    access::StorageHint,
    batch_end::{BatchEnd, BatchEndRow},
    exit_root::ExitRoot,
};
