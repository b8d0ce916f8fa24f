//! The `BatchWitness`: all that a prover needs to prove one batch, handed from sequencer to prover as plain data.
//! Not here: how its openings are made and checked (`state/src/witness.rs`), and the rows of the circuit's machines.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes};
use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::{
    access::{AccessError, BlockAccess, TouchedLeaf},
    constants::{TREE_ARITY, TREE_ARITY_BITS, TREE_DEPTH},
    leaf::{Leaf, LeafId, StateCommitment, node_hash},
};

/// Version of the serialised form.
pub const BATCH_WITNESS_VERSION: u16 = 2;

/// A Merkle path: for each level, from the leaf upward, the node's seven siblings in position order.
pub type Siblings = [[Fr; TREE_ARITY - 1]; TREE_DEPTH];

/// The root that a path leads to from the hash of the leaf at `index`.
#[must_use]
pub fn fold_path(hash: Fr, index: u64, siblings: &Siblings) -> Fr {
    fold_levels(hash, index, siblings)
}

/// As [`fold_path`] for the lowest `siblings.len()` levels only: the root of that subtree.
#[must_use]
pub fn fold_levels(hash: Fr, index: u64, siblings: &[[Fr; TREE_ARITY - 1]]) -> Fr {
    let mut position = index;
    siblings.iter().fold(hash, |node, row| {
        // No truncation: less than eight.
        let own = (position % TREE_ARITY as u64) as usize;
        position >>= TREE_ARITY_BITS;
        let children: [Fr; TREE_ARITY] = std::array::from_fn(|slot| match slot.cmp(&own) {
            std::cmp::Ordering::Less => row[slot],
            std::cmp::Ordering::Equal => node,
            std::cmp::Ordering::Greater => row[slot - 1],
        });
        node_hash(&children)
    })
}

/// A leaf with its position and path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub index: u64,
    #[serde(with = "crate::serde_field::leaf")]
    pub leaf: Leaf,
    #[serde(with = "crate::serde_field::siblings")]
    pub siblings: Box<Siblings>,
}

impl Opening {
    /// The root that the leaf and its path lead to.
    #[must_use]
    pub fn root(&self) -> Fr {
        fold_path(self.leaf.hash(), self.index, &self.siblings)
    }
}

/// What a batch does to one leaf, relative to the tree after the operations before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeafAccess {
    /// The leaf exists: its value is replaced (possibly by itself).
    Update {
        opening: Opening,
        #[serde(with = "crate::serde_field::value")]
        new_value: [Fr; 3],
    },
    /// The leaf is absent and is created at `index`: the predecessor's pointers change, then the zero leaf at `index`
    /// (path in `siblings`, after the predecessor's change) becomes the new leaf, which inherits the old pointers.
    Insert {
        predecessor: Opening,
        index: u64,
        #[serde(with = "crate::serde_field::siblings")]
        siblings: Box<Siblings>,
        #[serde(with = "crate::serde_field::value")]
        new_value: [Fr; 3],
    },
    /// The leaf is absent and stays so.
    Absent { predecessor: Opening },
}

/// One touched leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafOp {
    pub id: LeafId,
    pub access: LeafAccess,
}

/// Everything that is needed to prove one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchWitness {
    /// [`BATCH_WITNESS_VERSION`].
    pub version: u16,
    pub chain_id: u64,
    pub fork_id: u64,
    /// The batch that is proven: `initNumBatch` + 1 = `finalNewBatch`.
    pub batch_number: u64,
    pub old_acc_input_hash: B256,
    #[serde(with = "crate::serde_field::commitment")]
    pub old_state: StateCommitment,
    #[serde(with = "crate::serde_field::commitment")]
    pub new_state: StateCommitment,
    /// The batch bytes as posted to L1.
    pub transactions: Bytes,
    pub global_exit_root: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    pub coinbase: Address,
    /// Value of `lastRollupExitRoot` after the batch.
    pub new_local_exit_root: B256,
    /// What each block touched, as its execution recorded it. A batch without blocks has one record, of the accesses that
    /// belong to the batch itself.
    pub accesses: Vec<BlockAccess>,
    /// The openings of every leaf in `accesses`, once, by ascending key.
    pub leaf_ops: Vec<LeafOp>,
}

/// How a batch's access records and its openings differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessAccessError {
    #[error(transparent)]
    Records(#[from] AccessError),
    #[error("leaf {id:?} is in an access record, but is not opened")]
    NotOpened { id: LeafId },
    #[error("leaf {id:?} is opened, but is in no access record")]
    NotTouched { id: LeafId },
    #[error("the opening and the access record of a leaf differ: expected {expected:?}, got {got:?}")]
    OpenedOtherwise {
        /// By the access record.
        expected: Box<TouchedLeaf>,
        /// By the opening.
        got: Box<TouchedLeaf>,
    },
}

impl BatchWitness {
    /// Checks, without hashing, that access records and openings have the same leaves, values and positions. A witness
    /// that fails this cannot be proven; the error names the leaf.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_accesses(&self) -> Result<(), WitnessAccessError> {
        let recorded = BlockAccess::merge(&self.accesses)?;
        let mut unopened: HashMap<LeafId, TouchedLeaf> =
            recorded.leaves.into_iter().map(|leaf| (leaf.id, leaf)).collect();
        for LeafOp { id, access } in &self.leaf_ops {
            let expected = unopened.remove(id).ok_or(WitnessAccessError::NotTouched { id: *id })?;
            let empty = <[Fr; 3]>::default();
            let (old_value, new_value, created) = match access {
                LeafAccess::Update { opening, new_value } => (opening.leaf.value, *new_value, None),
                LeafAccess::Insert { index, new_value, .. } => (empty, *new_value, Some(*index)),
                LeafAccess::Absent { .. } => (empty, empty, None),
            };
            let got = TouchedLeaf { id: *id, old_value, new_value, created };
            if got != expected {
                return Err(WitnessAccessError::OpenedOtherwise {
                    expected: Box::new(expected),
                    got: Box::new(got),
                });
            }
        }
        match unopened.into_keys().min() {
            Some(id) => Err(WitnessAccessError::NotOpened { id }),
            None => Ok(()),
        }
    }
}
