//! State for execution: that after a committed block, or that with executed blocks over it whose hashes are not worked
//! out yet. Nothing here is written; [`BlockChanges`] are what a commit writes.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_protocol::{
    Fr,
    access::AccessRecorder,
    code::code_hash,
    constants::KECCAK_EMPTY,
    leaf::{AccountValue, LeafId, storage_from_fields},
    transfer::AccountReader,
};
use cairn_state::{AccountRecord, BlockChanges, StateError, StateView, Table, TreeReader};

/// What execution reads.
pub trait ReadState: AccountReader<Error = StateError> {
    /// An account, `None` if it has no leaf.
    ///
    /// # Errors
    /// If the store fails.
    fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError>;

    /// A storage slot; 0 if it has no leaf.
    ///
    /// # Errors
    /// If the store fails.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError>;

    /// Code by its keccak256 hash, `None` if unknown.
    ///
    /// # Errors
    /// If the store fails.
    fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError>;

    /// Position and value elements of a leaf, `None` if it is absent.
    ///
    /// # Errors
    /// If the store fails.
    fn find_leaf(&self, id: &LeafId) -> Result<Option<(u64, [Fr; 3])>, StateError>;

    /// Position that the next new leaf takes.
    fn leaf_count(&self) -> u64;
}

impl ReadState for StateView {
    fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError> {
        Self::account(self, address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Self::storage(self, address, slot)
    }

    fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError> {
        Self::code(self, keccak)
    }

    fn find_leaf(&self, id: &LeafId) -> Result<Option<(u64, [Fr; 3])>, StateError> {
        self.find(id)
    }

    fn leaf_count(&self) -> u64 {
        self.commitment().leaf_count
    }
}

/// The newest committed state with executed blocks over it.
pub struct PendingState {
    base: StateView,
    /// Position and value of every leaf that the blocks wrote.
    leaves: HashMap<LeafId, (u64, [Fr; 3])>,
    codes: HashMap<B256, Bytes>,
    keccak_by_code_hash: HashMap<Fr, B256>,
    leaf_count: u64,
}

impl PendingState {
    /// No blocks over `base`.
    #[must_use]
    pub fn new(base: StateView) -> Self {
        let leaf_count = base.commitment().leaf_count;
        Self {
            base,
            leaves: HashMap::new(),
            codes: HashMap::new(),
            keccak_by_code_hash: HashMap::new(),
            leaf_count,
        }
    }

    /// Puts what was executed over the state. Positions of new leaves are those of a commit.
    ///
    /// # Errors
    /// If the store fails.
    pub fn apply(&mut self, changes: &BlockChanges) -> Result<(), StateError> {
        for code in &changes.codes {
            let keccak = keccak256(code);
            self.codes.insert(keccak, code.clone());
            self.keccak_by_code_hash.insert(code_hash(code), keccak);
        }
        let mut recorder = AccessRecorder::new(self.leaf_count);
        for access in &changes.accesses {
            recorder.access(*access, || self.find_leaf(&access.0))?;
        }
        self.leaf_count = recorder.leaf_count();
        for leaf in recorder.finish().leaves {
            let index = match leaf.created {
                Some(index) => Some(index),
                None if leaf.new_value == leaf.old_value => None,
                None => self.find_leaf(&leaf.id)?.map(|(index, _)| index),
            };
            if let Some(index) = index {
                self.leaves.insert(leaf.id, (index, leaf.new_value));
            }
        }
        Ok(())
    }

    fn keccak(&self, code_hash: Fr) -> Result<B256, StateError> {
        if code_hash == Fr::default() {
            return Ok(KECCAK_EMPTY);
        }
        if let Some(keccak) = self.keccak_by_code_hash.get(&code_hash) {
            return Ok(*keccak);
        }
        let code = self.base.code_by_poseidon(code_hash)?;
        code.map(keccak256).ok_or(StateError::Corrupt { table: Table::CodeHashes })
    }
}

impl AccountReader for PendingState {
    type Error = StateError;

    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, StateError> {
        match self.leaves.get(&LeafId::Account(address)) {
            Some((index, value)) => {
                let value = AccountValue::from_fields(value);
                // Written by this program from an account's value.
                Ok(Some((value.ok_or(StateError::Corrupt { table: Table::Leaves })?, *index)))
            }
            None => self.base.read_account(address),
        }
    }
}

impl ReadState for PendingState {
    fn account(&self, address: Address) -> Result<Option<AccountRecord>, StateError> {
        if !self.leaves.contains_key(&LeafId::Account(address)) {
            return self.base.account(address);
        }
        let Some((AccountValue { nonce, balance, code_hash }, index)) = self.read_account(address)? else {
            return Ok(None);
        };
        let keccak_code_hash = self.keccak(code_hash)?;
        Ok(Some(AccountRecord { nonce, balance, code_hash, keccak_code_hash, index }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        match self.leaves.get(&LeafId::Storage(address, slot)) {
            Some((_, value)) => {
                storage_from_fields(value).ok_or(StateError::Corrupt { table: Table::Leaves })
            }
            None => self.base.storage(address, slot),
        }
    }

    fn code(&self, keccak: B256) -> Result<Option<Bytes>, StateError> {
        match self.codes.get(&keccak) {
            Some(code) => Ok(Some(code.clone())),
            None => self.base.code(keccak),
        }
    }

    fn find_leaf(&self, id: &LeafId) -> Result<Option<(u64, [Fr; 3])>, StateError> {
        match self.leaves.get(id) {
            Some(leaf) => Ok(Some(*leaf)),
            None => self.base.find(id),
        }
    }

    fn leaf_count(&self) -> u64 {
        self.leaf_count
    }
}
