//! The state as it was after a block. A view stays valid and unchanged while later blocks are committed.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    constants::{KECCAK_EMPTY, TREE_ARITY},
    leaf::{AccountValue, Leaf, LeafId, StateCommitment, field_to_b256, storage_from_fields},
    transfer::AccountReader,
};

use crate::{
    cache::{LeafEntry, Shared, ViewId},
    codec,
    error::StateError,
    prepare::Base,
    store::{Store, Table},
    tree::{Group, TreeReader, zero_hash},
};

/// An account, with its leaf's position and the keccak256 code hash, which is not in the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Poseidon hash of the code, 0 without code.
    pub code_hash: Fr,
    /// keccak256 of the code, that of the empty string without code.
    pub keccak_code_hash: B256,
    /// Position in the tree.
    pub index: u64,
}

impl AccountRecord {
    /// The part that the tree commits to.
    #[must_use]
    pub const fn value(&self) -> AccountValue {
        AccountValue { nonce: self.nonce, balance: self.balance, code_hash: self.code_hash }
    }
}

/// The state as it was after one block.
#[derive(Clone)]
pub struct StateView {
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    at: ViewId,
    commitment: StateCommitment,
}

impl StateView {
    /// The state after a block, whose commitment is known.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        shared: Arc<Shared>,
        at: ViewId,
        commitment: StateCommitment,
    ) -> Self {
        Self { store, shared, at, commitment }
    }

    /// The block after which this state holds.
    #[must_use]
    pub const fn block(&self) -> u64 {
        self.at.block
    }

    /// The newest version of an entry up to this view's block. Pruning moves its bound before it removes anything: if the
    /// bound permits this block after the read, the read was complete.
    fn last_version(&self, table: Table, key: &[u8]) -> Result<Option<(u64, Vec<u8>)>, StateError> {
        let found = self.store.last_version(table, key)?;
        let (number, earliest) = (self.at.block, self.shared.earliest());
        if number < earliest {
            return Err(StateError::Pruned { number, earliest });
        }
        Ok(found)
    }

    /// The leaf at a used position, with its id.
    pub(crate) fn entry(&self, index: u64) -> Result<LeafEntry, StateError> {
        if let Some(entry) = self.shared.leaf(self.at, index) {
            return Ok(entry);
        }
        let found = self.last_version(Table::Leaves, &codec::leaf_key(index, self.at.block))?;
        let (block, value) = found.ok_or(StateError::Corrupt { table: Table::Leaves })?;
        let entry = codec::read_leaf(&codec::leaf_key(index, block), &value)?;
        self.shared.add_leaf(self.at, index, block, entry);
        Ok(entry)
    }

    /// An account, `None` if it has no leaf.
    ///
    /// # Errors
    /// If the store fails.
    pub fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError> {
        let Some((value, index)) = self.read_account(address)? else { return Ok(None) };
        let AccountValue { nonce, balance, code_hash } = value;
        let keccak_code_hash = if code_hash.is_zero() {
            KECCAK_EMPTY
        } else {
            self.keccak_of(code_hash)?.ok_or(StateError::Corrupt { table: Table::CodeHashes })?
        };
        Ok(Some(AccountRecord { nonce, balance, code_hash, keccak_code_hash, index }))
    }

    /// A storage slot; 0 if it has no leaf.
    ///
    /// # Errors
    /// If the store fails.
    pub fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        let Some(index) = self.index_of(&LeafId::Storage(address, slot))? else { return Ok(U256::ZERO) };
        storage_from_fields(&self.leaf(index)?.value).ok_or(StateError::Corrupt { table: Table::Leaves })
    }

    /// Code by its keccak256 hash, `None` if unknown.
    ///
    /// # Errors
    /// If the store fails.
    pub fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError> {
        if keccak == KECCAK_EMPTY {
            return Ok(Some(Bytes::new()));
        }
        let Some(value) = self.store.get(Table::Codes, keccak.as_slice())? else { return Ok(None) };
        let (_, code) = codec::read_code(keccak.as_slice(), &value)?;
        Ok(Some(code.into()))
    }

    /// Code by its Poseidon hash, `None` if unknown.
    ///
    /// # Errors
    /// If the store fails.
    pub fn code_by_poseidon(&self, code_hash: Fr) -> Result<Option<Bytes>, StateError> {
        if code_hash.is_zero() {
            return Ok(Some(Bytes::new()));
        }
        self.keccak_of(code_hash)?.map_or(Ok(None), |keccak| self.code(keccak))
    }

    /// keccak256 of the code with a Poseidon hash, `None` if unknown.
    fn keccak_of(&self, code_hash: Fr) -> Result<Option<B256>, StateError> {
        let key = codec::tree_key(code_hash);
        let value = self.store.get(Table::CodeHashes, &key)?;
        Ok(value.map(|value| codec::read_hash(codec::CODE_HASH, &key, &value)).transpose()?)
    }

    /// The root that L1 sees.
    #[must_use]
    pub fn state_root(&self) -> B256 {
        field_to_b256(self.commitment.state_root())
    }
}

