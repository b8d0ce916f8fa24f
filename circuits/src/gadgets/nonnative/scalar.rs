//! Relations modulo the order n of secp256k1's group: few per signature, so without the folding of [`super::base`].
//!
//! Limbs have 96, 96 and 64 bits. E = Σ a·b − q·n = 0 over the integers is checked modulo the native field and modulo
//! 2²⁸⁸, limb by limb:
//!
//! ```text
//! native     Σ a·b = q·n                                                  1 a product
//! position   Σ_{i+j=0} aᵢbⱼ − qᵢnⱼ        = 2⁹⁶·carry₀                    the last product of each is the equation's own
//!            Σ_{i+j=1} aᵢbⱼ − qᵢnⱼ + carry₀ = 2⁹⁶·carry₁
//!            Σ_{i+j=2} aᵢbⱼ − qᵢnⱼ + carry₁ = 2⁹⁶·carry₂
//! q: 17 lookups, carries: 3 × 7
//! ```
//! Two products: 52 constraints. Bounds, for at most two products of values below 2²⁵⁶: Σ a·b < 2⁵¹³, q·n < 2²⁷²⁺²⁵⁶, so
//! |E| < 2⁵²⁹ < 2²⁵³⁺²⁸⁸. A position is below 9·2¹⁹² + 2¹¹² in absolute value and 2⁹⁶·carry below 2²⁰⁸: no wrap natively.
//! Honest q < 2²⁵⁸, |carry| < 2¹⁰¹.
//!
//! A combination with the small scalars of the endomorphism, e = e₁ + λ·e₂ modulo n with |eᵢ| < 2⁶⁶, is linear:
//! E = e₁ + λ·e₂ − e − q·n with |q| ≤ 2⁷⁹, |E| < 2³³⁶ < 2²⁵³⁺⁹⁶, one position:
//! e₁ + λ₀·e₂ − e₀ − q·n₀ = 2⁹⁶·carry, below 2¹⁷⁷ in absolute value, |carry| < 2⁸². Cost: 5 + 6 + 2.

use std::sync::LazyLock;

use ark_ff::Field;
use num_bigint::BigUint;

use super::{PIECES, Words, native};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{pow2, range},
};

/// n, least significant word first.
pub const ORDER: Words = [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX];

/// λ, a cube root of unity modulo n: (x, y) ↦ (β·x, y) is multiplication by λ.
pub const LAMBDA: Words =
    [0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0];

struct Constants {
    order: F,
    order_limb: [F; 3],
    order_inverse: F,
    lambda: F,
    lambda_limb: [F; 3],
    p96: F,
    p96_inverse: F,
}

static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
    let (order, p96) = (native(ORDER), pow2(96));
    Constants {
        order,
        order_limb: constant_limbs(ORDER),
        order_inverse: order.inverse().unwrap_or_default(),
        lambda: native(LAMBDA),
        lambda_limb: constant_limbs(LAMBDA),
        p96,
        p96_inverse: p96.inverse().unwrap_or_default(),
    }
});

fn constant_limbs(x: Words) -> [F; 3] {
    [
        F::from(u128::from(x[0]) | u128::from(x[1] & 0xffff_ffff) << 64),
        F::from(u128::from(x[1] >> 32) | u128::from(x[2]) << 32),
        F::from(x[3]),
    ]
}

/// A value below 2²⁵⁶, standing for its residue modulo n.
#[derive(Clone, Debug, Default)]
pub struct Scalar {
    /// Limbs of 96, 96 and 64 bits.
    limb: [Lc; 3],
    native: Lc,
    value: Words,
}

impl Scalar {
    /// From sixteen range-checked pieces; `value` is what they hold and serves hints only.
    #[must_use]
    pub fn from_pieces(pieces: &[Lc; PIECES], value: Words) -> Self {
        let limb = [0..6, 6..12, 12..16].map(|range| Lc::recompose(&pieces[range], 16));
        Self { native: Lc::recompose(&limb, 96), limb, value }
    }

    /// From thirty-two range-checked bytes, least significant first.
    #[must_use]
    pub fn from_bytes(bytes: &[Lc; 32], value: Words) -> Self {
        let limb = [0..12, 12..24, 24..32].map(|range| Lc::recompose(&bytes[range], 8));
        Self { native: Lc::recompose(&limb, 96), limb, value }
    }

    /// Commits and range-checks a value. Cost: 16.
    pub fn commit(cs: &mut Cs, name: &'static str, en: Wire, value: Words) -> Self {
        Self::from_pieces(&range::commit(cs, name, name, en, value), value)
    }
}

fn big(x: Words) -> BigUint {
    let words = x.iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]);
    BigUint::new(words.collect())
}

/// product, quotient, carry, native, position: a·b + c·d ≡ 0 modulo n. See the module's documentation.
pub fn enforce_sum_zero(cs: &mut Cs, en: Wire, products: [(&Scalar, &Scalar); 2]) {
    let k = &*CONSTANTS;
    let total: BigUint = products.iter().map(|(a, b)| big(a.value) * big(b.value)).sum();
    let digits = (total / big(ORDER)).to_u64_digits();
    let quotient: Vec<Lc> = (0..17)
        .map(|i| {
            let word = digits.get(i / 4).copied().unwrap_or_default();
            range::limb(cs, "quotient", "quotient", en, word >> (16 * (i % 4)) & 0xffff).into()
        })
        .collect();
    let q = [0..6, 6..12, 12..17].map(|range| Lc::recompose(&quotient[range], 16));

    let [(a, b), (c, d)] = products;
    let first = cs.product("product", a.native.clone(), b.native.clone());
    cs.enforce("native", c.native.clone(), d.native.clone(), Lc::recompose(&q, 96) * k.order - first);

    let mut carry = Lc::zero();
    for position in 0..3 {
        let mut sum = carry;
        for (i, limb) in q.iter().enumerate().take(position + 1) {
            sum -= limb.clone() * k.order_limb[position - i];
        }
        for i in 0..=position {
            sum += cs.product("product", a.limb[i].clone(), b.limb[position - i].clone());
            if i > 0 {
                sum += cs.product("product", c.limb[i].clone(), d.limb[position - i].clone());
            }
        }
        let (x, y) = (c.limb[0].clone(), d.limb[position].clone());
        let hint = (sum.value() + x.value() * y.value()) * k.p96_inverse;
        carry = range::signed(cs, "carry", "carry", en, 7, hint);
        cs.enforce("position", x, y, carry.clone() * k.p96 - sum);
    }
}

/// quotient, carry, native, position: e ≡ e₁ + λ·e₂ modulo n, for |e₁|, |e₂| < 2⁶⁶. See the module's documentation.
pub fn enforce_endomorphism(cs: &mut Cs, en: Wire, e: &Scalar, small: [&Lc; 2]) {
    let k = &*CONSTANTS;
    let [e1, e2] = small;
    let total = e1.clone() + e2.clone() * k.lambda - &e.native;
    let quotient = range::signed(cs, "quotient", "quotient", en, 5, total.value() * k.order_inverse);
    cs.enforce_equal("native", total, quotient.clone() * k.order);
    let low = e1.clone() + e2.clone() * k.lambda_limb[0] - &e.limb[0] - quotient * k.order_limb[0];
    let carry = range::signed(cs, "carry", "carry", en, 6, low.value() * k.p96_inverse);
    cs.enforce_equal("position", low, carry * k.p96);
}
