//! Pool → blocks → batches. Blocks are executed in groups on the state in memory; then the hashes of the whole group are
//! worked out, each block is written in one atomic write, and the group is made durable at once. Nobody sees a block
//! before that.

use std::time::{Duration, Instant};

use alloy_primitives::{B256, keccak256};
use cairn_protocol::{
    batch::acc_input_hash,
    constants::{GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT},
    leaf::field_to_b256,
    resources::{Resource, Rows},
    system::global_exit_root_slot,
    tx::{DecodedTx, decode_tx},
};
use cairn_sequencer::{
    admission::Admission,
    batch::{BatchHeader, CloseReason, OpenBatch},
    counters::fill,
    evm::{BlockContext, BlockHashError, BlockHashes, EvmDb, ViewError},
    executor::{ExecuteError, Executed, execute},
    pending::{PendingState, ReadState},
    pool::{DropReason, PooledTx},
};
use cairn_state::{Batch, BlockChanges};

use super::{
    Chain, ChainError, Pace, Produced,
    block::{BlockPlace, header, put_block},
    lock, now,
};
use crate::{
    metrics,
    storage::{BatchRecord, Kind, Storage, StorageError, TxRecord, delete, put},
};

/// Longest execution of one group: whoever waits for a block does not wait for a large group.
const GROUP_TIME: Duration = Duration::from_millis(100);

/// A block that is executed and not written.
struct Planned {
    pooled: PooledTx,
    executed: Executed,
    changes: BlockChanges,
    /// It is the first of its batch.
    opens: bool,
}

/// Executed blocks over the newest written one.
struct Group {
    state: PendingState,
    blocks: Vec<Planned>,
}

/// Hashes of written blocks; those of the group follow with their state roots.
struct GroupHashes<'a> {
    storage: &'a Storage,
    first_pending: u64,
}

impl BlockHashes for GroupHashes<'_> {
    fn block_hash(&self, number: u64) -> Result<Option<B256>, BlockHashError> {
        if number >= self.first_pending {
            return Err(BlockHashError::Pending { number });
        }
        self.storage.block_hash(number)
    }
}

/// What a group ended with.
enum End {
    /// The pool has nothing more, or the group is large enough.
    Done,
    /// The batch has no room for the next transaction.
    Full(CloseReason),
    /// The next transaction was found invalid.
    Discarded { hash: B256, reason: String },
}

impl Chain {
    /// The open batch as the blocks since the last sealed one make it.
    pub(super) fn reopen_batch(&self) -> Result<Option<OpenBatch>, ChainError> {
        let Some(header) = self.storage.open_batch()? else { return Ok(None) };
        let mut open = OpenBatch::new(header);
        while open.next_block() <= self.state.newest()? {
            let number = open.next_block();
            let block = self.storage.block(number)?.and_then(|b| b.transaction);
            let record = block.ok_or(StorageError::Missing { kind: Kind::Block })?;
            let tx = decode_tx(&record.raw).map_err(|reason| ChainError::Decode { number, reason })?;
            // A block follows another: its number is at least 1.
            let mut state = PendingState::new(self.state.at(number - 1)?);
            state.apply(&open.opening())?;
            let executed = self.execute(&tx, record.sender, &open, &state, number)?;
            open.check(&tx, &executed, &self.limits)
                .map_err(|reason| ChainError::Refit { number, reason })
                .or_else(|e| if self.limits.admission == Admission::Everything { Ok(()) } else { Err(e) })?;
            open.push(&tx, &executed);
        }
        Ok(Some(open))
    }

    fn execute(
        &self,
        tx: &DecodedTx,
        sender: alloy_primitives::Address,
        open: &OpenBatch,
        state: &dyn ReadState,
        first_pending: u64,
    ) -> Result<Executed, ChainError> {
        let number = open.next_block();
        let context = BlockContext {
            chain_id: self.chain_id,
            number,
            timestamp: open.header.timestamp,
            coinbase: open.header.coinbase,
        };
        let hashes = GroupHashes { storage: &self.storage, first_pending };
        execute(tx, sender, &context, EvmDb { state, hashes: &hashes }, self.limits.admission)
            .map_err(|e| ChainError::Execute { number, source: Box::new(e) })
    }

