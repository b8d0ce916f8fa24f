//! Ranges by declaration: for every wire that was committed with a range there is a lookup of that very wire, enabled by
//! its row, that holds it. Not here: that the range is the right one, which forged rows show.

use std::collections::{BTreeMap, HashSet};

use ark_ff::Zero;

use crate::{
    F,
    cs::{Constraint, Cs, Term, WireId},
    gadgets::{pow2, range::LIMB_BITS},
    lookup::bus::{Bus, Role},
};

type Flag = Vec<(WireId, F)>;

fn flag(terms: &[Term]) -> Flag {
    terms.iter().map(|t| (t.wire, t.coeff)).collect()
}

/// Names of declared ranges that no lookup holds, and how many of each.
///
/// A range of n bits is held by a lookup of w·2^(16 − n) in the table of 16 bits, or for 8 bits of w in the table of
/// bytes, whose multiplicity is the declared enable flag.
#[must_use]
pub fn unheld(cs: &Cs) -> BTreeMap<&'static str, usize> {
    let mut held: HashSet<(WireId, u32, Flag)> = HashSet::new();
    for i in cs.interactions().filter(|i| i.role == Role::Lookup) {
        let [multiplicity, value] = i.terms else { continue };
        let [Term { wire, coeff }] = value.as_slice() else { continue };
        if !i.constant(0).is_zero() {
            continue;
        }
        let bits = match i.bus {
            Bus::Range8 if *coeff == F::from(1u64) => Some(8),
            Bus::Range16 => (1..=LIMB_BITS).find(|bits| *coeff == pow2(LIMB_BITS - bits)),
            _ => None,
        };
        held.extend(bits.map(|bits| (*wire, bits, flag(multiplicity))));
    }
    let mut out = BTreeMap::new();
    for d in cs.declared() {
        if !held.contains(&(d.wire, d.bits, flag(&d.enable))) {
            *out.entry(d.name).or_default() += 1;
        }
    }
    out
}

/// Every declared range is held, and there is one.
///
/// # Panics
/// If there is none, or one is not held.
pub fn assert_held(cs: &Cs) {
    assert!(!cs.declared().is_empty(), "no range was declared");
    let unheld = unheld(cs);
    assert!(unheld.is_empty(), "declared ranges that no lookup holds: {unheld:?}");
}

/// Wires that a constraint (w − 1)·w = 0 makes bits.
fn bits(cs: &Cs) -> HashSet<WireId> {
    let one = F::from(1u64);
    let bit = |i| {
        let Constraint { a, b, c, .. } = cs.matrices().constraint(i);
        let [Term { wire, coeff }] = b.as_slice() else { return None };
        let less_one = a.iter().filter(|t| t.wire != *wire).map(|t| (t.wire, t.coeff)).collect::<Vec<_>>();
        let same = a.iter().any(|t| t.wire == *wire && t.coeff == one);
        let is_bit = *coeff == one && same && less_one == [(cs.one().id(), -one)] && c.is_empty();
        is_bit.then_some(*wire)
    };
    (0..cs.matrices().num_constraints()).filter_map(bit).collect()
}

/// Every declared range is enabled by a wire that is a bit: with another multiplicity, lookups of values that are out of range
/// could cancel.
///
/// # Panics
/// If one is not.
pub fn assert_enabled_by_bits(cs: &Cs) {
    let bits = bits(cs);
    let is_bit = |enable: &[Term]| match enable {
        [Term { wire, coeff }] => *coeff == F::from(1u64) && bits.contains(wire),
        _ => false,
    };
    let others: BTreeMap<_, _> =
        cs.declared().iter().filter(|d| !is_bit(&d.enable)).map(|d| (d.name, d.enable.len())).collect();
    assert!(others.is_empty(), "ranges enabled by other than a bit: {others:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cs::{Mode, Wire},
        gadgets::range,
    };

    fn unheld_of(build: impl FnOnce(&mut Cs, Wire)) -> usize {
        let mut cs = Cs::new(Mode::Check);
        let en = cs.commit_boolean("test.enable", true);
        build(&mut cs, en);
        unheld(&cs).values().sum()
    }

    #[test]
    fn accepts_what_the_gadgets_commit() {
        let of = |bits: u32| {
            unheld_of(|cs, en| {
                let _ = range::uint(cs, "test.limb", "test.range", en, bits, 5);
            })
        };
        assert_eq!([16, 30, 64, 128].map(of), [0; 4]);
        let byte = unheld_of(|cs, en| {
            let _ = range::byte(cs, "test.byte", "test.range", en, 5);
        });
        assert_eq!(byte, 0);
        let signed = unheld_of(|cs, en| {
            let _ = range::signed(cs, "test.limb", "test.range", en, 3, F::from(5u64));
        });
        assert_eq!(signed, 0);
    }

    #[test]
    fn accepts_a_bit_that_enables() {
        let mut cs = Cs::new(Mode::Check);
        let en = cs.commit_boolean("test.enable", true);
        let _ = range::byte(&mut cs, "test.byte", "test.range", en, 5);
        assert_enabled_by_bits(&cs);
    }

    #[test]
    #[should_panic(expected = "ranges enabled by other than a bit: {\"test.byte\": 1}")]
    fn rejects_a_wire_that_enables_and_is_no_bit() {
        let mut cs = Cs::new(Mode::Check);
        let en = cs.commit("test.enable", 1u64);
        cs.enforce("test.square", en, en, en * 2);
        let _ = range::byte(&mut cs, "test.byte", "test.range", en, 5);
        assert_enabled_by_bits(&cs);
    }

    #[test]
    fn rejects_a_range_that_nothing_holds() {
        let lookup = |of: fn(&mut Cs, Wire, Wire)| {
            unheld_of(|cs, en| {
                let w = cs.commit("test.value", 5u64);
                cs.declare_range(w, 8, en);
                of(cs, en, w);
            })
        };
        assert_eq!(lookup(|_, _, _| {}), 1, "no lookup");
        assert_eq!(lookup(|cs, en, w| cs.lookup("test", Bus::Range8, en, w)), 0);
        assert_eq!(lookup(|cs, en, w| cs.lookup("test", Bus::Range16, en, w * 256)), 0);
        assert_eq!(lookup(|cs, en, w| cs.lookup("test", Bus::Range16, en, w)), 1, "too wide");
        assert_eq!(lookup(|cs, en, w| cs.lookup("test", Bus::Range8, en * 0, w)), 1, "never enabled");
        assert_eq!(lookup(|cs, _, w| cs.lookup("test", Bus::Range8, w, w)), 1, "enabled by another flag");
        assert_eq!(lookup(|cs, en, w| cs.lookup("test", Bus::Range8, en, w + en)), 1, "of a sum");
        assert_eq!(lookup(|cs, en, _| cs.lookup("test", Bus::Range8, en, en)), 1, "of another wire");
    }
}
