//! The bytes of keys and values in the store. Integers are big-endian so that bytes order as numbers; values start
//! with the version of their type. A block number at the end of a key makes the entry one version of many.

use alloy_primitives::{Address, B256, U256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    access::{BlockAccess, TouchedLeaf},
    constants::TREE_ARITY,
    leaf::{Leaf, LeafId, StateCommitment, field_from_b256, field_to_b256},
};

use crate::{
    store::{RecordType, StoreError, Table},
    tree::{Group, zero_hash},
};

const fn record(table: Table, name: &'static str, version: u8) -> RecordType {
    RecordType { table, name, version }
}

/// A block number, at one of the keys below.
pub const NUMBER: RecordType = record(Table::Meta, "number", 1);
/// The digest of the genesis.
pub const DIGEST: RecordType = record(Table::Meta, "digest", 1);
/// See [`block`].
pub const BLOCK: RecordType = record(Table::Blocks, "block", 1);
/// See [`access`].
pub const ACCESS: RecordType = record(Table::Accesses, "access", 1);
/// See [`group`].
pub const GROUP: RecordType = record(Table::Nodes, "node", 1);
/// See [`leaf`].
pub const LEAF: RecordType = record(Table::Leaves, "leaf", 1);
/// The position of a tree key.
pub const KEY: RecordType = record(Table::Keys, "position", 1);
/// The position of a leaf id.
pub const ID: RecordType = record(Table::Ids, "position", 1);
/// See [`code`]. Version 1 had code hashes without due push data.
pub const CODE: RecordType = record(Table::Codes, "code", 2);
/// The keccak256 of the code with a Poseidon hash. Version 1 as for [`CODE`].
pub const CODE_HASH: RecordType = record(Table::CodeHashes, "code hash", 2);

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
}

