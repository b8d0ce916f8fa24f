//! The tree's leaf format, its keys, and the commitment to the whole state. Source: docs/state.md.
//!
//! One indexed Merkle tree holds accounts and storage. Leaf 0 is the sentinel with key 0; a `next_key` of 0 means
//! that no larger key exists. An index of 0 stands for "absent".

use std::sync::LazyLock;

use alloy_primitives::{Address, B256, U256};
use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};
use serde::{Deserialize, Serialize};

use crate::{
    constants::{TREE_ARITY, TREE_DEPTH},
    poseidon::poseidon,
};

/// What a leaf stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LeafId {
    /// The account at an address.
    Account(Address),
    /// One storage slot of an address.
    Storage(Address, U256),
}

/// A value of 256 bits as two 128-bit halves in the field: (high, low).
#[must_use]
pub fn halves(v: U256) -> (Fr, Fr) {
    (Fr::from((v >> 128usize).to::<u128>()), Fr::from((v & U256::from(u128::MAX)).to::<u128>()))
}

/// An address as a field element, big-endian.
#[must_use]
pub fn address_to_field(address: Address) -> Fr {
    Fr::from_be_bytes_mod_order(address.as_slice())
}

/// A field element as 32 big-endian bytes, canonical.
#[must_use]
pub fn field_to_b256(f: Fr) -> B256 {
    B256::from_slice(&f.into_bigint().to_bytes_be())
}

/// The field element of 32 big-endian bytes, or `None` if they are not below the modulus.
#[must_use]
pub fn field_from_b256(b: B256) -> Option<Fr> {
    let f = Fr::from_be_bytes_mod_order(b.as_slice());
    (field_to_b256(f) == b).then_some(f)
}

impl LeafId {
    /// The tree key: Poseidon(1, address, 0, 0) of an account, Poseidon(2, address, slot high, slot low) of a slot.
    #[must_use]
    pub fn key(&self) -> Fr {
        match *self {
            Self::Account(a) => poseidon(&[Fr::from(1u64), address_to_field(a), Fr::zero(), Fr::zero()]),
            Self::Storage(a, slot) => {
                let (hi, lo) = halves(slot);
                poseidon(&[Fr::from(2u64), address_to_field(a), hi, lo])
            }
        }
    }
}

/// What the tree commits to of an account. The keccak256 code hash is in the database only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountValue {
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// [`crate::code::code_hash`] of the account's code; 0 for an account without code.
    pub code_hash: Fr,
}

impl AccountValue {
    /// EIP-161: nonce 0, balance 0, no code.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The three value elements of a leaf: balance low + 2¹²⁸·nonce, balance high, code hash.
    #[must_use]
    pub fn to_fields(&self) -> [Fr; 3] {
        let (hi, lo) = halves(self.balance);
        [lo + two_128() * Fr::from(self.nonce), hi, self.code_hash]
    }

    /// The inverse of [`Self::to_fields`]; `None` if an element is out of range.
    #[must_use]
    pub fn from_fields(value: &[Fr; 3]) -> Option<Self> {
        let first = U256::from_be_bytes(field_to_b256(value[0]).0);
        let low = first & U256::from(u128::MAX);
        let nonce = u64::try_from(first >> 128usize).ok()?;
        Some(Self { nonce, balance: join_halves(value[1], low)?, code_hash: value[2] })
    }
}

/// high · 2¹²⁸ + low, `None` if `high` has more than 128 bits.
fn join_halves(high: Fr, low: U256) -> Option<U256> {
    let high = U256::from_be_bytes(field_to_b256(high).0);
    (high <= U256::from(u128::MAX)).then_some((high << 128usize) | low)
}

/// The inverse of [`storage_to_fields`]; `None` if an element is out of range.
#[must_use]
pub fn storage_from_fields(value: &[Fr; 3]) -> Option<U256> {
    let low = U256::from_be_bytes(field_to_b256(value[0]).0);
    if low > U256::from(u128::MAX) || !value[2].is_zero() {
        return None;
    }
    join_halves(value[1], low)
}

