//! keccak-f[1600] on lanes in base 8.
//!
//! Rounds are cut before θ. With the lanes b of the round before after ρ and π (v = 2b[x] + b[x+2] − b[x+1] + 1 has digits 0…4, and bit 1
//! of a digit is χ):
//! ```text
//! D[x]                    four looked-up chunks: some plane
//! v + 2·D[x]              = low + 2·A′[x, y] + 4·high       A′[x, y] = χ ⊕ D[x]           (first round: prev + block + D[x] = A′ + 2·high)
//! Σ_y A′[x, y] + D[x]     = C[x] + 2·middle + 4·high        C[x] = ⊕_y χ ⊕ 6·D[x] = ⊕_y χ, whatever D[x] is
//! C[x−1] + rot(C[x+1], 1) = D[x] + 2·high                   D[x] is what θ asks for
//! ```
//! So χ and θ share one decomposition, and every value is fixed although D is used before it is tied. ι adds its constant K
//! to the lane (0, 0) through a second D: D[0] + K = D′ + 2·high, chunks of K that are zero aside. C\[0\] then holds
//! ⊕_y χ ⊕ D′ ⊕ 4·D\[0\] ⊕ D\[0\] = ⊕_y χ ⊕ K, as it must.

use std::sync::LazyLock;

use ark_ff::AdditiveGroup;

use super::{
    digits::{CHUNKS, Lane, chunk, commit_chunk, commit_plane, commit_rotated, eights, enforce_plane, half, lane_of, spread_lane},
    row::{KeccakRow, LANES, LaneRow, ROUNDS, RoundRow},
    spec::{RHO, ROUND_CONSTANTS, chi_sources, pi_source},
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::{bus::Bus, tables::spread},
};

/// The permuted state, chunk by chunk, of `input` lanes with digits 0…2 (their parity counts), combinations of committed wires.
/// Requires: `en` boolean; if it is 1, `input` is as said. Cost: [`super::PERMUTATION_CONSTRAINTS`].
pub(super) fn synthesize(cs: &mut Cs, en: Wire, input: &[Lc; LANES], row: &KeccakRow) -> [[Wire; CHUNKS]; LANES] {
    let mut rotated: Option<[Lc; LANES]> = None;
    for (r, round) in row.rounds.iter().enumerate() {
        let effects: [[Wire; CHUNKS]; 5] =
            std::array::from_fn(|x| commit_plane(cs, "keccak.theta.effect", en, round.effects[x].bit));
        let effect_lanes = effects.each_ref().map(lane_of);
        let lanes = match rotated {
            None => absorbed_lanes(cs, en, input, &effect_lanes, round),
            Some(b) => {
                let iota = iota_effect(cs, en, &effects[0], round, ROUND_CONSTANTS[r - 1]);
                chi_lanes(cs, en, &b, &effect_lanes, &iota, round)
            }
        };
        let parities = enforce_parities(cs, en, &lanes, &effect_lanes, round);
        enforce_effects(cs, en, &parities, &effect_lanes, round);
        rotated = Some(std::array::from_fn(|i| lanes[pi_source(i)].rotated.clone()));
    }
    // There is at least one round.
    output(cs, en, &rotated.unwrap_or_default(), &row.output)
}

/// keccak.absorb.equation: input + D[x] = A′ + 2·high, digits 0…3.                     Cost: 4 + 5 a lane, 4 + 4 for lane (0, 0)
/// Soundness: the lemma of `digits`. Fixes A′ = input ⊕ D[x]. Without it the state before the first round is free.
fn absorbed_lanes(
    cs: &mut Cs,
    en: Wire,
    input: &[Lc; LANES],
    effects: &[Lc; 5],
    round: &RoundRow,
) -> [Lane; LANES] {
    std::array::from_fn(|i| {
        let row = &round.lanes[i];
        let lane = commit_rotated(cs, "keccak.absorb.bit", en, row.bit, RHO[i]);
        let rest = input[i].clone() + &effects[i % 5] - &lane.value;
        enforce_plane(cs, ("keccak.absorb.high", "keccak.absorb.equation"), en, row.high, rest, 1);
        lane
    })
}