/// Reads the whole content of a value.
fn read<T>(
    record: RecordType,
    key: &[u8],
    value: &[u8],
    content: impl FnOnce(&mut Bytes<'_>) -> Option<T>,
) -> Result<T, StoreError> {
    let mut bytes = Bytes(record.content(key, value)?);
    content(&mut bytes).filter(|_| bytes.0.is_empty()).ok_or_else(|| record.damaged(key))
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
    let mut out = LEAF.start();
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
pub fn read_leaf(key: &[u8], value: &[u8]) -> Result<(Option<LeafId>, Leaf), StoreError> {
    read(LEAF, key, value, |b| {
        let id = read_leaf_id(b)?;
        let key = b.field()?;
        let value = [b.field()?, b.field()?, b.field()?];
        Some((id, Leaf { key, value, next_key: b.field()?, next_index: b.u64()? }))
    })
}

/// The children of a node at `level`: a bit for each child that is not a zero hash, then those children.
pub fn group(level: usize, group: &Group) -> Vec<u8> {
    let zero = zero_hash(level - 1);
    let mut out = GROUP.start();
    let mask = out.len();
    out.push(0);
    for (slot, hash) in group.iter().enumerate() {
        if *hash != zero {
            out[mask] |= 1 << slot;
            push_field(&mut out, *hash);
        }
    }
    out
}

/// Inverse of [`group`].
pub fn read_group(level: usize, key: &[u8], value: &[u8]) -> Result<Group, StoreError> {
    read(GROUP, key, value, |b| {
        let [mask] = b.take::<1>()?;
        let mut out = [zero_hash(level - 1); TREE_ARITY];
        for (slot, hash) in out.iter_mut().enumerate() {
            if mask >> slot & 1 == 1 {
                *hash = b.field()?;
            }
        }
        Some(out)
    })
}

/// Two numbers: position and block of creation. `record` is [`KEY`] or [`ID`].
pub fn position(record: RecordType, index: u64, created: u64) -> Vec<u8> {
    [&record.start()[..], &leaf_key(index, created)].concat()
}

/// Inverse of [`position`].
pub fn read_position(record: RecordType, key: &[u8], value: &[u8]) -> Result<(u64, u64), StoreError> {
    read(record, key, value, |b| Some((b.u64()?, b.u64()?)))
}

/// One number.
pub fn number(n: u64) -> Vec<u8> {
    [&NUMBER.start()[..], &n.to_be_bytes()].concat()
}

/// Inverse of [`number`].
pub fn read_number(key: &[u8], value: &[u8]) -> Result<u64, StoreError> {
    read(NUMBER, key, value, |b| b.u64())
}

/// A hash. `record` is [`DIGEST`] or [`CODE_HASH`].
pub fn hash(record: RecordType, h: B256) -> Vec<u8> {
    [&record.start()[..], h.as_slice()].concat()
}

/// Inverse of [`hash`].
pub fn read_hash(record: RecordType, key: &[u8], value: &[u8]) -> Result<B256, StoreError> {
    read(record, key, value, |b| b.take::<32>().map(B256::from))
}

/// What is kept of a block: its commitment and the positions of the leaves that it changed.
pub fn block(commitment: &StateCommitment, changed: &[u64]) -> Vec<u8> {
    let mut out = BLOCK.start();
    push_field(&mut out, commitment.tree_root);
    out.extend(commitment.leaf_count.to_be_bytes());
    out.extend(changed.iter().flat_map(|i| i.to_be_bytes()));
    out
}

/// Inverse of [`block`].
pub fn read_block(key: &[u8], value: &[u8]) -> Result<(StateCommitment, Vec<u64>), StoreError> {
    read(BLOCK, key, value, |b| {
        let commitment = StateCommitment { tree_root: b.field()?, leaf_count: b.u64()? };
        let mut changed = Vec::with_capacity(b.0.len() / 8);
        while !b.0.is_empty() {
            changed.push(b.u64()?);
        }
        Some((commitment, changed))
    })
}

/// Code with its Poseidon hash.
pub fn code(code_hash: Fr, code: &[u8]) -> Vec<u8> {
    let mut out = CODE.start();
    push_field(&mut out, code_hash);
    out.extend_from_slice(code);
    out
}

/// Inverse of [`code`].
pub fn read_code(key: &[u8], value: &[u8]) -> Result<(Fr, Vec<u8>), StoreError> {
    read(CODE, key, value, |b| {
        let code_hash = b.field()?;
        Some((code_hash, std::mem::take(&mut b.0).to_vec()))
    })
}

/// In the record of a touched leaf, the bit of a leaf that was created; its position follows.
const CREATED: u8 = 1;

/// The bit of an element of the old value that is not 0; the element follows.
const fn old_bit(element: usize) -> u8 {
    2 << element
}

/// The bit of an element of the new value that differs from the old one; the element follows.
const fn new_bit(element: usize) -> u8 {
    16 << element
}

/// What a block touched: for each leaf its id, a byte of the bits above, and the position and elements that they announce.
pub fn access(access: &BlockAccess) -> Vec<u8> {
    let mut out = ACCESS.start();
    for TouchedLeaf { id, old_value, new_value, created } in &access.leaves {
        out.extend(leaf_id(id));
        let mut bits = if created.is_some() { CREATED } else { 0 };
        let mut elements = Vec::new();
        for (i, old) in old_value.iter().enumerate().filter(|(_, old)| !old.is_zero()) {
            bits |= old_bit(i);
            push_field(&mut elements, *old);
        }
        for (i, (new, _)) in new_value.iter().zip(old_value).enumerate().filter(|(_, (new, old))| new != old)
        {
            bits |= new_bit(i);
            push_field(&mut elements, *new);
        }
        out.push(bits);
        out.extend(created.iter().flat_map(|index| index.to_be_bytes()));
        out.extend(elements);
    }
    out
}

/// Inverse of [`access`].
pub fn read_access(key: &[u8], value: &[u8]) -> Result<BlockAccess, StoreError> {
    read(ACCESS, key, value, |b| {
        let mut leaves = Vec::new();
        while !b.0.is_empty() {
            leaves.push(read_touched(b)?);
        }
        Some(BlockAccess { leaves })
    })
}

fn read_touched(b: &mut Bytes<'_>) -> Option<TouchedLeaf> {
    let id = read_leaf_id(b)??;
    let [bits] = b.take::<1>()?;
    // Each value has three elements: the highest bit is unused.
    if bits & 0x80 != 0 {
        return None;
    }
    let created = if bits & CREATED != 0 { Some(b.u64()?) } else { None };
    let mut old_value = [Fr::zero(); 3];
    for (_, element) in old_value.iter_mut().enumerate().filter(|(i, _)| bits & old_bit(*i) != 0) {
        *element = b.field()?;
    }
    let mut new_value = old_value;
    for (_, element) in new_value.iter_mut().enumerate().filter(|(i, _)| bits & new_bit(*i) != 0) {
        *element = b.field()?;
    }
    Some(TouchedLeaf { id, old_value, new_value, created })
}

#[cfg(test)]
mod tests;
