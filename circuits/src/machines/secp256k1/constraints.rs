//! The equations of a row. Families are functions, in the order of docs/circuits/secp256k1.md.

use ark_ff::{BigInt, Field};

use super::{
    HALF_ORDER, Secp256k1Row,
    curve::Base,
    multiples::{self, Digits},
    points,
};
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::{
        nonnative::{
            self, PIECES, Words,
            base::{self, Element},
            scalar::{self, RelationNames, Scalar},
        },
        pow2,
    },
    lookup::bus::{self, Bus, KeccakWords, Signature},
    machines::secp256k1::tables::words_from_be,
};

const COMBINED: RelationNames = RelationNames {
    product: "secp256k1.combined.product",
    quotient: "secp256k1.combined.quotient",
    carry: "secp256k1.combined.carry",
    native: "secp256k1.combined.native",
    position: "secp256k1.combined.position",
};
const RATIO: RelationNames = RelationNames {
    product: "secp256k1.ratio.product",
    quotient: "secp256k1.ratio.quotient",
    carry: "secp256k1.ratio.carry",
    native: "secp256k1.ratio.native",
    position: "secp256k1.ratio.position",
};
const BASE_SCALAR: RelationNames = RelationNames {
    product: "secp256k1.base_scalar.product",
    quotient: "secp256k1.base_scalar.quotient",
    carry: "secp256k1.base_scalar.carry",
    native: "secp256k1.base_scalar.native",
    position: "secp256k1.base_scalar.position",
};

/// All rows. [`super::fixed_tables`] must be closed after all machines.
pub fn synthesize(cs: &mut Cs, rows: &[Secp256k1Row]) {
    for (i, row) in rows.iter().enumerate() {
        synthesize_row(cs, row, i);
    }
}

fn synthesize_row(cs: &mut Cs, row: &Secp256k1Row, index: usize) {
    let en = cs.commit_boolean("secp256k1.enable.boolean", row.enabled);
    let input = inputs(cs, en, row);
    let key = public_key(cs, en, row);
    let r_y = r_ordinate(cs, en, row, &input);

    points::enforce_on_curve(cs, en, &key.x, &key.y, square(key.words.0));
    points::enforce_on_curve(cs, en, &input.r_x, &r_y, square(row.r));

    let [q_table, r_table] = &row.tables;
    multiples::write_tables(cs, en, index, 0, &key.x, &key.y, q_table);
    multiples::write_tables(cs, en, index, 1, &input.r_x, &r_y, r_table);
    let digits = [
        multiples::read_digits(cs, en, index, 0, q_table, key.words),
        multiples::read_digits(cs, en, index, 1, r_table, (row.r, row.r_y)),
    ];
    let (w, base_points) = multiples::read_base(cs, en, row.w);
    scalars(cs, en, row, &input, &digits, &w);
    multiples::accumulate(cs, en, row, &digits, &base_points);
    let address = address(cs, en, row, &key.halves);
    signature(cs, en, &input, address);
}

fn square(x: Words) -> Words {
    nonnative::words(Base::new(BigInt::new(x)).square())
}

/// The tuple's numbers.
struct Inputs {
    z: Scalar,
    r: Scalar,
    s: Scalar,
    r_x: Element,
    /// Halves of z, r, s, low first.
    halves: [[Lc; 2]; 3],
    parity: Wire,
}

fn halves(pieces: &[Lc; PIECES]) -> [Lc; 2] {
    [Lc::recompose(&pieces[..8], 16), Lc::recompose(&pieces[8..], 16)]
}

/// secp256k1.input, secp256k1.range.{r, s}: z any 256-bit integer, 0 < r < n, 0 < s ≤ (n − 1)/2, parity a bit.
///
/// Cost: 3 × 16 + 2 × (18 + 1) + 1. Without the ranges, r + n or a negated s would be a second signature of the same
/// message; with r = 0 or s = 0 the scalar equations would say nothing.
fn inputs(cs: &mut Cs, en: Wire, row: &Secp256k1Row) -> Inputs {
    let z = nonnative::commit_value(cs, en, "secp256k1.input.z", row.z);
    let r = nonnative::commit_value(cs, en, "secp256k1.input.r", row.r);
    let s = nonnative::commit_value(cs, en, "secp256k1.input.s", row.s);
    let all = [halves(&z), halves(&r), halves(&s)];
    let mut max_r = scalar::ORDER;
    max_r[0] -= 1;
    nonnative::enforce_at_most(cs, en, "secp256k1.range.r", &all[1], row.r, max_r);
    nonnative::enforce_at_most(cs, en, "secp256k1.range.s", &all[2], row.s, HALF_ORDER);
    points::enforce_nonzero_halves(cs, en, &all[1]);
    points::enforce_nonzero_halves(cs, en, &all[2]);
    Inputs {
        z: Scalar::from_pieces(&z, row.z),
        r: Scalar::from_pieces(&r, row.r),
        s: Scalar::from_pieces(&s, row.s),
        r_x: Element::from_pieces(&r),
        halves: all,
        parity: cs.commit_boolean("secp256k1.input.parity", row.y_parity),
    }
}

fn max_coordinate() -> Words {
    let mut max = base::MODULUS;
    max[0] -= 1;
    max
}

struct PublicKey {
    x: Element,
    y: Element,
    /// Halves of x and y, low first.
    halves: [[Lc; 2]; 2],
    words: (Words, Words),
}

