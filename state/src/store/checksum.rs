//! The checksum at the end of a stored value: CRC-32C over table, key and value, so that an entry that was changed, cut off
//! or put in another's place is noticed. RocksDB's own checksums cover its blocks on the disk, this one also its memory and
//! its compactions. It does not protect against somebody who can write the files.

use super::StoreError;

/// Bytes of the checksum, big-endian.
const BYTES: usize = 4;

fn checksum(table: &str, key: &[u8], value: &[u8]) -> [u8; BYTES] {
    // The lengths make the input of the sum unambiguous.
    let lengths = [(table.len() as u64).to_be_bytes(), (key.len() as u64).to_be_bytes()].concat();
    let parts = [&lengths, table.as_bytes(), key, value];
    parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part)).to_be_bytes()
}

/// The value as it is stored.
pub(super) fn seal(table: &str, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let sum = checksum(table, key, &value);
    value.extend(sum);
    value
}

/// The value that was stored.
pub(super) fn open<'a>(table: &'static str, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match stored.split_last_chunk::<BYTES>() {
        Some((value, sum)) if *sum == checksum(table, key, value) => Ok(value),
        _ => Err(StoreError::corrupt(table, key)),
    }
}
