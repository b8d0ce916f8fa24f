//! Native arithmetic of secp256k1 for the witness: y² = x³ + 7 over F_p, affine, without the point at infinity.

use ark_ec::{
    CurveConfig,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{
    AdditiveGroup, BigInt, Field, PrimeField, Zero,
    fields::{Fp256, MontBackend, MontConfig},
};

use crate::gadgets::nonnative::Words;

/// Parameters of the base field.
#[derive(MontConfig)]
#[modulus = "115792089237316195423570985008687907853269984665640564039457584007908834671663"]
#[generator = "3"]
pub struct BaseConfig;
/// The field of coordinates, modulo p.
pub type Base = Fp256<MontBackend<BaseConfig, 4>>;

/// Parameters of the scalar field.
#[derive(MontConfig)]
#[modulus = "115792089237316195423570985008687907852837564279074904382605163141518161494337"]
#[generator = "7"]
pub struct ScalarConfig;
/// The field of scalars, modulo the group order n.
pub type ScalarField = Fp256<MontBackend<ScalarConfig, 4>>;

/// β, the cube root of unity modulo p that belongs to λ.
pub const BETA: Words =
    [0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710];

/// β² = −1 − β modulo p.
pub const BETA_SQUARED: Words =
    [0x3ec6_93d6_8e6a_fa40, 0x630f_b68a_ed0a_766a, 0x919b_b861_53cb_cb16, 0x8516_95d4_9a83_f8ef];

/// The curve's parameters for `ark-ec`'s complete group law.
#[derive(Clone, Debug)]
pub struct Secp256k1;

impl CurveConfig for Secp256k1 {
    type BaseField = Base;
    type ScalarField = ScalarField;
    const COFACTOR: &'static [u64] = &[1];
    const COFACTOR_INV: ScalarField = ark_ff::MontFp!("1");
}

impl SWCurveConfig for Secp256k1 {
    type ZeroFlag = bool;
    const COEFF_A: Base = ark_ff::MontFp!("0");
    const COEFF_B: Base = ark_ff::MontFp!("7");
    const GENERATOR: Affine<Self> = Affine::new_unchecked(
        ark_ff::MontFp!("55066263022277343669578718895168534326250603453777594175500187360389116729240"),
        ark_ff::MontFp!("32670510020758816978083085130507043184471273380659243275938904335757337482424"),
    );
}

/// The group, infinity included.
pub type Group = Projective<Secp256k1>;

/// A finite point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub x: Base,
    pub y: Base,
}

/// A slope with the point it leads to.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub slope: Base,
    pub point: Point,
}

impl Point {
    /// The standard generator.
    #[must_use]
    pub fn generator() -> Self {
        Self { x: Secp256k1::GENERATOR.x, y: Secp256k1::GENERATOR.y }
    }

    /// For sums that may pass infinity.
    pub fn to_group(self) -> Group {
        Affine::new_unchecked(self.x, self.y).into()
    }

    /// `None` is infinity.
    #[must_use]
    pub fn from_group(group: Group) -> Option<Self> {
        Self::from_affine(group.into())
    }

    /// `None` is infinity.
    #[must_use]
    pub fn from_affine(point: Affine<Secp256k1>) -> Option<Self> {
        ark_ec::AffineRepr::xy(&point).map(|(x, y)| Self { x, y })
    }

    /// The point with this x and an even or odd y, if there is one.
    #[must_use]
    pub fn decompress(x: Base, odd: bool) -> Option<Self> {
        let y = (x.square() * x + Base::from(7u64)).sqrt()?;
        let is_odd = y.into_bigint().0[0] & 1 == 1;
        Some(Self { x, y: if is_odd == odd { y } else { -y } })
    }

    /// −self.
    #[must_use]
    pub fn negate(self) -> Self {
        Self { x: self.x, y: -self.y }
    }

    /// (β·x, y) = λ·self.
    #[must_use]
    pub fn endomorphism(self) -> Self {
        Self { x: self.x * Base::new(BigInt::new(BETA)), y: self.y }
    }

    /// 2·self; never infinite, because the order is odd.
    #[must_use]
    pub fn double(self) -> Line {
        let square = self.x.square();
        let slope = (square.double() + square) * self.y.double().inverse().unwrap_or_default();
        let x = slope.square() - self.x.double();
        Line { slope, point: Self { x, y: slope * (self.x - x) - self.y } }
    }

    /// self + other by the chord, unless both have the same x.
    #[must_use]
    pub fn chord(self, other: Self) -> Option<Line> {
        let slope = (other.y - self.y) * (other.x - self.x).inverse()?;
        let x = slope.square() - self.x - other.x;
        Some(Line { slope, point: Self { x, y: slope * (self.x - x) - self.y } })
    }

    /// y² = x³ + 7.
    #[must_use]
    pub fn is_on_curve(self) -> bool {
        (self.y.square() - self.x.square() * self.x - Base::from(7u64)).is_zero()
    }
}
