//! What a transaction costs to prove: its [`Rows`] of the batch circuit's machines, counted from what its execution did.

use std::collections::HashMap;

use alloy_primitives::{Address, B256};
use cairn_protocol::{
    access::{BlockAccess, TouchedLeaf},
    batch::PUBLIC_INPUT_LENGTH,
    leaf::LeafId,
    resources::{Resource, Rows},
    system::{block_number_leaf, global_exit_root_leaf, last_rollup_exit_root_leaf},
    transfer::max_cost_wei,
    tx::DecodedTx,
};

use crate::usage::EvmUsage;

/// Bytes that one keccak-f permutation absorbs.
const KECCAK_RATE: u64 = 136;
/// Input of accInputHash, in bytes.
const ACC_INPUT_BYTES: u64 = 124;

/// Permutations that hashing `length` bytes takes; padding adds at least one byte.
#[must_use]
pub const fn keccak_permutations(length: u64) -> u64 {
    length / KECCAK_RATE + 1
}

/// How full the fullest machine of a circuit with this `capacity` is, from 0 to 1.
#[must_use]
pub fn fill(used: &Rows, capacity: &Rows) -> f64 {
    let shares = used.iter().map(|(resource, used)| (used, capacity[resource])).filter(|(_, of)| *of > 0);
    shares.map(|(used, of)| used as f64 / of as f64).fold(0.0, f64::max).min(1.0)
}

/// Counts a batch while it grows. The parts that depend on the whole batch (hash of the batch bytes, distinct
/// leaves) follow from running totals, so that [`Self::counters`] is exact at any time, but for hashes of two words, which may be fewer.
#[derive(Clone, Debug, Default)]
pub struct BatchMeter {
    transactions: u64,
    bytes: u64,
    /// Signing hashes and KECCAK256.
    other_permutations: u64,
    /// 1 if the slot of a global exit root is hashed.
    system_words: u64,
    /// Leaves that the batch touched, and whether it created them.
    leaves: HashMap<LeafId, bool>,
    created: u64,
    steps: u64,
}

/// What one executed transaction adds to its batch.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    pub tx: &'a DecodedTx,
    /// What it touched.
    pub access: &'a BlockAccess,
    pub usage: EvmUsage,
}

impl BatchMeter {
    /// An empty batch, with a global exit root that is new to L2, or 0.
    #[must_use]
    pub fn new(global_exit_root: B256) -> Self {
        let mut meter = Self::default();
        meter.leaves.insert(block_number_leaf(), false);
        meter.leaves.insert(last_rollup_exit_root_leaf(), false);
        if !global_exit_root.is_zero() {
            meter.leaves.insert(global_exit_root_leaf(global_exit_root), true);
            meter.created = 1;
            // Its slot is a hash of two words.
            meter.system_words = 1;
        }
        meter
    }

    /// An empty batch with a global exit root that is new to L2: which one does not change what it costs.
    #[must_use]
    pub fn with_new_root() -> Self {
        Self::new(B256::with_last_byte(1))
    }

    /// What the batch costs as it is.
    #[must_use]
    pub fn counters(&self) -> Rows {
        self.total(self.leaves.len() as u64, self.created)
    }

    fn total(&self, leaves: u64, created: u64) -> Rows {
        // Batch bytes, accInputHash and public input are hashed once a batch.
        let fixed = keccak_permutations(self.bytes)
            + keccak_permutations(ACC_INPUT_BYTES)
            + keccak_permutations(PUBLIC_INPUT_LENGTH as u64);
        Rows::new(&[
            (Resource::Transactions, self.transactions),
            (Resource::Signatures, self.transactions),
            (Resource::KeccakPermutations, fixed + self.other_permutations),
            // A public key a signature. Equal ones share a row of the circuit, which is not worth recovering keys here:
            // a shape has a row for each signature.
            (Resource::KeccakWords, self.transactions + self.system_words),
            (Resource::TreeRows, leaves + created),
            (Resource::Bytes, self.bytes),
            (Resource::Steps, self.steps),
        ])
    }

