//! Integers of up to 256 bits as two 128-bit halves, and their order.
//!
//! A field element has one representative below the modulus r; [`Wide`] does not say which it holds. Order a chain of
//! them up to [`Wide::modulus`] to make all of them canonical: a < b ≤ r.

use ark_ff::PrimeField;

use super::{low_u128, pow2, range};
use crate::{
    F,
    cs::{Cs, Lc},
};

/// The integer hi·2¹²⁸ + lo.
#[derive(Clone, Debug, Default)]
pub struct Wide {
    pub hi: Lc,
    pub lo: Lc,
}

/// (hi, lo) of a field element's canonical value.
#[must_use]
pub fn split(f: F) -> [u128; 2] {
    let l = f.into_bigint().0;
    [u128::from(l[2]) | u128::from(l[3]) << 64, u128::from(l[0]) | u128::from(l[1]) << 64]
}

/// (hi, lo) of the modulus r.
#[must_use]
pub fn modulus() -> [u128; 2] {
    let l = F::MODULUS.0;
    [u128::from(l[2]) | u128::from(l[3]) << 64, u128::from(l[0]) | u128::from(l[1]) << 64]
}

impl Wide {
    /// A new integer below 2²⁵⁶, committed as 16 limbs named `wire`, checked under `name`.  Cost: 16 lookups
    #[must_use]
    pub fn new(cs: &mut Cs, wire: &'static str, name: &'static str, en: &Lc, [hi, lo]: [u128; 2]) -> Self {
        Self { hi: range::uint(cs, wire, name, en, 128, hi), lo: range::uint(cs, wire, name, en, 128, lo) }
    }

    /// Two committed wires named `wire`, high half first, unchecked: comparing them makes them integers, see
    /// [`enforce_less`].
    #[must_use]
    pub fn commit_unchecked(cs: &mut Cs, wire: &'static str, [hi, lo]: [u128; 2]) -> Self {
        Self { hi: cs.commit(wire, hi).into(), lo: cs.commit(wire, lo).into() }
    }

    /// r·en.
    #[must_use]
    pub fn modulus(en: &Lc) -> Self {
        let [hi, lo] = modulus();
        Self { hi: en.clone() * F::from(hi), lo: en.clone() * F::from(lo) }
    }

    /// The field element that it represents.
    #[must_use]
    pub fn field(&self) -> Lc {
        self.hi.clone() * pow2(128) + self.lo.clone()
    }
}

/// a < b where `on` is 1, in the caller's scope:
///
/// ```text
/// gap      b.lo − a.lo − on + 2¹²⁸·borrow ∈ [0, 2¹²⁸)    8
///          b.hi − a.hi − borrow ∈ [0, 2¹²⁸)              8
/// borrow   borrow ∈ {0, 1}                               1
/// ```
/// Where `on` is 0 the two numbers are not constrained. Requires: all is made of committed wires; `on` is 0 or 1; the
/// halves of one of the two numbers are, modulo r, integers below 2²⁰⁰ in absolute value.
/// Soundness: then so are the other's, which differ from them by a gap and a borrow; and the equations of the gaps hold
/// over the integers, because both sides are far below r. So b − a − 1 = (second gap)·2¹²⁸ + (first gap) ≥ 0 for the
/// integers hi·2¹²⁸ + lo. A number in the middle of a chain 0 < … < r needs no range of its own: its halves may lie
/// outside [0, 2¹²⁸), the number is in (0, r).
pub fn enforce_less(cs: &mut Cs, on: &Lc, a: &Wide, b: &Wide) {
    enforce_gap(cs, on, a, b, true);
}

/// a ≤ b where `on` is 1. As [`enforce_less`], without the − on.
pub fn enforce_less_or_equal(cs: &mut Cs, on: &Lc, a: &Wide, b: &Wide) {
    enforce_gap(cs, on, a, b, false);
}

