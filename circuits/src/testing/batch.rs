//! A chain in memory that makes batch witnesses: the reference tree, the transfer formulas of `cairn_protocol`, and the
//! batch's system accesses. For tests, counts and benchmarks of circuits; the node's own chain is in other crates.

use alloy_primitives::{Address, B256, Bytes, U256};
use ark_ff::Zero;
use cairn_protocol::{
    constants::{DEVNET_CHAIN_ID, FORK_ID, GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT},
    leaf::{AccountValue, LeafId, storage_to_fields},
    system::{block_number_leaf, global_exit_root_leaf, global_exit_root_slot, touched_leaves},
    transfer::{TransferContext, apply_transfer},
    tx::decode_batch,
    witness::{BATCH_WITNESS_VERSION, BatchWitness, LeafAccess, LeafOp},
};

use super::tree::ReferenceTree;
use crate::{F, batch::opened_journal, machines::journal::Journal};

/// What a batch brings along.
#[derive(Clone, Debug)]
pub struct BatchInput {
    /// Concatenated signed transactions.
    pub transactions: Vec<u8>,
    pub global_exit_root: B256,
    pub timestamp: u64,
    pub coinbase: Address,
}

/// The chain between two batches.
#[derive(Clone, Debug)]
pub struct ReferenceChain {
    pub tree: ReferenceTree,
    pub batch_number: u64,
    pub acc_input_hash: B256,
}

/// Why a batch has no witness: some transaction is not a valid, provable transfer.
#[derive(Debug, thiserror::Error)]
#[error("batch refused: {0}")]
pub struct Refused(String);

impl ReferenceChain {
    /// A chain with these balances in wei, the block-number leaf first.
    #[must_use]
    pub fn new(balances: &[(Address, U256)]) -> Self {
        let mut tree = ReferenceTree::new();
        tree.write(block_number_leaf(), storage_to_fields(U256::ZERO));
        for (address, balance) in balances {
            let value = AccountValue { balance: *balance, ..AccountValue::default() };
            tree.write(LeafId::Account(*address), value.to_fields());
        }
        Self { tree, batch_number: 0, acc_input_hash: B256::ZERO }
    }

    /// Executes a batch and returns its witness.
    ///
    /// # Errors
    /// If a transaction does not decode, is invalid, or is not a plain transfer.
    pub fn execute(&mut self, input: &BatchInput) -> Result<BatchWitness, Refused> {
        let refuse = |e: &dyn std::fmt::Display| Refused(e.to_string());
        let txs = decode_batch(&input.transactions).map_err(|e| refuse(&e))?;
        let senders: Vec<Address> =
            txs.iter().map(|tx| tx.recover_sender().map_err(|e| refuse(&e))).collect::<Result<_, _>>()?;
        let touched = touched_leaves(
            senders.iter().copied().zip(txs.iter().map(|tx| tx.to)),
            input.coinbase,
            input.global_exit_root,
        );
        let before: Vec<LeafOp> = touched.values().map(|id| self.tree.read(*id)).collect();
        let old_state = self.tree.commitment();
        let mut journal = opened_journal(&before, old_state.leaf_count);

        if !input.global_exit_root.is_zero() {
            let slot = global_exit_root_slot(input.global_exit_root);
            let timestamp = U256::from(input.timestamp);
            journal
                .access_storage(GLOBAL_EXIT_ROOT_L2, slot, 0, |v| if v.is_zero() { timestamp } else { v })
                .map_err(|e| refuse(&e))?;
            debug_assert!(touched.values().any(|id| *id == global_exit_root_leaf(input.global_exit_root)));
        }
        let rules = TransferContext { chain_id: DEVNET_CHAIN_ID, coinbase: input.coinbase };
        for (tx, sender) in txs.iter().zip(&senders) {
            let accesses = apply_transfer(tx, *sender, &rules, &journal, journal.leaf_count)
                .map_err(|e| refuse(&e))?
                .accesses;
            for access in accesses {
                journal.access_account(access.address, 0, |_| access.new).map_err(|e| refuse(&e))?;
            }
        }
        let LeafId::Storage(address, slot) = block_number_leaf() else {
            return Err(refuse(&"no block number"));
        };
        journal.access_storage(address, slot, 0, |n| n + U256::from(txs.len())).map_err(|e| refuse(&e))?;
        let exit_root = journal
            .access_storage(GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT, 0, |v| v)
            .map_err(|e| refuse(&e))?;

        let leaf_ops = self.close(&before, &journal);
        self.batch_number += 1;
        let witness = BatchWitness {
            version: BATCH_WITNESS_VERSION,
            chain_id: DEVNET_CHAIN_ID,
            fork_id: FORK_ID,
            batch_number: self.batch_number,
            old_acc_input_hash: self.acc_input_hash,
            old_state,
            new_state: self.tree.commitment(),
            transactions: Bytes::copy_from_slice(&input.transactions),
            global_exit_root: input.global_exit_root,
            timestamp: input.timestamp,
            coinbase: input.coinbase,
            new_local_exit_root: exit_root.value.into(),
            leaf_ops,
        };
        self.acc_input_hash = witness.new_acc_input_hash();
        Ok(witness)
    }

    /// Writes what the journal holds, in key order, relative to the running tree.
    fn close(&mut self, before: &[LeafOp], journal: &Journal) -> Vec<LeafOp> {
        let finals: std::collections::BTreeMap<LeafId, ([F; 3], u64)> =
            journal.leaves().map(|(id, e)| (id, (e.value, e.index))).collect();
        before
            .iter()
            .map(|op| {
                let (value, index) = finals.get(&op.id).copied().unwrap_or(([F::zero(); 3], 0));
                let absent = !matches!(op.access, LeafAccess::Update { .. });
                if absent && index == 0 {
                    self.tree.read(op.id)
                } else {
                    self.tree.write_at(op.id, index, value)
                }
            })
            .collect()
    }
}
