//! The one rule by which a new leaf gets its position. The order of new leaves decides the root, so nothing else may
//! decide it: the transfer formulas, the executor, the state and the circuit's journal all ask [`LeafAllocator`].
//!
//! # Rule
//! 1. An absent leaf is created by the first write that makes it non-empty and that no frame undoes. It takes the
//!    position that equals the leaf count, and the leaf count grows by one. An account is non-empty by its nonce, its
//!    balance or its code (EIP-161), a slot by any value but 0. Reads create nothing.
//! 2. Writes are ordered as the EVM performs them: the sender pays, value moves to the recipient or to the contract
//!    that is created, then what the code writes, inner frames included, and at the end the coinbase earns. For a plain
//!    transfer that is sender, recipient, coinbase.
//! 3. A write of a frame that reverts, or whose caller reverts, creates nothing and takes no position.
//! 4. A leaf keeps its position forever, also one that is emptied again in the transaction that created it: a slot
//!    that is written and zeroed, a contract that is created and destroyed. Such a leaf ends with the empty value.
//!
//! Rule 3 can be followed in two ways that always agree (`protocol/tests/access.rs`). Who learns of a revert when it
//! happens gives positions out at the write and, on the revert, puts back the allocator of the frame's start: what the
//! frame created lies at the end, so the count falls back without a gap. Who knows beforehand that a frame will revert,
//! as a circuit does that carries the frame's revert time, gives out nothing inside the frame.

/// See the module. A copy is a checkpoint: a frame that reverts puts back the copy of its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafAllocator {
    leaf_count: u64,
}

impl LeafAllocator {
    /// Where the tree holds `leaf_count` leaves, the sentinel included.
    #[must_use]
    pub const fn new(leaf_count: u64) -> Self {
        Self { leaf_count }
    }

    /// Number of leaves, which is the position that the next new leaf takes.
    #[must_use]
    pub const fn leaf_count(self) -> u64 {
        self.leaf_count
    }

    /// The position after a write to the leaf that was at `index` before; 0 stands for absent on both sides.
    pub const fn write(&mut self, index: u64, is_empty: bool) -> u64 {
        if index != 0 || is_empty {
            return index;
        }
        self.leaf_count += 1;
        self.leaf_count - 1
    }
}
