//! From messages to rows.

use thiserror::Error;

use super::{
    row::{
        BLOCK_BYTES, EffectRow, KeccakRow, LANES, LaneRow, ParityRow, PermutationRow, RATE_LANES, ROUNDS,
        RoundRow,
    },
    spec::{RHO, ROUND_CONSTANTS, chi_sources, pi_source},
};

/// A message to be hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeccakEvent {
    /// Names the message on the buses; unique in a batch.
    pub stream: u64,
    pub message: Vec<u8>,
}

/// Why messages do not fit a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeccakError {
    #[error(
        "messages need {needed} permutations, the shape has {available}: prove the batch in a larger shape"
    )]
    Capacity { needed: usize, available: usize },
    #[error(
        "there are {needed} different messages of 64 bytes, the shape has rows for {available}: prove the batch in a \
         larger shape"
    )]
    Words { needed: usize, available: usize },
}

/// Permutations, that is rows, that a message of `len` bytes takes: padding is at least one byte.
#[must_use]
pub const fn permutations(len: usize) -> usize {
    len / BLOCK_BYTES + 1
}

/// The rows of `events`, in order, padded with disabled rows to `capacity`.
///
/// # Errors
/// [`KeccakError::Capacity`] if the messages need more than `capacity` permutations.
pub fn rows(events: &[KeccakEvent], capacity: usize) -> Result<Vec<KeccakRow>, KeccakError> {
    let needed = events.iter().map(|e| permutations(e.message.len())).sum();
    if needed > capacity {
        return Err(KeccakError::Capacity { needed, available: capacity });
    }
    let mut rows = Vec::with_capacity(capacity);
    for event in events {
        push_message(&mut rows, event);
    }
    rows.resize_with(capacity, KeccakRow::default);
    Ok(rows)
}

fn push_message(rows: &mut Vec<KeccakRow>, event: &KeccakEvent) {
    let count = permutations(event.message.len());
    let mut state = [0; LANES];
    for i in 0..count {
        let start = i * BLOCK_BYTES;
        let data = &event.message[start..event.message.len().min(start + BLOCK_BYTES)];
        let mut row = KeccakRow {
            enabled: true,
            first: i == 0,
            last: i + 1 == count,
            stream: event.stream,
            offset: start as u64,
            ..KeccakRow::default()
        };
        for (k, byte) in data.iter().enumerate() {
            row.block[k / 8][k % 8] = *byte;
            row.data[k / 8][k % 8] = true;
        }
        if row.last {
            row.block[data.len() / 8][data.len() % 8] |= 0x01;
            row.block[RATE_LANES - 1][7] |= 0x80;
        }
        row.carried = state;
        row.permutation = permute(&mut state, &row.block.map(u64::from_le_bytes));
        rows.push(row);
    }
}

/// The digitwise sum of at most seven lanes, as the lanes of weight 1, 2 and 4.
fn digit_sum(lanes: &[u64]) -> [u64; 3] {
    let (mut one, mut two, mut four) = (0, 0, 0);
    for lane in lanes {
        let carry = one & lane;
        one ^= lane;
        four ^= two & carry;
        two ^= carry;
    }
    [one, two, four]
}

/// (2a + c − b + 1) + 2·d digit by digit, for the three lanes (a, b, c) that χ makes lane `i` of, and d: the first term is
/// 2·(a + (¬b ∧ c)) if b ≠ c and that plus one otherwise.
fn chi_lane(rotated: &[u64; LANES], i: usize, d: u64) -> LaneRow {
    let [a, b, c] = chi_sources(i).map(|k| rotated[k]);
    let [bit, high, _] = digit_sum(&[a, !b & c, d]);
    LaneRow { low: !(b ^ c), bit, high }
}

/// Lane `i` of χ.
fn chi(rotated: &[u64; LANES], i: usize) -> u64 {
    let [a, b, c] = chi_sources(i).map(|k| rotated[k]);
    a ^ (!b & c)
}

