//! The state database: blocks are committed one after the other, each atomically, and stay readable.

use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    constants::{TREE_ARITY_BITS, TREE_DEPTH},
    genesis::Genesis,
    leaf::{AccountValue, LeafId, StateCommitment, code_hash, field_to_b256, storage_to_fields},
    system::block_number_leaf,
};

use crate::{
    codec,
    empty::EmptyTree,
    error::StateError,
    overlay::Overlay,
    store::{Batch, Store, Table},
    tree::TreeReader,
    view::{AccountRecord, StateView},
};

/// What a block writes, in order: an absent leaf takes the next position at its first write that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockChanges {
    /// Leaf and new value elements; all zero is the empty account and the slot of value 0.
    pub writes: Vec<(LeafId, [Fr; 3])>,
    /// Code that the database does not hold yet; repeating known code does no harm.
    pub codes: Vec<Bytes>,
}

impl BlockChanges {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an account.
    pub fn set_account(&mut self, address: Address, value: &AccountValue) {
        self.writes.push((LeafId::Account(address), value.to_fields()));
    }

    /// Sets a storage slot.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        self.writes.push((LeafId::Storage(address, slot), storage_to_fields(value)));
    }

    /// Adds code.
    pub fn add_code(&mut self, code: Bytes) {
        self.codes.push(code);
    }
}

/// A block whose writes are ready.
pub struct PreparedBlock {
    pub number: u64,
    pub commitment: StateCommitment,
    writes: Batch,
}

/// See the module. Shared between threads by reference; commits are serialised inside.
pub struct StateDb {
    store: Arc<dyn Store>,
    writer: Mutex<()>,
}

impl StateDb {
    /// Opens the state in `store`; an empty store receives `genesis` as block 0.
    ///
    /// # Errors
    /// If the store fails, holds another genesis, or holds entries of an unknown version.
    pub fn open(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Self, StateError> {
        let db = Self { store, writer: Mutex::new(()) };
        let expected = genesis_digest(genesis);
        match db.store.get(Table::Meta, codec::META_GENESIS)? {
            Some(value) => {
                let got = codec::read_hash(&value).ok_or(StateError::Corrupt { table: Table::Meta })?;
                if got != expected {
                    return Err(StateError::GenesisMismatch { expected, got });
                }
                db.newest()?;
            }
            None => db.commit_genesis(genesis, expected)?,
        }
        Ok(db)
    }

    fn commit_genesis(&self, genesis: &Genesis, digest: B256) -> Result<(), StateError> {
        let changes = BlockChanges {
            writes: genesis.leaves().collect(),
            codes: genesis
                .accounts
                .iter()
                .map(|(_, a)| a.code.clone())
                .filter(|code| !code.is_empty())
                .collect(),
        };
        let mut batch = Batch::new();
        batch.put(Table::Meta, codec::META_GENESIS, codec::hash(digest));
        batch.put(Table::Keys, codec::tree_key(Fr::zero()), codec::position(0, 0));
        let empty = EmptyTree::default();
        let mut overlay = Overlay::new(&empty);
        // Writes the sentinel even if the genesis has no account.
        overlay.update(0, [Fr::zero(); 3])?;
        // The one leaf that is created with value 0.
        overlay.insert(overlay.commitment().leaf_count, block_number_leaf(), [Fr::zero(); 3])?;
        self.write_block(0, overlay, &changes, batch)?;
        Ok(())
    }

    /// The store, for tables of its other users.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// If the store fails.
    pub fn newest(&self) -> Result<u64, StateError> {
        self.store
            .get(Table::Meta, codec::META_HEAD)?
            .and_then(|v| codec::read_number(&v))
            .ok_or(StateError::Corrupt { table: Table::Meta })
    }

    /// The state after the newest block.
    ///
    /// # Errors
    /// If the store fails.
    pub fn latest(&self) -> Result<StateView, StateError> {
        self.at(self.newest()?)
    }

    /// The state after `block`.
    ///
    /// # Errors
    /// If the block is not known or the store fails.
    pub fn at(&self, block: u64) -> Result<StateView, StateError> {
        Ok(StateView::new(Arc::clone(&self.store), block, self.block_record(block)?.0))
    }

    fn block_record(&self, number: u64) -> Result<(StateCommitment, Vec<u64>), StateError> {
        match self.store.get(Table::Blocks, &codec::block_key(number))? {
            Some(value) => codec::read_block(&value).ok_or(StateError::Corrupt { table: Table::Blocks }),
            None => Err(StateError::UnknownBlock { number, newest: self.newest()? }),
        }
    }

    /// Commitment to the newest state.
    ///
    /// # Errors
    /// If the store fails.
    pub fn commitment(&self) -> Result<StateCommitment, StateError> {
        Ok(self.latest()?.commitment())
    }

    /// Commitment to the state after `block`.
    ///
    /// # Errors
    /// If the block is not known or the store fails.
    pub fn commitment_at(&self, block: u64) -> Result<StateCommitment, StateError> {
        Ok(self.block_record(block)?.0)
    }

    /// An account now.
    ///
    /// # Errors
    /// If the store fails.
    pub fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError> {
        self.latest()?.account(address)
    }

    /// An account after `block`.
    ///
    /// # Errors
    /// If the block is not known or the store fails.
    pub fn account_at(&self, block: u64, address: Address) -> Result<Option<AccountRecord>, StateError> {
        self.at(block)?.account(address)
    }

    /// A storage slot now; 0 if absent.
    ///
    /// # Errors
    /// If the store fails.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.latest()?.storage(address, slot)
    }

