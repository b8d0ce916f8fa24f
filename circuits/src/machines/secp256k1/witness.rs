//! From a signature to a row: recovery, the short relation, and every intermediate point.

use alloy_primitives::keccak256;
use ark_ec::PrimeGroup;
use ark_ff::{BigInt, BigInteger, Field};

use super::{
    WINDOWS,
    curve::{Base, Group, Line, Point, ScalarField},
    row::{PointTable, Secp256k1Row, Step},
    split::{Relation, shortest_relation},
    tables::{self, BASE_WINDOWS, START_POINTS, words_from_be},
};
use crate::gadgets::nonnative::{Words, scalar::ORDER, words};

/// A signature to be recovered, integers big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureEvent {
    /// The signing hash.
    pub z: [u8; 32],
    pub r: [u8; 32],
    pub s: [u8; 32],
    /// Whether R has an odd y.
    pub y_parity: bool,
}

/// Why a signature has no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("r must be above 0 and below the group order n of secp256k1")]
    ROutOfRange,
    #[error("s must be above 0 and at most (n - 1)/2, half the group order of secp256k1 (EIP-2)")]
    SOutOfRange,
    #[error("no curve point has x = r")]
    NotOnCurve,
    #[error("the recovered public key is the point at infinity")]
    InfinitePublicKey,
    #[error("no short relation between r and s")]
    NoShortRelation,
    #[error("every starting point meets an exceptional case")]
    NoStartPoint,
}

/// What a signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// x ‖ y, big-endian.
    pub public_key: [u8; 64],
    /// The signer.
    pub address: [u8; 20],
}

/// Recovers natively what the circuit would prove, or says why it cannot.
///
/// # Errors
/// As [`witness`].
pub fn is_provable(event: &SignatureEvent) -> Result<Recovered, SignatureError> {
    let row = witness(event)?;
    let mut public_key = [0; 64];
    public_key.copy_from_slice(&row.public_key);
    Ok(Recovered { public_key, address: row.address() })
}

fn base(x: Words) -> Base {
    Base::new(BigInt::new(x))
}

fn be_bytes(x: Words) -> impl Iterator<Item = u8> {
    x.into_iter().rev().flat_map(u64::to_be_bytes)
}

fn step(line: Line) -> Step {
    Step { slope: words(line.slope), x: words(line.point.x), y: words(line.point.y) }
}

/// The row of a valid signature.
///
/// # Errors
/// If r, s, R or Q breaks a rule, or no choice of hints satisfies the constraints (not known to happen).
pub fn witness(event: &SignatureEvent) -> Result<Secp256k1Row, SignatureError> {
    let [z, r, s] = [event.z, event.r, event.s].map(words_from_be);
    let order = BigInt::new(ORDER);
    if BigInt::new(r).is_zero() || BigInt::new(r) >= order {
        return Err(SignatureError::ROutOfRange);
    }
    if BigInt::new(s).is_zero() || BigInt::new(s) > BigInt::new(super::HALF_ORDER) {
        return Err(SignatureError::SOutOfRange);
    }
    let big_r = Point::decompress(base(r), event.y_parity).ok_or(SignatureError::NotOnCurve)?;
    let (zn, rn, sn) = (scalar(z), scalar(r), scalar(s));
    let r_inverse = rn.inverse().ok_or(SignatureError::ROutOfRange)?;
    let q = big_r.to_group() * (sn * r_inverse) - Group::generator() * (zn * r_inverse);
    let q = Point::from_group(q).ok_or(SignatureError::InfinitePublicKey)?;
    let relation = shortest_relation(rn, sn).ok_or(SignatureError::NoShortRelation)?;
    assemble(event, big_r, q, relation)
}

/// The row for given R, Q and relation, which must hold; r and s need not be in range, but s not a multiple of n.
pub(super) fn assemble(
    event: &SignatureEvent,
    big_r: Point,
    q: Point,
    relation: Relation,
) -> Result<Secp256k1Row, SignatureError> {
    let [z, r, s] = [event.z, event.r, event.s].map(words_from_be);
    let (alpha, beta) = (combine(relation.alpha), combine(relation.beta));
    let w = -scalar(z) * beta * scalar(s).inverse().ok_or(SignatureError::SOutOfRange)?;
    let (q_table, q_entries) = table(q, relation.alpha).ok_or(SignatureError::NoShortRelation)?;
    let (r_table, r_entries) = table(big_r, relation.beta).ok_or(SignatureError::NoShortRelation)?;
    let tables = [q_table, r_table];
    let (start, steps) = (0..START_POINTS)
        .find_map(|i| Some((i, accumulate(i, &tables, &[&q_entries, &r_entries], words(w))?)))
        .ok_or(SignatureError::NoStartPoint)?;

    let public_key: Vec<u8> = be_bytes(words(q.x)).chain(be_bytes(words(q.y))).collect();
    Ok(Secp256k1Row {
        enabled: true,
        z,
        r,
        s,
        y_parity: event.y_parity,
        r_y: words(big_r.y),
        digest: keccak256(&public_key).0,
        public_key,
        combined: [words(alpha), words(beta)],
        w: words(w),
        start,
        tables,
        steps,
    })
}

