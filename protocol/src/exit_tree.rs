//! The bridge's exit tree (append-only Merkle tree, keccak256, depth 32, unused leaves 0), its leaves, and the global exit
//! root. Source: Polygon zkEVM's bridge.

use alloy_primitives::{Address, B256, U256, keccak256};
use serde::{Deserialize, Serialize};

/// Levels between a leaf and the root.
pub const EXIT_TREE_DEPTH: usize = 32;

/// Leaf type of an asset deposit.
pub const LEAF_TYPE_ASSET: u8 = 0;
/// Leaf type of a message.
pub const LEAF_TYPE_MESSAGE: u8 = 1;

/// What one exit leaf commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitLeaf {
    pub leaf_type: u8,
    pub origin_network: u32,
    pub origin_address: Address,
    pub destination_network: u32,
    pub destination_address: Address,
    /// In the smallest unit of the asset: wei for ETH.
    pub amount: U256,
    /// keccak256 of the metadata.
    pub metadata_hash: B256,
}

impl ExitLeaf {
    /// keccak256 of the packed fields.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let mut bytes = [0u8; 113];
        bytes[0] = self.leaf_type;
        bytes[1..5].copy_from_slice(&self.origin_network.to_be_bytes());
        bytes[5..25].copy_from_slice(self.origin_address.as_slice());
        bytes[25..29].copy_from_slice(&self.destination_network.to_be_bytes());
        bytes[29..49].copy_from_slice(self.destination_address.as_slice());
        bytes[49..81].copy_from_slice(&self.amount.to_be_bytes::<32>());
        bytes[81..].copy_from_slice(self.metadata_hash.as_slice());
        keccak256(bytes)
    }
}

/// keccak256(mainnet exit root ‖ rollup exit root).
#[must_use]
pub fn global_exit_root(mainnet_exit_root: B256, rollup_exit_root: B256) -> B256 {
    hash_pair(mainnet_exit_root, rollup_exit_root)
}

fn hash_pair(left: B256, right: B256) -> B256 {
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(left.as_slice());
    bytes[32..].copy_from_slice(right.as_slice());
    keccak256(bytes)
}

/// A Merkle path, from the leaf upward.
pub type ExitProof = [B256; EXIT_TREE_DEPTH];

/// Why a leaf cannot be appended or is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExitTreeError {
    #[error("the exit tree is full: it holds {} leaves", u32::MAX)]
    Full,
    #[error("there is no leaf {index} among the first {leaf_count} of {stored} leaves")]
    NoSuchLeaf { index: u32, leaf_count: u32, stored: u32 },
}

/// The tree with all its leaves, so that a proof against any earlier root can be made.
#[derive(Clone, Debug)]
pub struct ExitTree {
    /// `complete[level][i]` is node i of a level; level 0 holds the leaves. Only nodes whose leaves are all present are
    /// stored.
    complete: Vec<Vec<B256>>,
    /// Roots of subtrees of zero leaves, by level.
    zeros: [B256; EXIT_TREE_DEPTH + 1],
}

impl Default for ExitTree {
    fn default() -> Self {
        let mut zeros = [B256::ZERO; EXIT_TREE_DEPTH + 1];
        for level in 0..EXIT_TREE_DEPTH {
            zeros[level + 1] = hash_pair(zeros[level], zeros[level]);
        }
        Self { complete: vec![Vec::new(); EXIT_TREE_DEPTH], zeros }
    }
}

impl ExitTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    #[must_use]
    pub fn leaf_count(&self) -> u32 {
        // `append` stops at u32::MAX leaves.
        self.complete[0].len() as u32
    }

    /// Appends a leaf and returns its index.
    ///
    /// # Errors
    /// If the tree holds 2³² − 1 leaves, the limit of Polygon's `DepositContract`.
    pub fn append(&mut self, leaf: B256) -> Result<u32, ExitTreeError> {
        let index = self.leaf_count();
        if index == u32::MAX {
            return Err(ExitTreeError::Full);
        }
        let mut node = leaf;
        for level in 0..EXIT_TREE_DEPTH {
            self.complete[level].push(node);
            let nodes = &self.complete[level];
            if nodes.len() % 2 == 1 {
                break;
            }
            node = hash_pair(nodes[nodes.len() - 2], node);
        }
        Ok(index)
    }

    /// The node at `level`, `index` of the tree of the first `count` leaves.
    fn node(&self, level: usize, index: u64, count: u64) -> B256 {
        if index << level >= count {
            return self.zeros[level];
        }
        if let (true, Some(nodes)) = ((index + 1) << level <= count, self.complete.get(level)) {
            return nodes[index as usize];
        }
        // Partly filled, hence level > 0; at most one such node a level.
        hash_pair(self.node(level - 1, 2 * index, count), self.node(level - 1, 2 * index + 1, count))
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.node(EXIT_TREE_DEPTH, 0, u64::from(self.leaf_count()))
    }

    /// The root when only the first `leaf_count` leaves existed.
    ///
    /// # Errors
    /// If there are fewer leaves.
    pub fn root_at(&self, leaf_count: u32) -> Result<B256, ExitTreeError> {
        let stored = self.leaf_count();
        if leaf_count > stored {
            return Err(ExitTreeError::NoSuchLeaf { index: leaf_count - 1, leaf_count, stored });
        }
        Ok(self.node(EXIT_TREE_DEPTH, 0, u64::from(leaf_count)))
    }

    /// The path of leaf `index` in the tree of the first `leaf_count` leaves.
    ///
    /// # Errors
    /// If there is no such leaf.
    pub fn proof_at(&self, index: u32, leaf_count: u32) -> Result<ExitProof, ExitTreeError> {
        let stored = self.leaf_count();
        if index >= leaf_count || leaf_count > stored {
            return Err(ExitTreeError::NoSuchLeaf { index, leaf_count, stored });
        }
        let count = u64::from(leaf_count);
        Ok(std::array::from_fn(|level| self.node(level, (u64::from(index) >> level) ^ 1, count)))
    }

    /// The path of leaf `index` in the whole tree.
    ///
    /// # Errors
    /// If there is no such leaf.
    pub fn proof(&self, index: u32) -> Result<ExitProof, ExitTreeError> {
        self.proof_at(index, self.leaf_count())
    }
}

/// Whether `proof` leads from `leaf` at `index` to `root`.
#[must_use]
pub fn verify_exit_proof(leaf: B256, index: u32, proof: &ExitProof, root: B256) -> bool {
    let computed = proof.iter().enumerate().fold(leaf, |node, (level, sibling)| {
        if index >> level & 1 == 1 { hash_pair(*sibling, node) } else { hash_pair(node, *sibling) }
    });
    computed == root
}