fn enforce_gap(cs: &mut Cs, on: &Lc, a: &Wide, b: &Wide, strict: bool) {
    let active = on.value() != F::default();
    let (a_lo, b_lo) = (low_u128(a.lo.value()), low_u128(b.lo.value()));
    let borrow = active && (b_lo < a_lo || strict && b_lo == a_lo);
    let borrow = cs.commit_boolean("borrow", borrow);
    let one = if strict { on.clone() } else { Lc::zero() };
    let lo = b.lo.clone() - a.lo.clone() - one + borrow * pow2(128);
    range::enforce_u128(cs, "gap", "gap", on, lo);
    range::enforce_u128(cs, "gap", "gap", on, b.hi.clone() - a.hi.clone() - borrow);
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand, Zero};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{cs::Mode, testing::Checker};

    fn compare(a: [u128; 2], b: [u128; 2], strict: bool) -> Checker {
        let mut cs = Cs::new(Mode::Check);
        let en: Lc = cs.one().into();
        let wide = |cs: &Cs, [hi, lo]: [u128; 2]| Wide {
            hi: cs.constant(F::from(hi)),
            lo: cs.constant(F::from(lo)),
        };
        let (a, b) = (wide(&cs, a), wide(&cs, b));
        cs.scoped("test", |cs| enforce_gap(cs, &en, &a, &b, strict));
        Checker::new(&cs, vec![])
    }

    #[test]
    fn accepts_exactly_the_ordered_pairs() {
        let mut rng = StdRng::seed_from_u64(6);
        let [r_hi, r_lo] = modulus();
        let mut edges = vec![
            [0, 0],
            [0, 1],
            [0, u128::MAX],
            [1, 0],
            [1, 1],
            [r_hi, r_lo - 1],
            [r_hi, r_lo],
            [r_hi, r_lo + 1],
        ];
        edges.extend([[u128::MAX, u128::MAX], split(F::rand(&mut rng)), split(-F::one()), split(F::zero())]);
        for &a in &edges {
            for &b in &edges {
                assert_eq!(compare(a, b, true).failures().is_empty(), a < b, "{a:?} < {b:?}");
                assert_eq!(compare(a, b, false).failures().is_empty(), a <= b, "{a:?} ≤ {b:?}");
            }
        }
    }

    #[test]
    fn rejects_the_wrong_borrow_and_any_changed_limb() {
        let mut rng = StdRng::seed_from_u64(7);
        for (a, b) in [([3, 5], [4, 1]), ([3, 5], [3, 6]), ([0, 0], modulus())] {
            compare(a, b, true).assert_no_free_wires(&[], None, &mut rng);
        }
        let mut equal = compare([7, 7], [7, 7], true);
        let borrow = equal.named("test.borrow")[0];
        for value in [F::zero(), F::one(), -F::one()] {
            assert!(!equal.failures_with(&[(borrow, value)]).is_empty() || !equal.failures().is_empty());
        }
    }

    /// The argument of [`enforce_less`] in a field of 193 elements with halves of 5 bits, all assignments: halves
    /// without a range, ordered from 0 upward and from the modulus downward, are those of canonical numbers in this
    /// order.
    #[test]
    fn prop_chains_from_zero_to_the_modulus_order_field_elements() {
        const P: i32 = 193;
        const BASE: i32 = 32;
        let element = |x: i32| x.rem_euclid(P);
        let number = |(hi, lo): (i32, i32)| element(hi * BASE + lo) as usize;
        // All halves that pass as larger, by a borrow and two gaps.
        let above = |(hi, lo): (i32, i32)| {
            let gaps = (0..2).flat_map(|borrow| (0..BASE * BASE).map(move |gap| (borrow, gap)));
            let halves = |(borrow, gap)| (hi + borrow + gap / BASE, lo + 1 - BASE * borrow + gap % BASE);
            gaps.map(halves).map(|(hi, lo)| (element(hi), element(lo))).collect::<Vec<_>>()
        };
        let is_at_most_modulus = |(hi, lo): &(i32, i32)| {
            let in_range = |x: i32| element(x) < BASE;
            (0..2).any(|borrow| in_range(P % BASE - lo + BASE * borrow) && in_range(P / BASE - hi - borrow))
        };
        let limits = |key| above(key).into_iter().filter(is_at_most_modulus).map(number).collect::<Vec<_>>();

        let size = P as usize;
        let mut has_limit = vec![vec![None; size]; size];
        let mut is_below = |key: (i32, i32)| {
            *has_limit[key.0 as usize][key.1 as usize].get_or_insert_with(|| !limits(key).is_empty())
        };
        let mut ordered = vec![vec![false; size]; size];
        let mut bounded = vec![vec![false; size + 1]; size];
        for first in above((0, 0)) {
            for limit in limits(first) {
                bounded[number(first)][if limit == 0 { size } else { limit }] = true;
            }
            if is_below(first) {
                for second in above(first).into_iter().filter(|second| is_below(*second)) {
                    ordered[number(first)][number(second)] = true;
                }
            }
        }
        for a in 0..size {
            for b in 0..=size {
                assert_eq!(bounded[a][b], 0 < a && a < b, "key {a}, limit {b}");
                if b < size {
                    assert_eq!(ordered[a][b], 0 < a && a < b, "key {a}, then {b}");
                }
            }
        }
    }

    #[test]
    fn the_halves_of_the_modulus_are_the_second_representative_of_zero() {
        let cs = Cs::new(Mode::Check);
        assert!(Wide::modulus(&cs.one().into()).field().value().is_zero());
    }
}
