//! A store that fails at any of its writes, as a full disk does: the chain stops with the store's own words, and after a
//! restart everything that was promised is there, once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use cairn_protocol::resources::Resource;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_node::chain::{Chain, Produced};
use cairn_state::{
    MemoryStore, Store, StoreError,
    testing::{Fault, FaultyStore},
};
use support::{SENDER, chain_config, transfer};

/// Transfers of one run.
const TRANSFERS: u64 = 12;
/// Blocks of one group.
const GROUP: usize = 4;

fn no_space() -> StoreError {
    StoreError::NoSpace { message: "No space left on device".to_owned() }
}

fn open(store: &Arc<dyn Store>) -> Chain {
    let mut config = chain_config();
    config.group_blocks = GROUP;
    config.limits.room.capacity[Resource::Transactions] = 5;
    Chain::open(Arc::clone(store), config).unwrap()
}

/// Submits and produces until something fails; the hashes that were returned, and the error's words.
fn run(chain: &Chain) -> (Vec<B256>, Option<String>) {
    let mut hashes = Vec::new();
    for nonce in 0..TRANSFERS {
        match chain.submit(&transfer(nonce, 1)) {
            Ok(hash) => hashes.push(hash),
            Err(error) => {
                // Whoever makes blocks learns of it at the next step.
                let stopped = chain.produce().unwrap_err().to_string();
                assert!(stopped.contains("no space is left"), "{stopped}");
                return (hashes, Some(error.to_string()));
            }
        }
        if nonce % 3 == 2 {
            loop {
                match chain.produce() {
                    Ok(Produced::Idle) => break,
                    Ok(_) => {}
                    Err(error) => return (hashes, Some(error.to_string())),
                }
            }
        }
    }
    (hashes, None)
}

/// Every promised transaction is in a block or in the pool, none in two blocks, and the chain goes on.
fn check(store: &Arc<dyn Store>, hashes: &[B256]) {
    let chain = open(store);
    for hash in hashes {
        let in_block = chain.storage().transaction_block(*hash).unwrap().is_some();
        let pooled = chain.with_pool(|pool| pool.get(hash).is_some());
        assert!(in_block != pooled, "{hash}: in a block {in_block}, in the pool {pooled}");
    }
    while !matches!(chain.produce().unwrap(), Produced::Idle) {}
    let head = chain.heads().trusted_block;
    assert!(head >= hashes.len() as u64);
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=head {
        let tx = chain.storage().block(number).unwrap().unwrap().transaction.unwrap();
        assert!(seen.insert(tx.hash), "block {number} repeats a transaction");
        assert_eq!(chain.storage().transaction_block(tx.hash).unwrap(), Some(number));
    }
    assert_eq!(chain.state().account(SENDER).unwrap().unwrap().nonce, head);
    chain.submit(&transfer(head, 1)).unwrap();
    assert!(matches!(chain.produce().unwrap(), Produced::Blocks { .. } | Produced::Sealed { .. }));
}

#[test]
fn prop_a_disk_that_is_full_at_any_write_loses_nothing() {
    // How many steps a run takes when nothing fails.
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    drop(open(&(store.clone() as Arc<dyn Store>)));
    let before = store.steps();
    let (hashes, error) = run(&open(&(store.clone() as Arc<dyn Store>)));
    assert_eq!((hashes.len() as u64, error), (TRANSFERS, None));
    let steps = store.steps() - before;
    assert!(steps > 20, "{steps} steps");

    for fault in [Fault::Before, Fault::After] {
        for after in 0..steps {
            let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
            let store: Arc<dyn Store> = faulty.clone();
            let chain = open(&store);
            faulty.fail_after(after, fault, no_space());
            let (hashes, error) = run(&chain);
            drop(chain);
            if let Some(error) = error {
                assert!(error.contains("no space is left"), "{error}");
            }
            faulty.heal();
            check(&store, &hashes);
        }
    }
}
