//! Chunks with digits that are no bits. An equation holds as well if a digit 2 of one plane makes up for a 1 of the plane of
//! twice the weight; only the lookup of that chunk tells. Everything that depends on the digit is as the equations ask for.

use std::collections::BTreeMap;

use ark_ff::Field;

use super::*;
use crate::machines::keccak::{
    digits::{eights, half as one_half},
    row::{DIGEST_LANES, LaneRow, ROUNDS, RoundRow},
    spec::{RHO, ROUND_CONSTANTS, chi_sources, pi_source},
    witness::{Plane, permute_with},
};

/// Digits of the first three chunks, which are wires in every plane.
const COMMITTED: std::ops::Range<u32> = 0..48;

fn is_one(plane: u64, d: u32) -> bool {
    plane >> d & 1 == 1
}

/// Wires by name in order of allocation, of one permutation.
struct Wires<'a> {
    checker: &'a mut Checker,
    changes: BTreeMap<crate::cs::WireId, F>,
}

impl<'a> Wires<'a> {
    fn new(checker: &'a mut Checker) -> Self {
        Self { checker, changes: BTreeMap::new() }
    }

    /// Adds `by`·8ᵈ, d within its chunk, to wire `i` of those named `name`.
    fn add(mut self, name: &str, i: usize, d: u32, by: impl Into<F>) -> Self {
        let wire = self.checker.named(name)[i];
        let value = self.changes.get(&wire).copied().unwrap_or_else(|| self.checker.value(wire));
        self.changes.insert(wire, value + by.into() * eights(d as usize % 16));
        self
    }

    /// Digit `d` of plane `plane` of those named `name`, all of which have `chunks` wires and no rotation.
    fn plane(self, name: &str, plane: usize, chunks: usize, d: u32, by: impl Into<F>) -> Self {
        let chunk = d as usize / 16;
        // The fourth chunk of an equation is what remains.
        if chunk < chunks { self.add(name, plane * chunks + chunk, d, by) } else { self }
    }

    fn failures(self) -> Failures {
        let changes: Vec<_> = self.changes.into_iter().collect();
        self.checker.set(&changes);
        self.checker.failures()
    }
}

/// A block of random bytes.
fn block() -> (Vec<KeccakRow>, Checker) {
    let rows = honest(&[event(1, 130)], 1);
    let checker = Outside::of(&rows).checker(&rows);
    (rows, checker)
}

/// The block hashed by a prover who alters planes, and the surroundings that agree.
fn altered(alter: impl Fn(Plane, u64) -> u64) -> (Vec<KeccakRow>, Checker) {
    let (mut rows, _) = block();
    rows[0].permutation = permute_with(&mut [0; LANES], &rows[0].block.map(u64::from_le_bytes), alter);
    let checker = Outside::of(&rows).checker(&rows);
    (rows, checker)
}

/// The first place among rounds from `from`, things up to `things` and digits where `fits`.
fn find(
    row: &KeccakRow,
    from: usize,
    things: usize,
    fits: impl Fn(&RoundRow, usize, u32) -> bool,
) -> (usize, usize, u32) {
    let rounds = &row.permutation.rounds;
    (from..ROUNDS)
        .flat_map(|r| (0..things).flat_map(move |i| COMMITTED.map(move |d| (r, i, d))))
        .find(|&(r, i, d)| fits(&rounds[r], i, d))
        .expect("random bits have every pattern")
}

fn quarter() -> F {
    one_half() * one_half()
}

#[test]
fn rejects_low_and_high_digits_of_chi() {
    let (rows, mut checker) = block();
    let (r, i, d) = find(&rows[0], 1, LANES, |row, i, d| is_one(row.lanes[i].high, d));
    let lane = (r - 1) * LANES + i;
    let forged = Wires::new(&mut checker).plane("keccak.lane.low", lane, 4, d, 4u64);
    let failed = forged.plane("keccak.lane.high", lane, 3, d, -F::ONE).failures();
    assert_eq!(failed, names(&["keccak.lane.low"]));

    let (rows, mut checker) = block();
    let (r, i, d) = find(&rows[0], 1, LANES, |row, i, d| is_one(row.lanes[i].low, d));
    let lane = (r - 1) * LANES + i;
    let forged = Wires::new(&mut checker).plane("keccak.lane.low", lane, 4, d, -F::ONE);
    let failed = forged.plane("keccak.lane.high", lane, 3, d, quarter()).failures();
    assert_eq!(failed, names(&["keccak.lane.high"]));
}

