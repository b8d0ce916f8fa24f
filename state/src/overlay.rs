//! Changes to a tree in memory, on top of a state that does not change. Commits and batch openings both change leaves
//! here. Not here: the hashing of commits, which takes a group of blocks at once (`prepare`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alloy_primitives::B256;
use cairn_protocol::{
    Fr,
    constants::{TREE_ARITY_BITS, TREE_DEPTH},
    leaf::{Leaf, LeafId, StateCommitment, field_to_b256, node_hash},
};

use crate::{
    error::StateError,
    tree::{CAPACITY, Group, TreeReader, slot_of},
};

/// A tree with changes in memory. [`Overlay::flush`] updates its hashes, each changed node once.
pub struct Overlay<'a, R: ?Sized> {
    base: &'a R,
    leaves: BTreeMap<u64, Leaf>,
    /// New leaves by key, big-endian, so that the order is that of the keys.
    keys: BTreeMap<B256, u64>,
    ids: HashMap<LeafId, u64>,
    groups: HashMap<(usize, u64), Group>,
    dirty: BTreeSet<u64>,
    commitment: StateCommitment,
}

impl<'a, R: TreeReader + ?Sized> Overlay<'a, R> {
    /// `base` without changes.
    pub fn new(base: &'a R) -> Self {
        Self {
            base,
            leaves: BTreeMap::new(),
            keys: BTreeMap::new(),
            ids: HashMap::new(),
            groups: HashMap::new(),
            dirty: BTreeSet::new(),
            commitment: base.commitment(),
        }
    }

    /// Replaces the value of the leaf at `index`.
    ///
    /// # Errors
    /// If the position is unused or the store fails.
    pub fn update(&mut self, index: u64, value: [Fr; 3]) -> Result<(), StateError> {
        let leaf = Leaf { value, ..self.leaf(index)? };
        self.set_leaf(index, leaf);
        Ok(())
    }

    /// Points the leaf `predecessor` at a leaf with `key` that is about to be created at `index`. Returns the
    /// pointers that the new leaf inherits.
    ///
    /// # Errors
    /// If `predecessor` is unused or the store fails.
    pub fn link(&mut self, predecessor: u64, key: Fr, index: u64) -> Result<(Fr, u64), StateError> {
        let old = self.leaf(predecessor)?;
        self.set_leaf(predecessor, Leaf { next_key: key, next_index: index, ..old });
        Ok((old.next_key, old.next_index))
    }

    /// Creates the leaf at `index`; [`Self::link`] has pointed its predecessor there.
    ///
    /// # Errors
    /// If the position is taken, the tree is full, or another leaf has the same key.
    pub fn fill(&mut self, index: u64, id: LeafId, leaf: Leaf) -> Result<(), StateError> {
        let leaf_count = self.commitment.leaf_count;
        if leaf_count >= CAPACITY || index >= CAPACITY {
            return Err(StateError::TreeFull { leaf_count });
        }
        if index < self.base.commitment().leaf_count || self.leaves.contains_key(&index) {
            return Err(StateError::PositionTaken { index, leaf_count });
        }
        let key = field_to_b256(leaf.key);
        // The predecessor's key is smaller; the inherited next key could only be equal to this one if it exists.
        if leaf.next_key == leaf.key || self.keys.contains_key(&key) {
            return Err(StateError::KeyCollision { key });
        }
        self.keys.insert(key, index);
        self.ids.insert(id, index);
        self.commitment.leaf_count += 1;
        self.set_leaf(index, leaf);
        Ok(())
    }

    /// Creates a leaf at `index`.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn insert(&mut self, index: u64, id: LeafId, value: [Fr; 3]) -> Result<(), StateError> {
        let key = id.key();
        let (next_key, next_index) = self.link(self.predecessor(key)?, key, index)?;
        self.fill(index, id, Leaf { key, value, next_key, next_index })
    }

    fn set_leaf(&mut self, index: u64, leaf: Leaf) {
        self.leaves.insert(index, leaf);
        self.dirty.insert(index);
    }

    /// Hashes what changed since the last flush and returns the commitment.
    ///
    /// # Errors
    /// If the store fails.
    pub fn flush(&mut self) -> Result<StateCommitment, StateError> {
        let mut changed: Vec<(u64, Fr)> = std::mem::take(&mut self.dirty)
            .into_iter()
            .filter_map(|index| Some((index, self.leaves.get(&index)?.hash())))
            .collect();
        for level in 1..=TREE_DEPTH {
            let mut parents = Vec::new();
            // Ascending positions: the children of one parent are neighbours.
            for children in changed.chunk_by(|a, b| a.0 >> TREE_ARITY_BITS == b.0 >> TREE_ARITY_BITS) {
                let parent = children[0].0 >> TREE_ARITY_BITS;
                let mut group = self.children(level, parent)?;
                for (index, hash) in children {
                    group[slot_of(*index)] = *hash;
                }
                self.groups.insert((level, parent), group);
                parents.push((parent, node_hash(&group)));
            }
            changed = parents;
        }
        if let Some((_, root)) = changed.first() {
            self.commitment.tree_root = *root;
        }
        Ok(self.commitment)
    }

    /// Positions of the leaves that changed since the last call, ascending. The caller hashes them: a later
    /// [`Self::flush`] does not.
    pub fn take_changed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.dirty)
    }
}

impl<R: TreeReader + ?Sized> TreeReader for Overlay<'_, R> {
    /// As of the last flush; the leaf count is always current.
    fn commitment(&self) -> StateCommitment {
        self.commitment
    }

    fn index_of(&self, id: &LeafId) -> Result<Option<u64>, StateError> {
        match self.ids.get(id) {
            Some(index) => Ok(Some(*index)),
            None => self.base.index_of(id),
        }
    }

    fn leaf(&self, index: u64) -> Result<Leaf, StateError> {
        match self.leaves.get(&index) {
            Some(leaf) => Ok(*leaf),
            None => self.base.leaf(index),
        }
    }

    fn predecessor(&self, key: Fr) -> Result<u64, StateError> {
        let below = self.base.predecessor(key)?;
        match self.keys.range(..field_to_b256(key)).next_back() {
            Some((new_key, index)) if *new_key > field_to_b256(self.leaf(below)?.key) => Ok(*index),
            _ => Ok(below),
        }
    }

    fn children(&self, level: usize, index: u64) -> Result<Group, StateError> {
        match self.groups.get(&(level, index)) {
            Some(group) => Ok(*group),
            None => self.base.children(level, index),
        }
    }
}