    /// The totals with one more transaction, but for its leaves.
    fn grown(&self, work: &Work<'_>) -> Self {
        let payload = work.tx.signing_payload().len() as u64;
        Self {
            transactions: self.transactions + 1,
            bytes: self.bytes + work.tx.raw().len() as u64,
            other_permutations: self.other_permutations
                + keccak_permutations(payload)
                + work.usage.keccak_permutations,
            steps: self.steps + work.usage.steps,
            leaves: HashMap::new(),
            ..*self
        }
    }

    /// What the batch would cost with one more transaction.
    #[must_use]
    pub fn counters_with(&self, work: &Work<'_>) -> Rows {
        let (mut leaves, mut created) = (self.leaves.len() as u64, self.created);
        for leaf in &work.access.leaves {
            let creates = leaf.created.is_some();
            match self.leaves.get(&leaf.id) {
                None => {
                    leaves += 1;
                    created += u64::from(creates);
                }
                Some(before) => created += u64::from(creates && !before),
            }
        }
        self.grown(work).total(leaves, created)
    }

    /// Takes one more transaction.
    pub fn add(&mut self, work: &Work<'_>) {
        let leaves = std::mem::take(&mut self.leaves);
        *self = Self { leaves, ..self.grown(work) };
        for leaf in &work.access.leaves {
            let creates = leaf.created.is_some();
            let before = self.leaves.entry(leaf.id).or_default();
            self.created += u64::from(creates && !*before);
            *before |= creates;
        }
    }

    /// The most that a batch of this plain transfer alone may cost: with a global exit root, and with every account absent that
    /// may be.
    #[must_use]
    pub fn single(tx: &DecodedTx, sender: Address, coinbase: Address) -> Rows {
        let access = worst_access(tx, sender, coinbase);
        Self::with_new_root().counters_with(&Work { tx, access: &access, usage: EvmUsage::default() })
    }
}

/// The accounts that this plain transfer creates if they are absent.
#[must_use]
pub fn may_create(tx: &DecodedTx, sender: Address, coinbase: Address) -> Vec<Address> {
    let created = worst_access(tx, sender, coinbase).leaves.into_iter().filter(|leaf| leaf.created.is_some());
    created
        .filter_map(|leaf| match leaf.id {
            LeafId::Account(address) => Some(address),
            LeafId::Storage(..) => None,
        })
        .collect()
}

/// What a plain transfer touches, with every account absent that may be. A sender has an account unless it pays nothing; who
/// receives nothing gets none. Only whether a leaf is created is said, not where, and no values.
fn worst_access(tx: &DecodedTx, sender: Address, coinbase: Address) -> BlockAccess {
    let leaf = |address, created: bool| TouchedLeaf {
        id: LeafId::Account(address),
        old_value: Default::default(),
        new_value: Default::default(),
        created: created.then_some(0),
    };
    let pays_nothing = max_cost_wei(tx).is_some_and(|cost| cost.is_zero());
    let mut access = BlockAccess { leaves: vec![leaf(sender, pays_nothing && tx.nonce == 0)] };
    let receives = [(tx.to, !tx.value.is_zero()), (Some(coinbase), tx.effective_gas_price() > 0)];
    for (address, receives) in
        receives.into_iter().filter_map(|(address, receives)| Some((address?, receives)))
    {
        match access.leaves.iter_mut().find(|known| known.id == LeafId::Account(address)) {
            // Its account is there, or it pays nothing and there is nothing to receive.
            Some(_) if address == sender => {}
            Some(known) if receives => known.created = Some(0),
            Some(_) => {}
            None => access.leaves.push(leaf(address, receives)),
        }
    }
    access
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
    fn accepts_the_fullest_machine_as_the_fill() {
        let capacity = Rows::new(&[(Resource::Bytes, 200), (Resource::TreeRows, 10)]);
        let used = Rows::new(&[(Resource::Bytes, 50), (Resource::TreeRows, 5), (Resource::Steps, 7)]);
        assert_eq!(fill(&used, &capacity), 0.5, "the circuit has no EVM, which counts for nothing");
        assert_eq!(fill(&used.with(Resource::Bytes, 900), &capacity), 1.0);
        assert_eq!(fill(&used, &Rows::ZERO), 0.0);
    }
}
