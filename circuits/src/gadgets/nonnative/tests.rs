//! The bounds of both relations, recomputed over the integers, and the relations at their widest.

use ark_ff::{BigInteger, Field, PrimeField};
use num_bigint::{BigInt, BigUint, Sign};

use super::{
    Words,
    base::{self, Element, FOLD, Linear, MODULUS, Product},
    scalar::{self, LAMBDA, ORDER, Scalar},
    words,
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, Wire},
    machines::secp256k1::curve::ScalarField,
    testing::{Checker, Failures},
};

fn gadget(build: impl FnOnce(&mut Cs, Wire)) -> Failures {
    let mut cs = Cs::new(Mode::Check);
    let en = cs.commit_boolean("test.enable", true);
    build(&mut cs, en);
    Checker::new(&cs, Vec::new()).failures()
}

fn big(x: Words) -> BigInt {
    BigInt::from_bytes_le(Sign::Plus, &x.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>())
}

/// The words of 0 ≤ x < 2²⁵⁶.
fn to_words(x: &BigInt) -> Words {
    let digits = x.to_biguint().unwrap().to_u64_digits();
    assert!(digits.len() <= 4);
    std::array::from_fn(|i| digits.get(i).copied().unwrap_or_default())
}

fn modulo(x: &BigInt, m: &BigInt) -> BigInt {
    ((x % m) + m) % m
}

fn p2(n: u32) -> BigInt {
    BigInt::from(1) << n
}

fn native_modulus() -> BigInt {
    BigInt::from(BigUint::from_bytes_le(&F::MODULUS.to_bytes_le()))
}

/// Worst cases by the ranges that constraints enforce, not by what honest values reach.
#[test]
fn bounds_hold_over_the_integers() {
    let (r, one) = (native_modulus(), BigInt::from(1));
    let (p, n) = (big(MODULUS), big(ORDER));
    let max = |bits: u32| p2(bits) - &one;
    // base: |limbs| of values and of differences, |low parts|.
    let (l0, l1, l2, low) = (max(96), max(80), max(80), max(32));
    let kappa = BigInt::from(8);
    let below: BigInt = &l0 * &l0 + p2(97) * &l0 * &l1 + p2(177) * &l0 * &l2 + p2(192) * &l1 * &l1;
    let high: BigInt = p2(17) * &l1 * &l2 + p2(96) * &l2 * &l2;
    let product = below + BigInt::from(FOLD) * high;
    let linear = &kappa * max(256);
    let (q, carry) = (p2(111), p2(95));
    let error = &kappa * &product + &linear + &q * &p;
    assert!(error < &r * p2(128), "E ≡ 0 modulo both moduli means E = 0");
    let cross: BigInt = p2(17) * &l1 * &l2;
    let binary: BigInt = &kappa
        * (&l0 * &l0 + p2(97) * &low * &low + BigInt::from(FOLD) * (cross + p2(96) * &low * &low))
        + BigInt::from(FOLD) * &q
        + &kappa * max(128);
    assert!(&binary + &carry * p2(128) < r, "the binary equation does not wrap");
    assert!((&kappa * &product + &linear) / &p + &one < q, "an honest quotient fits");
    assert!((&binary >> 128u32) + &one < carry, "an honest carry fits");
    assert!(p2(256) < &p * 2, "differences of values meet only three multiples of p");
    assert_ne!(&p % &r, BigInt::from(0));

    // scalar: two products.
    let error = (max(256) * max(256) * 2i32).max(max(272) * &n);
    assert!(error < &r * p2(288));
    let positive = max(96) * max(96) * 6i32 + p2(111);
    let negative = max(96) * max(96) * 3i32 + p2(111);
    assert!(positive.max(negative) + p2(111 + 96) < r);
    assert!(max(256) * max(256) * 2i32 / &n < p2(272));
    assert!((max(96) * max(96) * 9i32 + p2(111)) >> 96u32 < p2(111));

    // scalar: e₁ + λ·e₂ − e − q·n.
    let (small, lambda) = (p2(66), big(LAMBDA));
    let error = &small + &lambda * &small + max(256) + p2(79) * &n;
    assert!(error < &r * p2(96));
    let position = &small + max(96) * &small + max(96) + p2(79) * max(96);
    assert!(&position + p2(95 + 96) < r);
    assert!((&small + &lambda * &small + max(256)) / &n + &one < p2(79));

    // at most: value + rest − max, and its low half.
    assert!(p2(257) < &r * p2(128));
    // β₁² − β₁β₂ + β₂² is no multiple of n but zero, and β₁ + 2⁸⁰·β₂ is zero iff both are.
    let widest: BigInt = p2(64) + 1;
    assert!(&widest * &widest * 3i32 < n);
    assert!(widest < p2(80) && &widest * p2(81) < r);
}

