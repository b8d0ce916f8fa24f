//! Reading the indexed Merkle tree: arity 8, depth 10. Levels count upward: leaves are level 0, the root level 10.
//! Nodes are kept as groups, the eight children of a node together, because a path needs whole groups.

use cairn_protocol::{
    Fr,
    constants::{TREE_ARITY, TREE_ARITY_BITS, TREE_CAPACITY},
    leaf::{Leaf, LeafId, StateCommitment},
    state_proof::StateProof,
    witness::{Opening, Siblings},
};

use crate::error::StateError;

pub use cairn_protocol::leaf::zero_hash;

/// The largest number of leaves.
pub const CAPACITY: u64 = TREE_CAPACITY;

/// The eight children of a node.
pub type Group = [Fr; TREE_ARITY];

/// Which child of its parent a node is, 0 to 7.
#[must_use]
pub const fn slot_of(index: u64) -> usize {
    // No truncation: less than eight.
    (index % TREE_ARITY as u64) as usize
}

/// One state of the tree, for reading.
pub trait TreeReader {
    /// Root and leaf count.
    fn commitment(&self) -> StateCommitment;

    /// Position of a leaf, `None` if it is absent.
    ///
    /// # Errors
    /// If the store fails.
    fn index_of(&self, id: &LeafId) -> Result<Option<u64>, StateError>;

    /// The leaf at a used position.
    ///
    /// # Errors
    /// If the position is unused or the store fails.
    fn leaf(&self, index: u64) -> Result<Leaf, StateError>;

    /// Position and value elements of a leaf, `None` if it is absent.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, id: &LeafId) -> Result<Option<(u64, [Fr; 3])>, StateError> {
        let Some(index) = self.index_of(id)? else { return Ok(None) };
        Ok(Some((index, self.leaf(index)?.value)))
    }

    /// Position of the leaf with the largest key below `key`.
    ///
    /// # Errors
    /// If the store fails.
    fn predecessor(&self, key: Fr) -> Result<u64, StateError>;

    /// The children of the node at `level` (1 to [`cairn_protocol::constants::TREE_DEPTH`]) and `index`.
    ///
    /// # Errors
    /// If the store fails.
    fn children(&self, level: usize, index: u64) -> Result<Group, StateError>;

    /// The path of a position, used or not.
    ///
    /// # Errors
    /// If the store fails.
    fn siblings(&self, index: u64) -> Result<Box<Siblings>, StateError> {
        let mut out = Box::new(Siblings::default());
        let mut node = index;
        for (level, row) in out.iter_mut().enumerate() {
            let (parent, own) = (node >> TREE_ARITY_BITS, slot_of(node));
            let group = self.children(level + 1, parent)?;
            let others = group.iter().enumerate().filter(|(i, _)| *i != own);
            for (cell, (_, hash)) in row.iter_mut().zip(others) {
                *cell = *hash;
            }
            node = parent;
        }
        Ok(out)
    }

    /// The leaf at a used position, with its path.
    ///
    /// # Errors
    /// If the position is unused or the store fails.
    fn opening(&self, index: u64) -> Result<Opening, StateError> {
        Ok(Opening { index, leaf: self.leaf(index)?, siblings: self.siblings(index)? })
    }

    /// The opening of a leaf or, if it is absent, of the leaf with the next smaller key.
    ///
    /// # Errors
    /// If the store fails.
    fn prove(&self, id: &LeafId) -> Result<Membership, StateError> {
        match self.index_of(id)? {
            Some(index) => Ok(Membership::Present(self.opening(index)?)),
            None => Ok(Membership::Absent { predecessor: self.opening(self.predecessor(id.key())?)? }),
        }
    }

    /// As [`Self::prove`], as a proof that is verified against the state root alone.
    ///
    /// # Errors
    /// If the store fails.
    fn state_proof(&self, id: &LeafId) -> Result<StateProof, StateError> {
        let (present, opening) = match self.prove(id)? {
            Membership::Present(opening) => (true, opening),
            Membership::Absent { predecessor } => (false, predecessor),
        };
        Ok(StateProof { present, opening, commitment: self.commitment() })
    }
}

/// Proof that a leaf is present or absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    Present(Opening),
    Absent { predecessor: Opening },
}
