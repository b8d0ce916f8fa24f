//! The state database: blocks are committed one after the other, each atomically, and stay readable.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    access::{Access, BlockAccess},
    code::code_hash,
    constants::{TREE_ARITY_BITS, TREE_DEPTH},
    genesis::Genesis,
    leaf::{AccountValue, LeafId, StateCommitment, field_to_b256, storage_to_fields},
    system::block_number_leaf,
};

use crate::{
    cache::{Shared, Tip, ViewId},
    codec,
    empty::EmptyTree,
    error::StateError,
    prepare::{Base, PreparedBlock, prepare},
    store::{Batch, Store, Table},
    tree::TreeReader,
    view::{AccountRecord, StateView},
};

/// What a block reads and writes, in order. It becomes the block's [`BlockAccess`]; new leaves get their positions in
/// the order of the writes, by the rule of `cairn_protocol::access::LeafAllocator`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockChanges {
    /// Leaf and, for a write, its new value elements; all zero is the empty account and the slot of value 0. A leaf may
    /// come more than once: its last write counts.
    pub accesses: Vec<Access>,
    /// Code that the database does not hold yet; repeating known code does no harm.
    pub codes: Vec<Bytes>,
}

impl BlockChanges {
    /// No accesses and no code.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a leaf.
    pub fn read(&mut self, id: LeafId) {
        self.accesses.push((id, None));
    }

    /// Writes a leaf.
    pub fn write(&mut self, id: LeafId, value: [Fr; 3]) {
        self.accesses.push((id, Some(value)));
    }

    /// Sets an account.
    pub fn set_account(&mut self, address: Address, value: &AccountValue) {
        self.write(LeafId::Account(address), value.to_fields());
    }

    /// Sets a storage slot.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        self.write(LeafId::Storage(address, slot), storage_to_fields(value));
    }

    /// The accesses that are writes, in order.
    pub fn writes(&self) -> impl Iterator<Item = (LeafId, [Fr; 3])> {
        self.accesses.iter().filter_map(|(id, write)| Some((*id, (*write)?)))
    }

    /// Adds code.
    pub fn add_code(&mut self, code: Bytes) {
        self.codes.push(code);
    }
}

/// The state database. Shared between threads by reference; a lock serialises commits.
pub struct StateDb {
    store: Arc<dyn Store>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Mutex<()>,
    /// One pruning at a time; taken before `writer`.
    pub(crate) pruner: Mutex<()>,
}

