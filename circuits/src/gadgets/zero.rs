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
/// x · inverse = en − flag        x = 0 forces flag = en
/// x · flag    = 0                x ≠ 0 forces flag = 0
/// ```
/// Requires: `en` is boolean. The result is then boolean, and 0 in a disabled row.
pub fn is_zero(cs: &mut Cs, name: &'static str, en: &Lc, x: &Lc) -> Wire {
    let flag_value = if x.value().is_zero() { en.value() } else { F::zero() };
    let flag = cs.commit(name, flag_value);
    let inverse = cs.witness(INVERSE, x.value().inverse().unwrap_or_default() * (en.value() - flag_value));
    cs.enforce(name, x, inverse, en.clone() - flag);
    cs.enforce(name, x, flag, Lc::zero());
    flag
}

/// `name`: x ≠ 0 in the circuit's field, in an enabled row. One constraint: x · inverse = en.
pub fn enforce_nonzero(cs: &mut Cs, name: &'static str, en: impl Into<Lc> + Copy, x: impl Into<Lc>) {
    let (en, x) = (en.into(), x.into());
    let inverse_value = if en.value().is_one() { x.value().inverse().unwrap_or_default() } else { F::zero() };
    let inverse = cs.witness(name, inverse_value);
    cs.enforce(name, x, inverse, en);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cs::Mode, testing::Checker};

    fn checker(build: impl FnOnce(&mut Cs, &Lc)) -> Checker {
        let mut cs = Cs::new(Mode::Check);
        let en = cs.one().into();
        build(&mut cs, &en);
        Checker::new(&cs, vec![])
    }

    /// The flag and its inverse hint as the forger likes: the first equation refuses him where x = 0, the second elsewhere.
    #[test]
    fn rejects_the_other_flag() {
        for x in [F::zero(), F::one(), -F::from(7u64)] {
            let mut c = checker(|cs, en| {
                let x = cs.constant(x);
                let _ = is_zero(cs, "test.zero", en, &x);
            });
            assert!(c.failures().is_empty());
            let (flag, inverse) = (c.named("test.zero")[0], c.named(INVERSE)[0]);
            let other = F::one() - c.value(flag);
            // x · inverse = 1 − flag has a solution unless x = 0 and the flag is 0.
            let hint = x.inverse().unwrap_or_default() * (F::one() - other);
            assert!(c.failures_with(&[(flag, other), (inverse, hint)]).contains("test.zero"));
        }
    }

    #[test]
    fn rejects_zero_as_not_zero() {
        for (x, fails) in [(F::zero(), true), (F::one(), false), (-F::one(), false)] {
            let c = checker(|cs, en| {
                let x = cs.constant(x);
                enforce_nonzero(cs, "test.nonzero", en, x);
            });
            assert_eq!(c.failures().contains("test.nonzero"), fails);
        }
    }
}
