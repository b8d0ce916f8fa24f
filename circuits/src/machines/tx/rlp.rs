//! Canonical RLP, read from the byte table or written to a signing payload.
//!
//! An integer's digits are bytes, the lowest first, present up to its length. Positions count backwards from the
//! item's end, so that they need the length only.

use ark_ff::{Field, Zero};

use super::row::IntHint;
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::words::{Word, to_u256},
    lookup::bus::{BatchByte, Bus, Element},
};

/// Names of an integer item's families.
#[derive(Clone, Copy, Debug)]
pub(super) struct IntNames {
    pub present: &'static str,
    pub byte: &'static str,
    pub single: &'static str,
    pub canonical: &'static str,
    pub prefix: &'static str,
    pub top: &'static str,
    pub end: &'static str,
}

/// Name of the inverse hint of a top digit. It is free where the integer is 0, which has no digit.
pub(super) const TOP_INVERSE: &str = "tx.hint.top_inverse";

/// The names of the item `$item`: `tx.<item>.<family>`.
macro_rules! int_names {
    ($item:literal) => {
        crate::machines::tx::rlp::IntNames {
            present: concat!("tx.", $item, ".present"),
            byte: concat!("tx.", $item, ".byte"),
            single: concat!("tx.", $item, ".single"),
            canonical: concat!("tx.", $item, ".canonical"),
            prefix: concat!("tx.", $item, ".prefix"),
            top: concat!("tx.", $item, ".top"),
            end: concat!("tx.", $item, ".end"),
        }
    };
}
pub(super) use int_names;

/// The digits of an RLP integer.
pub(super) struct Digits {
    /// Lowest first.
    pub bytes: Vec<Wire>,
    /// Digit i is below the length: ones, then zeros.
    pub present: Vec<Wire>,
    /// One byte below 0x80 without a prefix.
    pub single: Wire,
}

impl Digits {
    /// The integer.
    pub fn value(&self) -> Lc {
        Lc::recompose(&self.bytes, 8)
    }

    /// The integer as two halves; for 32 digits.
    pub fn word(&self) -> Word {
        Word { hi: Lc::recompose(&self.bytes[16..], 8), lo: Lc::recompose(&self.bytes[..16], 8) }
    }

    /// Number of digits.
    pub fn len(&self) -> Lc {
        self.present.iter().map(|&w| Lc::from(w)).sum()
    }
}

/// Digits of an integer of at most `max` bytes; none where `flag` is 0.
///
/// ```text
/// present     presentᵢ − presentᵢ₊₁ ∈ {0, 1};  present₀·(flag − present₀) = 0                   max + 1
/// byte        byteᵢ·(1 − presentᵢ) = 0                                                          max
/// single      single ∈ {0, 1};  single·(length − 1) = 0                                         2
/// canonical   where the length is 1:  2·byte₀ − 256·(1 − single) ∈ [0, 2⁸)                      1
/// ```
/// `canonical`: byte₀ is a byte, so twice it is in range iff it is below 0x80 (single), and 2·(byte₀ − 0x80) is iff it
/// is not (with a prefix). Without it one integer would have two encodings.
/// Requires: `flag` boolean; present bytes are in [0, 2⁸); the caller checks that the top digit is not zero.
pub(super) fn digits(cs: &mut Cs, names: &IntNames, flag: &Lc, hint: &IntHint, max: usize) -> Digits {
    let present: Vec<_> = (0..max).map(|i| cs.commit(names.present, F::from(i < hint.len))).collect();
    let bytes: Vec<_> = (0..max)
        .map(|i| cs.commit(names.byte, if i < hint.len { u64::from(hint.value.byte(i)) } else { 0 }))
        .collect();
    let single = cs.commit_boolean(names.single, hint.single);
    let one = cs.one();
    cs.enforce(names.present, flag.clone() - present[0], present[0], Lc::zero());
    for i in 0..max {
        let next = present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
        cs.enforce_boolean(names.present, present[i] - next);
        cs.enforce(names.byte, bytes[i], one - present[i], Lc::zero());
    }
    let digits = Digits { bytes, present, single };
    cs.enforce(names.single, digits.len() - one, single, Lc::zero());
    let is_one_byte = digits.present[0] - digits.present[1];
    let shifted = digits.bytes[0] * 2u64 - (is_one_byte.clone() - single) * 256u64;
    cs.lookup(names.canonical, Bus::Range8, is_one_byte, shifted);
    digits
}

/// Reads items of one transaction: positions count from `origin`, the first byte of the list's payload.
pub(super) struct ItemReader<'a> {
    pub cs: &'a mut Cs,
    pub origin: Lc,
    /// Where the next item starts, committed.
    pub at: Lc,
}