impl StateDb {
    /// Opens the state in `store`; an empty store receives `genesis` as block 0.
    ///
    /// # Errors
    /// If the store fails, holds another genesis, or holds entries of an unknown version.
    pub fn open(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Self, StateError> {
        let earliest = match store.get(Table::Meta, codec::META_EARLIEST)? {
            Some(value) => codec::read_number(codec::META_EARLIEST, &value)?,
            None => 0,
        };
        let shared = Arc::new(Shared::new(earliest));
        let db = Self { store, shared, writer: Mutex::new(()), pruner: Mutex::new(()) };
        let expected = genesis_digest(genesis);
        match db.store.get(Table::Meta, codec::META_GENESIS)? {
            Some(value) => {
                let got = codec::read_hash(codec::DIGEST, codec::META_GENESIS, &value)?;
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
            accesses: genesis.leaves().map(|(id, value)| (id, Some(value))).collect(),
            codes: genesis
                .accounts
                .iter()
                .map(|(_, a)| a.code.clone())
                .filter(|code| !code.is_empty())
                .collect(),
        };
        self.check_codes(std::slice::from_ref(&changes))?;
        let mut batch = Batch::new();
        batch.put(Table::Meta, codec::META_GENESIS, codec::hash(codec::DIGEST, digest));
        batch.put(Table::Keys, codec::tree_key(Fr::zero()), codec::position(codec::KEY, 0, 0));
        let empty = EmptyTree::default();
        let blocks = prepare(&empty, 0, &[changes], |overlay| {
            // Writes the sentinel even if the genesis has no account.
            overlay.update(0, [Fr::zero(); 3])?;
            // The one leaf that is created with value 0.
            let index = overlay.commitment().leaf_count;
            overlay.insert(index, block_number_leaf(), [Fr::zero(); 3])?;
            Ok(vec![(index, block_number_leaf())])
        })?;
        blocks.into_iter().for_each(|block| batch.append(block.writes));
        Ok(self.store.write(batch)?)
    }

    /// The store, for the tables that are not the state's, see [`Table`].
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The newest block, and the epoch of the cache.
    fn tip(&self) -> Result<(Tip, u64), StateError> {
        self.shared.tip(|| {
            let head = self.store.get(Table::Meta, codec::META_HEAD)?;
            let head = head.ok_or(StateError::Corrupt { table: Table::Meta })?;
            let number = codec::read_number(codec::META_HEAD, &head)?;
            let record = self.stored_block(number)?.ok_or(StateError::Corrupt { table: Table::Blocks })?;
            Ok(Tip { number, commitment: record.0 })
        })
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// If the store fails.
    pub fn newest(&self) -> Result<u64, StateError> {
        Ok(self.tip()?.0.number)
    }

    /// The state after the newest block.
    ///
    /// # Errors
    /// If the store fails.
    pub fn latest(&self) -> Result<StateView, StateError> {
        let (tip, epoch) = self.tip()?;
        Ok(self.view(tip.number, epoch, tip.commitment))
    }

    /// The state after `block`.
    ///
    /// # Errors
    /// If the block is not known, its state was pruned, or the store fails.
    pub fn at(&self, block: u64) -> Result<StateView, StateError> {
        let (tip, epoch) = self.tip()?;
        if block == tip.number {
            return Ok(self.view(block, epoch, tip.commitment));
        }
        Ok(self.view(block, epoch, self.block_record(block)?.0))
    }

    fn view(&self, block: u64, epoch: u64, commitment: StateCommitment) -> StateView {
        let (store, shared) = (Arc::clone(&self.store), Arc::clone(&self.shared));
        StateView::new(store, shared, ViewId { block, epoch }, commitment)
    }

    pub(crate) fn stored_block(
        &self,
        number: u64,
    ) -> Result<Option<(StateCommitment, Vec<u64>)>, StateError> {
        let key = codec::block_key(number);
        let value = self.store.get(Table::Blocks, &key)?;
        Ok(value.map(|value| codec::read_block(&key, &value)).transpose()?)
    }

    /// The record of a block up to the newest. The store may hold later ones: a group becomes visible after its last write.
    fn block_record(&self, number: u64) -> Result<(StateCommitment, Vec<u64>), StateError> {
        let newest = self.newest()?;
        if number > newest {
            return Err(StateError::UnknownBlock { number, newest });
        }
        let record = self.stored_block(number)?;
        let earliest = self.earliest();
        if number < earliest {
            return Err(StateError::Pruned { number, earliest });
        }
        record.ok_or(StateError::Corrupt { table: Table::Blocks })
    }

    /// Commitment to the newest state.
    ///
    /// # Errors
    /// If the store fails.
    pub fn commitment(&self) -> Result<StateCommitment, StateError> {
        Ok(self.tip()?.0.commitment)
    }

    /// Commitment to the state after `block`.
    ///
    /// # Errors
    /// If the block is not known, its state was pruned, or the store fails.
    pub fn commitment_at(&self, block: u64) -> Result<StateCommitment, StateError> {
        Ok(self.block_record(block)?.0)
    }

    /// An account in the newest state, `None` if it has no leaf.
    ///
    /// # Errors
    /// If the store fails.
    pub fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError> {
        self.latest()?.account(address)
    }

    /// An account after `block`, `None` if it has no leaf.
    ///
    /// # Errors
    /// If the block is not known, its state was pruned, or the store fails.
    pub fn account_at(&self, block: u64, address: Address) -> Result<Option<AccountRecord>, StateError> {
        self.at(block)?.account(address)
    }

    /// A storage slot in the newest state; 0 if absent.
    ///
    /// # Errors
    /// If the store fails.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.latest()?.storage(address, slot)
    }

    /// A storage slot after `block`; 0 if absent.
    ///
    /// # Errors
    /// If the block is not known, its state was pruned, or the store fails.
    pub fn storage_at(&self, block: u64, address: Address, slot: U256) -> Result<U256, StateError> {
        self.at(block)?.storage(address, slot)
    }

    /// What a block touched. The record is kept for as long as the state before the block.
    ///
    /// # Errors
    /// If the block is the genesis or not known, the state before it was pruned, or the store fails.
    pub fn block_access(&self, number: u64) -> Result<BlockAccess, StateError> {
        let newest = self.newest()?;
        if number == 0 || number > newest {
            return Err(StateError::UnknownBlock { number, newest });
        }
        let key = codec::block_key(number);
        let record = self.store.get(Table::Accesses, &key)?;
        // Checked after the read: pruning moves the bound before it removes records.
        let earliest = self.earliest();
        if number <= earliest {
            return Err(StateError::Pruned { number: number - 1, earliest });
        }
        let record = record.ok_or(StateError::Corrupt { table: Table::Accesses })?;
        Ok(codec::read_access(&key, &record)?)
    }

    /// Code by its keccak256 hash, `None` if unknown.
    ///
    /// # Errors
    /// If the store fails.
    pub fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError> {
        self.latest()?.code(keccak)
    }

    /// The commitment to the state after the changes, without writing anything.
    ///
    /// # Errors
    /// As [`Self::prepare_blocks`].
    pub fn preview(&self, changes: &BlockChanges) -> Result<StateCommitment, StateError> {
        let blocks = self.prepare_blocks(std::slice::from_ref(changes))?;
        blocks.last().map_or_else(|| self.commitment(), |block| Ok(block.commitment))
    }

    /// Prepares consecutive blocks after the newest one, without writing anything. [`Self::commit_prepared`] commits them,
    /// unless another block was committed meanwhile.
    ///
    /// # Errors
    /// If code is missing, the tree is full, or the store fails.
    pub fn prepare_blocks(&self, changes: &[BlockChanges]) -> Result<Vec<PreparedBlock>, StateError> {
        self.check_codes(changes)?;
        let view = self.latest()?;
        prepare(&view, view.block() + 1, changes, |_| Ok(Vec::new()))
    }

    /// Checks that every code that an account refers to is stored, or comes with its block or one before it.
    fn check_codes(&self, blocks: &[BlockChanges]) -> Result<(), StateError> {
        let mut new_codes = HashSet::new();
        for changes in blocks {
            new_codes.extend(changes.codes.iter().map(|code| code_hash(code)));
            for (id, value) in changes.writes() {
                if matches!(id, LeafId::Account(_)) && !value[2].is_zero() && !new_codes.contains(&value[2]) {
                    let key = codec::tree_key(value[2]);
                    if self.store.get(Table::CodeHashes, &key)?.is_none() {
                        return Err(StateError::UnknownCode { code_hash: field_to_b256(value[2]) });
                    }
                }
            }
        }
        Ok(())
    }

    /// Commits prepared blocks, each with its writes of other tables: every block is one atomic write, and the group is
    /// made durable once, at the end. Then it is visible. If a write fails, the newest block is the last one that reached
    /// the store: any block of the group, or the one before it. If only the final sync fails, it is the last of the group,
    /// and whether it survives a crash of the machine is unknown.
    ///
    /// # Errors
    /// If the blocks do not follow the newest and each other, were prepared on another state, or the store fails.
    pub fn commit_prepared(&self, blocks: Vec<(PreparedBlock, Batch)>) -> Result<(), StateError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_blocks(blocks)
    }

    /// The caller holds the writer's lock.
    fn write_blocks(&self, blocks: Vec<(PreparedBlock, Batch)>) -> Result<(), StateError> {
        let (mut tip, _) = self.tip()?;
        for (block, _) in &blocks {
            if block.number != tip.number + 1 {
                return Err(StateError::WrongBlock { expected: tip.number + 1, got: block.number });
            }
            if block.parent != tip.commitment {
                let (expected, got) = (tip.commitment.state_root(), block.parent.state_root());
                let (expected, got) = (field_to_b256(expected), field_to_b256(got));
                return Err(StateError::OtherParent { number: block.number, expected, got });
            }
            tip = Tip { number: block.number, commitment: block.commitment };
        }
        let mut changed = Vec::with_capacity(blocks.len());
        let group = blocks.len() > 1;
        let write = || {
            for (block, mut batch) in blocks {
                batch.append(block.writes);
                changed.push((block.number, block.changed));
                if group { self.store.write_unsynced(batch)? } else { self.store.write(batch)? }
            }
            if group { self.store.sync() } else { Ok(()) }
        };
        if let Err(e) = write() {
            // Which blocks reached the store is read from the store, as after a restart.
            self.shared.forget(|_| ());
            return Err(e.into());
        }
        self.shared.advance(tip, changed.into_iter());
        Ok(())
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
        let expected = self.newest()? + 1;
        if number != expected {
            return Err(StateError::WrongBlock { expected, got: number });
        }
        let blocks = self.prepare_blocks(std::slice::from_ref(changes))?;
        self.write_blocks(blocks.into_iter().map(|block| (block, extra.clone())).collect())?;
        self.commitment()
    }

    /// Reverts every block after `block`, as a whole or not at all. Views of those blocks must no longer be used.
    ///
    /// # Errors
    /// If the block is not known, its state was pruned, or the store fails.
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
                    if let Some(id) = view.leaf_id(index)? {
                        batch.delete(Table::Ids, codec::leaf_id(&id));
                    }
                }
                for level in 1..=TREE_DEPTH {
                    let node = index >> (TREE_ARITY_BITS * level);
                    batch.delete(Table::Nodes, codec::node_key(level, node, number));
                }
            }
            batch.delete(Table::Blocks, codec::block_key(number));
            batch.delete(Table::Accesses, codec::block_key(number));
        }
        batch.put(Table::Meta, codec::META_HEAD, codec::number(block));
        self.shared.forget(|tip| {
            self.store.write(batch)?;
            *tip = Some(Tip { number: block, commitment });
            Ok(commitment)
        })
    }
}

/// keccak256 over chain id and leaves, in order: genesis files of equal digest have equal states.
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
