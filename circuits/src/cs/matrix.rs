//! The three R1CS matrices in compressed sparse row form, coefficients interned (few are distinct).

use std::collections::HashMap;

use ark_ff::{One, Zero};

use super::{Constraint, WireId};
use crate::F;

/// One coefficient of a linear combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    pub wire: WireId,
    pub coeff: F,
}

/// One matrix: row i has the terms `row_starts[i] .. row_starts[i + 1]`.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    pub row_starts: Vec<u32>,
    pub wires: Vec<WireId>,
    /// Index into [`Matrices::coeffs`].
    pub coeffs: Vec<u32>,
}

impl Matrix {
    fn push(&mut self, terms: &[Term], intern: &mut impl FnMut(F) -> u32) {
        if self.row_starts.is_empty() {
            self.row_starts.push(0);
        }
        for t in terms {
            self.wires.push(t.wire);
            self.coeffs.push(intern(t.coeff));
        }
        #[expect(clippy::expect_used, reason = "2³² terms do not fit in memory")]
        self.row_starts.push(u32::try_from(self.wires.len()).expect("fewer than 2³² terms"));
    }

    /// The terms of row `i` as (wire, index of coefficient).
    pub fn row(&self, i: usize) -> impl Iterator<Item = (WireId, u32)> + '_ {
        let range = self.row_starts[i] as usize..self.row_starts[i + 1] as usize;
        self.wires[range.clone()].iter().copied().zip(self.coeffs[range].iter().copied())
    }
}

/// A, B, C with the names of the rows.
#[derive(Clone, Debug, Default)]
pub struct Matrices {
    pub a: Matrix,
    pub b: Matrix,
    pub c: Matrix,
    pub names: Vec<&'static str>,
    /// Distinct coefficients.
    pub coeffs: Vec<F>,
    interned: HashMap<F, u32>,
}

impl Matrices {
    /// Number of constraints.
    #[must_use]
    pub fn num_constraints(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn push(&mut self, name: &'static str, a: Vec<Term>, b: Vec<Term>, c: Vec<Term>) {
        let Self { coeffs, interned, .. } = self;
        let mut intern = |f: F| {
            *interned.entry(f).or_insert_with(|| {
                coeffs.push(f);
                #[expect(clippy::expect_used, reason = "2³² coefficients do not fit in memory")]
                u32::try_from(coeffs.len() - 1).expect("fewer than 2³² coefficients")
            })
        };
        self.a.push(&a, &mut intern);
        self.b.push(&b, &mut intern);
        self.c.push(&c, &mut intern);
        self.names.push(name);
    }

    /// Row `i` with its coefficients.
    #[must_use]
    pub fn constraint(&self, i: usize) -> Constraint {
        let row = |m: &Matrix| {
            m.row(i).map(|(wire, c)| Term { wire, coeff: self.coeffs[c as usize] }).collect::<Vec<_>>()
        };
        Constraint { name: self.names[i], a: row(&self.a), b: row(&self.b), c: row(&self.c) }
    }

    /// ⟨row i of m, z⟩, `z` being instance then witness.
    #[must_use]
    pub fn dot(&self, m: &Matrix, i: usize, z: &[F], num_instance: usize) -> F {
        let mut sum = F::zero();
        for (wire, c) in m.row(i) {
            let coeff = self.coeffs[c as usize];
            let val = z[wire.column(num_instance)];
            if coeff.is_one() {
                sum += val;
            } else {
                sum += val * coeff;
            }
        }
        sum
    }

    /// Names and rows of all constraints that `z` does not satisfy.
    #[must_use]
    pub fn failures(&self, z: &[F], num_instance: usize) -> Vec<(usize, &'static str)> {
        (0..self.num_constraints())
            .filter(|&i| {
                self.dot(&self.a, i, z, num_instance) * self.dot(&self.b, i, z, num_instance)
                    != self.dot(&self.c, i, z, num_instance)
            })
            .map(|i| (i, self.names[i]))
            .collect()
    }
}
