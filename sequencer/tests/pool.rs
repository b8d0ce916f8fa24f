//! The pool: rules, order, gaps, replacement, restart.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use cairn_sequencer::{
    counters::ShapeCapacity,
    pool::{MemoryPoolStore, Pool, PoolConfig, PoolError, PoolStatus, ValidTx},
};
use cairn_state::{BlockChanges, StateDb};
use support::{CHAIN_ID, Transfer, address, key, state};

fn config() -> PoolConfig {
    PoolConfig {
        chain_id: CHAIN_ID,
        coinbase: Address::repeat_byte(0xcb),
        capacity: ShapeCapacity {
            slots: 8,
            signatures: 8,
            keccak_permutations: 40,
            tree_rows: 40,
            bytes: 2_000,
        },
        max_transactions: 6,
        max_per_account: 4,
        max_nonce_gap: 8,
        max_transaction_bytes: 1_500,
    }
}

struct Setup {
    state: StateDb,
    store: Arc<MemoryPoolStore>,
    pool: Pool,
}

fn setup() -> Setup {
    let state = state(3);
    let store = Arc::new(MemoryPoolStore::default());
    let (pool, dropped) = Pool::open(config(), store.clone(), &state.latest().unwrap()).unwrap();
    assert!(dropped.is_empty());
    Setup { state, store, pool }
}

impl Setup {
    fn add(&mut self, sender: u8, transfer: Transfer) -> Result<B256, PoolError> {
        let valid = ValidTx::new(&transfer.sign(&key(sender)), self.pool.config())?;
        self.pool.add(valid, &self.state.latest().unwrap())
    }

    fn error(&mut self, sender: u8, transfer: Transfer) -> String {
        self.add(sender, transfer).unwrap_err().to_string()
    }

    fn best(&self) -> Option<(Address, u64)> {
        self.pool.best().map(|p| (p.valid.sender, p.valid.tx.nonce))
    }
}

fn at(nonce: u64, price: u128) -> Transfer {
    Transfer { nonce, max_fee: price, priority: price, ..Transfer::default() }
}

#[test]
fn accepts_price_then_arrival_order() {
    let mut s = setup();
    let [a, b, c] = [1, 2, 3].map(|n| address(&key(n)));
    s.add(1, at(0, 5)).unwrap();
    s.add(2, at(0, 9)).unwrap();
    s.add(3, at(0, 5)).unwrap();
    let order: Vec<_> = s.pool.ready().map(|p| p.valid.sender).collect();
    assert_eq!(order, [b, a, c]);
    s.pool.executed(b, 0).unwrap();
    assert_eq!(s.best(), Some((a, 0)));
}

#[test]
fn accepts_gaps_as_queued_until_they_are_filled() {
    let mut s = setup();
    let a = address(&key(1));
    s.add(1, at(2, 5)).unwrap();
    assert_eq!(s.best(), None);
    assert_eq!(s.pool.pending_nonce(a), Some(0));
    assert_eq!(s.pool.status(), PoolStatus { pending: 0, queued: 1 });
    s.add(1, at(0, 5)).unwrap();
    s.add(1, at(1, 5)).unwrap();
    assert_eq!(s.pool.pending_nonce(a), Some(3));
    assert_eq!(s.pool.status(), PoolStatus { pending: 3, queued: 0 });
    for nonce in 0..3 {
        assert_eq!(s.best(), Some((a, nonce)));
        s.pool.executed(a, nonce).unwrap();
    }
    assert_eq!(s.best(), None);
}

#[test]
fn accepts_replacement_at_ten_percent_more() {
    let mut s = setup();
    let old = s.add(1, at(0, 100)).unwrap();
    assert_eq!(s.error(1, at(0, 109)), "replacement transaction underpriced");
    assert_eq!(s.error(1, at(0, 100)), "already known");
    let new = s.add(1, at(0, 110)).unwrap();
    assert!(s.pool.get(&old).is_none() && s.pool.get(&new).is_some());
    assert_eq!(s.pool.status(), PoolStatus { pending: 1, queued: 0 });
}

