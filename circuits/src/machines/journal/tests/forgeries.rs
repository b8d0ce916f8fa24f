//! Forged accesses: hints that lie, with everything after them computed from the lie, and times at the edges of what a gap
//! may be.

use ark_ff::{Field, One, Zero};

use super::*;
use crate::{
    cs::forge::{Lie, lying},
    gadgets::{pow2, zero::INVERSE},
    lookup::bus::{Bus, Element},
};

fn lie(name: &'static str, nth: usize, value: impl Into<F>) -> Lie {
    Lie { name, nth, value: value.into() }
}

impl Storage {
    #[track_caller]
    fn assert_refused_by(&self, name: &'static str, lies: &[Lie]) {
        assert_eq!(lying(lies, || self.failures()), Failures::from([name]));
    }
}

#[test]
fn rejects_values_that_nobody_wrote() {
    // The second access reads what the third wrote, which read the second: a circle beside the chain, worth 9.
    let honest = Storage::honest(entry(5, 9), &[6, 6, 6]);
    assert!(honest.failures().is_empty());
    let mut forged = honest;
    let at = |value: u64, time: u64| Entry { time, ..entry(value, 9) };
    forged.accesses[1] = (at(9, 3), U256::from(8u64));
    forged.accesses[2] = (at(8, 2), U256::from(9u64));
    forged.last = at(6, 1);
    forged.assert_refused_by("journal.storage.order", &[]);
    // An access that reads itself.
    forged.accesses.truncate(2);
    forged.accesses[1] = (at(8, 2), U256::from(8u64));
    forged.assert_refused_by("journal.storage.order", &[]);
}

#[test]
fn rejects_a_leaf_that_is_created_or_not_at_will() {
    // Created, and neither counted nor given a position: the value is lost with the batch.
    let mut lost = Storage::honest(entry(0, 0), &[8]);
    (lost.last.index, lost.leaf_count) = (0, 50);
    lost.assert_refused_by("journal.leaf.created", &[lie("journal.leaf.created", 0, 0u64)]);
    // By the flags that decide it: not absent, or empty.
    lost.assert_refused_by("journal.leaf.absent", &[lie("journal.leaf.absent", 0, 0u64)]);
    let hint = |nth| lie(INVERSE, nth, 0u64);
    lost.assert_refused_by("journal.leaf.nonempty", &[lie("journal.leaf.nonempty", 0, 1u64), hint(0)]);
    // An empty leaf is created.
    let mut empty = Storage::honest(entry(0, 0), &[0]);
    (empty.last.index, empty.leaf_count) = (50, 51);
    empty.assert_refused_by("journal.leaf.created", &[lie("journal.leaf.created", 0, 1u64)]);
    empty.assert_refused_by("journal.leaf.nonempty", &[lie("journal.leaf.nonempty", 0, 0u64)]);
    // A leaf that exists is created again, with another position.
    let mut twice = Storage::honest(entry(5, 9), &[6]);
    (twice.last.index, twice.leaf_count) = (59, 51);
    twice.assert_refused_by("journal.leaf.absent", &[lie("journal.leaf.absent", 0, 1u64), hint(1)]);
    // A new leaf at another position than the next one, over a leaf of somebody else.
    let mut over = Storage::honest(entry(0, 0), &[8]);
    over.last.index = 3;
    over.assert_refused_by("journal.leaf.index", &[lie("journal.leaf.index", 0, 3u64)]);
}

