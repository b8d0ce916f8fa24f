//! The bytes of keys and values in the store. Integers are big-endian so that bytes order as numbers; values start
//! with [`VERSION`]. A block number at the end of a key makes the entry one version of many.

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::{
    Fr,
    constants::TREE_ARITY,
    leaf::{Leaf, LeafId, StateCommitment, field_from_b256, field_to_b256},
};

use crate::tree::{Group, zero_hash};

/// First byte of every value.
pub const VERSION: u8 = 1;

/// Key of the newest block in the meta table.
pub const META_HEAD: &[u8] = b"head";
/// Key of the genesis digest in the meta table.
pub const META_GENESIS: &[u8] = b"genesis";

/// Key of the earliest block whose state is kept; absent if it is the genesis.
pub const META_EARLIEST: &[u8] = b"earliest";
/// Key of the last block whose older versions were removed; absent if none were.
pub const META_PRUNED: &[u8] = b"pruned";

/// Reads a value from front to back; `None` as soon as something does not fit.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn versioned(value: &'a [u8]) -> Option<Self> {
        let (&version, rest) = value.split_first()?;
        (version == VERSION).then_some(Self(rest))
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn field(&mut self) -> Option<Fr> {
        field_from_b256(B256::from(self.take::<32>()?))
    }

    fn finish<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

fn push_field(out: &mut Vec<u8>, f: Fr) {
    out.extend(field_to_b256(f));
}

/// A tree key as bytes.
pub fn tree_key(key: Fr) -> [u8; 32] {
    field_to_b256(key).0
}

/// Tag ‖ address ‖ slot.
pub fn leaf_id(id: &LeafId) -> Vec<u8> {
    match id {
        LeafId::Account(address) => [&[1u8][..], address.as_slice()].concat(),
        LeafId::Storage(address, slot) => {
            [&[2u8][..], address.as_slice(), &slot.to_be_bytes::<32>()].concat()
        }
    }
}

fn read_leaf_id(bytes: &mut Bytes<'_>) -> Option<Option<LeafId>> {
    Some(match bytes.take::<1>()? {
        [0] => None,
        [1] => Some(LeafId::Account(Address::from(bytes.take::<20>()?))),
        [2] => {
            let address = Address::from(bytes.take::<20>()?);
            Some(LeafId::Storage(address, U256::from_be_bytes(bytes.take::<32>()?)))
        }
        _ => return None,
    })
}

/// Position ‖ block.
pub fn leaf_key(index: u64, block: u64) -> [u8; 16] {
    let mut out = [0; 16];
    out[..8].copy_from_slice(&index.to_be_bytes());
    out[8..].copy_from_slice(&block.to_be_bytes());
    out
}

/// Level ‖ node ‖ block.
pub fn node_key(level: usize, index: u64, block: u64) -> [u8; 17] {
    let mut out = [0; 17];
    // Levels are at most ten.
    out[0] = level as u8;
    out[1..].copy_from_slice(&leaf_key(index, block));
    out
}

/// A number as a key.
pub fn block_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// A leaf with its id; the sentinel has none.
pub fn leaf(id: Option<&LeafId>, leaf: &Leaf) -> Vec<u8> {
    let mut out = vec![VERSION];
    match id {
        None => out.push(0),
        Some(id) => out.extend(leaf_id(id)),
    }
    for f in [leaf.key, leaf.value[0], leaf.value[1], leaf.value[2], leaf.next_key] {
        push_field(&mut out, f);
    }
    out.extend(leaf.next_index.to_be_bytes());
    out
}

/// Inverse of [`leaf`].
pub fn read_leaf(value: &[u8]) -> Option<(Option<LeafId>, Leaf)> {
    let mut b = Bytes::versioned(value)?;
    let id = read_leaf_id(&mut b)?;
    let key = b.field()?;
    let value = [b.field()?, b.field()?, b.field()?];
    let leaf = Leaf { key, value, next_key: b.field()?, next_index: b.u64()? };
    b.finish((id, leaf))
}

/// The children of a node at `level`: a bit for each child that is not a zero hash, then those children.
pub fn group(level: usize, group: &Group) -> Vec<u8> {
    let zero = zero_hash(level - 1);
    let mut out = vec![VERSION, 0];
    for (slot, hash) in group.iter().enumerate() {
        if *hash != zero {
            out[1] |= 1 << slot;
            push_field(&mut out, *hash);
        }
    }
    out
}

/// Inverse of [`group`].
pub fn read_group(level: usize, value: &[u8]) -> Option<Group> {
    let mut b = Bytes::versioned(value)?;
    let [mask] = b.take::<1>()?;
    let mut out = [zero_hash(level - 1); TREE_ARITY];
    for (slot, hash) in out.iter_mut().enumerate() {
        if mask >> slot & 1 == 1 {
            *hash = b.field()?;
        }
    }
    b.finish(out)
}

/// Two numbers: position and block of creation.
pub fn position(index: u64, created: u64) -> Vec<u8> {
    [&[VERSION][..], &leaf_key(index, created)].concat()
}

/// Inverse of [`position`].
pub fn read_position(value: &[u8]) -> Option<(u64, u64)> {
    let mut b = Bytes::versioned(value)?;
    let out = (b.u64()?, b.u64()?);
    b.finish(out)
}

/// One number.
pub fn number(n: u64) -> Vec<u8> {
    [&[VERSION][..], &n.to_be_bytes()].concat()
}

/// Inverse of [`number`].
pub fn read_number(value: &[u8]) -> Option<u64> {
    let mut b = Bytes::versioned(value)?;
    let n = b.u64()?;
    b.finish(n)
}

/// A hash.
pub fn hash(h: B256) -> Vec<u8> {
    [&[VERSION][..], h.as_slice()].concat()
}

/// Inverse of [`hash`].
pub fn read_hash(value: &[u8]) -> Option<B256> {
    let mut b = Bytes::versioned(value)?;
    let h = B256::from(b.take::<32>()?);
    b.finish(h)
}

/// What is kept of a block: its commitment and the positions of the leaves that it changed.
pub fn block(commitment: &StateCommitment, changed: &[u64]) -> Vec<u8> {
    let mut out = vec![VERSION];
    push_field(&mut out, commitment.tree_root);
    out.extend(commitment.leaf_count.to_be_bytes());
    out.extend(changed.iter().flat_map(|i| i.to_be_bytes()));
    out
}

/// Inverse of [`block`].
pub fn read_block(value: &[u8]) -> Option<(StateCommitment, Vec<u64>)> {
    let mut b = Bytes::versioned(value)?;
    let commitment = StateCommitment { tree_root: b.field()?, leaf_count: b.u64()? };
    let mut changed = Vec::with_capacity(b.0.len() / 8);
    while !b.0.is_empty() {
        changed.push(b.u64()?);
    }
    Some((commitment, changed))
}

/// Code with its Poseidon hash.
pub fn code(code_hash: Fr, code: &[u8]) -> Vec<u8> {
    let mut out = vec![VERSION];
    push_field(&mut out, code_hash);
    out.extend_from_slice(code);
    out
}

/// Inverse of [`code`].
pub fn read_code(value: &[u8]) -> Option<(Fr, Vec<u8>)> {
    let mut b = Bytes::versioned(value)?;
    Some((b.field()?, b.0.to_vec()))
}
