//! Rows of blocks: flags, the chain of blocks, bytes, and what goes over the buses.

use std::collections::BTreeMap;

use super::{
    digits::{commit_byte, eights, spread_lane},
    permutation::{self, Input},
    row::{BLOCK_BYTES, KeccakRow, LANES, PermutationRow, RATE_LANES},
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, Wire},
    lookup::bus::{KeccakInput, KeccakOutput},
};

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

/// All rows of blocks. Structure depends on their number only.
pub fn synthesize(cs: &mut Cs, rows: &[KeccakRow]) {
    let mut previous: Option<(Header, Vec<Lc>)> = None;
    for row in rows {
        let header = header(cs, row);
        enforce_chain(cs, &header, previous.as_ref().map(|(h, _)| h));
        let block = receive_block(cs, &header, row);
        let mut input = carry(cs, &header, previous.as_ref().map(|(_, state)| state.as_slice()), row);
        for (lane, b) in input.iter_mut().zip(block.lanes) {
            *lane += b;
        }
        let output = permutation::synthesize(cs, header.en, &input.map(Input::Sum), &row.permutation, LANES);
        send_digest(cs, &header, block.data_len, output.digest);
        previous = Some((header, output.lanes));
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
/// keccak.block.receive: (byteₖ, offset + k, stream) with multiplicity dataₖ.         Cost: 1 a byte, 2 a row
///   The byte is the message's. The multiplicity is a bit: with −1 the prover would make bytes up.
fn receive_block(cs: &mut Cs, h: &Header, row: &KeccakRow) -> Block {
    let mut block = Block { lanes: vec![Lc::zero(); RATE_LANES], data_len: Lc::zero() };
    let mut before = Lc::from(h.en);
    let [stream, offset] = [h.stream, h.offset].map(|w| cs.share(w));
    for (k, &value) in row.block.as_flattened().iter().enumerate() {
        let (byte, bits) = commit_byte(cs, ("keccak.block.byte", "keccak.block.spread"), h.en, value);
        block.lanes[k / 8] += bits * eights(8 * (k % 8));

        let is_final = k + 1 == BLOCK_BYTES;
        let is_data = if is_final {
            h.open.clone()
        } else {
            cs.commit("keccak.block.is_data", F::from(row.data[k / 8][k % 8])).into()
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
fn carry(cs: &mut Cs, h: &Header, state: Option<&[Lc]>, row: &KeccakRow) -> [Lc; LANES] {
    let Some(state) = state else { return std::array::from_fn(|_| Lc::zero()) };
    std::array::from_fn(|i| {
        let carried = cs.commit("keccak.absorb.carry", spread_lane(row.carried[i]));
        cs.enforce("keccak.absorb.carry", state[i].clone(), h.continues.clone(), carried);
        carried.into()
    })
}

/// keccak.digest.send: (digest high, digest low, length, stream) with multiplicity last; the length is offset and the
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

/// Constraints of one `keccak-f[1600]`, given its input lanes and with its output committed; the bytes of the digest, which
/// the first four lanes are made of, are not counted.
#[must_use]
pub fn permutation_constraints() -> usize {
    let mut cs = Cs::new(Mode::Record);
    let en = cs.commit("keccak.flag.enabled", 0u64);
    let input = std::array::from_fn(|_| Input::Sum(cs.commit("keccak.input", 0u64).into()));
    permutation::synthesize(&mut cs, en, &input, &PermutationRow::default(), LANES);
    cs.counts().iter().filter(|(name, _)| !name.starts_with("keccak.digest.")).map(|(_, n)| n).sum()
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
