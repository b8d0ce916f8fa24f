//! End to end on a small circuit with range lookups, tuples, products and a public input; then everything a cheating
//! prover may try on it.

use std::{
    fs,
    sync::{Mutex, OnceLock},
};

use alloy_primitives::{B256, U256, keccak256};
use ark_bn254::{Bn254, Fq, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{BigInt, One, PrimeField, UniformRand, Zero};
use ark_groth16::{Groth16, Proof as ArkProof, prepare_verifying_key};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use cairn_circuits::{
    cs::{Cs, Lc, Mode, NUM_PUBLIC, Wire},
    lookup::{
        argument,
        bus::{BatchByte, Bus},
        challenge::Challenges,
        tables,
    },
};

use crate::{
    Circuit, F, KeyFileError, Phase, ProveError, ProveStats, ProvingKey, VerifyError,
    commit::{challenges, commit},
    export::{DecodeError, PROOF_BYTES, PROOF_WORDS, Proof, ProofPoint, word},
    keys::{KeyDefect, VerifyingKey},
    load_or_setup, prove,
    prove::{combine, finish},
    qap::{self, CommittedReduction, Evaluations},
    setup,
    setup::Observer,
    store,
    verify::{prepared_inputs, verify, verify_batch},
};

mod domain;

/// Bytes vᵢ, each in range, sent as (i, vᵢ) and received as (i, uᵢ); x = Σ vᵢ². `idle` committed wires are in no lookup.
#[derive(Clone, Copy)]
struct Example {
    rows: usize,
    idle: usize,
    /// Further products, to reach a size of the domain.
    padding: usize,
}

const EXAMPLE: Example = Example { rows: 20, idle: 0, padding: 0 };

/// The example with as many constraints as fill `rows` of a domain together with the four consistency rows.
fn example_of(rows: usize) -> Example {
    let padding = rows - EXAMPLE.record().shape().constraints - NUM_PUBLIC as usize;
    Example { padding, ..EXAMPLE }
}

#[derive(Clone)]
struct Values {
    sent: Vec<u64>,
    received: Vec<u64>,
}

impl Values {
    fn honest(rows: usize, salt: u64) -> Self {
        let sent: Vec<_> = (0..rows as u64).map(|i| (i * 37 + salt) % 256).collect();
        Self { received: sent.clone(), sent }
    }

    fn public_input(&self) -> F {
        self.sent.iter().map(|v| F::from(v * v)).sum()
    }
}

impl Circuit for Example {
    type Witness = Values;

    fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
        let padded = Values { sent: vec![0; self.rows], received: vec![0; self.rows] };
        let values = witness.unwrap_or(&padded);
        let mut cs = Cs::new(mode);
        let one = cs.one();
        let x = cs.public_input(values.public_input());
        let mut sum = Lc::zero();
        for (i, (sent, received)) in (0u64..).zip(values.sent.iter().zip(&values.received)) {
            let [v, u] = [cs.commit("example.sent", *sent), cs.commit("example.received", *received)];
            let tuple = |second: Wire| BatchByte { byte: i.into(), position: second.into() };
            cs.lookup("example.range", Bus::Range8, one, v);
            cs.send("example.send", one, tuple(v));
            cs.receive("example.receive", one, tuple(u));
            sum += cs.product("example.square", v, v);
        }
        for _ in 0..self.idle {
            cs.commit("example.idle", 7u64);
        }
        cs.enforce_equal("example.sum", sum, x);
        for _ in 0..self.padding {
            cs.product("example.padding", x, x);
        }
        tables::range8().close(&mut cs);
        cs
    }
}

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| setup(EXAMPLE.record(), &()).unwrap())
}

fn honest(salt: u64) -> (F, Proof) {
    let proven = prove(key(), &EXAMPLE, &Values::honest(20, salt)).unwrap();
    (proven.public_input, proven.proof)
}

/// A proof made without any of the prover's checks, from an assignment and a commitment of the caller's choice.
fn forge(cs: &Cs, d: G1Affine, d_pok: G1Affine) -> Proof {
    let z = cs.assignment();
    let domain = qap::domain(key().circuit.shape().constraints).unwrap();
    let h = Evaluations::new(&key().circuit, &z, domain.size()).quotient(&domain);
    let scalars: Vec<_> = z.iter().map(|v| v.into_bigint()).collect();
    let (a, b, c) = combine(key(), &scalars, &h, &mut ProveStats::default());
    Proof { a, b, c, d, d_pok }
}

