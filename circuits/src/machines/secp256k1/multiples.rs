//! Tables of variable points on the bus, and the accumulator that reads them.

use super::{
    WINDOWS,
    curve::{BETA, BETA_SQUARED},
    points::{Accumulator, Operands, Ordinate, Point},
    row::{PointTable, Secp256k1Row, Step},
    tables::{self, BASE_WINDOWS},
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{
        nonnative::{
            Words,
            base::{self, Linear},
            scalar::Scalar,
            words,
        },
        range,
    },
    lookup::bus::{Element, FixedBase, Shared, StartPoint, VariableBase},
};

/// Tables a row uses on [`crate::lookup::bus::Bus::VariableBase`]: multiples of Q, φ(Q), corrections of Q, and the same of R.
pub const TABLES_PER_ROW: usize = 6;

/// Number of the row's table `of` (0 for Q, 3 for R, plus 0, 1, 2), counted from 1.
fn table_number(row: usize, point: usize, of: usize) -> u64 {
    (TABLES_PER_ROW * row + 3 * point + of + 1) as u64
}

/// 16·table + entry.
fn key(table: u64, entry: u64) -> u64 {
    16 * table + entry
}

/// The tuple (x, y, key) of a table's entry.
fn entry(x: [Element; 6], [y_low, y_high]: [Element; 2], key: Element) -> VariableBase {
    let [x0, x1, x2, x0_low, x1_low, x2_low] = x;
    VariableBase { x0, x1, x2, x0_low, x1_low, x2_low, y_low, y_high, key }
}

/// Limbs and low parts of x.
fn coordinates(x: &base::Element) -> [&Lc; 6] {
    let [l0, l1, l2] = &x.limb;
    let [m0, m1, m2] = &x.low;
    [l0, l1, l2, m0, m1, m2]
}

/// Elements that several tuples carry: they are paid once.
fn share<const N: usize>(cs: &mut Cs, elements: [Lc; N]) -> [Shared; N] {
    elements.map(|lc| cs.share(lc))
}

fn elements<const N: usize>(shared: &[Shared; N]) -> [Element; N] {
    shared.each_ref().map(Element::from)
}

fn negate(y: &[Lc; 2]) -> [Lc; 2] {
    [-y[0].clone(), -y[1].clone()]
}

/// A tuple's point as hints; what they hold is what the bus proves.
struct Hints {
    x: [Element; 6],
    y: [Element; 2],
    point: Point,
}

fn read_point(cs: &mut Cs, name: &'static str, x: Words, y: [F; 2]) -> Hints {
    let x = base::limbs_from_bus(cs, name, x);
    let y = y.map(|half| Lc::from(cs.commit(name, half)));
    Hints {
        x: coordinates(&x).map(Element::from),
        y: y.each_ref().map(Element::from),
        point: Point { y: Linear::from_halves(&y), x },
    }
}

