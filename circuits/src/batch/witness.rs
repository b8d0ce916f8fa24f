//! From a `BatchWitness` to the rows of all machines. Pure; a witness that lies gets rows that satisfy nothing, or a
//! named error.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_protocol::{
    batch::PublicInput,
    constants::{
        GLOBAL_EXIT_ROOT_L2, GLOBAL_EXIT_ROOT_MAP_SLOT, LAST_ROLLUP_EXIT_ROOT_SLOT, SYSTEM_ACCOUNT,
        SYSTEM_BLOCK_NUMBER_SLOT,
    },
    leaf::{AccountValue, LeafId, StateCommitment},
    resources::{CapacityExceeded, Resource},
    system::global_exit_root_slot,
    tx::{BatchDecodeError, DecodedTx, SignatureError, decode_batch},
    witness::{BATCH_WITNESS_VERSION, BatchWitness, LeafAccess, LeafOp},
};

use super::{
    ACC_INPUT_STREAM, BATCH_STREAM, EXIT_ROOT_TIME, FIRST_PAYLOAD_STREAM, PUBLIC_INPUT_STREAM, Shape,
};
use crate::{
    F,
    gadgets::{low_u128, words::to_u256},
    machines::{
        journal::{Entry, Journal, JournalError},
        keccak::{self, KeccakError, KeccakEvent, KeccakRow, WordsRow, words::WORDS_BYTES},
        secp256k1::{self, Secp256k1Row, SignatureEvent},
        tree::{self, TreeRows, TreeShape, witness::TreeRowsError},
        tx::{self, SignedTx, TraceContext, TxRows, TxShape, TxTraceError},
    },
};

