//! The exit root's entry alone, its journal and its hash played by constants: a prover who lies in one wire, and is consistent
//! with it everywhere else, is refused by the equation of that wire and by no other.

use alloy_primitives::{B256, U256, keccak256};
use ark_ff::{One, Zero};
use cairn_protocol::{leaf::halves, system::global_exit_root_slot};

use super::*;
use crate::{
    F,
    cs::{
        Cs, Mode,
        forge::{Lie, lying},
    },
    gadgets::{words::Word, zero::INVERSE},
    lookup::bus::{Bus, Element, Storage},
    machine::{BatchWires, Layout, Machine, Shape},
    machines::{journal::Entry, keccak::words},
    testing::{Checker, Failures},
};

const TIMESTAMP: u64 = 1_700_000_000;
const ROOT: B256 = B256::repeat_byte(0xee);

fn lie(name: &'static str, value: impl Into<F>) -> Lie {
    Lie { name, nth: 0, value: value.into() }
}

fn machine(cs: &mut Cs, root: B256, slot: U256, old: u64) {
    let (hi, lo) = halves(root.into());
    let mut wires = BatchWires::all(&cs.constant(50u64));
    wires.global_exit_root = Word { hi: cs.constant(hi), lo: cs.constant(lo) };
    wires.timestamp = cs.constant(TIMESTAMP);
    let access = Entry { value: U256::from(old), index: if old == 0 { 0 } else { 9 }, time: 0 };
    let layout = Layout::from(&Shape::transfers(0));
    ExitRoot::synthesize(cs, &layout, &mut wires, &StorageHint { slot, access });
}

/// What refuses the entry of `root`, whose value was `old`, at `slot`; and the old and the new value.
fn refused(root: B256, slot: U256, old: u64, lies: &[Lie]) -> (Failures, Vec<F>) {
    let journal: Vec<(F, [F; 7])> = lying(lies, || {
        let mut cs = Cs::new(Mode::Check);
        machine(&mut cs, root, slot, old);
        let of_journal = cs.interactions().filter(|i| i.bus == Bus::Storage && !i.multiplicity.is_zero());
        of_journal.map(|i| (i.multiplicity, i.tuple.try_into().unwrap_or_default())).collect()
    });
    let cs = lying(lies, || {
        let mut cs = Cs::new(Mode::Check);
        machine(&mut cs, root, slot, old);
        for (multiplicity, tuple) in &journal {
            let [index, address, slot_high, slot_low, value_high, value_low, time] = tuple.map(Element::from);
            let tuple = Storage { index, address, slot_high, slot_low, value_high, value_low, time };
            let back = cs.constant(-*multiplicity);
            cs.send("outside.journal", back, tuple);
        }
        if !journal.is_empty() {
            let mut message = [0; 64];
            message[..32].copy_from_slice(root.as_slice());
            let one = cs.one();
            cs.send("outside.words", one, words::tuple(&message, &keccak256(message)));
        }
        cs
    });
    (Checker::new(&cs, vec![]).failures(), journal.iter().map(|(_, tuple)| tuple[5]).collect())
}

#[track_caller]
fn assert_refused_by(name: &'static str, root: B256, old: u64, lies: &[Lie]) -> Vec<F> {
    let (failures, values) = refused(root, global_exit_root_slot(root), old, lies);
    assert_eq!(failures, Failures::from([name]));
    values
}

#[test]
fn accepts_new_known_and_absent_roots() {
    let time = F::from(TIMESTAMP);
    for (root, old, values) in [
        (ROOT, 0, vec![F::zero(), time]),
        (ROOT, 7, vec![F::from(7u64), F::from(7u64)]),
        (B256::ZERO, 0, vec![]),
    ] {
        let honest = refused(root, global_exit_root_slot(root), old, &[]);
        assert_eq!(honest, (Failures::new(), values));
    }
}

/// By the flag that it is zero, and by the flag that it counts.
#[test]
fn rejects_a_root_that_is_left_out_and_a_zero_root_that_is_entered() {
    let zero = [lie("exit_root.zero", 1u64), Lie { name: INVERSE, nth: 0, value: F::zero() }];
    assert_eq!(assert_refused_by("exit_root.zero", ROOT, 0, &zero), []);
    assert_eq!(assert_refused_by("exit_root.present", ROOT, 0, &[lie("exit_root.present", 0u64)]), []);
    assert_eq!(assert_refused_by("exit_root.zero", B256::ZERO, 0, &[lie("exit_root.zero", 0u64)]).len(), 2);
}

#[test]
fn rejects_another_time_of_a_known_root_and_none_of_a_new_one() {
    let unset = [lie("exit_root.unset", 1u64), Lie { name: INVERSE, nth: 1, value: F::zero() }];
    let moved = assert_refused_by("exit_root.unset", ROOT, 7, &unset);
    assert_eq!(moved, [F::from(7u64), F::from(7 + TIMESTAMP)]);
    let lost = assert_refused_by("exit_root.unset", ROOT, 0, &[lie("exit_root.unset", 0u64)]);
    assert_eq!(lost, [F::zero(), F::zero()]);
    let other = assert_refused_by("exit_root.value", ROOT, 7, &[lie("exit_root.value", F::one())]);
    assert_eq!(other, [F::from(7u64), F::from(8u64)]);
}

/// Another slot of the contract would get the timestamp.
#[test]
fn rejects_another_slot() {
    let (failures, _) = refused(ROOT, U256::from(5u64), 0, &[]);
    assert_eq!(failures, Failures::from(["exit_root.slot", "outside.words"]));
}
