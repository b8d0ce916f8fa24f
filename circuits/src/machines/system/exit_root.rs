//! The access that writes the batch's global exit root to the state.

use alloy_primitives::U256;
use cairn_protocol::{
    constants::{GLOBAL_EXIT_ROOT_L2, GLOBAL_EXIT_ROOT_MAP_SLOT},
    leaf::{address_to_field, halves},
    resources::Resource,
    system::global_exit_root_slot,
};

use super::access::{StorageHint, access};
use crate::{
    cs::{Cs, Lc},
    gadgets::{words::Word, zero::is_zero},
    lookup::bus::KeccakWords,
    machine::{BatchWires, Events, Layout, Machine},
    machines::{
        journal::{self, JournalError},
        keccak::{WordsEvent, words::WORDS_BYTES},
    },
};

/// `globalExitRootMap[root]` becomes the timestamp, unless it is known there or the root is zero.
#[derive(Clone, Copy, Debug)]
pub struct ExitRoot;

impl Machine for ExitRoot {
    const NAME: &'static str = "exit_root";
    const RESOURCES: &'static [Resource] = &[];
    type Rows = StorageHint;
    type Error = JournalError;

    fn idle(_: &Layout) -> StorageHint {
        StorageHint::default()
    }

    fn rows(_: &Layout, events: &mut Events<'_>) -> Result<StorageHint, JournalError> {
        let root = events.witness.global_exit_root;
        if root.is_zero() {
            return Ok(StorageHint::default());
        }
        let mut message = [0; WORDS_BYTES];
        let (first, second) = message.split_at_mut(32);
        first.copy_from_slice(root.as_slice());
        second.copy_from_slice(&GLOBAL_EXIT_ROOT_MAP_SLOT.to_be_bytes::<32>());
        events.push(WordsEvent(message));

        let timestamp = U256::from(events.witness.timestamp);
        let leaf = (GLOBAL_EXIT_ROOT_L2, global_exit_root_slot(root));
        access(&mut events.journal, leaf, Layout::EXIT_ROOT_TIME, |v| if v.is_zero() { timestamp } else { v })
    }

    /// ```text
    /// exit_root.zero     zero = (root = 0)                             2      without it: a root is left out
    /// exit_root.present  present = 1 − zero, committed                 1      without it: a root is left out
    /// exit_root.slot     slot = keccak256(root ‖ 0), if present        4 bus  without it: any slot gets the timestamp
    /// exit_root.unset    unset = (old value = 0)                       2      without it: a known root's time changes
    /// exit_root.value    timestamp · unset, added to the old value     1      without it: any value is written
    /// ```
    /// The sums that the zero tests look at have two terms below 2¹²⁸, so they cannot cancel. The root's bytes are
    /// range-checked where the accumulated input hash sends them, the slot's halves by the row that hashes.
    fn synthesize(cs: &mut Cs, _: &Layout, wires: &mut BatchWires, hint: &StorageHint) {
        let one = Lc::from(cs.one());
        let Word { hi, lo } = wires.global_exit_root.clone();
        let zero = is_zero(cs, "exit_root.zero", &one, &(hi.clone() + &lo));
        let present = cs.commit("exit_root.present", (one.clone() - zero).value());
        cs.enforce_equal("exit_root.present", present, one - zero);

        let slot = Word::commit_unchecked(cs, "exit_root.slot_hint", hint.slot);
        let (map_slot_hi, map_slot_lo) = halves(GLOBAL_EXIT_ROOT_MAP_SLOT);
        let tuple = KeccakWords {
            first_high: hi.into(),
            first_low: lo.into(),
            second_high: map_slot_hi.into(),
            second_low: map_slot_lo.into(),
            high: (&slot.hi).into(),
            low: (&slot.lo).into(),
        };
        cs.receive("exit_root.slot", present, tuple);

        let present = Lc::from(present);
        let old = Word::commit_unchecked(cs, "exit_root.old", hint.access.value);
        let unset = is_zero(cs, "exit_root.unset", &present, &(old.hi.clone() + &old.lo));
        let written = cs.committed_product("exit_root.value", wires.timestamp.clone(), unset);
        let new = Word { hi: old.hi.clone(), lo: old.lo.clone() + written };
        let address = present.clone() * address_to_field(GLOBAL_EXIT_ROOT_L2);
        let at = hint.at(Layout::EXIT_ROOT_TIME);
        wires.leaf_count =
            journal::storage_access(cs, &present, &address, &slot, &old, &new, at, &wires.leaf_count);
    }
}
