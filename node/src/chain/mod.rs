//! The trusted chain: state, blocks, batches and pool under one roof. Writers are the sequencer stage (`produce`: blocks
//! and batches) and JSON-RPC (`submit`: pool); everything else reads.

mod block;
mod pace;
mod produce;
mod submit;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use alloy_rlp::Decodable;
use cairn_protocol::{genesis::Genesis, resources::Rows, tx::TxDecodeError};
use cairn_sequencer::{
    batch::{BatchFull, BatchHeader, BatchLimits, CloseReason, OpenBatch},
    evm::BlockContext,
    executor::ExecuteError,
    pending::PendingState,
    pool::{Pool, PoolConfig, PoolError},
    shapes::Room,
};
use cairn_state::{Batch, StateDb, StateError, Store, StoreError};
use tokio::sync::{Notify, broadcast, watch};

pub use self::{block::receipt_envelope, pace::Pace};
use crate::{
    config::ProofMode,
    dashboard::feed::Feed,
    storage::{Kind, Storage, StorageError},
};

/// What the chain cannot do, and why.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("pool: {0}")]
    Pool(#[source] Box<PoolError>),
    #[error("block {number}: {source}")]
    Execute { number: u64, source: Box<ExecuteError> },
    #[error("block {number} does not decode: {reason}")]
    Decode { number: u64, reason: TxDecodeError },
    #[error("block {number}: {source}")]
    Rlp { number: u64, source: alloy_rlp::Error },
    #[error("block {number}: transaction: {source}")]
    Envelope { number: u64, source: alloy_eips::eip2718::Eip2718Error },
    #[error("block {number} of the open batch has no longer room in it: {reason}")]
    Refit { number: u64, reason: BatchFull },
    /// The store failed where no stage waits for it: the node cannot promise anything any more.
    #[error("the pool cannot be kept: {0}")]
    PoolStore(#[source] StoreError),
    /// A chain of one mode may hold blocks that the other has no proof for.
    #[error(
        "this data directory holds a chain of proof mode {got}, the node runs in {expected}: use another directory, or --proof-mode {got}"
    )]
    OtherMode { expected: String, got: String },
    #[error("the clock is before 1970")]
    Clock,
}

/// Most blocks that one call prunes.
const PRUNE_STEP: u64 = 10_000;

/// What a chain is made of.
pub struct ChainConfig {
    pub genesis: Genesis,
    pub coinbase: Address,
    /// Whether batches are proven; nothing but this decides what is admitted.
    pub mode: ProofMode,
    pub limits: BatchLimits,
    pub pool: PoolConfig,
    /// Sealed batches without a verified proof at which sequencing stops.
    pub max_unproven: u64,
    /// Most blocks that are made durable together.
    pub group_blocks: usize,
}

/// What the sequencer did.
#[derive(Clone, Debug)]
pub enum Produced {
    /// These blocks are written.
    Blocks { first: u64, last: u64 },
    /// The transaction turned out invalid and left the pool.
    Discarded { hash: B256, reason: String },
    /// A batch closed.
    Sealed { batch: u64, reason: CloseReason },
    /// There is nothing to do.
    Idle,
    /// There are transactions, but too many batches wait for their proofs.
    Held { unproven: u64 },
}

/// How far the chain has come. Blocks up to the last of a batch share its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// Last block of the trusted state.
    pub trusted_block: u64,
    /// Last sealed batch.
    pub sealed_batch: u64,
    /// Last batch whose data is on L1.
    pub virtual_batch: u64,
    /// Last batch whose proof L1 accepted.
    pub verified_batch: u64,
}

/// How many pooled transactions a receiver of [`Chain::subscribe_pool`] may be behind before it misses some.
pub const POOL_FEED: usize = 4_096;

/// See the module.
pub struct Chain {
    state: StateDb,
    storage: Storage,
    chain_id: u64,
    coinbase: Address,
    mode: ProofMode,
    limits: BatchLimits,
    max_unproven: u64,
    group_blocks: usize,
    pool_config: PoolConfig,
    pool: Mutex<Pool>,
    open: Mutex<Option<OpenBatch>>,
    heads: watch::Sender<Heads>,
    /// A root on L1 that the next batch may bring to L2.
    next_global_exit_root: Mutex<B256>,
    gas_price_wei: AtomicU64,
    /// The store's first failure under a pool write: the sequencer stage ends the node with it.
    failure: OnceLock<StoreError>,
    /// Told of each transaction that enters the pool.
    pub pool_changed: Notify,
    /// What watchers are told.
    pub feed: Feed,
    pool_feed: broadcast::Sender<B256>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No critical section leaves its value half changed: a poisoned one is still right.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<PoolError> for ChainError {
    fn from(e: PoolError) -> Self {
        Self::Pool(Box::new(e))
    }
}

/// Time since 1970.
///
/// # Errors
/// If the clock is before 1970.
pub fn now() -> Result<Duration, ChainError> {
    SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| ChainError::Clock)
}