/// secp256k1.table: computes P, 3P, …, 15P, their images under φ = (β·x, y), the corrections 2P, P, φ(P) and
/// P + φ(P) = −φ²(P), and writes them.
///
/// Cost: 115 for 2P, 7 × 109 for the odd multiples (incomplete addition is safe: small multiples of a point of prime
/// order), 9 × 22 for β, 160 for the 36 entries, which share coordinates.
/// The multiplicities are hints: the bus balances only if each is the number of reads. A disabled row writes into tables
/// that are its own, which no enabled row reads.
pub fn write_tables(
    cs: &mut Cs,
    en: Wire,
    row: usize,
    point: usize,
    x: &base::Element,
    y: &base::Element,
    t: &PointTable,
) {
    let mut double =
        Accumulator { x: x.clone(), y: Ordinate::Value(y.clone().into()) }.double(cs, en, y, &t.steps[0]);
    let double_y = double.with_value(cs, en, &t.steps[0]);
    let double_point = Point { x: double.x.clone(), y: double_y.linear() };

    let mut odd = vec![(x.clone(), y.clone())];
    let mut acc = Accumulator { x: x.clone(), y: Ordinate::Value(y.clone().into()) };
    for step in &t.steps[1..] {
        acc = acc.add(cs, en, &double_point, Operands::SmallMultiples, step);
        let y = acc.with_value(cs, en, step);
        odd.push((acc.x.clone(), y));
    }
    let image: Vec<base::Element> =
        odd.iter().zip(t.endomorphism_x).map(|((x, _), v)| scale(cs, en, x, BETA, v)).collect();
    let image_squared = scale(cs, en, x, BETA_SQUARED, t.endomorphism_squared_x);

    let mut shared_x = |x: &base::Element| share(cs, coordinates(x).map(Lc::clone));
    let x_of = [
        odd.iter().map(|(x, _)| shared_x(x)).collect::<Vec<_>>(),
        image.iter().map(shared_x).collect::<Vec<_>>(),
    ];
    // For each odd multiple its y, then −y.
    let y_of: Vec<_> = odd
        .iter()
        .map(|(_, y)| {
            let y = y.halves();
            let minus = negate(&y);
            [share(cs, y), share(cs, minus)]
        })
        .collect();
    for (of, counts) in t.counts.iter().enumerate() {
        for (e, count) in counts.iter().enumerate() {
            let (i, sign) = if e < 8 { (7 - e, 1) } else { (e - 8, 0) };
            let m = cs.commit("secp256k1.table.multiplicity", *count);
            let key = key(table_number(row, point, of), e as u64).into();
            let tuple = entry(elements(&x_of[of][i]), elements(&y_of[i][sign]), key);
            cs.send("secp256k1.table.write", m, tuple);
        }
    }
    let [y, minus_y] = y_of[0].each_ref().map(elements);
    let corrections = [
        ([2, 0], coordinates(&double.x).map(Element::from), double_y.halves().map(Element::from)),
        ([1, 0], elements(&x_of[0][0]), y.clone()),
        ([0, 1], elements(&x_of[1][0]), y),
        ([1, 1], coordinates(&image_squared).map(Element::from), minus_y),
    ];
    for (c, x, y) in corrections {
        let m = cs.commit("secp256k1.table.multiplicity", F::from(t.correction == c));
        let key = key(table_number(row, point, 2), u64::from(c[0] + 4 * c[1])).into();
        cs.send("secp256k1.table.write", m, entry(x, y, key));
    }
}

/// secp256k1.phi: constant·x − x' ≡ 0. Cost: 16 + 6.
pub(super) fn scale(
    cs: &mut Cs,
    en: Wire,
    x: &base::Element,
    constant: Words,
    value: Words,
) -> base::Element {
    cs.scoped("secp256k1.phi", |cs| {
        let image = base::Element::commit(cs, "value", en, value);
        base::enforce_multiple(cs, en, x, constant, &image);
        image
    })
}

/// The hints of one small scalar pair, and the points they select.
pub struct Digits {
    /// k₁ and k₂ as linear combinations: k = Σ (2eᵢ − 15)·16ⁱ + correction, |k| < 2⁶⁴ + 3.
    pub scalar: [Lc; 2],
    /// Points of the windows, least significant first, for k₁ and k₂.
    points: [Vec<Point>; 2],
    correction: Point,
}

