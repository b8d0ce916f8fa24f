//! Integers modulo the two primes of secp256k1, inside the circuit's own field.
//!
//! A 256-bit value is sixteen committed 16-bit pieces, each range-checked by one lookup: the floor. Everything else is
//! linear in the pieces:
//!
//! ```text
//! bits      0 ........ 31 32 ...... 95 | 96 ..... 127 128 ... 175 | 176 .... 207 208 ... 255
//! pieces    0    1        2  3  4  5   | 6    7       8  9  10    | 11   12      13  14  15
//! limbs     limb 0 (96 bits)           | limb 1 (80 bits)         | limb 2 (80 bits)
//! low parts low 0 (32 bits)            | low 1 (32 bits)          | low 2 (32 bits)
//! halves    half 0 (128 bits): limb 0 + 2⁹⁶·low 1                 | half 1 (128 bits)
//! ```
//!
//! [`base`] has relations modulo p = 2²⁵⁶ − 2³² − 977, many of them and therefore folded; [`scalar`] those modulo the
//! group order n, few and plain.

pub mod base;
pub mod scalar;
#[cfg(test)]
mod tests;

use ark_ff::{Field, PrimeField, Zero};

use super::{low_u128, pow2};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::bus::Bus,
};

/// A 256-bit integer as four 64-bit words, least significant first.
pub type Words = [u64; 4];

/// Pieces of a 256-bit value.
pub const PIECES: usize = 16;

/// Commits sixteen pieces of `value` and range-checks each: any integer below 2²⁵⁶. Cost: 16.
pub fn commit_value(cs: &mut Cs, en: Wire, name: &'static str, value: Words) -> [Lc; PIECES] {
    std::array::from_fn(|i| commit_piece(cs, en, name, value[i / 4] >> (16 * (i % 4)) & 0xffff))
}

fn commit_piece(cs: &mut Cs, en: Wire, name: &'static str, value: u64) -> Lc {
    let w = cs.commit(name, value);
    cs.lookup(name, Bus::Range16, en, w);
    w.into()
}

/// A signed integer in [−2^(16n−1), 2^(16n−1)) as n ≤ 8 committed pieces of itself plus 2^(16n−1)·en. Cost: n.
///
/// `hint` is the intended value as a field element; if it is out of range the pieces hold something else, and the
/// equation that uses them fails.
pub(crate) fn commit_signed(cs: &mut Cs, en: Wire, name: &'static str, hint: F, n: u32) -> Lc {
    debug_assert!(n <= 8);
    let offset = en * pow2(16 * n - 1);
    let shifted = low_u128(hint + offset.value());
    let pieces: Vec<Lc> =
        (0..n).map(|i| commit_piece(cs, en, name, ((shifted >> (16 * i)) & 0xffff) as u64)).collect();
    Lc::recompose(&pieces, 16) - offset
}

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

/// `name`: 0 ≤ value ≤ max, for a value given by its two 128-bit halves (each already known to be below 2¹²⁸) and a
/// constant `max`.
///
/// ```text
/// rest ∈ [0, 2²⁵⁶) in pieces,     value + rest = max           modulo the native field
/// (low half of value + rest − max)·(… − 2¹²⁸) = 0              so the equality holds modulo 2¹²⁸ too
/// ```
/// Cost: 18. Soundness: |value + rest − max| < 2²⁵⁷ is below the product of both moduli, hence zero. Without it a
/// cheat could use value + modulus in the place of value.
pub fn enforce_at_most(
    cs: &mut Cs,
    en: Wire,
    name: &'static str,
    halves: &[Lc; 2],
    value: Words,
    max: Words,
) {
    let rest = if en.value().is_zero() { Words::default() } else { sub_words(max, value) };
    let pieces = commit_value(cs, en, name, rest);
    let rest = [Lc::recompose(&pieces[..8], 16), Lc::recompose(&pieces[8..], 16)];
    let max_low = F::from(u128::from(max[0]) | u128::from(max[1]) << 64);
    let total = |h: &[Lc; 2]| h[0].clone() + h[1].clone() * pow2(128);
    cs.enforce_zero(name, total(halves) + total(&rest) - en * native(max));
    let low = halves[0].clone() + &rest[0] - en * max_low;
    cs.enforce(name, low.clone(), low - en * pow2(128), Lc::zero());
}

/// `name`: value ≠ 0 in the circuit's field. Cost: 1.
pub fn enforce_nonzero(cs: &mut Cs, en: Wire, name: &'static str, value: impl Into<Lc>) {
    let value = value.into();
    let inverse = cs.witness(name, value.value().inverse().unwrap_or_default());
    cs.enforce(name, value, inverse, en);
}

/// a − b modulo 2²⁵⁶.
fn sub_words(a: Words, b: Words) -> Words {
    let mut borrow = false;
    std::array::from_fn(|i| {
        let (d, b1) = a[i].overflowing_sub(b[i]);
        let (d, b2) = d.overflowing_sub(u64::from(borrow));
        borrow = b1 || b2;
        d
    })
}
