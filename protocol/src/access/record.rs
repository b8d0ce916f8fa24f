//! The leaves that a block or a batch touched, as its execution recorded them: nothing else derives them from the
//! transactions.

use std::{
    collections::{HashMap, hash_map::Entry},
    convert::Infallible,
};

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use super::LeafAllocator;
use crate::leaf::LeafId;

/// One access to the tree: the leaf, and the value elements that a write stores; `None` is a read.
pub type Access = (LeafId, Option<[Fr; 3]>);

/// A leaf that was read or written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedLeaf {
    pub id: LeafId,
    /// The value elements before, all zero if the leaf was absent.
    #[serde(with = "crate::serde_field::value")]
    pub old_value: [Fr; 3],
    /// The value elements after, all zero if the leaf is still absent.
    #[serde(with = "crate::serde_field::value")]
    pub new_value: [Fr; 3],
    /// The leaf's position if it was created, else `None`. A created leaf may end with the empty value.
    pub created: Option<u64>,
}

/// Every leaf that a block touched, once, in the order of first access.
///
/// A leaf is touched if it must be opened to prove the block, even if it did not change or the frame that accessed it
/// reverted. In order:
///
/// 1. `globalExitRootMap` of the batch's global exit root, if the block is the first of a batch and that root is not 0;
/// 2. what the transaction accesses: sender; recipient or created contract; each address of the access list, followed
///    by its slots; every other account and slot that the EVM loads, in that order; the coinbase, last unless it came
///    before;
/// 3. the block number;
/// 4. `lastRollupExitRoot`, which the batch that ends with this block shows to L1.
///
/// An instruction that runs out of gas on its cold access (EIP-2929) touches nothing. A precompile is touched by a call
/// or an opcode that reads its account, not by being warm. Executed code has no entry of its own: the leaf of its account
/// holds the code hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockAccess {
    pub leaves: Vec<TouchedLeaf>,
}

/// Why records are not those of consecutive blocks; `record` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("record {record}: the old value of leaf {id:?} is not the new value of the record before")]
    ValueNotContinued { record: usize, id: LeafId },
    #[error("record {record}: leaf {id:?} is created, but an earlier record has created it")]
    CreatedTwice { record: usize, id: LeafId },
}

impl BlockAccess {
    /// Merges the records of consecutive blocks into one.
    ///
    /// # Errors
    /// If the blocks are not consecutive.
    pub fn merge<'a>(blocks: impl IntoIterator<Item = &'a Self>) -> Result<Self, AccessError> {
        let mut merged = Self::default();
        let mut places: HashMap<LeafId, usize> = HashMap::new();
        for (record, leaf) in
            blocks.into_iter().enumerate().flat_map(|(n, block)| block.leaves.iter().map(move |l| (n, l)))
        {
            let known = match places.entry(leaf.id) {
                Entry::Vacant(vacant) => {
                    vacant.insert(merged.leaves.len());
                    merged.leaves.push(leaf.clone());
                    continue;
                }
                Entry::Occupied(place) => &mut merged.leaves[*place.get()],
            };
            if known.new_value != leaf.old_value {
                return Err(AccessError::ValueNotContinued { record, id: leaf.id });
            }
            if known.created.is_some() && leaf.created.is_some() {
                return Err(AccessError::CreatedTwice { record, id: leaf.id });
            }
            known.new_value = leaf.new_value;
            known.created = known.created.or(leaf.created);
        }
        Ok(merged)
    }

    /// The leaves that were created, by position.
    #[must_use]
    pub fn created(&self) -> Vec<(u64, LeafId)> {
        let mut created: Vec<_> =
            self.leaves.iter().filter_map(|leaf| Some((leaf.created?, leaf.id))).collect();
        created.sort_unstable_by_key(|(position, _)| *position);
        created
    }
}

/// The two indices of a recorded leaf.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// In the record.
    record: usize,
    /// In the tree, 0 while absent.
    index: u64,
}

/// Builds a [`BlockAccess`] from accesses in order. New leaves get their positions in the order of the writes.
#[derive(Clone, Debug)]
pub struct AccessRecorder {
    allocator: LeafAllocator,
    leaves: Vec<TouchedLeaf>,
    places: HashMap<LeafId, Place>,
}

impl AccessRecorder {
    /// Before the first access, in a tree of `leaf_count` leaves.
    #[must_use]
    pub fn new(leaf_count: u64) -> Self {
        Self { allocator: LeafAllocator::new(leaf_count), leaves: Vec::new(), places: HashMap::new() }
    }

    /// Records an access. `before` gives position and value of the leaf before the block, `None` if it is absent; it is
    /// called at the leaf's first access only. Do not record writes that are reverted later; record the reads among them.
    ///
    /// # Errors
    /// That of `before`.
    pub fn access<E>(
        &mut self,
        (id, write): Access,
        before: impl FnOnce() -> Result<Option<(u64, [Fr; 3])>, E>,
    ) -> Result<(), E> {
        let place = match self.places.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let (index, value) = before()?.unwrap_or_default();
                let place = Place { record: self.leaves.len(), index };
                self.leaves.push(TouchedLeaf { id, old_value: value, new_value: value, created: None });
                vacant.insert(place)
            }
        };
        let Some(value) = write else { return Ok(()) };
        let index = self.allocator.write(place.index, value == <[Fr; 3]>::default());
        let leaf = &mut self.leaves[place.record];
        if index != place.index {
            leaf.created = Some(index);
            place.index = index;
        }
        leaf.new_value = value;
        Ok(())
    }

    /// As [`Self::access`], with `before` as a value.
    pub fn access_known(&mut self, access: Access, before: Option<(u64, [Fr; 3])>) {
        match self.access(access, || Ok::<_, Infallible>(before)) {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// The leaf count after the accesses so far.
    #[must_use]
    pub const fn leaf_count(&self) -> u64 {
        self.allocator.leaf_count()
    }

    /// The record.
    #[must_use]
    pub fn finish(self) -> BlockAccess {
        BlockAccess { leaves: self.leaves }
    }
}
