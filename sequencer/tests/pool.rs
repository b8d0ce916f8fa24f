//! The pool: rules, order, gaps, replacement, restart.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::{
    code::code_hash,
    leaf::AccountValue,
    resources::{Resource, Rows},
};
use cairn_sequencer::{
    admission::Admission,
    pool::{DropReason, Pool, PoolConfig, PoolError, PoolStatus, StoredTx, ValidTx},
    shapes::Room,
};
use cairn_state::{BlockChanges, StateDb, TreeReader};
use support::{CHAIN_ID, Transfer, address, key, state};

fn config() -> PoolConfig {
    PoolConfig {
        chain_id: CHAIN_ID,
        admission: Admission::Provable,
        coinbase: Address::repeat_byte(0xcb),
        room: Room {
            capacity: Rows::new(&[
                (Resource::Transactions, 8),
                (Resource::Signatures, 8),
                (Resource::KeccakPermutations, 40),
                (Resource::KeccakWords, 9),
                (Resource::TreeRows, 40),
                (Resource::Bytes, 2_000),
            ]),
            positions: 1 << 18,
        },
        max_transactions: 6,
        max_per_account: 4,
        max_nonce_gap: 8,
        max_transaction_bytes: 1_500,
        lifetime_s: 100,
    }
}

struct Setup {
    state: StateDb,
    pool: Pool,
    now_s: u64,
    /// What a disk would hold.
    stored: BTreeMap<u64, StoredTx>,
}

fn setup() -> Setup {
    Setup { state: state(3), pool: Pool::new(config()), now_s: 1_000, stored: BTreeMap::new() }
}

impl Setup {
    fn add(&mut self, sender: u8, transfer: Transfer) -> Result<B256, PoolError> {
        let valid = ValidTx::new(&transfer.sign(&key(sender)), self.pool.config())?;
        let added = self.pool.add(valid, self.now_s, &self.state.latest().unwrap())?;
        if let Some(old) = added.replaced {
            self.stored.remove(&old.arrival);
        }
        self.stored.insert(added.pooled.arrival, added.pooled.stored());
        Ok(added.pooled.valid.hash)
    }

    /// Commits a block that sets an account.
    fn set_account(&self, address: Address, change: impl FnOnce(&mut AccountValue)) {
        let mut value =
            self.state.account(address).unwrap().map_or_else(AccountValue::default, |a| a.value());
        change(&mut value);
        let mut changes = BlockChanges::new();
        changes.set_account(address, &value);
        self.state.commit_block(self.state.newest().unwrap() + 1, &changes).unwrap();
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
    assert_eq!(s.pool.begin().unwrap().valid.sender, b);
    assert_eq!(s.best(), Some((a, 0)));
    s.pool.included(b, 0);
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
        s.pool.begin().unwrap();
        s.pool.included(a, nonce);
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
    let a = address(&key(1));
    s.set_account(a, |value| value.nonce = 1);
    let mut pool = Pool::new(config());
    let mut dropped = Vec::new();
    for (arrival, stored) in &s.stored {
        if let Err(error) = pool.restore(*arrival, stored, &s.state.latest().unwrap()) {
            dropped.push(error);
        }
    }
    assert!(matches!(dropped[..], [PoolError::NonceTooLow { next: 1, got: 0 }]), "{dropped:?}");
    assert_eq!(pool.status(), PoolStatus { pending: 2, queued: 0 });
    assert_eq!(pool.best().unwrap().valid.sender, address(&key(2)));
    // A newcomer does not take the place of what was stored.
    s.pool = pool;
    s.add(3, at(0, 5)).unwrap();
    assert_eq!(s.stored.len(), 4);
}

#[test]
fn accepts_a_chain_of_nonces_executed_before_any_block_is_written() {
    let mut s = setup();
    let a = address(&key(1));
    for nonce in 0..3 {
        s.add(1, at(nonce, 5)).unwrap();
    }
    for nonce in 0..2 {
        assert_eq!(s.best(), Some((a, nonce)));
        s.pool.begin().unwrap();
    }
    // Still visible, and no longer replaceable.
    assert_eq!(s.pool.pending_nonce(a), Some(3));
    assert_eq!(s.pool.status(), PoolStatus { pending: 3, queued: 0 });
    assert!(s.error(1, at(1, 500)).starts_with("nonce too low: next nonce 2, tx nonce 1"));
    let third = s.pool.begin().unwrap();
    s.pool.put_back(&third);
    assert_eq!(s.best(), Some((a, 2)));
    s.pool.abandon();
    assert_eq!(s.best(), Some((a, 0)));
    for nonce in 0..3 {
        s.pool.begin().unwrap();
        s.pool.included(a, nonce);
    }
    assert!(s.pool.is_empty());
}

#[test]
fn rejects_what_outlives_its_lifetime_with_the_reason() {
    let mut s = setup();
    let old = s.add(1, at(0, 5)).unwrap();
    s.now_s += 60;
    s.add(1, at(1, 5)).unwrap();
    assert!(s.pool.expire(1_100).is_empty());
    let dropped = s.pool.expire(1_101);
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].0.valid.hash, old);
    assert!(matches!(dropped[0].1, DropReason::Lifetime { seconds: 101, lifetime_s: 100 }));
    // The later nonce waits for its predecessor.
    assert_eq!(s.pool.status(), PoolStatus { pending: 0, queued: 1 });
    assert_eq!(s.best(), None);
}

