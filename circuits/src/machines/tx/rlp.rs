//! Canonical RLP, read from the byte table or written to a signing payload.
//!
//! An integer's digits are bytes, the lowest first, present up to its length. Positions count backwards from the
//! item's end, so that they need the length only. Names are relative: whoever reads an item opens its scope.

use ark_ff::One;

use super::row::IntHint;
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::words::{Word, to_u256},
    lookup::bus::{BatchByte, Bus, Element, Shared},
};

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
/// single      single ∈ {0, whether the length is 1}                                             1
/// canonical   where the length is 1:  516·byte₀ − 66048 + 66047·single ∈ [0, 2¹⁶)               1
/// ```
/// `canonical`: byte₀ is a byte. Without a prefix (single) 516·byte₀ − 1 is in range iff byte₀ is 1 … 127, with one
/// 516·(byte₀ − 128) is iff byte₀ is 128 … 255. So a lone digit has one encoding, and it is not zero.
/// Requires: `flag` boolean; present bytes are in [0, 2⁸); the caller checks that the top digit of several is not zero.
pub(super) fn digits(cs: &mut Cs, flag: &Lc, hint: &IntHint, max: usize) -> Digits {
    let present: Vec<_> = (0..max).map(|i| cs.commit("present", F::from(i < hint.len))).collect();
    let bytes: Vec<_> = (0..max)
        .map(|i| cs.commit("byte", if i < hint.len { u64::from(hint.value.byte(i)) } else { 0 }))
        .collect();
    let single = cs.commit("single", F::from(hint.single));
    let one = cs.one();
    cs.enforce("present", flag.clone() - present[0], present[0], Lc::zero());
    for i in 0..max {
        let next = present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
        cs.enforce_boolean("present", present[i] - next);
        cs.enforce("byte", bytes[i], one - present[i], Lc::zero());
    }
    let is_one_byte = present[0] - present[1];
    cs.enforce("single", is_one_byte.clone() - single, single, Lc::zero());
    let spread = Element::with_constant(bytes[0] * 516u64 + single * 66_047u64, -F::from(66_048u64));
    cs.lookup("canonical", Bus::Range16, is_one_byte, spread);
    Digits { bytes, present, single }
}

/// Reads the items of one transaction in wire order.
///
/// A position in an enabled slot is a combination, shared by everything that is read near it, and a distance that is
/// constant. A disabled slot reads nothing, so its positions may be anything; only `at` counts there.
#[derive(Clone)]
pub(super) struct Cursor {
    origin: Lc,
    /// Where the next item starts, counted from the first byte of the list's payload; 0 in a disabled slot.
    at: Lc,
    /// A position in the batch; the next item starts `ahead` bytes later.
    base: Shared,
    ahead: u64,
}

impl Cursor {
    /// `origin`: position of the list's payload, committed.
    pub fn new(cs: &mut Cs, origin: Lc) -> Self {
        let base = cs.share(origin.clone());
        Self { origin, at: Lc::zero(), base, ahead: 0 }
    }

    /// Where the next item starts, counted from the origin.
    pub fn at(&self) -> Lc {
        self.at.clone()
    }

    /// The position `distance` bytes behind the start of the next item.
    pub fn position(&self, distance: u64) -> Element {
        self.base.plus(self.ahead + distance)
    }

    /// The byte `distance` bytes behind the start of the next item is `byte`, where `times` is 1. Cost: 1, and 1 for the
    /// first read from this base.
    pub fn read(
        &self,
        cs: &mut Cs,
        name: &'static str,
        distance: u64,
        byte: impl Into<Element>,
        times: impl Into<Lc>,
    ) {
        cs.send(name, times, BatchByte { byte: byte.into(), position: self.position(distance) });
    }

    /// The bytes before the start of the next item, the last one first, each where its `times` is 1. Cost: 1 a byte, and 1
    /// for the first read from this base.
    pub fn read_backwards<T: Into<Lc>>(
        &self,
        cs: &mut Cs,
        name: &'static str,
        bytes: &[Wire],
        times: impl IntoIterator<Item = T>,
    ) {
        for ((i, &byte), times) in (1u64..).zip(bytes).zip(times) {
            let position = self.base.plus(F::from(self.ahead) - F::from(i));
            cs.send(name, times, BatchByte { byte: byte.into(), position });
        }
    }

