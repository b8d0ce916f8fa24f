//! Relations modulo p = 2²⁵⁶ − c, c = 2³² + 977.
//!
//! # The relation
//!
//! E = Σ kᵢ·aᵢ·bᵢ + L − (H + q)·p = 0 over the integers, where L is linear, q is a hint, and
//! H = Σ kᵢ·(2¹⁶·(a₁b₂ + a₂b₁) + 2⁹⁶·a₂b₂) is the part of the products at or above 2²⁵⁶, divided by 2²⁵⁶.
//! Putting H into the quotient folds these parts with 2²⁵⁶ ≡ c: what remains, Σ k·a·b − H·p, is only 353 bits wide, so
//! that q has 98 bits instead of 256 and two moduli of 254 and 128 bits suffice.
//!
//! ```text
//! product  u = a₁b₂, v = a₂b₁, w = a₂b₂                  full limbs                  3 (2 for a square)
//!          t = low(a₀)low(b₁) + low(a₁)low(b₀)           modulo 2³²                  2 (1)
//!          t' = low(a₂)low(b₂)                           modulo 2³²                  1
//! native   Σ k·a·b + L = (H + q)·p                       modulo the native field     1 a product
//! binary   Σ k·(a₀b₀ + 2⁹⁶·t + c·(2¹⁶(u + v) + 2⁹⁶·t')) + c·q + L = 2¹²⁸·carry       1 a product
//! q: 7 lookups, carry: 6 lookups
//! ```
//! One product: 21 constraints; one square: 19. A multiple by a constant is cheaper, see [`enforce_multiple`].
//!
//! # Bounds
//!
//! Operands are values or differences of two values, so their limbs are below 2⁹⁶, 2⁸⁰, 2⁸⁰ in absolute value and their
//! low parts below 2³². With κ = Σ|k| ≤ 8 (asserted):
//! * |Σ k·a·b − H·p| < κ·(2·2³⁵² + 2³⁵² + 2²⁹¹) < 2³⁵⁷, |L| < 2²⁶⁵, |q·p| ≤ 2¹¹¹·2²⁵⁶; so |E| < 2³⁶⁸ < r·2¹²⁸ (r > 2²⁵³
//!   the native modulus): E ≡ 0 modulo both means E = 0. Honest |q| < 2¹⁰² fits 7 pieces.
//! * the left side of the binary equation is below κ·(2¹⁹² + 2¹⁶² + 2²¹⁰) + 2¹⁴⁵ + 2¹⁷⁷ < 2²¹⁴, and |2¹²⁸·carry| ≤ 2²²³: no
//!   wrap in the native field, so it holds over the integers. Honest |carry| < 2⁸⁶ fits 6 pieces.
//! * the left side is E modulo 2¹²⁸: 2²⁵⁶ ≡ 0, products of weight 2⁹⁶ matter modulo 2³² only, and the other weights
//!   (2¹⁷⁶, 2¹⁹²) vanish.

use std::{rc::Rc, sync::LazyLock};

use alloy_primitives::U256;
use ark_ff::Field;

use super::{PIECES, Words, native};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{pow2, range, zero::enforce_nonzero},
};

/// c with p = 2²⁵⁶ − c.
pub const FOLD: u64 = (1 << 32) + 977;

/// p, least significant word first.
pub const MODULUS: Words = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];

struct Constants {
    p: F,
    p_inverse: F,
    p_squared: F,
    fold: F,
    p16: F,
    p96: F,
    p96_inverse: F,
    p128: F,
    p128_inverse: F,
    p176: F,
}

static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
    let (p, p96, p128) = (native(MODULUS), pow2(96), pow2(128));
    Constants {
        p,
        p_inverse: p.inverse().unwrap_or_default(),
        p_squared: p * p,
        fold: F::from(FOLD),
        p16: pow2(16),
        p96,
        p96_inverse: p96.inverse().unwrap_or_default(),
        p128,
        p128_inverse: p128.inverse().unwrap_or_default(),
        p176: pow2(176),
    }
});

