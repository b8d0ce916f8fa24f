//! The malicious prover at his simplest, against every machine of the list: one wire of a whole batch changed, or two flags.

use super::{
    joins::filled,
    list::{idle, two_of_each},
    *,
};
use crate::gadgets::zero::INVERSE;

/// Wires that are changed one by one; of a machine with more, as many of them by a fixed seed.
const SAMPLE: usize = 2_000;
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
fn no_wire_of_any_machine_is_free() {
    let mut rng = StdRng::seed_from_u64(0x0a11);
    let mut checker = scene();
    let mut unlisted = BTreeSet::new();
    for machine in MACHINES {
        let mut wires = wires_of(machine, &checker);
        assert!(!wires.is_empty(), "{} has no wire in the batch", machine.name);
        while wires.len() > SAMPLE {
            wires.swap_remove(rng.gen_range(0..wires.len()));
        }
        for (id, name) in wires {
            let v = checker.value(id);
            for lie in [v + F::one(), F::zero(), F::one(), -v, F::from(rng.r#gen::<u64>())] {
                if lie != v && !is_listed(machine, name) && checker.failures_with(&[(id, lie)]).is_empty() {
                    unlisted.insert((machine.name, name));
                }
            }
        }
    }
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
