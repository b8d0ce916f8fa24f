//! Verifying key and proving key of a circuit. Not here: how they are made (`setup`) and stored (`store`).

use alloy_primitives::{B256, Keccak256, U256};
use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::BigInt;
use cairn_circuits::cs::NUM_PUBLIC;

use crate::{
    circuit::Recorded,
    export::{VK_WORDS, g1_words, g2_words},
};

/// The points that a verifier computes with, on L1 and here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// α·G₁
    pub alpha1: G1Affine,
    /// β·G₂
    pub beta2: G2Affine,
    /// γ·G₂
    pub gamma2: G2Affine,
    /// δ·G₂
    pub delta2: G2Affine,
    /// σ·G₂, G₂ being the standard generator: the key of the commitment's proof of knowledge
    pub sigma2: G2Affine,
    /// Bases of the constant, x, ρ and α.
    pub ic: [G1Affine; NUM_PUBLIC as usize],
}

/// Why a key is unusable: false statements could have proofs under it, or true ones none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyDefect {
    #[error("a point of the key is infinity")]
    PointAtInfinity,
    #[error("γ·G₂ equals δ·G₂ up to the sign")]
    GammaEqualsDelta,
    #[error("σ·G₂ equals the generator up to the sign")]
    SigmaIsTrivial,
    #[error("a point of the key is not in its group")]
    NotInGroup,
    #[error("a multiple by σ of the commitment's bases is wrong")]
    CommitmentBases,
}

impl VerifyingKey {
    /// The key as Solidity takes it: alpha1, beta2, gamma2, delta2, sigma2, IC₀ … IC₃; x before y, in G2 the imaginary part
    /// before the real one.
    #[must_use]
    pub fn words(&self) -> [U256; VK_WORDS] {
        let g2 = [&self.beta2, &self.gamma2, &self.delta2, &self.sigma2].map(g2_words).concat();
        let ic = self.ic.each_ref().map(g1_words).concat();
        let mut words = [U256::ZERO; VK_WORDS];
        let all = g1_words(&self.alpha1).into_iter().chain(g2).chain(ic);
        words.iter_mut().zip(all).for_each(|(slot, w)| *slot = w);
        words
    }

    /// keccak256 of the 26 words: `vkDigest` of the contract, bound by every challenge.
    #[must_use]
    pub fn digest(&self) -> B256 {
        let mut hash = Keccak256::new();
        self.words().iter().for_each(|w| hash.update(w.to_be_bytes::<32>()));
        hash.finalize()
    }

    /// What the contract's constructor also refuses. With γ = ±δ the term C absorbs any error in the public inputs; with
    /// σ = ±1 the proof of knowledge can be made for any D.
    pub fn check(&self) -> Result<(), KeyDefect> {
        let g2 = [self.beta2, self.gamma2, self.delta2, self.sigma2];
        let g1: Vec<_> = self.ic.into_iter().chain([self.alpha1]).collect();
        if g1.iter().any(|p| p.is_zero()) || g2.iter().any(|p| p.is_zero()) {
            return Err(KeyDefect::PointAtInfinity);
        }
        let g2_valid = g2.iter().all(|p| p.is_on_curve() && p.is_in_correct_subgroup_assuming_on_curve());
        if !g2_valid || !g1.iter().all(G1Affine::is_on_curve) {
            return Err(KeyDefect::NotInGroup);
        }
        if self.gamma2.x == self.delta2.x {
            return Err(KeyDefect::GammaEqualsDelta);
        }
        if self.sigma2.x == G2Affine::generator().x {
            return Err(KeyDefect::SigmaIsTrivial);
        }
        Ok(())
    }

    /// As ark-groth16's verifying key, whose inputs are x, ρ and α; D is to be added to the prepared inputs.
    #[must_use]
    pub fn to_ark(&self) -> ark_groth16::VerifyingKey<Bn254> {
        ark_groth16::VerifyingKey {
            alpha_g1: self.alpha1,
            beta_g2: self.beta2,
            gamma_g2: self.gamma2,
            delta_g2: self.delta2,
            gamma_abc_g1: self.ic.to_vec(),
        }
    }
}

/// Points with the wires they belong to; wires whose point would be infinity are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<G> {
    /// Positions of the points' scalars in the assignment, or in the part of it that the query is for.
    pub columns: Vec<u32>,
    /// One point for each of them, none at infinity.
    pub points: Vec<G>,
}

impl<G: AffineRepr> Query<G> {
    /// Takes one point for each position and drops those at infinity.
    #[must_use]
    pub fn new(points: Vec<G>) -> Self {
        let columns = points.iter().zip(0u32..).filter(|(p, _)| !p.is_zero()).map(|(_, i)| i).collect();
        let points = points.into_iter().filter(|p| !p.is_zero()).collect();
        Self { columns, points }
    }
}

impl<G> Query<G> {
    /// The scalars of the points.
    #[must_use]
    pub fn gather(&self, scalars: &[BigInt<4>]) -> Vec<BigInt<4>> {
        gather(&self.columns, scalars)
    }
}

pub(crate) fn gather(columns: &[u32], scalars: &[BigInt<4>]) -> Vec<BigInt<4>> {
    columns.iter().map(|&c| scalars[c as usize]).collect()
}

/// Everything the prover needs: ark-groth16's proving key, split by use, the commitment's bases, and the circuit.
#[derive(Debug)]
pub struct ProvingKey {
    /// The verifying key.
    pub vk: VerifyingKey,
    /// Matrices, shape, digest.
    pub circuit: Recorded,
    pub(crate) beta1: G1Affine,
    pub(crate) delta1: G1Affine,
    /// uⱼ(t)·G₁ by wire.
    pub(crate) a: Query<G1Affine>,
    /// vⱼ(t)·G₂ by wire.
    pub(crate) b2: Query<G2Affine>,
    /// vⱼ(t)·G₁, of the same wires.
    pub(crate) b1: Vec<G1Affine>,
    /// Kⱼ/δ by ordinary wire.
    pub(crate) l: Query<G1Affine>,
    /// tⁱ·(tⁿ − 1)/δ·G₁.
    pub(crate) h: Vec<G1Affine>,
    /// Kⱼ/γ by committed wire.
    pub(crate) committed: Query<G1Affine>,
    /// σ·Kⱼ/γ, of the same wires.
    pub(crate) committed_sigma: Vec<G1Affine>,
}

impl ProvingKey {
    /// Number of points, (in G1, in G2).
    #[must_use]
    pub fn num_points(&self) -> (usize, usize) {
        let g1 = [
            &self.a.points,
            &self.b1,
            &self.l.points,
            &self.h,
            &self.committed.points,
            &self.committed_sigma,
        ];
        (g1.iter().map(|q| q.len()).sum(), self.b2.points.len())
    }
}
