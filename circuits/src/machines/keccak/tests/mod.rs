//! Oracle: the crate sha3 and published vectors. Here is the machine in its surroundings, and a prover who forges.

mod accepts;
mod blocks;
mod buses;
mod miniature;
mod permutation;
mod ranges;
mod two_words;

use ark_ff::Zero;
use ark_std::rand::{RngCore, SeedableRng, rngs::StdRng};
use sha3::{Digest, Keccak256};

use super::{row::LANES, witness::permute, *};
use crate::{
    F,
    cs::{Cs, Mode},
    lookup::bus::{KeccakInput, KeccakOutput},
    testing::{Checker, Failures},
};

fn message(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn event(stream: u64, len: usize) -> KeccakEvent {
    KeccakEvent { stream, message: message(len, len as u64 + 1000 * stream) }
}

fn keccak256(message: &[u8]) -> [u8; 32] {
    Keccak256::digest(message).into()
}

fn half(bytes: &[u8]) -> F {
    bytes.iter().fold(F::zero(), |acc, b| acc * F::from(256u64) + F::from(*b))
}

fn names(list: &[&'static str]) -> Failures {
    list.iter().copied().collect()
}

/// What the machine's surroundings say: bytes that they send, digests that they receive.
#[derive(Clone, Debug, Default)]
struct Outside {
    /// Byte, position, stream.
    bytes: Vec<(u8, u64, u64)>,
    digests: Vec<Asked>,
}

/// A digest that is asked for.
#[derive(Clone, Debug)]
struct Asked {
    digest: [u8; 32],
    length: u64,
    stream: u64,
}

impl Outside {
    /// Sends the bytes of `events` and asks for their true digests.
    fn honest(events: &[KeccakEvent]) -> Self {
        let mut outside = Self::default();
        for event in events {
            outside.send(&event.message, 0, event.stream);
            outside.ask(keccak256(&event.message), event.message.len(), event.stream);
        }
        outside
    }

    /// Sends and asks for just what `rows` receive and send: nothing on the buses is amiss.
    fn of(rows: &[KeccakRow]) -> Self {
        let mut outside = Self::default();
        for row in rows {
            let open = row.enabled && !row.last;
            let data = row.data.as_flattened().iter().take(BLOCK_BYTES - 1).copied().chain([open]);
            let data: Vec<bool> = data.collect();
            for (k, byte) in row.block.as_flattened().iter().enumerate().filter(|(k, _)| data[*k]) {
                outside.bytes.push((*byte, row.offset + k as u64, row.stream));
            }
            if row.last {
                let length = row.offset as usize + data.iter().filter(|is_data| **is_data).count();
                outside.ask(row.permutation.digest(), length, row.stream);
            }
        }
        outside
    }

    fn send(&mut self, bytes: &[u8], from: u64, stream: u64) {
        self.bytes.extend(bytes.iter().zip(from..).map(|(byte, position)| (*byte, position, stream)));
    }

    fn ask(&mut self, digest: [u8; 32], length: usize, stream: u64) {
        self.digests.push(Asked { digest, length: length as u64, stream });
    }

    fn play(&self, cs: &mut Cs) {
        let one = cs.one();
        for &(byte, position, stream) in &self.bytes {
            let (byte, position) = (u64::from(byte).into(), position.into());
            cs.send("outside.byte", one, KeccakInput { byte, position, stream: stream.into() });
        }
        for asked in &self.digests {
            let (high, low) = asked.digest.split_at(16);
            let (high, low) = (half(high).into(), half(low).into());
            let (length, stream) = (asked.length.into(), asked.stream.into());
            cs.receive("outside.digest", one, KeccakOutput { high, low, length, stream });
        }
    }

    fn checker(&self, rows: &[KeccakRow]) -> Checker {
        let mut cs = Cs::new(Mode::Check);
        synthesize(&mut cs, rows);
        self.play(&mut cs);
        Checker::new(&cs, Vec::new())
    }

    fn failures(&self, rows: &[KeccakRow]) -> Failures {
        self.checker(rows).failures()
    }
}

/// The rows of `events`, which are accepted.
fn honest(events: &[KeccakEvent], capacity: usize) -> Vec<KeccakRow> {
    let rows = rows(events, capacity).expect("capacity");
    assert_eq!(Outside::honest(events).failures(&rows), Failures::new());
    rows
}

/// Recomputes the permutations of `rows` from their flags and blocks, as a prover would who forged those.
fn rehash(rows: &mut [KeccakRow]) {
    let mut state = [0; LANES];
    for row in rows.iter_mut().filter(|row| row.enabled) {
        if row.first {
            state = [0; LANES];
        }
        row.carried = state;
        row.permutation = permute(&mut state, &row.block.map(u64::from_le_bytes));
    }
}

/// What fails when `change` forges the honest rows of `events`, the prover hashes the result, and the surroundings agree with
/// it: everything but the forged part is consistent.
fn forge(events: &[KeccakEvent], capacity: usize, change: impl Fn(&mut Vec<KeccakRow>)) -> Failures {
    let mut rows = honest(events, capacity);
    change(&mut rows);
    rehash(&mut rows);
    Outside::of(&rows).failures(&rows)
}

/// The first `len` bytes of the block are the message's, padding follows.
fn set_data(row: &mut KeccakRow, len: usize) {
    row.data.as_flattened_mut().iter_mut().enumerate().for_each(|(k, data)| *data = k < len);
    let block = row.block.as_flattened_mut();
    block[len..].fill(0);
    block[len] = 1;
    block[BLOCK_BYTES - 1] |= 0x80;
}