/// secp256k1.digit, secp256k1.correction: reads the selected multiples.
///
/// ```text
/// digit       4096·e ∈ [0, 2¹⁶)                              1
/// read        (16·table + e, x, y) from the bus              9
/// correction  c₂ ∈ {0, 1}, c₁ ∈ {0, 1, 2}                    3
///             (16·table + c₁ + 4c₂, x, y) from the bus       9
/// ```
/// Soundness: a key on the bus is an integer, so e is one, and then 4096·e < 2¹⁶ means e < 16: the key names this row's
/// table and no other. Without the range a digit could borrow from a table of another row. With c₁ ≤ 2 and c₂ ≤ 1 the
/// sum c₁ + 4c₂ determines both.
pub fn read_digits(
    cs: &mut Cs,
    en: Wire,
    row: usize,
    point: usize,
    t: &PointTable,
    p: (Words, Words),
) -> Digits {
    let double = t.steps[0];
    let odd = |i: usize| if i == 0 { p } else { (t.steps[i].x, t.steps[i].y) };
    let mut scalar = [Lc::zero(), Lc::zero()];
    let mut points = [Vec::new(), Vec::new()];
    for of in 0..2 {
        let mut weight = F::from(2u64);
        for digit in t.digits[of] {
            let e = cs.commit("secp256k1.digit.value", u64::from(digit));
            range::hold(cs, "secp256k1.digit.range", en, e, 4);
            let i = usize::from(if digit < 8 { 7 - digit } else { digit - 8 });
            let (x, y) = odd(i);
            let x = if of == 0 { x } else { t.endomorphism_x[i] };
            let y = tables::halves(y).map(|half| if digit < 8 { -F::from(half) } else { F::from(half) });
            points[of].push(read(cs, en, table_number(row, point, of), e.into(), x, y));
            scalar[of] += e * weight;
            weight *= F::from(16u64);
        }
        scalar[of] -= en * F::from(u64::MAX);
    }

    let [c1, c2] = t.correction.map(|c| cs.commit("secp256k1.correction.value", u64::from(c)));
    cs.enforce_boolean("secp256k1.correction.boolean", c2);
    let square = cs.product("secp256k1.correction.square", c1, c1);
    cs.enforce("secp256k1.correction.range", square - c1, c1 - en * 2, Lc::zero());
    let half = |y: Words| tables::halves(y).map(F::from);
    let (x, y) = match t.correction {
        [2, _] => (double.x, half(double.y)),
        [1, 0] => (p.0, half(p.1)),
        [0, 1] => (t.endomorphism_x[0], half(p.1)),
        _ => (t.endomorphism_squared_x, half(p.1).map(|y| -y)),
    };
    let correction = read(cs, en, table_number(row, point, 2), c1 + c2 * 4, x, y);
    scalar[0] += c1;
    scalar[1] += c2;
    Digits { scalar, points, correction }
}

fn read(cs: &mut Cs, en: Wire, table: u64, e: Lc, x: Words, y: [F; 2]) -> Point {
    let Hints { x, y, point } = read_point(cs, "secp256k1.table.point", x, y);
    let key = Element::with_constant(e, key(table, 0));
    cs.receive("secp256k1.table.read", en, entry(x, y, key));
    point
}

/// secp256k1.base: the bytes dⱼ of w and the points (dⱼ + 1)·256ʲ·G.
///
/// Cost: 32 × (1 + 9). The byte's range keeps the key in its own window.
pub fn read_base(cs: &mut Cs, en: Wire, w: Words) -> (Scalar, Vec<Point>) {
    let mut bytes = Vec::with_capacity(BASE_WINDOWS);
    let mut points = Vec::with_capacity(BASE_WINDOWS);
    for j in 0..BASE_WINDOWS {
        let digit = (w[j / 8] >> (8 * (j % 8))) as u8;
        let d = range::byte(cs, "secp256k1.base.value", "secp256k1.base.range", en, digit.into());
        // In a disabled row the hints are zero: the table's point for digit 0 would be harmless but not sparse.
        let hint = tables::base_point(j, digit);
        let enabled = en.value();
        let on = |x: Words| if enabled == F::from(0u64) { Words::default() } else { x };
        let y = tables::halves(on(words(hint.y))).map(F::from);
        let Hints { x, y: [y_low, y_high], point } =
            read_point(cs, "secp256k1.base.point", on(words(hint.x)), y);
        let [x0, x1, x2, x0_low, x1_low, x2_low] = x;
        let key = Element::with_constant(d, 256 * j as u64);
        let tuple = FixedBase { key, x0, x1, x2, x0_low, x1_low, x2_low, y_low, y_high };
        cs.send("secp256k1.base.read", en, tuple);
        bytes.push(Lc::from(d));
        points.push(point);
    }
    let bytes: [Lc; 32] = std::array::from_fn(|i| bytes[i].clone());
    (Scalar::from_bytes(&bytes, w), points)
}

