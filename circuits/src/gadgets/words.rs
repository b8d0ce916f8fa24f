//! 256-bit words as two 128-bit halves.

use alloy_primitives::U256;
use ark_ff::PrimeField;

pub use super::range::enforce_limbs as enforce_range;
use super::{pow2, range};
use crate::{
    F,
    cs::{Cs, Lc},
};

/// The canonical value of `f`.
#[must_use]
pub fn to_u256(f: F) -> U256 {
    U256::from_limbs(f.into_bigint().0)
}

/// The field element of `v`; the caller knows that it is below the modulus.
#[must_use]
pub fn from_u256(v: U256) -> F {
    F::new(ark_ff::BigInt(v.into_limbs()))
}

/// 256 bits as two linear combinations of 128 bits each. Each constructor says who checks the ranges.
#[derive(Clone, Debug, Default)]
pub struct Word {
    pub hi: Lc,
    pub lo: Lc,
}

impl Word {
    /// The value in this assignment, if both halves are in range.
    #[must_use]
    pub fn value(&self) -> U256 {
        to_u256(self.hi.value()) << 128usize | to_u256(self.lo.value())
    }

    /// Two committed wires without a range check.
    /// Requires: whoever sends the halves on the bus has checked them.
    pub fn commit_unchecked(cs: &mut Cs, name: &'static str, v: U256) -> Self {
        let (hi, lo) = cairn_protocol::leaf::halves(v);
        Self { hi: cs.commit(name, hi).into(), lo: cs.commit(name, lo).into() }
    }

    /// Sixteen committed limbs of 16 bits, range-checked in an enabled row: 16 constraints named `name`.
    pub fn commit(cs: &mut Cs, name: &'static str, en: impl Into<Lc> + Copy, v: U256) -> Self {
        Self::from_limbs(&range::commit(cs, name, name, en, v.into_limbs()))
    }

    /// From range-checked limbs, little-endian.
    #[must_use]
    pub fn from_limbs(limbs: &[Lc; 16]) -> Self {
        Self { hi: Lc::recompose(&limbs[8..], 16), lo: Lc::recompose(&limbs[..8], 16) }
    }

    /// The whole in the circuit's field, reduced modulo it.
    #[must_use]
    pub fn native(&self) -> Lc {
        self.lo.clone() + self.hi.clone() * pow2(128)
    }

    /// `name`: self ≤ max, in an enabled row.
    ///
    /// ```text
    /// rest ∈ [0, 2²⁵⁶) in limbs,      self + rest = max            modulo the native field
    /// (low half of self + rest − max)·(… − 2¹²⁸) = 0               so the equality holds modulo 2¹²⁸ too
    /// ```
    /// Cost: 18. Requires: both halves below 2¹²⁸. Soundness: |self + rest − max| < 2²⁵⁷ is below the product of both
    /// moduli, hence zero. Without the check self + modulus could pass in the place of self.
    pub fn enforce_at_most(&self, cs: &mut Cs, name: &'static str, en: impl Into<Lc> + Copy, max: U256) {
        let en_lc: Lc = en.into();
        let max_value = if en_lc.value() == F::default() { U256::ZERO } else { max };
        let rest = Self::commit(cs, name, en, max_value.wrapping_sub(self.value()));
        let (max_hi, max_lo) = cairn_protocol::leaf::halves(max);
        let max = max_hi * pow2(128) + max_lo;
        cs.enforce_zero(name, self.native() + rest.native() - en_lc.clone() * max);
        let low = self.lo.clone() + &rest.lo - en_lc.clone() * max_lo;
        cs.enforce(name, low.clone(), low - en_lc * pow2(128), Lc::zero());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cs::Mode, testing::Checker};

    /// Each limb beyond its range, and with the next one less, so that the word stays.
    #[test]
    fn rejects_limbs_out_of_range() {
        let mut cs = Cs::new(Mode::Check);
        let en = Lc::from(cs.one());
        let value = U256::MAX / U256::from(3u64);
        let word = Word::commit(&mut cs, "test.word", &en, value);
        assert_eq!(word.value(), value);
        let mut c = Checker::new(&cs, vec![]);
        assert!(c.failures().is_empty());
        let limbs = c.named("test.word");
        assert_eq!(limbs.len(), 16);
        for (i, limb) in limbs.iter().enumerate() {
            let mut changes = vec![(*limb, c.value(*limb) + pow2(16))];
            if let Some(next) = limbs.get(i + 1) {
                changes.push((*next, c.value(*next) - F::from(1u64)));
            }
            assert!(c.failures_with(&changes).contains("test.word"), "limb {i}");
        }
    }

    /// value ≤ max at both ends, and value = max + 1 with the rest that each of the two moduli alone would accept.
    #[test]
    fn rejects_words_above_a_maximum() {
        let max = U256::MAX >> 1usize;
        let at = |value: U256| {
            let mut cs = Cs::new(Mode::Check);
            let en = Lc::from(cs.one());
            let word = Word::commit(&mut cs, "test.word", &en, value);
            word.enforce_at_most(&mut cs, "test.at_most", &en, max);
            Checker::new(&cs, vec![])
        };
        for value in [U256::ZERO, U256::ONE, max] {
            assert!(at(value).failures().is_empty());
        }
        // Modulo 2²⁵⁶ the rest of max + 1 is −1: the native equation refuses. Modulo the native field the low half does.
        let mut c = at(max + U256::ONE);
        assert_eq!(c.only_failure(), "test.at_most");
        let rest = c.named("test.at_most");
        c.set_limbs(&rest, -F::from(1u64));
        assert_eq!(c.only_failure(), "test.at_most");
    }
}
