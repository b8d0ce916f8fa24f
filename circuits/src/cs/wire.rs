//! A wire: its position and its value.

use std::ops::{Add, Mul, Neg, Sub};

use super::{ALPHA, Lc, RHO};
use crate::F;

const WITNESS_BIT: u32 = 1 << 31;

/// Position of a wire: in the instance or in the witness, or nowhere (values-only synthesis).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireId(u32);

impl WireId {
    /// A wire of a synthesis that stores no linear combinations.
    pub const NONE: Self = Self(u32::MAX);

    pub(crate) const fn instance(i: u32) -> Self {
        Self(i)
    }

    pub(crate) const fn witness(i: u32) -> Self {
        Self(i | WITNESS_BIT)
    }

    /// Position in the instance, if it is there.
    #[must_use]
    pub fn instance_index(self) -> Option<u32> {
        (self.0 & WITNESS_BIT == 0).then_some(self.0)
    }

    /// Position in the witness, if it is there.
    #[must_use]
    pub fn witness_index(self) -> Option<u32> {
        (self != Self::NONE && self.0 & WITNESS_BIT != 0).then_some(self.0 & !WITNESS_BIT)
    }

    /// Column in the matrices, the witness following `num_instance` instance wires.
    #[must_use]
    pub fn column(self, num_instance: usize) -> usize {
        match self.witness_index() {
            Some(i) => num_instance + i as usize,
            None => self.0 as usize,
        }
    }

    /// True if the value is fixed before the challenges: constant, public input or committed.
    #[must_use]
    pub fn is_committed(self) -> bool {
        self.instance_index().is_some_and(|i| i != RHO && i != ALPHA)
    }
}

/// A wire with its value.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    id: WireId,
    val: F,
}

impl Wire {
    pub(crate) fn new(id: WireId, val: F) -> Self {
        Self { id, val }
    }

    /// Its position.
    #[must_use]
    pub fn id(self) -> WireId {
        self.id
    }

    /// Its value in this assignment.
    #[must_use]
    pub fn value(self) -> F {
        self.val
    }
}

impl<T: Into<Lc>> Add<T> for Wire {
    type Output = Lc;
    fn add(self, rhs: T) -> Lc {
        Lc::from(self) + rhs
    }
}

impl<T: Into<Lc>> Sub<T> for Wire {
    type Output = Lc;
    fn sub(self, rhs: T) -> Lc {
        Lc::from(self) - rhs
    }
}

impl Mul<F> for Wire {
    type Output = Lc;
    fn mul(self, c: F) -> Lc {
        Lc::from(self) * c
    }
}

impl Mul<u64> for Wire {
    type Output = Lc;
    fn mul(self, c: u64) -> Lc {
        Lc::from(self) * F::from(c)
    }
}

impl Neg for Wire {
    type Output = Lc;
    fn neg(self) -> Lc {
        -Lc::from(self)
    }
}
