//! Pool → blocks → batches, on a store in memory and without L1: when batches close, what slows sequencing, what becomes
//! of transactions without a block, what a restart finds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "../../sequencer/tests/support/asm.rs"]
mod asm;
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use asm::asm;
use cairn_node::{
    chain::{Chain, ChainConfig, ChainError, Pace, Produced},
    config::ProofMode,
};
use cairn_protocol::{
    constants::GLOBAL_EXIT_ROOT_L2,
    genesis::GenesisAccount,
    resources::Resource,
    system::{block_number_leaf, global_exit_root_leaf, global_exit_root_slot, last_rollup_exit_root_leaf},
};
use cairn_sequencer::{
    batch::{BatchLimits, CloseReason},
    pending::ReadState,
};
use cairn_state::{MemoryStore, RocksStore, Store};
use support::{SENDER, chain_config as config, transfer, transfer_at};

fn open(store: &Arc<dyn Store>, config: ChainConfig) -> Chain {
    Chain::open(Arc::clone(store), config).unwrap()
}

fn chain(config: ChainConfig) -> Chain {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    open(&store, config)
}

fn submit(chain: &Chain, nonces: std::ops::Range<u64>) -> Vec<B256> {
    nonces.map(|nonce| chain.submit(&transfer(nonce, 1)).unwrap()).collect()
}

/// Every step until there is nothing to do.
fn run(chain: &Chain) -> Vec<Produced> {
    let mut steps = Vec::new();
    loop {
        match chain.produce().unwrap() {
            Produced::Idle => return steps,
            step @ Produced::Held { .. } => {
                steps.push(step);
                return steps;
            }
            step => steps.push(step),
        }
    }
}

fn reasons(chain: &Chain) -> Vec<CloseReason> {
    let sealed = 1..=chain.heads().sealed_batch;
    sealed.map(|n| chain.storage().batch(n).unwrap().unwrap().batch.reason).collect()
}

#[test]
fn accepts_batches_that_close_at_each_limit_with_its_reason() {
    let mut by_gas = config();
    by_gas.limits.max_gas = 2 * 21_000;
    let mut by_capacity = config();
    by_capacity.limits.room.capacity[Resource::Transactions] = 2;
    let mut by_bytes = config();
    // Two of these do not fit the 300,000 bytes of a batch.
    by_bytes.pool.max_transaction_bytes = 200_000;
    for (config, reason) in [(by_gas, CloseReason::Gas), (by_capacity, CloseReason::Capacity)] {
        let chain = chain(config);
        submit(&chain, 0..5);
        run(&chain);
        assert_eq!(reasons(&chain), [reason, reason]);
        assert_eq!(chain.storage().batch(1).unwrap().unwrap().batch.last_block, 2);
        assert_eq!(chain.heads().trusted_block, 5);
    }
    let chain = chain(by_bytes);
    for nonce in 0..2 {
        let data = Bytes::from(vec![0; 160_000]);
        chain.submit(&transfer_at(nonce, 1, 1_000_000_000, data)).unwrap();
    }
    run(&chain);
    assert_eq!(reasons(&chain), [CloseReason::Bytes]);
}

#[test]
fn accepts_a_shorter_age_the_more_waits() {
    let limits =
        BatchLimits { min_age: Duration::from_secs(1), max_age: Duration::from_secs(11), ..config().limits };
    let ages = [0.0, 0.5, 1.0, 7.0].map(|load| limits.age_limit(load).as_secs());
    assert_eq!(ages, [11, 6, 1, 1]);

    // Full of what waits, a batch closes at once; empty, it stays open for an hour.
    let mut config = config();
    config.limits.min_age = Duration::ZERO;
    config.limits.room.capacity[Resource::Transactions] = 4;
    config.group_blocks = 1;
    let chain = chain(config);
    submit(&chain, 0..1);
    assert!(matches!(chain.produce().unwrap(), Produced::Blocks { first: 1, last: 1 }));
    assert!(matches!(chain.produce().unwrap(), Produced::Idle));
    submit(&chain, 1..6);
    let step = chain.produce().unwrap();
    assert!(matches!(step, Produced::Sealed { batch: 1, reason: CloseReason::Age }), "{step:?}");
}

#[test]
fn rejects_to_run_ahead_of_the_proofs() {
    let mut config = config();
    config.limits.room.capacity[Resource::Transactions] = 1;
    config.max_unproven = 3;
    let chain = chain(config);
    submit(&chain, 0..9);
    let held = run(&chain);
    assert!(matches!(held.last(), Some(Produced::Held { unproven: 3 })), "{held:?}");
    assert_eq!(chain.pace(), Pace::Stopped);
    // One block may be in the open batch.
    assert_eq!((chain.heads().sealed_batch, chain.heads().trusted_block), (3, 3));
    chain.raise_verified_batch(1);
    assert_eq!(chain.pace(), Pace::Full);
    run(&chain);
    assert_eq!(chain.heads().sealed_batch, 4);
    chain.raise_verified_batch(4);
    run(&chain);
    assert_eq!(chain.heads().sealed_batch, 7);
}

#[test]
fn accepts_a_restart_with_everything_in_its_place() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let first = open(&store, config());
    let executed = submit(&first, 0..3);
    run(&first);
    let waiting = submit(&first, 3..5);
    let counters = first.open_batch().unwrap().1;
    drop(first);

    let second = open(&store, config());
    assert_eq!(second.heads().trusted_block, 3);
    assert_eq!(second.open_batch().unwrap().1, counters);
    assert_eq!(second.with_pool(|pool| (pool.len(), pool.pending_nonce(SENDER))), (2, Some(5)));
    for hash in &executed {
        assert!(second.storage().transaction_block(*hash).unwrap().is_some());
        assert_eq!(second.dropped(*hash).unwrap(), None);
    }
    run(&second);
    assert!(second.storage().transaction_block(waiting[1]).unwrap().is_some());
    assert!(second.storage().pool().unwrap().is_empty());
}

