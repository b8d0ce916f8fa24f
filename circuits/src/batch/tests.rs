//! The whole batch: accepted as the reference chain executes it, rejected when any part of the statement is changed.

mod forgeries;
mod joins;
mod list;
mod mutation;
mod tangent;

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use ark_ff::{Field, One, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use cairn_protocol::{constants::DEVNET_CHAIN_ID, witness::BatchWitness};
use k256::ecdsa::SigningKey;

use super::*;
use crate::{
    cs::{Cs, Mode, NUM_PUBLIC, WireId},
    lookup::{argument, challenge::Challenges},
    machine::Layout,
    machines::secp256k1,
    testing::{
        Checker, Failures,
        batch::{BatchInput, ReferenceChain},
    },
};

const AGGREGATOR: Address = Address::repeat_byte(0xa9);
const COINBASE: Address = Address::repeat_byte(0xcb);

struct Wallet {
    key: SigningKey,
    nonce: u64,
}

impl Wallet {
    fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_slice(keccak256([seed]).as_slice()).unwrap(), nonce: 0 }
    }

    fn address(&self) -> Address {
        Address::from_private_key(&self.key)
    }

    /// A signed transfer: `kind` 0 legacy without chain id, 1 legacy, 2 EIP-2930, 3 EIP-1559.
    fn transfer(&mut self, kind: u8, to: Address, value: U256, price: u128, data: &[u8]) -> Vec<u8> {
        let (chain_id, nonce, gas_limit) = (DEVNET_CHAIN_ID, self.nonce, 21_000 + 16 * data.len() as u64);
        self.nonce += 1;
        let (to, input, access_list) = (TxKind::Call(to), Bytes::copy_from_slice(data), Default::default());
        let sign = |hash: B256| Signature::from(self.key.sign_prehash_recoverable(hash.as_slice()).unwrap());
        let envelope: TxEnvelope = match kind {
            0 | 1 => {
                let chain_id = (kind == 1).then_some(chain_id);
                let tx = TxLegacy { chain_id, nonce, gas_price: price, gas_limit, to, value, input };
                let signature = sign(tx.signature_hash());
                tx.into_signed(signature).into()
            }
            2 => {
                let tx =
                    TxEip2930 { chain_id, nonce, gas_price: price, gas_limit, to, value, input, access_list };
                let signature = sign(tx.signature_hash());
                tx.into_signed(signature).into()
            }
            _ => {
                let tx = TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: price + 5,
                    max_priority_fee_per_gas: price,
                    to,
                    value,
                    access_list,
                    input,
                };
                let signature = sign(tx.signature_hash());
                tx.into_signed(signature).into()
            }
        };
        envelope.encoded_2718()
    }
}

fn ether(n: u64) -> U256 {
    U256::from(n) * U256::from(10u64).pow(U256::from(18))
}

fn chain(wallets: &[&Wallet]) -> ReferenceChain {
    ReferenceChain::new(&wallets.iter().map(|w| (w.address(), ether(100))).collect::<Vec<_>>())
}

fn input(transactions: Vec<u8>) -> BatchInput {
    BatchInput { transactions, global_exit_root: B256::ZERO, timestamp: 1_700_000_000, coinbase: COINBASE }
}

fn check(shape: &Shape, assignment: &Assignment) -> Cs {
    let mut cs = Cs::new(Mode::Check);
    synthesize(&mut cs, shape, assignment);
    cs
}

fn failures(shape: &Shape, assignment: &Assignment) -> Failures {
    Checker::new(&check(shape, assignment), secp256k1::fixed_tables()).failures()
}

fn accept(shape: &Shape, witness: &BatchWitness) -> Assignment {
    let assignment = Assignment::new(shape, witness, AGGREGATOR).unwrap();
    assert_eq!(failures(shape, &assignment), BTreeSet::new());
    assignment
}

#[test]
fn accepts_an_empty_batch_and_its_closed_argument() {
    let shape = Shape::transfers(0);
    let mut chain = chain(&[]);
    let mut with_exit_root = input(vec![]);
    with_exit_root.global_exit_root = B256::repeat_byte(0xee);
    accept(&shape, &chain.execute(&with_exit_root).unwrap());
    let witness = chain.execute(&input(vec![])).unwrap();
    let assignment = accept(&shape, &witness);
    let mut cs = check(&shape, &assignment);
    assert_eq!(cs.public_input_value(), witness.public_input(AGGREGATOR).to_field());
    let mut rng = StdRng::seed_from_u64(7);
    argument::close(
        &mut cs,
        Challenges { rho: ark_ff::UniformRand::rand(&mut rng), alpha: ark_ff::UniformRand::rand(&mut rng) },
    );
    let num_instance = NUM_PUBLIC as usize + cs.committed().len();
    assert_eq!(cs.matrices().failures(&cs.assignment(), num_instance), vec![]);
}

