//! Ranges: each is declared and held by a lookup, and a forger who leaves one range, and no other rule, is refused by it.

use std::collections::BTreeSet;

use ark_ff::{Field, PrimeField};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    tests::{Claim, checker, signed, system, system_claiming},
    *,
};
use crate::{
    F,
    cs::Mode,
    gadgets::pow2,
    testing::{Checker, ranges},
};

fn honest(seed: u64) -> Secp256k1Row {
    witness(&signed(&mut StdRng::seed_from_u64(seed)).0).unwrap()
}

fn claiming(row: &Secp256k1Row, claim: impl FnOnce(&mut Claim)) -> Checker {
    let mut outside = Claim::of(row);
    claim(&mut outside);
    Checker::new(&system_claiming(Mode::Check, std::slice::from_ref(row), &[outside]), fixed_tables())
}

/// The lookup of each wire that was committed with a range.
#[test]
fn every_declared_range_is_held() {
    let cs = system(Mode::Check, &[honest(300)]);
    ranges::assert_held(&cs);
    let declared: BTreeSet<_> = cs.declared().iter().map(|d| d.name).collect();
    for wire in [
        "secp256k1.input.z",
        "secp256k1.input.r",
        "secp256k1.input.s",
        "secp256k1.range.r",
        "secp256k1.range.s",
        "secp256k1.range.key_x",
        "secp256k1.range.key_y",
        "secp256k1.range.r_y",
        "secp256k1.key.x",
        "secp256k1.key.y",
        "secp256k1.r_y.value",
        "secp256k1.parity.half",
        "secp256k1.address.piece",
        "secp256k1.digit.value",
        "secp256k1.base.value",
        "secp256k1.start.value",
        "secp256k1.square.value",
        "secp256k1.phi.value",
        "secp256k1.slope.value",
        "secp256k1.x.value",
        "secp256k1.y.value",
        "secp256k1.combined.value",
    ] {
        assert!(declared.contains(wire), "{wire} is not declared with a range");
    }
    for relation in
        ["slope", "tangent", "x", "y", "curve", "square", "phi", "combined", "ratio", "base_scalar"]
    {
        for hint in ["quotient", "carry"] {
            let wire = format!("secp256k1.{relation}.{hint}");
            assert!(declared.contains(wire.as_str()), "{wire} is not declared with a range");
        }
    }
}

#[test]
fn every_range_is_enabled_by_a_bit() {
    ranges::assert_enabled_by_bits(&system(Mode::Check, &[honest(300)]));
}

/// The same integer with one limb beyond the range and the next one less: everything else still holds.
#[test]
fn rejects_limbs_out_of_range_that_make_the_same_integer() {
    let mut c = checker(&[honest(301)]);
    // Limbs 2 and 3 enter no low part of an element by themselves.
    let values = [
        "input.z",
        "input.s",
        "range.r",
        "range.s",
        "range.key_x",
        "range.key_y",
        "range.r_y",
        "r_y.value",
        "start.value",
        "square.value",
        "phi.value",
        "slope.value",
        "x.value",
        "y.value",
        "combined.value",
        "address.piece",
    ];
    let relations =
        ["slope", "tangent", "x", "y", "curve", "square", "phi", "combined", "ratio", "base_scalar"];
    let hints = relations.iter().flat_map(|r| ["quotient", "carry"].map(|h| format!("{r}.{h}")));
    let all = values.iter().map(|v| ((*v).to_string(), 2)).chain(hints.map(|h| (h, 0)));
    for (name, first) in all {
        let name = format!("secp256k1.{name}");
        let wires = c.named(&name);
        let [low, next] = [wires[first], wires[first + 1]];
        let changes = [(low, c.value(low) + pow2(16)), (next, c.value(next) - F::from(1u64))];
        let failing: Vec<_> = c.failures_with(&changes).into_iter().collect();
        assert_eq!(failing, [name.as_str()]);
    }
}