fn ark_accepts(vk: &VerifyingKey, inputs: G1Projective, proof: &Proof) -> bool {
    let ark = ArkProof::<Bn254> { a: proof.a, b: proof.b, c: proof.c };
    let prepared = prepare_verifying_key(&vk.to_ark());
    Groth16::<Bn254, CommittedReduction>::verify_proof_with_prepared_inputs(&prepared, &ark, &inputs).unwrap()
}

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
fn refuses_committed_values_that_changed_after_the_commitment() {
    let (committed, used) = (Values::honest(20, 9), Values::honest(20, 10));
    let c = commit(key(), EXAMPLE.synthesize(Mode::Assign, Some(&committed)).committed());
    let ch = challenges(key().vk.digest(), used.public_input(), &c.d);
    let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&used));
    argument::close(&mut cs, ch);
    let refused = finish(key(), cs, &c, &mut ProveStats::default());
    assert_eq!(refused, Err(ProveError::CommittedValueChanged { index: 0 }));
}

#[test]
fn refuses_a_synthesis_of_another_structure() {
    let committed = Example { idle: 1, ..EXAMPLE };
    let refused = prove(key(), &committed, &Values::honest(20, 1)).unwrap_err();
    assert!(matches!(refused, ProveError::WireCount { kind: "committed", .. }), "{refused:?}");
    // As many committed wires, fewer ordinary ones.
    let ordinary = Example { rows: 19, idle: 2, ..EXAMPLE };
    let refused = prove(key(), &ordinary, &Values::honest(19, 1)).unwrap_err();
    assert!(matches!(refused, ProveError::WireCount { kind: "ordinary", .. }), "{refused:?}");
}

#[test]
fn names_the_first_violated_constraint() {
    struct Wrong;
    impl Circuit for Wrong {
        type Witness = Values;
        fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
            let mut cs = EXAMPLE.synthesize(mode, witness);
            cs.public_input(F::from(1u64));
            cs
        }
    }
    let refused = prove(key(), &Wrong, &Values::honest(20, 1)).unwrap_err();
    assert_eq!(refused, ProveError::Unsatisfied { index: 20, name: "example.sum" });
}

#[test]
fn committed_wires_do_not_enlarge_the_domain() {
    let few = EXAMPLE.record();
    let many = Example { idle: 2000, ..EXAMPLE };
    let recorded = many.record();
    assert_eq!(few.shape().constraints, recorded.shape().constraints);
    assert_eq!(recorded.shape().committed, few.shape().committed + 2000);
    let key = setup(recorded, &()).unwrap();
    let size = qap::domain_size(few.shape().constraints).unwrap();
    assert_eq!(key.h.len(), size - 1, "powers of t up to degree n − 2");
    let proven = prove(&key, &many, &Values::honest(20, 1)).unwrap();
    verify(&key.vk, proven.public_input, &proven.proof).unwrap();
    assert_eq!(key.committed.points.len(), few.shape().committed, "wires in no constraint have no base");
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

#[test]
fn stored_proofs_come_back_and_altered_ones_are_named() {
    let (x, proof) = honest(11);
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes), Ok(proof));
    assert_eq!(Proof::from_words(&proof.words()), Ok(proof));
    assert_eq!(Proof::from_bytes(&bytes[1..]), Err(DecodeError::Length { got: PROOF_BYTES - 1 }));
    let mut wrong = bytes;
    wrong[0] = 2;
    assert_eq!(Proof::from_bytes(&wrong), Err(DecodeError::Version { got: 2 }));

    let q = U256::from_limbs(Fq::MODULUS.0);
    for i in 0..PROOF_WORDS {
        let mut words = proof.words();
        if let Some(sum) = words[i].checked_add(q) {
            words[i] = sum;
            assert_eq!(Proof::from_words(&words), Err(DecodeError::CoordinateOutOfRange { word: i }));
        }
        let mut words = proof.words();
        words[i] = (words[i] + U256::ONE) % q;
        let refused = Proof::from_words(&words).unwrap_err();
        assert!(matches!(refused, DecodeError::NotOnCurve { .. }), "{refused:?}");
    }
    // The imaginary part comes first: swapped halves are another point, or none.
    let mut words = proof.words();
    words.swap(2, 3);
    words.swap(4, 5);
    assert!(Proof::from_words(&words).is_err());
    verify(&key().vk, x, &Proof::from_bytes(&bytes).unwrap()).unwrap();
}