/// All limbs at their ends, with both signs, and a sum of coefficients of 8.
#[test]
fn accepts_the_widest_relations() {
    let max = [u64::MAX; 4];
    let outer = to_words(&((p2(96) - 1) + ((p2(80) - 1) << 176u32)));
    let middle = to_words(&((p2(80) - 1) << 96u32));
    let p = big(MODULUS);
    let ends = [(max, [0; 4]), ([0; 4], max), (outer, middle), (middle, outer), (max, MODULUS)];
    let relate = |cs: &mut Cs, en: Wire, [a, b, c, d]: [Words; 4], k: [i64; 2], excess: i32| {
        let (x, y) = (big(a) - big(b), big(c) - big(d));
        let sum = k[0] * &x * &y + k[1] * &x * &x - big(max) * 2i32;
        let r = to_words(&modulo(&(sum + excess), &p));
        let [a, b, c, d, r, m] = [a, b, c, d, r, max].map(|v| Element::commit(cs, "test.value", en, v));
        let (x, y) = (a.minus(&b), c.minus(&d));
        let linear = Linear::default().plus(-1, &r.linear()).plus(-2, &m.linear());
        let products = [Product::Mul(k[0], &x, &y), Product::Square(k[1], &x)];
        cs.scoped("test.relation", |cs| base::enforce_zero(cs, en, &products, linear));
    };
    let mut cases = Vec::new();
    for (a, b) in ends {
        for (c, d) in ends {
            cases.extend([[8, 0], [-8, 0], [4, 4], [-4, -4], [5, -3]].map(|k| ([a, b, c, d], k)));
        }
    }
    let all = gadget(|cs, en| cases.iter().for_each(|(v, k)| relate(cs, en, *v, *k, 0)));
    assert!(all.is_empty(), "{all:?}");
    for (v, k) in cases.iter().step_by(7) {
        assert!(!gadget(|cs, en| relate(cs, en, *v, *k, 1)).is_empty(), "{v:x?} {k:?}");
    }
}

fn edge_scalars() -> [Words; 7] {
    let n = big(ORDER);
    [
        [1, 0, 0, 0],
        to_words(&(&n - 1)),
        to_words(&(&n + 1)),
        [u64::MAX; 4],
        to_words(&p2(95)),
        to_words(&(p2(192) - p2(96))),
        words(-ScalarField::from(2u64).inverse().unwrap()),
    ]
}

/// a·b + c·d ≡ 0 for scalars that need not be reduced; the neighbours of a solution are none.
#[test]
fn scalar_relation_holds_iff_congruent() {
    let n = big(ORDER);
    let field = |w: Words| ScalarField::from(big(w).to_biguint().unwrap());
    let relate = |cs: &mut Cs, en: Wire, [a, b, c]: [Words; 3], d: &BigInt| {
        let [a, b, c, d] = [a, b, c, to_words(d)].map(|v| Scalar::commit(cs, "test.value", en, v));
        cs.scoped("test.relation", |cs| scalar::enforce_sum_zero(cs, en, [(&a, &b), (&c, &d)]));
    };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for a in edge_scalars() {
        for b in edge_scalars() {
            for c in edge_scalars() {
                let d = big(words(-field(a) * field(b) * field(c).inverse().unwrap()));
                if &d + &n < p2(256) {
                    good.push(([a, b, c], &d + &n));
                }
                bad.push(([a, b, c], if d == BigInt::from(0) { &d + 1 } else { &d - 1 }));
                good.push(([a, b, c], d));
            }
        }
    }
    let all = gadget(|cs, en| good.iter().for_each(|(v, d)| relate(cs, en, *v, d)));
    assert!(all.is_empty(), "{all:?}");
    for (v, d) in bad.iter().step_by(16) {
        assert!(!gadget(|cs, en| relate(cs, en, *v, d)).is_empty(), "{v:x?} {d}");
    }
}

/// e ≡ e₁ + λ·e₂ at the ends of the small scalars' range; e may be any representative.
#[test]
fn endomorphism_holds_iff_congruent() {
    let n = big(ORDER);
    let small = [0i128, 1, -1, (1 << 64) + 1, -(1 << 64) - 1, (1 << 66) - 1, 1 - (1 << 66)];
    let relate = |cs: &mut Cs, en: Wire, small: [i128; 2], e: &BigInt| {
        let [e1, e2] = small.map(|x| Lc::from(cs.commit("test.small", F::from(x))));
        let e = Scalar::commit(cs, "test.value", en, to_words(e));
        cs.scoped("test.relation", |cs| scalar::enforce_endomorphism(cs, en, &e, [&e1, &e2]));
    };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for pair in small.into_iter().flat_map(|e1| small.map(|e2| [e1, e2])) {
        let e = modulo(&(BigInt::from(pair[0]) + big(LAMBDA) * pair[1]), &n);
        // One more, congruent modulo 2⁹⁶ alone, congruent modulo the native modulus alone.
        let wrong = [&e + 1, modulo(&(&e + p2(96)), &p2(256)), &e + native_modulus()];
        bad.extend(wrong.into_iter().filter(|e| e < &p2(256)).map(|e| (pair, e)));
        if &e + &n < p2(256) {
            good.push((pair, &e + &n));
        }
        good.push((pair, e));
    }
    let all = gadget(|cs, en| good.iter().for_each(|(v, e)| relate(cs, en, *v, e)));
    assert!(all.is_empty(), "{all:?}");
    for (v, e) in bad.iter().step_by(4) {
        assert!(!gadget(|cs, en| relate(cs, en, *v, e)).is_empty(), "{v:?} {e}");
    }
}
