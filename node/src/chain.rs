//! The trusted chain: state, blocks, batches and pool under one roof. Writers are the sequencer stage (blocks and
//! batches) and JSON-RPC (pool); everything else reads.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_consensus::{
    Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxEnvelope,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH},
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use alloy_rlp::{Decodable, Encodable};
use cairn_protocol::{
    batch::acc_input_hash,
    constants::{BLOCK_GAS_LIMIT, GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT},
    genesis::Genesis,
    leaf::field_to_b256,
    system::global_exit_root_slot,
    tx::{DecodedTx, TxDecodeError, decode_tx},
};
use cairn_sequencer::{
    batch::{BatchFull, BatchHeader, BatchLimits, CloseReason, OpenBatch},
    evm::{BlockContext, EvmDb},
    executor::{ExecuteError, Executed, execute},
    pool::{Pool, PoolConfig, PoolError, PoolStoreError, ValidTx},
};
use cairn_state::{Batch, StateDb, StateError, StateView, Store};
use tokio::sync::{Notify, watch};

use crate::storage::{BatchRecord, BlockRecord, Kind, Storage, StorageError, TxRecord, delete, put};

/// What the chain cannot do, and why.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    PoolStore(#[from] PoolStoreError),
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
    #[error("the clock is before 1970")]
    Clock,
}

/// What a chain is made of.
pub struct ChainConfig {
    pub genesis: Genesis,
    pub coinbase: Address,
    pub limits: BatchLimits,
    pub pool: PoolConfig,
}

/// What the sequencer did.
#[derive(Clone, Debug)]
pub enum Produced {
    /// Block `number` is written.
    Block { number: u64 },
    /// The transaction turned out invalid and left the pool.
    Discarded { hash: B256, reason: String },
    /// A batch closed.
    Sealed { batch: u64, reason: CloseReason },
    /// There is nothing to do.
    Idle,
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

/// See the module.
pub struct Chain {
    state: StateDb,
    storage: Storage,
    chain_id: u64,
    coinbase: Address,
    limits: BatchLimits,
    pool: Mutex<Pool>,
    open: Mutex<Option<OpenBatch>>,
    heads: watch::Sender<Heads>,
    /// A root on L1 that the next batch may bring to L2.
    next_global_exit_root: Mutex<B256>,
    gas_price_wei: AtomicU64,
    /// Told of each transaction that enters the pool.
    pub pool_changed: Notify,
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

/// Unix time in seconds.
///
/// # Errors
/// If the clock is before 1970.
pub fn now() -> Result<u64, ChainError> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| ChainError::Clock)?.as_secs())
}

impl Chain {
    /// Opens the chain in `store`, creating its genesis if the store is empty.
    ///
    /// # Errors
    /// If the store holds another chain, is damaged, or fails.
    pub fn open(store: Arc<dyn Store>, config: ChainConfig) -> Result<Self, ChainError> {
        let state = StateDb::open(Arc::clone(&store), &config.genesis)?;
        let storage = Storage::new(store);
        if storage.block(0)?.is_none() {
            let header = header(&state.at(0)?, B256::ZERO, 0, 0, Address::ZERO, None)?;
            let mut writes = Batch::new();
            put_block(&mut writes, 0, &header, 0, None)?;
            storage.write(writes)?;
        }
        let (pool, dropped) = Pool::open(config.pool, Arc::new(storage.clone()), &state.latest()?)?;
        for (hash, reason) in dropped {
            tracing::info!(%hash, %reason, "pooled transaction dropped");
        }
        let sealed_batch = storage.last_batch()?.map_or(0, |b| b.batch.header.number);
        let heads = Heads { trusted_block: state.newest()?, sealed_batch, ..Heads::default() };
        let gas_price_wei = AtomicU64::new(u64::try_from(pool.min_price_wei()).unwrap_or(u64::MAX));
        let chain = Self {
            state,
            storage,
            chain_id: config.genesis.chain_id,
            coinbase: config.coinbase,
            limits: config.limits,
            pool: Mutex::new(pool),
            open: Mutex::new(None),
            heads: watch::Sender::new(heads),
            next_global_exit_root: Mutex::new(B256::ZERO),
            gas_price_wei,
            pool_changed: Notify::new(),
        };
        *lock(&chain.open) = chain.reopen_batch()?;
        Ok(chain)
    }

    /// The open batch as the blocks since the last sealed one make it.
    fn reopen_batch(&self) -> Result<Option<OpenBatch>, ChainError> {
        let Some(header) = self.storage.open_batch()? else { return Ok(None) };
        let mut open = OpenBatch::new(header);
        while open.next_block() <= self.state.newest()? {
            let number = open.next_block();
            let block = self.storage.block(number)?.and_then(|b| b.transaction);
            let record = block.ok_or(StorageError::Missing { kind: Kind::Block })?;
            let tx = decode_tx(&record.raw).map_err(|reason| ChainError::Decode { number, reason })?;
            let executed = self.execute(&tx, record.sender, &open)?;
            // Limits may have been lowered since: what is in a block stays in its batch.
            let meter = open
                .with(&tx, &executed, &self.limits.capacity)
                .map_err(|reason| ChainError::Refit { number, reason })?;
            open.push(&tx, meter);
        }
        Ok(Some(open))
    }

