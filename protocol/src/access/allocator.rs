//! The rule that gives a new leaf its position. The order of new leaves determines the state root, so there is one
//! implementation: the transfer formulas, the executor, the state and the circuit's journal all use [`LeafAllocator`].
//!
//! # Rule
//! 1. An absent leaf is created by the first write that makes it non-empty and is not reverted. It takes the
//!    position that equals the leaf count, and the leaf count grows by one. An account is non-empty by its nonce, its
//!    balance or its code (EIP-161), a slot by any value but 0. Reads create nothing.
//! 2. Writes are ordered as the EVM performs them: sender (nonce, fee, value), recipient or created contract (value),
//!    the writes of the code, inner frames included, and last the coinbase (fee). For a plain transfer that is sender,
//!    recipient, coinbase.
//! 3. A write of a frame that reverts, or whose caller reverts, creates nothing and takes no position.
//! 4. A leaf keeps its position forever, also one that is emptied again in the transaction that created it: a slot
//!    that is written and zeroed, a contract that is created and destroyed. Such a leaf ends with the empty value.
//!
//! Rule 3 can be implemented in two ways that always agree (`protocol/tests/access.rs`). An executor learns of a revert
//! when it happens: it allocates at each write and, on a revert, restores the allocator as it was at the frame's start.
//! No gap remains, because the frame's leaves are the last ones. A circuit that knows beforehand which frames revert
//! allocates nothing inside them.

/// Allocates positions. A copy is a checkpoint: restore the copy made at a frame's start when the frame reverts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafAllocator {
    leaf_count: u64,
}

impl LeafAllocator {
    /// For a tree of `leaf_count` leaves, the sentinel included.
    #[must_use]
    pub const fn new(leaf_count: u64) -> Self {
        Self { leaf_count }
    }

    /// Number of leaves, which is the position that the next new leaf takes.
    #[must_use]
    pub const fn leaf_count(self) -> u64 {
        self.leaf_count
    }

    /// The position, after a write, of the leaf that was at `index` before; both are 0 while it is absent. `is_empty`: the
    /// written value is empty by rule 1.
    pub const fn write(&mut self, index: u64, is_empty: bool) -> u64 {
        if index != 0 || is_empty {
            return index;
        }
        self.leaf_count += 1;
        self.leaf_count - 1
    }
}
