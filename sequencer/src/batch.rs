//! Blocks into batches: what a block writes, when a batch closes, what L1 receives of it, and what its proof needs.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_protocol::{
    access::{AccessError, BlockAccess},
    batch::BatchData,
    constants::{
        FORK_ID, GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT, MAX_TRANSACTIONS_BYTE_LENGTH,
        SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT,
    },
    resources::Rows,
    system::{global_exit_root_slot, last_rollup_exit_root_leaf},
    tx::DecodedTx,
    witness::{BATCH_WITNESS_VERSION, BatchWitness},
};
use cairn_state::{
    BlockChanges, StateDb, StateError, TreeReader,
    witness::{WitnessError, leaf_ops_between},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    admission::Admission,
    counters::BatchMeter,
    executor::Executed,
    shapes::{Room, RoomExceeded},
};

/// What all blocks of a batch share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchHeader {
    pub number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// Unix time in milliseconds; the age of the batch counts from here.
    pub opened_ms: u64,
    pub coinbase: Address,
    /// A root that L2 does not know yet, or zero.
    pub global_exit_root: B256,
    pub first_block: u64,
}

impl BatchHeader {
    /// What a block of the batch does before its transaction, which sees it: the first one enters the global exit root,
    /// if the batch brings one; the others do nothing.
    #[must_use]
    pub fn opening(&self, block: u64) -> BlockChanges {
        let mut changes = BlockChanges::new();
        let root = self.global_exit_root;
        if block == self.first_block && !root.is_zero() {
            let timestamp = U256::from(self.timestamp);
            changes.set_storage(GLOBAL_EXIT_ROOT_L2, global_exit_root_slot(root), timestamp);
        }
        changes
    }
}

/// Why a batch closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseReason {
    /// The next transaction did not fit the largest circuit shape.
    Capacity,
    /// The next transaction did not fit `MAX_TRANSACTIONS_BYTE_LENGTH`.
    Bytes,
    /// The next transaction would have used more gas than a batch may.
    Gas,
    /// The batch was open for as long as it may be; the limit falls as load grows.
    Age,
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Capacity => "capacity",
            Self::Bytes => "bytes",
            Self::Gas => "gas",
            Self::Age => "age",
        })
    }
}

/// When a batch closes.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// That of the largest circuit shape.
    pub room: Room,
    pub admission: Admission,
    /// Gas used by all transactions together.
    pub max_gas: u64,
    /// Time from the first transaction on, without load.
    pub max_age: Duration,
    /// The same under full load.
    pub min_age: Duration,
}

impl BatchLimits {
    /// How long a batch stays open at `load`, from 0 (idle) to 1 (the next batch is as good as full): a busy chain commits
    /// sooner.
    #[must_use]
    pub fn age_limit(&self, load: f64) -> Duration {
        let shortest = self.min_age.min(self.max_age);
        let span = self.max_age - shortest;
        shortest + span.mul_f64(1.0 - load.clamp(0.0, 1.0))
    }
}

/// The next transaction does not fit: the batch closes for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BatchFull {
    #[error("the batch {0}")]
    Room(RoomExceeded),
    #[error("the batch would have {needed} bytes, the limit is {limit}")]
    Bytes { needed: usize, limit: usize },
    #[error("the batch would use {needed} gas, the limit is {limit}")]
    Gas { needed: u64, limit: u64 },
}

impl BatchFull {
    /// As recorded with the batch.
    #[must_use]
    pub const fn reason(&self) -> CloseReason {
        match self {
            Self::Room(_) => CloseReason::Capacity,
            Self::Bytes { .. } => CloseReason::Bytes,
            Self::Gas { .. } => CloseReason::Gas,
        }
    }
}

/// A batch that takes transactions.
#[derive(Clone, Debug)]
pub struct OpenBatch {
    pub header: BatchHeader,
    meter: BatchMeter,
    transactions: Vec<u8>,
    gas_used: u64,
    blocks: u64,
}

impl OpenBatch {
    /// A batch without transactions.
    #[must_use]
    pub fn new(header: BatchHeader) -> Self {
        let meter = BatchMeter::new(header.global_exit_root);
        Self { header, meter, transactions: Vec::new(), gas_used: 0, blocks: 0 }
    }

    /// Number of the block that the next transaction makes.
    #[must_use]
    pub const fn next_block(&self) -> u64 {
        self.header.first_block + self.blocks
    }