/// The same of r, whose multiples by β and β² then have other quotients.
#[test]
fn rejects_an_r_out_of_range_that_makes_the_same_integer() {
    let mut c = checker(&[honest(313)]);
    let wires = c.named("secp256k1.input.r");
    let [low, next] = [wires[2], wires[3]];
    c.change(&[(low, c.value(low) + pow2(16)), (next, c.value(next) - F::from(1u64))]);
    let [quotients, carries] = ["quotient", "carry"].map(|hint| c.named(&format!("secp256k1.phi.{hint}")));
    // Nine multiples of Q come first, then those of R: the first and the last are of R itself.
    for nth in [9, 17] {
        c.solve_signed("secp256k1.phi.native", nth, &quotients[2 * nth..][..2]);
        c.solve_signed("secp256k1.phi.binary", nth, &carries[2 * nth..][..2]);
    }
    assert_eq!(c.only_failure(), "secp256k1.input.r");
}

/// Any sender: piece 0 takes (victim − address)/2¹²⁸, and piece 2 gives it back, so that the digest's half stays.
#[test]
fn rejects_an_address_of_the_forgers_choice() {
    let row = honest(303);
    let victim = F::from(0xdead_beef_u64);
    let difference = victim - Claim::of(&row).signature[0];
    let mut c = claiming(&row, |claim| claim.signature[0] = victim);
    let pieces = c.named("secp256k1.address.piece");
    let delta = difference / pow2(128);
    let changes =
        [(pieces[0], c.value(pieces[0]) + delta), (pieces[2], c.value(pieces[2]) - delta / pow2(32))];
    c.change(&changes);
    assert_eq!(c.only_failure(), "secp256k1.address.piece");
}

/// −R for R: y's lowest piece is 2·half + parity for either parity if half may be a fraction.
#[test]
fn rejects_a_half_that_is_a_fraction() {
    let row = honest(304);
    let flipped = F::from(!row.y_parity);
    let mut c = claiming(&row, |claim| claim.signature[7] = flipped);
    let [half, parity] = ["secp256k1.parity.half", "secp256k1.input.parity"].map(|name| c.named(name)[0]);
    let change = (c.value(parity) - flipped) / F::from(2u64);
    c.change(&[(half, c.value(half) + change), (parity, flipped)]);
    assert_eq!(c.only_failure(), "secp256k1.parity.half");
}

/// A parity that is no bit, which half makes up for.
#[test]
fn rejects_a_parity_that_is_no_bit() {
    let row = (305..).map(honest).find(|row| row.r_y[0] & 0xffff > 1).unwrap();
    let two = F::from(2u64);
    let parity_value = F::from(row.y_parity) + two;
    let mut c = claiming(&row, |claim| claim.signature[7] = parity_value);
    let [half, parity] = ["secp256k1.parity.half", "secp256k1.input.parity"].map(|name| c.named(name)[0]);
    c.change(&[(half, c.value(half) - F::from(1u64)), (parity, parity_value)]);
    assert_eq!(c.only_failure(), "secp256k1.input.parity");
}

/// Every digit of every scalar that names the table of another row, and every byte that names another window.
#[test]
fn rejects_every_digit_out_of_range() {
    let mut c = Checker::new(&system(Mode::Check, &[honest(306), Secp256k1Row::default()]), fixed_tables());
    let of_first = |c: &Checker, name: &str| {
        let all = c.named(name);
        all[..all.len() / 2].to_vec()
    };
    let other_row = F::from(16 * multiples::TABLES_PER_ROW as u64);
    for digit in of_first(&c, "secp256k1.digit.value") {
        let failing = c.failures_with(&[(digit, c.value(digit) + other_row)]);
        assert!(failing.contains("secp256k1.digit.range"), "{failing:?}");
    }
    for byte in of_first(&c, "secp256k1.base.value") {
        let failing = c.failures_with(&[(byte, c.value(byte) + F::from(256u64))]);
        assert!(failing.contains("secp256k1.base.range"), "{failing:?}");
    }
}

