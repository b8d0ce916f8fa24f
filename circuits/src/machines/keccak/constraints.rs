//! Rows: flags, the chain of blocks, bytes, and what goes over the buses.

use std::collections::BTreeMap;

use super::{
    digits::{CHUNKS, eights, inverse_eights, lane_of},
    permutation,
    row::{BLOCK_BYTES, KeccakRow, LANES, RATE_LANES},
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, Wire},
    gadgets::pow2,
    lookup::{
        bus::{ByteSparse, KeccakInput, KeccakOutput},
        tables::spread,
    },
};

/// Bytes of a digest's half.
const HALF_DIGEST: usize = 16;

/// A row's flags and place, made of committed wires.
struct Header {
    en: Wire,
    last: Wire,
    stream: Wire,
    offset: Wire,
    /// `en` − `first`: 1 if the row continues the message of the row before.
    continues: Lc,
    /// `en` − `last`: 1 if the message goes on in the next row.
    open: Lc,
}

/// The block's lanes with bits as digits, and how many of its bytes are data.
struct Block {
    lanes: Vec<Lc>,
    data_len: Lc,
}

/// All rows of the machine. Structure depends on their number only.
pub fn synthesize(cs: &mut Cs, rows: &[KeccakRow]) {
    let mut previous: Option<(Header, [Lc; LANES])> = None;
    for row in rows {
        let header = header(cs, row);
        enforce_chain(cs, &header, previous.as_ref().map(|(h, _)| h));
        let block = receive_block(cs, &header, row);
        let mut input = carry(cs, &header, previous.as_ref().map(|(_, state)| state));
        for (lane, b) in input.iter_mut().zip(block.lanes) {
            *lane += b;
        }
        let output = permutation::synthesize(cs, header.en, &input, row);
        let digest = digest(cs, &header, &output, row);
        send_digest(cs, &header, block.data_len, digest);
        previous = Some((header, output.each_ref().map(lane_of)));
    }
    if let Some((last, _)) = previous {
        enforce_end(cs, last);
    }
}

/// keccak.flag.enabled: en ∈ {0, 1}; keccak.flag.first: first ∈ {0, en}; keccak.flag.last: last ∈ {0, en}.   Cost: 3
/// Without them multiplicities, and the constants of the permutation, are free.
fn header(cs: &mut Cs, row: &KeccakRow) -> Header {
    let en = cs.commit_boolean("keccak.flag.enabled", row.enabled);
    let first = cs.commit("keccak.flag.first", F::from(row.first));
    cs.enforce("keccak.flag.first", first, en - first, Lc::zero());
    let last = cs.commit("keccak.flag.last", F::from(row.last));
    cs.enforce("keccak.flag.last", last, en - last, Lc::zero());
    Header {
        en,
        last,
        stream: cs.commit("keccak.stream", row.stream),
        offset: cs.commit("keccak.offset", row.offset),
        continues: en - first,
        open: en - last,
    }
}

/// keccak.chain.continue: openᵢ₋₁ = continuesᵢ, with open₋₁ = 0.                                            Cost: 1
///   Both are bits. A message that goes on does so in the very next row, which is enabled and not first; after a
///   last or a disabled row comes a first or a disabled one, and so the machine starts. Without it a row could start
///   from the state of another message.
/// keccak.chain.stream: continuesᵢ·(streamᵢ − streamᵢ₋₁) = 0.                                               Cost: 1
///   Without it the bytes of one message could be hashed under the name of another.
/// keccak.chain.offset: continuesᵢ·(offsetᵢ₋₁ + 136·enᵢ₋₁) = offsetᵢ, 0 in the machine's first row.         Cost: 1
///   Without it blocks could be left out or reordered.
fn enforce_chain(cs: &mut Cs, h: &Header, previous: Option<&Header>) {
    let Some(p) = previous else {
        cs.enforce_zero("keccak.chain.continue", h.continues.clone());
        cs.enforce_zero("keccak.chain.offset", h.offset);
        return;
    };
    cs.enforce_equal("keccak.chain.continue", p.open.clone(), h.continues.clone());
    cs.enforce("keccak.chain.stream", h.stream - p.stream, h.continues.clone(), Lc::zero());
    cs.enforce("keccak.chain.offset", p.offset + p.en * BLOCK_BYTES as u64, h.continues.clone(), h.offset);
}

/// keccak.chain.end: open = 0 in the machine's last row.                                          Cost: 1 a machine
/// Without it bytes could be received for a message that is never hashed.
fn enforce_end(cs: &mut Cs, last: Header) {
    cs.enforce_zero("keccak.chain.end", last.open);
}

