//! Unsigned and signed integers by their 16-bit limbs: the one family of range checks. The limbs are the wires; the
//! integer is a linear combination of them, so that neither a wire nor an equation is spent on it.
//!
//! Every check is a lookup under `name` that counts where `en` is 1. `en` is committed, 0 or 1. Wires are named `wire`.

use ark_ff::{PrimeField, Zero};

use super::{low_u128, pow2};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::bus::Bus,
};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 16;

/// Limbs of an integer of `bits` bits, little-endian.
pub fn limbs(value: u128, bits: u32) -> impl Iterator<Item = u64> {
    limbs_of([value as u64, (value >> 64) as u64, 0, 0], bits)
}

/// Limbs of an integer of `bits` bits, given by its words; both little-endian.
fn limbs_of(words: [u64; 4], bits: u32) -> impl Iterator<Item = u64> {
    (0..bits.div_ceil(LIMB_BITS) as usize).map(move |i| words[i / 4] >> (16 * (i % 4)) & 0xffff)
}

/// A new limb.
///
/// name: limb ∈ [0, 2¹⁶). Cost: 1.
pub fn limb(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    value: u64,
) -> Wire {
    let w = cs.commit(wire, value);
    hold(cs, name, en, w, LIMB_BITS);
    w
}

/// A new byte.
///
/// name: byte ∈ [0, 2⁸). Cost: 1.
pub fn byte(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    value: u64,
) -> Wire {
    let w = cs.commit(wire, value);
    cs.declare_range(w, 8, en);
    cs.lookup(name, Bus::Range8, en, w);
    w
}

/// name: w·2^(16 − bits) ∈ [0, 2¹⁶), so that w < 2^bits if w is an integer. Cost: 1.
///
/// `bits` ≤ 16. Requires: with fewer than 16 bits, that something else makes w an integer, such as a check with 16.
pub fn hold(cs: &mut Cs, name: &'static str, en: impl Into<Lc> + Copy, w: Wire, bits: u32) {
    cs.declare_range(w, bits, en);
    cs.lookup(name, Bus::Range16, en, w * pow2(LIMB_BITS - bits));
}

/// N ≤ 16 new limbs of an integer below 2^(16·N), given by its words; both little-endian. Cost: N.
pub fn commit<const N: usize>(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    value: [u64; 4],
) -> [Lc; N] {
    let mut limbs = limbs_of(value, 256);
    std::array::from_fn(|_| limb(cs, wire, name, en, limbs.next().unwrap_or_default()).into())
}

/// A new integer below 2^bits, `bits` ≤ 128; a value that does not fit loses its high bits.
///
/// name: each limb ∈ [0, 2¹⁶), and if the top limb has k < 16 bits also top·2^(16 − k) ∈ [0, 2¹⁶).
/// Cost: one lookup a limb, one more for a short top limb.
/// Soundness: Σ limbᵢ·2^(16i) < 2^bits < r, and each such integer has one limb vector.
#[must_use]
pub fn uint(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    bits: u32,
    value: u128,
) -> Lc {
    let mut sum = Lc::zero();
    for (i, value) in (0u32..).zip(limbs(value, bits)) {
        let w = limb(cs, wire, name, en, value);
        let width = (bits - i * LIMB_BITS).min(LIMB_BITS);
        if width < LIMB_BITS {
            hold(cs, name, en, w, width);
        }
        sum += w * pow2(i * LIMB_BITS);
    }
    sum
}

/// A new integer in [−2^(16n − 1), 2^(16n − 1)), n ≤ 8: n limbs of itself plus 2^(16n − 1)·en. Cost: n.
///
/// `hint` is the intended value as a field element; if it is out of range the limbs hold something else, and the
/// equation that uses them fails.
pub fn signed(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    n: u32,
    hint: F,
) -> Lc {
    debug_assert!(n <= 8);
    let offset = en.into() * pow2(LIMB_BITS * n - 1);
    let shifted = low_u128(hint + offset.value());
    let limbs: Vec<_> = limbs(shifted, LIMB_BITS * n).map(|value| limb(cs, wire, name, en, value)).collect();
    Lc::recompose(&limbs, LIMB_BITS) - offset
}

/// `value` < 2^(16·limbs), `value` being made of committed wires: the lowest limb is what the others leave.
///
/// name: value − Σ_{i>0} limbᵢ·2^(16i) ∈ [0, 2¹⁶), limbᵢ ∈ [0, 2¹⁶). Cost: one lookup a limb.
/// Requires: `limbs` ≤ 15, so that Σ limbᵢ·2^(16i) does not wrap around the modulus. Where `en` is 0 `value` is not
/// constrained and the limbs are zero.
pub fn enforce(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    value: impl Into<Lc>,
    count: u32,
) {
    let mut rest = value.into();
    let held = if en.into().value().is_zero() { F::zero() } else { rest.value() };
    for (i, value) in (0u32..).zip(limbs_of(held.into_bigint().0, LIMB_BITS * count)).skip(1) {
        rest -= limb(cs, wire, name, en, value) * pow2(i * LIMB_BITS);
    }
    rest.merge();
    cs.lookup(name, Bus::Range16, en, rest);
}

