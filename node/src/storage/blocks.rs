//! Blocks in order, looked at before they are decoded: most readers of a range want the headers of all and the rest of few.

use std::ops::RangeInclusive;

use alloy_primitives::B256;
use cairn_protocol::encoding;

use super::{BlockRecord, Kind, Storage, StorageError, damaged, decode};

/// A block's record as stored: its header can be looked at before the rest is decoded.
#[derive(Clone, Copy)]
pub struct RawBlock<'a> {
    pub number: u64,
    pub hash: B256,
    /// RLP.
    pub header: &'a [u8],
    /// The whole key and value.
    key: &'a [u8],
    value: &'a [u8],
}

/// Where the bloom is in the RLP of a header: after the list's prefix (3 bytes), five hashes (33 each) and an address
/// (21); its own prefix has 3 bytes. A header is longer than 255 bytes because of it and never reaches 65,536.
const BLOOM_PREFIX_AT: usize = 3 + 5 * 33 + 21;

impl<'a> RawBlock<'a> {
    fn new(number: u64, key: &'a [u8], value: &'a [u8]) -> Result<Self, StorageError> {
        let kind = Kind::Block;
        let content = kind.record().content(key, value)?;
        // The first two fields of the record, the header borrowed.
        let (hash, header): (B256, &[u8]) =
            encoding::read_start(content).map_err(|source| damaged(kind, key, source))?;
        Ok(Self { number, hash, header, key, value })
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
        decode(Kind::Block, self.key, self.value)
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
        let from = Kind::Block.key(&number.to_be_bytes());
        let scanned = self.store.scan(Kind::Block.table(), &from, &mut |k, value| {
            // No block is missing below the newest: the next key is the next number, or the end.
            if number > last || k != Kind::Block.key(&number.to_be_bytes()) {
                return false;
            }
            let more = RawBlock::new(number, k, value).map_err(E::from).and_then(&mut each);
            number += 1;
            more.unwrap_or_else(|error| {
                outcome = Err(error);
                false
            })
        });
        outcome.and_then(|()| scanned.map_err(|e| StorageError::from(e).into()))
    }
}
