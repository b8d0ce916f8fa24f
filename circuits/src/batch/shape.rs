//! A shape: how many rows each machine has. It fixes the matrices, and so the key.

use serde::{Deserialize, Serialize};

/// Capacities of the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Transactions, and with them signatures.
    pub transactions: usize,
    /// Bytes of the batch.
    pub bytes: usize,
    /// Permutations of keccak-f\[1600\], each with one absorbed block.
    pub permutations: usize,
    /// Replacements in the state tree: one for an update or a proof of absence, two for an insertion.
    pub tree_rows: usize,
}

/// keccak-f permutations of a message of `len` bytes: its padding takes at least one byte.
#[must_use]
pub const fn permutations_of(len: usize) -> usize {
    len / 136 + 1
}

impl Shape {
    /// Permutations of a batch's own messages: accumulated input hash, public input, global exit root slot.
    pub const BATCH_PERMUTATIONS: usize = permutations_of(124) + permutations_of(212) + permutations_of(64);
    /// Tree rows of a batch without transactions: global exit root entry (insertion), `lastRollupExitRoot`, block number.
    pub const BATCH_TREE_ROWS: usize = 4;

    /// Room for `n` transfers in the worst case (each to a new account, a new coinbase), with 128 bytes a transfer
    /// (a transfer of usual values takes about 115) and 384 bytes besides.
    #[must_use]
    pub const fn transfers(n: usize) -> Self {
        let bytes = 128 * n + 384;
        Self {
            transactions: n,
            bytes,
            permutations: 2 * n + permutations_of(bytes) + Self::BATCH_PERMUTATIONS,
            tree_rows: 3 * n + Self::BATCH_TREE_ROWS + 2,
        }
    }
}
