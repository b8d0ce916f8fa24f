//! Short relations between two scalars, over the Eisenstein integers Z\[ω\], ω² + ω + 1 = 0.
//!
//! Z\[ω\]/π ≅ Z/n by ω ↦ λ for a π of norm n. For given r and s the pairs (α, β) with s·α + r·β ≡ 0 modulo π are a lattice
//! of rank 2 over Z\[ω\], of rank 4 and determinant n over Z, with basis (π, 0), (v, 1), v = −r/s. By Minkowski it has a
//! non-zero vector with all four coordinates at most n^¼ < 2⁶⁴ in absolute value; a reduced basis and a small
//! enumeration find it.
//!
//! The digits with their corrections reach every vector with coordinates up to 2⁶⁴ − 3. Minkowski's bound itself would
//! not do, but it is not attained: a lattice that attains it tiles space with cubes (Hajós) and so holds a unit vector,
//! which over Z\[ω\] needs a determinant, scaled to 1, that is a unit; π/√n has the argument −50.6°, and units multiples of 60°.
//! A search for the worst such lattice ends at 0.9535·2⁶⁴ (docs/audits/secp256k1.md).

use num_bigint::{BigInt, Sign};

use super::curve::ScalarField;
use crate::gadgets::nonnative::words;

/// π = π₁ − π₂·ω with π₁ − π₂·λ ≡ 0 modulo n and norm n.
const PI: [u128; 2] = [0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15, 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3];

/// α = α₁ + α₂·ω and β = β₁ + β₂·ω.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    pub alpha: [i128; 2],
    pub beta: [i128; 2],
}

#[derive(Clone, Debug)]
struct Eisenstein(BigInt, BigInt);

type Vector = [Eisenstein; 2];

impl Eisenstein {
    fn mul(&self, other: &Self) -> Self {
        let bd = &self.1 * &other.1;
        Self(&self.0 * &other.0 - &bd, &self.0 * &other.1 + &self.1 * &other.0 - bd)
    }

    fn sub(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0, &self.1 - &other.1)
    }

    fn conjugate(&self) -> Self {
        Self(&self.0 - &self.1, -&self.1)
    }

    fn is_zero(&self) -> bool {
        self.0.sign() == Sign::NoSign && self.1.sign() == Sign::NoSign
    }
}

fn inner(x: &Vector, y: &Vector) -> Eisenstein {
    let (a, b) = (x[0].mul(&y[0].conjugate()), x[1].mul(&y[1].conjugate()));
    Eisenstein(a.0 + b.0, a.1 + b.1)
}

/// The integer nearest to a / b, b > 0.
fn round_div(a: &BigInt, b: &BigInt) -> BigInt {
    let (two_a, two_b): (BigInt, BigInt) = (a * 2 + b, b * 2);
    let quotient = &two_a / &two_b;
    if two_a.sign() == Sign::Minus && &quotient * &two_b != two_a { quotient - 1 } else { quotient }
}

/// Lagrange's reduction over Z\[ω\]. Rounding coordinates leaves a remainder of norm at most ¾, so it terminates.
fn reduce(mut a: Vector, mut b: Vector) -> [Vector; 2] {
    loop {
        let norm = inner(&a, &a).0;
        let product = inner(&b, &a);
        let mu = Eisenstein(round_div(&product.0, &norm), round_div(&product.1, &norm));
        if !mu.is_zero() {
            b = [b[0].sub(&mu.mul(&a[0])), b[1].sub(&mu.mul(&a[1]))];
        }
        if inner(&b, &b).0 >= norm {
            return [a, b];
        }
        std::mem::swap(&mut a, &mut b);
    }
}

fn small(v: &Vector) -> Option<[i128; 4]> {
    let [Eisenstein(a, b), Eisenstein(c, d)] = v;
    let fits = |x: &BigInt| i128::try_from(x).ok().filter(|x| x.unsigned_abs() < 1 << 100);
    Some([fits(a)?, fits(b)?, fits(c)?, fits(d)?])
}

/// The relation s·α + r·β ≡ 0 modulo n whose largest coordinate is smallest.
#[must_use]
pub fn shortest_relation(r: ScalarField, s: ScalarField) -> Option<Relation> {
    let v = words(-r * ark_ff::Field::inverse(&s)?);
    let v = BigInt::from_bytes_le(Sign::Plus, &v.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>());
    let zero = || BigInt::from(0);
    let pi = Eisenstein(BigInt::from(PI[0]), -BigInt::from(PI[1]));
    let one = Eisenstein(BigInt::from(1), zero());
    let basis = reduce([pi, Eisenstein(zero(), zero())], [Eisenstein(v, zero()), one]);

    // The second basis vector is long if the first is very short; then multiples of the first alone are candidates.
    let first = small(&basis[0])?;
    let second = small(&basis[1]);
    let range = || -3i128..=3;
    let mut best: Option<([i128; 4], u128)> = None;
    for (x, y) in range().flat_map(|x| range().map(move |y| (x, y))) {
        let u = combine(first, x, y);
        let others = range().flat_map(|z| range().map(move |w| (z, w)));
        for (z, w) in others.filter(|&zw| zw == (0, 0) || second.is_some()) {
            let t = combine(second.unwrap_or_default(), z, w);
            let candidate: [i128; 4] = std::array::from_fn(|i| u[i] + t[i]);
            let size = candidate.iter().map(|c| c.unsigned_abs()).max().unwrap_or_default();
            if size > 0 && best.is_none_or(|(_, smallest)| size < smallest) {
                best = Some((candidate, size));
            }
        }
    }
    best.map(|([a1, a2, b1, b2], _)| Relation { alpha: [a1, a2], beta: [b1, b2] })
}

/// (x + y·ω)·v.
fn combine(v: [i128; 4], x: i128, y: i128) -> [i128; 4] {
    let mul = |a: i128, b: i128| [a * x - b * y, a * y + b * x - b * y];
    let ([a, b], [c, d]) = (mul(v[0], v[1]), mul(v[2], v[3]));
    [a, b, c, d]
}
