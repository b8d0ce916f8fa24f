//! Nothing of a whole batch can move at an honest assignment but what is listed, and the batch's own equations are needed.

use cairn_protocol::resources::{Resource, Rows};

use super::{joins::filled, *};
use crate::{gadgets::zero::INVERSE, testing::tangent::Tangent};

/// The batch's hashes.
const HASHES: &[&str] = &["batch.state.old_root", "batch.state.new_root"];

/// The hashes of the machines.
const MACHINES_HASHES: &[&str] = &[
    "tree.key.hash",
    "tree.leaf.new_hash",
    "tree.leaf.old_hash",
    "tree.path.new_hash",
    "tree.path.old_hash",
];

/// Wires that move in pairs or to first order only.
const FLAT: &[(&str, &str)] = &[
    ("tx.bytes.shift", "outside regions, with the stream: nothing is sent there"),
    ("tx.bytes.stream", "outside regions, with the shift: nothing is sent there"),
    ("tx.nonce.single", "single² = 0 where the nonce is 0, which is flat at 0"),
    ("tx.priority_fee.single", "single² = 0 where the fee is 0, which is flat at 0"),
    ("tx.nonce.end", "with the two before"),
    ("tx.bytes.reads", "with the two before"),
];

/// Wires that nothing needs to determine.
const FREE: &[(&str, &str)] = &[
    ("exit_root.slot_hint", "without a global exit root no slot is accessed"),
    ("exit_root.old", "without a global exit root no slot is accessed"),
];

/// Families that follow from others at an honest assignment.
const REDUNDANT: &[(&str, &str)] = &[
    ("batch.state.old_root", "a hash is held fixed here; gadgets::poseidon has its own test"),
    ("batch.state.new_root", "a hash is held fixed here; gadgets::poseidon has its own test"),
    ("exit_root.present", "the flag is a multiplicity, and at the other end of the bus it is boolean"),
];

/// Multiplicities of tables, and what the machines and the batch list.
fn may_move(name: &str) -> bool {
    let listed = |(free, _): &(&str, &str)| *free == name;
    name.starts_with("table.")
        || name == INVERSE
        || FREE.iter().chain(FLAT).any(listed)
        || MACHINES.iter().any(|machine| machine.free_wires.iter().any(listed))
}

#[test]
fn nothing_moves_in_any_machine_but_what_it_lists() {
    let (shape, witness) = filled();
    let assignment = Assignment::new(&shape, &witness, AGGREGATOR).unwrap();
    let checker = Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables());
    let moving = Tangent::at(&checker, &[HASHES, MACHINES_HASHES].concat()).moving;
    let unlisted: BTreeMap<_, _> = moving.into_iter().filter(|(name, _)| !may_move(name)).collect();
    assert_eq!(unlisted, BTreeMap::new());
}

#[test]
fn nothing_moves_and_every_equation_of_the_batch_is_needed() {
    let (shape, witness) = filled();
    let nothing = chain(&[]).execute(&input(vec![])).unwrap();
    let smallest = Shape {
        capacity: Rows::new(&[(Resource::KeccakPermutations, 4), (Resource::TreeRows, 2)]),
        ..Shape::transfers(0)
    };
    let scenes = [(shape, witness), (smallest, nothing)].map(|(shape, witness)| {
        let assignment = Assignment::new(&shape, &witness, AGGREGATOR).unwrap();
        Tangent::at(&Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables()), HASHES)
    });
    Tangent::join(scenes).assert(&["batch.", "batch_end.", "exit_root.", "public_input"], FREE, REDUNDANT);
}
