//! Evaluation domains: the subgroups H of 2ᵏ, 3·2ᵏ or 9·2ᵏ roots of unity, and the transforms between the n coefficients of a
//! polynomial and its n values on a coset g·H. Not here: which polynomials are transformed (`qap`).
//!
//! A transform walks a tree. A node stands for the remainder modulo Xᴸ − sᴸ, held in L neighbouring elements; a step takes it
//! to the remainders modulo the factors of that polynomial, in place:
//!
//! ```text
//! Xᴸ − sᴸ = (Xᴸ′ − z)·(Xᴸ′ − η·z)·(Xᴸ′ − η²·z)    L′ = L/3, z = sᴸ′, η³ = 1      1 multiplication an element
//! Xᴸ − sᴸ = (Xᴸ′ − z)·(Xᴸ′ + z)                  L′ = L/2, z = sᴸ′              ½ multiplication an element
//! ```
//! The root is Xⁿ − gⁿ; the leaves are X − s for the points s of g·H, whose remainders are the values. Radix-3 steps come
//! first, at most two of them, then radix-2 steps. z is one constant for a whole node and contains g, so that a coset costs
//! no pass of its own, and multiplications by z = 1 are left out.
//!
//! **The order of the points is the order of the leaves.** It is not that of the powers of a generator: any assignment of
//! rows to points is sound as long as key and prover agree, and this order needs no permutation in either direction.
//! docs/adr/0009 compares the costs.

use ark_ff::{FftField, batch_inversion};
use rayon::prelude::*;

use crate::F;

/// Nodes up to this length are transformed by one thread, level by level: they fit into the cache of a core.
const SERIAL: usize = 1 << 12;
/// Fewest elements that are worth a task of their own.
const GRAIN: usize = 1 << 10;
/// Larger domains are refused: `msm` numbers points with 31 bits, and no machine holds such a key.
const MAX_SIZE: usize = 1 << 28;

/// A subgroup of order n = m·N of the units of `P`, m being 1, 3 or 9 and N a power of two.
#[derive(Clone, Debug)]
pub struct Domain<P = F> {
    size: usize,
    /// N: length of the nodes at which the radix-2 steps begin.
    block: usize,
    /// The first point of each of these m nodes.
    shifts: Vec<P>,
    /// For i < N/2: the product over the bits j of i of the roots of unity of order 2^(j+2). A node of the radix-2 steps with
    /// the number i among those of its length and block has z = (g·shift)ᴸ′·rootsᵢ.
    roots: Vec<P>,
    /// η, a cube root of unity other than one; one if m is.
    eta: P,
    /// 1/n.
    size_inverse: P,
}

/// The smallest size that holds `rows`, or `None` above 2²⁸.
#[must_use]
pub fn size_for(rows: usize) -> Option<usize> {
    if rows > MAX_SIZE {
        return None;
    }
    [1usize, 3, 9].into_iter().map(|m| m * rows.div_ceil(m).next_power_of_two()).min()
}

impl<P: FftField> Domain<P> {
    /// The smallest domain that holds `rows`, or `None` if there is none of at most 2²⁸ points.
    #[must_use]
    pub fn new(rows: usize) -> Option<Self> {
        let size = size_for(rows)?;
        let block = 1 << size.trailing_zeros();
        let generator = P::get_root_of_unity(size as u64)?;
        // Leaf 3·i + j of two radix-3 steps is the j-th child of the i-th child of the root.
        let exponents: &[u64] = match size / block {
            1 => &[0],
            3 => &[0, 1, 2],
            _ => &[0, 3, 6, 1, 4, 7, 2, 5, 8],
        };
        let shifts = exponents.iter().map(|e| generator.pow([*e])).collect();
        let eta = if size == block { P::ONE } else { generator.pow([size as u64 / 3]) };
        let size_inverse = P::from(size as u64).inverse()?;
        Some(Self { size, block, shifts, roots: roots(generator, size, block), eta, size_inverse })
    }

    /// n.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// 1/n.
    #[must_use]
    pub fn size_inverse(&self) -> P {
        self.size_inverse
    }