/// The bytes of the block, k = 0 … 135. dataₖ says that byte k is one of the message; data₋₁ = en, data₁₃₅ = open.
///
/// keccak.block.thermometer: dataₖ₋₁ − dataₖ ∈ {0, 1}.                                               Cost: 1 a byte
///   The 136 differences add up to en − open = last ≤ 1, so at most one of them is 1: data falls from en to 0 once,
///   at a byte of the last block, and is 1 throughout an enabled block that is not last. In a disabled row it is 0.
/// keccak.block.padding: (en − dataₖ)·(byteₖ − (dataₖ₋₁ − dataₖ) − 128·(k = 135)·last) = 0.         Cost: 1 a byte
///   What is not data is 1 where data ends, 0 elsewhere, and 128 more in byte 135: the padding pad10*1 of Keccak.
///   Without it the prover could append to a message.
/// keccak.block.spread: (byteₖ, its bits in base 8) is in the fixed table.                           Cost: 2 a byte
///   Makes the byte a byte, and the lane Σ 8⁸ʲ·spreadⱼ a plane with exactly its bits.
/// keccak.block.receive: (stream, offset + k, byteₖ) with multiplicity dataₖ.         Cost: 1 a byte, 2 a row
///   The byte is the message's. The multiplicity is a bit: with −1 the prover would make bytes up.
fn receive_block(cs: &mut Cs, h: &Header, row: &KeccakRow) -> Block {
    let mut block = Block { lanes: vec![Lc::zero(); RATE_LANES], data_len: Lc::zero() };
    let mut before = Lc::from(h.en);
    let [stream, offset] = [h.stream, h.offset].map(|w| cs.share(w));
    for (k, &value) in row.block.as_flattened().iter().enumerate() {
        let byte = cs.commit("keccak.block.byte", u64::from(value));
        let bits = cs.commit("keccak.block.spread", spread(u16::from(value)));
        cs.send("keccak.block.spread", h.en, ByteSparse { byte: byte.into(), bits: bits.into() });
        block.lanes[k / 8] += bits * eights(8 * (k % 8));

        let is_final = k + 1 == BLOCK_BYTES;
        let is_data = if is_final {
            h.open.clone()
        } else {
            cs.commit("keccak.block.is_data", F::from(k < row.data_len)).into()
        };
        let ends = before - &is_data;
        cs.enforce_boolean("keccak.block.thermometer", ends.clone());
        let padding = if is_final { ends + h.last * 128 } else { ends };
        cs.enforce("keccak.block.padding", byte - padding, h.en - &is_data, Lc::zero());
        let tuple =
            KeccakInput { byte: byte.into(), position: offset.plus(k as u64), stream: (&stream).into() };
        cs.receive("keccak.block.receive", is_data.clone(), tuple);
        block.data_len += &is_data;
        before = is_data;
    }
    block
}

/// keccak.absorb.carry: continues · state of the row before, for each lane; zero in the machine's first row. Cost: 25
/// The row before is enabled if this one continues it (keccak.chain.continue), so its lanes are planes; otherwise the
/// product is zero. Without it a message could start from a state of the prover's choice.
fn carry(cs: &mut Cs, h: &Header, state: Option<&[Lc; LANES]>) -> [Lc; LANES] {
    std::array::from_fn(|i| match state {
        None => Lc::zero(),
        Some(lanes) => {
            cs.committed_product("keccak.absorb.carry", lanes[i].clone(), h.continues.clone()).into()
        }
    })
}

/// keccak.digest.low, keccak.digest.high: each chunk of lanes 0 … 3 is spread(b) + 8⁸·spread(b′) for two bytes.
/// Returns bytes 0 … 15 and 16 … 31 as big-endian integers.                                                Cost: 64
/// A plane's chunk has one such decomposition, both spreads being below 8⁸. Without it the digest is free.
fn digest(cs: &mut Cs, h: &Header, output: &[[Wire; CHUNKS]; LANES], row: &KeccakRow) -> [Lc; 2] {
    let mut halves = [Lc::zero(), Lc::zero()];
    for i in (0..2 * HALF_DIGEST).step_by(2) {
        let (lane, j) = (i / 8, i % 8 / 2);
        let [low, high, ..] = (row.output[lane].bit >> (16 * j)).to_le_bytes();
        let low_bits = cs.commit("keccak.digest.spread", spread(u16::from(low)));
        let high_bits = (output[lane][j] - low_bits) * inverse_eights(8);
        let low = cs.commit("keccak.digest.byte", u64::from(low));
        let high = cs.commit("keccak.digest.byte", u64::from(high));
        cs.send("keccak.digest.low", h.en, ByteSparse { byte: low.into(), bits: low_bits.into() });
        cs.send("keccak.digest.high", h.en, ByteSparse { byte: high.into(), bits: high_bits.into() });
        let weight = pow2(8 * (HALF_DIGEST - 2 - i % HALF_DIGEST) as u32);
        halves[i / HALF_DIGEST] += (low * 256 + high) * weight;
    }
    halves
}

/// keccak.digest.send: (stream, length, digest high, digest low) with multiplicity last; the length is offset and the
/// data bytes of this block. `last` is a bit and implies `en`: only complete messages have a digest.         Cost: 4
fn send_digest(cs: &mut Cs, h: &Header, data_len: Lc, [high, low]: [Lc; 2]) {
    let tuple = KeccakOutput {
        high: high.into(),
        low: low.into(),
        length: (data_len + h.offset).into(),
        stream: h.stream.into(),
    };
    cs.send("keccak.digest.send", h.last, tuple);
}

/// Constraints of one `keccak-f[1600]`, given its input lanes and with its output committed.
#[must_use]
pub fn permutation_constraints() -> usize {
    let mut cs = Cs::new(Mode::Record);
    let en = cs.commit("keccak.flag.enabled", 0u64);
    let input = std::array::from_fn(|_| cs.commit("keccak.input", 0u64).into());
    permutation::synthesize(&mut cs, en, &input, &KeccakRow::default());
    cs.num_constraints()
}

/// Constraints by name of one row beyond the machine's first: a block with its permutation.
#[must_use]
pub fn row_constraints() -> BTreeMap<&'static str, usize> {
    let count = |n| {
        let mut cs = Cs::new(Mode::Record);
        synthesize(&mut cs, &vec![KeccakRow::default(); n]);
        cs.counts().clone()
    };
    let (one, mut two) = (count(1), count(2));
    for (name, n) in &mut two {
        *n -= one.get(name).copied().unwrap_or_default();
    }
    two.retain(|_, n| *n > 0);
    two
}
