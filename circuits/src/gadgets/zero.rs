//! Whether a value is zero, as a flag that the bus may carry.

use ark_ff::{Field, One, Zero};

use crate::{
    F,
    cs::{Cs, Lc, Wire},
};

/// Name of the inverse hint of [`is_zero`]. It is free where the value is zero: the second equation decides there.
pub const INVERSE: &str = "zero.hint.inverse";

/// A committed flag: 1 where the row is enabled and x = 0, else 0. Two constraints named `name`.
///
/// ```text
/// x · inverse = en − flag        a non-zero x of an enabled row could otherwise pass as zero, … (with the next)
/// x · flag    = 0                … and x = 0 forces flag = en by the first, x ≠ 0 forces flag = 0 by this
/// ```
/// Requires: `en` is boolean. The result is then boolean, and 0 in a disabled row.
pub fn is_zero(cs: &mut Cs, name: &'static str, en: &Lc, x: &Lc) -> Wire {
    let flag_value = if x.value().is_zero() { en.value() } else { F::zero() };
    let flag = cs.commit(name, flag_value);
    let inverse = cs.witness(INVERSE, x.value().inverse().unwrap_or_default() * (en.value() - flag_value));
    cs.enforce(name, inverse, x, en.clone() - flag);
    cs.enforce(name, x, flag, Lc::zero());
    flag
}

/// `name`: x ≠ 0 in an enabled row. One constraint: x · inverse = en.
pub fn enforce_nonzero(cs: &mut Cs, name: &'static str, en: &Lc, x: &Lc) {
    let inverse_value = if en.value().is_one() { x.value().inverse().unwrap_or_default() } else { F::zero() };
    let inverse = cs.witness(name, inverse_value);
    cs.enforce(name, inverse, x, en.clone());
}
