//! The journal as plain values: what each access of a batch finds and leaves.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    Fr,
    access::LeafAllocator,
    leaf::{AccountValue, LeafId, storage_to_fields},
    transfer::AccountReader,
};

/// A leaf between two accesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<V> {
    pub value: V,
    /// Leaf position, 0 while absent.
    pub index: u64,
    /// Time of the last access, 0 if there was none in this batch.
    pub time: u64,
}

/// An access to a leaf that is not in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaf {id:?} is accessed, but the batch witness does not open it")]
pub struct JournalError {
    pub id: LeafId,
}

/// All leaves that a batch touches, with their present values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    pub accounts: BTreeMap<Address, Entry<AccountValue>>,
    pub storage: BTreeMap<(Address, U256), Entry<U256>>,
    /// Position that the next new leaf takes.
    pub leaf_count: u64,
}

impl Journal {
    /// Reads an account and replaces its value. Returns what was there.
    ///
    /// # Errors
    /// If the account is not in the journal; an absent one must be there with index 0.
    pub fn access_account(
        &mut self,
        address: Address,
        now: u64,
        update: impl FnOnce(AccountValue) -> AccountValue,
    ) -> Result<Entry<AccountValue>, JournalError> {
        let entry = self.accounts.get_mut(&address).ok_or(JournalError { id: LeafId::Account(address) })?;
        let old = *entry;
        entry.value = update(old.value);
        entry.time = now;
        let mut leaves = LeafAllocator::new(self.leaf_count);
        entry.index = leaves.write(old.index, entry.value.is_empty());
        self.leaf_count = leaves.leaf_count();
        Ok(old)
    }

    /// Reads a storage slot and replaces its value. Returns what was there.
    ///
    /// # Errors
    /// If the slot is not in the journal; an absent one must be there with index 0.
    pub fn access_storage(
        &mut self,
        address: Address,
        slot: U256,
        now: u64,
        update: impl FnOnce(U256) -> U256,
    ) -> Result<Entry<U256>, JournalError> {
        let id = LeafId::Storage(address, slot);
        let entry = self.storage.get_mut(&(address, slot)).ok_or(JournalError { id })?;
        let old = *entry;
        entry.value = update(old.value);
        entry.time = now;
        let mut leaves = LeafAllocator::new(self.leaf_count);
        entry.index = leaves.write(old.index, entry.value.is_zero());
        self.leaf_count = leaves.leaf_count();
        Ok(old)
    }

    /// Every leaf with its present value elements, position and time, by [`LeafId`].
    pub fn leaves(&self) -> impl Iterator<Item = (LeafId, Entry<[Fr; 3]>)> + '_ {
        let accounts = self.accounts.iter().map(|(a, e)| {
            (LeafId::Account(*a), Entry { value: e.value.to_fields(), index: e.index, time: e.time })
        });
        let storage = self.storage.iter().map(|((a, slot), e)| {
            (
                LeafId::Storage(*a, *slot),
                Entry { value: storage_to_fields(e.value), index: e.index, time: e.time },
            )
        });
        accounts.chain(storage)
    }
}

impl AccountReader for Journal {
    type Error = JournalError;

    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, JournalError> {
        let e = self.accounts.get(&address).ok_or(JournalError { id: LeafId::Account(address) })?;
        Ok((e.index != 0).then_some((e.value, e.index)))
    }
}
