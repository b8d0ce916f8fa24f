//! Rows for messages of 64 bytes, two words of 256 bits: one permutation each, and no chain, for such a message is one block
//! with constant padding. A message that is hashed more than once takes one row.
//!
//! ```text
//! 64 bytes ─► lanes 0 … 7  ─┐
//!  │   padding, zeros ──────┴► keccak-f ─► lanes 0 … 3 ─► 32 bytes
//!  └───────────────── KeccakWords (two words, digest) ◄──────┘  · uses
//! ```

use std::collections::{BTreeMap, HashMap};

use super::{
    digits::{commit_byte, eights},
    permutation::{self, Input},
    row::{BLOCK_BYTES, DIGEST_LANES, LANES, PermutationRow, RATE_LANES},
    witness::{KeccakError, permute},
};
#[cfg(test)]
use crate::F;
use crate::{
    cs::{Cs, Lc, Mode, Wire},
    gadgets::pow2,
    lookup::bus::KeccakWords,
};

/// Bytes of a message.
pub const WORDS_BYTES: usize = 64;
/// Lanes of a message.
const WORDS_LANES: usize = WORDS_BYTES / 8;
/// Bytes of half a word.
const HALF_WORD: usize = 16;

/// A message of two words, hashed. The default is a disabled row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordsRow {
    /// The row counts. Boolean: keccak.words.enabled.
    pub enabled: bool,
    /// How often the digest is received; 0 if not enabled: keccak.words.uses.
    pub uses: u64,
    /// The message, eight bytes a lane: keccak.words.spread.
    pub message: [[u8; 8]; WORDS_LANES],
    pub permutation: PermutationRow,
}

/// The rows of `messages`, one for each that is different, in order of first appearance; padded with disabled rows to
/// `capacity`.
///
/// # Errors
/// [`KeccakError::Words`] if more than `capacity` messages are different.
pub fn rows(messages: &[[u8; WORDS_BYTES]], capacity: usize) -> Result<Vec<WordsRow>, KeccakError> {
    let mut rows = Vec::<WordsRow>::with_capacity(capacity);
    let mut known = HashMap::new();
    for message in messages {
        let i = *known.entry(message).or_insert_with(|| {
            rows.push(row(message));
            rows.len() - 1
        });
        rows[i].uses += 1;
    }
    if rows.len() > capacity {
        return Err(KeccakError::Words { needed: rows.len(), available: capacity });
    }
    rows.resize_with(capacity, WordsRow::default);
    Ok(rows)
}

/// The row of `message`, not used yet.
fn row(message: &[u8; WORDS_BYTES]) -> WordsRow {
    let mut row = WordsRow { enabled: true, ..WordsRow::default() };
    for (k, byte) in message.iter().enumerate() {
        row.message[k / 8][k % 8] = *byte;
    }
    row.permutation = permute(&mut [0; LANES], &block(&row.message));
    row
}

/// The padded block.
pub(super) fn block(message: &[[u8; 8]; WORDS_LANES]) -> [u64; RATE_LANES] {
    std::array::from_fn(|i| message.get(i).map_or_else(|| padding(i), |bytes| u64::from_le_bytes(*bytes)))
}

/// Lane `i` of the padding pad10*1 of a message of 64 bytes: 0x01 after it, 0x80 at the end of the block.
const fn padding(i: usize) -> u64 {
    const FIRST: usize = WORDS_LANES;
    const LAST: usize = BLOCK_BYTES / 8 - 1;
    match i {
        FIRST => 0x01,
        LAST => 0x80 << 56,
        _ => 0,
    }
}

/// All rows of messages of two words. Structure depends on their number only.
pub fn synthesize(cs: &mut Cs, rows: &[WordsRow]) {
    for row in rows {
        synthesize_row(cs, row);
    }
}

/// keccak.words.enabled: en ∈ {0, 1}, the multiplicity of the row's lookups.                                  Cost: 1
/// keccak.words.uses: uses·(1 − en) = 0.                                                                       Cost: 1
///   Without it a disabled row, whose lookups have multiplicity 0, could send any digest.
/// keccak.words.spread: each byte is one, with its bits in base 8.                                           Cost: 128
///   The halves of the words are linear in the bytes, the lanes in their bits: both are of the same message.
/// keccak.words.send: the tuple, `uses` times.                                                                 Cost: 6
///
/// Soundness: `uses` may be any field element. A tuple on the bus is received as often as it is sent, so one that
/// is received has `uses` ≠ 0 in a row that sends it: that row is enabled, and its tuple is a hash.
/// Requires: receivers have multiplicity 0 or 1, so that these sum to 0 in the field only if all are 0.
fn synthesize_row(cs: &mut Cs, row: &WordsRow) {
    let en = cs.commit_boolean("keccak.words.enabled", row.enabled);
    let uses = cs.commit("keccak.words.uses", row.uses);
    let one = cs.one();
    cs.enforce("keccak.words.uses", uses, one - en, Lc::zero());
    let Message { lanes, halves } = message(cs, en, row);
    let mut lanes = lanes.into_iter().map(Input::Sum);
    let input = std::array::from_fn(|i| lanes.next().unwrap_or_else(|| Input::Constant(padding(i))));
    let output = permutation::synthesize(cs, en, &input, &row.permutation, DIGEST_LANES);
    let ([first_high, first_low, second_high, second_low], [high, low]) =
        (halves.map(Into::into), output.digest.map(Into::into));
    cs.send(
        "keccak.words.send",
        uses,
        KeccakWords { first_high, first_low, second_high, second_low, high, low },
    );
}

/// The message's bytes, added up in two ways.
struct Message {
    /// With bits as digits in base 8, as the permutation takes them.
    lanes: [Lc; WORDS_LANES],
    /// Big-endian integers of 16 bytes each.
    halves: [Lc; WORDS_BYTES / HALF_WORD],
}

fn message(cs: &mut Cs, en: Wire, row: &WordsRow) -> Message {
    let mut message = Message { lanes: Default::default(), halves: Default::default() };
    for (k, &value) in row.message.as_flattened().iter().enumerate() {
        let (byte, bits) = commit_byte(cs, ("keccak.words.byte", "keccak.words.spread"), en, value);
        message.lanes[k / 8] += bits * eights(8 * (k % 8));
        message.halves[k / HALF_WORD] += byte * pow2(8 * (HALF_WORD - 1 - k % HALF_WORD) as u32);
    }
    message
}

/// Constraints by name of a row.
#[must_use]
pub fn row_constraints() -> BTreeMap<&'static str, usize> {
    let mut cs = Cs::new(Mode::Record);
    synthesize(&mut cs, &[WordsRow::default()]);
    cs.counts().clone()
}

/// What the bus carries for `message` and its `digest`.
#[cfg(test)]
pub(crate) fn tuple(message: &[u8; WORDS_BYTES], digest: &[u8; 32]) -> KeccakWords {
    let half = |bytes: &[u8]| bytes.iter().fold(F::from(0u64), |acc, b| acc * F::from(256u64) + F::from(*b));
    let mut halves = message.chunks_exact(HALF_WORD).chain(digest.chunks_exact(HALF_WORD)).map(half);
    let mut next = || halves.next().unwrap_or_default().into();
    KeccakWords {
        first_high: next(),
        first_low: next(),
        second_high: next(),
        second_low: next(),
        high: next(),
        low: next(),
    }
}
