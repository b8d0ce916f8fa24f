//! Access to one storage slot at a time that the layout fixes.

use alloy_primitives::{Address, U256};
use cairn_protocol::leaf::halves;

use crate::{
    cs::Lc,
    gadgets::words::Word,
    machines::journal::{self, Entry, Journal, JournalError},
};

/// A storage access of the batch itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct StorageHint {
    pub slot: U256,
    /// What the access finds.
    pub access: Entry<U256>,
}

impl StorageHint {
    /// The access at time `now`. Times start at 0, so the leaf's previous access is at most `now` earlier.
    pub(super) fn at(&self, now: u64) -> journal::At {
        let (gap, before, index) = (journal::Gap::within(now), self.access.time, self.access.index);
        journal::At { now: now.into(), gap, before, index }
    }
}

/// Accesses `slot` in `journal`.
pub(super) fn access(
    journal: &mut Journal,
    (address, slot): (Address, U256),
    time: u64,
    update: impl FnOnce(U256) -> U256,
) -> Result<StorageHint, JournalError> {
    Ok(StorageHint { slot, access: journal.access_storage(address, slot, time, update)? })
}

/// A word of the layout.
pub(super) fn constant_word(one: &Lc, v: U256) -> Word {
    let (hi, lo) = halves(v);
    Word { hi: one.clone() * hi, lo: one.clone() * lo }
}
