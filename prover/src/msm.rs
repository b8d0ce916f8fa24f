//! Multi-scalar multiplication.

use ark_bn254::{G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::BigInt;

/// Σ scalarᵢ·pointᵢ in G1.
#[must_use]
pub fn g1(points: &[G1Affine], scalars: &[BigInt<4>]) -> G1Projective {
    G1Projective::msm_bigint(points, scalars)
}

/// Σ scalarᵢ·pointᵢ in G2.
#[must_use]
pub fn g2(points: &[G2Affine], scalars: &[BigInt<4>]) -> G2Projective {
    G2Projective::msm_bigint(points, scalars)
}
