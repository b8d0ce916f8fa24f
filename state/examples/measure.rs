//! Measures Poseidon and block commits: `cargo run -p cairn-state --example measure`. Times are those of the clock, and those
//! of the processor over all threads, which other processes do not stretch.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    Fr, access::BlockAccess, genesis::Genesis, leaf::AccountValue, poseidon::poseidon,
    system::last_rollup_exit_root_leaf,
};
use cairn_state::{Batch, BlockChanges, MemoryStore, RocksStore, StateDb, Store, witness::leaf_ops_between};
use light_poseidon::{Poseidon, PoseidonHasher};

const ACCOUNTS: u64 = 100_000;
const GROUP: u64 = 64;

fn address(n: u64) -> Address {
    Address::left_padding_from(&(n + 1_000_000).to_be_bytes())
}

fn value(n: u64) -> AccountValue {
    AccountValue { nonce: n, balance: U256::from(n), ..Default::default() }
}

fn sender(b: u64) -> u64 {
    b * 37_003 % ACCOUNTS
}

/// Every fourth is new.
fn recipient(b: u64) -> u64 {
    if b.is_multiple_of(4) { ACCOUNTS + b } else { b * 91_009 % ACCOUNTS }
}

/// A transfer's block: sender, recipient, coinbase, block number, and the read of an absent slot.
fn transfer(b: u64) -> BlockChanges {
    let mut changes = BlockChanges::new();
    changes.set_account(address(sender(b)), &value(b));
    changes.set_account(address(recipient(b)), &value(b));
    changes.set_account(address(5), &value(b));
    changes.set_storage(Address::ZERO, U256::ZERO, U256::from(b));
    changes.read(last_rollup_exit_root_leaf());
    changes
}

/// The shortest of many slices of time: the machine does other things too.
fn shortest(mut work: impl FnMut()) -> Duration {
    let slice = || {
        let start = Instant::now();
        (0..20).for_each(|_| work());
        start.elapsed() / 20
    };
    std::iter::repeat_with(slice).take(100).min().unwrap()
}

/// Since the process began, from Linux' process table: in ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    Duration::from_millis(10) * fields.skip(11).take(2).map(|t| t.parse::<u32>().unwrap()).sum()
}

/// Clock and processor.
struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    /// Each of `n` parts took.
    fn each(&self, n: u64) -> String {
        format!("{:?} (processor {:?})", self.0.elapsed() / n as u32, (cpu() - self.1) / n as u32)
    }
}

fn hashes() {
    for inputs in [2, 4, 5, 8, 9] {
        let mut state = vec![Fr::from(1u64); inputs];
        let ours = shortest(|| state[0] = poseidon(&state));
        let mut hasher = Poseidon::<Fr>::new_circom(inputs).unwrap();
        let theirs = shortest(|| state[0] = hasher.hash(&state).unwrap());
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!(
            "poseidon of {inputs} elements {ours:?}, light-poseidon {theirs:?}: {ratio:.1} times faster"
        );
    }
}

fn run(name: &str, store: Arc<dyn Store>) {
    let db = StateDb::open(store, &Genesis::devnet()).unwrap();
    let watch = Watch::start();
    for block in 0..ACCOUNTS / 10_000 {
        let mut changes = BlockChanges::new();
        (block * 10_000..(block + 1) * 10_000).for_each(|n| changes.set_account(address(n), &value(1)));
        db.commit_block(block + 1, &changes).unwrap();
    }
    println!("{name}: {ACCOUNTS} new accounts in blocks of 10,000: {} an account", watch.each(ACCOUNTS));

    let first = db.newest().unwrap() + 1;
    let singles = 400;
    let watch = Watch::start();
    for b in first..first + singles {
        db.commit_block(b, &transfer(b)).unwrap();
    }
    println!("{name}: block of one transfer {}", watch.each(singles));

    let groups = 16;
    let watch = Watch::start();
    let (mut prepare, mut commit) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..groups {
        let first = db.newest().unwrap() + 1;
        let changes: Vec<_> = (first..first + GROUP).map(transfer).collect();
        let start = Instant::now();
        let blocks = db.prepare_blocks(&changes).unwrap();
        prepare += start.elapsed();
        let start = Instant::now();
        db.commit_prepared(blocks.into_iter().map(|b| (b, Batch::new())).collect()).unwrap();
        commit += start.elapsed();
    }
    let blocks = GROUP * groups;
    let (all, prepare, commit) = (watch.each(blocks), prepare / blocks as u32, commit / blocks as u32);
    println!(
        "{name}: block of one transfer in groups of {GROUP} {all}: prepare {prepare:?}, commit {commit:?}"
    );

    let reads = |n: u64| (0..10_000).map(move |i| address((i * 7 + n) % ACCOUNTS));
    for (what, view) in [("newest", db.latest().unwrap()), ("older", db.at(first).unwrap())] {
        for round in ["first", "second"] {
            let start = Instant::now();
            reads(3).for_each(|a| assert!(view.account(a).unwrap().is_some()));
            println!("{name}: account read of the {what} state, {round} time {:?}", start.elapsed() / 10_000);
        }
    }

    let (before, after) = (db.at(first + 50).unwrap(), db.commitment_at(first + 66).unwrap());
    let start = Instant::now();
    let records: Vec<_> = (first + 51..=first + 66).map(|b| db.block_access(b).unwrap()).collect();
    let touched = BlockAccess::merge(&records).unwrap();
    let ops = leaf_ops_between(&before, after, &touched).unwrap();
    println!("{name}: openings of a batch of 16 transfers ({} leaves) {:?}", ops.ops.len(), start.elapsed());

    let start = Instant::now();
    let removed = db.prune_to(db.newest().unwrap() - 10).unwrap();
    println!("{name}: pruning, an entry {:?} ({removed} entries)", start.elapsed() / removed.max(1) as u32);
}

fn main() {
    hashes();
    run("memory", Arc::new(MemoryStore::new()));
    let dir = tempfile::tempdir().unwrap();
    run("rocksdb", Arc::new(RocksStore::open(dir.path()).unwrap()));
}
