//! The batch's own accesses after its transactions: the block number, and the local exit root that L1 gets.

use alloy_primitives::U256;
use cairn_protocol::{
    constants::{GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT, SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT},
    leaf::address_to_field,
    resources::Resource,
};

use super::access::{StorageHint, access, constant_word};
use crate::{
    cs::{Cs, Lc},
    gadgets::words::Word,
    machine::{BatchWires, Events, Layout, Machine},
    machines::journal::{self, JournalError},
};

/// The two accesses after all transactions.
#[derive(Clone, Copy, Debug)]
pub struct BatchEnd;

/// Hints of both accesses.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchEndRow {
    pub block_number: StorageHint,
    pub local_exit_root: StorageHint,
}

impl Machine for BatchEnd {
    const NAME: &'static str = "batch_end";
    const RESOURCES: &'static [Resource] = &[];
    type Rows = BatchEndRow;
    type Error = JournalError;

    fn idle(_: &Layout) -> BatchEndRow {
        BatchEndRow::default()
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<BatchEndRow, JournalError> {
        let blocks = U256::from(events.transactions.len());
        let number = (SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT);
        let exit_root = (GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT);
        let journal = &mut events.journal;
        Ok(BatchEndRow {
            block_number: access(journal, number, layout.block_number_time(), |n| n.saturating_add(blocks))?,
            local_exit_root: access(journal, exit_root, layout.local_exit_root_time(), |v| v)?,
        })
    }

    fn synthesize(cs: &mut Cs, layout: &Layout, wires: &mut BatchWires, row: &BatchEndRow) {
        block_number(cs, layout, wires, &row.block_number);
        local_exit_root(cs, layout, wires, &row.local_exit_root);
    }
}

/// The system account's block number grows by the number of transactions, each of which is a block.
fn block_number(cs: &mut Cs, layout: &Layout, wires: &mut BatchWires, hint: &StorageHint) {
    let one = Lc::from(cs.one());
    let old = Word::commit_unchecked(cs, "batch_end.block_number.old", hint.access.value);
    let new = Word { hi: old.hi.clone(), lo: old.lo.clone() + &wires.transactions };
    let address = one.clone() * address_to_field(SYSTEM_ACCOUNT);
    let slot = constant_word(&one, SYSTEM_BLOCK_NUMBER_SLOT);
    let at = hint.at(layout.block_number_time());
    wires.leaf_count = journal::storage_access(cs, &one, &address, &slot, &old, &new, at, &wires.leaf_count);
}

/// `newLocalExitRoot` is what `lastRollupExitRoot` holds after all transactions.
fn local_exit_root(cs: &mut Cs, layout: &Layout, wires: &mut BatchWires, hint: &StorageHint) {
    let one = Lc::from(cs.one());
    let value = &wires.new_local_exit_root;
    let address = one.clone() * address_to_field(GLOBAL_EXIT_ROOT_L2);
    let slot = constant_word(&one, LAST_ROLLUP_EXIT_ROOT_SLOT);
    let at = hint.at(layout.local_exit_root_time());
    wires.leaf_count =
        journal::storage_access(cs, &one, &address, &slot, value, value, at, &wires.leaf_count);
}