/// `keccak-f[1600]` on `state` ⊕ `block`, with every intermediate value; `state` becomes the permuted state.
pub(super) fn permute(state: &mut [u64; LANES], block: &[u64; RATE_LANES]) -> PermutationRow {
    permute_with(state, block, |_, honest| honest)
}

/// A plane that an equation fixes: where a forger may deviate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    /// The state before θ, lane (x, y) = x + 5·y: what is absorbed, or χ and ι of the round before.
    Lane { round: usize, lane: usize },
    /// The constant that ι adds to lane (0, 0) before this round.
    Iota { round: usize },
    /// The parity of column x.
    Parity { round: usize, x: usize },
    /// What θ adds to column x.
    Effect { round: usize, x: usize },
    /// A lane of the permuted state.
    Output { lane: usize },
}

/// [`permute`] for a prover who claims `alter(plane, honest)` in place of the honest bits of a plane, and goes on honestly
/// from there; for everyone but a test `alter` returns what it is given. The planes of other weights in an equation are
/// those of the true sum, so that only the equation of an altered plane fails.
pub(super) fn permute_with(
    state: &mut [u64; LANES],
    block: &[u64; RATE_LANES],
    alter: impl Fn(Plane, u64) -> u64,
) -> PermutationRow {
    let mut rounds = Box::<[RoundRow; ROUNDS]>::default();
    let before = *state;
    let mut rotated = [0; LANES];
    for (round, row) in rounds.iter_mut().enumerate() {
        let constant = match round.checked_sub(1) {
            None => 0,
            Some(last) => alter(Plane::Iota { round }, ROUND_CONSTANTS[last]),
        };
        *state = std::array::from_fn(|lane| {
            let honest = if round == 0 {
                before[lane] ^ block.get(lane).copied().unwrap_or_default()
            } else {
                chi(&rotated, lane) ^ if lane == 0 { constant } else { 0 }
            };
            alter(Plane::Lane { round, lane }, honest)
        });
        let parity: [u64; 5] = std::array::from_fn(|x| {
            alter(Plane::Parity { round, x }, (0..5).fold(0, |p, y| p ^ state[x + 5 * y]))
        });
        for (x, effect) in row.effects.iter_mut().enumerate() {
            let (left, right) = (parity[(x + 4) % 5], parity[(x + 1) % 5].rotate_left(1));
            *effect = EffectRow { bit: alter(Plane::Effect { round, x }, left ^ right), high: left & right };
        }
        row.iota = row.effects[0].bit ^ constant;
        for (i, lane) in row.lanes.iter_mut().enumerate() {
            let effect = row.effects[i % 5].bit;
            let sum = if round == 0 {
                let [bit, high, _] =
                    digit_sum(&[before[i], block.get(i).copied().unwrap_or_default(), effect]);
                LaneRow { low: 0, bit, high }
            } else {
                chi_lane(&rotated, i, if i == 0 { row.iota } else { effect })
            };
            *lane = LaneRow { bit: state[i] ^ effect, ..sum };
        }
        for (x, column) in row.parities.iter_mut().enumerate() {
            let [a, b, c, d, e] = [0, 5, 10, 15, 20].map(|y| row.lanes[x + y].bit);
            let [_, middle, high] = digit_sum(&[a, b, c, d, e, row.effects[x].bit]);
            *column = ParityRow { bit: parity[x], middle, high };
        }
        rotated = std::array::from_fn(|i| {
            let k = pi_source(i);
            row.lanes[k].bit.rotate_left(RHO[k])
        });
    }
    let output = std::array::from_fn(|lane| {
        let sum = chi_lane(&rotated, lane, if lane == 0 { ROUND_CONSTANTS[ROUNDS - 1] } else { 0 });
        LaneRow { bit: alter(Plane::Output { lane }, sum.bit), ..sum }
    });
    *state = output.map(|lane| lane.bit);
    PermutationRow { rounds, output }
}