/// secp256k1.key: x and y of Q in pieces, below p. Cost: 2 × 16 + 2 × 18.
///
/// Without the canonical range, x + p < 2²⁵⁶ would hash to a second address.
fn public_key(cs: &mut Cs, en: Wire, row: &Secp256k1Row) -> PublicKey {
    let mut coordinate = |value, name, range| {
        let pieces = nonnative::commit_value(cs, en, name, value);
        let halves = halves(&pieces);
        nonnative::enforce_at_most(cs, en, range, &halves, value, max_coordinate());
        (Element::from_pieces(&pieces), halves)
    };
    let [x_words, y_words] = row.key_words();
    let (x, x_halves) = coordinate(x_words, "secp256k1.key.x", "secp256k1.range.key_x");
    let (y, y_halves) = coordinate(y_words, "secp256k1.key.y", "secp256k1.range.key_y");
    PublicKey { x, y, halves: [x_halves, y_halves], words: (x_words, y_words) }
}

/// secp256k1.range.r_y, secp256k1.parity: y of R below p, and odd iff the parity bit is set.
///
/// y's lowest piece = 2·half + parity, half < 2¹⁶. Cost: 16 + 18 + 2. Without the range y + p would have the other parity.
fn r_ordinate(cs: &mut Cs, en: Wire, row: &Secp256k1Row, input: &Inputs) -> Element {
    let pieces = nonnative::commit_value(cs, en, "secp256k1.r_y.value", row.r_y);
    nonnative::enforce_at_most(cs, en, "secp256k1.range.r_y", &halves(&pieces), row.r_y, max_coordinate());
    let half = cs.commit("secp256k1.parity.half", (row.r_y[0] & 0xffff) >> 1);
    cs.lookup("secp256k1.parity.half", Bus::Range16, en, half);
    cs.enforce_equal("secp256k1.parity.bit", half * 2 + input.parity, pieces[0].clone());
    Element::from_pieces(&pieces)
}

/// secp256k1.combined, secp256k1.ratio, secp256k1.base_scalar, secp256k1.scalar.nonzero: α ≡ α₁ + λα₂, β ≡ β₁ + λβ₂,
/// s·α + r·β ≡ 0, w·s + z·β ≡ 0, (β₁, β₂) ≠ (0, 0).
///
/// Cost: 2 × (16 + 13) + 2 × 52 + 1. Soundness: |βᵢ| < 2⁶⁵. If β₁ + λβ₂ ≡ 0, then n divides
/// (β₁ + λβ₂)(β₁ + λ²β₂) ≡ β₁² − β₁β₂ + β₂², an integer below 2¹³² that is positive unless both are zero; hence β ≢ 0.
/// With β = 0 the cheat α = w = 0 would make every key a signer. β₁ + 2⁸⁰·β₂ is zero natively iff both are.
fn scalars(cs: &mut Cs, en: Wire, row: &Secp256k1Row, input: &Inputs, digits: &[Digits; 2], w: &Scalar) {
    let mut combine = |digits: &Digits, value| {
        let combined = Scalar::commit(cs, en, "secp256k1.combined.value", value);
        let [k1, k2] = &digits.scalar;
        scalar::enforce_endomorphism(cs, en, &COMBINED, &combined, [k1, k2]);
        combined
    };
    let alpha = combine(&digits[0], row.combined[0]);
    let beta = combine(&digits[1], row.combined[1]);
    scalar::enforce_sum_zero(cs, en, &RATIO, [(&alpha, &input.s), (&beta, &input.r)]);
    scalar::enforce_sum_zero(cs, en, &BASE_SCALAR, [(w, &input.s), (&beta, &input.z)]);
    let [b1, b2] = &digits[1].scalar;
    nonnative::enforce_nonzero(cs, en, "secp256k1.scalar.nonzero", b1.clone() + b2.clone() * pow2(80));
}

/// secp256k1.keccak, secp256k1.address: receives the key's digest, cuts the address out of it.
///
/// digest high = upper·2³² + next, both in pieces; address = next·2¹²⁸ + digest low. Cost: 6 + 8.
///
/// # Soundness
/// The halves of x and y are below 2¹²⁸ here and on the other side of the bus, so they are the key's as integers.
fn address(cs: &mut Cs, en: Wire, row: &Secp256k1Row, key: &[[Lc; 2]; 2]) -> Lc {
    let digest = super::tables::halves(words_from_be(row.digest));
    let pieces: Vec<Lc> = (0..8)
        .map(|i| {
            let piece = cs.commit("secp256k1.address.piece", (digest[1] >> (16 * i) & 0xffff) as u64);
            cs.lookup("secp256k1.address.piece", Bus::Range16, en, piece);
            piece.into()
        })
        .collect();
    let low = cs.commit("secp256k1.address.low", digest[0]);
    let [[first_low, first_high], [second_low, second_high]] =
        key.each_ref().map(|halves| halves.each_ref().map(bus::Element::from));
    let (high, low_half) = (Lc::recompose(&pieces, 16).into(), low.into());
    cs.receive(
        "secp256k1.keccak.receive",
        en,
        KeccakWords { first_high, first_low, second_high, second_low, high, low: low_half },
    );
    Lc::recompose(&pieces[..2], 16) * pow2(128) + low
}

/// secp256k1.signature: the statement. Cost: 8.
fn signature(cs: &mut Cs, en: Wire, input: &Inputs, address: Lc) {
    let [[z_low, z_high], [r_low, r_high], [s_low, s_high]] =
        input.halves.each_ref().map(|halves| halves.each_ref().map(bus::Element::from));
    let parity = input.parity.into();
    let tuple = Signature { address: address.into(), z_high, z_low, r_high, r_low, s_high, s_low, parity };
    cs.send("secp256k1.signature.send", en, tuple);
}