/// An access at time `now` to a leaf last touched at `before`, both wires.
fn access_at(now: F, before: F, gap: Gap, lies: &[Lie]) -> Failures {
    lying(lies, || {
        let mut cs = Cs::new(Mode::Check);
        let one = Lc::from(cs.one());
        let time = cs.commit("test.now", now);
        let (address, slot) = (cs.constant(7u64), word(&cs, SLOT));
        let value = word(&cs, U256::from(5u64));
        let leaf_count = cs.constant(50u64);
        let at = At { now: time.into(), gap, before: crate::gadgets::low_u128(before) as u64, index: 9 };
        storage_access(&mut cs, &one, &address, &slot, &value, &value, at, &leaf_count);
        let tuple = |time: F| bus::Storage {
            index: 9.into(),
            address: (&address).into(),
            slot_high: (&slot.hi).into(),
            slot_low: (&slot.lo).into(),
            value_high: (&value.hi).into(),
            value_low: (&value.lo).into(),
            time: Element::constant(time),
        };
        let (first, last) = (tuple(before), tuple(now));
        cs.send("test.first", one.clone(), first);
        cs.receive("test.last", one, last);
        Checker::new(&cs, vec![]).failures()
    })
}

#[test]
fn accepts_gaps_up_to_their_bound_and_rejects_others() {
    let refused = Failures::from(["journal.storage.order"]);
    let (narrow, wide) = (1u64 << 16, 1u64 << 32);
    for before in [0, 5, 1 << 20] {
        for (distance, is_narrow, is_wide) in [
            (1, true, true),
            (narrow - 1, true, true),
            (narrow, true, true),
            (narrow + 1, false, true),
            (wide - 1, false, true),
            (wide, false, true),
            (wide + 1, false, false),
            (wide + narrow, false, false),
            (1 << 48, false, false),
            (0, false, false),
        ] {
            for (gap, accepted) in [(Gap::Narrow, is_narrow), (Gap::Wide, is_wide)] {
                let failures = access_at(F::from(before + distance), F::from(before), gap, &[]);
                let expected = if accepted { Failures::new() } else { refused.clone() };
                assert_eq!(failures, expected, "{gap:?}: {distance} after {before}");
            }
        }
    }
    assert_eq!(
        [0, narrow, narrow + 1, wide].map(Gap::within),
        [Gap::Narrow, Gap::Narrow, Gap::Wide, Gap::Wide]
    );
}

#[test]
fn rejects_times_that_wrap_around() {
    let refused = Failures::from(["journal.storage.order"]);
    for gap in [Gap::Narrow, Gap::Wide] {
        // From the end of the field to its beginning is a step forward of 4, but from 0 nobody gets to the end.
        let before = lie("journal.storage.before", 0, -F::from(2u64));
        assert_eq!(access_at(F::from(2u64), -F::from(2u64), gap, &[before]), Failures::new());
        assert_eq!(access_at(-F::from(2u64), F::from(2u64), gap, &[]), refused);
        // Backwards, and by fractions.
        assert_eq!(access_at(F::from(4u64), F::from(5u64), gap, &[]), refused);
        let half = pow2(1).inverse().unwrap_or_default();
        assert_eq!(access_at(half, F::zero(), gap, &[]), refused);
    }
    // A limb above that is no limb: 2¹⁶ times it is a small negative number.
    for time in [-F::one(), -F::from(70_000u64)] {
        let high = lie("journal.storage.gap", 0, (time - F::one()) * pow2(16).inverse().unwrap_or_default());
        assert_eq!(access_at(time, F::zero(), Gap::Wide, &[high]), refused);
    }
}