impl AccountReader for StateView {
    type Error = StateError;

    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, StateError> {
        let Some(index) = self.index_of(&LeafId::Account(address))? else { return Ok(None) };
        let value = AccountValue::from_fields(&self.leaf(index)?.value)
            .ok_or(StateError::Corrupt { table: Table::Leaves })?;
        Ok(Some((value, index)))
    }
}

impl TreeReader for StateView {
    fn commitment(&self) -> StateCommitment {
        self.commitment
    }

    fn index_of(&self, id: &LeafId) -> Result<Option<u64>, StateError> {
        if let Some(index) = self.shared.position(self.at, id) {
            return Ok(Some(index));
        }
        let key = codec::leaf_id(id);
        let Some(value) = self.store.get(Table::Ids, &key)? else { return Ok(None) };
        let (index, created) = codec::read_position(codec::ID, &key, &value)?;
        if created > self.at.block {
            return Ok(None);
        }
        self.shared.add_position(self.at, *id, created, index);
        Ok(Some(index))
    }

    fn leaf(&self, index: u64) -> Result<Leaf, StateError> {
        Ok(self.entry(index)?.1)
    }

    fn predecessor(&self, key: Fr) -> Result<u64, StateError> {
        let from = codec::tree_key(key);
        let mut found = None;
        // Skips keys that were created after this view's block.
        self.store.scan_back(Table::Keys, &from, &mut |k, v| {
            if k == from {
                return true;
            }
            let position = codec::read_position(codec::KEY, k, v);
            let go_on = position.as_ref().is_ok_and(|(_, created)| *created > self.at.block);
            found = Some(position);
            go_on
        })?;
        // The sentinel is below every key.
        let (index, _) = found.ok_or(StateError::Corrupt { table: Table::Keys })??;
        Ok(index)
    }

    fn children(&self, level: usize, index: u64) -> Result<Group, StateError> {
        if let Some(group) = self.shared.group(self.at, (level, index)) {
            return Ok(group);
        }
        let found = self.last_version(Table::Nodes, &codec::node_key(level, index, self.at.block))?;
        let (block, group) = match found {
            Some((block, value)) => {
                (block, codec::read_group(level, &codec::node_key(level, index, block), &value)?)
            }
            // No block has written below this node.
            None => (0, [zero_hash(level - 1); TREE_ARITY]),
        };
        self.shared.add_group(self.at, (level, index), block, group);
        Ok(group)
    }
}

impl Base for StateView {
    fn leaf_id(&self, index: u64) -> Result<Option<LeafId>, StateError> {
        let (id, _) = self.entry(index)?;
        if id.is_none() && index != 0 {
            return Err(StateError::Corrupt { table: Table::Leaves });
        }
        Ok(id)
    }
}
