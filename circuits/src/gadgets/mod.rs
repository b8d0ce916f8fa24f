//! Gadgets shared by the machines, and conversions of field elements to integers.

pub mod compare;
pub mod nonnative;
pub mod poseidon;
pub mod range;
pub mod words;
pub mod zero;

use ark_ff::{BigInteger, Field, PrimeField};

use crate::F;

/// 2^n in the field.
#[must_use]
pub fn pow2(n: u32) -> F {
    F::from(2u64).pow([u64::from(n)])
}

/// The low 128 bits of the canonical value of `f`.
#[must_use]
pub fn low_u128(f: F) -> u128 {
    let limbs = f.into_bigint().0;
    u128::from(limbs[0]) | u128::from(limbs[1]) << 64
}

/// The value of `f` if it fits in 64 bits.
#[must_use]
pub fn to_u64(f: F) -> Option<u64> {
    let b = f.into_bigint();
    (b.num_bits() <= 64).then_some(b.0[0])
}