    /// The points of H, in order.
    #[must_use]
    pub fn points(&self) -> Vec<P> {
        let block = |shift: &P| -> Vec<P> {
            match self.block {
                1 => vec![*shift],
                _ => self.roots.iter().map(|root| *root * shift).flat_map(|point| [point, -point]).collect(),
            }
        };
        self.shifts.iter().flat_map(block).collect()
    }

    /// xⁿ − 1: zero on H and nowhere else.
    #[must_use]
    pub fn vanishing(&self, x: P) -> P {
        x.pow([self.size as u64]) - P::ONE
    }

    /// For each point p of H, in order, the polynomial that is one at p and zero at the other points, evaluated at t:
    ///
    /// ```text
    /// (tⁿ − 1)·p / (n·(t − p))
    /// ```
    /// `None` if t is in H, where t − p is zero for one p.
    #[must_use]
    pub fn lagrange(&self, t: P) -> Option<Vec<P>> {
        let scale = self.vanishing(t) * self.size_inverse;
        if scale.is_zero() {
            return None;
        }
        let points = self.points();
        let mut values: Vec<P> = points.par_iter().with_min_len(GRAIN).map(|p| t - p).collect();
        batch_inversion(&mut values);
        values.par_iter_mut().zip(&points).with_min_len(GRAIN).for_each(|(v, p)| *v *= scale * p);
        Some(values)
    }

    /// Coefficients to values on g·H, in the order of [`Self::points`]. There are n of them, and g is not zero.
    pub fn evaluate(&self, g: P, elements: &mut [P]) {
        debug_assert_eq!(elements.len(), self.size);
        let mut length = self.size;
        while length > self.block {
            for (part, shift) in
                elements.chunks_exact_mut(length).zip(self.shifts.iter().step_by(length / self.block))
            {
                let z = (g * shift).pow([length as u64 / 3]);
                let (z2, eta) = (z.square(), self.eta);
                thirds(part, |a, b, c| {
                    // η² = −1 − η, so that one product with η serves all three.
                    let (zb, zc) = (z * *b, z2 * *c);
                    let turned = eta * (zb - zc);
                    (*b, *c) = (*a - zc + turned, *a - zb - turned);
                    *a += zb + zc;
                });
            }
            length /= 3;
        }
        elements.par_chunks_exact_mut(self.block).zip(&self.shifts).for_each(|(part, shift)| {
            self.split(&self.powers(g * shift), 0, part);
        });
    }

    /// Values on g·H to **n times** the coefficients: a chain of transforms divides once, by the product of the factors.
    /// There are n values, and g is not zero.
    pub fn interpolate(&self, g: P, elements: &mut [P]) {
        debug_assert_eq!(elements.len(), self.size);
        // g is not zero: zero times H is no coset.
        let g = g.inverse().unwrap_or(P::ZERO);
        let inverses: Vec<P> = self.shifts.iter().map(|s| s.inverse().unwrap_or(P::ZERO)).collect();
        elements.par_chunks_exact_mut(self.block).zip(&inverses).for_each(|(part, shift)| {
            self.join(&self.powers(g * shift), 0, part);
        });
        let mut length = 3 * self.block;
        while length <= self.size {
            for (part, shift) in
                elements.chunks_exact_mut(length).zip(inverses.iter().step_by(length / self.block))
            {
                let z = (g * shift).pow([length as u64 / 3]);
                let (z2, eta) = (z.square(), self.eta);
                thirds(part, |a, b, c| {
                    let turned = eta * (*c - *b);
                    let (zb, zc) = (*a - *b + turned, *a - *c - turned);
                    *a += *b + *c;
                    (*b, *c) = (z * zb, z2 * zc);
                });
            }
            length *= 3;
        }
    }

    /// s^(2ʲ) for the j with 2ʲ < N.
    fn powers(&self, s: P) -> Vec<P> {
        std::iter::successors(Some(s), |s| Some(s.square())).take(self.block.ilog2() as usize).collect()
    }

