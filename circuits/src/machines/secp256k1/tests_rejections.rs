//! A cheating prover against each family.

use alloy_primitives::U256;
use ark_ff::{Field, UniformRand, Zero};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    curve::{Base, Point, ScalarField},
    points::{Accumulator, Operands, Ordinate},
    split::{Relation, shortest_relation},
    tests::{be, checker, failures, signed, system},
    tests_ranges::with_native_rest,
    witness::assemble,
    *,
};
use crate::{
    F,
    cs::{Cs, Mode},
    gadgets::{
        nonnative::{
            base::{self, Element, Linear, Product},
            scalar::ORDER,
            words,
        },
        words::Word,
    },
    testing::{Checker, Failures},
};

fn honest(seed: u64) -> (SignatureEvent, Secp256k1Row) {
    let (event, _) = signed(&mut StdRng::seed_from_u64(seed));
    let row = witness(&event).unwrap();
    assert!(failures(row.clone()).is_empty());
    (event, row)
}

fn scalar(x: Words) -> ScalarField {
    ScalarField::new(ark_ff::BigInt::new(x))
}

fn base(x: Words) -> Base {
    Base::new(ark_ff::BigInt::new(x))
}

fn key(row: &Secp256k1Row) -> Point {
    let word =
        |range: std::ops::Range<usize>| tables::words_from_be(row.public_key[range].try_into().unwrap());
    Point { x: base(word(0..32)), y: base(word(32..64)) }
}

#[track_caller]
fn assert_fails(failures: &Failures, name: &str) {
    assert!(failures.contains(name), "{name} holds; failing: {failures:?}");
}

/// Every wire of an enabled row: v + 1, 0 and a random value are all noticed.
#[test]
fn rejects_any_changed_wire() {
    let (_, row) = honest(100);
    let mut rng = StdRng::seed_from_u64(101);
    checker(&[row]).assert_no_free_wires(&[], None, &mut rng);
}

/// 0 = α·Q + β·R + w·G with α = β = w = 0 would make any key the signer of anything.
#[test]
fn rejects_the_empty_relation() {
    let (event, row) = honest(102);
    let victim = Point::generator().double().point;
    let big_r = Point { x: base(row.r), y: base(row.r_y) };
    let empty = Relation { alpha: [0, 0], beta: [0, 0] };
    let forged = assemble(&event, big_r, victim, empty).unwrap();
    let failing = failures(forged);
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.scalar.nonzero"]);
}

/// The mirrored signature (n − s, other parity) recovers the same key, with s above half the order.
#[test]
fn rejects_a_high_s() {
    let (event, row) = honest(103);
    let s = words(-scalar(row.s));
    let mirrored = SignatureEvent { s: be(s), y_parity: !event.y_parity, ..event };
    assert_eq!(witness(&mirrored).err(), Some(SignatureError::SOutOfRange));
    let big_r = Point { x: base(row.r), y: -base(row.r_y) };
    let relation = shortest_relation(scalar(row.r), scalar(s)).unwrap();
    let forged = assemble(&mirrored, big_r, key(&row), relation).unwrap();
    let failing = failures(forged.clone());
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.range.s"]);
    with_native_rest(&mut checker(&[forged]), "secp256k1.range.s", s, HALF_ORDER);
}

/// Another curve y² = x³ + b has the same addition formulas and may have small subgroups.
#[test]
fn rejects_a_key_off_the_curve() {
    let (_, mut row) = honest(104);
    row.public_key[63] ^= 1;
    row.digest = alloy_primitives::keccak256(&row.public_key).0;
    assert_fails(&failures(row), "secp256k1.curve.native");
}

/// The same for R, whose y is a hint.
#[test]
fn rejects_a_nonce_point_off_the_curve() {
    let (_, mut row) = honest(112);
    row.r_y[0] ^= 2;
    let failing = failures(row);
    assert_fails(&failing, "secp256k1.curve.native");
    assert!(!failing.contains("secp256k1.parity.bit"), "{failing:?}");
}

/// r = 0 is no point's x; s = 0 leaves no β but zero.
#[test]
fn rejects_zeros() {
    let (event, row) = honest(113);
    let mut zero = row.clone();
    zero.r = Words::default();
    assert_fails(&failures(zero), "secp256k1.curve.native");
    let mut zero = row.clone();
    zero.s = Words::default();
    assert_fails(&failures(zero), "secp256k1.ratio.native");
    // With β = 0 the ratio holds for s = 0.
    let big_r = Point { x: base(row.r), y: base(row.r_y) };
    let empty = Relation { alpha: [0, 0], beta: [0, 0] };
    let mut zero = assemble(&event, big_r, key(&row), empty).unwrap();
    zero.s = Words::default();
    let failing = failures(zero);
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.scalar.nonzero"]);
}

#[test]
fn rejects_the_other_parity() {
    let (_, mut row) = honest(105);
    row.y_parity = !row.y_parity;
    let failing = failures(row);
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.parity.bit"]);
}