    fn execute(&self, tx: &DecodedTx, sender: Address, open: &OpenBatch) -> Result<Executed, ChainError> {
        let number = open.next_block();
        // A block follows another: its number is at least 1.
        let state = self.state.at(number - 1)?;
        let context = BlockContext {
            chain_id: self.chain_id,
            number,
            timestamp: open.header.timestamp,
            coinbase: open.header.coinbase,
        };
        execute(tx, sender, &context, EvmDb { state: &state, hashes: &self.storage })
            .map_err(|e| ChainError::Execute { number, source: Box::new(e) })
    }

    /// The header of the next batch.
    fn next_batch(&self) -> Result<BatchHeader, ChainError> {
        let last = self.storage.last_batch()?;
        let head = self.state.newest()?;
        let last_timestamp = self.header(head)?.map_or(0, |h| h.timestamp);
        let root = *lock(&self.next_global_exit_root);
        let known = root.is_zero()
            || !self.state.storage(GLOBAL_EXIT_ROOT_L2, global_exit_root_slot(root))?.is_zero();
        Ok(BatchHeader {
            number: last.map_or(0, |b| b.batch.header.number) + 1,
            timestamp: now()?.max(last_timestamp),
            coinbase: self.coinbase,
            global_exit_root: if known { B256::ZERO } else { root },
            first_block: head + 1,
        })
    }

    /// One step of the sequencer: at most one block or one batch. Called by one thread at a time.
    ///
    /// # Errors
    /// If the node itself is at fault; an invalid transaction is no error.
    pub fn produce(&self) -> Result<Produced, ChainError> {
        let mut slot = lock(&self.open);
        if let Some(open) = slot.as_ref() {
            let age = now()?.saturating_sub(open.header.timestamp);
            if !open.is_empty() && age >= self.limits.max_age.as_secs() {
                return self.seal(&mut slot, CloseReason::Age);
            }
        }
        let Some(pooled) = lock(&self.pool).best().cloned() else { return Ok(Produced::Idle) };
        let open = match slot.take() {
            Some(open) => open,
            None => OpenBatch::new(self.next_batch()?),
        };
        let ValidTx { tx, sender, hash } = pooled.valid;
        let executed = match self.execute(&tx, sender, &open) {
            Ok(executed) => executed,
            Err(ChainError::Execute { source, .. })
                if matches!(*source, ExecuteError::Invalid(_) | ExecuteError::NotProvable(_)) =>
            {
                *slot = (!open.is_empty()).then_some(open);
                lock(&self.pool).discard(hash)?;
                return Ok(Produced::Discarded { hash, reason: source.to_string() });
            }
            Err(e) => {
                *slot = (!open.is_empty()).then_some(open);
                return Err(e);
            }
        };
        let meter = match open.with(&tx, &executed, &self.limits.capacity) {
            Ok(meter) => meter,
            Err(full) if open.is_empty() => {
                // It does not fit an empty batch: admission uses the same capacity, so the configuration changed.
                lock(&self.pool).discard(hash)?;
                return Ok(Produced::Discarded { hash, reason: full.to_string() });
            }
            Err(full) => {
                *slot = Some(open);
                return self.seal(&mut slot, full.reason());
            }
        };
        let number = open.next_block();
        let written = self.write_block(&open, &tx, hash, sender, &executed);
        let mut open = open;
        if written.is_ok() {
            open.push(&tx, meter);
        }
        *slot = (!open.is_empty()).then_some(open);
        written?;
        // The head moves before the transaction leaves the pool: whoever asks for the pending nonce in between, pool first,
        // then state, must not see an older one.
        self.heads.send_modify(|heads| heads.trusted_block = number);
        lock(&self.pool).executed(sender, tx.nonce)?;
        Ok(Produced::Block { number })
    }

    fn write_block(
        &self,
        open: &OpenBatch,
        tx: &DecodedTx,
        hash: B256,
        sender: Address,
        executed: &Executed,
    ) -> Result<(), ChainError> {
        let number = open.next_block();
        let changes = open.block_changes(executed);
        let root = field_to_b256(self.state.preview(&changes)?.state_root());
        let record = TxRecord {
            raw: tx.raw().clone(),
            hash,
            sender,
            success: executed.receipt.success,
            gas_used: executed.receipt.gas_used,
            gas_price_wei: executed.receipt.gas_price_wei,
            logs: executed.receipt.logs.clone(),
        };
        let parent = self.storage.block(number - 1)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
        let mut header = header(
            &self.state.at(number - 1)?,
            parent.hash,
            number,
            open.header.timestamp,
            open.header.coinbase,
            Some(&record),
        )?;
        header.state_root = root;
        let mut writes = Batch::new();
        put_block(&mut writes, number, &header, open.header.number, Some(record))?;
        if open.is_empty() {
            put(&mut writes, Kind::OpenBatch, &[], &open.header)?;
        }
        self.state.commit_block_with(number, &changes, writes)?;
        Ok(())
    }