/// The three value elements of a storage leaf: low half, high half, 0.
#[must_use]
pub fn storage_to_fields(value: U256) -> [Fr; 3] {
    let (hi, lo) = halves(value);
    [lo, hi, Fr::zero()]
}

/// 2¹²⁸ in the field.
#[must_use]
pub fn two_128() -> Fr {
    Fr::from(u128::MAX) + Fr::from(1u64)
}

/// A leaf before hashing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaf {
    pub key: Fr,
    /// See [`AccountValue::to_fields`] and [`storage_to_fields`].
    pub value: [Fr; 3],
    /// The next larger key in the tree, 0 if none.
    pub next_key: Fr,
    /// Position of the leaf with `next_key`, 0 if none.
    pub next_index: u64,
}

impl Leaf {
    /// Whether the leaf shows that `key` is absent: it is below `key`, and the next leaf, if any, is above.
    #[must_use]
    pub fn precedes(&self, key: Fr) -> bool {
        self.key < key && (self.next_key.is_zero() || key < self.next_key)
    }

    /// Poseidon(key, v0, v1 + 2¹²⁸·next_index, v2, next_key). An unused position hashes to 0.
    #[must_use]
    pub fn hash(&self) -> Fr {
        poseidon(&[
            self.key,
            self.value[0],
            self.value[1] + two_128() * Fr::from(self.next_index),
            self.value[2],
            self.next_key,
        ])
    }
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(children: &[Fr; TREE_ARITY]) -> Fr {
    poseidon(children)
}

static ZERO_HASHES: LazyLock<[Fr; TREE_DEPTH + 1]> = LazyLock::new(|| {
    let mut hashes = [Fr::zero(); TREE_DEPTH + 1];
    for level in 0..TREE_DEPTH {
        hashes[level + 1] = node_hash(&[hashes[level]; TREE_ARITY]);
    }
    hashes
});

/// The node at `level` above unused positions only; level 0 are leaves, level 10 is the root.
///
/// # Panics
/// If there is no such level.
#[must_use]
pub fn zero_hash(level: usize) -> Fr {
    ZERO_HASHES[level]
}

/// Tree root and number of leaves, sentinel included; their Poseidon is the state root that L1 sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCommitment {
    pub tree_root: Fr,
    /// Position that the next new leaf takes.
    pub leaf_count: u64,
}

impl StateCommitment {
    /// Poseidon(tree root, leaf count).
    #[must_use]
    pub fn state_root(&self) -> Fr {
        poseidon(&[self.tree_root, Fr::from(self.leaf_count)])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prop_values_survive_their_fields(nonce in any::<u64>(), balance in any::<[u8; 32]>(), code in any::<[u8; 32]>()) {
            let balance = U256::from_be_bytes(balance);
            let code_hash = Fr::from_be_bytes_mod_order(&code);
            for balance in [balance, balance >> 128usize, U256::MAX, U256::ZERO] {
                let v = AccountValue { nonce, balance, code_hash };
                prop_assert_eq!(AccountValue::from_fields(&v.to_fields()), Some(v));
                prop_assert_eq!(storage_from_fields(&storage_to_fields(balance)), Some(balance));
            }
        }
    }

    #[test]
    fn rejects_fields_out_of_range() {
        let big = -Fr::from(1u64);
        assert_eq!(AccountValue::from_fields(&[big, Fr::zero(), Fr::zero()]), None);
        assert_eq!(AccountValue::from_fields(&[Fr::zero(), two_128(), Fr::zero()]), None);
        assert_eq!(storage_from_fields(&[two_128(), Fr::zero(), Fr::zero()]), None);
        assert_eq!(storage_from_fields(&[Fr::zero(), two_128(), Fr::zero()]), None);
        assert_eq!(storage_from_fields(&[Fr::zero(), Fr::zero(), Fr::from(1u64)]), None);
        assert_eq!(field_from_b256(field_to_b256(big)), Some(big));
        assert_eq!(field_from_b256(B256::repeat_byte(0xff)), None);
    }
}
