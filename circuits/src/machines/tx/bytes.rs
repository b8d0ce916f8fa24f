//! The byte table: every byte of the batch once, for the transaction slots, for the batch hash and for the signing
//! payloads.

use ark_ff::{Field, One, Zero};

use super::row::ByteRow;
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::to_u64,
    lookup::bus::{BatchByte, BatchPrefix, Bus, Element, KeccakInput, PayloadRegion},
};

/// Name of the inverse hint of a byte. It is free where the byte is 0: the second equation decides there.
pub(super) const BYTE_INVERSE: &str = "tx.hint.byte_inverse";

/// The table's columns.
pub(super) struct ByteTable {
    enabled: Vec<Wire>,
    bytes: Vec<Wire>,
    /// Bytes in the batch, committed.
    pub total: Wire,
}

/// Columns `en` and `byte`, and the batch length.
///
/// ```text
/// tx.bytes.enabled   enᵢ − enᵢ₊₁ ∈ {0, 1}, en_N = 0                 1 a byte
/// tx.bytes.range     byteᵢ ∈ [0, 2⁸) where enᵢ                     1 a byte
/// tx.bytes.total     total = Σ enᵢ                                 1
/// ```
/// plus en₀ ∈ {0, 1}, which is the sum of the differences: so at most one of them is 1, and en is a prefix of ones.
/// Without it a byte could be hashed several times or not at all.
pub(super) fn allocate(cs: &mut Cs, rows: &[ByteRow]) -> ByteTable {
    let enabled: Vec<_> = rows.iter().map(|r| cs.commit("tx.bytes.enabled", F::from(r.enabled))).collect();
    let bytes: Vec<_> = rows.iter().map(|r| cs.commit("tx.bytes.byte", u64::from(r.byte))).collect();
    if let Some(&first) = enabled.first() {
        cs.enforce_boolean("tx.bytes.enabled", first);
    }
    for (i, (&en, &byte)) in enabled.iter().zip(&bytes).enumerate() {
        let next = enabled.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
        cs.enforce_boolean("tx.bytes.enabled", en - next);
        cs.lookup("tx.bytes.range", Bus::Range8, en, byte);
    }
    let sum: Lc = enabled.iter().map(|&w| Lc::from(w)).sum();
    let total = cs.commit("tx.bytes.total", sum.value());
    cs.enforce_equal("tx.bytes.total", sum, total);
    ByteTable { enabled, bytes, total }
}

