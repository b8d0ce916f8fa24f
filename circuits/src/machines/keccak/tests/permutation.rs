//! A prover who deviates at one equation of the permutation and goes on honestly from there: the equation alone refuses him.

use super::*;
use crate::{
    lookup::tables::spread,
    machines::keccak::{
        digits::eights,
        row::{DIGEST_LANES, ROUNDS},
        spec::{RHO, ROUND_CONSTANTS},
        witness::{Plane, permute_with},
    },
};

/// What fails when a prover flips `flips` in `plane`, in a block; the digest that he gets is asked for.
fn block(plane: Plane, flips: u64) -> Failures {
    let mut rows = honest(&[event(1, 130)], 1);
    let block = rows[0].block.map(u64::from_le_bytes);
    let honest = rows[0].permutation.clone();
    rows[0].permutation = permute_with(&mut [0; LANES], &block, flip(plane, flips));
    assert_ne!(rows[0].permutation.output, honest.output, "{plane:?}");
    Outside::of(&rows).failures(&rows)
}

/// The same in two words.
fn two_words(plane: Plane, flips: u64) -> Failures {
    let mut rows = words::rows(&[[0xc5; 64]], 1).expect("capacity");
    rows[0].permutation = permute_with(&mut [0; LANES], &words::block(&rows[0].message), flip(plane, flips));
    two_words::checker_of(&rows, 1).failures()
}

fn flip(plane: Plane, flips: u64) -> impl Fn(Plane, u64) -> u64 {
    move |at, honest| if at == plane { honest ^ flips } else { honest }
}

/// `plane` deviates in each chunk, in both kinds of rows.
fn rejects(plane: Plane, equation: &'static str) {
    for d in [0, 17, 40, 63] {
        assert_eq!(block(plane, 1 << d), names(&[equation]), "{plane:?}, digit {d}");
    }
    assert_eq!(two_words(plane, 1 << 21), names(&[equation]), "{plane:?}, two words");
}

#[test]
fn rejects_another_state_before_the_first_round() {
    for lane in [0, 1, 7] {
        rejects(Plane::Lane { round: 0, lane }, "keccak.absorb.equation");
    }
    // Lanes that the block does not reach: the capacity must be zero.
    for lane in [16, 17, 24] {
        assert_eq!(block(Plane::Lane { round: 0, lane }, 1 << 5), names(&["keccak.absorb.equation"]));
    }
}

/// Another padding, and a capacity that is not zero. θ's sums are made of the constant itself, so that they notice too.
#[test]
fn rejects_another_constant_lane_of_two_words() {
    for (lane, rotation) in RHO.into_iter().enumerate().skip(8) {
        // In the first chunk of the rotated lane, which is a wire; the one that remains of the equation would follow D.
        let d = (5 + 64 - rotation) % 64;
        let failed = two_words(Plane::Lane { round: 0, lane }, 1 << d);
        assert!(failed.contains("keccak.absorb.rotation"), "lane {lane}: {failed:?}");
    }
}

/// A digit that belongs to one chunk of lane 8 is given to another, which is what the others leave of the lane: the lane and the
/// lane rotated are the same.
#[test]
fn rejects_digits_of_another_chunk_of_a_constant_lane() {
    let rows = words::rows(&[[0xc5; 64]], 1).expect("capacity");
    let mut checker = two_words::checker_of(&rows, 1);
    let chunk = rows[0].permutation.rounds[0].lanes[8].bit.rotate_left(RHO[8]) as u16;
    // Lane 0 has four wires, lanes 1 to 7 have five.
    let wire = checker.named("keccak.absorb.bit")[4 + 7 * 5];
    assert_eq!(checker.value(wire), F::from(spread(chunk)));
    let moved = checker.value(wire) + eights(chunk.trailing_ones() as usize);
    checker.set(&[(wire, moved)]);
    assert_eq!(checker.failures(), names(&["keccak.absorb.rotation"]));
}

#[test]
fn rejects_another_chi() {
    for (round, lane) in [(1, 0), (1, 24), (12, 7), (ROUNDS - 1, 13)] {
        rejects(Plane::Lane { round, lane }, "keccak.lane.equation");
    }
}

/// Another round constant, in each chunk where it is not zero; elsewhere there is no plane to forge, and χ refuses it.
#[test]
fn rejects_another_round_constant() {
    for round in 1..ROUNDS {
        for j in 0..4 {
            let expected = match ROUND_CONSTANTS[round - 1] >> (16 * j) & 0xffff {
                0 => "keccak.lane.equation",
                _ => "keccak.iota.equation",
            };
            // The top digit of a chunk, set in many constants, and another.
            let d = 16 * j + if round % 2 == 0 { 15 } else { 3 };
            let failed = block(Plane::Iota { round }, 1 << d);
            assert_eq!(failed, names(&[expected]), "round {round}, digit {d}");
        }
    }
}

#[test]
fn rejects_another_parity() {
    for (round, x) in [(0, 0), (1, 4), (12, 2), (ROUNDS - 1, 1)] {
        rejects(Plane::Parity { round, x }, "keccak.parity.equation");
    }
}

#[test]
fn rejects_another_effect_of_theta() {
    for (round, x) in [(0, 0), (1, 0), (12, 3), (ROUNDS - 1, 4)] {
        rejects(Plane::Effect { round, x }, "keccak.theta.equation");
    }
}

#[test]
fn rejects_another_permuted_state() {
    for lane in 0..DIGEST_LANES {
        rejects(Plane::Output { lane }, "keccak.output.equation");
    }
    for lane in [DIGEST_LANES, 24] {
        assert_eq!(block(Plane::Output { lane }, 1 << 9), names(&["keccak.output.equation"]), "lane {lane}");
    }
}
