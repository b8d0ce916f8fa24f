//! The reduction from R1CS to a quadratic arithmetic program (QAP), over a domain of the constraints and [`NUM_PUBLIC`]
//! consistency rows. Not here: the domain and its transforms (`domain`).
//!
//! libsnark's reduction adds a row zⱼ · 0 = 0 for every instance variable j. Ours adds it for the constant, x, ρ and α only:
//! committed wires are instance variables to ark-groth16, but a row for each would double the domain.
//!
//! # Soundness
//!
//! The rows make u₀ … u₃ independent of all other columns, so that x, ρ and α in the verifier's equation cannot be traded
//! against each other or against committed wires. Committed wires need no such row: what the prover knows of D is a vector
//! d with D = Σ dⱼ·Kⱼ/γ, and two vectors of the same D differ by a combination whose columns vanish in A, B and C at once,
//! so that both satisfy the same constraints, those of the lookup argument among them (docs/adr/0001).

use ark_ff::{FftField, Field, One, PrimeField, Zero};
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{
    ConstraintSystemRef, Matrix as ArkMatrix, R1CS_PREDICATE_LABEL, Result as ArkResult, SynthesisError,
};
use cairn_circuits::{
    F,
    cs::{Matrices, Matrix, NUM_PUBLIC},
};
use rayon::prelude::*;

use crate::{
    circuit::Recorded,
    domain::{self, Domain},
};

const ROWS: usize = NUM_PUBLIC as usize;

/// libsnark's reduction with consistency rows for the first [`NUM_PUBLIC`] instance variables only.
pub struct CommittedReduction;

impl R1CSToQAP for CommittedReduction {
    /// Reads the constraints one by one: `to_matrices` would copy them all, at 40 bytes a term.
    ///
    /// The generator's own domain `D` has a row for every instance variable and a power of two of rows; ours replaces it.
    /// All that the generator takes from a domain is what this function returns (the columns at t, tⁿ − 1, n) and t itself,
    /// which it samples outside `D` but not outside ours: [`mod@crate::setup`] sees to that, and t inside is an error here.
    fn instance_map_with_evaluation<P: PrimeField, D: EvaluationDomain<P>>(
        cs: ConstraintSystemRef<P>,
        t: &P,
    ) -> ArkResult<(Vec<P>, Vec<P>, Vec<P>, P, usize, usize)> {
        let cs = cs.borrow().ok_or(SynthesisError::MissingCS)?;
        let (num_constraints, num_instance) = (cs.num_constraints(), cs.num_instance_variables());
        let domain =
            Domain::<P>::new(num_constraints + ROWS).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let zt = domain.vanishing(*t);
        let u = domain.lagrange(*t).ok_or(SynthesisError::DivisionByZero)?;

        let num_variables = cs.num_variables();
        let predicate = cs
            .predicate_constraint_systems
            .get(R1CS_PREDICATE_LABEL)
            .ok_or(SynthesisError::PredicateNotFound)?;
        let mut columns: Vec<Vec<P>> = predicate
            .get_constraints()
            .iter()
            .map(|rows| {
                let mut column = vec![P::zero(); num_variables];
                for (lc, u) in rows.iter().zip(&u) {
                    for (coeff, variable) in cs.get_lc(*lc).0 {
                        if let Some(index) = variable.get_variable_index(num_instance) {
                            column[index] += coeff * u;
                        }
                    }
                }
                column
            })
            .collect();
        let (Some(c), Some(b), Some(mut a)) = (columns.pop(), columns.pop(), columns.pop()) else {
            return Err(SynthesisError::PredicateNotFound);
        };
        for (column, u) in a.iter_mut().zip(&u[num_constraints..]).take(ROWS) {
            *column += u;
        }
        Ok((a, b, c, zt, num_variables - 1, domain.size()))
    }

    /// ark's own prover is not used: it would synthesise before the challenges exist. See [`Evaluations::quotient`].
    fn witness_map_from_matrices<P: PrimeField, D: EvaluationDomain<P>>(
        _: &[ArkMatrix<P>],
        _: usize,
        _: usize,
        _: &[P],
    ) -> ArkResult<Vec<P>> {
        Err(SynthesisError::Unsatisfiable)
    }

    fn h_query_scalars<P: PrimeField, D: EvaluationDomain<P>>(
        max_power: usize,
        t: P,
        zt: P,
        delta_inverse: P,
    ) -> ArkResult<Vec<P>> {
        let first = zt * delta_inverse;
        Ok(std::iter::successors(Some(first), |s| Some(*s * t)).take(max_power).collect())
    }
}

/// The domain of a circuit, a function of the number of its constraints alone; `None` if there is none of that size.
#[must_use]
pub fn domain(constraints: usize) -> Option<Domain> {
    Domain::new(constraints.checked_add(ROWS)?)
}

