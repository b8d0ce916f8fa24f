//! What a database keeps in memory: the newest block, and the newest versions of leaves, groups and positions that were
//! read or written last. Bounded; losing an entry costs a read of the store and nothing else.
//!
//! An entry is the newest version as of the block in [`Shared::tip`], so it holds for every view from its own block on.
//! That stays true because entries change under the tip's lock only: a commit replaces what it changed and moves the tip in
//! one step, after its write succeeded; a reader adds what it found only if its view is of the tip itself; a revert and a
//! failed write forget everything and begin a new epoch, whose cache readers of the old one cannot add to.

use std::sync::{
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use cairn_protocol::leaf::{Leaf, LeafId, StateCommitment};
use quick_cache::sync::Cache;

use crate::tree::Group;

/// About 20 MB: all groups of a tree of 400,000 accounts.
const GROUPS: usize = 1 << 16;
/// About 40 MB.
const LEAVES: usize = 1 << 17;
/// About 15 MB.
const POSITIONS: usize = 1 << 17;

/// A leaf with its id; the sentinel has none.
pub(crate) type LeafEntry = (Option<LeafId>, Leaf);
/// Level and index of a node.
pub(crate) type NodeId = (usize, u64);

/// The newest block that readers see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tip {
    pub number: u64,
    pub commitment: StateCommitment,
}

/// What a commit puts into the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub leaves: Vec<(u64, LeafEntry)>,
    pub groups: Vec<(NodeId, Group)>,
    /// Of new leaves.
    pub positions: Vec<(LeafId, u64)>,
}

/// The block that wrote an entry.
#[derive(Clone, Copy)]
struct Versioned<T> {
    block: u64,
    value: T,
}

#[derive(Default)]
pub(crate) struct State {
    /// `None`: to be read from the store.
    pub tip: Option<Tip>,
    epoch: u64,
}

/// The tip and the cached entries that all views of a database share.
pub(crate) struct Shared {
    state: RwLock<State>,
    /// The earliest block whose state is kept.
    earliest: AtomicU64,
    leaves: Cache<u64, Versioned<LeafEntry>>,
    groups: Cache<NodeId, Versioned<Group>>,
    positions: Cache<LeafId, Versioned<u64>>,
}

/// The block of a view, and the epoch in which the view was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewId {
    pub block: u64,
    pub epoch: u64,
}

