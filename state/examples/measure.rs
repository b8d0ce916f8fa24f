//! Measures Poseidon and block commits: `cargo run -p cairn-state --example measure`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool")]

use std::{sync::Arc, time::Instant};

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    Fr,
    genesis::Genesis,
    leaf::{AccountValue, LeafId},
    poseidon::poseidon,
};
use cairn_state::{BlockChanges, MemoryStore, RocksStore, StateDb, Store, witness::leaf_ops_between};

fn address(n: u64) -> Address {
    Address::left_padding_from(&(n + 1_000_000).to_be_bytes())
}

fn run(name: &str, store: Arc<dyn Store>) {
    let db = StateDb::open(store, &Genesis::devnet()).unwrap();
    let value = |n: u64| AccountValue { nonce: n, balance: U256::from(n), ..Default::default() };
    let mut changes = BlockChanges::new();
    (0..10_000).for_each(|n| changes.set_account(address(n), &value(1)));
    let start = Instant::now();
    db.commit_block(1, &changes).unwrap();
    println!("{name}: one block of 10,000 new accounts {:?}", start.elapsed());

    // A transfer's block: sender, recipient, coinbase, block number; every fourth recipient is new.
    let blocks = 200u64;
    let start = Instant::now();
    for b in 0..blocks {
        let mut changes = BlockChanges::new();
        changes.set_account(address(b * 37 % 10_000), &value(b + 2));
        changes.set_account(address(if b % 4 == 0 { 20_000 + b } else { b * 91 % 10_000 }), &value(b + 2));
        changes.set_account(address(5), &value(b + 2));
        changes.set_storage(Address::ZERO, U256::ZERO, U256::from(b + 1));
        db.commit_block(b + 2, &changes).unwrap();
    }
    println!("{name}: block of one transfer {:?}", start.elapsed() / blocks as u32);

    let view = db.latest().unwrap();
    let start = Instant::now();
    for n in 0..1000 {
        view.account(address(n * 7)).unwrap().unwrap();
    }
    println!("{name}: account read {:?}", start.elapsed() / 1000);

    let (before, after) = (db.at(blocks / 2).unwrap(), db.at(blocks / 2 + 16).unwrap());
    let ids: Vec<LeafId> = (blocks / 2 - 1..blocks / 2 + 15)
        .flat_map(|b| [b * 37 % 10_000, if b % 4 == 0 { 20_000 + b } else { b * 91 % 10_000 }, 5])
        .map(|n| LeafId::Account(address(n)))
        .chain([LeafId::Storage(Address::ZERO, U256::ZERO)])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let start = Instant::now();
    let ops = leaf_ops_between(&before, &after, ids).unwrap();
    println!("{name}: openings of a batch of 16 transfers ({} leaves) {:?}", ops.ops.len(), start.elapsed());
}

fn main() {
    for inputs in [2, 4, 5, 8, 9] {
        let mut state = vec![Fr::from(1u64); inputs];
        let start = Instant::now();
        for _ in 0..2000 {
            state[0] = poseidon(&state);
        }
        println!("poseidon of {inputs} elements {:?}", start.elapsed() / 2000);
    }
    run("memory", Arc::new(MemoryStore::new()));
    let dir = tempfile::tempdir().unwrap();
    run("rocksdb", Arc::new(RocksStore::open(dir.path()).unwrap()));
}