#[test]
fn key_words_are_in_the_order_of_the_contract() {
    let vk = &key().vk;
    let words = vk.words();
    assert_eq!(words[0], word(vk.alpha1.x));
    assert_eq!(
        [words[2], words[3], words[4], words[5]],
        [vk.beta2.x.c1, vk.beta2.x.c0, vk.beta2.y.c1, vk.beta2.y.c0].map(word)
    );
    assert_eq!(words[14], word(vk.sigma2.x.c1));
    assert_eq!([words[18], words[25]], [word(vk.ic[0].x), word(vk.ic[3].y)]);
    let encoded: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes::<32>()).collect();
    assert_eq!(encoded.len(), 832);
    assert_eq!(vk.digest(), keccak256(encoded));
}

#[test]
fn challenges_are_those_of_the_contract() {
    // abi.encodePacked(bytes32("cairn.challenge.v1"), bytes32(…11), uint256(5), uint256(1), uint256(2)) written out.
    let mut packed = b"cairn.challenge.v1".to_vec();
    packed.resize(32, 0);
    packed.extend([0x11; 32]);
    for n in [5u8, 1, 2] {
        packed.extend([0; 31]);
        packed.push(n);
    }
    let seed = keccak256(&packed);
    let modulus = U256::from_limbs(F::MODULUS.0);
    let expected = [0u8, 1].map(|n| {
        let mut bytes = seed.to_vec();
        bytes.push(n);
        U256::from_be_bytes(keccak256(bytes).0) % modulus
    });
    let ch = challenges(B256::repeat_byte(0x11), F::from(5u64), &G1Affine::generator());
    assert_eq!([word(ch.rho), word(ch.alpha)], expected);
    assert_ne!(ch.rho, ch.alpha);
}

#[test]
fn constants_are_those_of_the_contract() {
    let contract = include_str!("../../contracts/src/Groth16Verifier.sol");
    for line in [
        "CHALLENGE_DOMAIN = \"cairn.challenge.v1\";",
        "BATCH_DOMAIN = \"cairn.batch-verify.v1\";",
        "keccak256(abi.encodePacked(CHALLENGE_DOMAIN, vkDigest, publicInput, dX, dY))",
        "keccak256(abi.encodePacked(BATCH_DOMAIN, vkDigest, proofs.length, publicInputs, _flat(proofs)))",
        "uint128(uint256(keccak256(abi.encodePacked(transcript, number))))",
    ] {
        assert!(contract.contains(line), "{line}");
    }
}