/// Corrections of either point that name the table of another row: the first by its own range or the square that it is stated
/// with, the second by being a bit.
#[test]
fn rejects_every_correction_out_of_range() {
    let rows = [honest(307), Secp256k1Row::default()];
    let mut c = Checker::new(&system(Mode::Check, &rows), fixed_tables());
    let wires = c.named("secp256k1.correction.value");
    let squares = c.named("secp256k1.correction.square");
    for point in 0..2 {
        let [c1, c2] = [wires[2 * point], wires[2 * point + 1]];
        let square = squares[point];
        let other_row = F::from(16 * multiples::TABLES_PER_ROW as u64);
        let out_of_range = c.value(c1) + other_row;
        let only = |c: &mut Checker, changes: &[(crate::cs::WireId, F)], family: &str| {
            let failing = c.failures_with(changes);
            let of: Vec<&str> =
                failing.into_iter().filter(|n| n.starts_with("secp256k1.correction.")).collect();
            assert_eq!(of, [family]);
        };
        only(&mut c, &[(c1, out_of_range), (square, out_of_range.square())], "secp256k1.correction.range");
        only(&mut c, &[(c1, out_of_range), (square, out_of_range)], "secp256k1.correction.square");
        let out_of_range = c.value(c2) + other_row / F::from(4u64);
        only(&mut c, &[(c2, out_of_range)], "secp256k1.correction.boolean");
    }
}

/// Each element of each tuple that the machine exchanges with others.
#[test]
fn rejects_tuples_that_differ_in_one_element() {
    let row = honest(308);
    let one = F::from(1u64);
    for k in 0..8 {
        let c = claiming(&row, |claim| claim.signature[k] += one);
        assert!(c.failures().contains("secp256k1.signature.send"), "element {k} of the signature");
    }
    for k in 0..6 {
        let c = claiming(&row, |claim| claim.hash[k] += one);
        assert!(c.failures().contains("secp256k1.keccak.receive"), "element {k} of the hash");
    }
    // The hashes of two rows, exchanged in part.
    let rows = [honest(309), honest(310)];
    let claims = rows.each_ref().map(Claim::of);
    for (from, to) in [(0, 4), (4, 6)] {
        let [mut a, mut b] = claims.clone();
        a.hash[from..to].swap_with_slice(&mut b.hash[from..to]);
        let failures = Checker::new(&system_claiming(Mode::Check, &rows, &[a, b]), fixed_tables()).failures();
        assert!(failures.contains("secp256k1.keccak.receive"));
    }
}

/// Each element of an entry of a point's table, as it is read.
#[test]
fn rejects_a_read_that_differs_in_one_element() {
    let mut c = checker(&[honest(311)]);
    let point = c.named("secp256k1.table.point");
    for (k, wire) in point[..8].iter().enumerate() {
        let failing = c.failures_with(&[(*wire, c.value(*wire) + F::from(1u64))]);
        assert!(failing.contains("secp256k1.table.read"), "element {k}: {failing:?}");
    }
    let digit = c.named("secp256k1.digit.value")[0];
    let failing = c.failures_with(&[(digit, c.value(digit) + F::from(1u64))]);
    assert!(failing.contains("secp256k1.table.read"), "{failing:?}");
}

/// Each element of an entry of a fixed table, as it is read.
#[test]
fn rejects_a_fixed_point_that_differs_in_one_element() {
    let mut c = checker(&[honest(312)]);
    for (name, wires, count) in [
        ("secp256k1.base.read", "secp256k1.base.point", 8),
        ("secp256k1.start.read", "secp256k1.start.value", 32),
    ] {
        for (k, wire) in c.named(wires)[..count].iter().enumerate() {
            let failing = c.failures_with(&[(*wire, c.value(*wire) + F::from(1u64))]);
            assert!(failing.contains(name), "element {k}: {failing:?}");
        }
    }
}

/// A range's rest, taken modulo the native field instead of modulo 2²⁵⁶, passes the native equation.
pub(super) fn with_native_rest(c: &mut Checker, family: &'static str, value: Words, max: Words) {
    let native = crate::gadgets::nonnative::native;
    let rest = native(max) - native(value);
    assert!(rest.into_bigint().0 != F::from(0u64).into_bigint().0);
    let wires = c.named(family);
    c.set_limbs(&wires[..16], rest);
    assert_eq!(c.only_failure(), family);
}