/// An operand of products: a range-checked value, or the difference of two. Not reduced: any residue has one or two
/// representations.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// Limbs of 96, 80 and 80 bits.
    pub limb: [Lc; 3],
    /// Each limb modulo 2³².
    pub low: [Lc; 3],
    /// The whole value in the circuit's field.
    pub native: Lc,
    /// The sixteen pieces of a value that has them; none of a difference or of a value that the bus gave.
    pieces: Rc<[Lc]>,
}

impl Element {
    /// Commits and range-checks a value. Cost: 16.
    pub fn commit(cs: &mut Cs, name: &'static str, en: Wire, value: Words) -> Self {
        Self::from_pieces(&range::commit(cs, name, name, en, value))
    }

    /// From pieces known to be below 2¹⁶.
    #[must_use]
    pub fn from_pieces(pieces: &[Lc; PIECES]) -> Self {
        let part = |from: usize, to: usize| Lc::recompose(&pieces[from..to], 16);
        let (limb, low) = ([part(0, 6), part(6, 11), part(11, 16)], [part(0, 2), part(6, 8), part(11, 13)]);
        Self { pieces: Rc::from(pieces.as_slice()), ..Self::from_limbs(limb, low) }
    }

    /// From limbs and low parts known to be those of a value.
    #[must_use]
    pub fn from_limbs(limb: [Lc; 3], low: [Lc; 3]) -> Self {
        let k = &*CONSTANTS;
        let native = limb[0].clone() + limb[1].clone() * k.p96 + limb[2].clone() * k.p176;
        Self { limb, low, native, pieces: Rc::from([]) }
    }

    /// The two 128-bit halves of a value (not of a difference).
    #[must_use]
    pub fn halves(&self) -> [Lc; 2] {
        let k = &*CONSTANTS;
        let low = self.linear().low;
        let high = (self.native.clone() - &low) * k.p128_inverse;
        [low, high]
    }

    /// The same value as a summand.
    #[must_use]
    pub fn linear(&self) -> Linear {
        Linear {
            low: self.limb[0].clone() + self.low[1].clone() * CONSTANTS.p96,
            native: self.native.clone(),
        }
    }

    /// self − other, an operand if both are values.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let sub = |a: &[Lc; 3], b: &[Lc; 3]| std::array::from_fn(|i| a[i].clone() - &b[i]);
        Self {
            limb: sub(&self.limb, &other.limb),
            low: sub(&self.low, &other.low),
            native: self.native.clone() - &other.native,
            pieces: Rc::from([]),
        }
    }
}

/// A summand: |low| < 2¹²⁸·small with low ≡ native value modulo 2¹²⁸.
#[derive(Clone, Debug, Default)]
pub struct Linear {
    /// The value modulo 2¹²⁸.
    pub low: Lc,
    /// The value in the circuit's field.
    pub native: Lc,
}

impl Linear {
    /// From the two 128-bit halves of a value.
    #[must_use]
    pub fn from_halves(halves: &[Lc; 2]) -> Self {
        Self { low: halves[0].clone(), native: halves[0].clone() + halves[1].clone() * CONSTANTS.p128 }
    }

    /// self + k·other, k small.
    #[must_use]
    pub fn plus(self, k: i64, other: &Self) -> Self {
        let k = F::from(k);
        Self { low: self.low + other.low.clone() * k, native: self.native + other.native.clone() * k }
    }
}

/// A summand of a relation, with its small coefficient.
#[derive(Debug)]
pub enum Product<'a> {
    /// k·a·b.
    Mul(i64, &'a Element, &'a Element),
    /// k·a².
    Square(i64, &'a Element),
}

/// A product a·b left to be the last rank-1 constraint's own.
struct Pending {
    native: (Lc, Lc),
    binary: (Lc, Lc),
}

