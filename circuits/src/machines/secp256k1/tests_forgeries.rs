//! Whole forged rows: everything about them holds except the one family that is there to refuse them.

use ark_ff::{AdditiveGroup, Field};
use num_bigint::BigUint;
use rand::{RngCore, SeedableRng, rngs::StdRng};

use super::{
    curve::{Base, Group, Point, ScalarField},
    split::{Relation, shortest_relation},
    tests::{be, checker, failures, signed, system},
    tests_ranges::with_native_rest,
    witness::assemble,
    *,
};
use crate::{
    F,
    cs::Mode,
    gadgets::nonnative::{
        base,
        scalar::{LAMBDA, ORDER},
        words,
    },
    testing::{Checker, Failures},
};

fn scalar(x: Words) -> ScalarField {
    ScalarField::new(ark_ff::BigInt::new(x))
}

fn small(e: [i128; 2]) -> ScalarField {
    ScalarField::from(e[0]) + ScalarField::from(e[1]) * scalar(LAMBDA)
}

fn multiple(k: ScalarField) -> Point {
    let g: Group = Point::generator().to_group();
    Point::from_group(g * k).unwrap()
}

fn plus_modulus(x: Base) -> Option<Words> {
    let mut carry = 0u128;
    let sum = std::array::from_fn(|i| {
        carry += u128::from(words(x)[i]) + u128::from(base::MODULUS[i]);
        let word = carry as u64;
        carry >>= 64;
        word
    });
    (carry == 0).then_some(sum)
}

/// p − 1.
fn max_coordinate() -> Words {
    let [low, rest @ ..] = base::MODULUS;
    [low - 1, rest[0], rest[1], rest[2]]
}

#[track_caller]
fn assert_only(failing: &Failures, prefix: &str) {
    assert!(!failing.is_empty(), "{prefix} holds");
    assert!(failing.iter().all(|name| name.starts_with(prefix)), "not only {prefix}: {failing:?}");
}

/// A relation between keys that the forger knows, Q = k·G and R = a·G, with z such that it closes:
/// α·k + β·a + w = 0 and w·s + z·β = 0.
fn closing(relation: Relation) -> (Secp256k1Row, ScalarField) {
    let (k, a, s) = (ScalarField::from(1_234_567u64), ScalarField::from(987_654_321u64), 31_337u64);
    let (q, big_r) = (multiple(k), multiple(a));
    let (alpha, beta) = (small(relation.alpha), small(relation.beta));
    let w = -(alpha * k + beta * a);
    let s = ScalarField::from(s);
    let z = -w * s * beta.inverse().unwrap();
    let event = SignatureEvent {
        z: be(words(z)),
        r: be(words(big_r.x)),
        s: be(words(s)),
        y_parity: words(big_r.y)[0] & 1 == 1,
    };
    let ratio = -scalar(words(big_r.x)) * s.inverse().unwrap();
    (assemble(&event, big_r, q, relation).unwrap(), ratio * beta)
}

const RELATION: Relation = Relation { alpha: [5, -7], beta: [-3, 2] };

/// Without s·α + r·β ≡ 0, coefficients of one's choice make one's own key the signer of a chosen hash.
#[test]
fn rejects_coefficients_of_the_forgers_choice() {
    let (row, _) = closing(RELATION);
    assert_only(&failures(row), "secp256k1.ratio.");
}

/// The same with an α in the ratio that is not the α that Q is multiplied by.
#[test]
fn rejects_a_combination_other_than_the_digits() {
    let (mut row, alpha) = closing(RELATION);
    row.combined[0] = words(alpha);
    assert_only(&failures(row), "secp256k1.combined.");
}

/// Without w·s + z·β ≡ 0, a signature is one of every message.
#[test]
fn rejects_another_hash() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(200));
    let mut row = witness(&event).unwrap();
    row.z[1] ^= 1 << 40;
    assert_only(&failures(row), "secp256k1.base_scalar.");
}

/// z and z + n are the same scalar, and two tuples: each needs its own row, and both are valid.
#[test]
fn accepts_a_hash_that_is_not_reduced() {
    let (mut event, _) = signed(&mut StdRng::seed_from_u64(201));
    event.z = be([5, 0, 0, 0]);
    let row = witness(&event).unwrap();
    let mut z = ORDER;
    z[0] += 5;
    event.z = be(z);
    let other = witness(&event).unwrap();
    assert_eq!(row.public_key, other.public_key);
    assert!(checker(&[row, other]).failures().is_empty());
}

/// A signature that makes `q` the key: R = a·Q + b·G, s = r/a, z = s·b, with its R.
fn signature_of(q: Point, seed: u64) -> (SignatureEvent, Point) {
    let mut rng = StdRng::seed_from_u64(seed);
    loop {
        let (a, b) = (ScalarField::from(rng.next_u64()), ScalarField::from(rng.next_u64()));
        let big_r = Point::from_group(q.to_group() * a + multiple(b).to_group()).unwrap();
        let r = words(big_r.x);
        let s = scalar(r) * a.inverse().unwrap();
        let z = s * b;
        let y_parity = words(big_r.y)[0] & 1 == 1;
        let event = SignatureEvent { z: be(words(z)), r: be(r), s: be(words(s)), y_parity };
        if witness(&event).is_ok() {
            return (event, big_r);
        }
    }
}