impl Chain {
    /// Opens the chain in `store`, creating its genesis if the store is empty.
    ///
    /// # Errors
    /// If the store holds another chain, is damaged, or fails.
    pub fn open(store: Arc<dyn Store>, config: ChainConfig) -> Result<Self, ChainError> {
        let state = StateDb::open(Arc::clone(&store), &config.genesis)?;
        let storage = Storage::open(store)?;
        if storage.block(0)?.is_none() {
            let place = block::BlockPlace {
                number: 0,
                parent_hash: B256::ZERO,
                state_root: state.at(0)?.state_root(),
                timestamp: 0,
                coinbase: Address::ZERO,
            };
            let mut writes = Batch::new();
            block::put_block(&mut writes, &block::header(&place, None)?, 0, None)?;
            storage.write(writes)?;
        }
        let expected = config.mode.to_string();
        match storage.get::<String>(Kind::Mode, &[])? {
            Some(got) if got != expected => return Err(ChainError::OtherMode { expected, got }),
            Some(_) => {}
            None => storage.set(Kind::Mode, &[], &expected)?,
        }
        let pool = submit::restore_pool(&storage, &state, config.pool.clone())?;
        let sealed_batch = storage.last_batch()?.map_or(0, |b| b.batch.header.number);
        let heads = Heads { trusted_block: state.newest()?, sealed_batch, ..Heads::default() };
        let gas_price_wei = AtomicU64::new(u64::try_from(pool.min_price_wei()).unwrap_or(u64::MAX));
        let chain = Self {
            state,
            storage,
            chain_id: config.genesis.chain_id,
            coinbase: config.coinbase,
            mode: config.mode,
            limits: config.limits,
            max_unproven: config.max_unproven,
            group_blocks: config.group_blocks.max(1),
            pool_config: config.pool,
            pool: Mutex::new(pool),
            open: Mutex::new(None),
            heads: watch::Sender::new(heads),
            next_global_exit_root: Mutex::new(B256::ZERO),
            gas_price_wei,
            failure: OnceLock::new(),
            pool_changed: Notify::new(),
            feed: Feed::default(),
            pool_feed: broadcast::Sender::new(POOL_FEED),
        };
        *lock(&chain.open) = chain.reopen_batch()?;
        Ok(chain)
    }

    /// Reads the pool.
    pub fn with_pool<T>(&self, read: impl FnOnce(&Pool) -> T) -> T {
        read(&lock(&self.pool))
    }

    /// Hashes of the transactions that enter the pool from now on. The feed holds [`POOL_FEED`] of them: a receiver that
    /// is further behind misses the oldest and is told how many.
    #[must_use]
    pub fn subscribe_pool(&self) -> broadcast::Receiver<B256> {
        self.pool_feed.subscribe()
    }

    /// The price that the pool asks for, in wei.
    #[must_use]
    pub fn gas_price_wei(&self) -> u64 {
        self.gas_price_wei.load(Ordering::Relaxed)
    }

    /// Sets the price that the pool asks for.
    pub fn set_gas_price_wei(&self, price: u64) {
        lock(&self.pool).set_min_price_wei(u128::from(price));
        self.gas_price_wei.store(price, Ordering::Relaxed);
    }

    /// The next batch brings this root to L2, if L2 does not know it by then.
    pub fn set_global_exit_root(&self, root: B256) {
        *lock(&self.next_global_exit_root) = root;
    }

    /// The root on L1 that the next batch may bring to L2; zero if there is none.
    #[must_use]
    pub fn next_global_exit_root(&self) -> B256 {
        *lock(&self.next_global_exit_root)
    }

    /// How far the chain has come.
    #[must_use]
    pub fn heads(&self) -> Heads {
        *self.heads.borrow()
    }