#[test]
fn rejects_digits_of_the_permuted_state() {
    let place = |rows: &[KeccakRow], lanes: std::ops::Range<usize>, of: fn(&LaneRow) -> u64| {
        let output = rows[0].permutation.output;
        lanes
            .flat_map(|i| COMMITTED.map(move |d| (i, d)))
            .find(|&(i, d)| is_one(of(&output[i]), d))
            .expect("a one")
    };
    let (rows, mut checker) = block();
    let (i, d) = place(&rows, 0..LANES, |lane| lane.high);
    let forged = Wires::new(&mut checker).plane("keccak.output.low", i, 4, d, 4u64);
    let failed = forged.plane("keccak.output.high", i, 3, d, -F::ONE).failures();
    assert_eq!(failed, names(&["keccak.output.low"]));

    let (rows, mut checker) = block();
    let (i, d) = place(&rows, 0..LANES, |lane| lane.low);
    let forged = Wires::new(&mut checker).plane("keccak.output.low", i, 4, d, -F::ONE);
    let failed = forged.plane("keccak.output.high", i, 3, d, quarter()).failures();
    assert_eq!(failed, names(&["keccak.output.high"]));

    // Beyond the digest, where nobody reads the last block's state.
    let (rows, mut checker) = block();
    let (i, d) = place(&rows, DIGEST_LANES..LANES, |lane| lane.high);
    let forged = Wires::new(&mut checker).plane("keccak.output.bit", i - DIGEST_LANES, 4, d, 2u64);
    let failed = forged.plane("keccak.output.high", i, 3, d, -F::ONE).failures();
    assert_eq!(failed, names(&["keccak.output.bit"]));
}

#[test]
fn rejects_middle_and_high_digits_of_parities() {
    let (rows, mut checker) = block();
    let (r, x, d) = find(&rows[0], 0, 5, |row, x, d| is_one(row.parities[x].high, d));
    let forged = Wires::new(&mut checker).plane("keccak.parity.middle", 5 * r + x, 4, d, 2u64);
    let failed = forged.plane("keccak.parity.high", 5 * r + x, 3, d, -F::ONE).failures();
    assert_eq!(failed, names(&["keccak.parity.middle"]));

    let (rows, mut checker) = block();
    let (r, x, d) = find(&rows[0], 0, 5, |row, x, d| is_one(row.parities[x].middle, d));
    let forged = Wires::new(&mut checker).plane("keccak.parity.middle", 5 * r + x, 4, d, -F::ONE);
    let failed = forged.plane("keccak.parity.high", 5 * r + x, 3, d, one_half()).failures();
    assert_eq!(failed, names(&["keccak.parity.high"]));
}

/// C = 2 in place of 2·middle: θ's sums of two columns grow by two.
#[test]
fn rejects_digits_of_a_parity() {
    let (rows, mut checker) = block();
    let (r, x, d) = find(&rows[0], 0, 5, |row, x, d| {
        let zero = |effect: usize, d| !is_one(row.effects[effect % 5].high, d);
        (16..47).contains(&d) && is_one(row.parities[x].middle, d) && zero(x + 1, d) && zero(x + 4, d + 1)
    });
    // Five wires a parity, the first chunk of the rotated one being cut; then as d + 1 in the rotated one.
    let wire = 5 * (5 * r + x) + 1 + (d as usize + 1) / 16;
    let failed = Wires::new(&mut checker)
        .add("keccak.parity.bit", wire, d + 1, 2u64)
        .plane("keccak.parity.middle", 5 * r + x, 4, d, -F::ONE)
        .plane("keccak.theta.high", 5 * r + (x + 1) % 5, 3, d, 1u64)
        .plane("keccak.theta.high", 5 * r + (x + 4) % 5, 3, d + 1, 1u64)
        .failures();
    assert_eq!(failed, names(&["keccak.parity.bit"]));
}

/// D = 2 in place of 2·high: five lanes grow by four, their column's sum by two.
#[test]
fn rejects_digits_of_an_effect_of_theta() {
    let (rows, mut checker) = block();
    let (r, x, d) = find(&rows[0], 1, 5, |row, x, d| {
        let lanes = (0..5).all(|y| !is_one(row.lanes[x + 5 * y].high, d));
        x > 0 && is_one(row.effects[x].high, d) && lanes && !is_one(row.parities[x].middle, d)
    });
    let forged = Wires::new(&mut checker)
        .plane("keccak.theta.effect", 5 * r + x, 4, d, 2u64)
        .plane("keccak.theta.high", 5 * r + x, 3, d, -F::ONE)
        .plane("keccak.parity.middle", 5 * r + x, 4, d, 1u64);
    let forged = (0..5)
        .fold(forged, |forged, y| forged.plane("keccak.lane.high", (r - 1) * LANES + x + 5 * y, 3, d, 1u64));
    assert_eq!(forged.failures(), names(&["keccak.theta.effect"]));
}

