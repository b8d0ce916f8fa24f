//! Honest proofs are accepted; then everything a cheating prover may try.

use ark_bn254::{Bn254, Fq, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::{Groth16, prepare_verifying_key};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use cairn_circuits::{
    cs::Mode,
    lookup::{argument, challenge::Challenges},
};

use super::{EXAMPLE, Values, ark_accepts, forge, honest, key};
use crate::{
    Circuit, F, ProveError, VerifyError,
    commit::{challenges, commit},
    export::{DecodeError, Proof, ProofPoint},
    prove,
    verify::{prepared_inputs, verify, verify_batch},
};

#[test]
fn accepts_an_honest_proof_and_so_does_ark() {
    let (x, proof) = honest(1);
    let vk = &key().vk;
    verify(vk, x, &proof).unwrap();
    verify_batch(vk, &[(x, proof)]).unwrap();

    let ch = challenges(vk.digest(), x, &proof.d);
    let prepared = prepare_verifying_key(&vk.to_ark());
    let inputs = Groth16::<Bn254>::prepare_inputs(&prepared, &[x, ch.rho, ch.alpha]).unwrap() + proof.d;
    assert!(ark_accepts(vk, inputs, &proof));
    assert_eq!(inputs, prepared_inputs(vk, x, &proof.d));
    assert!(!ark_accepts(vk, inputs + vk.ic[1], &proof));
}

#[test]
fn proofs_of_one_witness_differ_but_their_commitments_do_not() {
    let ((_, one), (_, two)) = (honest(2), honest(2));
    assert_ne!(one.a, two.a);
    assert_eq!(one.d, two.d);
}

#[test]
fn rejects_every_altered_part() {
    let ((x, proof), (other_x, other)) = (honest(3), honest(4));
    let vk = &key().vk;
    verify(vk, x, &proof).unwrap();
    for wrong in [x + F::one(), F::zero(), -x, other_x] {
        assert_eq!(verify(vk, wrong, &proof), Err(VerifyError::Rejected));
    }
    let g1 = G1Affine::generator();
    let g2 = G2Affine::generator();
    let rejected = Err(VerifyError::Rejected);
    let knowledge = Err(VerifyError::Knowledge);
    for p in [-proof.a, other.a, proof.c, g1, (proof.a + g1).into_affine()] {
        assert_eq!(verify(vk, x, &Proof { a: p, ..proof }), rejected);
    }
    for p in [-proof.b, other.b, g2] {
        assert_eq!(verify(vk, x, &Proof { b: p, ..proof }), rejected);
    }
    for p in [-proof.c, other.c, proof.a, g1] {
        assert_eq!(verify(vk, x, &Proof { c: p, ..proof }), rejected);
    }
    for p in [-proof.d, other.d, proof.d_pok, g1] {
        assert_eq!(verify(vk, x, &Proof { d: p, ..proof }), knowledge);
    }
    for p in [-proof.d_pok, other.d_pok, proof.d, g1, G1Affine::identity()] {
        assert_eq!(verify(vk, x, &Proof { d_pok: p, ..proof }), knowledge);
    }
    // A commitment that someone knows, but not the one of this proof.
    assert_eq!(verify(vk, x, &Proof { d: other.d, d_pok: other.d_pok, ..proof }), rejected);
    assert_eq!(verify(vk, other_x, &Proof { d: other.d, d_pok: other.d_pok, ..proof }), rejected);
}

#[test]
fn rejects_points_that_no_proof_may_have() {
    let (x, proof) = honest(5);
    let vk = &key().vk;
    let zero = G1Affine::identity();
    let at = |point| Err(VerifyError::Point { index: 0, source: DecodeError::AtInfinity { point } });
    assert_eq!(verify(vk, x, &Proof { a: zero, ..proof }), at(ProofPoint::A));
    assert_eq!(verify(vk, x, &Proof { b: G2Affine::identity(), ..proof }), at(ProofPoint::B));
    assert_eq!(verify(vk, x, &Proof { c: zero, ..proof }), at(ProofPoint::C));
    assert_eq!(verify(vk, x, &Proof { d: zero, ..proof }), at(ProofPoint::D));
    assert_eq!(verify(vk, x, &Proof { d: zero, d_pok: zero, ..proof }), at(ProofPoint::D));
    let off = G1Affine::new_unchecked(proof.a.x, proof.a.y + Fq::one());
    let not_on = |point| Err(VerifyError::Point { index: 0, source: DecodeError::NotOnCurve { point } });
    assert_eq!(verify(vk, x, &Proof { a: off, ..proof }), not_on(ProofPoint::A));
    assert_eq!(verify(vk, x, &Proof { d_pok: off, ..proof }), not_on(ProofPoint::DPok));
    let mut rng = StdRng::seed_from_u64(5);
    let outside =
        std::iter::repeat_with(|| G2Affine::get_point_from_x_unchecked(ark_bn254::Fq2::rand(&mut rng), true));
    let outside = outside.flatten().find(|p| !p.is_in_correct_subgroup_assuming_on_curve()).unwrap();
    let source = DecodeError::NotInSubgroup { point: ProofPoint::B };
    assert_eq!(verify(vk, x, &Proof { b: outside, ..proof }), Err(VerifyError::Point { index: 0, source }));
}

#[test]
fn rejects_challenges_that_do_not_come_from_the_commitment() {
    // With α = 0 tuples are told apart by their first element only: what is sent need not be what is received.
    let vk = &key().vk;
    let mut values = Values::honest(20, 6);
    values.received[3] += 1;
    let x = values.public_input();
    for own in [
        Challenges { rho: F::from(1u64 << 40), alpha: F::zero() },
        Challenges { rho: F::from(9u64), alpha: F::one() },
    ] {
        let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&values));
        let c = commit(key(), cs.committed());
        argument::close(&mut cs, own);
        let proof = forge(&cs, c.d, c.d_pok);
        let inputs = vk.ic[1] * x + vk.ic[2] * own.rho + vk.ic[3] * own.alpha + vk.ic[0] + c.d;
        assert_eq!(
            ark_accepts(vk, inputs, &proof),
            own.alpha.is_zero(),
            "the equation alone does not stop him"
        );
        assert_eq!(verify(vk, x, &proof), Err(VerifyError::Rejected));
    }
}

