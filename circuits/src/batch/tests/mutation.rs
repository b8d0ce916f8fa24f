//! The malicious prover at his simplest, against every machine of the list: one wire of a whole batch changed, or two flags.

use super::{
    joins::filled,
    list::{idle, two_of_each},
    *,
};
use crate::gadgets::zero::INVERSE;

/// Wires that are changed one by one: all of a machine whose rows have less than 2,000; of one with longer rows and more
/// wires than this, as many of them by a fixed seed.
const SAMPLE: usize = 8_000;
/// Listed as free, and free in every row of this batch: what listed wires mean elsewhere is for the machine's own tests.
const FREE_HERE: &[&str] = &[
    "tree.order.above.borrow",
    // No transaction here has data of one byte, a nonce or a fee of two digits.
    "tx.data.first",
    "tx.max_fee.top",
    "tx.nonce.top",
    "tx.priority_fee.top",
];
/// Pairs of flags, and how many wires they may be apart.
const PAIRS: usize = 4_000;
const APART: usize = 60;

fn scene() -> Checker {
    let (shape, witness) = filled();
    let assignment = Assignment::new(&shape, &witness, AGGREGATOR).unwrap();
    Checker::new(&check(&shape, &assignment), secp256k1::fixed_tables())
}

/// The wires of `machine` in the batch, by the names that it gives.
fn wires_of(machine: &MachineEntry, checker: &Checker) -> Vec<(WireId, &'static str)> {
    let tables = (machine.fixed_tables)();
    let alone = Checker::new(&idle(Mode::Check, machine, &two_of_each()), tables);
    let names: BTreeSet<_> = alone.wires().into_values().collect();
    checker.wires().into_iter().filter(|(_, name)| names.contains(name)).collect()
}

fn is_listed(machine: &MachineEntry, name: &str) -> bool {
    name == INVERSE || machine.free_wires.iter().any(|(free, _)| *free == name)
}

#[test]
fn every_wire_is_of_a_machine_or_of_the_batch_itself() {
    let checker = scene();
    let of_machines: BTreeSet<_> =
        MACHINES.iter().flat_map(|machine| wires_of(machine, &checker)).map(|(id, _)| id).collect();
    let others = checker.wires().into_iter().filter(|(id, _)| !of_machines.contains(id));
    let others: BTreeSet<_> = others.map(|(_, name)| name).collect();
    // The header's wires have joins.rs and tangent.rs, multiplicities of tables are the prover's choice.
    let ours =
        |name: &&str| ["batch.", "table.", "public_input"].iter().any(|prefix| name.starts_with(prefix));
    let strangers: Vec<_> = others.iter().filter(|name| !ours(name)).collect();
    assert!(strangers.is_empty(), "of no machine of the list: {strangers:?}");
}

#[test]
fn no_wire_of_any_machine_is_free() {
    let mut rng = StdRng::seed_from_u64(0x0a11);
    let mut checker = scene();
    let mut unlisted = BTreeSet::new();
    // By name of a listed wire: whether every change of one of them was noticed.
    let mut noticed = BTreeMap::new();
    for machine in MACHINES {
        let mut wires = wires_of(machine, &checker);
        assert!(!wires.is_empty(), "{} has no wire in the batch", machine.name);
        let whole = ["exit_root", "tx", "batch_end"].contains(&machine.name);
        assert!(!whole || wires.len() <= SAMPLE, "{} has {} wires: raise SAMPLE", machine.name, wires.len());
        while wires.len() > SAMPLE {
            wires.swap_remove(rng.gen_range(0..wires.len()));
        }
        for (id, name) in wires {
            let v = checker.value(id);
            let lies = [v + F::one(), F::zero(), F::one(), -v, F::from(rng.r#gen::<u64>())];
            let is_free = lies.iter().any(|&lie| lie != v && checker.failures_with(&[(id, lie)]).is_empty());
            if is_listed(machine, name) {
                *noticed.entry(name).or_insert(false) |= !is_free;
            } else if is_free {
                unlisted.insert((machine.name, name));
            }
        }
    }
    let never: Vec<_> = noticed.iter().filter(|(_, noticed)| !**noticed).map(|(name, _)| *name).collect();
    assert_eq!(never, FREE_HERE, "listed wires that no row of this batch determines");
    assert!(unlisted.is_empty(), "free, and not listed with a reason: {unlisted:?}");
}

#[test]
fn no_two_flags_of_any_machine_are_free_together() {
    let mut rng = StdRng::seed_from_u64(0x0f1a);
    let mut checker = scene();
    let mut unlisted = BTreeSet::new();
    for machine in MACHINES {
        let is_flag = |checker: &Checker, id: WireId| [F::zero(), F::one()].contains(&checker.value(id));
        let mut flags = wires_of(machine, &checker);
        flags.retain(|(id, name)| is_flag(&checker, *id) && !is_listed(machine, name));
        for _ in 0..PAIRS.min(flags.len().pow(2)) {
            let first = rng.gen_range(0..flags.len());
            let second = (first + rng.gen_range(1..APART)).min(flags.len() - 1);
            let flipped = [first, second].map(|i| (flags[i].0, F::one() - checker.value(flags[i].0)));
            if first != second && checker.failures_with(&flipped).is_empty() {
                unlisted.insert((machine.name, flags[first].1, flags[second].1));
            }
        }
    }
    assert!(unlisted.is_empty(), "free together: {unlisted:?}");
}