/// A point with a small y: x³ = y² − 7, the cube root by the power (p + 2)/9, since p ≡ 7 modulo 9.
fn small_ordinate() -> Point {
    let root = |a: Base| {
        let p = base::MODULUS.iter().rev().fold(BigUint::ZERO, |p, word| (p << 64) + *word);
        let root = a.pow(((p + 2u8) / 9u8).to_u64_digits());
        (root * root * root == a).then_some(root)
    };
    (1u64..)
        .find_map(|y| Some(Point { x: root(Base::from(y * y) - Base::from(7u64))?, y: y.into() }))
        .unwrap()
}

/// x + p or y + p below 2²⁵⁶: the same point with other bytes, so another address.
#[test]
fn rejects_a_second_encoding_of_a_key() {
    let x = (1u64..).find_map(|x| Point::decompress(x.into(), false)).unwrap();
    let y = small_ordinate();
    assert!(y.is_on_curve());
    for (q, range, family) in [(x, 0..32, "secp256k1.range.key_x"), (y, 32..64, "secp256k1.range.key_y")] {
        let (event, _) = signature_of(q, 202);
        let mut row = witness(&event).unwrap();
        assert!(failures(row.clone()).is_empty());
        let second = plus_modulus(if range.start == 0 { q.x } else { q.y }).unwrap();
        row.public_key[range].copy_from_slice(&be(second));
        row.digest = alloy_primitives::keccak256(&row.public_key).0;
        assert_only(&failures(row.clone()), family);
        with_native_rest(&mut checker(&[row]), family, second, max_coordinate());
    }
}

/// y(R) + p has the other parity: −R's signature would pass for R's.
#[test]
fn rejects_a_second_encoding_of_the_nonce_point() {
    let big_r = small_ordinate();
    let y_parity = words(big_r.y)[0] & 1 == 1;
    let event = SignatureEvent { z: be([9, 8, 7, 6]), r: be(words(big_r.x)), s: be([3, 1, 4, 1]), y_parity };
    let mut row = witness(&event).unwrap();
    assert!(failures(row.clone()).is_empty());
    row.r_y = plus_modulus(big_r.y).unwrap();
    row.y_parity = !y_parity;
    assert_only(&failures(row), "secp256k1.range.r_y");
}

/// A point R with x in [n, p) is a valid nonce of ECDSA with r = x − n, and none of Ethereum's; r = x would be a second
/// signature of the same message.
#[test]
fn rejects_an_r_above_the_order() {
    // x = n itself is on the curve; its r would be 0, without a key.
    let x = (1u64..).map(|i| {
        let mut x = ORDER;
        x[0] += i;
        x
    });
    let big_r =
        x.map(|x| Point::decompress(Base::new(ark_ff::BigInt::new(x)), true)).find_map(|p| p).unwrap();
    let r = words(big_r.x);
    let reduced = [r[0] - ORDER[0], 0, 0, 0];
    let (s, z) = (ScalarField::from(77u64), ScalarField::from(99u64));
    let r_inverse = scalar(reduced).inverse().unwrap();
    let q = big_r.to_group() * (s * r_inverse) - multiple(z * r_inverse).to_group();
    let event = SignatureEvent { z: be(words(z)), r: be(r), s: be(words(s)), y_parity: true };
    let relation = shortest_relation(scalar(reduced), s).unwrap();
    let row = assemble(&event, big_r, Point::from_group(q).unwrap(), relation).unwrap();
    assert_only(&failures(row.clone()), "secp256k1.range.r");
    let max = [ORDER[0] - 1, ORDER[1], ORDER[2], ORDER[3]];
    with_native_rest(&mut checker(&[row]), "secp256k1.range.r", r, max);
}

/// 4096·e in range does not make e an integer; the key of the bus does.
#[test]
fn rejects_a_fractional_digit() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(203));
    let mut c = checker(&[witness(&event).unwrap()]);
    let digit = c.named("secp256k1.digit.value")[0];
    for numerator in [1u64, 4095, 65_535] {
        let e = F::from(numerator) * F::from(4096u64).inverse().unwrap();
        let failing = c.failures_with(&[(digit, e)]);
        assert!(!failing.contains("secp256k1.digit.range"), "{numerator}");
        assert!(failing.contains("secp256k1.table.read"), "{numerator}: {failing:?}");
    }
}

