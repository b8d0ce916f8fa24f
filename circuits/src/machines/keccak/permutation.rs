//! `keccak-f[1600]` on lanes in base 8 (see [`super::digits`]).
//!
//! Rounds are cut before θ. Let b be the lanes that the round before left after ρ and π; then the digits of
//! v = 2·bₓ + bₓ₊₂ − bₓ₊₁ + 1 are 0…4, and their bit of weight 2 is χ. A round is
//! ```text
//! Dₓ                     = some plane, four looked-up chunks
//! v + 2·Dₓ               = low + 2·A′ + 4·high           so A′ = χ ⊕ Dₓ, for each lane (x, y)
//! Σ_y A′ + Dₓ            = Cₓ + 2·middle + 4·high        so Cₓ = ⊕_y χ ⊕ 6·Dₓ = ⊕_y χ, whatever Dₓ is
//! Cₓ₋₁ + rot(Cₓ₊₁, 1)    = Dₓ + 2·high                   so Dₓ is what θ adds
//! ```
//! χ and θ share one decomposition, and every value is fixed although D is used before it is tied. The first round
//! has prev + block + Dₓ = A′ + 2·high in the second line, which absorbs the block at no further cost.
//!
//! ι adds its constant K to the lane (0, 0) through an effect of its own: D₀ + K = D′ + 2·high, for the chunks of K
//! that are not zero. Then C₀ = ⊕_y χ ⊕ D′ ⊕ 5·D₀ = ⊕_y χ ⊕ K, as it must be. The last round's χ and ι are
//! v + 2·K = low + 2·out + 4·high.
//!
//! Known lanes cost less: where the state is zero and the block a constant K, A′ = Dₓ ⊕ K needs no second plane. Lanes of
//! the permuted state that are not output are not computed, nor rotations that only they need.

use std::sync::LazyLock;

use ark_ff::AdditiveGroup;

use super::{
    digits::{
        CHUNKS, Lane, chunk, commit_byte, commit_chunk, commit_plane, commit_rotated, eights, enforce_plane,
        half, lane_of, rotate, spread_lane,
    },
    row::{DIGEST_BYTES, DIGEST_LANES, LANES, LaneRow, PermutationRow, ROUNDS, RoundRow},
    spec::{RHO, ROUND_CONSTANTS, chi_sources, pi_source},
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::pow2,
    lookup::{bus::Bus, tables::spread},
};

/// A lane before the first round.
pub(super) enum Input {
    /// Digits 0…2, whose parities are the lane: the state with the block added. Made of committed wires.
    Sum(Lc),
    /// These bits in an enabled row, for the state is zero and the block is constant here; zero in a disabled one.
    Constant(u64),
}

/// The permuted state.
pub(super) struct Output {
    /// Lanes in base 8, `squeezed` of them.
    pub lanes: Vec<Lc>,
    /// Bytes 0…15 and 16…31 as big-endian integers.
    pub digest: [Lc; 2],
}

/// The permuted state's first `squeezed` lanes, at least the digest's four.
/// Requires: `en` boolean; if it is 1, `input` is as said. Cost: [`super::permutation_constraints`] for 25 sums and 25
/// lanes, and 4 a byte pair of the digest.
pub(super) fn synthesize(
    cs: &mut Cs,
    en: Wire,
    input: &[Input; LANES],
    row: &PermutationRow,
    squeezed: usize,
) -> Output {
    let first = &row.rounds[0];
    let mut rotated = round(cs, en, first, |cs, effects, _| absorbed_lanes(cs, en, input, effects, first));
    for (r, (round_row, constant)) in (1..).zip(row.rounds[1..].iter().zip(ROUND_CONSTANTS)) {
        let is_last = r + 1 == ROUNDS;
        rotated = round(cs, en, round_row, |cs, effects, chunks| {
            let iota = iota_effect(cs, en, chunks, round_row, constant);
            chi_lanes(cs, en, &rotated, effects, &iota, round_row, |i| !is_last || is_read(i, squeezed))
        });
    }
    output(cs, en, &rotated, &row.output[..squeezed])
}

/// True if χ of the last round reads lane `i`, before ρ and π, for the first `squeezed` lanes of the permuted state.
fn is_read(i: usize, squeezed: usize) -> bool {
    (0..squeezed).flat_map(chi_sources).any(|k| pi_source(k) == i)
}