    /// The header of the next batch.
    fn next_batch(&self) -> Result<BatchHeader, ChainError> {
        let last = self.heads().sealed_batch;
        let head = self.state.newest()?;
        let last_timestamp = self.header(head)?.map_or(0, |h| h.timestamp);
        let root = *lock(&self.next_global_exit_root);
        let known = root.is_zero()
            || !self.state.storage(GLOBAL_EXIT_ROOT_L2, global_exit_root_slot(root))?.is_zero();
        // Its entry takes a position of the state tree. Those that are promised to accepted transactions go first: without
        // the root a batch can be proven, without them it cannot.
        let leaves = self.state.commitment()?.leaf_count;
        let has_position = known || lock(&self.pool).has_position_for_root(leaves);
        if !has_position {
            let positions = self.limits.room.positions;
            tracing::warn!(%root, leaves, positions, "left out of the batch: the state tree is full for the largest circuit");
        }
        let now = now()?;
        Ok(BatchHeader {
            number: last + 1,
            timestamp: now.as_secs().max(last_timestamp),
            // Milliseconds since 1970 fit 64 bits for longer than seconds fit a timestamp.
            opened_ms: now.as_millis() as u64,
            coinbase: self.coinbase,
            global_exit_root: if known || !has_position { B256::ZERO } else { root },
            first_block: head + 1,
        })
    }

    /// Whether the open batch is as old as it may get under this load.
    fn is_due(&self, open: &OpenBatch) -> Result<bool, ChainError> {
        let limit = match self.pace() {
            Pace::Stopped => return Ok(false),
            Pace::Full => self.limits.max_age,
            Pace::Free => {
                let waiting = lock(&self.pool).len() as f64
                    / self.limits.room.capacity[Resource::Transactions].max(1) as f64;
                self.limits.age_limit(waiting.max(fill(&open.counters(), &self.limits.room.capacity)))
            }
        };
        let opened = Duration::from_millis(open.header.opened_ms);
        Ok(!open.is_empty() && now()?.saturating_sub(opened) >= limit)
    }

    /// One step of the sequencer: one group of blocks, or one batch. Called by one thread at a time.
    ///
    /// # Errors
    /// If the node itself is at fault; an invalid transaction is no error.
    pub fn produce(&self) -> Result<Produced, ChainError> {
        if let Some(error) = self.failure.get() {
            return Err(ChainError::PoolStore(error.clone()));
        }
        let mut slot = lock(&self.open);
        if let Some(open) = slot.as_ref()
            && self.is_due(open)?
        {
            return self.seal(&mut slot, CloseReason::Age);
        }
        if lock(&self.pool).best().is_none() {
            self.tend_pool(false)?;
            return Ok(Produced::Idle);
        }
        if self.pace() == Pace::Stopped {
            let heads = self.heads();
            return Ok(Produced::Held { unproven: heads.sealed_batch.saturating_sub(heads.verified_batch) });
        }
        let mut group = Group { state: PendingState::new(self.state.latest()?), blocks: Vec::new() };
        let filled = self.fill(&mut slot, &mut group);
        let (first, count) = (self.state.newest()? + 1, group.blocks.len() as u64);
        if let (Some(open), false) = (slot.as_ref(), group.blocks.is_empty())
            && let Err(error) = self.commit(open, first, group)
        {
            // Nothing of the group counts: the batch is what its written blocks make it.
            lock(&self.pool).abandon();
            *slot = None;
            return Err(error);
        }
        if slot.as_ref().is_some_and(OpenBatch::is_empty) {
            *slot = None;
        }
        match filled? {
            End::Full(reason) => self.seal(&mut slot, reason),
            End::Discarded { hash, reason } => Ok(Produced::Discarded { hash, reason }),
            End::Done if count == 0 => Ok(Produced::Idle),
            End::Done => Ok(Produced::Blocks { first, last: first + count - 1 }),
        }
    }

    /// Executes transactions of the pool until the group, the batch or the pool is at its end.
    fn fill(&self, slot: &mut Option<OpenBatch>, group: &mut Group) -> Result<End, ChainError> {
        let start = Instant::now();
        let first_pending = self.state.newest()? + 1;
        while group.blocks.len() < self.group_blocks && start.elapsed() < GROUP_TIME {
            let open = match slot {
                Some(open) => open,
                None => slot.insert(OpenBatch::new(self.next_batch()?)),
            };
            // From here on it cannot be replaced.
            let Some(pooled) = lock(&self.pool).begin() else { break };
            let (tx, sender) = (&pooled.valid.tx, pooled.valid.sender);
            if open.is_empty() {
                // The first transaction of a batch sees its global exit root. If it does not become a block, the next one does
                // the same again, which changes nothing.
                group.state.apply(&open.opening())?;
            }
            let executed = match self.execute(tx, sender, open, &group.state, first_pending) {
                Ok(executed) => executed,
                Err(ChainError::Execute { number, source }) => match *source {
                    ExecuteError::Invalid(_)
                    | ExecuteError::NotProvable(_)
                    | ExecuteError::Refused { .. } => {
                        return self.discard(&pooled, source.to_string());
                    }
                    // Once the group is written, the hash is there.
                    ExecuteError::View(ViewError::BlockHash(BlockHashError::Pending { .. }))
                        if !group.blocks.is_empty() =>
                    {
                        lock(&self.pool).put_back(&pooled);
                        break;
                    }
                    _ => {
                        lock(&self.pool).put_back(&pooled);
                        return Err(ChainError::Execute { number, source });
                    }
                },
                Err(e) => {
                    lock(&self.pool).put_back(&pooled);
                    return Err(e);
                }
            };
            match open.check(tx, &executed, &self.limits) {
                Ok(()) => {}
                // Admission uses the same room: its configuration has changed since.
                Err(full) if open.is_empty() => return self.discard(&pooled, full.to_string()),
                Err(full) => {
                    lock(&self.pool).put_back(&pooled);
                    return Ok(End::Full(full.reason()));
                }
            }
            let (changes, opens) = (open.block_changes(&executed), open.is_empty());
            group.state.apply(&changes)?;
            open.push(tx, &executed);
            group.blocks.push(Planned { pooled, executed, changes, opens });
        }
        Ok(End::Done)
    }

