//! What the node keeps besides the state: blocks, batches, the pool, proofs, and which L1
//! transactions settled a batch. All of it lives in the
//! state's own database, so that a block and its records are written together or not at all. Keys start with the
//! owner and a kind; numbers are big-endian; every value starts with the version of its kind.

mod blocks;
mod kind;
mod pool;
mod records;
mod sends;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256, hex};
use cairn_protocol::encoding::{self, EncodingError};
use cairn_sequencer::{
    batch::BatchHeader,
    evm::{BlockHashError, BlockHashes},
};
use cairn_state::{Batch, Store, StoreError};
use serde::{Serialize, de::DeserializeOwned};

use crate::settlement::ExitRootUpdate;

pub use self::{
    blocks::RawBlock,
    kind::Kind,
    pool::MAX_DROPPED,
    records::{
        BatchRecord, BlockRecord, DroppedRecord, ExitRootProgress, ProofJob, SequenceRecord, TxRecord,
    },
};

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `key` in hex.
    #[error(
        "the {kind:?} record at key {key} is damaged ({source}): restore the database from a backup, or remove it and \
         synchronise again"
    )]
    Damaged { kind: Kind, key: String, source: EncodingError },
    #[error("a {kind:?} record that another refers to is missing")]
    Missing { kind: Kind },
    #[error("a {kind:?} record cannot be encoded: {source}")]
    Encode { kind: Kind, source: EncodingError },
    #[error("the key of a {kind:?} record is damaged")]
    Key { kind: Kind },
    #[error("the transaction of block {number} does not decode: {source}")]
    Transaction { number: u64, source: cairn_protocol::tx::TxDecodeError },
}

impl StorageError {
    /// The same as an error of the store.
    #[must_use]
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(e) => e,
            other => StoreError::Backend { message: other.to_string() },
        }
    }
}

/// The node's records.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn Store>,
    /// Number of the next dropped transaction.
    dropped: Arc<AtomicU64>,
}

/// Adds a record to a batch of writes.
///
/// # Errors
/// If the value cannot be encoded.
pub fn put<T: Serialize>(writes: &mut Batch, kind: Kind, id: &[u8], value: &T) -> Result<(), StorageError> {
    let record = kind.record();
    let bytes =
        encoding::append(record.start(), value).map_err(|source| StorageError::Encode { kind, source })?;
    writes.put(record.table, kind.key(id), bytes);
    Ok(())
}

/// Removes a record in a batch of writes.
pub fn delete(writes: &mut Batch, kind: Kind, id: &[u8]) {
    writes.delete(kind.table(), kind.key(id));
}

/// The error for content that is not of a kind.
fn damaged(kind: Kind, key: &[u8], source: EncodingError) -> StorageError {
    StorageError::Damaged { kind, key: hex::encode_prefixed(key), source }
}

/// The record in a stored value; `key` is the whole key.
fn decode<T: DeserializeOwned>(kind: Kind, key: &[u8], value: &[u8]) -> Result<T, StorageError> {
    let content = kind.record().content(key, value)?;
    encoding::read(content).map_err(|source| damaged(kind, key, source))
}

