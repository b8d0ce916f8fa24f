//! What the records hold. Not here: where they lie.

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use cairn_sequencer::batch::SealedBatch;
use serde::{Deserialize, Serialize};

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
    /// State root before the batch.
    pub old_state_root: B256,
    pub state_root: B256,
    pub local_exit_root: B256,
    /// Unix time in milliseconds.
    pub sealed_ms: u64,
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

/// Why a transaction left the pool without a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedRecord {
    pub reason: String,
    /// Unix time in seconds.
    pub at_s: u64,
}

/// How far L1's global exit roots are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRootProgress {
    /// L1's block to look at next.
    pub next_block: u64,
    /// The newest.
    pub latest: Option<B256>,
}