    fn seal(&self, slot: &mut Option<OpenBatch>, reason: CloseReason) -> Result<Produced, ChainError> {
        let Some(batch) = slot.as_ref().and_then(|open| open.clone().seal(reason)) else {
            return Ok(Produced::Idle);
        };
        let number = batch.header.number;
        let old_acc_input_hash = match number {
            1 => B256::ZERO,
            _ => {
                let previous = self.storage.batch(number - 1)?;
                previous.ok_or(StorageError::Missing { kind: Kind::Batch })?.acc_input_hash
            }
        };
        let data = batch.data();
        let state = self.state.at(batch.last_block)?;
        let local_exit_root = state.storage(GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT)?;
        let record = BatchRecord {
            old_acc_input_hash,
            acc_input_hash: acc_input_hash(
                old_acc_input_hash,
                alloy_primitives::keccak256(&data.transactions),
                data.global_exit_root,
                data.timestamp,
                batch.header.coinbase,
            ),
            state_root: state.state_root(),
            local_exit_root: B256::from(local_exit_root),
            batch,
        };
        let mut writes = Batch::new();
        put(&mut writes, Kind::Batch, &number.to_be_bytes(), &record)?;
        delete(&mut writes, Kind::OpenBatch, &[]);
        self.storage.write(writes)?;
        *slot = None;
        self.heads.send_modify(|heads| heads.sealed_batch = number);
        Ok(Produced::Sealed { batch: number, reason })
    }

    /// Takes a raw transaction into the pool: once this returns, it survives the process.
    ///
    /// # Errors
    /// The rule that the transaction breaks.
    pub fn submit(&self, raw: &[u8]) -> Result<B256, PoolError> {
        let config = lock(&self.pool).config().clone();
        let valid = ValidTx::new(raw, &config)?;
        let mut pool = lock(&self.pool);
        let hash = pool.add(valid, &self.state.latest()?)?;
        drop(pool);
        self.pool_changed.notify_one();
        Ok(hash)
    }

    /// Reads the pool.
    pub fn with_pool<T>(&self, read: impl FnOnce(&Pool) -> T) -> T {
        read(&lock(&self.pool))
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

    /// The header of the batch that takes transactions, if there is one.
    #[must_use]
    pub fn open_batch(&self) -> Option<BatchHeader> {
        lock(&self.open).as_ref().map(|open| open.header.clone())
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

/// A receipt as alloy has it.
///
/// # Errors
/// If the transaction does not decode.
pub fn receipt_envelope(
    number: u64,
    tx: &TxRecord,
) -> Result<(TxEnvelope, ReceiptEnvelope<Log>), ChainError> {
    let envelope =
        TxEnvelope::decode_2718_exact(&tx.raw).map_err(|source| ChainError::Envelope { number, source })?;
    let receipt = ReceiptWithBloom::from(Receipt {
        status: Eip658Value::Eip658(tx.success),
        cumulative_gas_used: tx.gas_used,
        logs: tx.logs.clone(),
    });
    let receipt = match &envelope {
        TxEnvelope::Legacy(_) => ReceiptEnvelope::Legacy(receipt),
        TxEnvelope::Eip2930(_) => ReceiptEnvelope::Eip2930(receipt),
        // The decoder of batches knows no other type.
        _ => ReceiptEnvelope::Eip1559(receipt),
    };
    Ok((envelope, receipt))
}

/// The header of a block; its state root is that of `state`.
fn header(
    state: &StateView,
    parent_hash: B256,
    number: u64,
    timestamp: u64,
    coinbase: Address,
    tx: Option<&TxRecord>,
) -> Result<Header, ChainError> {
    let mut header = Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: coinbase,
        state_root: state.state_root(),
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        difficulty: U256::ZERO,
        number,
        gas_limit: BLOCK_GAS_LIMIT,
        gas_used: 0,
        timestamp,
        base_fee_per_gas: Some(0),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    if let Some(tx) = tx {
        let (envelope, receipt) = receipt_envelope(number, tx)?;
        header.logs_bloom = *receipt.logs_bloom();
        header.transactions_root = calculate_transaction_root(&[envelope]);
        header.receipts_root = calculate_receipt_root(&[receipt]);
        header.gas_used = tx.gas_used;
    }
    Ok(header)
}

fn put_block(
    writes: &mut Batch,
    number: u64,
    header: &Header,
    batch: u64,
    transaction: Option<TxRecord>,
) -> Result<(), StorageError> {
    let mut rlp = Vec::new();
    header.encode(&mut rlp);
    let hash = header.hash_slow();
    put(writes, Kind::BlockHash, hash.as_slice(), &number)?;
    if let Some(tx) = &transaction {
        put(writes, Kind::Transaction, tx.hash.as_slice(), &number)?;
    }
    let record = BlockRecord { hash, header: Bytes::from(rlp), batch, transaction };
    put(writes, Kind::Block, &number.to_be_bytes(), &record)
}