/// Accounts: the same rules, and each element of the tuples.
#[test]
fn rejects_a_tree_that_differs_in_any_element() {
    let build = |change: Option<(usize, bool)>, now: u64, before: u64| {
        let mut cs = Cs::new(Mode::Check);
        let one = Lc::from(cs.one());
        let wires = [(); 4].map(|()| cs.commit("test.element", 3u64));
        let account = AccountLc {
            nonce: wires[0].into(),
            balance: Word { hi: wires[1].into(), lo: wires[2].into() },
            code_hash: wires[3].into(),
        };
        let (address, leaf_count) = (cs.constant(7u64), cs.constant(50u64));
        let at = At { now: now.into(), gap: Gap::Narrow, before, index: 9 };
        let nonempty = is_nonempty(&mut cs, &one, &wires[0].into(), &account.balance);
        account_access(&mut cs, &one, &address, &account, &account, &nonempty, at, &leaf_count);
        for (is_first, time) in [(true, before), (false, now)] {
            let mut t = [9u64, 7, 3, 3, 3, 3, time].map(F::from);
            if let Some((element, _)) = change.filter(|(_, first)| *first == is_first) {
                // Far enough that the two tuples do not become one.
                t[element] += F::from(1000u64);
            }
            let [index, address, nonce, balance_high, balance_low, code_hash, time] = t.map(Element::from);
            let t = Account { index, address, nonce, balance_high, balance_low, code_hash, time };
            if is_first {
                cs.send("test.first", one.clone(), t)
            } else {
                cs.receive("test.last", one.clone(), t)
            }
        }
        Checker::new(&cs, vec![]).failures()
    };
    assert_eq!(build(None, 2, 1), Failures::new());
    for element in 0..7 {
        let (old, new) = (["journal.account.old", "test.first"], ["journal.account.new", "test.last"]);
        assert_eq!(build(Some((element, true)), 2, 1), Failures::from(old), "{element}");
        assert_eq!(build(Some((element, false)), 2, 1), Failures::from(new), "{element}");
    }
    assert_eq!(build(None, 1, 1), Failures::from(["journal.account.order"]));
    assert_eq!(build(None, 1, 2), Failures::from(["journal.account.order"]));
    assert_eq!(build(None, 2 + (1 << 16), 1), Failures::from(["journal.account.order"]));
}

#[test]
fn rejects_a_tree_that_differs_in_any_element_of_a_slot() {
    let honest = Storage::honest(entry(5, 9), &[6]);
    let element = |change: fn(&mut Entry<U256>), is_first: bool| {
        let mut forged = Storage { accesses: honest.accesses.clone(), ..honest };
        change(if is_first { &mut forged.first } else { &mut forged.last });
        forged.failures()
    };
    let changes: [fn(&mut Entry<U256>); 4] =
        [|e| e.index += 1, |e| e.value += U256::ONE, |e| e.value += U256::ONE << 128usize, |e| e.time += 1];
    for change in changes {
        let (old, new) = (["journal.storage.old", "test.first"], ["journal.storage.new", "test.last"]);
        assert_eq!(element(change, true), Failures::from(old));
        assert_eq!(element(change, false), Failures::from(new));
    }
    // Another address, and another slot.
    for (nth, bus_element) in [(0, 1), (1, 2), (2, 3)] {
        let failures = other_place(nth);
        assert_eq!(
            failures,
            Failures::from(["journal.storage.old", "journal.storage.new", "test.first", "test.last"])
        );
        assert_eq!(Bus::Storage.elements()[bus_element], ["address", "slot_high", "slot_low"][nth]);
    }
}

/// The tree speaks of another address (0), or of another half of the slot (1, 2).
fn other_place(nth: usize) -> Failures {
    let mut cs = Cs::new(Mode::Check);
    let one = Lc::from(cs.one());
    let place = [7u64, 8, 9].map(|v| Lc::from(cs.commit("test.place", v)));
    let [address, hi, lo] = place.clone();
    let (value, leaf_count) = (word(&cs, U256::from(5u64)), cs.constant(50u64));
    let at = At { now: 1.into(), gap: Gap::Narrow, before: 0, index: 9 };
    storage_access(&mut cs, &one, &address, &Word { hi, lo }, &value, &value, at, &leaf_count);
    for time in [0u64, 1] {
        let mut other = place.clone().map(|lc| lc.value());
        other[nth] += F::one();
        let [address, slot_high, slot_low] = other.map(Element::from);
        let (index, value_high, value_low) = (9.into(), (&value.hi).into(), (&value.lo).into());
        let t =
            bus::Storage { index, address, slot_high, slot_low, value_high, value_low, time: time.into() };
        if time == 0 {
            cs.send("test.first", one.clone(), t)
        } else {
            cs.receive("test.last", one.clone(), t)
        }
    }
    Checker::new(&cs, vec![]).failures()
}