impl Shared {
    pub fn new(earliest: u64) -> Self {
        Self {
            state: RwLock::default(),
            earliest: AtomicU64::new(earliest),
            leaves: Cache::new(LEAVES),
            groups: Cache::new(GROUPS),
            positions: Cache::new(POSITIONS),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn earliest(&self) -> u64 {
        self.earliest.load(Ordering::SeqCst)
    }

    /// Never moves back.
    pub fn set_earliest(&self, block: u64) {
        self.earliest.fetch_max(block, Ordering::SeqCst);
    }

    /// The tip and the epoch; `load` reads the tip from the store if it is not known.
    pub fn tip<E>(&self, load: impl FnOnce() -> Result<Tip, E>) -> Result<(Tip, u64), E> {
        {
            let state = self.read();
            if let Some(tip) = state.tip {
                return Ok((tip, state.epoch));
            }
        }
        let mut state = self.write();
        let tip = match state.tip {
            Some(tip) => tip,
            None => *state.tip.insert(load()?),
        };
        Ok((tip, state.epoch))
    }

    /// Makes blocks visible that are in the store.
    pub fn advance(&self, tip: Tip, blocks: impl Iterator<Item = (u64, Changed)>) {
        let mut state = self.write();
        for (block, changed) in blocks {
            for (index, value) in changed.leaves {
                self.leaves.insert(index, Versioned { block, value });
            }
            for (id, value) in changed.groups {
                self.groups.insert(id, Versioned { block, value });
            }
            for (id, value) in changed.positions {
                self.positions.insert(id, Versioned { block, value });
            }
        }
        state.tip = Some(tip);
    }

    /// Empties the cache, begins an epoch, and runs `change` under the lock, so that no reader adds an entry meanwhile.
    pub fn forget<T>(&self, change: impl FnOnce(&mut Option<Tip>) -> T) -> T {
        let mut state = self.write();
        state.tip = None;
        state.epoch += 1;
        self.leaves.clear();
        self.groups.clear();
        self.positions.clear();
        change(&mut state.tip)
    }

    /// Runs `add` if what was read at `at` is the newest.
    fn remember(&self, at: ViewId, add: impl FnOnce(&Self)) {
        let state = self.read();
        if state.epoch == at.epoch && state.tip.is_some_and(|tip| tip.number == at.block) {
            add(self);
        }
    }

    pub fn leaf(&self, at: ViewId, index: u64) -> Option<LeafEntry> {
        self.leaves.get(&index).filter(|e| e.block <= at.block).map(|e| e.value)
    }

    pub fn group(&self, at: ViewId, id: NodeId) -> Option<Group> {
        self.groups.get(&id).filter(|e| e.block <= at.block).map(|e| e.value)
    }

    pub fn position(&self, at: ViewId, id: &LeafId) -> Option<u64> {
        self.positions.get(id).filter(|e| e.block <= at.block).map(|e| e.value)
    }

    pub fn add_leaf(&self, at: ViewId, index: u64, block: u64, value: LeafEntry) {
        self.remember(at, |cache| cache.leaves.insert(index, Versioned { block, value }));
    }

    pub fn add_group(&self, at: ViewId, id: NodeId, block: u64, value: Group) {
        self.remember(at, |cache| cache.groups.insert(id, Versioned { block, value }));
    }

    pub fn add_position(&self, at: ViewId, id: LeafId, block: u64, value: u64) {
        self.remember(at, |cache| cache.positions.insert(id, Versioned { block, value }));
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::Zero;
    use cairn_protocol::Fr;

    use super::*;

    fn tip(number: u64) -> Tip {
        Tip { number, commitment: StateCommitment { tree_root: Fr::zero(), leaf_count: number } }
    }

    fn leaf(nonce: u64) -> LeafEntry {
        (None, Leaf { next_index: nonce, ..Leaf::default() })
    }

    fn commit(shared: &Shared, number: u64, index: u64) {
        let changed = Changed { leaves: vec![(index, leaf(number))], ..Changed::default() };
        shared.advance(tip(number), std::iter::once((number, changed)));
    }

    /// A reader that is overtaken by a commit, a revert or a failure cannot leave what it read behind.
    #[test]
    fn rejects_what_an_overtaken_reader_found() {
        let shared = Shared::new(0);
        let (_, epoch) = shared.tip(|| Ok::<_, ()>(tip(4))).unwrap();
        let old = ViewId { block: 4, epoch };
        shared.add_leaf(old, 1, 2, leaf(2));
        assert_eq!(shared.leaf(old, 1), Some(leaf(2)));
        assert_eq!(shared.leaf(ViewId { block: 1, epoch }, 1), None, "a view before the entry");

        commit(&shared, 5, 7);
        let new = ViewId { block: 5, epoch };
        shared.add_leaf(old, 7, 2, leaf(2));
        assert_eq!(shared.leaf(new, 7), Some(leaf(5)));
        assert_eq!(shared.leaf(old, 7), None, "the older version is in the store only");
        assert_eq!(shared.leaf(new, 1), Some(leaf(2)), "unchanged since");
        shared.add_leaf(old, 8, 2, leaf(2));
        assert_eq!(shared.leaf(new, 8), None, "block 5 may have changed it and lost it to the bound");

        shared.forget(|t| *t = Some(tip(4)));
        shared.add_leaf(old, 9, 2, leaf(2));
        assert_eq!(shared.leaf(old, 9), None, "an epoch ago");
        assert_eq!(shared.leaf(new, 7), None);
        let (_, epoch) = shared.tip(|| Err(())).unwrap();
        shared.add_leaf(ViewId { block: 4, epoch }, 9, 3, leaf(3));
        assert_eq!(shared.leaf(ViewId { block: 4, epoch }, 9), Some(leaf(3)));
    }

    #[test]
    fn accepts_a_tip_that_must_be_read_again() {
        let shared = Shared::new(0);
        assert_eq!(shared.tip(|| Err("unreadable")).unwrap_err(), "unreadable");
        assert_eq!(shared.tip(|| Ok::<_, ()>(tip(3))).unwrap().0.number, 3);
        assert_eq!(shared.tip(|| Err("not asked")).unwrap().0.number, 3);
        shared.forget(|_| ());
        assert_eq!(shared.tip(|| Ok::<_, ()>(tip(2))).unwrap().0.number, 2);
    }
}
