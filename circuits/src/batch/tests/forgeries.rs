//! Complete forgeries of the batch's own statement: everything agrees with the lie but the one constraint that refuses it.

use cairn_protocol::resources::Resource;

use super::*;
use crate::{cs::PUBLIC_INPUT, machines::keccak::KeccakEvent};

/// Without it a proof would hold for every public input, so for every old and new root.
#[test]
fn rejects_another_public_input() {
    let (shape, assignment) = honest();
    let mut checker = Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables());
    let x = WireId::instance(PUBLIC_INPUT);
    for other in [checker.value(x) + F::one(), F::zero()] {
        assert_eq!(checker.failures_with(&[(x, other)]), Failures::from(["batch.public_input.value"]));
    }
}

/// The header has a global exit root, and every wire of its entry is that of a batch without one.
#[test]
fn rejects_an_exit_root_that_is_not_entered() {
    let shape = Shape::transfers(1);
    let chain = chain(&[]);
    let witness = chain.clone().execute(&input(vec![])).unwrap();
    let without = Assignment::new(&shape, &witness, AGGREGATOR).unwrap();
    let lie = BatchWitness { global_exit_root: B256::repeat_byte(0xee), ..witness };
    let mut with =
        Assignment::new(&shape, &BatchWitness { global_exit_root: B256::ZERO, ..lie.clone() }, AGGREGATOR);
    let forged = with.as_mut().unwrap();
    forged.header.global_exit_root = lie.global_exit_root;
    forged.header.public_input = lie.public_input(AGGREGATOR);
    forged.keccak = messages_of(&shape, &lie);

    let honest = Checker::new(&check(&shape, &without), secp256k1::fixed_tables());
    let mut checker = Checker::new(&check(&shape, forged), secp256k1::fixed_tables());
    // From the flag on, until the transactions begin, wires follow in one order in both kinds.
    let section = |first: &str, after: &str| {
        let (first, after) = (checker.named(first)[0], checker.named(after)[0]);
        checker.wires().into_keys().filter(|id| (first..after).contains(id)).collect::<Vec<_>>()
    };
    let mut own = section("exit_root.present", "tx.bytes.enabled");
    let inverses = checker.named("zero.hint.inverse");
    // The first of them is the root's own.
    own.extend(&inverses[1..4]);
    // And one leaf more.
    own.extend(checker.named("batch.state.new_root"));
    let changes: Vec<_> = own.into_iter().map(|id| (id, honest.value(id))).collect();
    checker.set(&changes);
    assert_eq!(checker.failures(), Failures::from(["exit_root.present"]));
}

/// Keccak rows of what a batch without transactions hashes, its exit root not being entered.
fn messages_of(shape: &Shape, witness: &BatchWitness) -> Vec<crate::machines::keccak::KeccakRow> {
    let acc_input = [
        witness.old_acc_input_hash.as_slice(),
        keccak256(&witness.transactions).as_slice(),
        witness.global_exit_root.as_slice(),
        &witness.timestamp.to_be_bytes(),
        witness.coinbase.as_slice(),
    ]
    .concat();
    let event = |stream, message: &[u8]| KeccakEvent { stream, message: message.to_vec() };
    let events = [
        event(Layout::BATCH_STREAM, &[]),
        event(Layout::ACC_INPUT_STREAM, &acc_input),
        event(Layout::PUBLIC_INPUT_STREAM, &witness.public_input(AGGREGATOR).to_bytes()),
    ];
    crate::machines::keccak::rows(&events, shape.rows(Resource::KeccakPermutations)).unwrap()
}