#[test]
fn rejects_a_chain_of_the_other_proof_mode() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    drop(open(&store, config()));
    let other = ChainConfig { mode: ProofMode::Groth16, ..config() };
    let error = Chain::open(Arc::clone(&store), other).err().unwrap();
    assert!(matches!(error, ChainError::OtherMode { ref got, .. } if got == "mock"), "{error}");
}

#[test]
fn rejects_with_a_reason_that_can_be_looked_up() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let chain = open(&store, config());
    let old = chain.submit(&transfer_at(0, 1, 1_000_000_000, Bytes::new())).unwrap();
    let new = chain.submit(&transfer_at(0, 2, 2_000_000_000, Bytes::new())).unwrap();
    let reason = chain.dropped(old).unwrap().unwrap().reason;
    assert_eq!(reason, format!("replaced by {new}"));
    drop(chain);

    // A lower limit than before: what was accepted is judged again.
    let big = Bytes::from(vec![1; 50_000]);
    let chain = open(&store, config());
    let oversized = chain.submit(&transfer_at(1, 1, 1_000_000_000, big.clone())).unwrap();
    assert_eq!(oversized, keccak256(transfer_at(1, 1, 1_000_000_000, big)));
    drop(chain);
    let mut small = config();
    small.pool.max_transaction_bytes = 1_000;
    let chain = open(&store, small);
    let reason = chain.dropped(oversized).unwrap().unwrap().reason;
    assert!(reason.starts_with("oversized data"), "{reason}");
    assert_eq!(chain.dropped(old).unwrap().unwrap().reason, format!("replaced by {new}"));
    assert_eq!(chain.with_pool(|pool| pool.len()), 1);
}

/// Nonces of one sender come in over many connections, in any order, while blocks are made: all of them are executed.
#[test]
fn regression_nonces_that_come_in_any_order_are_all_executed() {
    const NONCES: u64 = 8;
    for round in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(RocksStore::open(dir.path()).unwrap());
        let chain = open(&store, config());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    chain.produce().unwrap();
                }
            });
            let senders: Vec<_> = (0..NONCES)
                .map(|i| (i * 5 + round) % NONCES)
                .map(|nonce| {
                    let chain = &chain;
                    scope.spawn(move || chain.submit(&transfer(nonce, 1)).unwrap())
                })
                .collect();
            for sender in senders {
                sender.join().unwrap();
            }
            let pending = chain.with_pool(|pool| pool.pending_nonce(SENDER));
            assert!(pending.is_none_or(|nonce| nonce == NONCES), "round {round}: pending nonce {pending:?}");
            let end = Instant::now() + Duration::from_secs(20);
            while chain.heads().trusted_block < NONCES && Instant::now() < end {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        });
        assert_eq!(chain.heads().trusted_block, NONCES, "round {round}");
    }
}

#[test]
fn accepts_a_first_transaction_that_sees_the_global_exit_root_of_its_batch() {
    let root = B256::repeat_byte(7);
    let slot = global_exit_root_slot(root);
    // The map's contract answers with the entry, the recipient of the transfers keeps the answer.
    let answers =
        format!("PUSH32 0x{} SLOAD PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN", hex::encode(B256::from(slot)));
    let keeps = format!(
        "PUSH1 0x20 PUSH0 PUSH0 PUSH0 PUSH20 0x{} GAS STATICCALL POP PUSH0 MLOAD PUSH0 SSTORE",
        hex::encode(GLOBAL_EXIT_ROOT_L2)
    );
    let recipient = Address::repeat_byte(0xee);
    let mut config = config();
    for (address, program) in [(GLOBAL_EXIT_ROOT_L2, answers), (recipient, keeps)] {
        let account = GenesisAccount { code: asm(&program), ..GenesisAccount::default() };
        config.genesis.accounts.retain(|(known, _)| *known != address);
        config.genesis.accounts.push((address, account));
    }
    let chain = chain(config);
    chain.set_global_exit_root(root);
    for nonce in 0..2 {
        // The data pays for gas that it does not use.
        chain.submit(&transfer_at(nonce, 0, 1_000_000_000, vec![0; 10_000].into())).unwrap();
    }
    run(&chain);
    let timestamp = U256::from(chain.context_of(1).unwrap().timestamp);
    let state = chain.state();
    assert_eq!(state.storage_at(1, recipient, U256::ZERO).unwrap(), timestamp);
    // A trace sees what the transaction saw; the second block enters nothing.
    for block in 1..=2 {
        let before = chain.before_transaction(block).unwrap();
        assert_eq!(ReadState::storage(&before, GLOBAL_EXIT_ROOT_L2, slot).unwrap(), timestamp);
    }
    let ids = |block| state.block_access(block).unwrap().leaves.iter().map(|l| l.id).collect::<Vec<_>>();
    assert_eq!(ids(1)[0], global_exit_root_leaf(root));
    assert_ne!(ids(2)[0], global_exit_root_leaf(root));
    for block in 1..=2 {
        assert!(ids(block).ends_with(&[block_number_leaf(), last_rollup_exit_root_leaf()]));
    }
    let created = state.block_access(1).unwrap().created();
    let first = state.commitment_at(0).unwrap().leaf_count;
    assert_eq!(created[0], (first, global_exit_root_leaf(root)));
    assert_eq!(created.len() as u64, state.commitment_at(1).unwrap().leaf_count - first);
}