/// keccak.iota.equation: D[0] + K = D′ + 2·high, chunk by chunk, for chunks with a bit of the constant K.         Cost: 2 a chunk
/// Soundness: digits 0…2 on the left, 0…3 on the right, sixteen each: D′ = D[0] ⊕ K. K is a constant of the round.
fn iota_effect(cs: &mut Cs, en: Wire, effect: &[Wire; CHUNKS], round: &RoundRow, constant: u64) -> Lc {
    (0..CHUNKS)
        .map(|j| match chunk(constant, j) {
            0 => effect[j] * eights(16 * j),
            k => {
                let w = commit_chunk(cs, "keccak.iota.effect", en, chunk(round.iota, j));
                cs.lookup("keccak.iota.equation", Bus::Sparse16, en, (effect[j] + en * spread(k) - w) * half());
                w * eights(16 * j)
            }
        })
        .sum()
}

/// v = 2b[x] + b[x+2] − b[x+1] + 1 for lane `i`: digits 0…4, the constant one at every digit times `en`.
fn chi_sum(en: Wire, rotated: &[Lc; LANES], i: usize) -> Lc {
    let [a, b, c] = chi_sources(i).map(|k| &rotated[k]);
    a.clone() * 2 + c - b + en * ones()
}

/// Digit one at all 64 positions.
fn ones() -> F {
    static ONES: LazyLock<F> = LazyLock::new(|| spread_lane(u64::MAX));
    *ONES
}

/// keccak.lane.equation: v + 2·D[x] = low + 2·A′ + 4·high, digits 0…6; D′ in place of D for lane (0, 0).
/// Cost: 4 + 5 + 4 a lane, one less for lane (0, 0)
/// Soundness: the lemma of `digits`. Bit 1 of a digit of v is χ, adding 2·D adds D to it: A′ = χ ⊕ D. Without it χ is free.
fn chi_lanes(
    cs: &mut Cs,
    en: Wire,
    rotated: &[Lc; LANES],
    effects: &[Lc; 5],
    iota: &Lc,
    round: &RoundRow,
) -> [Lane; LANES] {
    std::array::from_fn(|i| {
        let row = &round.lanes[i];
        let low = commit_plane(cs, "keccak.lane.low", en, row.low);
        let lane = commit_rotated(cs, "keccak.lane.bit", en, row.bit, RHO[i]);
        let effect = if i == 0 { iota } else { &effects[i % 5] };
        let twice = (effect.clone() - &lane.value) * 2;
        let rest = chi_sum(en, rotated, i) + twice - lane_of(&low);
        enforce_plane(cs, ("keccak.lane.high", "keccak.lane.equation"), en, row.high, rest, 2);
        lane
    })
}

/// keccak.parity.equation: Σ_y A′[x, y] + D[x] = C[x] + 2·middle + 4·high, digits 0…6.           Cost: 5 + 4 + 4 a column
/// Soundness: the lemma of `digits`. C[x] is the parity of the column before D was added, D counting six times.
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

/// keccak.theta.equation: C[x−1] + rot(C[x+1], 1) = D[x] + 2·high, digits 0…2.                         Cost: 4 + 4 a column
/// Soundness: the lemma of `digits`. Ties the D used in the lanes; without it θ adds any plane to a column.
fn enforce_effects(cs: &mut Cs, en: Wire, parities: &[Lane; 5], effects: &[Lc; 5], round: &RoundRow) {
    for x in 0..5 {
        let rest = parities[(x + 4) % 5].value.clone() + &parities[(x + 1) % 5].rotated - &effects[x];
        enforce_plane(cs, ("keccak.theta.high", "keccak.theta.equation"), en, round.effects[x].high, rest, 1);
    }
}

/// keccak.output.equation: v + 2·K = low + 2·out + 4·high, digits 0…6; K is the last constant for lane (0, 0), else zero.
/// Cost: 12 a lane
/// Soundness: the lemma of `digits` without rotation: out = χ ⊕ K. Without it the permuted state is free.
fn output(
    cs: &mut Cs,
    en: Wire,
    rotated: &[Lc; LANES],
    rows: &[LaneRow; LANES],
) -> [[Wire; CHUNKS]; LANES] {
    std::array::from_fn(|i| {
        let row = &rows[i];
        let low = commit_plane(cs, "keccak.output.low", en, row.low);
        let bit = commit_plane(cs, "keccak.output.bit", en, row.bit);
        let constant = if i == 0 { spread_lane(ROUND_CONSTANTS[ROUNDS - 1]) } else { F::ZERO };
        let twice = (en * constant - lane_of(&bit)) * 2;
        let rest = chi_sum(en, rotated, i) + twice - lane_of(&low);
        enforce_plane(cs, ("keccak.output.high", "keccak.output.equation"), en, row.high, rest, 2);
        bit
    })
}
