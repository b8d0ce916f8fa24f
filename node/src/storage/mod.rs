//! What the node keeps besides the state: blocks, batches, the pool, proofs, and which L1
//! transactions settled a batch. All of it lives in the
//! state's own database, so that a block and its records are written together or not at all. Keys start with the
//! owner and a kind; numbers are big-endian; every value starts with a version.

mod blocks;
mod pool;
mod records;
mod sends;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256};
use cairn_sequencer::{
    batch::BatchHeader,
    evm::{BlockHashError, BlockHashes},
};
use cairn_state::{Batch, Store, StoreError, Table};
use serde::{Serialize, de::DeserializeOwned};

use crate::settlement::ExitRootUpdate;

pub use self::{
    blocks::RawBlock,
    pool::MAX_DROPPED,
    records::{
        BatchRecord, BlockRecord, DroppedRecord, ExitRootProgress, ProofJob, SequenceRecord, TxRecord,
    },
};

/// First byte of every key of the node.
const OWNER: u8 = b'n';
/// First byte of every value.
const VERSION: u8 = 1;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Block number → [`BlockRecord`].
    Block = 1,
    /// Block hash → number.
    BlockHash = 2,
    /// Transaction hash → block number.
    Transaction = 3,
    /// Batch number → [`BatchRecord`].
    Batch = 4,
    /// Nothing → [`BatchHeader`] of the open batch.
    OpenBatch = 5,
    /// Arrival → accepted transaction.
    Pool = 6,
    /// Last batch of a sequence → [`SequenceRecord`].
    Sequence = 7,
    /// Batch number ‖ aggregator → [`ProofJob`].
    Proof = 9,
    /// L1 chain ‖ account ‖ job → [`crate::l1::store::SendRecord`].
    L1Job = 8,
    /// Last batch of a verification → [`SequenceRecord`].
    Verification = 11,
    /// Transaction hash → [`DroppedRecord`].
    Dropped = 12,
    /// Order of dropping → transaction hash.
    DroppedOrder = 13,
    /// Nothing → name of the proof mode that the chain was made in.
    Mode = 14,
    /// Global exit root → [`crate::settlement::ExitRootUpdate`].
    ExitRoots = 15,
    /// Nothing → [`ExitRootProgress`].
    ExitRootProgress = 16,
    /// Address ‖ block number → nothing, see [`crate::records`].
    AddressTransaction = 20,
    /// Batch number → [`crate::records::ProofMeasure`].
    ProofMeasure = 21,
    /// Lane ‖ last batch → [`crate::records::SettlementMeasure`].
    SettlementMeasure = 22,
    /// Nothing → Unix time: written to see whether the database can be written.
    Probe = 0xf0,
}

/// The table of a kind.
const fn table(kind: Kind) -> Table {
    match kind {
        Kind::Block
        | Kind::BlockHash
        | Kind::Transaction
        | Kind::Batch
        | Kind::OpenBatch
        | Kind::Mode
        | Kind::AddressTransaction
        | Kind::Probe => Table::Chain,
        Kind::Pool | Kind::Dropped | Kind::DroppedOrder => Table::Pool,
        Kind::Sequence
        | Kind::Verification
        | Kind::L1Job
        | Kind::SettlementMeasure
        | Kind::ExitRoots
        | Kind::ExitRootProgress => Table::L1,
        Kind::Proof | Kind::ProofMeasure => Table::Proofs,
    }
}

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a {kind:?} record has version {got}, this program reads {VERSION}")]
    Version { kind: Kind, got: u8 },
    #[error("a {kind:?} record is damaged: {source}")]
    Damaged { kind: Kind, source: bincode::Error },
    #[error("a {kind:?} record that another refers to is missing")]
    Missing { kind: Kind },
    #[error("a {kind:?} record cannot be encoded: {source}")]
    Encode { kind: Kind, source: bincode::Error },
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

fn key(kind: Kind, id: &[u8]) -> Vec<u8> {
    [&[OWNER, kind as u8], id].concat()
}

/// Adds a record to a batch of writes.
///
/// # Errors
/// If the value cannot be encoded.
pub fn put<T: Serialize>(writes: &mut Batch, kind: Kind, id: &[u8], value: &T) -> Result<(), StorageError> {
    let mut bytes = vec![VERSION];
    bincode::serialize_into(&mut bytes, value).map_err(|source| StorageError::Encode { kind, source })?;
    writes.put(table(kind), key(kind, id), bytes);
    Ok(())
}

/// Removes a record in a batch of writes.
pub fn delete(writes: &mut Batch, kind: Kind, id: &[u8]) {
    writes.delete(table(kind), key(kind, id));
}

/// A value without its version.
fn body(kind: Kind, bytes: &[u8]) -> Result<&[u8], StorageError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => Ok(body),
        Some((&got, _)) => Err(StorageError::Version { kind, got }),
        None => Err(StorageError::Missing { kind }),
    }
}

fn decode<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, StorageError> {
    bincode::deserialize(body(kind, bytes)?).map_err(|source| StorageError::Damaged { kind, source })
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
        self.store.get(table(kind), &key(kind, id))?.map(|bytes| decode(kind, &bytes)).transpose()
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
        let (prefix, mut found) = (key(kind, &[]), None);
        // Ids start with less than 0xff.
        self.store.scan_back(table(kind), &key(kind, &[0xff; 9]), &mut |k, v| {
            found = k.strip_prefix(prefix.as_slice()).map(|id| (id.to_vec(), decode(kind, v)));
            false
        })?;
        found.map(|(id, record)| Ok((id, record?))).transpose()
    }

    /// Every record of a kind with its id, by id.
    fn all<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<(Vec<u8>, T)>, StorageError> {
        let (prefix, mut found) = (key(kind, &[]), Vec::new());
        self.store.scan(table(kind), &prefix, &mut |k, v| {
            let Some(id) = k.strip_prefix(prefix.as_slice()) else { return false };
            found.push((id.to_vec(), decode(kind, v)));
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
        self.store.scan(table(kind), &key(kind, from), &mut |k, v| {
            if k.starts_with(&key(kind, &[])) {
                found = Some(decode(kind, v));
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
        let prefix = key(kind, prefix);
        let mut found = Vec::new();
        self.store.scan_back(table(kind), &[&prefix, last].concat(), &mut |k, _| {
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
