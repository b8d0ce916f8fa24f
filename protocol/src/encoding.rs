//! Values as bytes, by postcard: compact, without field names. Not here: versions. The bytes are not self-describing, so
//! every user of this module puts a version before them.
//!
//! A type may only be encoded this way if serde needs no self-describing format for it: no `flatten`, no `untagged`, no
//! `skip_serializing_if`.

use serde::{Deserialize, Serialize};

/// Why a value cannot be encoded, or bytes cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    #[error("postcard: {0}")]
    Postcard(#[from] postcard::Error),
    #[error("{left} bytes follow the encoded value")]
    TrailingBytes { left: usize },
}

/// Appends the encoding of `value` to `head`.
///
/// # Errors
/// If the type cannot be encoded, whatever its value: see the module.
pub fn append<T: Serialize + ?Sized>(head: Vec<u8>, value: &T) -> Result<Vec<u8>, EncodingError> {
    Ok(postcard::to_extend(value, head)?)
}

/// Decodes a value from all of `bytes`.
///
/// # Errors
/// If they do not encode a value of the type, or bytes follow it.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, EncodingError> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(EncodingError::TrailingBytes { left: rest.len() }),
    }
}

/// Decodes the first fields of a structure, as a tuple, and ignores the others.
///
/// # Errors
/// If the bytes do not start with such fields.
pub fn read_start<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, EncodingError> {
    Ok(postcard::from_bytes(bytes)?)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bytes, Log, U256};
    use proptest::prelude::*;

    use super::*;

    /// Types as they are in records: bytes of fixed and of any length, numbers of every width, options, lists.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        hash: B256,
        bytes: Bytes,
        number: U256,
        price: u128,
        seconds: Option<f64>,
        address: Option<Address>,
        logs: Vec<Log>,
        name: String,
        words: Box<[U256; 2]>,
        done: bool,
    }

    fn everything(seed: u64, bytes: Vec<u8>) -> Everything {
        let word = U256::from(seed).pow(U256::from(5));
        let address = Address::from_word(word.into());
        let log = Log::new_unchecked(address, vec![word.into()], bytes.clone().into());
        Everything {
            hash: word.into(),
            name: "x".repeat(bytes.len() % 5),
            bytes: bytes.into(),
            number: word,
            price: u128::from(seed) << 60,
            seconds: seed.is_multiple_of(2).then_some(seed as f64 / 3.0),
            address: seed.is_multiple_of(3).then_some(address),
            logs: vec![log; (seed % 3) as usize],
            words: Box::new([word, U256::MAX]),
            done: seed.is_multiple_of(5),
        }
    }

    proptest! {
        #[test]
        fn prop_values_survive(seed in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let value = everything(seed, bytes);
            let written = append(vec![7], &value).unwrap();
            prop_assert_eq!(written[0], 7);
            prop_assert_eq!(&read::<Everything>(&written[1..]).unwrap(), &value);
            let (hash, start) = read_start::<(&[u8], &[u8])>(&written[1..]).unwrap();
            prop_assert_eq!((hash, start), (value.hash.as_slice(), &value.bytes[..]));
        }

        #[test]
        fn prop_no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = read::<Everything>(&bytes) {
                let again = append(Vec::new(), &value).unwrap();
                prop_assert_eq!(read::<Everything>(&again).unwrap(), value);
            }
        }
    }

    #[test]
    fn rejects_bytes_that_are_too_few_or_too_many() {
        let written = append(Vec::new(), &everything(3, vec![1, 2, 3])).unwrap();
        for length in 0..written.len() {
            assert!(
                matches!(read::<Everything>(&written[..length]), Err(EncodingError::Postcard(_))),
                "{length}"
            );
        }
        let more = [&written[..], &[0, 0]].concat();
        assert_eq!(read::<Everything>(&more), Err(EncodingError::TrailingBytes { left: 2 }));
        // A list that claims more than there is takes no memory for it.
        assert!(matches!(
            read::<Vec<B256>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]),
            Err(EncodingError::Postcard(_))
        ));
    }
}