/// The residue of any 256-bit integer.
fn scalar(x: Words) -> ScalarField {
    let [low, high] = tables::halves(x).map(ScalarField::from);
    low + high * ScalarField::from(2u64).pow([128])
}

fn combine(e: [i128; 2]) -> ScalarField {
    ScalarField::from(e[0])
        + ScalarField::from(e[1]) * ScalarField::new(BigInt::new(crate::gadgets::nonnative::scalar::LAMBDA))
}

/// 16 entries each for P and φ(P), and the correction.
struct Entries {
    digit: [[Point; 16]; 2],
    correction: Point,
}

/// The correction by the parities of (k₁, k₂): it has the opposite parity in the first and the second scalar, and is
/// not (0, 0), whose point would be infinite.
fn correction(k: [i128; 2]) -> [u8; 2] {
    match k.map(|x| x & 1 == 1) {
        [true, true] => [2, 0],
        [false, true] => [1, 0],
        [true, false] => [0, 1],
        [false, false] => [1, 1],
    }
}

/// Digits e of an odd k = Σ (2eᵢ − 15)·16ⁱ, |k| < 2⁶⁴.
fn digits(k: i128) -> Option<[u8; WINDOWS]> {
    let e = u64::try_from((k + i128::from(u64::MAX)) >> 1).ok()?;
    Some(std::array::from_fn(|i| (e >> (4 * i) & 15) as u8))
}

fn table(p: Point, k: [i128; 2]) -> Option<(PointTable, Entries)> {
    let double = p.double();
    let mut out = PointTable { correction: correction(k), ..PointTable::default() };
    out.steps[0] = step(double);
    let mut odd = [p; 8];
    for i in 1..8 {
        let line = odd[i - 1].chord(double.point)?;
        odd[i] = line.point;
        out.steps[i] = step(line);
    }
    let image = odd.map(Point::endomorphism);
    let image_squared = image[0].endomorphism();
    out.endomorphism_x = image.map(|p| words(p.x));
    out.endomorphism_squared_x = words(image_squared.x);
    let PointTable { digits: all_digits, counts, correction: offsets, .. } = &mut out;
    for ((k, offset), (of, counts)) in k.into_iter().zip(offsets).zip(all_digits.iter_mut().zip(counts)) {
        *of = digits(k - i128::from(*offset))?;
        for e in of {
            counts[usize::from(*e)] += 1;
        }
    }
    let signed = |of: [Point; 8]| std::array::from_fn(|e| if e < 8 { of[7 - e].negate() } else { of[e - 8] });
    let correction = match out.correction {
        [2, _] => double.point,
        [1, 0] => p,
        [0, _] => image[0],
        _ => image_squared.negate(),
    };
    Some((out, Entries { digit: [signed(odd), signed(image)], correction }))
}

/// All steps from starting point `index`, or `None` if an addition meets equal x coordinates.
fn accumulate(
    index: usize,
    tables: &[PointTable; 2],
    entries: &[&Entries; 2],
    w: Words,
) -> Option<Vec<Step>> {
    let mut acc = tables::start(index).start;
    let mut steps = Vec::with_capacity(super::STEPS);
    let mut add = |acc: Point, other: Option<Point>| -> Option<Point> {
        let line = match other {
            Some(other) => acc.chord(other)?,
            None => acc.double(),
        };
        steps.push(step(line));
        Some(line.point)
    };
    for i in (0..WINDOWS).rev() {
        for _ in 0..if i + 1 < WINDOWS { 4 } else { 0 } {
            acc = add(acc, None)?;
        }
        for (table, entries) in tables.iter().zip(entries) {
            for (digits, points) in table.digits.iter().zip(&entries.digit) {
                acc = add(acc, Some(points[usize::from(digits[i])]))?;
            }
        }
    }
    for entries in entries {
        acc = add(acc, Some(entries.correction))?;
    }
    for j in 0..BASE_WINDOWS {
        acc = add(acc, Some(tables::base_point(j, (w[j / 8] >> (8 * (j % 8))) as u8)))?;
    }
    debug_assert_eq!(
        acc,
        tables::start(index).end,
        "the relation holds, so the accumulator ends at its constant"
    );
    Some(steps)
}