    /// Told of every change of the heads.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Heads> {
        self.heads.subscribe()
    }

    /// Data of batches up to `batch` is on L1, at least.
    pub fn raise_virtual_batch(&self, batch: u64) {
        self.heads.send_modify(|heads| heads.virtual_batch = heads.virtual_batch.max(batch));
    }

    /// Proofs of batches up to `batch` are on L1, at least.
    pub fn raise_verified_batch(&self, batch: u64) {
        self.heads.send_modify(|heads| heads.verified_batch = heads.verified_batch.max(batch));
    }

    /// Wakes those who wait for a proof.
    pub fn proof_recorded(&self) {
        self.heads.send_modify(|_| {});
    }

    /// The batch that takes transactions, if there is one: its header, what it costs to prove so far, its blocks.
    #[must_use]
    pub fn open_batch(&self) -> Option<(BatchHeader, Rows, u64)> {
        lock(&self.open).as_ref().map(|open| (open.header.clone(), open.counters(), open.len()))
    }

    /// What a batch has room for: that of the largest circuit shape.
    #[must_use]
    pub const fn room(&self) -> &Room {
        &self.limits.room
    }

    /// Rows that a batch has room for.
    #[must_use]
    pub const fn capacity(&self) -> &Rows {
        &self.limits.room.capacity
    }

    /// Whether batches are proven.
    #[must_use]
    pub const fn proof_mode(&self) -> ProofMode {
        self.mode
    }

    /// How the backlog of proofs lets sequencing go on.
    #[must_use]
    pub fn pace(&self) -> Pace {
        let heads = self.heads();
        Pace::of(heads.sealed_batch.saturating_sub(heads.verified_batch), self.max_unproven)
    }

    /// The last block of a sealed batch; 0 for batch 0.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn last_block_of(&self, batch: u64) -> Result<u64, ChainError> {
        if batch == 0 {
            return Ok(0);
        }
        let record = self.storage.batch(batch)?;
        Ok(record.ok_or(StorageError::Missing { kind: Kind::Batch })?.batch.last_block)
    }

    /// Removes states before the newest `history_blocks`, but none that a batch without a verified proof needs. Returns the
    /// number of entries removed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn prune(&self, history_blocks: u64) -> Result<u64, ChainError> {
        let heads = self.heads();
        let earliest = heads
            .trusted_block
            .saturating_sub(history_blocks)
            .min(self.last_block_of(heads.verified_batch)?)
            // A long backlog is worked off in steps.
            .min(self.state.earliest() + PRUNE_STEP);
        if earliest <= self.state.earliest() {
            return Ok(0);
        }
        Ok(self.state.prune_to(earliest)?)
    }

    /// Number of the block with a transaction. A block of a group that is being written is not there yet: it is not the head,
    /// and may not be durable.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn block_with(&self, transaction: B256) -> Result<Option<u64>, ChainError> {
        let number = self.storage.transaction_block(transaction)?;
        Ok(number.filter(|number| *number <= self.heads().trusted_block))
    }

    /// Number of the block with a hash, likewise.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn block_named(&self, hash: B256) -> Result<Option<u64>, ChainError> {
        let number = self.storage.block_number(hash)?;
        Ok(number.filter(|number| *number <= self.heads().trusted_block))
    }

    /// A block's header.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let Some(block) = self.storage.block(number)? else { return Ok(None) };
        let header = Header::decode(&mut block.header.as_ref());
        header.map(Some).map_err(|source| ChainError::Rlp { number, source })
    }

    /// The environment of calls on the state after `block`: that of the block itself.
    ///
    /// # Errors
    /// If the storage fails or the block is not known.
    pub fn context_of(&self, number: u64) -> Result<BlockContext, ChainError> {
        let header = self.header(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
        Ok(BlockContext {
            chain_id: self.chain_id,
            number,
            timestamp: header.timestamp,
            coinbase: header.beneficiary,
        })
    }

    /// The state that the transaction of a block was executed on: that after the block before, and what the block did
    /// before its transaction.
    ///
    /// # Errors
    /// If there is no such block, the state before it was pruned, or the store fails.
    pub fn before_transaction(&self, number: u64) -> Result<PendingState, ChainError> {
        let mut state = PendingState::new(self.state.at(number.saturating_sub(1))?);
        let batch = self.storage.block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?.batch;
        // The open batch first: it may be sealed in between, not the other way round.
        let header = match self.storage.open_batch()? {
            Some(open) if open.number == batch => Some(open),
            _ => self.storage.batch(batch)?.map(|record| record.batch.header),
        };
        if let Some(header) = header {
            state.apply(&header.opening(number))?;
        }
        Ok(state)
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> &StateDb {
        &self.state
    }

    /// The records.
    #[must_use]
    pub const fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Chain id of L2.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Receives the fees.
    #[must_use]
    pub const fn coinbase(&self) -> Address {
        self.coinbase
    }
}
