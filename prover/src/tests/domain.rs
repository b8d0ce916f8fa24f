//! Domains against their definition on every small size; keys and proofs at each boundary between kinds of domain.

use ark_ff::{FftField, Field, One, UniformRand, Zero};
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, SynthesisError, SynthesisMode};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use cairn_circuits::{
    cs::Mode,
    lookup::{argument, challenge::Challenges},
};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::{Example, Values, ark_accepts, example_of};
use crate::{
    Circuit, F, KeyFileError, Shape,
    circuit::Replay,
    domain::{Domain, size_for},
    prove,
    qap::{self, CommittedReduction, Evaluations, Unsatisfied},
    setup,
    setup::{Tape, evaluation_point},
    store,
    verify::{prepared_inputs, verify},
};

/// One size of each kind above the length that one thread transforms.
const LARGE: [usize; 3] = [1 << 14, 3 << 13, 9 << 13];

fn domain(size: usize) -> Domain {
    let domain = Domain::new(size).unwrap();
    assert_eq!(domain.size(), size);
    domain
}

/// A polynomial by Horner's rule.
fn at(coefficients: &[F], x: F) -> F {
    coefficients.iter().rev().fold(F::zero(), |sum, c| sum * x + c)
}

fn random(n: usize, seed: u64) -> Vec<F> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..n).map(|_| F::rand(&mut rng)).collect()
}

/// Sizes of all three kinds.
fn small_size() -> impl Strategy<Value = usize> {
    (prop::sample::select(vec![1usize, 3, 9]), 0u32..7).prop_map(|(m, k)| m << k)
}

/// Itself, the coset of proofs, and any other.
fn offset() -> impl Strategy<Value = F> {
    prop_oneof![Just(F::one()), Just(F::GENERATOR), (2u64..).prop_map(F::from)]
}

#[test]
fn the_size_is_the_smallest_of_the_three_kinds() {
    let of_a_kind = |n: usize| [1, 3, 9].contains(&(n >> n.trailing_zeros()));
    for rows in 1..5000 {
        assert_eq!(size_for(rows), (rows..).find(|n| of_a_kind(*n)), "{rows} rows");
    }
    assert_eq!(size_for(1 << 28), Some(1 << 28));
    assert_eq!(size_for((1 << 28) + 1), None);
    assert_eq!(size_for(usize::MAX), None);
    assert!(qap::domain(usize::MAX).is_none());
}

