//! Lanes in base 8: Σ bᵢ·8ⁱ over the 64 bits of a lane, below 2¹⁹². Committed as chunks of sixteen digits, each one
//! membership lookup in the fixed table of [`Bus::Sparse16`].
//!
//! A *plane* here is a lane whose digits are bits (FIPS 202 uses the word otherwise). Equations say that a digitwise
//! sum S of planes, with digits 0…7, is Σ w·X over planes X whose weights w ∈ {1, 2, 4} are distinct. One chunk of one
//! X is no wire: it is the linear combination that makes the equation true, and its lookup *is* the equation.
//!
//! **Lemma.** Let S = Σ σᵢ·8ⁱ with integers 0 ≤ σᵢ ≤ 7, i < 64, and let S = Σ w·X hold in the field, all chunks being
//! in the table, at most one X committed by [`commit_rotated`] (rotation r), the others in place. Then every X
//! is the plane of the bits of weight w of the digits σᵢ, and `rotated` is the plane rotated left by r.
//!
//! *Proof.* Let s = r mod 16, and s > 0 (else all X are sums of full chunks, and only steps 2 and 3 are needed). The
//! chunk of the rotated lane that straddles the wrap is u + w′: u its s low digits, the *top* of the unrotated lane,
//! and w′ its 16 − s high digits where they stand, the *bottom* of the unrotated lane. Both are looked up as sixteen
//! digits, so that u might have digits beyond its s, and w′ digits below its own:
//! ```text
//! X = 8⁻ˢ·w′ + 8¹⁶⁻ˢ·c₁ + 8³²⁻ˢ·c₂ + 8⁴⁸⁻ˢ·c₃ + 8⁶⁴⁻ˢ·u
//! ```
//! Multiply the equation by 8ˢ. Both sides are then field elements of integers below 8⁸¹ = 2²⁴³ < p: the left one is
//! below 8⁶⁴⁺ˢ ≤ 8⁷⁹; on the right the weights add up to at most 7 and each X·8ˢ is below 8⁶⁴⁺¹⁶. So the equation
//! holds in the integers.
//! 1. Modulo 8ˢ everything vanishes but w·w′. Its digits are 0 or w < 8, so its s low ones are zero: w′ has none
//!    below its own.
//! 2. Now each position carries at most one digit of each X, together at most 1 + 2 + 4 = 7. So there are no carries,
//!    and the digits on both sides are equal. S has none from position 64 on, so u has none beyond its s.
//! 3. At each position σᵢ = Σ w·bit with distinct powers of two w, so the bits are those of σᵢ. ∎
//!
//! Were a short chunk cut the other way round (the top one scaled, or the bottom one not), its surplus digits would
//! fall on positions that another chunk fills too, and a digit 2 in place of a carry would pass.

use std::sync::LazyLock;

use ark_ff::Field;

use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::{
        bus::{Bus, ByteSparse},
        tables::spread,
    },
};

/// Chunks of a lane.
pub(super) const CHUNKS: usize = 4;

/// Powers of eight: 8ⁿ and 8⁻ⁿ for n ≤ 64.
struct Powers {
    up: Vec<F>,
    down: Vec<F>,
}

static POWERS: LazyLock<Powers> = LazyLock::new(|| {
    let powers =
        |base: F| std::iter::successors(Some(F::ONE), |p| Some(*p * base)).take(65).collect::<Vec<_>>();
    let eight = F::from(8u64);
    Powers { up: powers(eight), down: powers(eight.inverse().unwrap_or_default()) }
});

/// 8ⁿ.
pub(super) fn eights(n: usize) -> F {
    POWERS.up[n]
}

/// 8⁻ⁿ.
pub(super) fn inverse_eights(n: usize) -> F {
    POWERS.down[n]
}

/// ½.
pub(super) fn half() -> F {
    POWERS.down[1] * F::from(4u64)
}

/// The sixteen bits of chunk `j`.
pub(super) fn chunk(lane: u64, j: usize) -> u16 {
    (lane >> (16 * j)) as u16 // Truncation is the purpose.
}

/// The lane of `bits` as a field element.
pub(super) fn spread_lane(bits: u64) -> F {
    (0..CHUNKS).map(|j| F::from(spread(chunk(bits, j))) * eights(16 * j)).sum()
}

/// A committed wire that is in the table. Cost: 1.
pub(super) fn commit_chunk(cs: &mut Cs, name: &'static str, en: Wire, bits: u16) -> Wire {
    let w = cs.commit(name, spread(bits));
    cs.lookup(name, Bus::Sparse16, en, w);
    w
}

/// A plane whose chunks are in place. Cost: 4.
pub(super) fn commit_plane(cs: &mut Cs, name: &'static str, en: Wire, bits: u64) -> [Wire; CHUNKS] {
    std::array::from_fn(|j| commit_chunk(cs, name, en, chunk(bits, j)))
}