#[test]
fn accepts_all_transaction_types_and_corner_cases_in_consecutive_batches() {
    let mut alice = Wallet::new(1);
    let mut bob = Wallet::new(2);
    let mut chain = chain(&[&alice, &bob]);
    let fresh = Address::repeat_byte(0x99);
    let shape = Shape::transfers(4);

    let to_new = alice.transfer(3, fresh, ether(1), 1_000_000_000, b"");
    let to_self = alice.transfer(0, alice.address(), ether(2), 7, b"\x00hello\x00");
    let to_coinbase = bob.transfer(1, COINBASE, U256::ONE, 0, b"");
    let to_absent = bob.transfer(2, Address::repeat_byte(0x98), U256::ZERO, 3, &[5; 60]);
    let mut first = input([to_new, to_self, to_coinbase, to_absent].concat());
    first.global_exit_root = B256::repeat_byte(0xee);
    accept(&shape, &chain.execute(&first).unwrap());

    // The exit root is known now, the coinbase sends, and a balance is spent to the last wei.
    let rest = ether(100) - U256::ONE - U256::from(3 * (21_000 + 60 * 16)) - U256::from(21_000u64);
    let all = bob.transfer(1, fresh, rest, 1, b"");
    let mut second = input(all);
    second.global_exit_root = B256::repeat_byte(0xee);
    second.coinbase = alice.address();
    let witness = chain.execute(&second).unwrap();
    accept(&shape, &witness);

    let own_coinbase = alice.transfer(3, bob.address(), ether(3), 9, b"");
    let mut third = input(own_coinbase);
    third.coinbase = alice.address();
    accept(&shape, &chain.execute(&third).unwrap());
}

#[test]
fn accepts_random_batches() {
    let mut rng = StdRng::seed_from_u64(20_261_121);
    let mut wallets: Vec<Wallet> = (10..14).map(Wallet::new).collect();
    let mut chain = chain(&wallets.iter().collect::<Vec<_>>());
    let shape = Shape::transfers(3);
    for _ in 0..4 {
        let mut bytes = vec![];
        for _ in 0..rng.gen_range(1..=3) {
            let to = match rng.gen_range(0..3) {
                0 => wallets[rng.gen_range(0..4)].address(),
                1 => COINBASE,
                _ => Address::repeat_byte(rng.gen_range(0x20..0x28)),
            };
            let value = U256::from(rng.r#gen::<u64>() >> rng.gen_range(0..64));
            let data: Vec<u8> = (0..rng.gen_range(0..40)).map(|_| rng.gen_range(0..3)).collect();
            let (kind, price) = (rng.gen_range(0..4), rng.gen_range(0..100));
            bytes.extend(wallets[rng.gen_range(0..4)].transfer(kind, to, value, price, &data));
        }
        accept(&shape, &chain.execute(&input(bytes)).unwrap());
    }
}

#[test]
fn structure_does_not_depend_on_the_values() {
    let shape = Shape::transfers(1);
    let mut alice = Wallet::new(1);
    let mut chain = chain(&[&alice]);
    let tx = alice.transfer(3, Address::repeat_byte(0x99), ether(1), 1, b"");
    let witness = chain.execute(&input(tx)).unwrap();
    let assigned = check(&shape, &Assignment::new(&shape, &witness, AGGREGATOR).unwrap());
    let mut recorded = Cs::new(Mode::Record);
    synthesize(&mut recorded, &shape, &Assignment::structure(&shape));
    assert_eq!(recorded.num_constraints(), assigned.num_constraints());
    assert_eq!(recorded.committed().len(), assigned.committed().len());
    let (a, b) = (recorded.matrices(), assigned.matrices());
    assert_eq!(a.num_constraints(), b.num_constraints());
    for i in 0..a.num_constraints() {
        let (a, b) = (a.constraint(i), b.constraint(i));
        assert_eq!((a.name, a.a, a.b, a.c), (b.name, b.a, b.b, b.c));
    }
    for (a, b) in recorded.interactions().zip(assigned.interactions()) {
        assert_eq!((a.name, a.bus, a.terms), (b.name, b.bus, b.terms));
    }
}

/// One transfer in a batch with an exit root, as an assignment that satisfies everything.
fn honest() -> (Shape, Assignment) {
    let shape = Shape::transfers(1);
    let mut alice = Wallet::new(1);
    let mut chain = chain(&[&alice]);
    let mut batch = input(alice.transfer(3, Address::repeat_byte(0x99), ether(1), 1_000, b""));
    batch.global_exit_root = B256::repeat_byte(0xee);
    let witness = chain.execute(&batch).unwrap();
    (shape, Assignment::new(&shape, &witness, AGGREGATOR).unwrap())
}

/// `change` makes the assignment fail, `name` among the failures.
#[track_caller]
fn rejects(change: impl FnOnce(&mut Assignment), name: &str) {
    let (shape, mut assignment) = honest();
    change(&mut assignment);
    let failed = failures(&shape, &assignment);
    assert!(failed.contains(name), "expected {name} among {failed:?}");
}

#[test]
fn accepts_the_assignment_that_the_rejections_change() {
    let (shape, assignment) = honest();
    assert_eq!(failures(&shape, &assignment), BTreeSet::new());
}

#[test]
fn rejects_every_changed_value_of_the_public_input() {
    rejects(|a| a.header.public_input.aggregator.0[0] ^= 1, "batch.public_input");
    rejects(|a| a.header.public_input.old_state_root.0[31] ^= 1, "batch.state.old");
    rejects(|a| a.header.public_input.old_acc_input_hash.0[31] ^= 1, "batch.acc_input");
    rejects(|a| a.header.public_input.init_num_batch += 1, "batch.number.next");
    rejects(|a| a.header.public_input.final_new_batch += 1, "batch.number.next");
    rejects(|a| a.header.public_input.chain_id += 1, "batch.public_input");
    rejects(|a| a.header.public_input.fork_id += 1, "batch.public_input");
    rejects(|a| a.header.public_input.new_state_root.0[31] ^= 1, "batch.state.new");
    rejects(|a| a.header.public_input.new_acc_input_hash.0[0] ^= 1, "batch.acc_input");
    rejects(|a| a.header.public_input.new_local_exit_root.0[31] ^= 1, "journal.storage.old");
}

#[test]
fn rejects_changed_batch_data() {
    rejects(|a| a.header.transactions_hash.0[3] ^= 1, "batch.transactions.digest");
    rejects(|a| a.header.timestamp += 1, "batch.acc_input");
    rejects(|a| a.header.timestamp += 1, "journal.storage.new");
    rejects(|a| a.header.coinbase.0[5] ^= 1, "batch.acc_input");
    rejects(|a| a.header.global_exit_root.0[5] ^= 1, "exit_root.slot");
    rejects(|a| a.header.global_exit_root = B256::ZERO, "batch.acc_input");
    rejects(|a| a.transactions.bytes[40].byte ^= 1, "tx.bytes.hash");
}

#[test]
fn rejects_changed_system_state() {
    rejects(|a| a.exit_root.slot += U256::ONE, "exit_root.slot");
    rejects(|a| a.exit_root.access.value = U256::ONE, "journal.storage.old");
    rejects(|a| a.exit_root.access.index = 5, "journal.storage.old");
    rejects(|a| a.batch_end.block_number.access.value += U256::ONE, "journal.storage.old");
    rejects(|a| a.batch_end.block_number.access.time = 3, "journal.storage.old");
    rejects(|a| a.batch_end.local_exit_root.access.index = 1, "journal.storage.old");
    rejects(|a| a.header.old_state.leaf_count += 1, "batch.state.old");
}

#[test]
fn rejects_a_dropped_row_of_every_machine() {
    rejects(|a| a.keccak[0] = Default::default(), "batch.transactions.digest");
    rejects(|a| a.signatures[0] = Default::default(), "tx.signature.valid");
    rejects(|a| a.tree.rows.truncate(1), "batch.state.new");
    rejects(|a| a.transactions.slots[0] = Default::default(), "tx.slot.covered");
}

#[test]
fn rejects_changed_wires_of_the_whole_batch() {
    let (shape, assignment) = honest();
    let mut checker = Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables());
    let honest = checker.failures();
    assert_eq!(honest, BTreeSet::new());
    let mut rng = StdRng::seed_from_u64(99);
    // Header and system state: every wire.
    let own: Vec<_> = checker.wires().into_iter().filter(|(_, name)| name.starts_with("batch.")).collect();
    assert!(own.len() > 300);
    for (id, name) in own {
        let changed = checker.value(id) + F::from(rng.gen_range(1u64..1000));
        assert!(!checker.failures_with(&[(id, changed)]).is_empty(), "{name} is free");
    }
}

