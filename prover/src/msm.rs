//! Multi-scalar multiplication Σ sᵢ·Pᵢ: Pippenger's buckets, filled by affine additions that share their inversions.
//!
//! ```text
//! scalars ─► centred (|s| < r/2, sign) ─► signed digits of c bits ─► per window: points sorted by bucket
//!         ─► runs of equal bucket halved again and again by affine additions ─► buckets added to rows and columns
//!         ─► running sums over rows and over columns
//! ```
//! An affine addition costs six field multiplications with its share of the inversion, a mixed one in the coordinates of
//! ark-ec's buckets ten. A scalar costs as many additions as it has digits other than zero, so small values and small
//! negative values are cheap; c is chosen by the sizes of the scalars at hand.

use ark_bn254::{G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use rayon::prelude::*;

use crate::F;

/// More than the bits of a centred scalar.
const BITS: usize = F::MODULUS_BIT_SIZE as usize;
/// Points whose additions share an inversion; sized to stay in a core's cache.
const CHUNK: usize = 1 << 13;
/// Below this number of additions an inversion does not pay.
const MIN_PAIRS: usize = 24;
/// The sign's bit in the highest limb.
const SIGN: u64 = 1 << 63;

/// Σ scalarᵢ·pointᵢ in G1. Points may repeat and may be infinity.
pub fn g1(points: &[G1Affine], scalars: &[BigInt<4>]) -> G1Projective {
    msm(points, scalars)
}

/// Σ scalarᵢ·pointᵢ in G2. Points may repeat and may be infinity.
pub fn g2(points: &[G2Affine], scalars: &[BigInt<4>]) -> G2Projective {
    msm(points, scalars)
}

fn msm<P: SWCurveConfig>(points: &[Affine<P>], scalars: &[BigInt<4>]) -> Projective<P> {
    debug_assert_eq!(points.len(), scalars.len());
    let digits = Digits::new(scalars);
    let sums: Vec<Projective<P>> =
        (0..digits.windows).into_par_iter().map(|w| window(points, &digits, w)).collect();
    sums.into_iter().rev().fold(Projective::zero(), |mut total, sum| {
        for _ in 0..digits.width {
            total.double_in_place();
        }
        total + sum
    })
}

/// Scalars in a form that gives each window's signed digit without the windows below.
///
/// With H = Σ 2^(c−1)·2^(c·w) over all windows but the last, |s| + H has plain digits; subtracting 2^(c−1) from each gives
/// signed digits of |s|. The last window takes what is left, carry included: at most 2^(c−1), since windows·c exceeds the
/// bits of the longest scalar.
struct Digits {
    /// |s| + H < 2²⁵⁵, the sign of s in the highest bit.
    limbs: Vec<[u64; 4]>,
    width: usize,
    windows: usize,
}

impl Digits {
    fn new(scalars: &[BigInt<4>]) -> Self {
        let mut half = F::MODULUS;
        half.div2();
        let mut limbs: Vec<[u64; 4]> = scalars
            .par_iter()
            .with_min_len(1024)
            .map(|s| {
                if *s <= half {
                    return s.0;
                }
                let mut magnitude = F::MODULUS;
                magnitude.sub_with_borrow(s);
                magnitude.0[3] |= SIGN;
                magnitude.0
            })
            .collect();
        let mut sizes = [0usize; BITS + 1];
        for s in &limbs {
            sizes[BigInt([s[0], s[1], s[2], s[3] & !SIGN]).num_bits() as usize] += 1;
        }
        let longest = sizes.iter().rposition(|n| *n > 0).unwrap_or(0);
        let width = best_width(&sizes, longest);
        let windows = (longest + 1).div_ceil(width);
        let mut shift = BigInt::<4>::zero();
        for w in 0..windows - 1 {
            let bit = width * w + width - 1;
            shift.0[bit / 64] |= 1 << (bit % 64);
        }
        // The sum stays below 2²⁵⁵: the sign is not touched.
        limbs.par_iter_mut().with_min_len(1024).for_each(|s| {
            let mut sum = BigInt(*s);
            sum.add_with_carry(&shift);
            *s = sum.0;
        });
        Self { limbs, width, windows }
    }

    /// (|digit|, whether it is subtracted) of a scalar in window `w`.
    fn get(&self, s: &[u64; 4], w: usize) -> (usize, bool) {
        let (limb, offset) = (self.width * w / 64, self.width * w % 64);
        let at = |i: usize| if i == 3 { s[3] & !SIGN } else { s[i] };
        let mut bits = at(limb) >> offset;
        if offset + self.width > 64 && limb < 3 {
            bits |= at(limb + 1) << (64 - offset);
        }
        let bits = (bits & ((1 << self.width) - 1)) as usize;
        let negative = s[3] & SIGN != 0;
        if w + 1 == self.windows {
            return (bits, negative);
        }
        let half = 1 << (self.width - 1);
        (bits.abs_diff(half), negative ^ (bits < half))
    }
}

/// The width with the least work for `sizes[b]` scalars of b bits: 6 multiplications an addition, 12 and some for the two
/// additions of a bucket to its row and to its column.
fn best_width(sizes: &[usize; BITS + 1], longest: usize) -> usize {
    let cost = |c: usize| {
        let additions: usize = sizes.iter().enumerate().skip(1).map(|(b, n)| n * (b + 1).div_ceil(c)).sum();
        6 * additions + 14 * ((longest + 1).div_ceil(c) << (c - 1))
    };
    (2..=18).min_by_key(|c| cost(*c)).unwrap_or(2)
}

/// Σ digitᵢ·Pᵢ for one window.
fn window<P: SWCurveConfig>(points: &[Affine<P>], digits: &Digits, w: usize) -> Projective<P> {
    let buckets = (1 << (digits.width - 1)) + 1;
    weigh(sum_by_bucket(points, &sort(digits, w, buckets)), digits.width - 1)
}

/// Σ b·S_b for sums S_b of buckets b ≤ 2^bits, in order; a bucket may have several.
///
/// Buckets are laid out in rows of 2^m. With b = 2^m·row + column, the sum is 2^m·Σ row·(sum of the row) +
/// Σ column·(sum of the column): each bucket is added to its row and to its column by affine additions, 6 multiplications each,
/// and only rows and columns pay for a running sum in projective coordinates, 26 multiplications a step.
pub(crate) fn weigh<P: SWCurveConfig>(sums: Vec<(u32, Affine<P>)>, bits: usize) -> Projective<P> {
    let m = bits / 2;
    let (numbers, points): (Vec<u32>, Vec<Affine<P>>) = sums.into_iter().unzip();
    let entries = |line: &dyn Fn(u32) -> u32| -> Vec<Entry> {
        let all = numbers.iter().zip(0u32..).map(|(b, i)| Entry { bucket: line(*b), signed_index: i << 1 });
        // Row and column 0 have the weight zero.
        all.filter(|entry| entry.bucket != 0).collect()
    };
    let rows = entries(&|b| b >> m);
    let mut columns = entries(&|b| b & ((1 << m) - 1));
    columns.sort_by_key(|entry| entry.bucket);
    let mut total = running_sum(&sum_by_bucket(&points, &rows));
    for _ in 0..m {
        total.double_in_place();
    }
    total + running_sum(&sum_by_bucket(&points, &columns))
}

/// The sums of the points of each bucket, in order. What is left of a bucket at the border of two chunks, or where too few
/// additions are left to share an inversion, comes as several sums.
fn sum_by_bucket<P: SWCurveConfig>(points: &[Affine<P>], entries: &[Entry]) -> Vec<(u32, Affine<P>)> {
    let chunks: Vec<_> = entries.par_chunks(CHUNK).map(|entries| reduce(points, entries)).collect();
    chunks.concat()
}

/// Σ b·S_b, S_b being added b times by adding up all that was seen so far once a step.
fn running_sum<P: SWCurveConfig>(sums: &[(u32, Affine<P>)]) -> Projective<P> {
    let (mut running, mut total) = (Projective::<P>::zero(), Projective::<P>::zero());
    let mut entries = sums.iter().rev().peekable();
    let largest = sums.last().map_or(0, |(bucket, _)| *bucket);
    for bucket in (1..=largest).rev() {
        while let Some((_, point)) = entries.next_if(|(b, _)| *b == bucket) {
            running += point;
        }
        total += running;
    }
    total
}

/// A point's place: its bucket, its index, and whether it is subtracted.
#[derive(Clone, Copy, Default)]
struct Entry {
    bucket: u32,
    signed_index: u32,
}

/// The points with a digit other than zero, by bucket.
fn sort(digits: &Digits, w: usize, buckets: usize) -> Vec<Entry> {
    let mut starts = vec![0u32; buckets + 1];
    for s in &digits.limbs {
        starts[digits.get(s, w).0] += 1;
    }
    starts[0] = 0;
    let mut total = 0;
    for start in &mut starts {
        total += std::mem::replace(start, total);
    }
    let mut sorted = vec![Entry::default(); total as usize];
    for (s, i) in digits.limbs.iter().zip(0u32..) {
        let (bucket, negative) = digits.get(s, w);
        if bucket != 0 {
            let slot = &mut starts[bucket];
            sorted[*slot as usize] =
                Entry { bucket: bucket as u32, signed_index: i << 1 | u32::from(negative) };
            *slot += 1;
        }
    }
    sorted
}

/// Points of one bucket, next to each other.
struct Run {
    bucket: u32,
    start: usize,
    len: usize,
}

/// Sums by bucket, in order; a bucket may keep several points, to be added by the caller.
fn reduce<P: SWCurveConfig>(points: &[Affine<P>], entries: &[Entry]) -> Vec<(u32, Affine<P>)> {
    let mut local: Vec<Affine<P>> = Vec::with_capacity(entries.len());
    let mut runs: Vec<Run> = Vec::new();
    for e in entries {
        let point = points[(e.signed_index >> 1) as usize];
        match runs.last_mut().filter(|run| run.bucket == e.bucket) {
            Some(run) => run.len += 1,
            None => runs.push(Run { bucket: e.bucket, start: local.len(), len: 1 }),
        }
        local.push(if e.signed_index & 1 == 1 { -point } else { point });
    }
    let mut denominators = Vec::with_capacity(local.len() / 2);
    let mut products = Vec::with_capacity(local.len() / 2);
    // Each pass adds the points of every run in pairs, so that its length halves, and inverts the denominators of all pairs
    // together. Results move to the front of `local`: a pair that is read is never behind a result that was written, since
    // two points are read for each one written.
    while runs.iter().map(|run| run.len / 2).sum::<usize>() >= MIN_PAIRS {
        denominators.clear();
        for run in &runs {
            let pairs = local[run.start..run.start + run.len].chunks_exact(2);
            denominators.extend(pairs.map(|pair| denominator(&pair[0], &pair[1])));
        }
        invert(&mut denominators, &mut products);
        let (mut inverses, mut end) = (denominators.iter(), 0);
        for run in &mut runs {
            let from = run.start;
            run.start = end;
            for (k, inverse) in (0..run.len / 2).zip(&mut inverses) {
                local[end] = add(&local[from + 2 * k], &local[from + 2 * k + 1], inverse);
                end += 1;
            }
            if run.len % 2 == 1 {
                local[end] = local[from + run.len - 1];
                end += 1;
            }
            run.len = end - run.start;
        }
    }
    let left =
        runs.iter().flat_map(|run| local[run.start..run.start + run.len].iter().map(|p| (run.bucket, *p)));
    left.collect()
}

/// The denominator of the slope of p + q; one where the sum needs no slope.
fn denominator<P: SWCurveConfig>(p: &Affine<P>, q: &Affine<P>) -> P::BaseField {
    let difference = q.x - p.x;
    if p.is_zero() || q.is_zero() {
        P::BaseField::ONE
    } else if !difference.is_zero() {
        difference
    } else if p.y == q.y && !p.y.is_zero() {
        p.y.double()
    } else {
        P::BaseField::ONE
    }
}

/// p + q, given the inverse of their [`denominator`]. For a curve with a = 0.
fn add<P: SWCurveConfig>(p: &Affine<P>, q: &Affine<P>, inverse: &P::BaseField) -> Affine<P> {
    if p.is_zero() {
        return *q;
    }
    if q.is_zero() {
        return *p;
    }
    let slope = if p.x != q.x {
        (q.y - p.y) * inverse
    } else if p.y == q.y && !p.y.is_zero() {
        let square = p.x.square();
        (square.double() + square) * inverse
    } else {
        return Affine::identity();
    };
    let x = slope.square() - p.x - q.x;
    let y = slope * (p.x - x) - p.y;
    Affine::new_unchecked(x, y)
}

/// Inverts all of `values`, none of them zero, for three multiplications each and one inversion.
fn invert<T: Field>(values: &mut [T], products: &mut Vec<T>) {
    products.clear();
    let mut product = T::ONE;
    for v in values.iter() {
        products.push(product);
        product *= v;
    }
    // No value is zero, so neither is their product.
    let mut inverse = product.inverse().unwrap_or(T::ONE);
    for (v, before) in values.iter_mut().zip(products.iter()).rev() {
        let next = inverse * *v;
        *v = inverse * before;
        inverse = next;
    }
}