impl ItemReader<'_> {
    /// The bytes before `offset`, the last one first, each where its `times` is 1. Cost: 1 a byte, and 1.
    pub fn read_backwards<T: Into<Lc>>(
        &mut self,
        name: &'static str,
        offset: &Lc,
        bytes: &[Wire],
        times: impl IntoIterator<Item = T>,
    ) {
        let end = self.cs.share(self.origin.clone() + offset);
        for (i, (&byte, times)) in bytes.iter().zip(times).enumerate() {
            let position = end.plus(-F::from(1 + i as u64));
            self.cs.send(name, times, BatchByte { byte: byte.into(), position });
        }
    }

    /// The byte at `offset` is `byte`, where `times` is 1. Cost: 2.
    pub fn read(&mut self, name: &'static str, offset: Lc, byte: impl Into<Element>, times: impl Into<Lc>) {
        let position = self.origin.clone() + offset;
        self.cs.send(name, times, BatchByte { byte: byte.into(), position: position.into() });
    }

    /// Moves to `end`, which becomes a wire so that combinations stay short. Cost: 1.
    pub fn advance(&mut self, name: &'static str, end: Lc) {
        let wire = self.cs.commit(name, end.value());
        self.cs.enforce_equal(name, end, wire);
        self.at = wire.into();
    }

    /// An integer item of at most `max` bytes, where `flag` is 1; nothing where it is 0. Cost: 4·max + 11.
    ///
    /// ```text
    /// end      end = start + (flag − single) + length                                          1
    /// byte     read byteᵢ at end − 1 − i, presentᵢ times                                       2·max
    /// prefix   read 0x80 + length at start, flag − single times                                2
    /// top      read top at start + flag − single, present₀ times;  inverse·top = present₀;  top·(1 − present₀) = 0   4
    /// ```
    /// `top` is the highest digit and not zero: without it 0x0005 would be the integer 5. Then those of [`digits`].
    pub fn int(&mut self, names: &IntNames, flag: &Lc, hint: &IntHint, max: usize) -> Digits {
        let d = digits(self.cs, names, flag, hint, max);
        let has_prefix = flag.clone() - d.single;
        let first = self.at.clone() + &has_prefix;
        let start = self.at.clone();
        self.advance(names.end, first.clone() + d.len());
        let one = self.cs.one();
        let end = self.at.clone();
        self.read_backwards(names.byte, &end, &d.bytes, d.present.iter().copied());
        let prefix = flag.clone() * 0x80u64 + d.len();
        self.read(names.prefix, start, prefix, has_prefix);

        let any = d.present[0];
        let top_value = if any.value().is_zero() { 0 } else { hint.value.byte(hint.len - 1) };
        let top = self.cs.commit(names.top, u64::from(top_value));
        self.read(names.top, first, top, any);
        let inverse = top.value().inverse().unwrap_or_default();
        let inverse = self.cs.witness(TOP_INVERSE, inverse);
        self.cs.enforce(names.top, inverse, top, any);
        self.cs.enforce(names.top, top, one - any, Lc::zero());
        d
    }
}

/// Names of a length prefix' families.
#[derive(Clone, Copy, Debug)]
pub(super) struct LengthNames {
    pub present: &'static str,
    pub digit: &'static str,
    pub value: &'static str,
    pub short: &'static str,
    pub minimal: &'static str,
}

/// The RLP prefix of a list or of a string other than a single byte below 0x80: one byte, and up to three digits.
pub(super) struct LengthPrefix {
    /// Digits of the length, lowest first; all zero for a short prefix.
    pub digits: [Wire; 3],
    /// Digit i is present.
    pub present: [Wire; 3],
    /// What the prefix byte is above 0x80 or 0xc0.
    pub form: Lc,
    /// Number of digits.
    pub width: Lc,
}

/// The prefix of a payload of `length` bytes; nothing where `flag` is 0. Cost: 12.
///
/// ```text
/// present   presentᵢ − presentᵢ₊₁ ∈ {0, 1};  present₀·(flag − present₀) = 0               4
/// digit     digitᵢ·(1 − presentᵢ) = 0                                                     3
/// value     length·present₀ = Σ digitᵢ·256ⁱ                                               1
/// short     where present₀ is 0:  length + 200 ∈ [0, 2⁸), so length < 56                  1
/// minimal   digitᵢ − topᵢ·leastᵢ ∈ [0, 2⁸) where present; least = 56, 1, 1                 3
/// ```
/// `form` = length − Σ digitᵢ·256ⁱ + 0x37·present₀ + width: the length itself, or 55 + width. Without `short` and
/// `minimal` one length would have several encodings. `minimal` also looks at digits that are not the top one: a length
/// is a non-negative integer below 2²⁵ whatever is read at the digits' positions, which are known to lie in the batch
/// only because lengths are such integers.
/// Requires: `flag` boolean; `length` 0 where `flag` is 0, and where the prefix is short a non-negative integer far below
/// the modulus. That the top digit is below 2⁸ is up to who reads or sends it.
pub(super) fn length_prefix(
    cs: &mut Cs,
    names: &LengthNames,
    flag: &Lc,
    length: &Lc,
    width_hint: usize,
) -> LengthPrefix {
    let length_value = to_u256(length.value());
    let present = [0, 1, 2].map(|i| cs.commit(names.present, F::from(i < width_hint)));
    let digits = [0, 1, 2]
        .map(|i| cs.commit(names.digit, if i < width_hint { u64::from(length_value.byte(i)) } else { 0 }));
    let one = cs.one();
    cs.enforce(names.present, flag.clone() - present[0], present[0], Lc::zero());
    for i in 0..3 {
        let next = present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
        let is_top = present[i] - next;
        cs.enforce_boolean(names.present, is_top.clone());
        cs.enforce(names.digit, digits[i], one - present[i], Lc::zero());
        let least = if i == 0 { 56u64 } else { 1 };
        cs.lookup(names.minimal, Bus::Range8, present[i], digits[i] - is_top * least);
    }
    let recomposed = Lc::recompose(&digits, 8);
    cs.enforce(names.value, length.clone(), present[0], recomposed.clone());
    let short = flag.clone() - present[0];
    cs.lookup(names.short, Bus::Range8, short, length.clone() + flag.clone() * 200u64);
    let width: Lc = present.iter().map(|&w| Lc::from(w)).sum();
    let form = length.clone() - recomposed + present[0] * 0x37u64 + &width;
    LengthPrefix { digits, present, form, width }
}
