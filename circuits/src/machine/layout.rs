//! Where things are in a shape, said once for witness and constraints: names of keccak messages, times of accesses.

use cairn_protocol::resources::Resource;

use super::{Levels, Shape};

/// A shape with what follows from it.
///
/// ```text
/// keccak streams   0 batch │ 1 accumulated input hash │ 2 public input │ 3 … signing payloads
/// journal times    0 tree  │ 1 global exit root │ 2 … 3T + 1 transactions, 3 each │ block number │ lastRollupExitRoot
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    shape: Shape,
}

impl Layout {
    /// Keccak stream of the batch's bytes.
    pub const BATCH_STREAM: u64 = 0;
    /// Keccak stream of the accumulated input hash.
    pub const ACC_INPUT_STREAM: u64 = 1;
    /// Keccak stream of the public input.
    pub const PUBLIC_INPUT_STREAM: u64 = 2;
    /// Keccak stream of the first transaction's signing payload; the others follow.
    pub const FIRST_PAYLOAD_STREAM: u64 = 3;
    /// Time of the global exit root's access.
    pub const EXIT_ROOT_TIME: u64 = 1;
    /// Accesses of a transaction: sender, recipient, coinbase.
    pub const TRANSACTION_ACCESSES: u64 = 3;

    /// Rows of the machine that `resource` counts.
    #[must_use]
    pub const fn rows(&self, resource: Resource) -> usize {
        self.shape.rows(resource)
    }

    /// Levels of the state tree's paths.
    #[must_use]
    pub const fn levels(&self) -> Levels {
        self.shape.levels
    }

    /// Last time before the first transaction: transaction j has the three after this + 3j.
    #[must_use]
    pub const fn transactions_time(&self) -> u64 {
        Self::EXIT_ROOT_TIME
    }

    /// Time of the block number's access.
    #[must_use]
    pub const fn block_number_time(&self) -> u64 {
        let slots = self.rows(Resource::Transactions) as u64;
        self.transactions_time() + Self::TRANSACTION_ACCESSES * slots + 1
    }

    /// Time of the access to `lastRollupExitRoot`, the last of all.
    #[must_use]
    pub const fn local_exit_root_time(&self) -> u64 {
        self.block_number_time() + 1
    }
}

impl From<&Shape> for Layout {
    fn from(shape: &Shape) -> Self {
        Self { shape: *shape }
    }
}