/// What the table provides. To be called after all slots: multiplicities are counted from what they sent.
///
/// ```text
/// tx.bytes.nonzero    nz = suffixᵢ − suffixᵢ₊₁:  inverse·byte = nz,  byte·(1 − nz) = 0        2 a byte
/// tx.bytes.suffix     receive (i, suffixᵢ) as often as asked, i = 0 … N                        1 a byte
/// tx.bytes.read       receive (i, byteᵢ) as often as asked                                     1 a byte
/// tx.bytes.hash       send (batch stream, i, byteᵢ) to keccak, enᵢ times                       1 a byte
/// tx.bytes.boundary   receive (i, streamᵢ + 1, shiftᵢ) from a slot, boundaryᵢ times            3 a byte
/// tx.bytes.stream     (streamᵢ − streamᵢ₋₁)·(1 − boundaryᵢ) = 0                                1 a byte
/// tx.bytes.shift      (shiftᵢ − shiftᵢ₋₁)·(1 − boundaryᵢ) = 0                                  1 a byte
/// tx.bytes.payload    send (streamᵢ, i − shiftᵢ, byteᵢ) to keccak, sharedᵢ times               3 a byte
/// ```
/// `nonzero`: nz is 1 for a non-zero byte and 0 for zero, so differences of suffixes count non-zero bytes; without it
/// call data would be charged as cheaper than it is.
///
/// `boundary`: only row i receives position i, and a slot announces its two positions once each, all distinct. So
/// boundaryᵢ is 1 where a slot announced something and 0 elsewhere, stream and shift change exactly there, and they are
/// what the slot said. No region starts, ends or overlaps without a slot.
///
/// `payload`: `sharedᵢ` needs no equation. Keccak hashes one message for each digest that somebody receives, and a
/// slot receives one of its stream; it receives each position of a message once. In a region the table's bytes are the
/// only ones at their positions, so each must be sent once. Outside, the stream is −1: nobody receives its digest, so
/// keccak has no message of that name, and nothing may be sent.
///
/// `hash`: keccak needs a byte table row for each position below the length of which the batch receives the digest.
///
/// A read beyond the end, where bytes are neither in range nor hashed, is impossible: all lengths in a slot are small
/// non-negative integers by the slot's own range checks, whatever it reads, so that a slot's reads lie in its bytes, and
/// the slots' bytes end at `total`, see `tx.slot.covered`.
pub(super) fn provide(cs: &mut Cs, table: &ByteTable, rows: &[ByteRow], batch_stream: u64) {
    let n = rows.len();
    let reads = count(cs, Bus::BatchByte, n);
    let suffix_reads = count(cs, Bus::BatchPrefix, n + 1);
    let one = cs.one();

    let mut below = F::zero();
    let mut suffix_values = vec![F::zero(); n];
    for (value, byte) in suffix_values.iter_mut().zip(&table.bytes).rev() {
        below += F::from(!byte.value().is_zero());
        *value = below;
    }
    let suffix: Vec<_> = suffix_values.iter().map(|&v| cs.commit("tx.bytes.suffix", v)).collect();
    let suffix_at = |i: usize| suffix.get(i).map_or(Lc::zero(), |w| (*w).into());

    let (mut last_stream, mut last_shift) = (Lc::zero(), Lc::zero());
    for (i, row) in rows.iter().enumerate() {
        let (byte, en) = (Lc::from(table.bytes[i]), table.enabled[i]);
        let position = i as u64;

        let nonzero = suffix_at(i) - suffix_at(i + 1);
        let inverse = cs.witness(BYTE_INVERSE, byte.value().inverse().unwrap_or_default());
        cs.enforce("tx.bytes.nonzero", inverse, byte.clone(), nonzero.clone());
        cs.enforce("tx.bytes.nonzero", nonzero - one, byte.clone(), Lc::zero());

        let times = cs.commit("tx.bytes.suffix_reads", suffix_reads[i]);
        let nonzero = suffix_at(i).into();
        cs.receive("tx.bytes.suffix", times, BatchPrefix { nonzero, position: position.into() });
        let times = cs.commit("tx.bytes.reads", reads[i]);
        cs.receive("tx.bytes.read", times, BatchByte { byte: (&byte).into(), position: position.into() });
        let hashed =
            KeccakInput { byte: (&byte).into(), position: position.into(), stream: batch_stream.into() };
        cs.send("tx.bytes.hash", en, hashed);

        let boundary = cs.commit("tx.bytes.boundary", F::from(row.boundary));
        let stream = Lc::from(cs.commit("tx.bytes.stream", row.stream_plus_one));
        let shift = Lc::from(cs.commit("tx.bytes.shift", row.shift));
        let region = PayloadRegion {
            position: position.into(),
            stream_plus_one: (&stream).into(),
            shift: (&shift).into(),
        };
        cs.receive("tx.bytes.boundary", boundary, region);
        cs.enforce("tx.bytes.stream", stream.clone() - &last_stream, one - boundary, Lc::zero());
        cs.enforce("tx.bytes.shift", shift.clone() - &last_shift, one - boundary, Lc::zero());
        let shared = cs.commit("tx.bytes.shared", F::from(row.stream_plus_one != 0));
        let hashed = KeccakInput {
            byte: byte.into(),
            position: Element::with_constant(-shift.clone(), position),
            stream: Element::with_constant(&stream, -F::one()),
        };
        cs.send("tx.bytes.payload", shared, hashed);
        (last_stream, last_shift) = (stream, shift);
    }
    // The position after a full table: nothing follows it.
    let times = cs.commit("tx.bytes.suffix_reads", suffix_reads[n]);
    cs.receive("tx.bytes.suffix", times, BatchPrefix { nonzero: 0.into(), position: (n as u64).into() });
}

/// How often each position below `n` was asked for on `bus` so far.
fn count(cs: &Cs, bus: Bus, n: usize) -> Vec<F> {
    let mut counts = vec![F::zero(); n];
    for i in cs.interactions().filter(|i| i.bus == bus && !i.multiplicity.is_zero()) {
        let position = to_u64(i.tuple[1]).and_then(|p| usize::try_from(p).ok());
        if let Some(c) = position.and_then(|p| counts.get_mut(p)) {
            debug_assert!(i.multiplicity.is_one(), "{}: a slot reads a byte once", i.name);
            *c += i.multiplicity;
        }
    }
    counts
}
