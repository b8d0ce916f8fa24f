//! What a transaction costs to prove, counted in rows of the batch circuit's machines, and what a shape has room for.

use std::{collections::HashMap, fmt};

use alloy_primitives::Address;
use cairn_protocol::{batch::PUBLIC_INPUT_LENGTH, leaf::LeafId, tx::DecodedTx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::usage::EvmUsage;

/// Bytes that one keccak-f permutation absorbs.
const KECCAK_RATE: u64 = 136;
/// Input of accInputHash, in bytes.
const ACC_INPUT_BYTES: u64 = 124;
/// Input of a mapping slot, in bytes.
const MAPPING_SLOT_BYTES: u64 = 64;
/// An uncompressed public key without its prefix, in bytes.
const PUBLIC_KEY_BYTES: u64 = 64;

/// Permutations that hashing `length` bytes takes; padding adds at least one byte.
#[must_use]
pub const fn keccak_permutations(length: u64) -> u64 {
    length / KECCAK_RATE + 1
}

/// Rows of a batch, by machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Transactions.
    pub slots: u64,
    pub signatures: u64,
    pub keccak_permutations: u64,
    /// Replacements in the tree: one for a leaf that exists or stays absent, two for one that is created.
    pub tree_rows: u64,
    /// Batch bytes.
    pub bytes: u64,
    /// EVM steps.
    pub steps: u64,
}

/// Capacity of a circuit shape, in the same units as [`Counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapeCapacity {
    /// Transactions.
    pub slots: u64,
    pub signatures: u64,
    pub keccak_permutations: u64,
    pub tree_rows: u64,
    pub bytes: u64,
    /// EVM steps; 0 in a shape for transfers alone.
    pub steps: u64,
}

/// A machine of the batch circuit, named in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Slots,
    Signatures,
    KeccakPermutations,
    TreeRows,
    Bytes,
    Steps,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slots => "transaction slots",
            Self::Signatures => "signatures",
            Self::KeccakPermutations => "keccak permutations",
            Self::TreeRows => "tree rows",
            Self::Bytes => "bytes",
            Self::Steps => "EVM steps",
        })
    }
}

/// The first machine that is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("needs {needed} {resource}, the circuit has {capacity}")]
pub struct CapacityExceeded {
    pub resource: Resource,
    pub needed: u64,
    pub capacity: u64,
}

impl ShapeCapacity {
    /// Whether a batch with these counters can be proven.
    ///
    /// # Errors
    /// Names the first machine that is too small.
    pub fn check(&self, counters: &Counters) -> Result<(), CapacityExceeded> {
        match self.pairs(counters).into_iter().find(|(_, needed, capacity)| needed > capacity) {
            None => Ok(()),
            Some((resource, needed, capacity)) => Err(CapacityExceeded { resource, needed, capacity }),
        }
    }

    /// How full the fullest machine is, from 0 to 1.
    #[must_use]
    pub fn fill(&self, counters: &Counters) -> f64 {
        let used = self.pairs(counters).into_iter().filter(|(_, _, capacity)| *capacity > 0);
        used.map(|(_, needed, capacity)| needed as f64 / capacity as f64).fold(0.0, f64::max).min(1.0)
    }

    const fn pairs(&self, counters: &Counters) -> [(Resource, u64, u64); 6] {
        [
            (Resource::Slots, counters.slots, self.slots),
            (Resource::Signatures, counters.signatures, self.signatures),
            (Resource::KeccakPermutations, counters.keccak_permutations, self.keccak_permutations),
            (Resource::TreeRows, counters.tree_rows, self.tree_rows),
            (Resource::Bytes, counters.bytes, self.bytes),
            (Resource::Steps, counters.steps, self.steps),
        ]
    }
}

/// Counts a batch while it grows. The parts that depend on the whole batch (hash of the batch bytes, distinct
/// leaves) follow from running totals, so that [`Self::counters`] is exact at any time.
#[derive(Clone, Debug, Default)]
pub struct BatchMeter {
    transactions: u64,
    bytes: u64,
    /// Signing hashes, addresses of public keys, the slot of the global exit root, and KECCAK256.
    other_permutations: u64,
    /// Leaves that transactions touched, and whether the batch created them.
    leaves: HashMap<LeafId, bool>,
    created: u64,
    system_rows: u64,
    steps: u64,
}

