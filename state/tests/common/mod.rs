//! A naive model of the state: maps, and the tree rebuilt from all leaves each time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, U256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    constants::{KECCAK_EMPTY, TREE_ARITY, TREE_DEPTH},
    genesis::{Genesis, GenesisAccount},
    leaf::{AccountValue, Leaf, LeafId, StateCommitment, node_hash, storage_from_fields},
    witness::fold_path,
};
use cairn_state::{
    BlockChanges, Membership, MemoryStore, StateDb, StateView, Store, StoreError, Table, TreeReader,
    testing::{Fault, FaultyStore},
};
use proptest::prelude::*;

pub fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}

pub fn genesis() -> Genesis {
    let account = |n: u64| GenesisAccount { balance: U256::from(n), ..Default::default() };
    let mut contract = GenesisAccount { code: vec![0x60, 0x00].into(), ..Default::default() };
    contract.storage.insert(U256::from(5), U256::MAX);
    contract.storage.insert(U256::from(3), U256::ONE);
    Genesis {
        chain_id: 1001,
        accounts: vec![(address(9), account(1000)), (address(1), account(7)), (address(0xcc), contract)],
    }
}

#[derive(Clone, Default)]
pub struct Model {
    pub leaves: BTreeMap<LeafId, (u64, [Fr; 3])>,
}

impl Model {
    pub fn genesis(genesis: &Genesis) -> Self {
        let mut model = Self::default();
        for (id, value) in genesis.leaves() {
            // Directly: the block number's leaf is created with value 0, which `write` leaves absent.
            model.leaves.insert(id, (model.leaf_count(), value));
        }
        model
    }

    pub fn leaf_count(&self) -> u64 {
        self.leaves.len() as u64 + 1
    }

    pub fn write(&mut self, id: LeafId, value: [Fr; 3]) {
        let next = self.leaf_count();
        match self.leaves.get_mut(&id) {
            Some(entry) => entry.1 = value,
            None if value.iter().all(Fr::is_zero) => {}
            None => {
                self.leaves.insert(id, (next, value));
            }
        }
    }

    pub fn apply(&mut self, changes: &BlockChanges) {
        for (id, value) in changes.writes() {
            self.write(id, value);
        }
    }

    /// The states after the genesis and after each block.
    pub fn history(blocks: &[BlockChanges]) -> Vec<Self> {
        let mut models = vec![Self::genesis(&genesis())];
        for changes in blocks {
            let mut model = models[models.len() - 1].clone();
            model.apply(changes);
            models.push(model);
        }
        models
    }

    /// The tree by its definition.
    pub fn commitment(&self) -> StateCommitment {
        let mut sorted: Vec<(Fr, u64, [Fr; 3])> =
            self.leaves.iter().map(|(id, (index, value))| (id.key(), *index, *value)).collect();
        sorted.push((Fr::zero(), 0, [Fr::zero(); 3]));
        sorted.sort_unstable_by_key(|l| l.0);
        let mut nodes = vec![Fr::zero(); sorted.len()];
        for (i, (key, index, value)) in sorted.iter().enumerate() {
            let (next_key, next_index) = sorted.get(i + 1).map_or((Fr::zero(), 0), |n| (n.0, n.1));
            nodes[*index as usize] = Leaf { key: *key, value: *value, next_key, next_index }.hash();
        }
        let mut zero = Fr::zero();
        for _ in 0..TREE_DEPTH {
            nodes = nodes
                .chunks(TREE_ARITY)
                .map(|chunk| {
                    let mut children = [zero; TREE_ARITY];
                    children[..chunk.len()].copy_from_slice(chunk);
                    node_hash(&children)
                })
                .collect();
            zero = node_hash(&[zero; TREE_ARITY]);
        }
        StateCommitment { tree_root: nodes[0], leaf_count: self.leaf_count() }
    }

    pub fn account(&self, address: Address) -> Option<(AccountValue, u64)> {
        let (index, value) = self.leaves.get(&LeafId::Account(address))?;
        Some((AccountValue::from_fields(value).unwrap(), *index))
    }
}