impl Storage {
    /// Records in `store`.
    ///
    /// # Errors
    /// If the store fails or a record is damaged.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, StorageError> {
        let storage = Self { store, dropped: Arc::default() };
        if let Some((id, _)) = storage.last_entry::<B256>(Kind::DroppedOrder)? {
            storage.dropped.store(pool::number(Kind::DroppedOrder, &id)? + 1, Ordering::Relaxed);
        }
        Ok(storage)
    }

    fn next_dropped(&self) -> u64 {
        self.dropped.fetch_add(1, Ordering::Relaxed)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn get<T: DeserializeOwned>(&self, kind: Kind, id: &[u8]) -> Result<Option<T>, StorageError> {
        let key = kind.key(id);
        self.store.get(kind.table(), &key)?.map(|value| decode(kind, &key, &value)).transpose()
    }

    /// Writes one record durably.
    ///
    /// # Errors
    /// If the store fails.
    pub fn set<T: Serialize>(&self, kind: Kind, id: &[u8], value: &T) -> Result<(), StorageError> {
        let mut writes = Batch::new();
        put(&mut writes, kind, id, value)?;
        self.write(writes)
    }

    /// Writes durably, all or nothing.
    ///
    /// # Errors
    /// If the store fails.
    pub fn write(&self, writes: Batch) -> Result<(), StorageError> {
        Ok(self.store.write(writes)?)
    }

    /// Block `number`.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn block(&self, number: u64) -> Result<Option<BlockRecord>, StorageError> {
        self.get(Kind::Block, &number.to_be_bytes())
    }

    /// Number of the block with a hash.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn block_number(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        self.get(Kind::BlockHash, hash.as_slice())
    }

    /// Number of the block with a transaction.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn transaction_block(&self, hash: B256) -> Result<Option<u64>, StorageError> {
        self.get(Kind::Transaction, hash.as_slice())
    }

    /// What a global exit root is made of, if L1 recorded it.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn exit_roots(&self, global_exit_root: B256) -> Result<Option<ExitRootUpdate>, StorageError> {
        self.get(Kind::ExitRoots, global_exit_root.as_slice())
    }

    /// How far L1's global exit roots are known.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn exit_root_progress(&self) -> Result<ExitRootProgress, StorageError> {
        Ok(self.get(Kind::ExitRootProgress, &[])?.unwrap_or_default())
    }

    /// Sealed batch `number`.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn batch(&self, number: u64) -> Result<Option<BatchRecord>, StorageError> {
        self.get(Kind::Batch, &number.to_be_bytes())
    }

    /// The batch that takes transactions.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn open_batch(&self) -> Result<Option<BatchHeader>, StorageError> {
        self.get(Kind::OpenBatch, &[])
    }

    /// The sealed batch with the largest number.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn last_batch(&self) -> Result<Option<BatchRecord>, StorageError> {
        self.last(Kind::Batch)
    }

    fn last<T: DeserializeOwned>(&self, kind: Kind) -> Result<Option<T>, StorageError> {
        Ok(self.last_entry(kind)?.map(|(_, record)| record))
    }

    /// The record of a kind with the largest id.
    fn last_entry<T: DeserializeOwned>(&self, kind: Kind) -> Result<Option<(Vec<u8>, T)>, StorageError> {
        let (prefix, mut found) = (kind.key(&[]), None);
        // Ids start with less than 0xff.
        self.store.scan_back(kind.table(), &kind.key(&[0xff; 9]), &mut |k, v| {
            found = k.strip_prefix(prefix.as_slice()).map(|id| (id.to_vec(), decode(kind, k, v)));
            false
        })?;
        found.map(|(id, record)| Ok((id, record?))).transpose()
    }

    /// Every record of a kind with its id, by id.
    fn all<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<(Vec<u8>, T)>, StorageError> {
        let (prefix, mut found) = (kind.key(&[]), Vec::new());
        self.store.scan(kind.table(), &prefix, &mut |k, v| {
            let Some(id) = k.strip_prefix(prefix.as_slice()) else { return false };
            found.push((id.to_vec(), decode(kind, k, v)));
            true
        })?;
        found.into_iter().map(|(id, record)| Ok((id, record?))).collect()
    }

    /// The first record of a kind with an id ≥ `from`.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn first_from<T: DeserializeOwned>(
        &self,
        kind: Kind,
        from: &[u8],
    ) -> Result<Option<T>, StorageError> {
        let mut found = None;
        self.store.scan(kind.table(), &kind.key(from), &mut |k, v| {
            if k.starts_with(&kind.key(&[])) {
                found = Some(decode(kind, k, v));
            }
            false
        })?;
        found.transpose()
    }

    /// The ids of a kind that start with `prefix`, without it, from `prefix ‖ last` downwards, at most `count`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn ids_back(
        &self,
        kind: Kind,
        prefix: &[u8],
        last: &[u8],
        count: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let prefix = kind.key(prefix);
        let mut found = Vec::new();
        self.store.scan_back(kind.table(), &[&prefix, last].concat(), &mut |k, _| {
            let Some(id) = k.strip_prefix(prefix.as_slice()).filter(|_| found.len() < count) else {
                return false;
            };
            found.push(id.to_vec());
            true
        })?;
        Ok(found)
    }
}

/// The id of a proof job.
#[must_use]
pub fn proof_id(batch: u64, aggregator: Address) -> Vec<u8> {
    [&batch.to_be_bytes(), aggregator.as_slice()].concat()
}

impl BlockHashes for Storage {
    fn block_hash(&self, number: u64) -> Result<Option<B256>, BlockHashError> {
        Ok(self.block(number).map_err(StorageError::into_store)?.map(|b| b.hash))
    }
}

#[cfg(test)]
mod tests;