    /// `name`: moves to `end`, which becomes a wire so that combinations stay short. Cost: 1.
    pub fn advance(&mut self, cs: &mut Cs, name: &'static str, end: Lc) {
        let wire = cs.commit(name, end.value());
        cs.enforce_equal(name, end, wire);
        self.jump(cs, wire.into());
    }

    /// Moves on by `bytes` in an enabled slot. Free.
    pub fn skip(&mut self, en: &Lc, bytes: u64) {
        self.at += en.clone() * bytes;
        self.ahead += bytes;
    }

    /// Moves to `end`, from where positions count. Free, but for the next read.
    pub fn jump(&mut self, cs: &mut Cs, end: Lc) {
        self.base = cs.share(self.origin.clone() + &end);
        (self.at, self.ahead) = (end, 0);
    }

    /// The integer item `item` of at most `max` bytes, where `flag` is 1; nothing where it is 0. Cost: 3·max + 8.
    ///
    /// ```text
    /// end      end = start + (flag − single) + length                                          1
    /// byte     read byteᵢ at end − 1 − i, presentᵢ times                                       max + 1
    /// prefix   read 0x80 + length at start, flag − single times                                1
    /// top      where the length is above 1:  read top at start + 1;  top − 1 ∈ [0, 2⁸)          2
    /// ```
    /// `top` is the highest digit and not zero: without it 0x0105 could be written as 0x000105. Then those of
    /// [`digits`], which keep a lone digit from being zero.
    pub fn int(&mut self, cs: &mut Cs, item: &'static str, flag: &Lc, hint: &IntHint, max: usize) -> Digits {
        cs.scoped(item, |cs| {
            let d = digits(cs, flag, hint, max);
            let has_prefix = flag.clone() - d.single;
            let prefix = Element::with_constant(d.len(), F::from(0x80u64));
            self.read(cs, "prefix", 0, prefix, has_prefix.clone());

            let several = d.present[1];
            let top = if several.value().is_one() { u64::from(hint.value.byte(hint.len - 1)) } else { 0 };
            let top = cs.commit("top", top);
            self.read(cs, "top", 1, top, several);
            cs.lookup("top", Bus::Range8, several, Element::with_constant(top, -F::one()));

            self.advance(cs, "end", self.at() + has_prefix + d.len());
            self.read_backwards(cs, "byte", &d.bytes, d.present.iter().copied());
            d
        })
    }
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
/// the modulus. Whoever reads or sends the top digit checks that it is below 2⁸.
pub(super) fn length_prefix(cs: &mut Cs, flag: &Lc, length: &Lc, width_hint: usize) -> LengthPrefix {
    let length_value = to_u256(length.value());
    let present = [0, 1, 2].map(|i| cs.commit("present", F::from(i < width_hint)));
    let digits = [0, 1, 2]
        .map(|i| cs.commit("digit", if i < width_hint { u64::from(length_value.byte(i)) } else { 0 }));
    let one = cs.one();
    cs.enforce("present", flag.clone() - present[0], present[0], Lc::zero());
    for i in 0..3 {
        let next = present.get(i + 1).map_or(Lc::zero(), |w| (*w).into());
        let is_top = present[i] - next;
        cs.enforce_boolean("present", is_top.clone());
        cs.enforce("digit", digits[i], one - present[i], Lc::zero());
        let least = if i == 0 { 56u64 } else { 1 };
        cs.lookup("minimal", Bus::Range8, present[i], digits[i] - is_top * least);
    }
    let recomposed = Lc::recompose(&digits, 8);
    cs.enforce("value", length.clone(), present[0], recomposed.clone());
    let short = flag.clone() - present[0];
    cs.lookup("short", Bus::Range8, short, Element::with_constant(length, F::from(200u64)));
    let width: Lc = present.iter().map(|&w| Lc::from(w)).sum();
    let form = length.clone() - recomposed + present[0] * 0x37u64 + &width;
    LengthPrefix { digits, present, form, width }
}