/// Another effect, made up for by half a digit.
#[test]
fn rejects_fractions_in_theta() {
    let (round, x, d) = (7, 3, 20);
    let (rows, mut checker) =
        altered(|plane, honest| if plane == (Plane::Effect { round, x }) { honest ^ 1 << d } else { honest });
    // A one too many or too few.
    let by =
        if is_one(rows[0].permutation.rounds[round].effects[x].bit, d) { -one_half() } else { one_half() };
    let failed = Wires::new(&mut checker).plane("keccak.theta.high", 5 * round + x, 3, d, by).failures();
    assert_eq!(failed, names(&["keccak.theta.high"]));
}

/// D′ = 2 in place of 2·high, at a one of the round constant: lane (0, 0) grows by four.
#[test]
fn rejects_digits_of_iota() {
    let (rows, mut checker) = block();
    let rounds = &rows[0].permutation.rounds;
    let (r, d) = (1..ROUNDS)
        .flat_map(|r| COMMITTED.map(move |d| (r, d)))
        .find(|&(r, d)| {
            let row = &rounds[r];
            let carries = is_one(ROUND_CONSTANTS[r - 1] & row.effects[0].bit, d);
            carries && !is_one(row.lanes[0].high, d)
        })
        .expect("random bits have every pattern");
    // One wire a chunk that is not zero, over all rounds.
    let chunks =
        |constant: u64, below: u32| (0..below).filter(|j| constant >> (16 * j) & 0xffff != 0).count();
    let before: usize = ROUND_CONSTANTS[..r - 1].iter().map(|k| chunks(*k, 4)).sum();
    let wire = before + chunks(ROUND_CONSTANTS[r - 1], d / 16);
    let forged = Wires::new(&mut checker).add("keccak.iota.effect", wire, d, 2u64);
    let failed = forged.plane("keccak.lane.high", (r - 1) * LANES, 3, d, 1u64).failures();
    assert_eq!(failed, names(&["keccak.iota.effect"]));
}

/// Wire of digit `d` of lane `i`, rotated, in the first round of a block: five wires a lane but for lane 0.
fn absorbed_wire(i: usize, d: u32) -> usize {
    let (j, cut) = (d as usize / 16, RHO[i] as usize / 16);
    assert!(i > 0 && j != cut, "a chunk that is whole");
    4 + 5 * (i - 1) + j + usize::from(j > cut)
}

/// The digit of A′ where lane `i`, digit `d` before rotation, is read, and the lanes that χ makes of it: as a, as b, as c.
fn readers(i: usize, d: u32) -> (u32, [usize; 3]) {
    let k = (0..LANES).find(|k| pi_source(*k) == i).expect("a permutation");
    let reader = |role: usize| (0..LANES).find(|m| chi_sources(*m)[role] == k).expect("a permutation");
    ((d + RHO[i]) % 64, [0, 1, 2].map(reader))
}

/// A′ = 2 in place of 2·high in the first round. χ then reads a digit 2: as a it adds four, as b it takes two away, as c it
/// adds two, so two lanes of the next round are other than they should be, and all after them.
#[test]
fn rejects_digits_of_the_absorbed_state() {
    let (honest, _) = block();
    let first = &honest[0].permutation.rounds[0];
    let found = (1..RATE_LANES).flat_map(|i| COMMITTED.map(move |d| (i, d))).find_map(|(i, d)| {
        let (at, [a, b, c]) = readers(i, d);
        let carries = is_one(first.lanes[i].high, d) && !is_one(first.parities[i % 5].middle, d);
        if !carries || at >= 48 || at / 16 == RHO[i] / 16 {
            return None;
        }
        let (rows, checker) = altered(|plane, honest| {
            let flipped = [b, c].map(|lane| Plane::Lane { round: 1, lane }).contains(&plane);
            if flipped { honest ^ 1 << at } else { honest }
        });
        let next = &rows[0].permutation.rounds[1];
        let fits = !is_one(next.lanes[a].high, at)
            && !is_one(next.lanes[b].bit, at)
            && is_one(next.lanes[c].bit, at);
        fits.then_some((i, d, at, a, checker))
    });
    let (i, d, at, a, mut checker) = found.expect("random bits have every pattern");
    let failed = Wires::new(&mut checker)
        .add("keccak.absorb.bit", absorbed_wire(i, at), at, 2u64)
        .plane("keccak.absorb.high", i, 3, d, -F::ONE)
        .plane("keccak.parity.middle", i % 5, 4, d, 1u64)
        .plane("keccak.lane.high", a, 3, at, 1u64)
        .failures();
    assert_eq!(failed, names(&["keccak.absorb.bit"]));
}

