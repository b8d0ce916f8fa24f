//! The `BatchWitness`: all that a prover needs to prove one batch, handed from sequencer to prover as plain data.
//! It knows no circuit and no database.

use alloy_primitives::{Address, B256, Bytes};
use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::{
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
    let mut position = index;
    siblings.iter().fold(hash, |node, row| {
        // Less than eight.
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

/// What a batch does to one leaf, relative to the tree that the operations before it left behind.
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
    /// The batch bytes as posted to L1 (DESIGN 3.3).
    pub transactions: Bytes,
    pub global_exit_root: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    pub coinbase: Address,
    /// Value of `lastRollupExitRoot` after the batch.
    pub new_local_exit_root: B256,
    /// Every leaf that the batch touches, once, by ascending key. Touched are: each sender, each recipient, the
    /// coinbase if there is a transaction, the system account's block-number slot, `lastRollupExitRoot`, and
    /// `globalExitRootMap[global_exit_root]` unless that root is zero.
    pub leaf_ops: Vec<LeafOp>,
}