/// [`enforce`] with wires and lookups of one name.
pub fn enforce_limbs(cs: &mut Cs, name: &'static str, en: &Lc, value: &Lc, count: u32) {
    enforce(cs, name, name, en, value, count);
}

/// [`enforce`] with eight limbs: `value` < 2¹²⁸.
pub fn enforce_u128(
    cs: &mut Cs,
    wire: &'static str,
    name: &'static str,
    en: impl Into<Lc> + Copy,
    value: impl Into<Lc>,
) {
    enforce(cs, wire, name, en, value, 8);
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, Field, One, Zero};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{cs::Mode, testing::Checker};

    fn one(cs: &Cs) -> Lc {
        cs.one().into()
    }

    #[test]
    fn accepts_what_fits_and_rejects_what_does_not() {
        for (bits, value) in
            [(30, (1 << 30) - 1), (64, u128::from(u64::MAX)), (128, u128::MAX), (128, 0), (16, 65_535)]
        {
            let mut cs = Cs::new(Mode::Check);
            let en = one(&cs);
            let sum = uint(&mut cs, "test.limb", "test.range", &en, bits, value);
            assert_eq!(sum.value(), F::from(value));
            let mut checker = Checker::new(&cs, vec![]);
            assert!(checker.failures().is_empty());
            let top = checker.named("test.limb").pop().expect("a limb");
            let beyond = pow2(if bits.is_multiple_of(16) { 16 } else { bits % 16 });
            assert!(checker.failures_with(&[(top, beyond)]).contains("test.range"), "{bits} bits");
            assert!(checker.failures_with(&[(top, -F::one())]).contains("test.range"));
            let quarter = pow2(2).inverse().expect("not zero");
            assert!(checker.failures_with(&[(top, quarter)]).contains("test.range"), "a fraction is no limb");
        }
    }

    #[test]
    fn accepts_committed_values_below_2_128_and_rejects_others() {
        let mut rng = StdRng::seed_from_u64(5);
        let synthesize = |value: F, en: bool| {
            let mut cs = Cs::new(Mode::Check);
            let en = one(&cs) * F::from(en);
            let w = cs.commit("test.value", value);
            cs.enforce_equal("test.fixed", w, cs.constant(value));
            enforce_u128(&mut cs, "test.limb", "test.range", &en, w);
            Checker::new(&cs, vec![])
        };
        for value in [F::zero(), F::one(), pow2(128) - F::one(), F::from(0xdead_beef_0000u64)] {
            synthesize(value, true).assert_no_free_wires(&[], None, &mut rng);
        }
        for value in [pow2(128), -F::one(), pow2(200)] {
            assert!(synthesize(value, true).failures().contains("test.range"));
            assert!(synthesize(value, false).failures().is_empty());
        }
    }

    /// A value that is too great, with the excess in one limb: that limb's lookup refuses.
    #[test]
    fn rejects_an_excess_in_any_limb() {
        for i in 0..8u32 {
            let mut cs = Cs::new(Mode::Check);
            let (en, w) = (one(&cs), cs.commit("test.value", pow2(130)));
            enforce_u128(&mut cs, "test.limb", "test.range", &en, w);
            let mut checker = Checker::new(&cs, vec![]);
            let limbs = checker.named("test.limb");
            assert_eq!(limbs.len(), 7, "the lowest is what remains");
            if i > 0 {
                checker.change(&[(limbs[i as usize - 1], pow2(130 - 16 * i))]);
            }
            assert_eq!(checker.only_failure(), "test.range", "limb {i}");
        }
    }

    /// A signed integer beyond either end, with the excess in its lowest limb.
    #[test]
    fn rejects_signed_integers_out_of_range() {
        let bound = pow2(31);
        for (value, fails) in [
            (bound, true),
            (bound - F::one(), false),
            (-bound, false),
            (-bound - F::one(), true),
            (bound.double(), true),
        ] {
            let mut cs = Cs::new(Mode::Check);
            let (en, w) = (one(&cs), cs.commit("test.value", value));
            let sum = signed(&mut cs, "test.limb", "test.range", &en, 2, value);
            cs.enforce_equal("test.sum", sum, w);
            let mut checker = Checker::new(&cs, vec![]);
            let limbs = checker.named("test.limb");
            checker.solve_signed("test.sum", 0, &limbs);
            assert_eq!(checker.failures().contains("test.range"), fails, "{value}");
            assert!(!checker.failures().contains("test.sum"));
        }
    }

    #[test]
    fn rejects_bytes_out_of_range() {
        for (value, fails) in [(0, false), (255, false), (256, true)] {
            let mut cs = Cs::new(Mode::Check);
            let en = one(&cs);
            let _ = byte(&mut cs, "test.byte", "test.range", &en, value);
            assert_eq!(Checker::new(&cs, vec![]).failures().contains("test.range"), fails);
        }
    }
}