/// Why a batch has no assignment in a shape.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("batch witness has version {got}, expected {expected}")]
    Version { expected: u16, got: u16 },
    #[error("the batch does not decode: {0}")]
    Decode(#[from] BatchDecodeError),
    #[error("transaction {index}: {reason}")]
    Signature { index: usize, reason: SignatureError },
    #[error("transaction {index} is not provable: {reason}")]
    SignatureWitness { index: usize, reason: secp256k1::SignatureError },
    /// Of the signatures alone; other machines have errors of their own.
    #[error("the batch {0}")]
    Capacity(#[from] CapacityExceeded),
    #[error(transparent)]
    Transactions(#[from] TxTraceError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Keccak(#[from] KeccakError),
    #[error(transparent)]
    Tree(#[from] TreeRowsError),
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

/// A storage access of the batch itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct StorageHint {
    pub slot: U256,
    /// What the access finds.
    pub access: Entry<U256>,
}

/// Values of all machines.
#[derive(Clone, Debug)]
pub struct Assignment {
    pub header: Header,
    pub exit_root: StorageHint,
    pub block_number: StorageHint,
    pub local_exit_root: StorageHint,
    pub transactions: TxRows,
    pub signatures: Vec<Secp256k1Row>,
    pub tree: TreeRows,
    pub keccak: Vec<KeccakRow>,
    pub keccak_words: Vec<WordsRow>,
}

fn tx_shape(shape: &Shape) -> TxShape {
    TxShape { slots: shape.rows(Resource::Transactions), bytes: shape.rows(Resource::Bytes) }
}

fn tree_shape(shape: &Shape) -> TreeShape {
    TreeShape { rows: shape.rows(Resource::TreeRows), levels: shape.levels }
}

impl Assignment {
    /// Disabled rows everywhere: for key generation, which needs the structure only. It satisfies nothing.
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
        Self {
            header: Header {
                public_input,
                old_state: StateCommitment { tree_root: F::from(0u64), leaf_count: 0 },
                transactions_hash: B256::ZERO,
                global_exit_root: B256::ZERO,
                timestamp: 0,
                coinbase: Address::ZERO,
            },
            exit_root: StorageHint::default(),
            block_number: StorageHint::default(),
            local_exit_root: StorageHint::default(),
            transactions: TxRows::empty(tx_shape(shape)),
            signatures: vec![Secp256k1Row::default(); shape.rows(Resource::Signatures)],
            tree: TreeRows::empty(tree_shape(shape)),
            keccak: vec![KeccakRow::default(); shape.rows(Resource::KeccakPermutations)],
            keccak_words: vec![WordsRow::default(); shape.rows(Resource::KeccakWords)],
        }
    }

    /// Rows for `witness`, to be proven by `aggregator`.
    ///
    /// # Errors
    /// If the batch does not decode, has a transaction that is not a provable transfer, or does not fit the shape.
    pub fn new(shape: &Shape, witness: &BatchWitness, aggregator: Address) -> Result<Self, BatchError> {
        if witness.version != BATCH_WITNESS_VERSION {
            return Err(BatchError::Version { expected: BATCH_WITNESS_VERSION, got: witness.version });
        }
        let txs = decode_batch(&witness.transactions)?;
        let senders = senders(&txs)?;
        let mut journal = opened_journal(&witness.leaf_ops, witness.old_state.leaf_count);
        let header = Header {
            public_input: witness.public_input(aggregator),
            old_state: witness.old_state,
            transactions_hash: keccak256(&witness.transactions),
            global_exit_root: witness.global_exit_root,
            timestamp: witness.timestamp,
            coinbase: witness.coinbase,
        };

        let exit_root = enter_exit_root(&header, &mut journal)?;
        let context = TraceContext {
            chain_id: witness.chain_id,
            coinbase: witness.coinbase,
            first_stream: FIRST_PAYLOAD_STREAM,
            time_offset: EXIT_ROOT_TIME,
        };
        let signed: Vec<_> = txs.iter().zip(&senders).map(|(tx, &sender)| SignedTx { tx, sender }).collect();
        let transactions =
            tx::trace(tx_shape(shape), &context, &witness.transactions, &signed, &mut journal)?;

        let last_time = EXIT_ROOT_TIME + 3 * shape.rows(Resource::Transactions) as u64;
        let count = U256::from(txs.len());
        let block_number =
            system_access(&mut journal, SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT, last_time + 1, |n| {
                n.saturating_add(count)
            })?;
        let local_exit_root = system_access(
            &mut journal,
            GLOBAL_EXIT_ROOT_L2,
            LAST_ROLLUP_EXIT_ROOT_SLOT,
            last_time + 2,
            |v| v,
        )?;
        if journal.leaf_count != witness.new_state.leaf_count {
            return Err(BatchError::LeafCount {
                expected: witness.new_state.leaf_count,
                got: journal.leaf_count,
            });
        }

        let (signatures, mut words) = signatures(shape, &txs)?;
        words.extend(exit_root_slot_message(&header));
        let mut events = messages(&header, witness);
        events.extend(txs.iter().enumerate().map(|(j, tx)| KeccakEvent {
            stream: FIRST_PAYLOAD_STREAM + j as u64,
            message: tx.signing_payload(),
        }));
        let times: BTreeMap<LeafId, u64> = journal.leaves().map(|(id, e)| (id, e.time)).collect();
        let last_times: Vec<u64> =
            witness.leaf_ops.iter().map(|op| times.get(&op.id).copied().unwrap_or_default()).collect();
        Ok(Self {
            keccak: keccak::rows(&events, shape.rows(Resource::KeccakPermutations))?,
            keccak_words: keccak::words::rows(&words, shape.rows(Resource::KeccakWords))?,
            tree: tree::witness::rows(&witness.leaf_ops, &last_times, tree_shape(shape))?,
            header,
            exit_root,
            block_number,
            local_exit_root,
            transactions,
            signatures,
        })
    }
}

fn senders(txs: &[DecodedTx]) -> Result<Vec<Address>, BatchError> {
    txs.iter()
        .enumerate()
        .map(|(index, tx)| tx.recover_sender().map_err(|reason| BatchError::Signature { index, reason }))
        .collect()
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

fn enter_exit_root(header: &Header, journal: &mut Journal) -> Result<StorageHint, JournalError> {
    if header.global_exit_root.is_zero() {
        return Ok(StorageHint::default());
    }
    let timestamp = U256::from(header.timestamp);
    let slot = global_exit_root_slot(header.global_exit_root);
    system_access(
        journal,
        GLOBAL_EXIT_ROOT_L2,
        slot,
        EXIT_ROOT_TIME,
        |v| if v.is_zero() { timestamp } else { v },
    )
}

fn system_access(
    journal: &mut Journal,
    address: Address,
    slot: U256,
    time: u64,
    update: impl FnOnce(U256) -> U256,
) -> Result<StorageHint, JournalError> {
    Ok(StorageHint { slot, access: journal.access_storage(address, slot, time, update)? })
}

/// The batch's own messages.
fn messages(header: &Header, witness: &BatchWitness) -> Vec<KeccakEvent> {
    let mut acc_input = header.public_input.old_acc_input_hash.to_vec();
    acc_input.extend_from_slice(header.transactions_hash.as_slice());
    acc_input.extend_from_slice(header.global_exit_root.as_slice());
    acc_input.extend_from_slice(&header.timestamp.to_be_bytes());
    acc_input.extend_from_slice(header.coinbase.as_slice());
    vec![
        KeccakEvent { stream: BATCH_STREAM, message: witness.transactions.to_vec() },
        KeccakEvent { stream: ACC_INPUT_STREAM, message: acc_input },
        KeccakEvent { stream: PUBLIC_INPUT_STREAM, message: header.public_input.to_bytes().to_vec() },
    ]
}

/// The two words whose hash is the slot of the global exit root, if there is one.
fn exit_root_slot_message(header: &Header) -> Option<[u8; WORDS_BYTES]> {
    let mut message = [0; WORDS_BYTES];
    let (root, map_slot) = message.split_at_mut(32);
    root.copy_from_slice(header.global_exit_root.as_slice());
    map_slot.copy_from_slice(&GLOBAL_EXIT_ROOT_MAP_SLOT.to_be_bytes::<32>());
    (!header.global_exit_root.is_zero()).then_some(message)
}

/// Rows of signatures and the public keys to be hashed.
type Signatures = (Vec<Secp256k1Row>, Vec<[u8; WORDS_BYTES]>);

fn signatures(shape: &Shape, txs: &[DecodedTx]) -> Result<Signatures, BatchError> {
    let capacity = shape.rows(Resource::Signatures);
    if txs.len() > capacity {
        let (needed, capacity) = (txs.len() as u64, capacity as u64);
        return Err(CapacityExceeded { resource: Resource::Signatures, needed, capacity }.into());
    }
    let mut rows = Vec::with_capacity(capacity);
    let mut keys = Vec::with_capacity(txs.len());
    for (index, tx) in txs.iter().enumerate() {
        let event = SignatureEvent {
            z: tx.signing_hash().0,
            r: tx.r.to_be_bytes(),
            s: tx.s.to_be_bytes(),
            y_parity: tx.y_parity,
        };
        let row =
            secp256k1::witness(&event).map_err(|reason| BatchError::SignatureWitness { index, reason })?;
        keys.push(row.key_bytes());
        rows.push(row);
    }
    rows.resize_with(capacity, Secp256k1Row::default);
    Ok((rows, keys))
}
