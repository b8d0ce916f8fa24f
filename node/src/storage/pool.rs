//! The pool on disk, and why transactions left it without a block. Of the latter, the newest [`MAX_DROPPED`] are kept.

use alloy_primitives::B256;
use cairn_sequencer::pool::StoredTx;
use cairn_state::Batch;

use super::{DroppedRecord, Kind, Storage, StorageError, delete, put};

/// Most reasons that are kept.
pub const MAX_DROPPED: u64 = 10_000;

impl Storage {
    /// Accepted transactions by arrival.
    ///
    /// # Errors
    /// If the store fails or a record is damaged.
    pub fn pool(&self) -> Result<Vec<(u64, StoredTx)>, StorageError> {
        let found = self.all::<StoredTx>(Kind::Pool)?;
        found.into_iter().map(|(id, stored)| Ok((number(Kind::Pool, &id)?, stored))).collect()
    }

    /// Adds the reason why a transaction left the pool to a batch of writes, and removes the oldest if there are too many.
    ///
    /// # Errors
    /// If the store fails or a record is damaged.
    pub fn put_dropped(
        &self,
        writes: &mut Batch,
        hash: B256,
        record: &DroppedRecord,
    ) -> Result<(), StorageError> {
        let sequence = self.next_dropped();
        put(writes, Kind::Dropped, hash.as_slice(), record)?;
        put(writes, Kind::DroppedOrder, &sequence.to_be_bytes(), &hash)?;
        if let Some(old) = sequence.checked_sub(MAX_DROPPED) {
            let id = old.to_be_bytes();
            if let Some(old_hash) = self.get::<B256>(Kind::DroppedOrder, &id)? {
                delete(writes, Kind::DroppedOrder, &id);
                // Dropped again since: that one's reason stays.
                if old_hash != hash {
                    delete(writes, Kind::Dropped, old_hash.as_slice());
                }
            }
        }
        Ok(())
    }
}

/// An id that is a number.
pub(super) fn number(kind: Kind, id: &[u8]) -> Result<u64, StorageError> {
    let bytes: [u8; 8] = id.try_into().map_err(|_| StorageError::Key { kind })?;
    Ok(u64::from_be_bytes(bytes))
}
