//! Random transfers: revm, the transfer formulas and the state root must agree, for valid and for invalid ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::{collections::BTreeSet, time::Duration};

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_circuits::{
    F,
    batch::{Assignment, Shape, synthesize},
    cs::{Cs, Mode, NUM_PUBLIC},
    lookup::{argument, challenge::Challenges},
    machine::Levels,
};
use cairn_protocol::{
    access::BlockAccess,
    leaf::{AccountValue, storage_to_fields},
    resources::{Resource, Rows},
    system::{block_number_leaf, global_exit_root_leaf, last_rollup_exit_root_leaf},
    tx::decode_tx,
    witness::BatchWitness,
};
use cairn_sequencer::{
    admission::Admission,
    batch::{BatchHeader, BatchLimits, CloseReason, OpenBatch, batch_witness},
    counters::BatchMeter,
    evm::{BlockContext, EvmDb, NoBlockHashes, run},
    executor::{ExecuteError, Executed, execute},
    pending::PendingState,
    shapes::{ListedShape, Room, ShapeId, Shapes},
};
use cairn_state::{BlockChanges, StateDb, witness::check_leaf_ops};
use rand::{Rng, SeedableRng, rngs::StdRng};
use revm::{context::result::EVMError, state::EvmState};
use support::{CHAIN_ID, Kind, Transfer, address, key, state};

const KEYS: u8 = 5;
const CAPACITY: Rows = Rows::new(&[
    (Resource::Transactions, 1 << 20),
    (Resource::Signatures, 1 << 20),
    (Resource::KeccakPermutations, 1 << 30),
    (Resource::KeccakWords, 1 << 30),
    (Resource::TreeRows, 1 << 30),
    (Resource::Bytes, 1 << 30),
]);
const LIMITS: BatchLimits = BatchLimits {
    room: Room { capacity: CAPACITY, positions: Levels::DEFAULT.positions() },
    admission: Admission::Provable,
    max_gas: u64::MAX,
    max_age: Duration::ZERO,
    min_age: Duration::ZERO,
};

/// The writes that revm's state asks for, in the order sender, recipient, coinbase.
fn writes_of_revm(state: &EvmState, order: [Address; 3]) -> Vec<(Address, AccountValue)> {
    let mut seen = Vec::new();
    for address in order {
        if seen.iter().any(|(a, _)| *a == address) {
            continue;
        }
        if let Some(account) = state.get(&address).filter(|a| a.is_touched() && !a.is_empty()) {
            let value = AccountValue {
                nonce: account.info.nonce,
                balance: account.info.balance,
                ..AccountValue::default()
            };
            seen.push((address, value));
        }
    }
    let others = state.iter().filter(|(a, acc)| acc.is_touched() && !order.contains(a)).count();
    assert_eq!(others, 0, "revm touches an account that is none of the three");
    seen
}

