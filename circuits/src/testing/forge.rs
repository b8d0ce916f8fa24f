//! A forger's own generator: after a synthesis of forged values, whose hints are recomputed by the machine's own code, he
//! chooses the remaining hints himself so that every constraint but the one under attack holds.

use ark_ff::{BigInteger, PrimeField};

use super::Checker;
use crate::{
    F,
    cs::WireId,
    gadgets::{pow2, range::LIMB_BITS},
};

impl Checker {
    /// Changes wires for good.
    pub fn change(&mut self, changes: &[(WireId, F)]) {
        self.set(changes);
        self.balance.clear();
        for i in 0..self.interactions.len() {
            let (key, m) = self.evaluate(i);
            *self.balance.entry(key).or_default() += m;
        }
    }

    /// Gives `wire` the value that makes the `nth` constraint named `name` hold, which must be linear in it. A constraint that
    /// holds whatever the wire is, because it was weakened, leaves it as it is.
    ///
    /// # Panics
    /// If there is no such constraint or it does not determine the wire.
    pub fn solve(&mut self, name: &str, nth: usize, wire: WireId) {
        let of_name = |(i, c): (usize, &crate::cs::Constraint)| (c.name == name).then_some(i);
        let i = self.constraints.iter().enumerate().filter_map(of_name).nth(nth).expect("a constraint");
        let before = self.value(wire);
        let mut residual = |value: u64| {
            self.set(&[(wire, F::from(value))]);
            let c = &self.constraints[i];
            self.dot(&c.a) * self.dot(&c.b) - self.dot(&c.c)
        };
        let [at_0, at_1, at_2] = [0, 1, 2].map(&mut residual);
        if [at_0, at_1, at_2] == [F::from(0u64); 3] {
            self.change(&[(wire, before)]);
            return;
        }
        assert!(at_2 - at_1 == at_1 - at_0 && at_1 != at_0, "{name} is not linear in the wire");
        self.change(&[(wire, -at_0 / (at_1 - at_0))]);
    }

    /// Gives a signed integer, committed as `limbs` by [`crate::gadgets::range::signed`], the value that makes the `nth`
    /// constraint named `name` hold. What does not fit the limbs goes into the lowest, out of range.
    ///
    /// # Panics
    /// As [`Self::solve`].
    pub fn solve_signed(&mut self, name: &str, nth: usize, limbs: &[WireId]) {
        self.solve(name, nth, limbs[0]);
        let n = limbs.len() as u32;
        let total: F = (0u32..).zip(limbs).map(|(i, id)| self.value(*id) * pow2(LIMB_BITS * i)).sum();
        if total.into_bigint().num_bits() <= LIMB_BITS * n {
            self.set_signed(limbs, total - pow2(LIMB_BITS * n - 1));
        }
    }

    /// Gives a signed integer, committed as `limbs` by [`crate::gadgets::range::signed`], a value in its range.
    pub fn set_signed(&mut self, limbs: &[WireId], value: F) {
        let n = limbs.len() as u32;
        self.set_limbs(limbs, value + pow2(LIMB_BITS * n - 1));
    }

    /// Gives an unsigned integer its limbs.
    ///
    /// # Panics
    /// If it does not fit.
    pub fn set_limbs(&mut self, limbs: &[WireId], value: F) {
        let value = value.into_bigint();
        assert!(value.num_bits() <= LIMB_BITS * limbs.len() as u32, "the value does not fit its limbs");
        let limb =
            |i: usize| F::from(value.0.get(i / 4).copied().unwrap_or_default() >> (16 * (i % 4)) & 0xffff);
        let changes: Vec<_> = limbs.iter().enumerate().map(|(i, id)| (*id, limb(i))).collect();
        self.change(&changes);
    }

    /// The name of the only thing that fails.
    ///
    /// # Panics
    /// If nothing fails, or more.
    #[must_use]
    pub fn only_failure(&self) -> &'static str {
        let failures = self.failures();
        assert!(failures.len() == 1, "not one failure: {failures:?}");
        failures.into_iter().next().unwrap_or_default()
    }
}
