//! The equations of a row. Families are functions, in the order of docs/circuits/secp256k1.md.

use alloy_primitives::U256;
use ark_ff::{BigInt, Field};

use super::{HALF_ORDER, Secp256k1Row, curve::Base, multiples, points};
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::{
        nonnative::{
            self, PIECES, Words,
            base::{self, Element},
            scalar::{self, Scalar},
        },
        pow2, range,
        words::Word,
        zero::enforce_nonzero,
    },
    lookup::bus::{self, KeccakWords, Signature},
    machines::secp256k1::tables::words_from_be,
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
    let small = digits.each_ref().map(|digits| &digits.scalar);
    scalars(cs, en, row.combined, small, [&input.z, &input.r, &input.s], &w);
    multiples::accumulate(cs, en, row, &digits, &base_points);
    let address = address(cs, en, row, &key.coordinates);
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
    /// z, r, s.
    words: [Word; 3],
    parity: Wire,
}

/// The sixteen limbs of a new value, wires and checks named `name`.
fn pieces(cs: &mut Cs, name: &'static str, en: Wire, value: Words) -> [Lc; PIECES] {
    range::commit(cs, name, name, en, value)
}

/// secp256k1.input, secp256k1.range.{r, s}: z any 256-bit integer, r < n, s ≤ (n − 1)/2, parity a bit.
///
/// Cost: 3 × 16 + 2 × 18 + 1. Without the ranges, r + n or a negated s would be a second signature of the same message. That
/// neither is zero follows elsewhere: see [`scalars`].
fn inputs(cs: &mut Cs, en: Wire, row: &Secp256k1Row) -> Inputs {
    let z = pieces(cs, "secp256k1.input.z", en, row.z);
    let r = pieces(cs, "secp256k1.input.r", en, row.r);
    let s = pieces(cs, "secp256k1.input.s", en, row.s);
    let words = [&z, &r, &s].map(Word::from_limbs);
    let max_r = U256::from_limbs(scalar::ORDER) - U256::ONE;
    words[1].enforce_at_most(cs, "secp256k1.range.r", en, max_r);
    words[2].enforce_at_most(cs, "secp256k1.range.s", en, U256::from_limbs(HALF_ORDER));
    Inputs {
        z: Scalar::from_pieces(&z, row.z),
        r: Scalar::from_pieces(&r, row.r),
        s: Scalar::from_pieces(&s, row.s),
        r_x: Element::from_pieces(&r),
        words,
        parity: cs.commit_boolean("secp256k1.input.parity", row.y_parity),
    }
}

fn max_coordinate() -> U256 {
    U256::from_limbs(base::MODULUS) - U256::ONE
}

struct PublicKey {
    x: Element,
    y: Element,
    /// x and y.
    coordinates: [Word; 2],
    words: (Words, Words),
}

/// secp256k1.key: x and y of Q in pieces, below p. Cost: 2 × 16 + 2 × 18.
///
/// Without the canonical range, x + p < 2²⁵⁶ would hash to a second address.
fn public_key(cs: &mut Cs, en: Wire, row: &Secp256k1Row) -> PublicKey {
    let mut coordinate = |value, name, range| {
        let pieces = range::commit(cs, name, name, en, value);
        let word = Word::from_limbs(&pieces);
        word.enforce_at_most(cs, range, en, max_coordinate());
        (Element::from_pieces(&pieces), word)
    };
    let [x_words, y_words] = row.key_words();
    let (x, x_word) = coordinate(x_words, "secp256k1.key.x", "secp256k1.range.key_x");
    let (y, y_word) = coordinate(y_words, "secp256k1.key.y", "secp256k1.range.key_y");
    PublicKey { x, y, coordinates: [x_word, y_word], words: (x_words, y_words) }
}