#[test]
fn rejects_a_commitment_adapted_to_known_challenges() {
    // Challenges are drawn from an honest commitment; then the values change, and with them D.
    let vk = &key().vk;
    let cs = EXAMPLE.synthesize(Mode::Assign, Some(&Values::honest(20, 7)));
    let before = commit(key(), cs.committed());
    let mut unbalanced = Values::honest(20, 7);
    unbalanced.received[3] += 1;
    let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&unbalanced));
    let after = commit(key(), cs.committed());
    argument::close(&mut cs, challenges(vk.digest(), unbalanced.public_input(), &before.d));
    for c in [&before, &after] {
        let proof = forge(&cs, c.d, c.d_pok);
        assert_eq!(verify(vk, unbalanced.public_input(), &proof), Err(VerifyError::Rejected));
    }
}

#[test]
fn rejects_a_public_input_traded_against_the_commitment() {
    // D + (x − x′)·IC₁ makes the first equation hold for any x′: only the proof of knowledge is in the way, there being
    // no multiple of IC₁ by σ.
    let vk = &key().vk;
    let values = Values::honest(20, 12);
    let (x, claimed) = (values.public_input(), F::from(5u64));
    let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&values));
    let c = commit(key(), cs.committed());
    let d = (vk.ic[1] * (x - claimed) + c.d).into_affine();
    argument::close(&mut cs, challenges(vk.digest(), claimed, &d));
    for d_pok in [c.d_pok, (vk.ic[1] * (x - claimed) + c.d_pok).into_affine()] {
        let proof = forge(&cs, d, d_pok);
        assert!(
            ark_accepts(vk, prepared_inputs(vk, claimed, &d), &proof),
            "the equation alone does not stop him"
        );
        assert_eq!(verify(vk, claimed, &proof), Err(VerifyError::Knowledge));
        assert_eq!(verify_batch(vk, &[(claimed, proof)]), Err(VerifyError::Rejected));
    }
}

#[test]
fn rejects_unbalanced_buses_and_values_out_of_range() {
    let vk = &key().vk;
    let mut unbalanced = Values::honest(20, 8);
    unbalanced.received[11] += 1;
    let mut out_of_range = Values::honest(20, 8);
    out_of_range.sent[2] = 256;
    out_of_range.received[2] = 256;
    for values in [unbalanced, out_of_range] {
        let refused = prove(key(), &EXAMPLE, &values).unwrap_err();
        assert!(matches!(refused, ProveError::Unsatisfied { name: "bus.sum", .. }), "{refused:?}");

        let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&values));
        let c = commit(key(), cs.committed());
        let x = values.public_input();
        argument::close(&mut cs, challenges(vk.digest(), x, &c.d));
        assert_eq!(verify(vk, x, &forge(&cs, c.d, c.d_pok)), Err(VerifyError::Rejected));
    }
}

#[test]
fn batches_accept_good_proofs_and_reject_one_bad_one() {
    let vk = &key().vk;
    let good: Vec<_> = (20..24).map(honest).collect();
    verify_batch(vk, &good).unwrap();
    assert_eq!(verify_batch(vk, &[]), Err(VerifyError::NoProofs));
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i].0 += F::one();
        assert_eq!(verify_batch(vk, &bad), Err(VerifyError::Rejected));
        let mut bad = good.clone();
        bad[i].1.d_pok = (bad[i].1.d_pok + G1Affine::generator()).into_affine();
        assert_eq!(verify_batch(vk, &bad), Err(VerifyError::Rejected));
        let mut bad = good.clone();
        bad[i].1.c = G1Affine::identity();
        let source = DecodeError::AtInfinity { point: ProofPoint::C };
        assert_eq!(verify_batch(vk, &bad), Err(VerifyError::Point { index: i, source }));
    }
    // Errors that cancel in a plain product.
    let mut bad = good.clone();
    let shift = G1Affine::generator();
    bad[1].1.c = (bad[1].1.c + shift).into_affine();
    bad[2].1.c = (bad[2].1.c - shift).into_affine();
    assert_eq!(verify_batch(vk, &bad), Err(VerifyError::Rejected));
    let mut swapped = good.clone();
    (swapped[0].1, swapped[1].1) = (good[1].1, good[0].1);
    assert_eq!(verify_batch(vk, &swapped), Err(VerifyError::Rejected));
}