    /// The radix-2 steps of [`Self::evaluate`] below the node `number` of its length in a block.
    fn split(&self, powers: &[P], number: usize, part: &mut [P]) {
        if part.len() > SERIAL {
            let z = product(powers[part.len().ilog2() as usize - 1], self.roots[number]);
            let (low, high) = part.split_at_mut(part.len() / 2);
            if z.is_one() {
                halves(low, high, |a, b| (*a, *b) = (*a + *b, *a - *b));
            } else {
                halves(low, high, |a, b| {
                    let zb = z * *b;
                    (*a, *b) = (*a + zb, *a - zb);
                });
            }
            // Depth first: a half that has become small stays in the cache until it is done.
            rayon::join(|| self.split(powers, 2 * number, low), || self.split(powers, 2 * number + 1, high));
            return;
        }
        let (mut length, mut number) = (part.len(), number);
        while length > 1 {
            let power = powers[length.ilog2() as usize - 1];
            for (pair, root) in part.chunks_exact_mut(length).zip(&self.roots[number..]) {
                let z = product(power, *root);
                let (low, high) = pair.split_at_mut(length / 2);
                for (a, b) in low.iter_mut().zip(high) {
                    let zb = z * *b;
                    (*a, *b) = (*a + zb, *a - zb);
                }
            }
            (length, number) = (length / 2, 2 * number);
        }
    }

    /// Inverse of [`Self::split`] up to the factor N; `powers` are those of the inverse.
    fn join(&self, powers: &[P], number: usize, part: &mut [P]) {
        if part.len() > SERIAL {
            let (low, high) = part.split_at_mut(part.len() / 2);
            rayon::join(|| self.join(powers, 2 * number, low), || self.join(powers, 2 * number + 1, high));
            let z = product(powers[low.len().ilog2() as usize], self.root_inverse(number));
            if z.is_one() {
                halves(low, high, |a, b| (*a, *b) = (*a + *b, *a - *b));
            } else {
                halves(low, high, |a, b| (*a, *b) = (*a + *b, z * (*a - *b)));
            }
            return;
        }
        let mut length = 2;
        while length <= part.len() {
            let power = powers[length.ilog2() as usize - 1];
            let first = number * (part.len() / length);
            for (pair, number) in part.chunks_exact_mut(length).zip(first..) {
                let z = product(power, self.root_inverse(number));
                let (low, high) = pair.split_at_mut(length / 2);
                for (a, b) in low.iter_mut().zip(high) {
                    (*a, *b) = (*a + *b, z * (*a - *b));
                }
            }
            length *= 2;
        }
    }

    /// 1/rootsᵢ. Let 2ʲ be the highest bit of i, and i′ be i with all lower bits flipped. In rootsᵢ·rootsᵢ′ the root of order
    /// 2^(j+2) occurs twice and those of lower orders once: 1 + (1 + 2 + … + 2^(j−1)) = 2ʲ times the root of order 2^(j+1),
    /// which is −1.
    fn root_inverse(&self, i: usize) -> P {
        match i.checked_ilog2() {
            None => P::ONE,
            Some(j) => -self.roots[(3 << j) - 1 - i],
        }
    }
}

/// The table of [`Domain::roots`], each bit doubling what is there.
fn roots<P: FftField>(generator: P, size: usize, block: usize) -> Vec<P> {
    let mut roots = vec![P::ONE; block / 2];
    let mut length = 1;
    while length < block / 2 {
        let root = generator.pow([(size / (4 * length)) as u64]);
        let (done, rest) = roots.split_at_mut(length);
        rest[..length].par_iter_mut().zip(done).with_min_len(GRAIN).for_each(|(new, old)| *new = root * *old);
        length *= 2;
    }
    roots
}

/// The product, without a multiplication where the first factor is one: on H itself it is, in the first block.
fn product<P: FftField>(power: P, root: P) -> P {
    if power.is_one() { root } else { power * root }
}

/// Applies `step` to the pairs of the two halves of a node.
fn halves<P: FftField>(low: &mut [P], high: &mut [P], step: impl Fn(&mut P, &mut P) + Sync) {
    low.par_iter_mut().zip(high).with_min_len(GRAIN).for_each(|(a, b)| step(a, b));
}

/// Applies `step` to the triples of the three thirds of a node.
fn thirds<P: FftField>(part: &mut [P], step: impl Fn(&mut P, &mut P, &mut P) + Sync) {
    let (first, rest) = part.split_at_mut(part.len() / 3);
    let (second, third) = rest.split_at_mut(first.len());
    let triples = first.par_iter_mut().zip(second).zip(third).with_min_len(GRAIN);
    triples.for_each(|((a, b), c)| step(a, b, c));
}
