//! From messages to rows.

use thiserror::Error;

use super::{
    row::{BLOCK_BYTES, EffectRow, KeccakRow, LANES, LaneRow, ParityRow, RATE_LANES, ROUNDS, RoundRow},
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
    #[error("messages need {needed} permutations, the machine has {available}")]
    Capacity { needed: usize, available: usize },
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
            data_len: data.len(),
            ..KeccakRow::default()
        };
        for (k, byte) in data.iter().enumerate() {
            row.block[k / 8][k % 8] = *byte;
        }
        if row.last {
            row.block[data.len() / 8][data.len() % 8] |= 0x01;
            row.block[RATE_LANES - 1][7] |= 0x80;
        }
        (row.rounds, row.output) = permute(&mut state, &row.block.map(u64::from_le_bytes));
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

/// (2a + c − b + 1) + 2·d digit by digit, for lanes (a, b, c) and d: the first term is 2·(a + (¬b ∧ c)) if b ≠ c and
/// that plus one otherwise.
fn chi_lane([a, b, c]: [u64; 3], d: u64) -> LaneRow {
    let [bit, high, _] = digit_sum(&[a, !b & c, d]);
    LaneRow { low: !(b ^ c), bit, high }
}

/// Rounds and output of a permutation.
type Permutation = (Box<[RoundRow; ROUNDS]>, [LaneRow; LANES]);

/// `keccak-f[1600]` on `state` ⊕ `block`, with every intermediate value; `state` becomes the permuted state.
pub(super) fn permute(state: &mut [u64; LANES], block: &[u64; RATE_LANES]) -> Permutation {
    permute_with(state, block, |_, _| {})
}

/// [`permute`] with `alter` applied to what θ adds in each round: the identity for everyone but a test that plays a
/// prover who adds something else and goes on honestly.
pub(super) fn permute_with(
    state: &mut [u64; LANES],
    block: &[u64; RATE_LANES],
    alter: impl Fn(usize, &mut [EffectRow; 5]),
) -> Permutation {
    let mut rounds = Box::<[RoundRow; ROUNDS]>::default();
    let before = *state;
    for (lane, b) in state.iter_mut().zip(block) {
        *lane ^= b;
    }
    let mut rotated = [0; LANES];
    let mut constant = 0;
    for (r, round) in rounds.iter_mut().enumerate() {
        let parity: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |p, y| p ^ state[x + 5 * y]));
        for (x, effect) in round.effects.iter_mut().enumerate() {
            let (left, right) = (parity[(x + 4) % 5], parity[(x + 1) % 5].rotate_left(1));
            *effect = EffectRow { bit: left ^ right, high: left & right };
        }
        alter(r, &mut round.effects);
        round.iota = round.effects[0].bit ^ constant;
        for (i, lane) in round.lanes.iter_mut().enumerate() {
            let effect = if i == 0 { round.iota } else { round.effects[i % 5].bit };
            *lane = if r == 0 {
                let [bit, high, _] =
                    digit_sum(&[before[i], block.get(i).copied().unwrap_or_default(), effect]);
                LaneRow { low: 0, bit, high }
            } else {
                chi_lane(chi_sources(i).map(|k| rotated[k]), effect)
            };
        }
        for (x, row) in round.parities.iter_mut().enumerate() {
            let column = [0, 5, 10, 15, 20].map(|y| round.lanes[x + y].bit);
            let [a, b, c, d, e] = column;
            let [bit, middle, high] = digit_sum(&[a, b, c, d, e, round.effects[x].bit]);
            *row = ParityRow { bit, middle, high };
        }
        rotated = std::array::from_fn(|i| {
            let k = pi_source(i);
            round.lanes[k].bit.rotate_left(RHO[k])
        });
        constant = ROUND_CONSTANTS[r];
        *state = std::array::from_fn(|i| {
            let [a, b, c] = chi_sources(i).map(|k| rotated[k]);
            a ^ (!b & c)
        });
        state[0] ^= constant;
    }
    let output = std::array::from_fn(|i| {
        chi_lane(chi_sources(i).map(|k| rotated[k]), if i == 0 { constant } else { 0 })
    });
    (rounds, output)
}
