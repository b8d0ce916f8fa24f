//! The kinds of records: where each lies, and its version. A record of another version than the one here is refused by
//! name; `tests.rs` holds each version to the bytes that it has.

use cairn_state::{RecordType, Table};

/// First byte of every key of the node.
const OWNER: u8 = b'n';

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Block number → [`BlockRecord`](super::BlockRecord).
    Block = 1,
    /// Block hash → number.
    BlockHash = 2,
    /// Transaction hash → block number.
    Transaction = 3,
    /// Batch number → [`BatchRecord`](super::BatchRecord).
    Batch = 4,
    /// Nothing → [`BatchHeader`](cairn_sequencer::batch::BatchHeader) of the open batch.
    OpenBatch = 5,
    /// Arrival → accepted transaction.
    Pool = 6,
    /// Last batch of a sequence → [`SequenceRecord`](super::SequenceRecord).
    Sequence = 7,
    /// L1 chain ‖ account ‖ job → [`SendRecord`](crate::l1::store::SendRecord).
    L1Job = 8,
    /// Batch number ‖ aggregator → [`ProofJob`](super::ProofJob).
    Proof = 9,
    /// Last batch of a verification → [`SequenceRecord`](super::SequenceRecord).
    Verification = 11,
    /// Transaction hash → [`DroppedRecord`](super::DroppedRecord).
    Dropped = 12,
    /// Order of dropping → transaction hash.
    DroppedOrder = 13,
    /// Nothing → name of the proof mode that the chain was made in.
    Mode = 14,
    /// Global exit root → [`ExitRootUpdate`](crate::settlement::ExitRootUpdate).
    ExitRoots = 15,
    /// Nothing → [`ExitRootProgress`](super::ExitRootProgress).
    ExitRootProgress = 16,
    /// Address ‖ block number → nothing, see [`crate::records`].
    AddressTransaction = 20,
    /// Batch number → [`ProofMeasure`](crate::records::ProofMeasure).
    ProofMeasure = 21,
    /// Lane ‖ last batch → [`SettlementMeasure`](crate::records::SettlementMeasure).
    SettlementMeasure = 22,
    /// Nothing → Unix time: written to see whether the database can be written.
    Probe = 0xf0,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Block,
        Self::BlockHash,
        Self::Transaction,
        Self::Batch,
        Self::OpenBatch,
        Self::Pool,
        Self::Sequence,
        Self::L1Job,
        Self::Proof,
        Self::Verification,
        Self::Dropped,
        Self::DroppedOrder,
        Self::Mode,
        Self::ExitRoots,
        Self::ExitRootProgress,
        Self::AddressTransaction,
        Self::ProofMeasure,
        Self::SettlementMeasure,
        Self::Probe,
    ];

    /// The type of the stored values. Version 1 of every kind was written by bincode.
    pub(super) const fn record(self) -> RecordType {
        let (table, name, version) = match self {
            Self::Block => (Table::Chain, "block", 2),
            Self::BlockHash => (Table::Chain, "block hash", 2),
            Self::Transaction => (Table::Chain, "transaction", 2),
            Self::Batch => (Table::Chain, "batch", 2),
            Self::OpenBatch => (Table::Chain, "open batch", 2),
            Self::Mode => (Table::Chain, "proof mode", 2),
            Self::AddressTransaction => (Table::Chain, "address index", 2),
            Self::Probe => (Table::Chain, "probe", 2),
            Self::Pool => (Table::Pool, "pooled transaction", 2),
            Self::Dropped => (Table::Pool, "dropped transaction", 2),
            Self::DroppedOrder => (Table::Pool, "order of dropping", 2),
            Self::Sequence => (Table::L1, "sequence", 2),
            Self::Verification => (Table::L1, "verification", 2),
            Self::L1Job => (Table::L1, "L1 transaction", 2),
            Self::SettlementMeasure => (Table::L1, "settlement measure", 2),
            Self::ExitRoots => (Table::L1, "exit roots", 2),
            Self::ExitRootProgress => (Table::L1, "exit root progress", 2),
            Self::Proof => (Table::Proofs, "proof", 2),
            Self::ProofMeasure => (Table::Proofs, "proof measure", 3),
        };
        RecordType { table, name, version }
    }

    /// The table of the kind.
    pub(super) const fn table(self) -> Table {
        self.record().table
    }

    /// The key of the record with an id.
    pub(super) fn key(self, id: &[u8]) -> Vec<u8> {
        [&[OWNER, self as u8], id].concat()
    }
}
