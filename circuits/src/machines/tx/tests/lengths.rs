//! RLP length prefixes by enumeration: each length has exactly one form, whatever the digits are claimed to be.

use super::{
    super::{rlp::length_prefix, witness::width},
    *,
};

/// The prefix of `length` with `width` digits; its form must be the byte that the width asks for.
fn prefix(length: i64, width: usize) -> Checker {
    let mut cs = Cs::new(Mode::Check);
    let (en, length_lc) = (Lc::from(cs.one()), cs.constant(F::from(length)));
    let prefix = cs.scoped("test", |cs| length_prefix(cs, &en, &length_lc, width));
    let form = if width == 0 { F::from(length) } else { F::from(55 + width as u64) };
    cs.enforce_equal("test.form", prefix.form, cs.constant(form));
    Checker::new(&cs, vec![])
}

#[test]
fn accepts_exactly_one_width_for_each_length() {
    for length in (0..=2).chain(53..=58).chain(253..=258).chain([0xffff, 0x1_0000, 0x1_0001, 0xff_ffff]) {
        for w in 0..=3 {
            let accepted = prefix(length, w).failures().is_empty();
            assert_eq!(accepted, w == width(length as usize), "{length} in {w} digits");
        }
    }
    assert!(!prefix(0x100_0000, 3).failures().is_empty());
}

/// All digits that recompose to `length` with the higher ones near their borders: none is accepted but the bytes of the
/// length, or a top digit of 256, which no byte matches.
#[test]
fn rejects_digits_that_are_no_bytes() {
    let near = [-256i64, -2, -1, 0, 1, 2, 55, 56, 254, 255, 256, 257, 311, 312];
    for length in (-300..=300).step_by(50).chain([-65_536, -33, 0xffff, 0x1_0000, 0x1_0037, 0xff_ffff]) {
        for w in 1..=3 {
            let mut checker = prefix(length, w);
            let wires = checker.named("test.digit");
            for d1 in near.into_iter().filter(|&d| w > 1 || d == 0) {
                for d2 in near.into_iter().filter(|&d| w > 2 || d == 0) {
                    let digits = [length - 256 * d1 - 65_536 * d2, d1, d2];
                    let changes: Vec<_> =
                        wires.iter().copied().zip(digits.map(|d: i64| F::from(d))).collect();
                    let failed = checker.failures_with(&changes);
                    let byte = |d: i64| (0..256).contains(&d);
                    let (lower, top) = (&digits[..w - 1], digits[w - 1]);
                    let least = if w == 1 { 56 } else { 1 };
                    let fits = lower.iter().all(|&d| byte(d)) && byte(top - least);
                    assert_eq!(failed.is_empty(), fits, "{length} as {digits:?}: {failed:?}");
                    assert!(!fits || length >= 56, "a length below 56 as {digits:?}");
                }
            }
        }
    }
}
