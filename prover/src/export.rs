//! Proofs and keys as words for Solidity, and proofs as stored bytes.

use alloy_primitives::U256;
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField, Zero};

/// Words of a proof.
pub const PROOF_WORDS: usize = 12;
/// Words of a verifying key.
pub const VK_WORDS: usize = 26;
/// First byte of a stored proof.
const PROOF_VERSION: u8 = 1;
/// Length of a stored proof.
pub const PROOF_BYTES: usize = 1 + 32 * PROOF_WORDS;

/// A proof (A, B, C, D, D'). Groth16 proofs are malleable: other bytes can prove the same, so bytes are no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub a: G1Affine,
    pub b: G2Affine,
    pub c: G1Affine,
    /// Commitment to the committed wires; the challenges are drawn from it.
    pub d: G1Affine,
    /// σ·D.
    pub d_pok: G1Affine,
}

/// A point of a proof, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofPoint {
    A,
    B,
    C,
    D,
    DPok,
}

/// Why bytes or words are no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("a proof has {PROOF_BYTES} bytes, got {got}")]
    Length { got: usize },
    #[error("the stored proof has version {got}, expected {PROOF_VERSION}")]
    Version { got: u8 },
    #[error("word {word} is not below the order of the base field")]
    CoordinateOutOfRange { word: usize },
    #[error("point {point:?} is not on the curve")]
    NotOnCurve { point: ProofPoint },
    #[error("point {point:?} is not in the prime-order group")]
    NotInSubgroup { point: ProofPoint },
    #[error("point {point:?} is infinity")]
    AtInfinity { point: ProofPoint },
}

impl Proof {
    /// a.x, a.y, b.x₁, b.x₀, b.y₁, b.y₀, c.x, c.y, d.x, d.y, d'.x, d'.y.
    #[must_use]
    pub fn words(&self) -> [U256; PROOF_WORDS] {
        let ([ax, ay], [bx1, bx0, by1, by0]) = (g1_words(&self.a), g2_words(&self.b));
        let [[cx, cy], [dx, dy], [ex, ey]] = [&self.c, &self.d, &self.d_pok].map(g1_words);
        [ax, ay, bx1, bx0, by1, by0, cx, cy, dx, dy, ex, ey]
    }

    /// Inverse of [`Self::words`]; refuses what [`Self::check_points`] refuses. A proof has one encoding.
    pub fn from_words(words: &[U256; PROOF_WORDS]) -> Result<Self, DecodeError> {
        let mut q = [Fq::zero(); PROOF_WORDS];
        for (word, (slot, w)) in q.iter_mut().zip(words).enumerate() {
            *slot =
                Fq::from_bigint(BigInt(w.into_limbs())).ok_or(DecodeError::CoordinateOutOfRange { word })?;
        }
        let b = match q[2..6].iter().all(Zero::is_zero) {
            true => G2Affine::identity(),
            false => G2Affine::new_unchecked(Fq2::new(q[3], q[2]), Fq2::new(q[5], q[4])),
        };
        let g1 = |i: usize| match q[i].is_zero() && q[i + 1].is_zero() {
            true => G1Affine::identity(),
            false => G1Affine::new_unchecked(q[i], q[i + 1]),
        };
        let proof = Self { a: g1(0), b, c: g1(6), d: g1(8), d_pok: g1(10) };
        proof.check_points()?;
        Ok(proof)
    }

    /// What the contract refuses before any pairing: points off the curve, outside the group, or at infinity. D' may be at
    /// infinity here: the pairing check of D and D' then fails, because D is not.
    pub fn check_points(&self) -> Result<(), DecodeError> {
        let g1 = [
            (ProofPoint::A, &self.a),
            (ProofPoint::C, &self.c),
            (ProofPoint::D, &self.d),
            (ProofPoint::DPok, &self.d_pok),
        ];
        for (point, p) in g1 {
            if p.is_zero() && point != ProofPoint::DPok {
                return Err(DecodeError::AtInfinity { point });
            }
            if !p.is_on_curve() {
                return Err(DecodeError::NotOnCurve { point });
            }
        }
        let point = ProofPoint::B;
        if self.b.is_zero() {
            return Err(DecodeError::AtInfinity { point });
        }
        if !self.b.is_on_curve() {
            return Err(DecodeError::NotOnCurve { point });
        }
        if !self.b.is_in_correct_subgroup_assuming_on_curve() {
            return Err(DecodeError::NotInSubgroup { point });
        }
        Ok(())
    }

    /// Version byte and the words, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut bytes = [PROOF_VERSION; PROOF_BYTES];
        for (slot, w) in bytes[1..].chunks_exact_mut(32).zip(self.words()) {
            slot.copy_from_slice(&w.to_be_bytes::<32>());
        }
        bytes
    }

    /// Inverse of [`Self::to_bytes`]; refuses points that no proof may have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != PROOF_BYTES {
            return Err(DecodeError::Length { got: bytes.len() });
        }
        if bytes[0] != PROOF_VERSION {
            return Err(DecodeError::Version { got: bytes[0] });
        }
        let mut words = [U256::ZERO; PROOF_WORDS];
        for (slot, chunk) in words.iter_mut().zip(bytes[1..].chunks_exact(32)) {
            *slot = U256::from_be_slice(chunk);
        }
        Self::from_words(&words)
    }
}

/// A field element as its integer below the modulus.
pub(crate) fn word(f: impl PrimeField<BigInt = BigInt<4>>) -> U256 {
    U256::from_limbs(f.into_bigint().0)
}

/// (x, y); infinity is (0, 0), as in EIP-196.
pub(crate) fn g1_words(p: &G1Affine) -> [U256; 2] {
    if p.is_zero() { [U256::ZERO; 2] } else { [word(p.x), word(p.y)] }
}

/// (x₁, x₀, y₁, y₀) as in EIP-197.
pub(crate) fn g2_words(p: &G2Affine) -> [U256; 4] {
    if p.is_zero() { [U256::ZERO; 4] } else { [word(p.x.c1), word(p.x.c0), word(p.y.c1), word(p.y.c0)] }
}
