//! Linear combinations of wires, carrying their value. In a values-only synthesis the list of terms stays empty.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign},
};

use ark_ff::{One, Zero};

use super::{Wire, WireId, matrix::Term};
use crate::F;

/// Σ cᵢ·wᵢ with its value. Terms may repeat a wire until the combination is stored.
#[derive(Clone, Debug, Default)]
pub struct Lc {
    terms: Vec<Term>,
    val: F,
}

impl Lc {
    /// The empty combination.
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    pub(crate) fn from_parts(terms: Vec<Term>, val: F) -> Self {
        Self { terms, val }
    }

    /// The value in this assignment.
    #[must_use]
    pub fn value(&self) -> F {
        self.val
    }

    /// The terms, unmerged.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// True if every wire in it is fixed before the challenges.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.terms.iter().all(|t| t.wire.is_committed())
    }

    /// Merged terms: each wire once, no zero coefficient, by position.
    #[must_use]
    pub fn into_terms(mut self) -> Vec<Term> {
        self.merge();
        self.terms
    }

    /// Merges terms of equal wires in place; worthwhile before a combination is used many times.
    pub fn merge(&mut self) {
        self.terms.sort_unstable_by_key(|t| t.wire);
        self.terms.dedup_by(|next, kept| {
            let same = next.wire == kept.wire;
            if same {
                kept.coeff += next.coeff;
            }
            same
        });
        self.terms.retain(|t| !t.coeff.is_zero());
    }

    /// Σ cᵢ·2^(shift·i)·wᵢ: recomposes little-endian limbs of `shift` bits.
    #[must_use]
    pub fn recompose<T: Into<Lc> + Clone>(limbs: &[T], shift: u32) -> Self {
        let base = crate::gadgets::pow2(shift);
        let mut coeff = F::one();
        let mut out = Self::zero();
        for limb in limbs {
            out += limb.clone().into() * coeff;
            coeff *= base;
        }
        out
    }
}

impl From<Wire> for Lc {
    fn from(w: Wire) -> Self {
        let terms =
            if w.id() == WireId::NONE { Vec::new() } else { vec![Term { wire: w.id(), coeff: F::one() }] };
        Self { terms, val: w.value() }
    }
}

impl From<&Lc> for Lc {
    fn from(lc: &Lc) -> Self {
        lc.clone()
    }
}

impl<T: Into<Lc>> Add<T> for Lc {
    type Output = Lc;
    fn add(mut self, rhs: T) -> Lc {
        self += rhs;
        self
    }
}

impl<T: Into<Lc>> AddAssign<T> for Lc {
    fn add_assign(&mut self, rhs: T) {
        let rhs = rhs.into();
        self.val += rhs.val;
        self.terms.extend_from_slice(&rhs.terms);
    }
}

impl<T: Into<Lc>> Sub<T> for Lc {
    type Output = Lc;
    fn sub(self, rhs: T) -> Lc {
        self + (-rhs.into())
    }
}

impl<T: Into<Lc>> SubAssign<T> for Lc {
    fn sub_assign(&mut self, rhs: T) {
        *self += -rhs.into();
    }
}

impl Neg for Lc {
    type Output = Lc;
    fn neg(mut self) -> Lc {
        self.val = -self.val;
        for t in &mut self.terms {
            t.coeff = -t.coeff;
        }
        self
    }
}

impl Mul<F> for Lc {
    type Output = Lc;
    fn mul(mut self, c: F) -> Lc {
        self.val *= c;
        for t in &mut self.terms {
            t.coeff *= c;
        }
        self
    }
}

impl Mul<u64> for Lc {
    type Output = Lc;
    fn mul(self, c: u64) -> Lc {
        self * F::from(c)
    }
}

impl Sum for Lc {
    fn sum<I: Iterator<Item = Lc>>(iter: I) -> Lc {
        iter.fold(Lc::zero(), |acc, lc| acc + lc)
    }
}