#[test]
fn the_points_are_the_roots_of_unity_of_that_order() {
    for size in (0..8).flat_map(|k| [1usize << k, 3 << k, 9 << k]) {
        let domain = domain(size);
        let points = domain.points();
        assert_eq!(points.len(), size);
        for (i, p) in points.iter().enumerate() {
            assert_eq!(p.pow([size as u64]), F::one());
            assert!(domain.vanishing(*p).is_zero());
            assert!(!points[..i].contains(p), "point {i} of {size} occurs twice");
            assert!(domain.lagrange(*p).is_none());
        }
        assert!(!domain.vanishing(F::GENERATOR).is_zero());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn prop_values_are_those_of_horners_rule(size in small_size(), g in offset(), seed: u64) {
        let domain = domain(size);
        let coefficients = random(size, seed);
        let mut values = coefficients.clone();
        domain.evaluate(g, &mut values);
        let expected: Vec<F> = domain.points().iter().map(|p| at(&coefficients, g * p)).collect();
        prop_assert_eq!(&values, &expected);

        domain.interpolate(g, &mut values);
        let n = F::from(size as u64);
        prop_assert_eq!(values, coefficients.iter().map(|c| n * c).collect::<Vec<_>>());
        prop_assert_eq!(n * domain.size_inverse(), F::one());
    }

    #[test]
    fn prop_lagrange_values_interpolate(size in small_size(), t in 2u64.., seed: u64) {
        let (domain, t) = (domain(size), F::from(t));
        let coefficients = random(size, seed);
        let values = domain.points().into_iter().map(|p| at(&coefficients, p));
        // No root of unity of so small an order is an integer below 2⁶⁴, save one.
        let lagrange = domain.lagrange(t).unwrap();
        let sum: F = lagrange.iter().zip(values).map(|(l, v)| *l * v).sum();
        prop_assert_eq!(sum, at(&coefficients, t));
    }
}

#[test]
fn large_transforms_agree_with_horners_rule_and_come_back() {
    for size in LARGE {
        let domain = domain(size);
        let points = domain.points();
        for g in [F::one(), F::GENERATOR] {
            let coefficients = random(size, size as u64);
            let mut values = coefficients.clone();
            domain.evaluate(g, &mut values);
            for i in [0, 1, 2, size / 9 + 1, size / 2 - 1, size / 2, size - 2, size - 1] {
                assert_eq!(values[i], at(&coefficients, g * points[i]), "value {i} of {size}");
            }
            domain.interpolate(g, &mut values);
            let scale = domain.size_inverse();
            assert!(values.iter().zip(&coefficients).all(|(v, c)| scale * v == *c), "{size}");
        }
    }
}

/// Domains of all kinds from 512 to 1024 points.
const SIZES: [usize; 4] = [512, 576, 768, 1024];

#[test]
fn the_domain_holds_constraints_and_four_consistency_rows() {
    for (constraints, size) in [(0, 4), (4, 8), (5, 9), (8, 12), (12, 16), (508, 512), (509, 576), (573, 768)]
    {
        assert_eq!(qap::domain(constraints).unwrap().size(), size);
        assert_eq!(qap::domain_size(constraints), Some(size));
    }
    assert!(qap::domain(1 << 28).is_none());
}

#[test]
fn accepts_proofs_at_every_boundary_between_domains() {
    for pair in SIZES.windows(2) {
        for (rows, size) in [(pair[0] - 1, pair[0]), (pair[0], pair[0]), (pair[0] + 1, pair[1])] {
            let circuit = example_of(rows);
            let key = setup(circuit.record(), &()).unwrap();
            assert_eq!(key.h.len(), size - 1, "powers of t up to degree n − 2 for {rows} rows");
            let proven = prove(&key, &circuit, &Values::honest(20, rows as u64)).unwrap();
            let (x, proof) = (proven.public_input, proven.proof);
            verify(&key.vk, x, &proof).unwrap();
            let inputs = prepared_inputs(&key.vk, x, &proof.d);
            assert!(ark_accepts(&key.vk, inputs, &proof));
            assert!(!ark_accepts(&key.vk, inputs + key.vk.ic[1], &proof));
        }
    }
}

#[test]
fn the_quotient_divides_exactly_when_satisfied() {
    for size in SIZES {
        let circuit = example_of(size);
        let mut cs = circuit.synthesize(Mode::Assign, Some(&Values::honest(20, 3)));
        argument::close(&mut cs, Challenges { rho: F::from(1u64 << 40), alpha: F::from(1u64 << 50) });
        let (circuit, z) = (circuit.record(), cs.assignment());
        let (m, shape) = (circuit.matrices(), circuit.shape());
        let domain = qap::domain(shape.constraints).unwrap();
        assert_eq!(domain.size(), size);
        Evaluations::new(&circuit, &z, size).check(m).unwrap();

        let x = F::from(123_456_789u64);
        let lagrange = domain.lagrange(x).unwrap();
        let column = |matrix| -> F {
            let rows = (0..shape.constraints).map(|i| m.dot(matrix, i, &z, shape.instance()));
            rows.zip(&lagrange).map(|(v, l)| v * l).sum()
        };
        // Consistency rows are zⱼ · 0 = 0 for the constant, x, ρ and α.
        let consistency: F = lagrange[shape.constraints..].iter().zip(&z).take(4).map(|(l, v)| *l * v).sum();
        let (a, b, c) = (column(&m.a) + consistency, column(&m.b), column(&m.c));
        let h = Evaluations::new(&circuit, &z, size).quotient(&domain);
        assert_eq!(h.len(), size - 1);
        assert_eq!(a * b - c, at(&h, x) * domain.vanishing(x));

        let mut broken = z.clone();
        *broken.last_mut().unwrap() += F::one();
        let found = Evaluations::new(&circuit, &broken, size).check(m);
        assert!(matches!(found, Err(Unsatisfied(i)) if i < shape.constraints));
        let h = Evaluations::new(&circuit, &broken, size).quotient(&domain);
        assert_ne!(a * b - c, at(&h, x) * domain.vanishing(x), "no quotient of a violated system fits");
    }
}

#[test]
fn rejects_a_key_file_of_another_domain() {
    // The circuit fixes how many points of h there are; a file with more or fewer is none of its keys.
    let dir = tempfile::tempdir().unwrap();
    let circuit: Example = example_of(576);
    let path = store::path(dir.path(), circuit.record().digest());
    for size in [512, 768] {
        let mut key = setup(circuit.record(), &()).unwrap();
        let point = key.h[0];
        key.h.resize(size - 1, point);
        store::save(&path, &key, &()).unwrap();
        let refused = store::load(&path, circuit.record(), &()).unwrap_err();
        assert!(matches!(refused, KeyFileError::Length { .. }), "{refused}");
        std::fs::remove_file(&path).unwrap();
    }
    let digests = SIZES.map(|size| example_of(size).record().digest());
    assert!(
        (1..SIZES.len()).all(|i| !digests[..i].contains(&digests[i])),
        "constraints are part of the digest"
    );
}

#[test]
fn rejects_a_point_of_a_key_in_the_domain() {
    let circuit = example_of(576).record();
    let map = |t: F| {
        let cs = ConstraintSystem::new_ref();
        cs.set_mode(SynthesisMode::Setup);
        Replay(&circuit).generate_constraints(cs.clone()).unwrap();
        cs.finalize();
        CommittedReduction::instance_map_with_evaluation::<F, GeneralEvaluationDomain<F>>(cs, &t)
    };
    let (.., zt, _, n) = map(F::from(2u64)).unwrap();
    assert_eq!((zt, n), (F::from(2u64).pow([576u64]) - F::one(), 576));
    // A point of order 576 is in no domain of a power of two.
    let point = F::get_root_of_unity(576).unwrap();
    assert_eq!(map(point), Err(SynthesisError::DivisionByZero));
}

#[test]
fn draws_the_point_of_a_key_again_if_it_is_in_the_domain() {
    let shape = Shape { constraints: 572, committed: 10, witness: 0 };
    let domain = qap::domain(shape.constraints).unwrap();
    assert_eq!(domain.size(), 576);
    let draw = |point: F| {
        // A field element is drawn as the four limbs of its Montgomery form.
        let words = Zeroizing::new(point.0.0.to_vec());
        evaluation_point(shape, &domain, Tape { words, at: 0 }).unwrap()
    };
    let outside = F::from(2u64);
    assert_eq!(draw(outside).0, outside);
    for point in domain.points() {
        let (t, mut tape) = draw(point);
        assert!(!domain.vanishing(t).is_zero());
        let generators_own = GeneralEvaluationDomain::<F>::new(582 + 4).unwrap();
        assert_eq!(generators_own.sample_element_outside_domain(&mut tape), t, "the tape repeats t");
    }
}
