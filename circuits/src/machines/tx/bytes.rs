//! The byte table: every byte of the batch once, for the transaction slots, for the batch hash and for the signing
//! payloads.

use ark_ff::{Field, One, Zero};

use super::row::ByteRow;
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{pow2, to_u64},
    lookup::bus::{BatchByte, BatchPrefix, Bus, KeccakInput, PayloadRegion},
};

/// Name of the inverse hint of a byte. It is free where the byte is 0: the second equation decides there.
pub(super) const BYTE_INVERSE: &str = "tx.hint.byte_inverse";

/// The table's columns.
pub(super) struct ByteTable {
    enabled: Vec<Wire>,
    bytes: Vec<Wire>,
    /// Bytes in the batch, a hint.
    pub total: Wire,
}

/// Columns `en` and `byte`, and the batch length. The keccak machine fixes their values, see `hash` of [`provide`].
pub(super) fn allocate(cs: &mut Cs, rows: &[ByteRow]) -> ByteTable {
    let enabled: Vec<_> = rows.iter().map(|r| cs.commit("tx.bytes.enabled", F::from(r.enabled))).collect();
    let bytes: Vec<_> = rows.iter().map(|r| cs.commit("tx.bytes.byte", u64::from(r.byte))).collect();
    let total = cs.commit("tx.bytes.total", rows.iter().filter(|r| r.enabled).count() as u64);
    ByteTable { enabled, bytes, total }
}

/// What the table provides. To be called after all slots: multiplicities are counted from what they sent.
///
/// ```text
/// tx.bytes.nonzero    nz = suffixᵢ − suffixᵢ₊₁:  inverse·byte = nz,  byte·(1 − nz) = 0        2 a byte
/// tx.bytes.suffix     receive (suffixᵢ, i) as often as sent, i = 0 … N                         1 a byte
/// tx.bytes.read       receive (byteᵢ, i) as often as sent                                      1 a byte
/// tx.bytes.hash       send (byteᵢ, i, batch stream) to keccak, enᵢ times                       1 a byte
/// tx.bytes.boundary   receive (i, shiftᵢ, streamᵢ + 1) from a slot, boundaryᵢ times            1 + 2 a byte
/// tx.bytes.region     (kᵢ − kᵢ₋₁)·(1 − boundaryᵢ) = 0, k = shift + 2³²·(stream + 1)             1 a byte
/// tx.bytes.payload    send (byteᵢ, i + shiftᵢ, streamᵢ) to keccak, sharedᵢ times               1 a byte
/// ```
/// The last three share shift and stream. `nonzero`: nz is 1 for a non-zero byte and 0 for zero, so differences of
/// suffixes count non-zero bytes; without it call data would be charged as cheaper than it is.
///
/// `hash`: `enᵢ` and `total` need no equation. The batch receives the digest of a message that is `total` long, on the
/// batch stream, so keccak has that message and receives each of its positions once, as a byte in [0, 2⁸). Only row i
/// sends position i of the batch stream, with byteᵢ. So below `total` the table's bytes are the message's, and enᵢ is what
/// it takes, which nothing else depends on.
///
/// `boundary`: only row i receives position i, and a slot announces its two positions once each, all distinct. So
/// boundaryᵢ is 1 where a slot announced something and 0 elsewhere, k changes exactly there, and shift and stream are
/// there what the slot said. No region starts, ends or overlaps without a slot.
///
/// `payload`: `sharedᵢ` needs no equation. A slot sends position 0 of its stream once, so keccak has one message of that
/// name that is not empty, the one whose digest the slot receives, and receives each of its positions once. The slot
/// sends those before and after its region; those between are up to the table. Row i with shift and stream as announced
/// fits its position. A row with another shift and stream of the same k, say a stream larger by δ, has a position that
/// differs by 2³²·δ from an integer below 2³²: for the small integer δ ≠ 0 that leads to another slot's stream it is not
/// a position of any message. So the region's rows, and only they, send their position once each. Outside regions and
/// for every other δ nothing is sent, or keccak hashes a message whose digest nobody receives.
///
/// A read beyond the end, where bytes are neither in range nor hashed, is impossible: all lengths in a slot are small
/// non-negative integers by the slot's own range checks, whatever it reads, so that a slot's reads lie in its bytes, and
/// the slots' bytes end at `total`, see `tx.slot.covered`. So every byte that a slot reads is one that keccak received.
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

    let mut last = Lc::zero();
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
        let shift = cs.commit("tx.bytes.shift", F::from(row.shift));
        let stream = cs.commit("tx.bytes.stream", row.stream_plus_one);
        let key = stream * pow2(32) + shift;
        cs.enforce("tx.bytes.region", key.clone() - last, one - boundary, Lc::zero());
        last = key;
        let (shift, stream) = (cs.share(shift), cs.share(stream));
        let region = PayloadRegion {
            position: position.into(),
            shift: (&shift).into(),
            stream_plus_one: (&stream).into(),
        };
        cs.receive("tx.bytes.boundary", boundary, region);
        let shared = cs.commit("tx.bytes.shared", F::from(row.stream_plus_one != 0));
        let hashed =
            KeccakInput { byte: byte.into(), position: shift.plus(position), stream: stream.plus(-F::one()) };
        cs.send("tx.bytes.payload", shared, hashed);
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
            *c += i.multiplicity;
        }
    }
    counts
}
