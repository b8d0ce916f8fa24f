//! A chain in memory that makes batch witnesses: the reference tree, the transfer formulas of `cairn_protocol`, and the
//! batch's system accesses, recorded block by block. For tests, counts and benchmarks of circuits; the node's own chain is in other crates.

use std::{collections::HashMap, convert::Infallible};

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_protocol::{
    access::{AccessRecorder, BlockAccess, TouchedLeaf},
    constants::{DEVNET_CHAIN_ID, FORK_ID},
    leaf::{AccountValue, LeafId, storage_from_fields, storage_to_fields},
    system::{block_number_leaf, global_exit_root_leaf, last_rollup_exit_root_leaf},
    transfer::{AccountReader, TransferContext, apply_transfer},
    tx::decode_batch,
    witness::{BATCH_WITNESS_VERSION, BatchWitness, LeafOp},
};

use super::tree::ReferenceTree;
use crate::F;

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
        let old_state = self.tree.commitment();
        let mut run = Run::new(&self.tree);
        if !input.global_exit_root.is_zero() {
            let id = global_exit_root_leaf(input.global_exit_root);
            let is_new = run.slot(&id).is_zero();
            run.access(id, is_new.then(|| storage_to_fields(U256::from(input.timestamp))));
        }
        let rules = TransferContext { chain_id: DEVNET_CHAIN_ID, coinbase: input.coinbase };
        // A batch without transactions has no block, and yet the accesses that end a block.
        for at in 0..txs.len().max(1) {
            if let (Some(tx), Some(sender)) = (txs.get(at), senders.get(at)) {
                let outcome = apply_transfer(tx, *sender, &rules, &run, run.recorder.leaf_count());
                for access in outcome.map_err(|e| refuse(&e))?.accesses {
                    run.access(LeafId::Account(access.address), Some(access.new.to_fields()));
                }
                let number = run.slot(&block_number_leaf()) + U256::ONE;
                run.access(block_number_leaf(), Some(storage_to_fields(number)));
            } else {
                run.access(block_number_leaf(), None);
            }
            run.access(last_rollup_exit_root_leaf(), None);
            run.end_block();
        }
        let exit_root = run.slot(&last_rollup_exit_root_leaf());
        let accesses = run.blocks;
        let touched = BlockAccess::merge(&accesses).map_err(|e| refuse(&e))?;

        let leaf_ops = self.close(touched);
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
            new_local_exit_root: exit_root.into(),
            accesses,
            leaf_ops,
        };
        self.acc_input_hash = witness.new_acc_input_hash();
        Ok(witness)
    }

    /// Reads and writes what was touched, in key order, relative to the running tree.
    fn close(&mut self, mut touched: BlockAccess) -> Vec<LeafOp> {
        touched.leaves.sort_unstable_by_key(|leaf| leaf.id.key());
        let open = |leaf: TouchedLeaf| match leaf.created {
            Some(index) => self.tree.write_at(leaf.id, index, leaf.new_value),
            None if self.tree.position(leaf.id.key()).is_none() => self.tree.read(leaf.id),
            None => self.tree.write(leaf.id, leaf.new_value),
        };
        touched.leaves.into_iter().map(open).collect()
    }
}

/// Leaves during a batch: what its accesses left, over the tree before it.
struct Run<'a> {
    tree: &'a ReferenceTree,
    /// Position and value.
    leaves: HashMap<LeafId, (u64, [F; 3])>,
    /// Of the present block.
    recorder: AccessRecorder,
    blocks: Vec<BlockAccess>,
}

impl<'a> Run<'a> {
    fn new(tree: &'a ReferenceTree) -> Self {
        let recorder = AccessRecorder::new(tree.commitment().leaf_count);
        Self { tree, leaves: HashMap::new(), recorder, blocks: Vec::new() }
    }

    /// A leaf before the present block.
    fn find(&self, id: &LeafId) -> Option<(u64, [F; 3])> {
        let in_tree =
            || self.tree.position(id.key()).map(|index| (index, self.tree.opening(index).leaf.value));
        self.leaves.get(id).copied().or_else(in_tree)
    }

    fn slot(&self, id: &LeafId) -> U256 {
        let value = self.find(id).map(|(_, value)| value).unwrap_or_default();
        // Written by this chain from a slot's value.
        storage_from_fields(&value).unwrap_or_default()
    }

    fn access(&mut self, id: LeafId, write: Option<[F; 3]>) {
        let before = self.find(&id);
        self.recorder.access_known((id, write), before);
    }

    fn end_block(&mut self) {
        let next = AccessRecorder::new(self.recorder.leaf_count());
        let block = std::mem::replace(&mut self.recorder, next).finish();
        for leaf in &block.leaves {
            if let Some(index) = leaf.created.or(self.find(&leaf.id).map(|(index, _)| index)) {
                self.leaves.insert(leaf.id, (index, leaf.new_value));
            }
        }
        self.blocks.push(block);
    }
}

impl AccountReader for Run<'_> {
    type Error = Infallible;

    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, Infallible> {
        let leaf = self.find(&LeafId::Account(address));
        // As above, of an account's value.
        Ok(leaf.map(|(index, value)| (AccountValue::from_fields(&value).unwrap_or_default(), index)))
    }
}
