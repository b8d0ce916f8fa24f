//! The commitment D, its proof of knowledge D', and the challenges drawn from D.
//!
//! D = Σ wⱼ·Kⱼ/γ over the committed wires carries no blinding: it is binding, not hiding, so proofs are not zero-knowledge
//! with respect to D. The rollup publishes its data; it needs soundness only.

use alloy_primitives::{B256, U256, keccak256};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{BigInt, PrimeField};
use cairn_circuits::{F, lookup::challenge::Challenges};
use rayon::prelude::*;

use crate::{
    export::{g1_words, word},
    keys::ProvingKey,
    msm,
};

/// `CHALLENGE_DOMAIN` of `Groth16Verifier.sol`: ASCII, padded with zeros on the right.
const CHALLENGE_DOMAIN: &[u8; 18] = b"cairn.challenge.v1";

/// The part of a proof that is fixed before the challenges are drawn.
#[derive(Clone, Debug)]
pub struct Commitment {
    /// D.
    pub d: G1Affine,
    /// D' = σ·D.
    pub d_pok: G1Affine,
    /// The committed values. The final assignment must have the same; the prover compares them.
    pub(crate) scalars: Vec<BigInt<4>>,
}

/// Commits to the values of all committed wires.
#[must_use]
pub fn commit(pk: &ProvingKey, values: &[F]) -> Commitment {
    let scalars: Vec<_> = values.par_iter().with_min_len(1024).map(|v| v.into_bigint()).collect();
    let used = pk.committed.gather(&scalars);
    let sums: [G1Projective; 2] = [msm::g1(&pk.committed.points, &used), msm::g1(&pk.committed_sigma, &used)];
    let [d, d_pok] = sums.map(|p| p.into_affine());
    Commitment { d, d_pok, scalars }
}

/// (ρ, α) for a key, a public input and a commitment, as `Groth16Verifier.challenges` computes them:
///
/// ```text
/// seed = keccak256(domain ‖ key digest ‖ x ‖ D.x ‖ D.y)
/// ρ = keccak256(seed ‖ 0) mod r,  α = keccak256(seed ‖ 1) mod r
/// ```
/// 2²⁵⁶ is 5.29·r: a residue is hit by five or six values of the hash, so none has a probability above 1.14/r.
#[must_use]
pub fn challenges(vk_digest: B256, public_input: F, d: &G1Affine) -> Challenges {
    let mut bytes = [0u8; 160];
    bytes[..CHALLENGE_DOMAIN.len()].copy_from_slice(CHALLENGE_DOMAIN);
    bytes[32..64].copy_from_slice(vk_digest.as_slice());
    let [x, y] = g1_words(d);
    for (slot, w) in bytes[64..].chunks_exact_mut(32).zip([word(public_input), x, y]) {
        slot.copy_from_slice(&w.to_be_bytes::<32>());
    }
    let seed = keccak256(bytes);
    Challenges { rho: squeeze(seed, 0), alpha: squeeze(seed, 1) }
}

fn squeeze(seed: B256, number: u8) -> F {
    let mut bytes = [0u8; 33];
    bytes[..32].copy_from_slice(seed.as_slice());
    bytes[32] = number;
    F::from_be_bytes_mod_order(keccak256(bytes).as_slice())
}

/// 128 bits of a transcript's hash with a number, as `Groth16Verifier._coefficient`.
pub(crate) fn coefficient(transcript: B256, number: u64) -> F {
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(transcript.as_slice());
    bytes[32..].copy_from_slice(&U256::from(number).to_be_bytes::<32>());
    F::from_be_bytes_mod_order(&keccak256(bytes)[16..])
}
