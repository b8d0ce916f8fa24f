//! A naive model of the state: maps, and the tree rebuilt from all leaves each time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_primitives::{Address, B256, U256};
use ark_ff::Zero;
use cairn_protocol::{
    Fr,
    constants::{TREE_ARITY, TREE_DEPTH},
    genesis::{Genesis, GenesisAccount},
    leaf::{AccountValue, Leaf, LeafId, StateCommitment, node_hash},
};
use cairn_state::{Batch, BlockChanges, MemoryStore, Store, StoreError, Table, store::Visitor};
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
        for (id, value) in &changes.writes {
            self.write(*id, *value);
        }
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

pub fn block() -> impl Strategy<Value = BlockChanges> {
    prop::collection::vec(write(), 0..6).prop_map(|writes| BlockChanges { writes, codes: vec![] })
}

/// When a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the batch reaches the disk.
    BeforeWrite,
    /// The batch is on disk, the acknowledgement is lost.
    AfterWrite,
}

/// A store that fails at its n-th write, on the same memory as others.
pub struct FaultyStore {
    pub inner: Arc<MemoryStore>,
    pub writes_left: AtomicUsize,
    pub fault: Fault,
}

impl Store for FaultyStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }
    fn scan(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.inner.scan(table, from, visit)
    }
    fn scan_back(&self, table: Table, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.inner.scan_back(table, from, visit)
    }
    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let crash = || StoreError::Backend { message: "crash".to_owned() };
        match self.writes_left.load(Ordering::SeqCst) {
            0 => Err(crash()),
            1 => {
                self.writes_left.store(0, Ordering::SeqCst);
                if self.fault == Fault::AfterWrite {
                    self.inner.write(batch)?;
                }
                Err(crash())
            }
            n => {
                self.writes_left.store(n - 1, Ordering::SeqCst);
                self.inner.write(batch)
            }
        }
    }
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