/// secp256k1.range.r_y, secp256k1.parity: y of R below p, and odd iff the parity bit is set.
///
/// y's lowest piece = 2·half + parity, half < 2¹⁶. Cost: 16 + 18 + 2. Without the range y + p would have the other parity.
fn r_ordinate(cs: &mut Cs, en: Wire, row: &Secp256k1Row, input: &Inputs) -> Element {
    let pieces = pieces(cs, "secp256k1.r_y.value", en, row.r_y);
    Word::from_limbs(&pieces).enforce_at_most(cs, "secp256k1.range.r_y", en, max_coordinate());
    let half =
        range::limb(cs, "secp256k1.parity.half", "secp256k1.parity.half", en, (row.r_y[0] & 0xffff) >> 1);
    cs.enforce_equal("secp256k1.parity.bit", half * 2 + input.parity, pieces[0].clone());
    Element::from_pieces(&pieces)
}

/// secp256k1.combined, secp256k1.ratio, secp256k1.base_scalar, secp256k1.scalar.nonzero: α ≡ α₁ + λα₂, β ≡ β₁ + λβ₂,
/// s·α + r·β ≡ 0, w·s + z·β ≡ 0, (β₁, β₂) ≠ (0, 0), for `small` = [(α₁, α₂), (β₁, β₂)] and hints `combined` = [α, β].
///
/// Cost: 2 × (16 + 13) + 2 × 52 + 1. Soundness: |βᵢ| < 2⁶⁵. If β₁ + λβ₂ ≡ 0, then n divides
/// (β₁ + λβ₂)(β₁ + λ²β₂) ≡ β₁² − β₁β₂ + β₂², an integer below 2¹³² that is positive unless both are zero; hence β ≢ 0.
/// With β = 0, α = w = 0 would make every key a signer. β₁ + 2⁸⁰·β₂ is zero natively iff both are.
///
/// Neither r nor s needs a check against zero: no point has x = 0, because 7 is not a square, so r ≢ 0 (0 < n
/// is the only multiple of n in r's range); and s ≡ 0 would make r·β ≡ 0.
pub(super) fn scalars(
    cs: &mut Cs,
    en: Wire,
    combined: [Words; 2],
    small: [&[Lc; 2]; 2],
    [z, r, s]: [&Scalar; 3],
    w: &Scalar,
) {
    let mut combine = |[k1, k2]: &[Lc; 2], value| {
        cs.scoped("secp256k1.combined", |cs| {
            let combined = Scalar::commit(cs, "value", en, value);
            scalar::enforce_endomorphism(cs, en, &combined, [k1, k2]);
            combined
        })
    };
    let alpha = combine(small[0], combined[0]);
    let beta = combine(small[1], combined[1]);
    cs.scoped("secp256k1.ratio", |cs| scalar::enforce_sum_zero(cs, en, [(&alpha, s), (&beta, r)]));
    cs.scoped("secp256k1.base_scalar", |cs| scalar::enforce_sum_zero(cs, en, [(w, s), (&beta, z)]));
    let [b1, b2] = small[1];
    enforce_nonzero(cs, "secp256k1.scalar.nonzero", en, b1.clone() + b2.clone() * pow2(80));
}

/// secp256k1.keccak, secp256k1.address: receives the key's digest, cuts the address out of it.
///
/// digest high = upper·2³² + next, both in pieces; address = next·2¹²⁸ + digest low. Cost: 6 + 8.
///
/// # Soundness
/// The halves of x and y are below 2¹²⁸ here and on the other side of the bus, so they are the key's as integers.
fn address(cs: &mut Cs, en: Wire, row: &Secp256k1Row, key: &[Word; 2]) -> Lc {
    let digest = super::tables::halves(words_from_be(row.digest));
    let name = "secp256k1.address.piece";
    let pieces: [Lc; 8] =
        range::commit(cs, name, name, en, [digest[1] as u64, (digest[1] >> 64) as u64, 0, 0]);
    let low = cs.commit("secp256k1.address.low", digest[0]);
    let [[first_high, first_low], [second_high, second_low]] =
        key.each_ref().map(|word| [&word.hi, &word.lo].map(bus::Element::from));
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
    let [[z_high, z_low], [r_high, r_low], [s_high, s_low]] =
        input.words.each_ref().map(|word| [&word.hi, &word.lo].map(bus::Element::from));
    let parity = input.parity.into();
    let tuple = Signature { address: address.into(), z_high, z_low, r_high, r_low, s_high, s_low, parity };
    cs.send("secp256k1.signature.send", en, tuple);
}