/// product, quotient, carry, native, binary: Σ products + linear ≡ 0 modulo p. See the module's documentation for equations,
/// costs and bounds.
///
/// # Panics
/// If the sum of the coefficients' absolute values exceeds the bound of the analysis; a matter of code, not of values.
pub fn enforce_zero(cs: &mut Cs, en: Wire, products: &[Product], linear: Linear) {
    let k = &*CONSTANTS;
    let kappa: u64 = products.iter().map(Product::weight).sum();
    assert!(
        kappa <= 8,
        "the coefficients of a relation add up to {kappa}, and its bounds hold for at most 8"
    );

    let Linear { low: mut binary, mut native } = linear;
    let mut high = Lc::zero();
    let mut pending: Option<Pending> = None;
    for product in products {
        let (coeff, cross, top, cross_low, top_low) = product.parts(cs);
        high += (cross.clone() * k.p16 + top * k.p96) * coeff;
        let folded = (cross * k.p16 + top_low * k.p96) * k.fold;
        binary += (cross_low * k.p96 + folded) * coeff;
        if let Some(Pending { native: (a, b), binary: (a0, b0) }) = pending.replace(product.leading(coeff)) {
            native += cs.product("product", a, b);
            binary += cs.product("product", a0, b0);
        }
    }

    let Pending { native: (a, b), binary: (a0, b0) } = pending
        .unwrap_or_else(|| Pending { native: (Lc::zero(), Lc::zero()), binary: (Lc::zero(), Lc::zero()) });
    let quotient_hint = (native.value() + a.value() * b.value()) * k.p_inverse - high.value();
    let quotient = range::signed(cs, "quotient", "quotient", en, 7, quotient_hint);
    cs.enforce("native", a, b, (high + &quotient) * k.p - native);

    binary += quotient * k.fold;
    let carry_hint = (binary.value() + a0.value() * b0.value()) * k.p128_inverse;
    let carry = range::signed(cs, "carry", "carry", en, 6, carry_hint);
    cs.enforce("binary", a0, b0, carry * k.p128 - binary);
}

impl Product<'_> {
    fn weight(&self) -> u64 {
        match self {
            Product::Mul(k, ..) | Product::Square(k, _) => k.unsigned_abs(),
        }
    }

    /// (k, u + v, w, t, t') of the module's documentation.
    fn parts(&self, cs: &mut Cs) -> (F, Lc, Lc, Lc, Lc) {
        let mut mul = |x: &Lc, y: &Lc| -> Lc { cs.product("product", x.clone(), y.clone()).into() };
        match self {
            Product::Mul(k, a, b) => (
                F::from(*k),
                mul(&a.limb[1], &b.limb[2]) + mul(&a.limb[2], &b.limb[1]),
                mul(&a.limb[2], &b.limb[2]),
                mul(&a.low[0], &b.low[1]) + mul(&a.low[1], &b.low[0]),
                mul(&a.low[2], &b.low[2]),
            ),
            Product::Square(k, a) => (
                F::from(*k),
                mul(&a.limb[1], &a.limb[2]) * 2,
                mul(&a.limb[2], &a.limb[2]),
                mul(&a.low[0], &a.low[1]) * 2,
                mul(&a.low[2], &a.low[2]),
            ),
        }
    }

    /// k·a·b natively and k·a₀·b₀, as factors.
    fn leading(&self, k: F) -> Pending {
        let (a, b) = match self {
            Product::Mul(_, a, b) => (a, b),
            Product::Square(_, a) => (a, a),
        };
        Pending {
            native: (a.native.clone() * k, b.native.clone()),
            binary: (a.limb[0].clone() * k, b.limb[0].clone()),
        }
    }
}