/// secp256k1.start: the chosen starting point and its end, each coordinate a value. Cost: 32 + 9.
///
/// The end's coordinates are those of the accumulator's last step: this is where the sum is claimed.
pub fn start(cs: &mut Cs, en: Wire, row: &Secp256k1Row) -> (Lc, Accumulator) {
    let point = tables::start(row.start).start;
    let on = |x: Words| if row.enabled { x } else { Words::default() };
    let index = cs.commit("secp256k1.start.index", row.start as u64);
    let x = base::Element::commit(cs, "secp256k1.start.value", en, on(words(point.x)));
    let y = base::Element::commit(cs, "secp256k1.start.value", en, on(words(point.y)));
    (index.into(), Accumulator { x, y: Ordinate::Value(y.into()) })
}

/// secp256k1.accumulate: start + Σ 16ⁱ·(…) + corrections + Σ (dⱼ + 1)·256ʲ·G = end.
///
/// Soundness of the sum: every addition excludes equal x (see [`Accumulator::add`]), so each step is the group's sum, and
/// the final point is (2⁶⁰·S + Σ 256ʲ·G) + α·Q + β·R + w·G. It equals the constant end point, values < p, iff
/// α·Q + β·R + w·G = O.
/// Completeness: an honest prover takes the first of sixteen starting points that meets no equal x. Their discrete
/// logarithms are unknown, so a signer can aim at one at most.
pub fn accumulate(cs: &mut Cs, en: Wire, row: &Secp256k1Row, digits: &[Digits; 2], base_points: &[Point]) {
    let (index, mut acc) = start(cs, en, row);
    let start = acc.clone();
    let mut steps = row.steps.iter().copied().chain(std::iter::repeat(Step::default()));
    let mut next = || steps.next().unwrap_or_default();
    for i in (0..WINDOWS).rev() {
        if i + 1 < WINDOWS {
            let mut last = Step::default();
            for _ in 0..4 {
                // The y of the window's last addition is a value already.
                let y = match &acc.y {
                    Ordinate::Value(y) => base::Element::clone(y),
                    _ => acc.with_value(cs, en, &last),
                };
                last = next();
                acc = acc.double(cs, en, &y, &last);
            }
        }
        let mut last = Step::default();
        for digits in digits {
            for points in &digits.points {
                last = next();
                acc = acc.add(cs, en, &points[i], Operands::Any, &last);
            }
        }
        if i > 0 {
            acc.with_value(cs, en, &last);
        }
    }
    let mut last = Step::default();
    for point in digits.iter().map(|d| &d.correction).chain(base_points) {
        last = next();
        acc = acc.add(cs, en, point, Operands::Any, &last);
    }
    let end_y = acc.with_value(cs, en, &last);

    let Ordinate::Value(start_y) = &start.y else { return };
    let coordinates = [&start.x, start_y, &acc.x, &end_y];
    let [
        [start_x_low, start_x_high],
        [start_y_low, start_y_high],
        [end_x_low, end_x_high],
        [end_y_low, end_y_high],
    ] = coordinates.map(|c| c.halves().map(Element::from));
    let tuple = StartPoint {
        index: index.into(),
        start_x_low,
        start_x_high,
        start_y_low,
        start_y_high,
        end_x_low,
        end_x_high,
        end_y_low,
        end_y_high,
    };
    cs.send("secp256k1.start.read", en, tuple);
}