/// A disabled row may write points of its choice into its own tables. A digit that reaches into them, or a correction of
/// that size, reads them: the buses balance, and the range refuses.
#[test]
fn rejects_a_read_from_the_tables_of_a_disabled_row() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(204));
    let row = witness(&event).unwrap();
    let [e, c1] = [row.tables[0].digits[0][0], row.tables[0].correction[0]];
    let written = row.tables[0].correction;
    let mut c = Checker::new(&system(Mode::Check, &[row, Secp256k1Row::default()]), fixed_tables());
    let multiplicities = c.named("secp256k1.table.multiplicity");
    let of_disabled = multiplicities[multiplicities.len() / 2];
    let points = c.named("secp256k1.table.point");
    let one = F::from(1u64);

    // Row 1 has tables 7 to 12, of which 7 has the first entry; row 0 reads digits from tables 1, 2, 4 and 5, corrections from 3
    // and 6. Eight wires belong to a key: three limbs, three low parts, two halves of y; those of the first digit come first.
    let mut changes: Vec<_> = points[..8].iter().map(|id| (*id, F::ZERO)).collect();
    let own = multiplicities[usize::from(e)];
    let digit = c.named("secp256k1.digit.value")[0];
    changes.extend([(of_disabled, one), (own, c.value(own) - one), (digit, F::from(16u64 * 6))]);
    let failing = c.failures_with(&changes);
    assert!(failing.contains("secp256k1.digit.range"), "{failing:?}");
    assert!(!failing.iter().any(|name| name.starts_with("secp256k1.table.")), "{failing:?}");

    // Q's correction comes after its 32 digits; its four entries follow the 32 of the digits.
    let mut changes: Vec<_> = points[8 * 32..8 * 33].iter().map(|id| (*id, F::ZERO)).collect();
    let order = [[2, 0], [1, 0], [0, 1], [1, 1]];
    let own = multiplicities[32 + order.iter().position(|o| *o == written).unwrap()];
    let corrections = c.named("secp256k1.correction.value");
    let forged = F::from(16u64 * 4) - c.value(corrections[1]) * F::from(4u64);
    let square = c.named("secp256k1.correction.square")[0];
    assert_eq!(c.value(corrections[0]), F::from(u64::from(c1)));
    changes.extend([(of_disabled, one), (own, F::ZERO), (corrections[0], forged), (square, forged * forged)]);
    let failing = c.failures_with(&changes);
    assert!(failing.contains("secp256k1.correction.range"), "{failing:?}");
    assert!(!failing.iter().any(|name| name.starts_with("secp256k1.table.")), "{failing:?}");
}

/// (0, 0) and (2, 1) are in the ranges of the two corrections, and no entry has them.
#[test]
fn rejects_corrections_without_an_entry() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(205));
    let mut c = checker(&[witness(&event).unwrap()]);
    let [c1, c2] = [0, 1].map(|i| c.named("secp256k1.correction.value")[i]);
    let square = c.named("secp256k1.correction.square")[0];
    for (v1, v2) in [(0u64, 0u64), (2, 1)] {
        let changes = [(c1, F::from(v1)), (c2, F::from(v2)), (square, F::from(v1 * v1))];
        let failing = c.failures_with(&changes);
        assert!(failing.contains("secp256k1.table.read"), "{failing:?}");
        assert!(!failing.iter().any(|name| name.starts_with("secp256k1.correction.")), "{failing:?}");
    }
}

/// Start and end are one tuple with their index: an accumulator that begins at one point and claims another's index,
/// start or end is refused by the table.
#[test]
fn rejects_start_and_end_of_different_indices() {
    let (event, _) = signed(&mut StdRng::seed_from_u64(206));
    let row = witness(&event).unwrap();
    let (own, other) = (row.start, row.start + 1);
    let mut forged = row.clone();
    forged.start = other;
    let failing = failures(forged);
    assert!(failing.contains("secp256k1.start.read"), "its end is another's: {failing:?}");
    let table = fixed_tables().into_iter().find(|t| t.bus == crate::lookup::bus::Bus::StartPoint).unwrap();
    for part in [0..1, 1..5, 5..9] {
        let mut mixed = table.rows[own].clone();
        mixed[part.clone()].clone_from_slice(&table.rows[other][part]);
        assert_eq!(table.find(&mixed), None);
    }
}

/// r and s made from coefficients of up to 64 bits: as long as a shortest relation gets, 0.954·2⁶⁴. None is refused.
#[test]
fn prop_long_relations_fit_their_windows() {
    let mut rng = StdRng::seed_from_u64(207);
    let mut longest = 0;
    for _ in 0..3000 {
        let mut coefficient = || {
            let size = i128::from(u64::MAX - (rng.next_u64() >> (1 + rng.next_u32() % 8)));
            if rng.next_u32() & 1 == 1 { -size } else { size }
        };
        let alpha = [coefficient(), coefficient()];
        let beta = [coefficient(), coefficient()];
        // s·α + r·β = 0 for r = α, s = −β.
        let Relation { alpha, beta } = shortest_relation(small(alpha), -small(beta)).unwrap();
        let size = alpha.iter().chain(&beta).map(|k| k.unsigned_abs()).max().unwrap();
        assert!(size < (1 << 64) / 25 * 24, "{size} is longer than any known");
        longest = longest.max(size);
    }
    assert!(longest > 1 << 63);
}
