//! The tree that holds only the sentinel leaf: the one that a genesis is committed on.

use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    constants::{TREE_ARITY, TREE_DEPTH},
    leaf::{Leaf, LeafId, StateCommitment, node_hash},
};

use crate::{
    error::StateError,
    prepare::Base,
    store::Table,
    tree::{Group, TreeReader, zero_hash},
};

/// The tree of one leaf, the sentinel.
pub struct EmptyTree {
    /// The leftmost node of each level.
    left: [Fr; TREE_DEPTH + 1],
}

impl Default for EmptyTree {
    fn default() -> Self {
        let mut left = [Leaf::default().hash(); TREE_DEPTH + 1];
        for level in 0..TREE_DEPTH {
            left[level + 1] = node_hash(&group(left[level], level));
        }
        Self { left }
    }
}

fn group(left: Fr, level: usize) -> Group {
    let mut group = [zero_hash(level); TREE_ARITY];
    group[0] = left;
    group
}

impl TreeReader for EmptyTree {
    fn commitment(&self) -> StateCommitment {
        StateCommitment { tree_root: self.left[TREE_DEPTH], leaf_count: 1 }
    }

    fn index_of(&self, _: &LeafId) -> Result<Option<u64>, StateError> {
        Ok(None)
    }

    fn leaf(&self, index: u64) -> Result<Leaf, StateError> {
        if index.is_zero() { Ok(Leaf::default()) } else { Err(StateError::Corrupt { table: Table::Leaves }) }
    }

    fn predecessor(&self, _: Fr) -> Result<u64, StateError> {
        Ok(0)
    }

    fn children(&self, level: usize, index: u64) -> Result<Group, StateError> {
        if index.is_zero() {
            Ok(group(self.left[level - 1], level - 1))
        } else {
            Ok([zero_hash(level - 1); TREE_ARITY])
        }
    }
}

impl Base for EmptyTree {
    fn leaf_id(&self, _: u64) -> Result<Option<LeafId>, StateError> {
        Ok(None)
    }
}
