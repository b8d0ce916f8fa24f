//! Native verification: the equations and checks of `Groth16Verifier.sol`, one proof or many.

use alloy_primitives::{B256, Keccak256, U256};
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{Field, Zero};
use cairn_circuits::F;

use crate::{
    commit::{challenges, coefficient},
    export::{DecodeError, Proof, word},
    keys::VerifyingKey,
};

/// `BATCH_DOMAIN` of `Groth16Verifier.sol`: ASCII, padded with zeros on the right.
const BATCH_DOMAIN: &[u8; 21] = b"cairn.batch-verify.v1";

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("there is no proof to verify")]
    NoProofs,
    #[error("proof {index} has an invalid point")]
    Point { index: usize, source: DecodeError },
    #[error("the commitment's proof of knowledge does not hold")]
    Knowledge,
    #[error("the pairing equation does not hold")]
    Rejected,
}

/// Accepts a proof of `public_input` under the contract's two equations:
///
/// ```text
/// e(A, B) = e(α₁, β₂) · e(IC₀ + x·IC₁ + ρ·IC₂ + α·IC₃ + D, γ₂) · e(C, δ₂)
/// e(D, σ·G₂) = e(D', G₂)
/// ```
pub fn verify(vk: &VerifyingKey, public_input: F, proof: &Proof) -> Result<(), VerifyError> {
    proof.check_points().map_err(|source| VerifyError::Point { index: 0, source })?;
    let knowledge = Bn254::multi_pairing([proof.d, -proof.d_pok], [vk.sigma2, G2Affine::generator()]);
    if knowledge.0 != Field::ONE {
        return Err(VerifyError::Knowledge);
    }
    let inputs = prepared_inputs(vk, public_input, &proof.d);
    let left: [G1Affine; 4] = [proof.a, -vk.alpha1, (-inputs).into_affine(), -proof.c];
    let product = Bn254::multi_pairing(left, [proof.b, vk.beta2, vk.gamma2, vk.delta2]);
    if product.0 == Field::ONE { Ok(()) } else { Err(VerifyError::Rejected) }
}

/// IC₀ + x·IC₁ + ρ·IC₂ + α·IC₃ + D: what ark-groth16's verifier takes as prepared inputs.
pub fn prepared_inputs(vk: &VerifyingKey, public_input: F, d: &G1Affine) -> G1Projective {
    let ch = challenges(vk.digest(), public_input, d);
    vk.ic[1] * public_input + vk.ic[2] * ch.rho + vk.ic[3] * ch.alpha + vk.ic[0] + d
}

/// Accepts all of several proofs, in N + 5 pairings, by the contract's random linear combination:
///
/// ```text
/// ∏ e(cᵢ·Aᵢ, Bᵢ) · e(−Σcᵢ·α₁, β₂) · e(−Σcᵢ·(ICᵢ + Dᵢ), γ₂) · e(−Σcᵢ·Cᵢ, δ₂) · e(τ·Σcᵢ·Dᵢ, σ·G₂) · e(−τ·Σcᵢ·D'ᵢ, G₂) = 1
/// ```
/// If an equation fails, the error does not say for which proof.
///
/// # Soundness
///
/// c₀ = 1; the others and τ are 128 bits of a hash over the key and everything in the call, so a bad proof
/// passes with probability at most 2⁻¹²⁷ an attempt (derivation in the contract).
pub fn verify_batch(vk: &VerifyingKey, proofs: &[(F, Proof)]) -> Result<(), VerifyError> {
    if proofs.is_empty() {
        return Err(VerifyError::NoProofs);
    }
    for (index, (_, proof)) in proofs.iter().enumerate() {
        proof.check_points().map_err(|source| VerifyError::Point { index, source })?;
    }
    let transcript = transcript(vk, proofs);
    let digest = vk.digest();
    let (mut ic, mut c, mut d, mut d_pok) =
        ([F::zero(); 4], G1Projective::zero(), G1Projective::zero(), G1Projective::zero());
    let (mut g1, mut g2) = (Vec::with_capacity(proofs.len() + 5), Vec::with_capacity(proofs.len() + 5));
    for (i, (x, proof)) in (0u64..).zip(proofs) {
        let weight = if i == 0 { F::ONE } else { coefficient(transcript, i) };
        let ch = challenges(digest, *x, &proof.d);
        ic.iter_mut().zip([F::ONE, *x, ch.rho, ch.alpha]).for_each(|(sum, v)| *sum += weight * v);
        c += proof.c * weight;
        d += proof.d * weight;
        d_pok += proof.d_pok * weight;
        g1.push(proof.a * weight);
        g2.push(proof.b);
    }
    let inputs: G1Projective = vk.ic.iter().zip(ic).map(|(base, s)| *base * s).sum::<G1Projective>() + d;
    let tau = coefficient(transcript, 0);
    g1.extend([-(vk.alpha1 * ic[0]), -inputs, -c, d * tau, -(d_pok * tau)]);
    g2.extend([vk.beta2, vk.gamma2, vk.delta2, vk.sigma2, G2Affine::generator()]);
    let g1 = G1Projective::normalize_batch(&g1);
    if Bn254::multi_pairing(g1, g2).0 == Field::ONE { Ok(()) } else { Err(VerifyError::Rejected) }
}

/// keccak256(domain ‖ key digest ‖ number of proofs ‖ public inputs ‖ words of all proofs).
fn transcript(vk: &VerifyingKey, proofs: &[(F, Proof)]) -> B256 {
    let mut domain = [0u8; 32];
    domain[..BATCH_DOMAIN.len()].copy_from_slice(BATCH_DOMAIN);
    let mut hash = Keccak256::new();
    hash.update(domain);
    hash.update(vk.digest());
    hash.update(U256::from(proofs.len()).to_be_bytes::<32>());
    proofs.iter().for_each(|(x, _)| hash.update(word(*x).to_be_bytes::<32>()));
    let words = proofs.iter().flat_map(|(_, p)| p.words());
    words.for_each(|w| hash.update(w.to_be_bytes::<32>()));
    hash.finalize()
}
