//! A shape: how many rows each machine has. It fixes the matrices, and so the key.

use cairn_protocol::resources::{Resource, Rows};
use serde::{Deserialize, Serialize};

use super::Levels;

/// How many rows each machine has, and how deep the state tree's paths go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    pub capacity: Rows,
    /// Levels of the state tree's paths: every leaf is at a position below 8^levels.
    pub levels: Levels,
}

/// keccak-f permutations of a message of `len` bytes: its padding takes at least one byte.
#[must_use]
pub const fn permutations_of(len: usize) -> usize {
    len / 136 + 1
}

impl Shape {
    /// Permutations of a batch's own messages: accumulated input hash, public input.
    pub const BATCH_PERMUTATIONS: usize = permutations_of(124) + permutations_of(212);
    /// Messages of two words of a batch without transactions: the global exit root's slot.
    pub const BATCH_KECCAK_WORDS: usize = 1;
    /// Tree rows of a batch without transactions: global exit root entry (insertion), `lastRollupExitRoot`, block number.
    pub const BATCH_TREE_ROWS: usize = 4;

    /// Room for `n` transfers in the worst case (each to a new account, a new coinbase), with 128 bytes a transfer
    /// (a transfer of usual values takes about 115) and 384 bytes besides; for none, what an empty batch needs. The tree
    /// has at most 2¹⁸ leaves.
    #[must_use]
    pub const fn transfers(n: usize) -> Self {
        // The coinbase is touched if there is a transaction, and may be new.
        let (bytes, coinbase_rows) = if n == 0 { (0, 0) } else { (128 * n + 384, 2) };
        let permutations = n + permutations_of(bytes) + Self::BATCH_PERMUTATIONS;
        let tree_rows = 3 * n + Self::BATCH_TREE_ROWS + coinbase_rows;
        Self {
            capacity: Rows::new(&[
                (Resource::Transactions, n as u64),
                (Resource::Signatures, n as u64),
                (Resource::KeccakPermutations, permutations as u64),
                (Resource::KeccakWords, (n + Self::BATCH_KECCAK_WORDS) as u64),
                (Resource::TreeRows, tree_rows as u64),
                (Resource::Bytes, bytes as u64),
            ]),
            levels: Levels::DEFAULT,
        }
    }

    /// Rows of the machine that `resource` counts.
    #[must_use]
    pub const fn rows(&self, resource: Resource) -> usize {
        self.capacity.get(resource) as usize
    }

    /// The same shape with another number of rows of the machine that `resource` counts.
    #[must_use]
    pub const fn with(self, resource: Resource, rows: usize) -> Self {
        Self { capacity: self.capacity.with(resource, rows as u64), ..self }
    }
}