    /// A storage slot after `block`; 0 if absent.
    ///
    /// # Errors
    /// If the block is not known or the store fails.
    pub fn storage_at(&self, block: u64, address: Address, slot: U256) -> Result<U256, StateError> {
        self.at(block)?.storage(address, slot)
    }

    /// Code by its keccak256 hash, `None` if unknown.
    ///
    /// # Errors
    /// If the store fails.
    pub fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError> {
        self.latest()?.code(keccak)
    }

    /// What the state would be after the changes, without writing anything.
    ///
    /// # Errors
    /// If the tree is full or the store fails.
    pub fn preview(&self, changes: &BlockChanges) -> Result<StateCommitment, StateError> {
        let view = self.latest()?;
        let mut overlay = Overlay::new(&view);
        apply(&mut overlay, changes)?;
        overlay.flush()
    }

    /// Commits block `number`, which must follow the newest, as a whole or not at all.
    ///
    /// # Errors
    /// If the number is out of order, code is missing, the tree is full, or the store fails.
    pub fn commit_block(&self, number: u64, changes: &BlockChanges) -> Result<StateCommitment, StateError> {
        self.commit_block_with(number, changes, Batch::new())
    }

    /// As [`Self::commit_block`], with writes of other tables in the same atomic batch.
    ///
    /// # Errors
    /// As [`Self::commit_block`].
    pub fn commit_block_with(
        &self,
        number: u64,
        changes: &BlockChanges,
        extra: Batch,
    ) -> Result<StateCommitment, StateError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.latest()?;
        let expected = view.block() + 1;
        if number != expected {
            return Err(StateError::WrongBlock { expected, got: number });
        }
        self.write_block(number, Overlay::new(&view), changes, extra)
    }

    /// One block at a time for now.
    pub fn prepare_blocks(&self, changes: &[BlockChanges]) -> Result<Vec<PreparedBlock>, StateError> {
        let view = self.latest()?;
        changes
            .iter()
            .map(|c| {
                let number = view.block() + 1;
                let (commitment, writes) = self.block_writes(number, Overlay::new(&view), c, Batch::new())?;
                Ok(PreparedBlock { number, commitment, writes })
            })
            .collect()
    }

    /// One block at a time for now.
    pub fn commit_prepared(&self, blocks: Vec<(PreparedBlock, Batch)>) -> Result<(), StateError> {
        for (block, extra) in blocks {
            let mut writes = block.writes;
            writes.append(extra);
            self.store.write(writes)?;
        }
        Ok(())
    }

    fn write_block<R: TreeReader>(
        &self,
        number: u64,
        overlay: Overlay<'_, R>,
        changes: &BlockChanges,
        batch: Batch,
    ) -> Result<StateCommitment, StateError> {
        let (commitment, writes) = self.block_writes(number, overlay, changes, batch)?;
        self.store.write(writes)?;
        Ok(commitment)
    }

    fn block_writes<R: TreeReader>(
        &self,
        number: u64,
        mut overlay: Overlay<'_, R>,
        changes: &BlockChanges,
        mut batch: Batch,
    ) -> Result<(StateCommitment, Batch), StateError> {
        let new_codes: Vec<Fr> = changes.codes.iter().map(|code| code_hash(code)).collect();
        for (code, poseidon) in changes.codes.iter().zip(&new_codes) {
            let keccak = keccak256(code);
            batch.put(Table::Codes, keccak.as_slice(), codec::code(*poseidon, code));
            batch.put(Table::CodeHashes, codec::tree_key(*poseidon), codec::hash(keccak));
        }
        for (id, value) in &changes.writes {
            if matches!(id, LeafId::Account(_)) && !value[2].is_zero() && !new_codes.contains(&value[2]) {
                let key = codec::tree_key(value[2]);
                if self.store.get(Table::CodeHashes, &key)?.is_none() {
                    return Err(StateError::UnknownCode { code_hash: field_to_b256(value[2]) });
                }
            }
        }
        apply(&mut overlay, changes)?;
        let commitment = overlay.flush()?;

        // The id of each changed leaf: of a written one it is known, of a predecessor it is in the store.
        let mut ids = std::collections::HashMap::new();
        for (id, _) in &changes.writes {
            if let Some(index) = overlay.index_of(id)? {
                ids.insert(index, *id);
            }
        }
        let mut changed = Vec::new();
        for (index, leaf) in overlay.changed_leaves() {
            let id = match ids.get(&index) {
                Some(id) => Some(*id),
                None => self.leaf_id(index, number)?,
            };
            batch.put(Table::Leaves, codec::leaf_key(index, number), codec::leaf(id.as_ref(), leaf));
            changed.push(index);
        }
        for (level, index, group) in overlay.changed_groups() {
            batch.put(Table::Nodes, codec::node_key(level, index, number), codec::group(level, group));
        }
        for (id, index) in overlay.new_leaves() {
            let position = codec::position(index, number);
            batch.put(Table::Ids, codec::leaf_id(id), position.clone());
            batch.put(Table::Keys, codec::tree_key(overlay.leaf(index)?.key), position);
        }
        batch.put(Table::Blocks, codec::block_key(number), codec::block(&commitment, &changed));
        batch.put(Table::Meta, codec::META_HEAD, codec::number(number));
        Ok((commitment, batch))
    }

    /// The id of the leaf at `index` in its newest version before `block`; the sentinel has none.
    fn leaf_id(&self, index: u64, block: u64) -> Result<Option<LeafId>, StateError> {
        if index == 0 {
            return Ok(None);
        }
        let mut found = None;
        let from = codec::leaf_key(index, block);
        self.store.scan_back(Table::Leaves, &from, &mut |k, v| {
            if k.starts_with(&from[..8]) {
                found = codec::read_leaf(v);
            }
            false
        })?;
        found.and_then(|(id, _)| id).map(Some).ok_or(StateError::Corrupt { table: Table::Leaves })
    }

    /// Takes back every block after `block`, as a whole or not at all. Views of those blocks must no longer be used.
    ///
    /// # Errors
    /// If the block is not known or the store fails.
    pub fn revert_to(&self, block: u64) -> Result<StateCommitment, StateError> {
        self.revert_to_with(block, Batch::new())
    }

    /// As [`Self::revert_to`], with writes of other tables in the same atomic batch.
    ///
    /// # Errors
    /// As [`Self::revert_to`].
    pub fn revert_to_with(&self, block: u64, extra: Batch) -> Result<StateCommitment, StateError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.newest()?;
        let (commitment, _) = self.block_record(block)?;
        let mut batch = extra;
        for number in (block + 1..=newest).rev() {
            let (_, changed) = self.block_record(number)?;
            let view = self.at(number)?;
            for index in changed {
                batch.delete(Table::Leaves, codec::leaf_key(index, number));
                if index >= commitment.leaf_count {
                    batch.delete(Table::Keys, codec::tree_key(view.leaf(index)?.key));
                    if let Some(id) = self.leaf_id(index, number)? {
                        batch.delete(Table::Ids, codec::leaf_id(&id));
                    }
                }
                for level in 1..=TREE_DEPTH {
                    let node = index >> (TREE_ARITY_BITS * level);
                    batch.delete(Table::Nodes, codec::node_key(level, node, number));
                }
            }
            batch.delete(Table::Blocks, codec::block_key(number));
        }
        batch.put(Table::Meta, codec::META_HEAD, codec::number(block));
        self.store.write(batch)?;
        Ok(commitment)
    }
}

/// Applies the writes to an overlay, in order.
fn apply<R: TreeReader>(overlay: &mut Overlay<'_, R>, changes: &BlockChanges) -> Result<(), StateError> {
    for (id, value) in &changes.writes {
        match overlay.index_of(id)? {
            Some(index) => overlay.update(index, *value)?,
            None if value.iter().all(Fr::is_zero) => {}
            None => overlay.insert(overlay.commitment().leaf_count, *id, *value)?,
        }
    }
    Ok(())
}

/// keccak256 over chain id and leaves, in order: two genesis files with one digest have one state.
fn genesis_digest(genesis: &Genesis) -> B256 {
    let mut bytes = genesis.chain_id.to_be_bytes().to_vec();
    for (id, value) in genesis.leaves() {
        bytes.extend(codec::leaf_id(&id));
        for f in value {
            bytes.extend(field_to_b256(f));
        }
    }
    keccak256(bytes)
}