    /// Whether there is no transaction yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// Number of transactions.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.blocks
    }

    /// What the batch costs to prove as it is.
    #[must_use]
    pub fn counters(&self) -> Rows {
        self.meter.counters()
    }

    /// Gas used so far.
    #[must_use]
    pub const fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Whether an executed transaction fits. Where everything is admitted, an empty batch takes any transaction.
    ///
    /// # Errors
    /// The limit that it would break.
    pub fn check(&self, tx: &DecodedTx, executed: &Executed, limits: &BatchLimits) -> Result<(), BatchFull> {
        let needed = self.transactions.len() + tx.raw().len();
        if needed > MAX_TRANSACTIONS_BYTE_LENGTH {
            return Err(BatchFull::Bytes { needed, limit: MAX_TRANSACTIONS_BYTE_LENGTH });
        }
        if self.is_empty() && limits.admission == Admission::Everything {
            return Ok(());
        }
        let needed = self.gas_used + executed.receipt.gas_used;
        if needed > limits.max_gas && !self.is_empty() {
            return Err(BatchFull::Gas { needed, limit: limits.max_gas });
        }
        let counters = self.meter.counters_with(&executed.work(tx));
        // What the batch's opening created is in the leaf count, as it is in the counters.
        limits.room.fits(&counters, executed.leaf_count).map_err(BatchFull::Room)
    }

    /// Takes a transaction that fits, or that is in a block already.
    pub fn push(&mut self, tx: &DecodedTx, executed: &Executed) {
        self.transactions.extend_from_slice(tx.raw());
        self.meter.add(&executed.work(tx));
        self.gas_used += executed.receipt.gas_used;
        self.blocks += 1;
    }

    /// What the next block does before its transaction, see [`BatchHeader::opening`].
    #[must_use]
    pub fn opening(&self) -> BlockChanges {
        self.header.opening(self.next_block())
    }

    /// What the next block reads and writes: the opening, what the transaction did on the state after it, the block
    /// number, and last a read of `lastRollupExitRoot`, which the batch shows to L1 if this block is its last.
    #[must_use]
    pub fn block_changes(&self, executed: &Executed) -> BlockChanges {
        let mut changes = self.opening();
        changes.accesses.extend_from_slice(&executed.changes.accesses);
        changes.codes.extend_from_slice(&executed.changes.codes);
        changes.set_storage(SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT, U256::from(self.next_block()));
        changes.read(last_rollup_exit_root_leaf());
        changes
    }

    /// Closes the batch. `None` if it is empty: a batch has at least one block.
    #[must_use]
    pub fn seal(self, reason: CloseReason) -> Option<SealedBatch> {
        if self.is_empty() {
            return None;
        }
        Some(SealedBatch {
            last_block: self.next_block() - 1,
            counters: self.counters(),
            gas_used: self.gas_used,
            transactions: self.transactions.into(),
            header: self.header,
            reason,
        })
    }
}

/// A batch that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBatch {
    pub header: BatchHeader,
    pub last_block: u64,
    /// The concatenation of the transactions as they are on the wire.
    pub transactions: Bytes,
    pub counters: Rows,
    pub gas_used: u64,
    pub reason: CloseReason,
}

impl SealedBatch {
    /// The batch as given to L1.
    #[must_use]
    pub fn data(&self) -> BatchData {
        BatchData {
            transactions: self.transactions.clone(),
            global_exit_root: self.header.global_exit_root,
            timestamp: self.header.timestamp,
            min_forced_timestamp: 0,
        }
    }
}

/// Why there is no witness.
#[derive(Debug, Error)]
pub enum BatchWitnessError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Openings(#[from] WitnessError),
    #[error("the records of the blocks of batch {number} do not fit together: {reason}")]
    Records { number: u64, reason: AccessError },
}

/// All that a prover needs of a sealed batch, from the history of the state.
///
/// # Errors
/// If the blocks of the batch are not in the state, or the state is not what the batch leads to.
pub fn batch_witness(
    state: &StateDb,
    batch: &SealedBatch,
    chain_id: u64,
    old_acc_input_hash: B256,
) -> Result<BatchWitness, BatchWitnessError> {
    let BatchHeader { number, timestamp, coinbase, global_exit_root, first_block, .. } = batch.header;
    // Block 0 is the genesis: a batch starts at block 1 or later.
    let before = state.at(first_block.saturating_sub(1))?;
    let after = state.at(batch.last_block)?;
    let accesses =
        (first_block..=batch.last_block).map(|n| state.block_access(n)).collect::<Result<Vec<_>, _>>()?;
    let touched =
        BlockAccess::merge(&accesses).map_err(|reason| BatchWitnessError::Records { number, reason })?;
    let ops = leaf_ops_between(&before, after.commitment(), &touched)?;
    let local_exit_root = after.storage(GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT)?;
    Ok(BatchWitness {
        version: BATCH_WITNESS_VERSION,
        chain_id,
        fork_id: FORK_ID,
        batch_number: number,
        old_acc_input_hash,
        old_state: before.commitment(),
        new_state: after.commitment(),
        transactions: batch.transactions.clone(),
        global_exit_root,
        timestamp,
        coinbase,
        new_local_exit_root: B256::from(local_exit_root),
        accesses,
        leaf_ops: ops.ops,
    })
}
