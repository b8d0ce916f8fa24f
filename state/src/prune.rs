//! Pruning: removes what only states before a bound read, in batches of bounded size.
//!
//! Two entries of the meta table hold its progress. `earliest` is the bound: states before it are refused. `pruned` is the
//! last block b whose older versions are gone: for every leaf and node that b or a block before it changed, one version
//! up to b is left, the newest. Removing goes block by block from `pruned` + 1 to `earliest`: what block b changed has a
//! version b, so no state from b on reads an older one.
//!
//! A crash between any two writes is harmless. `earliest` moves first and durably, so nothing that a permitted state reads
//! is ever removed. `pruned` moves in the last batch of a block, so after a crash in the middle of block b the next call
//! begins with b again; b's record, which says what b changed, goes with the batch of block b + 1 at the earliest, and what
//! is removed twice is not there the second time. The batches are unsynced, but none survives without those before it.

use std::sync::PoisonError;

use cairn_protocol::constants::{TREE_ARITY_BITS, TREE_DEPTH};

use crate::{
    codec,
    db::StateDb,
    error::StateError,
    store::{Batch, Table},
};

/// Removals in one batch.
const BATCH: usize = 4096;

/// The removals of the batch being filled, and the number of all removals so far.
#[derive(Default)]
struct Removals {
    batch: Batch,
    total: u64,
}

impl StateDb {
    /// The earliest block whose state can be read.
    #[must_use]
    pub fn earliest(&self) -> u64 {
        self.shared.earliest()
    }

    /// Removes the states before `earliest` and returns the number of entries that this took. States from `earliest` on
    /// stay as they are; a bound that is not above [`Self::earliest`] finishes what an earlier call left. Blocks can
    /// be committed and states read at the same time. The code of accounts and the `app` tables are not touched.
    ///
    /// # Errors
    /// If block `earliest` is not known or the store fails; another call continues.
    pub fn prune_to(&self, earliest: u64) -> Result<u64, StateError> {
        let _pruner = self.pruner.lock().unwrap_or_else(PoisonError::into_inner);
        self.move_earliest(earliest)?;
        let pruned = match self.store().get(Table::Meta, codec::META_PRUNED)? {
            Some(value) => codec::read_number(codec::META_PRUNED, &value)?,
            None => 0,
        };
        let mut removals = Removals::default();
        for block in pruned + 1..=self.earliest() {
            self.remove_before(block, &mut removals)?;
            removals.batch.delete(Table::Blocks, codec::block_key(block - 1));
            // A batch that begins with this block is opened in the state before it.
            removals.batch.delete(Table::Accesses, codec::block_key(block));
            removals.total += 2;
            removals.batch.put(Table::Meta, codec::META_PRUNED, codec::number(block));
            if removals.batch.len() >= BATCH {
                self.store().write_unsynced(std::mem::take(&mut removals.batch))?;
            }
        }
        if !removals.batch.is_empty() {
            self.store().write(removals.batch)?;
        }
        Ok(removals.total)
    }

    /// Takes the writer's lock: a revert must not find that the bound permits it while the bound moves.
    fn move_earliest(&self, earliest: u64) -> Result<(), StateError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.newest()?;
        if earliest > newest {
            return Err(StateError::UnknownBlock { number: earliest, newest });
        }
        if earliest > self.earliest() {
            let mut batch = Batch::new();
            batch.put(Table::Meta, codec::META_EARLIEST, codec::number(earliest));
            self.store().write(batch)?;
            self.shared.set_earliest(earliest);
        }
        Ok(())
    }

    /// Removes the version before `block` of what `block` changed.
    fn remove_before(&self, block: u64, removals: &mut Removals) -> Result<(), StateError> {
        let (_, mut nodes) = self.stored_block(block)?.ok_or(StateError::Corrupt { table: Table::Blocks })?;
        for index in &nodes {
            self.remove_version_before(block, Table::Leaves, |b| codec::leaf_key(*index, b), removals)?;
        }
        for level in 1..=TREE_DEPTH {
            // Ascending: the children of one parent are neighbours.
            nodes.iter_mut().for_each(|index| *index >>= TREE_ARITY_BITS);
            nodes.dedup();
            for index in &nodes {
                let key = |b| codec::node_key(level, *index, b);
                self.remove_version_before(block, Table::Nodes, key, removals)?;
            }
        }
        Ok(())
    }

    /// Removes the newest version before `block`: any older one is gone, or in the batch that is not written yet.
    fn remove_version_before<K: AsRef<[u8]> + Into<Vec<u8>>>(
        &self,
        block: u64,
        table: Table,
        key: impl Fn(u64) -> K,
        removals: &mut Removals,
    ) -> Result<(), StateError> {
        if let Some((version, _)) = self.store().last_version(table, key(block - 1).as_ref())? {
            removals.batch.delete(table, key(version));
            removals.total += 1;
            if removals.batch.len() >= BATCH {
                self.store().write_unsynced(std::mem::take(&mut removals.batch))?;
            }
        }
        Ok(())
    }
}