/// −R for R: parity changes; with the parity bit kept, it is noticed.
#[test]
fn rejects_the_negated_nonce_point() {
    let (event, row) = honest(106);
    let big_r = Point { x: base(row.r), y: -base(row.r_y) };
    let relation = shortest_relation(scalar(row.r), scalar(row.s)).unwrap();
    let other = SignatureEvent { y_parity: !event.y_parity, ..event };
    let forged = witness(&other).unwrap();
    let q = key(&forged);
    let mut forged = assemble(&event, big_r, q, relation).unwrap();
    forged.y_parity = event.y_parity;
    let failing = failures(forged);
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.parity.bit"]);
}

#[test]
fn rejects_another_key_hash_or_signature_tuple() {
    let (_, row) = honest(107);
    let mut c = checker(&[row]);
    let one = F::from(1u64);
    for (wire, failing) in [
        ("secp256k1.address.low", "secp256k1.keccak.receive"),
        ("secp256k1.address.low", "secp256k1.signature.send"),
        ("secp256k1.key.x", "secp256k1.keccak.receive"),
        ("secp256k1.key.y", "secp256k1.keccak.receive"),
        ("secp256k1.input.z", "secp256k1.signature.send"),
        ("secp256k1.input.z", "secp256k1.base_scalar.native"),
        ("secp256k1.input.r", "secp256k1.ratio.native"),
        ("secp256k1.input.s", "secp256k1.ratio.product"),
        ("secp256k1.combined.value", "secp256k1.combined.native"),
        ("secp256k1.base.value", "secp256k1.base.read"),
        ("secp256k1.start.index", "secp256k1.start.read"),
        ("secp256k1.table.multiplicity", "secp256k1.table.write"),
    ] {
        let id = c.named(wire)[0];
        let v = c.value(id);
        assert_fails(&c.failures_with(&[(id, v + one)]), failing);
    }
}

/// A digit that names the table of another row finds a point there; its range does not let it.
#[test]
fn rejects_a_digit_that_borrows_from_another_row() {
    let (_, a) = honest(108);
    let (_, b) = honest(109);
    let mut c = checker(&[a, b]);
    let digit = c.named("secp256k1.digit.value")[0];
    let v = c.value(digit);
    let borrowed = v + F::from(16 * multiples::TABLES_PER_ROW as u64);
    assert_fails(&c.failures_with(&[(digit, borrowed)]), "secp256k1.digit.range");
    // A window's byte likewise.
    let byte = c.named("secp256k1.base.value")[0];
    let v = c.value(byte);
    assert_fails(&c.failures_with(&[(byte, v + F::from(256u64))]), "secp256k1.base.range");
    // (c₁, c₂) = (4, 0) for (0, 1), and (5, 0) for (1, 1).
    let [c1, c2] = [0, 1].map(|i| c.named("secp256k1.correction.value")[i]);
    let sum = c.value(c1) + c.value(c2) * F::from(4u64);
    let (v1, v2) = (c.value(c1), c.value(c2));
    let cheat = if v2.is_zero() {
        [(c1, v1 - F::from(4u64)), (c2, F::from(1u64))]
    } else {
        [(c1, sum), (c2, F::zero())]
    };
    assert_fails(&c.failures_with(&cheat), "secp256k1.correction.range");
}

/// What a disabled row writes has key 0, which no enabled row reads.
#[test]
fn rejects_entries_of_a_disabled_row_for_an_enabled_one() {
    let (_, row) = honest(110);
    let cs = system(Mode::Check, &[row, Secp256k1Row::default()]);
    let mut c = Checker::new(&cs, fixed_tables());
    let multiplicities = c.named("secp256k1.table.multiplicity");
    let of_disabled = multiplicities[multiplicities.len() / 2];
    assert_fails(&c.failures_with(&[(of_disabled, F::from(1u64))]), "secp256k1.table.write");
}

fn gadget(build: impl FnOnce(&mut Cs)) -> Failures {
    let mut cs = Cs::new(Mode::Check);
    build(&mut cs);
    Checker::new(&cs, Vec::new()).failures()
}

fn enabled(cs: &mut Cs) -> crate::cs::Wire {
    cs.commit_boolean("test.enable", true)
}

/// Adding a point to itself by the chord leaves the slope free: only `distinct` stands in the way.
#[test]
fn rejects_the_chord_of_equal_points() {
    let g = Point::generator();
    let failing = gadget(|cs| {
        let en = enabled(cs);
        let x = Element::commit(cs, "test.x", en, words(g.x));
        let y = Element::commit(cs, "test.y", en, words(g.y));
        let other = points::Point { x: x.clone(), y: y.linear() };
        let slope = Base::from(12345u64);
        let cheat = Step { slope: words(slope), x: words(slope.square() - g.x - g.x), y: Words::default() };
        let _ = Accumulator { x, y: Ordinate::Value(y.into()) }.add(cs, en, &other, Operands::Any, &cheat);
    });
    assert_eq!(failing.into_iter().collect::<Vec<_>>(), ["secp256k1.distinct"]);
}

