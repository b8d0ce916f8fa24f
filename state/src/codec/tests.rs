use alloy_primitives::hex;
use proptest::prelude::*;

use super::*;

/// A value of every type, with the key that it would have.
fn values() -> Vec<(RecordType, Vec<u8>, Vec<u8>)> {
    let f = |n: u64| Fr::from(n);
    let account = LeafId::Account(Address::repeat_byte(0xaa));
    let slot = LeafId::Storage(Address::repeat_byte(0xbb), U256::from(5));
    let node = Leaf { key: f(1), value: [f(2), f(3), -f(1)], next_key: f(4), next_index: 6 };
    let mut children = [zero_hash(1); TREE_ARITY];
    (children[1], children[7]) = (f(8), f(9));
    let commitment = StateCommitment { tree_root: f(10), leaf_count: 11 };
    let none = [Fr::zero(); 3];
    let touched = |id, old_value, new_value, created| TouchedLeaf { id, old_value, new_value, created };
    let record = BlockAccess {
        leaves: vec![
            touched(account, node.value, [f(2), f(5), f(6)], None),
            touched(slot, none, [f(7), f(0), f(0)], Some(19)),
            touched(account, node.value, node.value, None),
        ],
    };
    vec![
        (NUMBER, META_HEAD.to_vec(), number(0x0102)),
        (DIGEST, META_GENESIS.to_vec(), hash(DIGEST, B256::repeat_byte(0xcc))),
        (BLOCK, block_key(7).to_vec(), block(&commitment, &[1, 0x0203])),
        (ACCESS, block_key(8).to_vec(), access(&record)),
        (GROUP, node_key(2, 3, 4).to_vec(), group(2, &children)),
        (LEAF, leaf_key(1, 2).to_vec(), leaf(Some(&account), &node)),
        (LEAF, leaf_key(3, 4).to_vec(), leaf(Some(&slot), &node)),
        (LEAF, leaf_key(0, 0).to_vec(), leaf(None, &Leaf::default())),
        (KEY, tree_key(f(12)).to_vec(), position(KEY, 13, 14)),
        (ID, leaf_id(&slot), position(ID, 15, 16)),
        (CODE, vec![0xdd; 32], code(f(17), &[0x60, 0x01])),
        (CODE_HASH, tree_key(f(18)).to_vec(), hash(CODE_HASH, B256::repeat_byte(0xee))),
    ]
}

/// What a reader makes of a value, written down as text.
fn read_any(record: RecordType, key: &[u8], value: &[u8]) -> Result<String, StoreError> {
    Ok(match record {
        NUMBER => format!("{:?}", read_number(key, value)?),
        BLOCK => format!("{:?}", read_block(key, value)?),
        ACCESS => format!("{:?}", read_access(key, value)?),
        GROUP => format!("{:?}", read_group(2, key, value)?),
        LEAF => format!("{:?}", read_leaf(key, value)?),
        KEY | ID => format!("{:?}", read_position(record, key, value)?),
        CODE => format!("{:?}", read_code(key, value)?),
        _ => format!("{:?}", read_hash(record, key, value)?),
    })
}

/// A changed layout needs another version: raise it in the constants of [`super`], then run this with `UPDATE_VECTORS=1`.
#[test]
fn accepts_the_bytes_of_each_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/codec/tests/values.txt");
    let written: String = values()
        .into_iter()
        .map(|(record, key, value)| {
            format!("{} {}: {}\n", record.table.name(), hex::encode(key), hex::encode(value))
        })
        .collect();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    assert_eq!(written, std::fs::read_to_string(path).unwrap());
}

#[test]
fn rejects_each_type_in_another_version_by_name() {
    for (record, key, value) in values() {
        assert!(read_any(record, &key, &value).is_ok(), "{record:?}");
        for got in [0, record.version - 1, record.version + 1, 255] {
            let mut other = value.clone();
            other[0] = got;
            let error = read_any(record, &key, &other).unwrap_err();
            let (table, key) = (record.table.name(), format!("0x{}", hex::encode(&key)));
            let expected = record.version;
            assert_eq!(
                error,
                StoreError::OtherVersion { table, record: record.name, key: key.clone(), expected, got }
            );
            let text = error.to_string();
            for part in
                [table, record.name, &key, &format!("of version {got}"), "use the version of the program"]
            {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}

#[test]
fn rejects_content_that_is_cut_off_or_too_long() {
    for (record, key, value) in values() {
        let corrupt = record.damaged(&key);
        // Code is whatever follows its hash; the positions of a block, and what it touched, are as many as there are.
        let open_ended = [CODE, BLOCK].contains(&record);
        for length in 0..value.len() {
            let fits = (record == CODE && length >= 33)
                || (record == BLOCK && length >= 41 && (length - 41) % 8 == 0)
                || (record == ACCESS && leaves_end_at(length));
            if !fits {
                assert_eq!(
                    read_any(record, &key, &value[..length]),
                    Err(corrupt.clone()),
                    "{record:?} {length}"
                );
            }
        }
        if !open_ended {
            assert_eq!(read_any(record, &key, &[&value[..], &[0]].concat()), Err(corrupt));
        }
    }
}

/// Whether the record of what a block touched, of [`values`], has a whole number of leaves in its first `length` bytes:
/// after the version, an account with three old and two new elements, a created slot with one new element, and the rest.
fn leaves_end_at(length: usize) -> bool {
    let account = 21 + 1 + 5 * 32;
    let slot = 53 + 1 + 8 + 32;
    [1, 1 + account, 1 + account + slot].contains(&length)
}

#[test]
fn rejects_a_touched_leaf_with_a_bit_that_names_nothing() {
    let id = LeafId::Account(Address::ZERO);
    let leaf = TouchedLeaf { id, old_value: [Fr::zero(); 3], new_value: [Fr::zero(); 3], created: None };
    let mut bytes = access(&BlockAccess { leaves: vec![leaf] });
    assert!(read_access(&block_key(1), &bytes).is_ok());
    *bytes.last_mut().unwrap() = 0x80;
    assert_eq!(read_access(&block_key(1), &bytes), Err(ACCESS.damaged(&block_key(1))));
}

fn element() -> impl Strategy<Value = Fr> {
    prop_oneof![Just(Fr::zero()), Just(-Fr::from(1u64)), any::<u64>().prop_map(Fr::from)]
}

fn touched_leaf() -> impl Strategy<Value = TouchedLeaf> {
    let id =
        (any::<[u8; 20]>(), prop::option::of(any::<[u8; 32]>())).prop_map(|(address, slot)| match slot {
            None => LeafId::Account(address.into()),
            Some(slot) => LeafId::Storage(address.into(), U256::from_be_bytes(slot)),
        });
    let value = || prop::array::uniform3(element());
    (id, value(), prop::option::of(value()), any::<Option<u64>>()).prop_map(|(id, old, new, created)| {
        TouchedLeaf { id, old_value: old, new_value: new.unwrap_or(old), created }
    })
}

proptest! {
    #[test]
    fn prop_records_of_what_was_touched_survive_their_bytes(
        leaves in prop::collection::vec(touched_leaf(), 0..6)
    ) {
        let record = BlockAccess { leaves };
        prop_assert_eq!(read_access(&block_key(1), &access(&record)), Ok(record));
    }
}
