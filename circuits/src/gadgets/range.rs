//! Unsigned integers by their 16-bit limbs. The limbs are the wires; the integer is a linear combination of them, so
//! that neither a wire nor an equation is spent on it.

use crate::{
    F,
    cs::{Cs, Lc},
    gadgets::pow2,
    lookup::bus::Bus,
};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 16;

/// Limbs of an integer of `bits` bits, little-endian.
pub fn limbs(value: u128, bits: u32) -> impl Iterator<Item = u64> {
    (0..bits.div_ceil(LIMB_BITS)).map(move |i| (value >> (LIMB_BITS * i)) as u64 & 0xffff)
}

/// A new integer below 2^bits, committed as limbs named `wire`; the checks are named `name` and count where `en` is 1.
/// `bits` ≤ 128; a value that does not fit loses its high bits.
///
/// name: each limb ∈ [0, 2¹⁶), and if the top limb has k < 16 bits also top·2^(16 − k) ∈ [0, 2¹⁶).
/// Cost: one lookup a limb, one more for a short top limb. Requires: `en` committed, 0 or 1.
/// Soundness: Σ limbᵢ·2^(16i) < 2^bits < r, and each such integer has one limb vector.
#[must_use]
pub fn uint(cs: &mut Cs, wire: &'static str, name: &'static str, en: &Lc, bits: u32, value: u128) -> Lc {
    let mut sum = Lc::zero();
    for (i, limb) in (0u32..).zip(limbs(value, bits)) {
        let w = cs.commit(wire, limb);
        cs.lookup(name, Bus::Range16, en.clone(), w);
        let width = (bits - i * LIMB_BITS).min(LIMB_BITS);
        if width < LIMB_BITS {
            cs.lookup(name, Bus::Range16, en.clone(), w * pow2(LIMB_BITS - width));
        }
        sum += w * pow2(i * LIMB_BITS);
    }
    sum
}

/// `value` < 2¹²⁸, `value` being made of committed wires: the lowest limb is what the seven others, named `wire`, leave.
///
/// name: value − Σ_{i>0} limbᵢ·2^(16i) ∈ [0, 2¹⁶), limbᵢ ∈ [0, 2¹⁶).                     Cost: 8 lookups
/// Requires: `en` committed, 0 or 1. Where `en` is 0 nothing is stated and the limbs are zero.
pub fn enforce_u128(cs: &mut Cs, wire: &'static str, name: &'static str, en: &Lc, value: Lc) {
    let enabled = en.value() != F::default();
    let bits = if enabled { super::low_u128(value.value()) } else { 0 };
    let mut rest = value;
    for (i, limb) in (0u32..).zip(limbs(bits, 128)).skip(1) {
        let w = cs.commit(wire, limb);
        cs.lookup(name, Bus::Range16, en.clone(), w);
        rest -= w * pow2(i * LIMB_BITS);
    }
    cs.lookup(name, Bus::Range16, en.clone(), rest);
}

#[cfg(test)]
mod tests {
    use ark_ff::{Field, One, Zero};
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
            enforce_u128(&mut cs, "test.limb", "test.range", &en, w.into());
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
}