    fn discard(&self, pooled: &PooledTx, reason: String) -> Result<End, ChainError> {
        let hash = pooled.valid.hash;
        let taken = lock(&self.pool).discard(hash);
        let reason = DropReason::Execution { reason };
        let text = reason.to_string();
        if let Some(taken) = taken {
            self.record_dropped(&[(taken, reason)])?;
        }
        Ok(End::Discarded { hash, reason: text })
    }

    /// Writes a group that starts with block `first`.
    fn commit(&self, open: &OpenBatch, first: u64, group: Group) -> Result<(), ChainError> {
        let mut blocks = group.blocks;
        let changes: Vec<BlockChanges> =
            blocks.iter_mut().map(|block| std::mem::take(&mut block.changes)).collect();
        let prepared = self.state.prepare_blocks(&changes)?;
        let parent = self.storage.block(first - 1)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
        let mut parent_hash = parent.hash;
        let mut writes = Vec::with_capacity(blocks.len());
        let mut included = Vec::with_capacity(blocks.len());
        let mut gas = Vec::with_capacity(blocks.len());
        for ((number, planned), prepared) in (first..).zip(blocks).zip(prepared) {
            let Planned { pooled, executed, opens, .. } = planned;
            let (sender, nonce) = (pooled.valid.sender, pooled.valid.tx.nonce);
            let record = TxRecord {
                raw: pooled.valid.tx.raw().clone(),
                hash: pooled.valid.hash,
                sender,
                success: executed.receipt.success,
                gas_used: executed.receipt.gas_used,
                gas_price_wei: executed.receipt.gas_price_wei,
                logs: executed.receipt.logs,
            };
            let place = BlockPlace {
                number,
                parent_hash,
                state_root: field_to_b256(prepared.commitment.state_root()),
                timestamp: open.header.timestamp,
                coinbase: open.header.coinbase,
            };
            let header = header(&place, Some(&record))?;
            let mut extra = Batch::new();
            parent_hash = put_block(&mut extra, &header, open.header.number, Some(record))?;
            delete(&mut extra, Kind::Pool, &pooled.arrival.to_be_bytes());
            if opens {
                put(&mut extra, Kind::OpenBatch, &[], &open.header)?;
            }
            writes.push((prepared, extra));
            included.push((sender, nonce));
            gas.push(executed.receipt.gas_used);
        }
        let last = first + included.len() as u64 - 1;
        let start = Instant::now();
        self.state.commit_prepared(writes)?;
        metrics::state_committed(start.elapsed());
        gas.into_iter().for_each(metrics::block_produced);
        metrics::open_batch(&open.counters(), &self.limits.room.capacity);
        // The head moves before the transactions leave the pool: whoever asks for the pending nonce in between, pool first,
        // then state, must not see an older one.
        self.heads.send_modify(|heads| heads.trusted_block = last);
        let mut pool = lock(&self.pool);
        for (sender, nonce) in included {
            pool.included(sender, nonce);
        }
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
                keccak256(&data.transactions),
                data.global_exit_root,
                data.timestamp,
                batch.header.coinbase,
            ),
            old_state_root: self.state.at(batch.header.first_block - 1)?.state_root(),
            state_root: state.state_root(),
            local_exit_root: B256::from(local_exit_root),
            sealed_ms: now()?.as_millis() as u64,
            batch,
        };
        let mut writes = Batch::new();
        put(&mut writes, Kind::Batch, &number.to_be_bytes(), &record)?;
        delete(&mut writes, Kind::OpenBatch, &[]);
        self.storage.write(writes)?;
        *slot = None;
        metrics::open_batch(&Rows::ZERO, &self.limits.room.capacity);
        self.heads.send_modify(|heads| heads.sealed_batch = number);
        self.tend_pool(true)?;
        Ok(Produced::Sealed { batch: number, reason })
    }
}
