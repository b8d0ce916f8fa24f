//! From a `BatchWitness` to the rows of all machines. Pure. A false witness gets a named error, or rows that violate a
//! constraint.

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_protocol::{
    batch::PublicInput,
    leaf::{AccountValue, LeafId, StateCommitment},
    tx::{BatchDecodeError, DecodedTx, SignatureError, decode_batch},
    witness::{BATCH_WITNESS_VERSION, BatchWitness, LeafAccess, LeafOp},
};

use super::Assignment;
use crate::{
    F,
    gadgets::{low_u128, words::to_u256},
    machine::{Events, Layout, MachineError, Shape},
    machines::{
        journal::{Entry, Journal},
        keccak::KeccakEvent,
    },
};

/// Why a batch has no assignment in a shape.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(
        "the batch witness has version {got}, expected {expected}: prove the batch with the release that wrote it"
    )]
    Version { expected: u16, got: u16 },
    #[error("the batch does not decode: {0}")]
    Decode(#[from] BatchDecodeError),
    #[error("transaction {index}: {reason}")]
    Signature { index: usize, reason: SignatureError },
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error(
        "no machine took some events: in the list, a machine must stand after those that push its events"
    )]
    Untaken,
    #[error("the state after the batch has leaf count {got}, the witness says {expected}")]
    LeafCount { expected: u64, got: u64 },
}

/// What is hashed into the public input and the accumulated input hash.
#[derive(Clone, Debug)]
pub struct Header {
    pub public_input: PublicInput,
    pub old_state: StateCommitment,
    pub transactions_hash: B256,
    pub global_exit_root: B256,
    pub timestamp: u64,
    pub coinbase: Address,
}

impl Assignment {
    /// Disabled rows everywhere: for key generation, which needs the structure only. The assignment is not satisfying.
    #[must_use]
    pub fn structure(shape: &Shape) -> Self {
        let public_input = PublicInput {
            aggregator: Address::ZERO,
            old_state_root: B256::ZERO,
            old_acc_input_hash: B256::ZERO,
            init_num_batch: 0,
            chain_id: 0,
            fork_id: 0,
            new_state_root: B256::ZERO,
            new_acc_input_hash: B256::ZERO,
            new_local_exit_root: B256::ZERO,
            final_new_batch: 1,
        };
        let header = Header {
            public_input,
            old_state: StateCommitment { tree_root: F::from(0u64), leaf_count: 0 },
            transactions_hash: B256::ZERO,
            global_exit_root: B256::ZERO,
            timestamp: 0,
            coinbase: Address::ZERO,
        };
        Self::idle(header, shape)
    }

    /// Rows for `witness`, to be proven by `aggregator`.
    ///
    /// # Errors
    /// If the batch does not decode, has a transaction that is not a provable transfer, or does not fit the shape.
    pub fn new(shape: &Shape, witness: &BatchWitness, aggregator: Address) -> Result<Self, BatchError> {
        if witness.version != BATCH_WITNESS_VERSION {
            return Err(BatchError::Version { expected: BATCH_WITNESS_VERSION, got: witness.version });
        }
        let transactions = with_senders(decode_batch(&witness.transactions)?)?;
        let journal = opened_journal(&witness.leaf_ops, witness.old_state.leaf_count);
        let header = Header {
            public_input: witness.public_input(aggregator),
            old_state: witness.old_state,
            transactions_hash: keccak256(&witness.transactions),
            global_exit_root: witness.global_exit_root,
            timestamp: witness.timestamp,
            coinbase: witness.coinbase,
        };

        let mut events = Events::new(witness, &transactions, journal);
        for message in messages(&header, witness) {
            events.push(message);
        }
        let assignment = Self::rows(header, shape, &mut events)?;
        if events.journal.leaf_count != witness.new_state.leaf_count {
            return Err(BatchError::LeafCount {
                expected: witness.new_state.leaf_count,
                got: events.journal.leaf_count,
            });
        }
        if events.is_done() { Ok(assignment) } else { Err(BatchError::Untaken) }
    }
}

fn with_senders(txs: Vec<DecodedTx>) -> Result<Vec<(DecodedTx, Address)>, BatchError> {
    let recover = |(index, tx): (usize, DecodedTx)| match tx.recover_sender() {
        Ok(sender) => Ok((tx, sender)),
        Err(reason) => Err(BatchError::Signature { index, reason }),
    };
    txs.into_iter().enumerate().map(recover).collect()
}

/// The journal before a batch: the old values of all leaves it touches.
fn opened_journal(ops: &[LeafOp], leaf_count: u64) -> Journal {
    let mut journal = Journal { leaf_count, ..Journal::default() };
    for op in ops {
        let (value, index) = match &op.access {
            LeafAccess::Update { opening, .. } => (opening.leaf.value, opening.index),
            LeafAccess::Insert { .. } | LeafAccess::Absent { .. } => ([F::from(0u64); 3], 0),
        };
        match op.id {
            LeafId::Account(a) => {
                journal.accounts.insert(a, Entry { value: account(value), index, time: 0 });
            }
            LeafId::Storage(a, slot) => {
                let value = (to_u256(value[1]) << 128usize) | to_u256(value[0]);
                journal.storage.insert((a, slot), Entry { value, index, time: 0 });
            }
        }
    }
    journal
}

/// The account of three value elements. Out-of-range elements are truncated: they fail in the tree machine.
fn account([v0, v1, v2]: [F; 3]) -> AccountValue {
    let low = to_u256(v0);
    AccountValue {
        nonce: (low >> 128usize).as_limbs()[0],
        balance: (U256::from(low_u128(v1)) << 128usize) | U256::from(low_u128(v0)),
        code_hash: v2,
    }
}

/// The batch's own messages.
fn messages(header: &Header, witness: &BatchWitness) -> Vec<KeccakEvent> {
    let mut acc_input = header.public_input.old_acc_input_hash.to_vec();
    acc_input.extend_from_slice(header.transactions_hash.as_slice());
    acc_input.extend_from_slice(header.global_exit_root.as_slice());
    acc_input.extend_from_slice(&header.timestamp.to_be_bytes());
    acc_input.extend_from_slice(header.coinbase.as_slice());
    vec![
        KeccakEvent { stream: Layout::BATCH_STREAM, message: witness.transactions.to_vec() },
        KeccakEvent { stream: Layout::ACC_INPUT_STREAM, message: acc_input },
        KeccakEvent { stream: Layout::PUBLIC_INPUT_STREAM, message: header.public_input.to_bytes().to_vec() },
    ]
}