/// The argument needs lookups to count 0 or 1 times: with −1 one lookup could make up for another. For a first, a last
/// and a few other lookups of each name: no wire of the multiplicity makes it −1 or 2, or ½, unnoticed.
#[test]
fn rejects_lookups_that_count_other_than_once() {
    let (shape, assignment) = honest();
    let mut checker = Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables());
    let mut by_name = BTreeMap::<&str, Vec<Vec<(WireId, F)>>>::new();
    for (name, terms) in checker.lookups() {
        by_name.entry(name).or_default().push(terms.iter().map(|t| (t.wire, t.coeff)).collect());
    }
    assert!(by_name.len() > 60, "{} names", by_name.len());
    let one = Cs::new(Mode::Check).one().id();
    let mut tried = BTreeSet::new();
    for (name, lookups) in by_name {
        let step = (lookups.len() / 4).max(1);
        for terms in lookups.iter().step_by(step).chain(lookups.last()) {
            let m: F = terms.iter().map(|(w, c)| checker.value(*w) * c).sum();
            assert!(m.is_zero() || m.is_one(), "{name}");
            for (wire, coeff) in terms.iter().filter(|(w, _)| *w != one) {
                for target in [-F::one(), F::from(2u64), F::from(2u64).inverse().unwrap()] {
                    let value = checker.value(*wire) + (target - m) * coeff.inverse().unwrap();
                    let noticed =
                        !tried.insert((*wire, value)) || !checker.failures_with(&[(*wire, value)]).is_empty();
                    assert!(noticed, "{name} counts {target} times");
                }
            }
        }
    }
}

use crate::F;
