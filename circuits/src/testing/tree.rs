//! A small indexed Merkle tree in memory: the independent reference of the tree machine, and the source of leaf
//! operations for other machines' tests. Format: `cairn_protocol::leaf`.

use std::collections::{BTreeMap, HashMap};

use ark_ff::Zero;
use cairn_protocol::{
    constants::{TREE_ARITY, TREE_ARITY_BITS, TREE_DEPTH},
    leaf::{Leaf, LeafId, StateCommitment, node_hash},
    witness::{LeafAccess, LeafOp, Opening, Siblings},
};

use crate::F;

/// The tree; nodes that were never written have the hash of an empty subtree.
#[derive(Clone, Debug)]
pub struct ReferenceTree {
    leaves: Vec<Leaf>,
    positions: BTreeMap<F, u64>,
    /// (level, position) → hash, level 0 being leaves.
    nodes: HashMap<(usize, u64), F>,
    empty: Vec<F>,
}

impl Default for ReferenceTree {
    fn default() -> Self {
        Self::new()
    }
}

impl ReferenceTree {
    /// The tree that holds the sentinel only.
    #[must_use]
    pub fn new() -> Self {
        let mut empty = vec![F::zero()];
        for level in 0..TREE_DEPTH {
            empty.push(node_hash(&[empty[level]; TREE_ARITY]));
        }
        let mut tree = Self { leaves: vec![], positions: BTreeMap::new(), nodes: HashMap::new(), empty };
        tree.push(Leaf::default());
        tree
    }

    fn node(&self, level: usize, position: u64) -> F {
        self.nodes.get(&(level, position)).copied().unwrap_or(self.empty[level])
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> F {
        self.node(TREE_DEPTH, 0)
    }

    /// The root of the subtree of the first 8^level positions.
    #[must_use]
    pub fn subtree_root(&self, level: usize) -> F {
        self.node(level, 0)
    }

    /// Root and leaf count.
    #[must_use]
    pub fn commitment(&self) -> StateCommitment {
        StateCommitment { tree_root: self.root(), leaf_count: self.leaves.len() as u64 }
    }

    /// The path of a position, used or not.
    #[must_use]
    pub fn siblings(&self, index: u64) -> Box<Siblings> {
        let mut siblings = Box::new(Siblings::default());
        let mut position = index;
        for (level, row) in siblings.iter_mut().enumerate() {
            let first = position >> TREE_ARITY_BITS << TREE_ARITY_BITS;
            let others = (first..first + TREE_ARITY as u64).filter(|&p| p != position);
            row.iter_mut().zip(others).for_each(|(s, p)| *s = self.node(level, p));
            position >>= TREE_ARITY_BITS;
        }
        siblings
    }

    /// The leaf at a used position with its path.
    ///
    /// # Panics
    /// If the position is unused.
    #[must_use]
    pub fn opening(&self, index: u64) -> Opening {
        Opening { index, leaf: self.leaves[index as usize], siblings: self.siblings(index) }
    }

    /// Position of a key.
    #[must_use]
    pub fn position(&self, key: F) -> Option<u64> {
        self.positions.get(&key).copied()
    }

    /// Position of the largest key below `key`; the sentinel's if `key` is 0.
    #[must_use]
    pub fn predecessor(&self, key: F) -> u64 {
        self.positions.range(..key).next_back().map_or(0, |(_, &position)| position)
    }

    fn set(&mut self, index: u64, leaf: Leaf) {
        self.leaves[index as usize] = leaf;
        self.positions.insert(leaf.key, index);
        self.nodes.insert((0, index), leaf.hash());
        let mut position = index;
        for level in 1..=TREE_DEPTH {
            position >>= TREE_ARITY_BITS;
            let first = position << TREE_ARITY_BITS;
            let children = std::array::from_fn(|i| self.node(level - 1, first + i as u64));
            self.nodes.insert((level, position), node_hash(&children));
        }
    }

    fn push(&mut self, leaf: Leaf) {
        let index = self.leaves.len() as u64;
        self.put(index, leaf);
    }

    /// Sets a position that may lie beyond the last used one: positions are given out in the journal's order, leaves are
    /// written in the order of their keys.
    fn put(&mut self, index: u64, leaf: Leaf) {
        if self.leaves.len() <= index as usize {
            self.leaves.resize(index as usize + 1, Leaf::default());
        }
        self.set(index, leaf);
    }

    /// Puts any leaf at a position, as a forger would: neither keys nor pointers of others follow.
    pub fn replace(&mut self, index: u64, leaf: Leaf) {
        self.put(index, leaf);
    }

    /// Writes a value, inserting the leaf if it is absent, and returns what was done.
    pub fn write(&mut self, id: LeafId, new_value: [F; 3]) -> LeafOp {
        self.write_at(id, self.leaves.len() as u64, new_value)
    }

    /// Writes a value, inserting the leaf at `index` if it is absent, and returns what was done.
    pub fn write_at(&mut self, id: LeafId, index: u64, new_value: [F; 3]) -> LeafOp {
        let key = id.key();
        if let Some(index) = self.position(key) {
            let opening = self.opening(index);
            self.set(index, Leaf { value: new_value, ..opening.leaf });
            return LeafOp { id, access: LeafAccess::Update { opening, new_value } };
        }
        let predecessor = self.opening(self.predecessor(key));
        self.set(predecessor.index, Leaf { next_key: key, next_index: index, ..predecessor.leaf });
        let siblings = self.siblings(index);
        self.put(index, Leaf { key, value: new_value, ..predecessor.leaf });
        LeafOp { id, access: LeafAccess::Insert { predecessor, index, siblings, new_value } }
    }

    /// Opens a leaf without changing it, present or absent.
    #[must_use]
    pub fn read(&self, id: LeafId) -> LeafOp {
        let access = match self.position(id.key()) {
            Some(index) => {
                let opening = self.opening(index);
                let new_value = opening.leaf.value;
                LeafAccess::Update { opening, new_value }
            }
            None => LeafAccess::Absent { predecessor: self.opening(self.predecessor(id.key())) },
        };
        LeafOp { id, access }
    }

    /// Reads (`None`) and writes in key order, as a batch does.
    pub fn batch(&mut self, accesses: &[(LeafId, Option<[F; 3]>)]) -> Vec<LeafOp> {
        let mut sorted = accesses.to_vec();
        sorted.sort_by_key(|(id, _)| id.key());
        let apply = |(id, value): (LeafId, Option<[F; 3]>)| match value {
            Some(value) => self.write(id, value),
            None => self.read(id),
        };
        sorted.into_iter().map(apply).collect()
    }
}
