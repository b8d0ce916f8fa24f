//! `keccak-f[1600]` on lanes in base 8 (see [`super::digits`]).
//!
//! Rounds are cut before θ. Let b be the lanes that the round before left after ρ and π; then the digits of
//! v = 2·bₓ + bₓ₊₂ − bₓ₊₁ + 1 are 0…4, and their bit of weight 2 is χ. A round is
//! ```text
//! Dₓ                     = some plane, four looked-up chunks
//! v + 2·Dₓ               = low + 2·A′ + 4·high           so A′ = χ ⊕ Dₓ, for each lane (x, y)
//! Σ_y A′ + Dₓ            = Cₓ + 2·middle + 4·high        so Cₓ = ⊕_y χ ⊕ 6·Dₓ = ⊕_y χ, whatever Dₓ is
//! Cₓ₋₁ + rot(Cₓ₊₁, 1)    = Dₓ + 2·high                   so Dₓ is what θ asks for
//! ```
//! χ and θ share one decomposition, and every value is fixed although D is used before it is tied. The first round
//! has prev + block + Dₓ = A′ + 2·high in the second line, which absorbs the block at no further cost.
//!
//! ι adds its constant K to the lane (0, 0) through an effect of its own: D₀ + K = D′ + 2·high, for the chunks of K
//! that are not zero. Then C₀ = ⊕_y χ ⊕ D′ ⊕ 5·D₀ = ⊕_y χ ⊕ K, as it must be. The last round's χ and ι are
//! v + 2·K = low + 2·out + 4·high.

use std::sync::LazyLock;

use ark_ff::AdditiveGroup;

use super::{
    digits::{
        CHUNKS, Lane, chunk, commit_chunk, commit_plane, commit_rotated, eights, enforce_plane, half,
        lane_of, spread_lane,
    },
    row::{KeccakRow, LANES, LaneRow, ROUNDS, RoundRow},
    spec::{RHO, ROUND_CONSTANTS, chi_sources, pi_source},
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::{bus::Bus, tables::spread},
};

/// The permuted state, chunk by chunk. The digits of `input` lanes, combinations of committed wires, are 0…2, and
/// their parities are the state.
/// Requires: `en` boolean; if it is 1, `input` is as said. Cost: [`super::permutation_constraints`].
pub(super) fn synthesize(
    cs: &mut Cs,
    en: Wire,
    input: &[Lc; LANES],
    row: &KeccakRow,
) -> [[Wire; CHUNKS]; LANES] {
    let mut rotated = round(cs, en, &row.rounds[0], |cs, effects, _| {
        absorbed_lanes(cs, en, input, effects, &row.rounds[0])
    });
    for (row, constant) in row.rounds[1..].iter().zip(ROUND_CONSTANTS) {
        rotated = round(cs, en, row, |cs, effects, chunks| {
            let iota = iota_effect(cs, en, chunks, row, constant);
            chi_lanes(cs, en, &rotated, effects, &iota, row)
        });
    }
    output(cs, en, &rotated, &row.output)
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
/// Soundness: the lemma of `digits`. Fixes A′ = input ⊕ Dₓ. Without it the state before the first round is free.
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

/// keccak.iota.equation: D₀ + K = D′ + 2·high in each chunk where the round constant K is not zero.  Cost: 2 a chunk
/// Soundness: sixteen digits 0…2 on the left, 0…3 on the right, so D′ = D₀ ⊕ K. Without it lane (0, 0) is free.
fn iota_effect(cs: &mut Cs, en: Wire, effect: &[Wire; CHUNKS], round: &RoundRow, constant: u64) -> Lc {
    (0..CHUNKS)
        .map(|j| match chunk(constant, j) {
            0 => effect[j] * eights(16 * j),
            k => {
                let w = commit_chunk(cs, "keccak.iota.effect", en, chunk(round.iota, j));
                cs.lookup(
                    "keccak.iota.equation",
                    Bus::Sparse16,
                    en,
                    (effect[j] + en * spread(k) - w) * half(),
                );
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
///                                                                        Cost: 4 + 5 + 4 a lane, 12 for lane (0, 0)
/// Soundness: the lemma of `digits`. The bit of weight 2 in v is χ, and adding 2·D adds D to it, so A′ = χ ⊕ D.
/// Without it χ is free.
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
/// and zero elsewhere.                                                                              Cost: 12 a lane
/// Soundness: the lemma of `digits` without rotation: out = χ ⊕ K. Without it the permuted state is free.
fn output(cs: &mut Cs, en: Wire, rotated: &[Lc; LANES], rows: &[LaneRow; LANES]) -> [[Wire; CHUNKS]; LANES] {
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