/// A byte and its bits in base 8, named `name` and `spread`: the lookup `spread` says that they are. Cost: 2.
pub(super) fn commit_byte(
    cs: &mut Cs,
    (name, spread_name): (&'static str, &'static str),
    en: Wire,
    value: u8,
) -> (Wire, Wire) {
    let byte = cs.commit(name, u64::from(value));
    let bits = cs.commit(spread_name, spread(u16::from(value)));
    cs.send(spread_name, en, ByteSparse { byte: byte.into(), bits: bits.into() });
    (byte, bits)
}

/// Σ 8¹⁶ʲ·chunkⱼ.
pub(super) fn lane_of(chunks: &[Wire; CHUNKS]) -> Lc {
    chunks.iter().enumerate().map(|(j, c)| *c * eights(16 * j)).sum()
}

/// A plane, and the same rotated left.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub value: Lc,
    pub rotated: Lc,
}

/// A plane whose chunks are aligned in the lane rotated left by `r`. Cost: 4, and 1 if 16 does not divide r.
/// Requires: an equation that it takes part in, see the lemma; alone, the cut chunk may have surplus digits.
pub(super) fn commit_rotated(cs: &mut Cs, name: &'static str, en: Wire, bits: u64, r: u32) -> Lane {
    let mut lane = Lane { value: Lc::zero(), rotated: Lc::zero() };
    for j in 0..CHUNKS {
        commit_aligned(cs, name, en, bits, r, j, &mut lane);
    }
    lane
}

/// The equation `value` = X for a plane X of bits `bits`: its chunks, aligned in the lane rotated left by `r`, are
/// committed under `name` but for a whole one, and the lookup `equation` says that what remains is that one.
/// Cost: 4, and 1 if 16 does not divide r. Requires: `value` is a sum of planes, digits 0…7, less planes of other
/// weights.
pub(super) fn rotate(
    cs: &mut Cs,
    (name, equation): (&'static str, &'static str),
    en: Wire,
    bits: u64,
    value: Lc,
    r: u32,
) -> Lane {
    let rest = if is_cut(r, CHUNKS - 1) { CHUNKS - 2 } else { CHUNKS - 1 };
    let mut lane = Lane { value: Lc::zero(), rotated: Lc::zero() };
    for j in (0..CHUNKS).filter(|j| *j != rest) {
        commit_aligned(cs, name, en, bits, r, j, &mut lane);
    }
    let mut chunk = (value.clone() - &lane.value) * inverse_eights(unrotated(rest, r));
    chunk.merge();
    cs.lookup(equation, Bus::Sparse16, en, chunk.clone());
    Lane { value, rotated: lane.rotated + chunk * eights(16 * rest) }
}

/// True if chunk `j` of a lane rotated left by `r` straddles the wrap.
const fn is_cut(r: u32, j: usize) -> bool {
    !r.is_multiple_of(16) && r as usize / 16 == j
}

/// Where chunk `j` of a lane rotated left by `r` begins in the lane itself, if it is whole.
const fn unrotated(j: usize, r: u32) -> usize {
    (16 * j + 64 - r as usize) % 64
}

/// Commits chunk `j` of the plane `bits` rotated left by `r`, in two parts if it is cut, and adds it to `lane`.
fn commit_aligned(cs: &mut Cs, name: &'static str, en: Wire, bits: u64, r: u32, j: usize, lane: &mut Lane) {
    let c = chunk(bits.rotate_left(r), j);
    if is_cut(r, j) {
        let s = r as usize % 16;
        let low_digits = (1u16 << s) - 1;
        let u = commit_chunk(cs, name, en, c & low_digits);
        let w = commit_chunk(cs, name, en, c & !low_digits);
        lane.value += u * eights(64 - s) + w * inverse_eights(s);
        lane.rotated += (u + w) * eights(16 * j);
    } else {
        let w = commit_chunk(cs, name, en, c);
        lane.value += w * eights(unrotated(j, r));
        lane.rotated += w * eights(16 * j);
    }
}

/// The equation `scaled` = 2^`log_weight`·X for a plane X, of bits `bits`: three chunks of X are committed under
/// `name`, and the lookup `equation` says that what remains is the fourth. Cost: 4.
pub(super) fn enforce_plane(
    cs: &mut Cs,
    (name, equation): (&'static str, &'static str),
    en: Wire,
    bits: u64,
    scaled: Lc,
    log_weight: u32,
) {
    // 2^-k·8^-48 = 2^(3−k)·8^-49.
    let mut top = scaled * (inverse_eights(49) * F::from(8u64 >> log_weight));
    for j in 0..CHUNKS - 1 {
        top -= commit_chunk(cs, name, en, chunk(bits, j)) * inverse_eights(48 - 16 * j);
    }
    cs.lookup(equation, Bus::Sparse16, en, top);
}