/// quotient, carry, native, binary: constant·x − image ≡ 0 modulo p, for values with pieces and a constant below 2²⁵⁶.
///
/// E = Σ pieceᵢ·Cᵢ − image − q·p = 0 over the integers, where Cᵢ = constant·2^(16i) reduced modulo p, and so q is small:
///
/// ```text
/// native   Σ pieceᵢ·Cᵢ − image = q·p                       modulo the native field
/// binary   Σ pieceᵢ·(Cᵢ mod 2⁹⁶) − image₀ + q·c = 2⁹⁶·carry  modulo 2⁹⁶, where p ≡ −c
/// q: 2 lookups, carry: 2 lookups
/// ```
/// Cost: 6. Bounds: Σ pieceᵢ·Cᵢ < 2²⁷⁶, so an honest q is below 2²⁰, and |q| ≤ 2³¹ makes |E| < 2²⁸⁸ < r·2⁹⁶: E ≡ 0 modulo both
/// means E = 0. Each side of the binary equation is below 2¹²⁸: no wrap in the native field. Its left side is between −2⁹⁶ and
/// 2¹¹⁷ for an honest q, so an honest carry is below 2²¹.
///
/// # Panics
/// If `x` has no pieces; a matter of code, not of values.
pub fn enforce_multiple(cs: &mut Cs, en: Wire, x: &Element, constant: Words, image: &Element) {
    let k = &*CONSTANTS;
    assert_eq!(x.pieces.len(), PIECES, "a difference or a value from the bus has no pieces to multiply");
    let (mut native_sum, mut low_sum) = (Lc::zero(), Lc::zero());
    for (piece, c) in x.pieces.iter().zip(shifted_constants(constant)) {
        native_sum += piece.clone() * native(c);
        low_sum += piece.clone() * constant_limbs(c).0[0];
    }
    native_sum -= &image.native;
    low_sum -= &image.limb[0];
    let quotient = range::signed(cs, "quotient", "quotient", en, 2, native_sum.value() * k.p_inverse);
    cs.enforce_equal("native", native_sum, quotient.clone() * k.p);
    low_sum += quotient * k.fold;
    let carry = range::signed(cs, "carry", "carry", en, 2, low_sum.value() * k.p96_inverse);
    cs.enforce_equal("binary", low_sum, carry * k.p96);
}

/// constant·2^(16i) modulo p.
fn shifted_constants(constant: Words) -> impl Iterator<Item = Words> {
    let double = |x: Words| {
        let doubled: Words = std::array::from_fn(|i| x[i] << 1 | if i > 0 { x[i - 1] >> 63 } else { 0 });
        // x < p, so 2x − 2²⁵⁶ + c < p where the top bit is lost.
        if x[3] >> 63 == 1 { plus(doubled, [FOLD, 0, 0, 0]).0 } else { reduced(doubled) }
    };
    std::iter::successors(Some(reduced(constant)), move |x| Some((0..16).fold(*x, |x, _| double(x))))
}

/// x modulo p for x < 2²⁵⁶: x + c overflows iff x ≥ p.
fn reduced(x: Words) -> Words {
    match plus(x, [FOLD, 0, 0, 0]) {
        (rest, true) => rest,
        (_, false) => x,
    }
}

/// a + b modulo 2²⁵⁶, and whether it overflowed.
fn plus(a: Words, b: Words) -> (Words, bool) {
    let (sum, overflow) = U256::from_limbs(a).overflowing_add(U256::from_limbs(b));
    (sum.into_limbs(), overflow)
}

/// Limbs and low parts of a constant.
pub(crate) fn constant_limbs(x: Words) -> ([F; 3], [F; 3]) {
    let limb = [
        u128::from(x[0]) | u128::from(x[1] & 0xffff_ffff) << 64,
        u128::from(x[1] >> 32) | u128::from(x[2] & 0xffff_ffff_ffff) << 32,
        u128::from(x[2] >> 48) | u128::from(x[3]) << 16,
    ];
    (limb.map(F::from), limb.map(|l| F::from(l & 0xffff_ffff)))
}

/// x₁ ≢ x₂ modulo p, for the difference d = x₁ − x₂ of two values: d·(d² − p²)·inverse = 1.
///
/// Cost: 3. Soundness: |d| < 2²⁵⁶ < 2p, so x₁ ≡ x₂ iff d ∈ {−p, 0, p}, and then the product is zero. An honest d is
/// refused only if d or d ± p is a multiple of the native modulus. Without it the slope λ(x₁ − x₂) = y₁ − y₂ is free
/// when both sides vanish.
pub fn enforce_distinct(cs: &mut Cs, name: &'static str, en: Wire, d: &Lc) {
    let k = &*CONSTANTS;
    let square = cs.product(name, d.clone(), d.clone());
    let cube = cs.product(name, d.clone(), square - en * k.p_squared);
    enforce_nonzero(cs, name, en, cube);
}

/// Committed limbs and low parts whose ranges follow from where the bus got them. Cost: 0.
pub fn limbs_from_bus(cs: &mut Cs, name: &'static str, value: Words) -> Element {
    let (limb, low) = constant_limbs(value);
    let limb = limb.map(|v| cs.commit(name, v).into());
    Element::from_limbs(limb, low.map(|v| cs.commit(name, v).into()))
}