/// What one executed transaction adds to its batch.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    pub tx: &'a DecodedTx,
    /// Every leaf that it touched, and whether it created it.
    pub touched: &'a [(LeafId, bool)],
    pub usage: EvmUsage,
}

impl BatchMeter {
    /// An empty batch, with or without a global exit root that is new to L2.
    #[must_use]
    pub fn new(with_global_exit_root: bool) -> Self {
        // Block number and lastRollupExitRoot: an update and a read. A new global exit root: an insertion.
        let (other_permutations, system_rows) =
            if with_global_exit_root { (keccak_permutations(MAPPING_SLOT_BYTES), 4) } else { (0, 2) };
        Self { other_permutations, system_rows, ..Self::default() }
    }

    /// What the batch costs as it is.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.total(self.leaves.len() as u64, self.created)
    }

    fn total(&self, leaves: u64, created: u64) -> Counters {
        // Batch bytes, accInputHash and public input are hashed once a batch.
        let fixed = keccak_permutations(self.bytes)
            + keccak_permutations(ACC_INPUT_BYTES)
            + keccak_permutations(PUBLIC_INPUT_LENGTH as u64);
        Counters {
            slots: self.transactions,
            signatures: self.transactions,
            keccak_permutations: fixed + self.other_permutations,
            tree_rows: self.system_rows + leaves + created,
            bytes: self.bytes,
            steps: self.steps,
        }
    }

    /// The totals with one more transaction, but for its leaves.
    fn grown(&self, work: &Work<'_>) -> Self {
        let payload = work.tx.signing_payload().len() as u64;
        Self {
            transactions: self.transactions + 1,
            bytes: self.bytes + work.tx.raw().len() as u64,
            other_permutations: self.other_permutations
                + keccak_permutations(payload)
                + keccak_permutations(PUBLIC_KEY_BYTES)
                + work.usage.keccak_permutations,
            steps: self.steps + work.usage.steps,
            leaves: HashMap::new(),
            ..*self
        }
    }

    /// What the batch would cost with one more transaction.
    #[must_use]
    pub fn counters_with(&self, work: &Work<'_>) -> Counters {
        let (mut leaves, mut created) = (self.leaves.len() as u64, self.created);
        for (id, creates) in work.touched {
            match self.leaves.get(id) {
                None => {
                    leaves += 1;
                    created += u64::from(*creates);
                }
                Some(before) => created += u64::from(*creates && !before),
            }
        }
        self.grown(work).total(leaves, created)
    }

    /// Takes one more transaction.
    pub fn add(&mut self, work: &Work<'_>) {
        let leaves = std::mem::take(&mut self.leaves);
        *self = Self { leaves, ..self.grown(work) };
        for (id, creates) in work.touched {
            let before = self.leaves.entry(*id).or_default();
            self.created += u64::from(*creates && !*before);
            *before |= *creates;
        }
    }

    /// The most that a batch of this plain transfer alone may cost: with a global exit root, recipient and coinbase new.
    #[must_use]
    pub fn single(tx: &DecodedTx, sender: Address, coinbase: Address) -> Counters {
        let mut touched = vec![(LeafId::Account(sender), false)];
        for address in tx.to.into_iter().chain([coinbase]) {
            match touched.iter_mut().find(|(id, _)| *id == LeafId::Account(address)) {
                Some((_, created)) => *created = true,
                None => touched.push((LeafId::Account(address), true)),
            }
        }
        Self::new(true).counters_with(&Work { tx, touched: &touched, usage: EvmUsage::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_permutation_count_at_the_rate() {
        assert_eq!(keccak_permutations(0), 1);
        assert_eq!(keccak_permutations(135), 1);
        assert_eq!(keccak_permutations(136), 2);
        assert_eq!(keccak_permutations(212), 2);
    }

    #[test]
    fn rejects_the_first_machine_that_is_too_small() {
        let capacity = ShapeCapacity {
            slots: 1,
            signatures: 1,
            keccak_permutations: 6,
            tree_rows: 5,
            bytes: 200,
            steps: 0,
        };
        let mut counters =
            Counters { slots: 1, signatures: 1, keccak_permutations: 6, tree_rows: 5, bytes: 200, steps: 0 };
        assert_eq!(capacity.check(&counters), Ok(()));
        counters.tree_rows = 6;
        let error = capacity.check(&counters).unwrap_err();
        assert_eq!(error, CapacityExceeded { resource: Resource::TreeRows, needed: 6, capacity: 5 });
    }
}
