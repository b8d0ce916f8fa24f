//! Proofs and keys as words and bytes, and what must be equal in `Groth16Verifier.sol`.

use alloy_primitives::{B256, U256, keccak256};
use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, One, PrimeField, Zero};

use super::{honest, key};
use crate::{
    F, VerifyError,
    commit::challenges,
    export::{DecodeError, PROOF_BYTES, PROOF_WORDS, Proof, word},
    keys::VerifyingKey,
    verify::{verify, verify_batch},
};

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
fn challenges_depend_on_key_input_and_commitment() {
    let d = G1Affine::generator();
    let base = challenges(B256::ZERO, F::one(), &d);
    assert_ne!(base, challenges(B256::repeat_byte(1), F::one(), &d));
    assert_ne!(base, challenges(B256::ZERO, F::zero(), &d));
    assert_ne!(base, challenges(B256::ZERO, F::one(), &-d));
}

#[test]
fn constants_are_those_of_the_contract() {
    let contract = include_str!("../../../contracts/src/Groth16Verifier.sol");
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
        serde_json::from_str(include_str!("../../../contracts/test/vectors/groth16.json")).unwrap();
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