/// Another state before the first round, made up for by half a digit.
#[test]
fn rejects_fractions_in_the_absorbed_state() {
    let (lane, d) = (6, 20);
    let (rows, mut checker) =
        altered(
            |plane, honest| {
                if plane == (Plane::Lane { round: 0, lane }) { honest ^ 1 << d } else { honest }
            },
        );
    let by = if is_one(rows[0].permutation.rounds[0].lanes[lane].bit, d) { -one_half() } else { one_half() };
    let failed = Wires::new(&mut checker).plane("keccak.absorb.high", lane, 3, d, by).failures();
    assert_eq!(failed, names(&["keccak.absorb.high"]));
}

/// A′ = 2 in place of 2·high in the last round of two words, in a lane that only its column's parity reads.
#[test]
fn rejects_digits_of_a_lane() {
    let rows = words::rows(&[[0x5a; 64]], 1).expect("capacity");
    let mut checker = two_words::checker_of(&rows, 1);
    let last = &rows[0].permutation.rounds[ROUNDS - 1];
    let is_read = |i: usize| i.is_multiple_of(6);
    let (i, d) = (0..LANES)
        .filter(|i| !is_read(*i))
        .flat_map(|i| COMMITTED.map(move |d| (i, d)))
        .find(|&(i, d)| is_one(last.lanes[i].high, d) && !is_one(last.parities[i % 5].middle, d))
        .expect("random bits have every pattern");
    // Lanes that are rotated, but for lane 0, have five wires.
    let before =
        (ROUNDS - 2) * (4 + 5 * 24) + (0..i).map(|i| if i > 0 && is_read(i) { 5 } else { 4 }).sum::<usize>();
    let failed = Wires::new(&mut checker)
        .add("keccak.lane.bit", before + d as usize / 16, d, 2u64)
        .plane("keccak.lane.high", (ROUNDS - 2) * LANES + i, 3, d, -F::ONE)
        .plane("keccak.parity.middle", (ROUNDS - 1) * 5 + i % 5, 4, d, 1u64)
        .failures();
    assert_eq!(failed, names(&["keccak.lane.bit"]));
}

/// Lane (1, 0) and column 0 are cut for a rotation by one: u is digit 63, w′ = 8·(digits 0 … 14). Moving a digit between u
/// and w′ keeps the lookups and the rotated lane, and only the equation can tell.
#[test]
fn rejects_digits_outside_short_chunks() {
    let (_, mut checker) = block();
    for (name, equation, first) in
        [("keccak.lane.bit", "keccak.lane.equation", 4), ("keccak.parity.bit", "keccak.parity.equation", 0)]
    {
        let wires = checker.named(name);
        let (u, w) = (wires[first], wires[first + 1]);
        let (u_value, w_value) = (checker.value(u), checker.value(w));
        let (one, eight) = (F::ONE, F::from(8u64));
        let moves = [
            // A digit below w′, which u gives away or which is just one more.
            (u_value - one, w_value + one),
            (u_value, w_value + one),
            // A digit above u.
            (u_value + eight, w_value - eight),
            (u_value + eight, w_value),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for (u_new, w_new) in moves {
            let failed = checker.failures_with(&[(u, u_new), (w, w_new)]);
            assert!(failed.contains(equation), "{name}: {failed:?}");
            seen.insert(failed.contains(name));
        }
        assert!(seen.contains(&false), "{name}: no move passes the lookups of the chunks");
    }
}

/// A byte of the digest is not that of its bits.
#[test]
fn rejects_another_byte_of_the_digest() {
    for k in [0, 15, 16, 31] {
        let (rows, _) = block();
        let mut outside = Outside::of(&rows);
        let byte = &mut outside.digests[0].digest[k];
        *byte ^= 1;
        let claimed = F::from(*byte);
        let mut checker = outside.checker(&rows);
        assert_eq!(checker.failures(), names(&["keccak.digest.send", "outside.digest"]));
        let wire = checker.named("keccak.digest.byte")[k];
        checker.set(&[(wire, claimed)]);
        assert_eq!(checker.failures(), names(&["keccak.digest.spread"]), "byte {k}");
    }
}