/// θ, ρ and π with what comes before them: `lanes` gives the lanes after θ from D₀ … D₄ and the chunks of D₀.
fn round(
    cs: &mut Cs,
    en: Wire,
    row: &RoundRow,
    lanes: impl FnOnce(&mut Cs, &[Lc; 5], &[Wire; CHUNKS]) -> [Lane; LANES],
) -> [Lc; LANES] {
    let chunks: [_; 5] =
        std::array::from_fn(|x| commit_plane(cs, "keccak.theta.effect", en, row.effects[x].bit));
    let effects = chunks.each_ref().map(lane_of);
    let lanes = lanes(cs, &effects, &chunks[0]);
    let parities = enforce_parities(cs, en, &lanes, &effects, row);
    enforce_effects(cs, en, &parities, &effects, row);
    std::array::from_fn(|i| lanes[pi_source(i)].rotated.clone())
}

/// keccak.absorb.equation: input + Dₓ = A′ + 2·high, digits 0…3.            Cost: 5 + 4 a lane, 8 for lane (0, 0)
/// keccak.absorb.rotation: the same where the input is a constant K. `high` has a chunk only where K has one that is not zero.
///                                                                          Cost: 5 a lane, and 1 such a chunk
/// Soundness: the lemma of `digits`. Fixes A′ = input ⊕ Dₓ. Without it the state before the first round is free.
fn absorbed_lanes(
    cs: &mut Cs,
    en: Wire,
    input: &[Input; LANES],
    effects: &[Lc; 5],
    round: &RoundRow,
) -> [Lane; LANES] {
    std::array::from_fn(|i| {
        let row = &round.lanes[i];
        match &input[i] {
            Input::Sum(input) => {
                let lane = commit_rotated(cs, "keccak.absorb.bit", en, row.bit, RHO[i]);
                let rest = input.clone() + &effects[i % 5] - &lane.value;
                enforce_plane(cs, ("keccak.absorb.high", "keccak.absorb.equation"), en, row.high, rest, 1);
                lane
            }
            Input::Constant(k) => {
                let mut rest = en * spread_lane(*k) + &effects[i % 5];
                for j in (0..CHUNKS).filter(|j| chunk(*k, *j) != 0) {
                    let high = commit_chunk(cs, "keccak.absorb.high", en, chunk(row.high, j));
                    rest -= high * eights(16 * j) * F::from(2u64);
                }
                rotate(cs, ("keccak.absorb.bit", "keccak.absorb.rotation"), en, row.bit, rest, RHO[i])
            }
        }
    })
}

/// keccak.iota.equation: D₀ + K = D′ + 2·high in each chunk where the round constant K is not zero.  Cost: 2 a chunk
/// Soundness: sixteen digits 0…2 on the left, 0…3 on the right, so D′ = D₀ ⊕ K. Without it lane (0, 0) is free.
fn iota_effect(cs: &mut Cs, en: Wire, effect: &[Wire; CHUNKS], round: &RoundRow, constant: u64) -> Lc {
    (0..CHUNKS)
        .map(|j| match chunk(constant, j) {
            0 => effect[j] * eights(16 * j),
            k => {
                let w = commit_chunk(cs, "keccak.iota.effect", en, chunk(round.iota, j));
                let high = (effect[j] + en * spread(k) - w) * half();
                cs.lookup("keccak.iota.equation", Bus::Sparse16, en, high);
                w * eights(16 * j)
            }
        })
        .sum()
}

/// v = 2bₓ + bₓ₊₂ − bₓ₊₁ + 1 for lane `i`: digits 0…4, the constant one at every digit times `en`.
fn chi_sum(en: Wire, rotated: &[Lc; LANES], i: usize) -> Lc {
    let [a, b, c] = chi_sources(i).map(|k| &rotated[k]);
    a.clone() * 2 + c - b + en * ones()
}

/// Digit one at all 64 positions.
fn ones() -> F {
    static ONES: LazyLock<F> = LazyLock::new(|| spread_lane(u64::MAX));
    *ONES
}

/// keccak.lane.equation: v + 2·Dₓ = low + 2·A′ + 4·high, digits 0…6; D′ in place of D for lane (0, 0).
///                             Cost: 4 + 5 + 4 a lane, 12 for lane (0, 0) and for each that is not `is_rotated`
/// Soundness: the lemma of `digits`. The bit of weight 2 in v is χ, and adding 2·D adds D to it, so A′ = χ ⊕ D.
/// Without it χ is free.
fn chi_lanes(
    cs: &mut Cs,
    en: Wire,
    rotated: &[Lc; LANES],
    effects: &[Lc; 5],
    iota: &Lc,
    round: &RoundRow,
    is_rotated: impl Fn(usize) -> bool,
) -> [Lane; LANES] {
    std::array::from_fn(|i| {
        let row = &round.lanes[i];
        let low = commit_plane(cs, "keccak.lane.low", en, row.low);
        let rotation = if is_rotated(i) { RHO[i] } else { 0 };
        let lane = commit_rotated(cs, "keccak.lane.bit", en, row.bit, rotation);
        let effect = if i == 0 { iota } else { &effects[i % 5] };
        let twice = (effect.clone() - &lane.value) * 2;
        let rest = chi_sum(en, rotated, i) + twice - lane_of(&low);
        enforce_plane(cs, ("keccak.lane.high", "keccak.lane.equation"), en, row.high, rest, 2);
        lane
    })
}