/// The vectors that the contract is tested with: made in Python, independent of both.
#[test]
fn accepts_the_vectors_of_the_contract() {
    let json: serde_json::Value =
        serde_json::from_str(include_str!("../../contracts/test/vectors/groth16.json")).unwrap();
    let word_of = |v: &serde_json::Value| v.as_str().unwrap().parse::<U256>().unwrap();
    let words = |v: &serde_json::Value| v.as_array().unwrap().iter().map(word_of).collect::<Vec<_>>();
    let scalar = |v: &serde_json::Value| F::from_bigint(BigInt(word_of(v).into_limbs())).unwrap();
    let fq = |w: U256| Fq::from_bigint(BigInt(w.into_limbs())).unwrap();
    let key = words(&json["key"]);
    let g1 = |i: usize| G1Affine::new(fq(key[i]), fq(key[i + 1]));
    let g2 = |i: usize| {
        let fq2 = |i: usize| ark_bn254::Fq2::new(fq(key[i + 1]), fq(key[i]));
        G2Affine::new(fq2(i), fq2(i + 2))
    };
    let vk = VerifyingKey {
        alpha1: g1(0),
        beta2: g2(2),
        gamma2: g2(6),
        delta2: g2(10),
        sigma2: g2(14),
        ic: [g1(18), g1(20), g1(22), g1(24)],
    };
    vk.check().unwrap();
    assert_eq!(vk.words().to_vec(), key);
    assert_eq!(U256::from_be_bytes(vk.digest().0), word_of(&json["vkDigest"]));
    let proofs: Vec<_> = json["proofs"].as_array().unwrap().iter().collect();
    let proofs: Vec<_> = proofs
        .into_iter()
        .map(|p| {
            let proof = Proof::from_words(&words(&p["words"]).try_into().unwrap()).unwrap();
            let x = scalar(&p["publicInput"]);
            let ch = challenges(vk.digest(), x, &proof.d);
            assert_eq!([ch.rho, ch.alpha], [scalar(&p["rho"]), scalar(&p["alpha"])]);
            verify(&vk, x, &proof).unwrap();
            (x, proof)
        })
        .collect();
    verify_batch(&vk, &proofs).unwrap();
    let swapped = [(proofs[0].0, proofs[1].1), (proofs[1].0, proofs[0].1)];
    assert_eq!(verify_batch(&vk, &swapped), Err(VerifyError::Rejected));
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
fn challenges_depend_on_key_input_and_commitment() {
    let d = G1Affine::generator();
    let base = challenges(B256::ZERO, F::one(), &d);
    assert_ne!(base, challenges(B256::repeat_byte(1), F::one(), &d));
    assert_ne!(base, challenges(B256::ZERO, F::zero(), &d));
    assert_ne!(base, challenges(B256::ZERO, F::one(), &-d));
}

#[test]
fn refuses_keys_that_would_void_their_proofs() {
    let vk = &key().vk;
    vk.check().unwrap();
    let with = |f: fn(&mut VerifyingKey)| {
        let mut vk = vk.clone();
        f(&mut vk);
        vk.check()
    };
    assert_eq!(with(|vk| vk.gamma2 = vk.delta2), Err(KeyDefect::GammaEqualsDelta));
    assert_eq!(with(|vk| vk.gamma2 = -vk.delta2), Err(KeyDefect::GammaEqualsDelta));
    assert_eq!(with(|vk| vk.sigma2 = G2Affine::generator()), Err(KeyDefect::SigmaIsTrivial));
    assert_eq!(with(|vk| vk.sigma2 = -G2Affine::generator()), Err(KeyDefect::SigmaIsTrivial));
    assert_eq!(with(|vk| vk.ic[2] = G1Affine::identity()), Err(KeyDefect::PointAtInfinity));
    assert_eq!(with(|vk| vk.beta2 = G2Affine::identity()), Err(KeyDefect::PointAtInfinity));
    assert_eq!(with(|vk| vk.alpha1.y += Fq::one()), Err(KeyDefect::NotInGroup));
}

#[test]
fn every_setup_draws_its_own_secrets() {
    let [one, two] = [(); 2].map(|()| setup(EXAMPLE.record(), &()).unwrap());
    assert_eq!(one.circuit.digest(), two.circuit.digest());
    let (a, b) = (one.vk.words(), two.vk.words());
    assert!(a.iter().zip(&b).all(|(a, b)| a != b));
    let proven = prove(&one, &EXAMPLE, &Values::honest(20, 1)).unwrap();
    assert!(verify(&two.vk, proven.public_input, &proven.proof).is_err());
}

#[test]
fn digests_differ_when_anything_in_the_structure_does() {
    struct Variant(u64, &'static str);
    impl Circuit for Variant {
        type Witness = Values;
        fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
            let mut cs = EXAMPLE.synthesize(mode, witness);
            let one = cs.one();
            cs.enforce_zero(self.1, one * self.0);
            cs
        }
    }
    let digest = Variant(2, "example.variant").record().digest();
    assert_eq!(digest, Variant(2, "example.renamed").record().digest(), "names do not matter");
    assert_ne!(digest, Variant(3, "example.variant").record().digest());
    assert_ne!(digest, EXAMPLE.record().digest());
    assert_ne!(EXAMPLE.record().digest(), Example { idle: 1, ..EXAMPLE }.record().digest(), "shape matters");
    assert_eq!(EXAMPLE.record().digest(), EXAMPLE.record().digest());
}

#[test]
fn keys_are_cached_by_circuit_and_work_after_reading() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<Phase>>);
    impl Observer for Seen {
        fn progress(&self, phase: Phase, fraction: f64) {
            assert!((0.0..=1.0).contains(&fraction));
            self.0.lock().unwrap().push(phase);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (Seen::default(), Seen::default());
    let made = load_or_setup(dir.path(), EXAMPLE.record(), &first).unwrap();
    let read = load_or_setup(dir.path(), EXAMPLE.record(), &second).unwrap();
    assert!(first.0.lock().unwrap().contains(&Phase::Generate));
    assert!(!second.0.lock().unwrap().contains(&Phase::Generate));
    assert_eq!(made.vk, read.vk);
    assert_eq!((&made.a, &made.b1, &made.b2, &made.l), (&read.a, &read.b1, &read.b2, &read.l));
    assert_eq!(
        (&made.h, &made.committed, &made.committed_sigma),
        (&read.h, &read.committed, &read.committed_sigma)
    );
    let proven = prove(&read, &EXAMPLE, &Values::honest(20, 1)).unwrap();
    verify(&made.vk, proven.public_input, &proven.proof).unwrap();

    // Whoever comes second gets the first one's key.
    let path = store::path(dir.path(), EXAMPLE.record().digest());
    assert!(matches!(store::save(&path, key(), &()), Err(KeyFileError::Exists { .. })));
    assert_eq!(load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap().vk, made.vk);

    // Another circuit has another file, and does not take this one under its name.
    let other = Example { rows: 21, ..EXAMPLE };
    let other_path = store::path(dir.path(), other.record().digest());
    assert_ne!(path, other_path);
    fs::copy(&path, &other_path).unwrap();
    let refused = load_or_setup(dir.path(), other.record(), &()).unwrap_err();
    assert!(matches!(refused, KeyFileError::WrongCircuit { .. }), "{refused}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn refuses_damaged_key_files_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = store::path(dir.path(), key().circuit.digest());
    let size = store::save(&path, key(), &()).unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(size, good.len() as u64);
    let refuse = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let refused = load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap_err();
        assert!(refused.to_string().contains(path.to_str().unwrap()));
        assert_eq!(fs::read(&path).unwrap(), bytes, "a damaged file is not overwritten");
        refused
    };
    for at in [76, 200, good.len() / 2, good.len() - 33, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let refused = refuse(&bad);
        assert!(matches!(refused, KeyFileError::Corrupted { .. }), "byte {at}: {refused}");
    }
    for length in [0, 10, 43, 76, good.len() - 1] {
        let refused = refuse(&good[..length]);
        assert!(matches!(refused, KeyFileError::NotAKey { .. } | KeyFileError::Length { .. }), "{refused}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(matches!(refuse(&longer), KeyFileError::Length { .. }));
    for (at, check) in
        [(0, "not a proving key"), (8, "has version"), (20, "belongs to circuit"), (51, "expected")]
    {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(refuse(&bad).to_string().contains(check));
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(load_or_setup(dir.path(), EXAMPLE.record(), &()).unwrap().vk, key().vk);
}

#[test]
fn sums_agree_with_the_definition_at_every_size_of_scalar() {
    let mut rng = StdRng::seed_from_u64(40);
    for n in [0usize, 1, 2, 3, 17, 100, 700] {
        let scalars: Vec<F> = (0..n)
            .map(|i| match i % 9 {
                0 => F::zero(),
                1 => F::one(),
                2 => -F::one(),
                3 => F::from(i as u64),
                4 => F::from(u64::MAX - i as u64),
                5 => -F::from(i as u64),
                6 => F::from(u128::MAX),
                _ => F::rand(&mut rng),
            })
            .collect();
        // Equal and opposite points among the bases: additions meet doublings and infinity.
        let base = |i: usize| {
            F::from([1u64, 2, 3, 3, 5][i % 5]) * if i.is_multiple_of(2) { F::one() } else { -F::one() }
        };
        let bigints: Vec<BigInt<4>> = scalars.iter().map(|s| s.into_bigint()).collect();
        let expected: F = scalars.iter().enumerate().map(|(i, s)| base(i) * s).sum();
        let g1: Vec<_> = (0..n).map(|i| (G1Projective::generator() * base(i)).into_affine()).collect();
        assert_eq!(crate::msm::g1(&g1, &bigints), G1Projective::generator() * expected);
        let g2: Vec<_> = (0..n).map(|i| (G2Projective::generator() * base(i)).into_affine()).collect();
        assert_eq!(crate::msm::g2(&g2, &bigints), G2Projective::generator() * expected);
    }
}