fn pick(rng: &mut StdRng, state: &StateDb, sender: Address, coinbase: Address) -> Transfer {
    let account = state.account(sender).unwrap();
    let (nonce, balance) = account.map_or((0, U256::ZERO), |a| (a.nonce, a.balance));
    let kind = [Kind::LegacyWithoutChain, Kind::Legacy, Kind::Eip2930, Kind::Eip1559][rng.gen_range(0..4)];
    let to = match rng.gen_range(0..8) {
        0 => sender,
        1 => coinbase,
        2..=4 => address(&key(rng.gen_range(1..=KEYS + 2))),
        5 => Address::with_last_byte(rng.gen_range(0..=12)),
        _ => Address::from(rng.r#gen::<[u8; 20]>()),
    };
    let data: Bytes = match rng.gen_range(0..4) {
        0 => (0..rng.gen_range(1..200)).map(|_| if rng.r#gen() { 0 } else { rng.r#gen() }).collect(),
        _ => Bytes::new(),
    };
    let intrinsic = 21_000 + data.iter().map(|b| if *b == 0 { 4u64 } else { 16 }).sum::<u64>();
    let gas_limit = match rng.gen_range(0..8) {
        0 => intrinsic - 1,
        1 => 30_000_000,
        2 => 30_000_001,
        _ => intrinsic + rng.gen_range(0..2) * 1000,
    };
    let max_fee: u128 = [0, 0, 1, 7, 1_000_000_000, u128::from(u64::MAX)][rng.gen_range(0..6)];
    let priority = match (kind, rng.gen_range(0..6)) {
        (Kind::Eip1559, 0) => max_fee + 1,
        (Kind::Eip1559, 1) => 0,
        _ => max_fee,
    };
    let limit = U256::from(gas_limit) * U256::from(max_fee);
    let value = match rng.gen_range(0..8) {
        0 => U256::ZERO,
        // All that the sender may spend, and one wei more.
        1 => balance.saturating_sub(limit),
        2 => balance.saturating_sub(limit) + U256::ONE,
        3 => U256::MAX,
        _ => U256::from(rng.gen_range(0..1_000_000_000_000_000u64)),
    };
    let nonce = match rng.gen_range(0..12) {
        0 => nonce + 1,
        1 => nonce.saturating_sub(1),
        2 if rng.gen_range(0..8) == 0 => u64::MAX,
        _ => nonce,
    };
    Transfer { kind, nonce, to, value, gas_limit, max_fee, priority, data }
}

#[test]
fn prop_revm_and_transfer_formulas_agree_on_random_transfers() {
    let seed = 0xca121;
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut valid, mut invalid, mut unprovable) = (0, 0, 0);
    for _ in 0..20 {
        let state = state(KEYS);
        for _ in 0..150 {
            let key = key(rng.gen_range(1..=KEYS + 1));
            let sender = address(&key);
            let coinbase = match rng.gen_range(0..4) {
                0 => sender,
                1 => support::address(&support::key(2)),
                2 => Address::from(rng.r#gen::<[u8; 20]>()),
                _ => Address::repeat_byte(0xcb),
            };
            let transfer = pick(&mut rng, &state, sender, coinbase);
            let tx = decode_tx(&transfer.sign(&key)).unwrap();
            assert_eq!(tx.recover_sender().unwrap(), sender);
            let number = state.newest().unwrap() + 1;
            let context = BlockContext { chain_id: CHAIN_ID, number, timestamp: 1_700_000_000, coinbase };
            let view = state.latest().unwrap();
            let db = EvmDb { state: &view, hashes: &NoBlockHashes };
            let revm = run(db, &context, &tx, sender);
            match execute(&tx, sender, &context, db, Admission::Provable) {
                Ok(executed) => {
                    valid += 1;
                    let mut theirs = BlockChanges::new();
                    for (a, v) in writes_of_revm(&revm.unwrap().state, [sender, transfer.to, coinbase]) {
                        theirs.set_account(a, &v);
                    }
                    let expected = state.preview(&theirs).unwrap();
                    assert_eq!(expected.leaf_count, executed.leaf_count, "{transfer:?}");
                    let got = state.commit_block(number, &executed.changes).unwrap();
                    assert_eq!(got, expected, "{transfer:?} of {sender}, coinbase {coinbase}");
                }
                Err(ExecuteError::Invalid(reason)) => {
                    invalid += 1;
                    assert!(
                        matches!(revm, Err(EVMError::Transaction(_))),
                        "{transfer:?}: refused ({reason}), revm says {revm:?}"
                    );
                }
                Err(ExecuteError::NotProvable(_)) => {
                    unprovable += 1;
                    assert!(revm.is_ok(), "{transfer:?}: valid in the formulas, revm says {revm:?}");
                }
                Err(e) => panic!("seed {seed}: {transfer:?} of {sender}, coinbase {coinbase}: {e}"),
            }
        }
    }
    assert!(valid > 500 && invalid > 500 && unprovable > 50, "{valid} {invalid} {unprovable}");
}

/// What revm executed satisfies the batch circuit of exactly the counted size, lookup argument included.
fn satisfies_the_circuit(counters: &Rows, witness: &BatchWitness) {
    let shape = Shape { capacity: *counters, levels: Levels::DEFAULT };
    let aggregator = Address::repeat_byte(0xa9);
    let assignment = Assignment::new(&shape, witness, aggregator).unwrap();
    let mut cs = Cs::new(Mode::Check);
    synthesize(&mut cs, &shape, &assignment);
    assert_eq!(cs.public_input_value(), witness.public_input(aggregator).to_field());
    argument::close(
        &mut cs,
        Challenges { rho: F::from(0x1234_5678_9abc_def1u64), alpha: F::from(0xfedc_ba98_7654_3211u64) },
    );
    let num_instance = NUM_PUBLIC as usize + cs.committed().len();
    assert_eq!(cs.matrices().failures(&cs.assignment(), num_instance), vec![]);
}

/// The block's record is the opening of the batch, what execution recorded, the block number, and the read of
/// `lastRollupExitRoot`.
fn assert_block_record(record: &BlockAccess, batch: &OpenBatch, executed: &Executed) {
    let root = batch.header.global_exit_root;
    let opens = batch.is_empty() && !root.is_zero();
    let (opening, rest) = record.leaves.split_at(usize::from(opens));
    assert!(opening.iter().all(|leaf| leaf.id == global_exit_root_leaf(root) && leaf.created.is_some()));
    let (transaction, end) = rest.split_at(executed.access.leaves.len());
    assert_eq!(transaction, executed.access.leaves);
    assert_eq!(
        end.iter().map(|l| l.id).collect::<Vec<_>>(),
        [block_number_leaf(), last_rollup_exit_root_leaf()]
    );
    assert_eq!(end[0].new_value, storage_to_fields(U256::from(batch.next_block())));
    assert_eq!(end[1].new_value, end[1].old_value);
}

#[test]
fn prop_batches_of_random_transfers_have_witnesses_that_satisfy_the_circuit() {
    let mut rng = StdRng::seed_from_u64(7);
    let state = state(KEYS);
    let (shapes, mut used) = (shapes(), BTreeSet::new());
    let mut first_block = 1;
    for number in 1..=12u64 {
        let coinbase = Address::repeat_byte(if number % 3 == 0 { 0xcc } else { 0xcb });
        // Two roots, each brought once.
        let global_exit_root = match number {
            2 | 5 => B256::repeat_byte(number as u8),
            _ => B256::ZERO,
        };
        let header = BatchHeader {
            number,
            timestamp: 1_700_000_000 + number,
            opened_ms: 0,
            coinbase,
            global_exit_root,
            first_block,
        };
        let mut batch = OpenBatch::new(header);
        while batch.len() < number {
            let key = key(rng.gen_range(1..=KEYS));
            let sender = address(&key);
            let transfer = pick(&mut rng, &state, sender, coinbase);
            let tx = decode_tx(&transfer.sign(&key)).unwrap();
            let context = BlockContext {
                chain_id: CHAIN_ID,
                number: batch.next_block(),
                timestamp: batch.header.timestamp,
                coinbase,
            };
            let mut before = PendingState::new(state.latest().unwrap());
            before.apply(&batch.opening()).unwrap();
            let db = EvmDb { state: &before, hashes: &NoBlockHashes };
            let Ok(executed) = execute(&tx, sender, &context, db, Admission::Provable) else {
                continue;
            };
            batch.check(&tx, &executed, &LIMITS).unwrap();
            let block = batch.next_block();
            state.commit_block(block, &batch.block_changes(&executed)).unwrap();
            assert_block_record(&state.block_access(block).unwrap(), &batch, &executed);
            batch.push(&tx, &executed);
        }
        let sealed = batch.seal(CloseReason::Age).unwrap();
        let witness = batch_witness(&state, &sealed, CHAIN_ID, B256::ZERO).unwrap();
        assert_eq!(witness.check_accesses(), Ok(()));
        assert_eq!(BatchWitness::from_bytes(&witness.to_bytes().unwrap()).unwrap(), witness);
        check_leaf_ops(&witness.leaf_ops, witness.old_state, witness.new_state).unwrap();
        assert_eq!(witness.transactions, sealed.transactions);
        // Rows: one for an update or an absence, two for an insertion.
        let rows: u64 = witness
            .leaf_ops
            .iter()
            .map(|op| match op.access {
                cairn_protocol::witness::LeafAccess::Insert { .. } => 2,
                _ => 1,
            })
            .sum();
        assert_eq!(rows, sealed.counters[Resource::TreeRows]);
        satisfies_the_circuit(&sealed.counters, &witness);
        // Chosen by its counters, a shape has a row for everything.
        let chosen = shapes.smallest_that_fits(&sealed.counters, witness.new_state.leaf_count).unwrap();
        let shape = Shape { capacity: chosen.room.capacity, levels: levels_of(chosen) };
        Assignment::new(&shape, &witness, Address::repeat_byte(0xa9)).unwrap();
        used.insert(chosen.id);
        first_block = sealed.last_block + 1;
    }
    assert!(used.len() > 3, "hardly a choice: {used:?}");
}

/// Shapes of one to twelve transfers of any size, with paths that are too short for the tree at last, and one that are not.
fn shapes() -> Shapes {
    let two = Levels::try_from(2).unwrap();
    let of = |transfers: usize, levels: Levels| {
        let capacity = Shape::transfers(transfers).with(Resource::Bytes, 2_000 * transfers).capacity;
        let permutations = capacity[Resource::KeccakPermutations] + 15 * transfers as u64 * 2;
        ListedShape {
            id: ShapeId(10 * transfers as u32 + levels.get() as u32),
            name: format!("{transfers}@{levels}"),
            room: Room {
                capacity: capacity.with(Resource::KeccakPermutations, permutations),
                positions: levels.positions(),
            },
        }
    };
    let listed = [1, 2, 4, 8, 12].into_iter().flat_map(|n| [of(n, two), of(n, Levels::DEFAULT)]);
    Shapes::new(listed.collect()).unwrap()
}

fn levels_of(shape: &ListedShape) -> Levels {
    Levels::try_from((shape.id.0 % 10) as u8).unwrap()
}

#[test]
fn rejects_the_transaction_that_exceeds_the_capacity() {
    let state = state(KEYS);
    let coinbase = Address::repeat_byte(0xcb);
    let header = BatchHeader {
        number: 1,
        timestamp: 1,
        opened_ms: 0,
        coinbase,
        global_exit_root: B256::ZERO,
        first_block: 1,
    };
    let mut batch = OpenBatch::new(header);
    let single = Transfer::default().sign(&key(1));
    let tx = decode_tx(&single).unwrap();
    let worst = BatchMeter::single(&tx, address(&key(1)), coinbase);
    let limits = BatchLimits { room: Room { capacity: worst, ..LIMITS.room }, ..LIMITS };
    for nonce in 0..2 {
        let tx = decode_tx(&Transfer { nonce, ..Transfer::default() }.sign(&key(1))).unwrap();
        let context = BlockContext { chain_id: CHAIN_ID, number: nonce + 1, timestamp: 1, coinbase };
        let view = state.latest().unwrap();
        let db = EvmDb { state: &view, hashes: &NoBlockHashes };
        let executed = execute(&tx, address(&key(1)), &context, db, Admission::Provable).unwrap();
        let fits = batch.check(&tx, &executed, &limits);
        if nonce == 0 {
            fits.unwrap();
            state.commit_block(1, &batch.block_changes(&executed)).unwrap();
            batch.push(&tx, &executed);
        } else {
            assert_eq!(fits.unwrap_err().reason(), CloseReason::Capacity);
        }
    }
}
