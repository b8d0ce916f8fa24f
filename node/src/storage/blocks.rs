//! Blocks in order, looked at before they are decoded: most readers of a range want the headers of all and the rest of few.

use std::ops::RangeInclusive;

use alloy_primitives::B256;

use super::{BlockRecord, Kind, Storage, StorageError, body, decode, key, table};

/// A block's record as stored: its header can be looked at before the rest is decoded.
#[derive(Clone, Copy)]
pub struct RawBlock<'a> {
    pub number: u64,
    pub hash: B256,
    /// RLP.
    pub header: &'a [u8],
    record: &'a [u8],
}

/// Where the bloom is in the RLP of a header: after the list's prefix (3 bytes), five hashes (33 each) and an address
/// (21); its own prefix has 3 bytes. A header is longer than 255 bytes because of it and never reaches 65,536.
const BLOOM_PREFIX_AT: usize = 3 + 5 * 33 + 21;

impl<'a> RawBlock<'a> {
    fn new(number: u64, record: &'a [u8]) -> Result<Self, StorageError> {
        let kind = Kind::Block;
        let damaged = |source| StorageError::Damaged { kind, source };
        // The first two fields of the record, borrowed.
        let (hash, header): (&[u8], &[u8]) = bincode::deserialize(body(kind, record)?).map_err(damaged)?;
        let hash = B256::try_from(hash).map_err(|e| damaged(serde::de::Error::custom(e)))?;
        Ok(Self { number, hash, header, record })
    }

    /// The 256 bytes of the header's logs bloom; `None` if this is no header of a block.
    #[must_use]
    pub fn logs_bloom(&self) -> Option<&'a [u8; 256]> {
        let (prefix, rest) = self.header.get(BLOOM_PREFIX_AT..)?.split_first_chunk()?;
        if *prefix != [0xb9, 1, 0] {
            return None;
        }
        rest.first_chunk()
    }

    /// The whole record.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn decode(&self) -> Result<BlockRecord, StorageError> {
        decode(Kind::Block, self.record)
    }
}

impl Storage {
    /// Visits blocks in order until `each` says no or fails.
    ///
    /// # Errors
    /// That of `each`, or if the store fails or a record is damaged.
    pub fn scan_blocks<E: From<StorageError>>(
        &self,
        blocks: RangeInclusive<u64>,
        mut each: impl FnMut(RawBlock<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let (mut number, last) = blocks.into_inner();
        let mut outcome = Ok(());
        let from = key(Kind::Block, &number.to_be_bytes());
        let scanned = self.store.scan(table(Kind::Block), &from, &mut |k, record| {
            // No block is missing below the newest: the next key is the next number, or the end.
            if number > last || k != key(Kind::Block, &number.to_be_bytes()) {
                return false;
            }
            let more = RawBlock::new(number, record).map_err(E::from).and_then(&mut each);
            number += 1;
            more.unwrap_or_else(|error| {
                outcome = Err(error);
                false
            })
        });
        outcome.and_then(|()| scanned.map_err(|e| StorageError::from(e).into()))
    }
}