#[test]
fn rejects_what_a_batch_made_invalid_and_keeps_the_rest() {
    let mut s = setup();
    let [a, b] = [1, 2].map(|n| address(&key(n)));
    let to = Address::repeat_byte(0x77);
    s.add(1, at(0, 5)).unwrap();
    let poor = s.add(1, Transfer { value: U256::from(10u64).pow(U256::from(18)), ..at(1, 5) }).unwrap();
    let stale = s.add(2, at(0, 5)).unwrap();
    let code = s.add(3, Transfer { to, ..at(0, 5) }).unwrap();
    assert!(s.pool.revalidate(&s.state.latest().unwrap()).unwrap().is_empty());
    s.set_account(a, |value| value.balance = U256::from(10_000_000u64));
    s.set_account(b, |value| value.nonce = 1);
    let mut changes = BlockChanges::new();
    changes.add_code(vec![0].into());
    changes.set_account(to, &AccountValue { code_hash: code_hash(&[0]), ..AccountValue::default() });
    s.state.commit_block(s.state.newest().unwrap() + 1, &changes).unwrap();
    let dropped = s.pool.revalidate(&s.state.latest().unwrap()).unwrap();
    let reason = |hash| match &dropped.iter().find(|(p, _)| p.valid.hash == hash).unwrap().1 {
        DropReason::Rule(error) => error.to_string(),
        other => panic!("{other}"),
    };
    assert_eq!(dropped.len(), 3);
    assert!(reason(poor).starts_with("insufficient funds"));
    assert!(reason(stale).starts_with("nonce too low"));
    assert!(reason(code).ends_with("which has code, is not provable yet"));
    assert_eq!(s.pool.status(), PoolStatus { pending: 1, queued: 0 });
    assert_eq!(s.best(), Some((a, 0)));
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
    other.room.capacity[Resource::TreeRows] = 2;
    let error = ValidTx::new(&Transfer::default().sign(&key(1)), &other).unwrap_err();
    assert!(error.to_string().starts_with("not provable yet: one transaction needs"), "{error}");
}

/// A pool over three accounts whose tree has room for so many leaves more.
fn setup_with_positions(more: u64) -> Setup {
    let mut s = setup();
    let leaves = s.state.latest().unwrap().commitment().leaf_count;
    let mut config = config();
    config.room.positions = leaves + more;
    s.pool = Pool::new(config);
    s
}

fn pays(to: Address, price: u128) -> Transfer {
    Transfer { to, max_fee: price, priority: price, ..Transfer::default() }
}

#[test]
fn rejects_accounts_that_the_largest_circuit_does_not_reach_with_the_numbers() {
    // The recipient, the coinbase, and the entry of a global exit root.
    let mut s = setup_with_positions(3);
    let (new, other) = (Address::repeat_byte(0xee), Address::repeat_byte(0xdd));
    let leaves = s.state.latest().unwrap().commitment().leaf_count;
    let first = s.add(1, pays(new, 5)).unwrap();
    assert!(s.pool.has_position_for_root(leaves));
    assert!(
        !s.pool.has_position_for_root(leaves + 1),
        "one root took the last position that is not promised"
    );
    assert_eq!(
        s.error(2, pays(other, 5)),
        format!(
            "not provable: the state tree has {leaves} leaves, this transaction and those in the pool may create 3, the \
             largest circuit reaches {}",
            leaves + 3
        )
    );
    // Whatever creates nothing more goes on.
    let second = s.add(2, pays(new, 5)).unwrap();
    s.add(3, pays(address(&key(1)), 5)).unwrap();
    // A replacement gives back what it alone was promised.
    assert!(matches!(s.add(1, pays(other, 50)), Err(PoolError::TreeFull { promised: 3, .. })));
    assert!(s.pool.get(&first).is_some(), "the pool is unchanged");
    s.pool.discard(second).unwrap();
    s.add(1, pays(other, 50)).unwrap();
    assert!(matches!(s.add(2, pays(new, 5)), Err(PoolError::TreeFull { .. })));
}

#[test]
fn accepts_everything_back_though_a_root_took_the_spare_position() {
    let mut s = setup_with_positions(3);
    let new = Address::repeat_byte(0xee);
    s.add(1, pays(new, 5)).unwrap();
    s.set_account(Address::repeat_byte(0x77), |value| value.nonce = 1);
    assert!(matches!(s.add(2, pays(Address::repeat_byte(0xdd), 5)), Err(PoolError::TreeFull { .. })));
    let mut pool = Pool::new(s.pool.config().clone());
    for (arrival, stored) in &s.stored {
        pool.restore(*arrival, stored, &s.state.latest().unwrap()).unwrap();
    }
    assert_eq!(pool.len(), 1);
    // Its accounts are there by now: nothing is promised any more for those that come.
    s.set_account(new, |value| value.nonce = 1);
    s.set_account(Address::repeat_byte(0xcb), |value| value.nonce = 1);
    s.pool = pool;
    s.add(2, pays(new, 5)).unwrap();
}

#[test]
fn accepts_any_number_of_accounts_where_nothing_is_proven() {
    let mut s = setup_with_positions(0);
    let config = PoolConfig { admission: Admission::Everything, ..s.pool.config().clone() };
    s.pool = Pool::new(config);
    s.add(1, pays(Address::repeat_byte(0xee), 5)).unwrap();
}
