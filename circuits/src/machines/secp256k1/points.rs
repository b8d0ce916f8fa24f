//! Curve points in the circuit and their incomplete addition.
//!
//! A point that is only added to next needs no y of its own: with a known point (x₀, y₀) on the last line,
//! y = λ(x₀ − x) − y₀ enters the next equations as one more product. This saves a value (16) and a relation (21) for
//! one product (8).

use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::nonnative::{
        Words,
        base::{self, Element, Linear, Product},
    },
    machines::secp256k1::row::Step,
};

/// A point whose y is a value.
#[derive(Clone, Debug)]
pub struct Point {
    pub x: Element,
    pub y: Linear,
}

/// A y coordinate of the accumulator.
#[derive(Clone, Debug)]
pub enum Ordinate {
    /// A committed value.
    Value(Box<Element>),
    /// slope·run − y₀.
    Implied { slope: Box<Element>, run: Box<Element>, y0: Linear },
}

/// The accumulator.
#[derive(Clone, Debug)]
pub struct Accumulator {
    pub x: Element,
    pub y: Ordinate,
}

impl Ordinate {
    /// k·y as at most one product and a summand.
    fn parts(&self, k: i64) -> (Option<Product<'_>>, Linear) {
        match self {
            Self::Value(y) => (None, Linear::default().plus(k, &y.linear())),
            Self::Implied { slope, run, y0 } => {
                (Some(Product::Mul(k, run, slope)), Linear::default().plus(-k, y0))
            }
        }
    }
}

/// Whether equal x coordinates must be excluded by a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// They depend on the signature and the hints: exclude.
    Any,
    /// Small distinct multiples of one point of prime order: they never share x.
    SmallMultiples,
}

impl Accumulator {
    /// secp256k1.slope, secp256k1.x, secp256k1.distinct: self + other, y implied.
    ///
    /// ```text
    /// distinct  x' ≢ x                                   3 (Operands::Any)
    /// slope     λ(x' − x) − y' + y ≡ 0                   21, or 29 if y is implied
    /// x         λ² − x − x' − x'' ≡ 0                    19
    /// ```
    /// and 32 for the values λ and x''. Slopes stand on the B side of products. Soundness: x ≢ x' makes λ unique; x''
    /// is then unique modulo p. It is not reduced, because later equations hold modulo p. Equal and opposite points
    /// violate `distinct`.
    #[must_use]
    pub fn add(&self, cs: &mut Cs, en: Wire, other: &Point, operands: Operands, step: &Step) -> Self {
        let dx = other.x.minus(&self.x);
        if operands == Operands::Any {
            base::enforce_distinct(cs, "secp256k1.distinct", en, &dx.native);
        }
        let slope = cs.scoped("secp256k1.slope", |cs| {
            let slope = Element::commit(cs, "value", en, step.slope);
            let (product, linear) = self.y.parts(1);
            let products: Vec<_> = product.into_iter().chain([Product::Mul(1, &dx, &slope)]).collect();
            base::enforce_zero(cs, en, &products, linear.plus(-1, &other.y));
            slope
        });
        let sum = Linear::default().plus(-1, &self.x.linear()).plus(-1, &other.x.linear());
        let x = x_of_sum(cs, en, &slope, sum, step.x);
        let run = other.x.minus(&x);
        let y = Ordinate::Implied { slope: slope.into(), run: run.into(), y0: other.y.clone() };
        Self { x, y }
    }

    /// secp256k1.tangent, secp256k1.x: 2·self, y implied.
    ///
    /// ```text
    /// tangent   2λy − 3x² ≡ 0                            27
    /// x         λ² − 2x − x'' ≡ 0                        19
    /// ```
    /// and 32 for the values. Soundness: y ≢ 0, because the group's order is odd and the point is on the curve.
    ///
    /// Requires a y that is a value: see [`Self::with_value`].
    #[must_use]
    pub fn double(&self, cs: &mut Cs, en: Wire, y: &Element, step: &Step) -> Self {
        let slope = Element::commit(cs, "secp256k1.slope.value", en, step.slope);
        let products = [Product::Square(-3, &self.x), Product::Mul(2, y, &slope)];
        cs.scoped("secp256k1.tangent", |cs| base::enforce_zero(cs, en, &products, Linear::default()));
        let x = x_of_sum(cs, en, &slope, Linear::default().plus(-2, &self.x.linear()), step.x);
        let run = self.x.minus(&x);
        let y = Ordinate::Implied { slope: slope.into(), run: run.into(), y0: y.linear() };
        Self { x, y }
    }

    /// secp256k1.y: gives an implied y a value of its own: λ(x₀ − x) − y₀ − y ≡ 0. Cost: 16 + 21.
    pub fn with_value(&mut self, cs: &mut Cs, en: Wire, step: &Step) -> Element {
        let value = cs.scoped("secp256k1.y", |cs| {
            let value = Element::commit(cs, "value", en, step.y);
            let (product, linear) = self.y.parts(1);
            let products: Vec<_> = product.into_iter().collect();
            base::enforce_zero(cs, en, &products, linear.plus(-1, &value.linear()));
            value
        });
        self.y = Ordinate::Value(value.clone().into());
        value
    }
}

/// secp256k1.x: x'' with λ² − x − x' − x'' ≡ 0, where `minus` is −x − x'. Cost: 16 + 19.
fn x_of_sum(cs: &mut Cs, en: Wire, slope: &Element, minus: Linear, value: Words) -> Element {
    cs.scoped("secp256k1.x", |cs| {
        let x = Element::commit(cs, "value", en, value);
        base::enforce_zero(cs, en, &[Product::Square(1, slope)], minus.plus(-1, &x.linear()));
        x
    })
}

/// secp256k1.curve: y² ≡ x³ + 7, with x² a value of its own. Cost: 16 + 19 + 27. Without it the points could lie
/// on a curve of smooth order.
pub fn enforce_on_curve(cs: &mut Cs, en: Wire, x: &Element, y: &Element, square: Words) {
    let square = cs.scoped("secp256k1.square", |cs| {
        let value = Element::commit(cs, "value", en, square);
        let minus = Linear::default().plus(-1, &value.linear());
        base::enforce_zero(cs, en, &[Product::Square(1, x)], minus);
        value
    });
    let seven: Lc = en * 7;
    let seven = Linear { low: seven.clone(), native: seven };
    let products = [Product::Square(1, y), Product::Mul(-1, &square, x)];
    let minus = Linear::default().plus(-1, &seven);
    cs.scoped("secp256k1.curve", |cs| base::enforce_zero(cs, en, &products, minus));
}
