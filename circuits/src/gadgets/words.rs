//! 256-bit words as two 128-bit halves, and ranges of 16-bit limbs.

use alloy_primitives::U256;
use ark_ff::PrimeField;

use super::pow2;
use crate::{
    F,
    cs::{Cs, Lc},
    lookup::bus::Bus,
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

/// 256 bits as two linear combinations of 128 bits each. Who makes one states who checks the ranges.
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
}

/// `name`: x ∈ [0, 2^(16·limbs)) in an enabled row; `limbs` constraints.
///
/// All limbs but the lowest are committed hints; the lowest is what remains, so that no equation is needed.
/// Requires: `limbs` ≤ 15, so that Σ limbᵢ·2^(16i) does not wrap around the modulus.
pub fn enforce_range(cs: &mut Cs, name: &'static str, en: &Lc, x: &Lc, limbs: u32) {
    let v = to_u256(x.value());
    let mut low = x.clone();
    for i in 1..limbs {
        let limb = cs.commit(name, (v >> (16 * i)).as_limbs()[0] & 0xffff);
        cs.lookup(name, Bus::Range16, en.clone(), limb);
        low -= limb * pow2(16 * i);
    }
    low.merge();
    cs.lookup(name, Bus::Range16, en.clone(), low);
}