/// The size of [`domain()`].
#[must_use]
pub fn domain_size(constraints: usize) -> Option<usize> {
    domain::size_for(constraints.checked_add(ROWS)?)
}

/// For the committed wires: β·uⱼ(t) + α·vⱼ(t) + wⱼ(t), the discrete logarithm of Kⱼ. No committed wire has a consistency row.
/// `lagrange` has the values at t for each point of the circuit's domain.
pub(crate) fn committed_scalars(circuit: &Recorded, lagrange: &[F], alpha: F, beta: F) -> Vec<F> {
    let (m, shape) = (circuit.matrices(), circuit.shape());
    let columns = |matrix: &Matrix| {
        let mut sums = vec![F::zero(); shape.committed];
        for (i, u) in lagrange.iter().enumerate().take(shape.constraints) {
            for (wire, c) in matrix.row(i) {
                if let Some(j) = wire.instance_index().and_then(|j| j.checked_sub(NUM_PUBLIC)) {
                    sums[j as usize] += m.coeffs[c as usize] * u;
                }
            }
        }
        sums
    };
    let (a, (b, c)) = rayon::join(|| columns(&m.a), || rayon::join(|| columns(&m.b), || columns(&m.c)));
    a.iter().zip(&b).zip(&c).map(|((a, b), c)| beta * a + alpha * b + c).collect()
}

/// A constraint that an assignment does not satisfy, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsatisfied(pub usize);

/// Values of A·z, B·z and C·z on the domain, consistency rows included.
pub struct Evaluations {
    a: Vec<F>,
    b: Vec<F>,
    c: Vec<F>,
}

/// A coefficient, by the cost of a product with it: most are ±1 and need no multiplication.
enum Coefficient {
    One,
    MinusOne,
    Other(F),
}

impl Evaluations {
    /// Evaluates the matrices at the assignment `z`.
    #[must_use]
    pub fn new(circuit: &Recorded, z: &[F], size: usize) -> Self {
        let (m, shape) = (circuit.matrices(), circuit.shape());
        let kinds: Vec<_> = m.coeffs.iter().map(Coefficient::new).collect();
        let eval = |matrix: &Matrix| {
            let mut out = vec![F::zero(); size];
            out[..shape.constraints].par_iter_mut().with_min_len(1024).enumerate().for_each(|(i, sum)| {
                for (wire, c) in matrix.row(i) {
                    let value = &z[wire.column(shape.instance())];
                    match &kinds[c as usize] {
                        Coefficient::One => *sum += value,
                        Coefficient::MinusOne => *sum -= value,
                        Coefficient::Other(coeff) => *sum += *value * coeff,
                    }
                }
            });
            out
        };
        let (mut a, b, c) = (eval(&m.a), eval(&m.b), eval(&m.c));
        a[shape.constraints..shape.constraints + ROWS].copy_from_slice(&z[..ROWS]);
        Self { a, b, c }
    }

    /// The first row where a·b ≠ c.
    pub fn check(&self, matrices: &Matrices) -> Result<(), Unsatisfied> {
        let rows = 0..matrices.num_constraints();
        match rows.into_par_iter().find_first(|&i| self.a[i] * self.b[i] != self.c[i]) {
            Some(i) => Err(Unsatisfied(i)),
            None => Ok(()),
        }
    }

    /// Coefficients of h = (a·b − c)/(Xⁿ − 1), the last (zero) one left out.
    ///
    /// On a coset g·H the divisor is the constant gⁿ − 1, which is not zero for a generator g of the field's units and any n.
    /// The product needs that coset, its degree being above n; c does not, so it is subtracted by coefficients: six transforms
    /// instead of seven.
    #[must_use]
    pub fn quotient(self, domain: &Domain) -> Vec<F> {
        let Self { mut a, mut b, mut c } = self;
        let g = F::GENERATOR;
        for column in [&mut a, &mut b] {
            domain.interpolate(F::ONE, column);
            domain.evaluate(g, column);
        }
        a.par_iter_mut().zip(&b).with_min_len(1024).for_each(|(a, b)| *a *= b);
        drop(b);
        domain.interpolate(g, &mut a);
        domain.interpolate(F::ONE, &mut c);
        // Every interpolation has left a factor n: a·b carries three of them, c one.
        #[expect(clippy::expect_used, reason = "a generator of the units is in no proper subgroup")]
        let for_c = domain.vanishing(g).inverse().expect("gⁿ ≠ 1") * domain.size_inverse();
        let for_ab = for_c * domain.size_inverse().square();
        a.par_iter_mut().zip(&c).with_min_len(1024).for_each(|(a, c)| *a = *a * for_ab - for_c * c);
        a.truncate(domain.size() - 1);
        a
    }
}

impl Coefficient {
    fn new(c: &F) -> Self {
        if c.is_one() {
            Self::One
        } else if (-*c).is_one() {
            Self::MinusOne
        } else {
            Self::Other(*c)
        }
    }
}
