//! Integers modulo the two primes of secp256k1, inside the circuit's own field.
//!
//! A 256-bit value is sixteen committed 16-bit pieces, each range-checked by one lookup. Everything else is linear in
//! the pieces:
//!
//! ```text
//! bits      0 ........ 31 32 ...... 95 | 96 ..... 127 128 ... 175 | 176 .... 207 208 ... 255
//! pieces    0    1        2  3  4  5   | 6    7       8  9  10    | 11   12      13  14  15
//! limbs     limb 0 (96 bits)           | limb 1 (80 bits)         | limb 2 (80 bits)
//! low parts low 0 (32 bits)            | low 1 (32 bits)          | low 2 (32 bits)
//! halves    half 0 (128 bits): limb 0 + 2⁹⁶·low 1                 | half 1 (128 bits)
//! ```
//!
//! [`base`] has relations modulo p = 2²⁵⁶ − 2³² − 977: many per signature, so products are folded. [`scalar`] has those
//! modulo the group order n: few per signature, without folding.

pub mod base;
pub mod scalar;
#[cfg(test)]
mod tests;

use ark_ff::PrimeField;

use super::pow2;
use crate::F;

/// A 256-bit integer as four 64-bit words, least significant first.
pub type Words = [u64; 4];

/// Pieces of a 256-bit value.
pub const PIECES: usize = 16;

/// The constant with these words, in the circuit's field (reduced modulo it).
#[must_use]
pub fn native(words: Words) -> F {
    let half = |i: usize| F::from(u128::from(words[i]) | u128::from(words[i + 1]) << 64);
    half(0) + half(2) * pow2(128)
}

/// The words of a prime-field element's canonical integer.
#[must_use]
pub fn words<P: PrimeField<BigInt = ark_ff::BigInt<4>>>(x: P) -> Words {
    x.into_bigint().0
}