#[test]
fn rejects_equal_residues_as_distinct() {
    let p = crate::gadgets::nonnative::native(base::MODULUS);
    for (d, fails) in
        [(F::zero(), true), (p, true), (-p, true), (p + F::from(1u64), false), (F::from(1u64), false)]
    {
        let failing = gadget(|cs| {
            let en = enabled(cs);
            let d = cs.witness("test.d", d);
            base::enforce_distinct(cs, "test.distinct", en, &d.into());
        });
        assert_eq!(!failing.is_empty(), fails);
    }
}

#[test]
fn rejects_values_above_a_maximum() {
    let mut max = ORDER;
    max[0] -= 1;
    let at = |value: Words| {
        gadget(|cs| {
            let en = enabled(cs);
            let [lo, hi] = tables::halves(value).map(|h| cs.commit("test.half", h).into());
            Word { hi, lo }.enforce_at_most(cs, "test.at_most", en, U256::from_limbs(max));
        })
    };
    assert!(at(Words::default()).is_empty());
    assert!(at(max).is_empty());
    assert!(at([max[0], 0, max[2], 0]).is_empty());
    assert!(at(ORDER).contains("test.at_most"));
    assert!(at([u64::MAX; 4]).contains("test.at_most"));
}

/// a·b − r ≡ 0 holds exactly for the residues, at the edges of the limbs, and q·p and the carry cannot be shifted into
/// each other.
#[test]
fn prop_relation_holds_iff_congruent() {
    let relate = |a: Words, b: Words, r: Words| {
        gadget(|cs| {
            let en = enabled(cs);
            let [a, b, r] = [a, b, r].map(|v| Element::commit(cs, "test.value", en, v));
            let linear = Linear::default().plus(-1, &r.linear());
            cs.scoped("test.relation", |cs| {
                base::enforce_zero(cs, en, &[Product::Mul(1, &a, &b)], linear);
            });
        })
    };
    let mut rng = StdRng::seed_from_u64(111);
    let limb = |bits: &[u32]| {
        bits.iter().fold([0u64; 4], |mut w, b| {
            w[*b as usize / 64] |= 1 << (b % 64);
            w
        })
    };
    let mut minus_one = base::MODULUS;
    minus_one[0] -= 1;
    let edges = [
        [0; 4],
        [1, 0, 0, 0],
        [u64::MAX; 4],
        base::MODULUS,
        minus_one,
        limb(&[95]),
        limb(&[96]),
        limb(&[127, 128]),
        limb(&[175, 176]),
        limb(&[255]),
        words(Base::rand(&mut rng)),
    ];
    let reduce = |w: Words| tables::halves(w).map(Base::from);
    let value = |w: Words| {
        let [low, high] = reduce(w);
        low + high * Base::from(2u64).pow([128])
    };
    for a in edges {
        for b in edges {
            let r = words(value(a) * value(b));
            assert!(relate(a, b, r).is_empty(), "{a:x?} {b:x?}");
            let mut wrong = r;
            wrong[2] ^= 1;
            assert!(!relate(a, b, wrong).is_empty());
        }
    }
    // r + p is the same residue, and accepted while it fits 256 bits: coordinates are residues until compared.
    let r = base::MODULUS;
    assert!(relate([0; 4], [5, 0, 0, 0], r).is_empty());
}

/// E = 2¹²⁸ passes the binary equation and E = native modulus the native one; neither passes both.
#[test]
fn rejects_an_error_that_one_modulus_does_not_see() {
    let mut cs = Cs::new(Mode::Check);
    let en = enabled(&mut cs);
    let r = Element::commit(&mut cs, "test.r", en, [7, 0, 0, 0]);
    let a = Element::commit(&mut cs, "test.a", en, [7, 0, 0, 0]);
    let b = Element::commit(&mut cs, "test.b", en, [1, 0, 0, 0]);
    cs.scoped("test.relation", |cs| {
        let minus = Linear::default().plus(-1, &r.linear());
        base::enforce_zero(cs, en, &[Product::Mul(1, &a, &b)], minus);
    });
    let mut c = Checker::new(&cs, Vec::new());
    assert!(c.failures().is_empty());
    let pieces = c.named("test.r");
    let bit_128 = c.failures_with(&[(pieces[8], F::from(1u64))]);
    assert_eq!(bit_128.into_iter().collect::<Vec<_>>(), ["test.relation.native"]);
    let modulus = <F as ark_ff::PrimeField>::MODULUS.0;
    let shifted: Vec<_> = pieces
        .iter()
        .enumerate()
        .map(|(i, id)| (*id, c.value(*id) + F::from(modulus[i / 4] >> (16 * (i % 4)) & 0xffff)))
        .collect();
    let native_modulus = c.failures_with(&shifted);
    assert_eq!(native_modulus.into_iter().collect::<Vec<_>>(), ["test.relation.binary"]);
}
