//! Sums of products that are reduced once, at the end.

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};

const LIMBS: usize = 4;
const MODULUS: [u64; LIMBS] = Fr::MODULUS.0;
/// The modulus without its lower 224 bits.
const MODULUS_HIGH: u64 = MODULUS[3] >> 32;

/// An integer below 2⁵⁷⁶, least significant limb first. Field elements are in Montgomery form, x·2²⁵⁶ mod p, as ark-ff
/// keeps them; a sum of products of two such forms has a factor of 2²⁵⁶ too many, which [`Self::reduce`] takes away.
#[derive(Clone, Copy)]
pub(super) struct Wide([u64; 2 * LIMBS + 1]);

/// a + b·c + carry as (low, high): at most (2⁶⁴ − 1) + (2⁶⁴ − 1)² + (2⁶⁴ − 1) = 2¹²⁸ − 1, so nothing wraps.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let sum =
        u128::from(a).wrapping_add(u128::from(b).wrapping_mul(u128::from(c))).wrapping_add(u128::from(carry));
    // The two halves: truncation is intended.
    (sum as u64, (sum >> 64) as u64)
}

/// a + b + carry as (sum, carry).
#[inline(always)]
fn add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// a − b, and whether a < b.
#[inline(always)]
fn subtract(a: [u64; LIMBS], b: [u64; LIMBS]) -> ([u64; LIMBS], bool) {
    let mut borrow = false;
    let mut out = [0; LIMBS];
    for i in 0..LIMBS {
        let (difference, first) = a[i].overflowing_sub(b[i]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        (out[i], borrow) = (difference, first | second);
    }
    (out, borrow)
}

impl Wide {
    /// The sum that reduces to `x`.
    #[inline(always)]
    pub fn of(x: Fr) -> Self {
        let mut out = [0; 2 * LIMBS + 1];
        out[LIMBS..2 * LIMBS].copy_from_slice(&x.0.0);
        Self(out)
    }

    #[inline(always)]
    pub fn add_product(&mut self, a: &Fr, b: &Fr) {
        let mut product = [0; 2 * LIMBS];
        for (i, &limb) in a.0.0.iter().enumerate() {
            let mut carry = 0;
            for (j, &other) in b.0.0.iter().enumerate() {
                (product[i + j], carry) = multiply_add(product[i + j], limb, other, carry);
            }
            product[i + LIMBS] = carry;
        }
        let mut carry = false;
        for (limb, &other) in self.0.iter_mut().zip(&product) {
            (*limb, carry) = add(*limb, other, carry);
        }
        // Counts carries: it wraps after 2⁶⁴ of them.
        self.0[2 * LIMBS] = self.0[2 * LIMBS].wrapping_add(u64::from(carry));
    }

    /// The products of elements in the same place, as far as the shorter slice goes.
    #[inline(always)]
    pub fn add_products(&mut self, a: &[Fr], b: &[Fr]) {
        for (a, b) in a.iter().zip(b) {
            self.add_product(a, b);
        }
    }

    /// Montgomery's reduction: adds the multiple of p that clears the lower 256 bits and drops them.
    ///
    /// Source: Montgomery, "Modular multiplication without trial division", 1985.
    #[inline(always)]
    pub fn reduce(self) -> Fr {
        let sum = self.0;
        let mut r = [sum[0], sum[1], sum[2], sum[3]];
        let mut above = false;
        for i in 0..LIMBS {
            let multiple = r[0].wrapping_mul(Fr::INV);
            let (_, mut carry) = multiply_add(r[0], multiple, MODULUS[0], 0);
            for j in 1..LIMBS {
                (r[j - 1], carry) = multiply_add(r[j], multiple, MODULUS[j], carry);
            }
            (r[LIMBS - 1], above) = add(sum[i + LIMBS], carry, above);
        }
        let top = sum[2 * LIMBS].wrapping_add(u64::from(above));
        // r + top·2²⁵⁶ is below n·p²/2²⁵⁶ + 2p for a sum of n products and one element: below 7p for the 26 products that a
        // caller adds at most. The quotient by p is taken from the bits above 2²²⁴ with a divisor that is rounded up, so it is
        // never too large, and too small by less than 1 + 8/MODULUS_HIGH.
        let high = (top << 32) | (r[LIMBS - 1] >> 32);
        let quotient = high / (MODULUS_HIGH + 1);
        let mut multiple = [0; LIMBS];
        let mut carry = 0;
        for (limb, &modulus) in multiple.iter_mut().zip(&MODULUS) {
            (*limb, carry) = multiply_add(0, quotient, modulus, carry);
        }
        // What is left is below 2p < 2²⁵⁶: `top` cancels against the borrow.
        let (r, _) = subtract(r, multiple);
        let (less, below) = subtract(r, MODULUS);
        // Below p, in Montgomery form.
        Fr::new_unchecked(BigInt(if below { r } else { less }))
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn assert_sum(first: Fr, a: &[Fr], b: &[Fr]) {
        let mut sum = Wide::of(first);
        sum.add_products(a, b);
        let got = sum.reduce();
        assert_eq!(got, first + a.iter().zip(b).map(|(a, b)| *a * b).sum::<Fr>());
        assert!(got.0 < Fr::MODULUS, "not reduced");
    }

    #[test]
    fn accepts_sums_of_up_to_26_products() {
        let mut rng = StdRng::seed_from_u64(3);
        // The largest element in Montgomery form, and the smallest.
        let largest = Fr::new_unchecked(BigInt(subtract(MODULUS, [1, 0, 0, 0]).0));
        let smallest = Fr::new_unchecked(BigInt([1, 0, 0, 0]));
        for n in 0..=26 {
            for edge in [largest, smallest, Fr::from(0u64), -Fr::from(1u64)] {
                for other in [largest, smallest] {
                    assert_sum(other, &vec![edge; n], &vec![other; n]);
                }
            }
            for _ in 0..100 {
                let mut random = || -> Vec<Fr> { (0..n).map(|_| Fr::rand(&mut rng)).collect() };
                let (a, b) = (random(), random());
                assert_sum(Fr::rand(&mut rng), &a, &b);
            }
        }
    }
}