/// A write: small pools of addresses and slots, so that leaves repeat.
pub fn write() -> impl Strategy<Value = (LeafId, [Fr; 3])> {
    let balance = prop_oneof![Just(U256::ZERO), Just(U256::MAX), any::<u128>().prop_map(U256::from)];
    prop_oneof![
        (0..24u8, 0..3u64, balance).prop_map(|(a, nonce, balance)| {
            let value = AccountValue { nonce, balance, code_hash: Fr::zero() };
            (LeafId::Account(address(a)), value.to_fields())
        }),
        (0..4u8, 0..6u64, 0..3u64).prop_map(|(a, slot, value)| {
            let value = cairn_protocol::leaf::storage_to_fields(U256::from(value));
            (LeafId::Storage(address(a), U256::from(slot)), value)
        })
    ]
}

/// Writes and a few reads.
pub fn block() -> impl Strategy<Value = BlockChanges> {
    let access =
        (write(), prop::bool::weighted(0.8)).prop_map(|((id, value), writes)| (id, writes.then_some(value)));
    prop::collection::vec(access, 0..7).prop_map(|accesses| BlockChanges { accesses, codes: vec![] })
}

/// A failure that no message depends on.
pub fn failure() -> StoreError {
    StoreError::Backend { message: "failure".to_owned() }
}

/// A database over `store` that fails after `steps` more steps.
pub fn faulty(store: &Arc<MemoryStore>, steps: usize, fault: Fault) -> Arc<FaultyStore> {
    let faulty = FaultyStore::new(store.clone());
    faulty.fail_after(steps, fault, failure());
    Arc::new(faulty)
}

/// Every answer of the state after `number` equals the model's.
pub fn assert_equal(db: &StateDb, number: u64, model: &Model) {
    assert_view_equal(&db.at(number).unwrap(), model);
    assert_eq!(db.commitment_at(number).unwrap(), model.commitment());
}

/// Every answer of a view equals the model's.
pub fn assert_view_equal(view: &StateView, model: &Model) {
    assert_eq!(view.commitment(), model.commitment());
    for n in 0..24 {
        let got = view.account(address(n)).unwrap();
        assert_eq!(got.map(|r| (r.value(), r.index)), model.account(address(n)));
        assert!(got.is_none_or(|r| r.keccak_code_hash == KECCAK_EMPTY));
    }
    for n in 0..4 {
        for slot in (0..6u64).map(U256::from) {
            let expected = model.leaves.get(&LeafId::Storage(address(n), slot));
            let expected = expected.map_or(U256::ZERO, |(_, v)| storage_from_fields(v).unwrap());
            assert_eq!(view.storage(address(n), slot).unwrap(), expected);
        }
    }
}

/// The tree of a view opens to its root at every leaf and where there is none.
pub fn assert_openings(view: &impl TreeReader, model: &Model) {
    let root = view.commitment().tree_root;
    for n in 0..30u8 {
        let id = LeafId::Account(address(n));
        match view.prove(&id).unwrap() {
            Membership::Present(o) => {
                assert_eq!(fold_path(o.leaf.hash(), o.index, &o.siblings), root);
                assert_eq!((o.leaf.key, o.leaf.value), (id.key(), model.leaves[&id].1));
            }
            Membership::Absent { predecessor: o } => {
                assert_eq!(fold_path(o.leaf.hash(), o.index, &o.siblings), root);
                assert!(!model.leaves.contains_key(&id));
                assert!(o.leaf.key < id.key() && (o.leaf.next_key.is_zero() || id.key() < o.leaf.next_key));
            }
        }
    }
    // The next position is empty.
    let next = view.commitment().leaf_count;
    assert_eq!(fold_path(Fr::zero(), next, &view.siblings(next).unwrap()), root);
}

/// Everything in a store, to compare two.
pub fn dump(store: &dyn Store) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    let mut out = BTreeMap::new();
    for table in Table::ALL {
        store
            .scan(table, &[], &mut |k, v| {
                out.insert((table, k.to_vec()), v.to_vec());
                true
            })
            .unwrap();
    }
    out
}

pub fn b256(n: u8) -> B256 {
    B256::repeat_byte(n)
}