#[test]
fn accepts_everything_back_after_a_restart() {
    let mut s = setup();
    s.add(1, at(0, 5)).unwrap();
    s.add(1, at(1, 50)).unwrap();
    s.add(2, at(0, 7)).unwrap();
    s.add(2, at(0, 70)).unwrap();
    // Block 1 executes the transaction of account 1 with nonce 0; the process dies before the pool hears of it.
    let mut changes = BlockChanges::new();
    let a = address(&key(1));
    let mut value = s.state.account(a).unwrap().unwrap().value();
    value.nonce = 1;
    changes.set_account(a, &value);
    s.state.commit_block(1, &changes).unwrap();
    let (pool, dropped) = Pool::open(config(), s.store.clone(), &s.state.latest().unwrap()).unwrap();
    assert_eq!(dropped.len(), 1);
    assert!(matches!(dropped[0].1, PoolError::NonceTooLow { next: 1, got: 0 }));
    assert_eq!(pool.status(), PoolStatus { pending: 2, queued: 0 });
    assert_eq!(pool.best().unwrap().valid.sender, address(&key(2)));
    let (pool, dropped) = Pool::open(config(), s.store, &s.state.latest().unwrap()).unwrap();
    assert!(dropped.is_empty());
    assert_eq!(pool.status().pending, 2);
}

#[test]
fn rejects_each_rule_with_geths_words() {
    let mut s = setup();
    let wei = |n: u64| U256::from(n);
    let balance = U256::from(10u64).pow(wei(20));
    let cases = [
        (
            Transfer { gas_limit: 20_999, ..at(0, 1) },
            "intrinsic gas too low: gas 20999, minimum needed 21000",
        ),
        (Transfer { gas_limit: 30_000_001, ..at(0, 1) }, "exceeds block gas limit"),
        (
            Transfer { priority: 2, max_fee: 1, ..at(0, 1) },
            "max priority fee per gas higher than max fee per gas",
        ),
        (Transfer { value: balance, ..at(0, 1) }, "insufficient funds for gas * price + value"),
        (at(9, 1), "nonce too high"),
        (at(u64::MAX, 1), "nonce has max value"),
        (Transfer { data: vec![1; 1_500].into(), gas_limit: 100_000, ..at(0, 1) }, "oversized data"),
        (
            Transfer { to: Address::with_last_byte(4), ..at(0, 1) },
            "a call to the precompile 0x0000000000000000000000000000000000000004 is not provable yet",
        ),
    ];
    for (transfer, message) in cases {
        let got = s.error(1, transfer);
        assert!(got.starts_with(message), "{got}");
    }
    s.pool.set_min_price_wei(3);
    assert!(s.error(1, at(0, 2)).starts_with("transaction underpriced"));
    s.pool.set_min_price_wei(0);

    let half = balance / wei(2);
    s.add(1, Transfer { value: half, ..at(0, 1) }).unwrap();
    assert!(s.error(1, Transfer { value: half, ..at(1, 1) }).contains("queued cost"));
    for nonce in 1..4 {
        s.add(1, at(nonce, 1)).unwrap();
    }
    assert!(s.error(1, at(4, 1)).starts_with("account limit exceeded"));
    s.add(2, at(0, 1)).unwrap();
    s.add(2, at(1, 1)).unwrap();
    assert!(s.error(3, at(0, 1_000)).starts_with("txpool is full"));

    let mut raw = Transfer::default().sign(&key(1));
    let last = raw.len() - 1;
    raw[last] ^= 1;
    raw.push(0);
    assert!(matches!(ValidTx::new(&raw, s.pool.config()), Err(PoolError::Decode(_))));
    assert!(matches!(ValidTx::new(&[3, 0xc0], s.pool.config()), Err(PoolError::TypeNotSupported(_))));
    let mut other = config();
    other.chain_id = 5;
    let error = ValidTx::new(&Transfer::default().sign(&key(1)), &other).unwrap_err();
    assert_eq!(error.to_string(), "invalid chain id for signer: have 1001 want 5");
    other.chain_id = CHAIN_ID;
    other.capacity.tree_rows = 2;
    let error = ValidTx::new(&Transfer::default().sign(&key(1)), &other).unwrap_err();
    assert!(error.to_string().starts_with("not provable yet: one transaction needs"), "{error}");
}