/// keccak.parity.equation: Σ_y A′ + Dₓ = Cₓ + 2·middle + 4·high, digits 0…6.       Cost: 5 + 4 + 4 a column
/// Soundness: the lemma of `digits`. Cₓ is the parity of the column before D was added, D counting six times.
/// Without it θ adds whatever the prover likes.
fn enforce_parities(
    cs: &mut Cs,
    en: Wire,
    lanes: &[Lane; LANES],
    effects: &[Lc; 5],
    round: &RoundRow,
) -> [Lane; 5] {
    std::array::from_fn(|x| {
        let row = &round.parities[x];
        let parity = commit_rotated(cs, "keccak.parity.bit", en, row.bit, 1);
        let middle = commit_plane(cs, "keccak.parity.middle", en, row.middle);
        let column: Lc = (0..5).map(|y| lanes[x + 5 * y].value.clone()).sum();
        let rest = column + &effects[x] - &parity.value - lane_of(&middle) * 2;
        enforce_plane(cs, ("keccak.parity.high", "keccak.parity.equation"), en, row.high, rest, 2);
        parity
    })
}

/// keccak.theta.equation: Cₓ₋₁ + rot(Cₓ₊₁, 1) = Dₓ + 2·high, digits 0…2.                   Cost: 4 + 4 a column
/// Soundness: the lemma of `digits`. Ties the D used in the lanes; without it θ adds any plane to a column.
fn enforce_effects(cs: &mut Cs, en: Wire, parities: &[Lane; 5], effects: &[Lc; 5], round: &RoundRow) {
    for x in 0..5 {
        let rest = parities[(x + 4) % 5].value.clone() + &parities[(x + 1) % 5].rotated - &effects[x];
        enforce_plane(cs, ("keccak.theta.high", "keccak.theta.equation"), en, round.effects[x].high, rest, 1);
    }
}

/// keccak.output.equation: v + 2·K = low + 2·out + 4·high, digits 0…6; K is the last round constant for lane (0, 0)
/// and zero elsewhere.                                      Cost: 12 a lane, 8 a lane of the digest and 4 a pair of bytes
/// Soundness: the lemma of `digits` without rotation: out = χ ⊕ K. Without it the permuted state is free.
fn output(cs: &mut Cs, en: Wire, rotated: &[Lc; LANES], rows: &[LaneRow]) -> Output {
    let mut digest = [Lc::zero(), Lc::zero()];
    let lanes = rows.iter().enumerate().map(|(i, row)| {
        let low = commit_plane(cs, "keccak.output.low", en, row.low);
        let bit = if i < DIGEST_LANES {
            digest_lane(cs, en, i, row.bit, &mut digest)
        } else {
            lane_of(&commit_plane(cs, "keccak.output.bit", en, row.bit))
        };
        let constant = if i == 0 { spread_lane(ROUND_CONSTANTS[ROUNDS - 1]) } else { F::ZERO };
        let twice = (en * constant - &bit) * 2;
        let rest = chi_sum(en, rotated, i) + twice - lane_of(&low);
        enforce_plane(cs, ("keccak.output.high", "keccak.output.equation"), en, row.high, rest, 2);
        bit
    });
    let lanes = lanes.collect();
    Output { lanes, digest }
}

/// keccak.digest.spread: eight bytes of the digest with their bits in base 8, which make up lane `i`.         Cost: 16
/// Adds the bytes to the halves. Soundness: bits 8 … 15 of a chunk are a second byte's, both spreads being below 8⁸, so the
/// lane is a plane. Without it the digest is free.
fn digest_lane(cs: &mut Cs, en: Wire, i: usize, bits: u64, halves: &mut [Lc; 2]) -> Lc {
    const HALF: usize = DIGEST_BYTES / 2;
    let mut lane = Lc::zero();
    for (k, value) in bits.to_le_bytes().into_iter().enumerate() {
        let (byte, spread) = commit_byte(cs, ("keccak.digest.byte", "keccak.digest.spread"), en, value);
        lane += spread * eights(8 * k);
        let n = 8 * i + k;
        halves[n / HALF] += byte * pow2(8 * (HALF - 1 - n % HALF) as u32);
    }
    lane
}
