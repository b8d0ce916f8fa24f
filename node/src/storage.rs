//! What the node keeps besides the state: blocks, batches, the pool, proofs, and which L1
//! transactions settled a batch. All of it lives in the
//! state's own database, so that a block and its records are written together or not at all. Keys start with the
//! owner and a kind; numbers are big-endian; every value starts with a version.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use cairn_sequencer::{
    batch::{BatchHeader, SealedBatch},
    evm::BlockHashes,
    pool::{PoolStore, PoolStoreError},
};
use cairn_state::{Batch, Store, StoreError, Table};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::l1::store::{SendRecord, SendStore, SendStoreError};

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
    /// Arrival → raw transaction.
    Pool = 6,
    /// Last batch of a sequence → [`SequenceRecord`].
    Sequence = 7,
    /// Batch number ‖ aggregator → [`ProofJob`].
    Proof = 9,
    /// L1 chain ‖ account ‖ job → [`SendRecord`].
    L1Job = 8,
    /// Last batch of a verification → [`SequenceRecord`].
    Verification = 11,
}

/// A block with its one transaction; block 0 has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRecord {
    pub hash: B256,
    /// RLP of the header.
    pub header: Bytes,
    /// 0 for block 0.
    pub batch: u64,
    pub transaction: Option<TxRecord>,
}

/// A transaction with what its execution left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxRecord {
    /// As on the wire.
    pub raw: Bytes,
    pub hash: B256,
    pub sender: Address,
    pub success: bool,
    pub gas_used: u64,
    pub gas_price_wei: u128,
    pub logs: Vec<Log>,
}

/// A sealed batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    pub batch: SealedBatch,
    /// Accumulated hash before the batch.
    pub old_acc_input_hash: B256,
    /// Accumulated hash after the batch.
    pub acc_input_hash: B256,
    pub state_root: B256,
    pub local_exit_root: B256,
}

/// A range of batches that one L1 transaction posted, or proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceRecord {
    pub first_batch: u64,
    pub last_batch: u64,
    pub l1_tx_hash: B256,
}

/// The proof of a batch for one sender of the verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProofJob {
    /// To be made: the serialised witness.
    Pending { witness: Bytes },
    /// Made and verified.
    Proven { shape_id: u32, words: Box<[U256; 12]> },
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
}

/// The node's records.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn Store>,
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
    writes.put(Table::App, key(kind, id), bytes);
    Ok(())
}

/// Removes a record in a batch of writes.
pub fn delete(writes: &mut Batch, kind: Kind, id: &[u8]) {
    writes.delete(Table::App, key(kind, id));
}

fn decode<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, StorageError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => {
            bincode::deserialize(body).map_err(|source| StorageError::Damaged { kind, source })
        }
        Some((&got, _)) => Err(StorageError::Version { kind, got }),
        None => Err(StorageError::Missing { kind }),
    }
}

impl Storage {
    /// Records in `store`.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn get<T: DeserializeOwned>(&self, kind: Kind, id: &[u8]) -> Result<Option<T>, StorageError> {
        self.store.get(Table::App, &key(kind, id))?.map(|bytes| decode(kind, &bytes)).transpose()
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
        let mut found = None;
        self.store.scan_back(Table::App, &key(kind, &[0xff; 9]), &mut |k, v| {
            if k.starts_with(&key(kind, &[])) {
                found = Some(decode(kind, v));
            }
            false
        })?;
        found.transpose()
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
        self.store.scan(Table::App, &key(kind, from), &mut |k, v| {
            if k.starts_with(&key(kind, &[])) {
                found = Some(decode(kind, v));
            }
            false
        })?;
        found.transpose()
    }
}

/// The id of a proof job.
#[must_use]
pub fn proof_id(batch: u64, aggregator: Address) -> Vec<u8> {
    [&batch.to_be_bytes(), aggregator.as_slice()].concat()
}

impl BlockHashes for Storage {
    fn block_hash(&self, number: u64) -> Result<Option<B256>, StoreError> {
        match self.block(number) {
            Ok(block) => Ok(block.map(|b| b.hash)),
            Err(StorageError::Store(e)) => Err(e),
            Err(e) => Err(StoreError::Backend { message: e.to_string() }),
        }
    }
}

fn pool_error(e: impl std::error::Error + Send + Sync + 'static) -> PoolStoreError {
    PoolStoreError(Box::new(e))
}

impl PoolStore for Storage {
    fn put(&self, arrival: u64, raw: &Bytes, replaces: Option<u64>) -> Result<(), PoolStoreError> {
        let mut writes = Batch::new();
        put(&mut writes, Kind::Pool, &arrival.to_be_bytes(), raw).map_err(pool_error)?;
        if let Some(old) = replaces {
            delete(&mut writes, Kind::Pool, &old.to_be_bytes());
        }
        self.write(writes).map_err(pool_error)
    }

    fn remove(&self, arrivals: &[u64]) -> Result<(), PoolStoreError> {
        if arrivals.is_empty() {
            return Ok(());
        }
        let mut writes = Batch::new();
        for arrival in arrivals {
            delete(&mut writes, Kind::Pool, &arrival.to_be_bytes());
        }
        self.write(writes).map_err(pool_error)
    }

    fn load(&self) -> Result<Vec<(u64, Bytes)>, PoolStoreError> {
        let mut found = Vec::new();
        let prefix = key(Kind::Pool, &[]);
        self.store
            .scan(Table::App, &prefix, &mut |k, v| {
                let Some(id) = k.strip_prefix(prefix.as_slice()) else { return false };
                found.push((id.to_vec(), v.to_vec()));
                true
            })
            .map_err(pool_error)?;
        found
            .into_iter()
            .map(|(id, value)| {
                let arrival = id.try_into().map(u64::from_be_bytes);
                let arrival = arrival.map_err(|_| pool_error(StorageError::Missing { kind: Kind::Pool }))?;
                Ok((arrival, decode(Kind::Pool, &value).map_err(pool_error)?))
            })
            .collect()
    }
}

fn send_id(chain_id: u64, account: Address, job: &str) -> Vec<u8> {
    [&chain_id.to_be_bytes(), account.as_slice(), job.as_bytes()].concat()
}

fn send_error(e: impl std::error::Error + Send + Sync + 'static) -> SendStoreError {
    SendStoreError(Box::new(e))
}

impl SendStore for Storage {
    fn put(&self, record: &SendRecord) -> Result<(), SendStoreError> {
        let id = send_id(record.chain_id, record.account, &record.job);
        self.set(Kind::L1Job, &id, record).map_err(send_error)
    }

    fn get(&self, chain_id: u64, account: Address, job: &str) -> Result<Option<SendRecord>, SendStoreError> {
        Storage::get(self, Kind::L1Job, &send_id(chain_id, account, job)).map_err(send_error)
    }

    fn list(&self, chain_id: u64, account: Address) -> Result<Vec<SendRecord>, SendStoreError> {
        let prefix = key(Kind::L1Job, &send_id(chain_id, account, ""));
        let mut found = Vec::new();
        self.store
            .scan(Table::App, &prefix, &mut |k, v| {
                let own = k.starts_with(&prefix);
                if own {
                    found.push(v.to_vec());
                }
                own
            })
            .map_err(send_error)?;
        found.iter().map(|v| decode(Kind::L1Job, v).map_err(send_error)).collect()
    }

    fn remove(&self, chain_id: u64, account: Address, job: &str) -> Result<(), SendStoreError> {
        let mut writes = Batch::new();
        delete(&mut writes, Kind::L1Job, &send_id(chain_id, account, job));
        self.write(writes).map_err(send_error)
    }
}
