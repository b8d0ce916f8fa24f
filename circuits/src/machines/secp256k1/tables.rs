//! The fixed tables: multiples of G, and nothing-up-my-sleeve points where the accumulator may start.

use std::sync::LazyLock;

use alloy_primitives::keccak256;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, BigInt, PrimeField, Zero};

use super::{
    WINDOWS,
    curve::{Base, Group, Point, ScalarField},
};
use crate::{
    F,
    gadgets::{
        nonnative::{Words, base::constant_limbs, words},
        to_u64,
    },
    lookup::{bus::Bus, tables::FixedTable},
};

/// Windows of the fixed base, one byte each.
pub const BASE_WINDOWS: usize = 32;
/// Starting points to choose from.
pub const START_POINTS: usize = 16;
/// What is hashed, with the index and a counter appended, to the x coordinate of a starting point.
pub const START_LABEL: &str = "cairn secp256k1 start point";

/// Where the accumulator starts, and where it must end.
#[derive(Clone, Copy, Debug)]
pub struct StartPoint {
    pub start: Point,
    pub end: Point,
}

static BASE_POINTS: LazyLock<Vec<Point>> = LazyLock::new(|| {
    let mut unit = Group::generator();
    let mut all = Vec::with_capacity(256 * BASE_WINDOWS);
    for _ in 0..BASE_WINDOWS {
        let mut multiple = Group::zero();
        for _ in 0..256 {
            multiple += unit;
            all.push(multiple);
        }
        unit = multiple;
    }
    // No entry is infinite: n is prime and divides neither digit + 1 nor 256.
    Group::normalize_batch(&all).into_iter().filter_map(Point::from_affine).collect()
});

static STARTS: LazyLock<Vec<StartPoint>> =
    LazyLock::new(|| (0..START_POINTS).filter_map(start_point).collect());

/// (digit + 1)·256^window·G.
#[must_use]
pub fn base_point(window: usize, digit: u8) -> Point {
    BASE_POINTS[256 * window + usize::from(digit)]
}

/// Starting point `index`.
#[must_use]
pub fn start(index: usize) -> StartPoint {
    STARTS[index]
}

/// The first x = keccak256(label ‖ index ‖ counter), counter = 0, 1, …, that is below p and on the curve, with even y.
/// The end is 2^(4·(windows − 1))·start + (Σ 256^j)·G: all doublings, and the 1 in each digit + 1.
fn start_point(index: usize) -> Option<StartPoint> {
    let start = (0u8..=u8::MAX).find_map(|counter| {
        let index = u8::try_from(index).ok()?;
        let hash = keccak256([START_LABEL.as_bytes(), &[index, counter]].concat());
        Point::decompress(Base::from_bigint(BigInt::new(words_from_be(hash.0)))?, false)
    })?;
    let mut end = start.to_group();
    for _ in 0..4 * (WINDOWS - 1) {
        end.double_in_place();
    }
    let ones = (0..BASE_WINDOWS)
        .fold(ScalarField::zero(), |sum, _| sum * ScalarField::from(256u64) + ScalarField::from(1u64));
    Some(StartPoint { start, end: Point::from_group(end + Group::generator() * ones)? })
}

/// Words of a big-endian integer.
#[must_use]
pub fn words_from_be(bytes: [u8; 32]) -> Words {
    std::array::from_fn(|i| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[24 - 8 * i..32 - 8 * i]);
        u64::from_be_bytes(word)
    })
}

/// The two 128-bit halves, low first.
#[must_use]
pub fn halves(x: Words) -> [u128; 2] {
    [u128::from(x[0]) | u128::from(x[1]) << 64, u128::from(x[2]) | u128::from(x[3]) << 64]
}

fn point_row(key: usize, p: Point) -> Vec<F> {
    let (limb, low) = constant_limbs(words(p.x));
    let y = halves(words(p.y)).map(F::from);
    [F::from(key as u64)].into_iter().chain(limb).chain(low).chain(y).collect()
}

/// The tables for [`Bus::FixedBase`] and [`Bus::StartPoint`], to be closed after all machines.
#[must_use]
pub fn fixed_tables() -> Vec<FixedTable> {
    let index_of = |f| to_u64(f).and_then(|x| usize::try_from(x).ok());
    let start_row = |(i, s): (usize, &StartPoint)| {
        let coordinates = [s.start.x, s.start.y, s.end.x, s.end.y];
        [F::from(i as u64)]
            .into_iter()
            .chain(coordinates.into_iter().flat_map(|c| halves(words(c)).map(F::from)))
            .collect()
    };
    vec![
        FixedTable {
            bus: Bus::FixedBase,
            rows: BASE_POINTS.iter().enumerate().map(|(i, p)| point_row(i, *p)).collect(),
            index_of,
            name: "table.fixed_base.row",
        },
        FixedTable {
            bus: Bus::StartPoint,
            rows: STARTS.iter().enumerate().map(start_row).collect(),
            index_of,
            name: "table.start_point.row",
        },
    ]
}
