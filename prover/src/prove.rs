//! From witness to proof: synthesis, commitment, challenges, the lookup argument, and Groth16 on ark's key.

use std::time::Instant;

use ark_bn254::{G1Affine, G1Projective, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::{BigInt, PrimeField, UniformRand};
use cairn_circuits::{
    F,
    cs::{Cs, Mode, NUM_PUBLIC},
    lookup::argument,
};
use rand::rngs::OsRng;
use rayon::prelude::*;
use serde::Serialize;

use crate::{
    circuit::Circuit,
    commit::{self, Commitment, challenges},
    export::Proof,
    keys::{ProvingKey, gather},
    msm,
    qap::{self, Evaluations, Unsatisfied},
};

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    #[error("the synthesis has {got} {kind} wires, the key {expected}: it is the key of another circuit")]
    WireCount { kind: &'static str, expected: usize, got: usize },
    #[error("committed wire {index} changed after the commitment")]
    CommittedValueChanged { index: usize },
    #[error("the witness does not satisfy constraint {index}, {name}")]
    Unsatisfied { index: usize, name: &'static str },
    #[error("{constraints} constraints and 4 consistency rows exceed the largest domain, of 2²⁸ points")]
    TooManyConstraints { constraints: usize },
}

/// Seconds by phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProveStats {
    /// Machines, before the commitment.
    pub witness_s: f64,
    /// D and D'.
    pub commit_s: f64,
    /// The lookup argument's wires.
    pub argument_s: f64,
    /// A·z, B·z, C·z.
    pub matrices_s: f64,
    /// The quotient's coefficients.
    pub fft_s: f64,
    /// The multi-scalar multiplications of A, B in G1, B in G2, L, H.
    pub msm_a_s: f64,
    pub msm_b1_s: f64,
    pub msm_b2_s: f64,
    pub msm_l_s: f64,
    pub msm_h_s: f64,
    /// Everything.
    pub total_s: f64,
}

impl ProveStats {
    /// Sum over the multi-scalar multiplications after the commitment.
    #[must_use]
    pub fn msm_s(&self) -> f64 {
        self.msm_a_s + self.msm_b1_s + self.msm_b2_s + self.msm_l_s + self.msm_h_s
    }
}

/// A proof with what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Proven {
    pub proof: Proof,
    pub public_input: F,
    pub stats: ProveStats,
}

/// Proves that `witness` satisfies the key's circuit.
///
/// One synthesis: the lookup argument is closed on the very system whose values were committed. The committed values are
/// compared once more before they are used. An assignment that violates a constraint is refused by the constraint's name.
pub fn prove<C: Circuit>(pk: &ProvingKey, circuit: &C, witness: &C::Witness) -> Result<Proven, ProveError> {
    let start = Instant::now();
    let mut stats = ProveStats::default();
    let mut cs = timed(&mut stats.witness_s, || circuit.synthesize(Mode::Assign, Some(witness)));
    let (expected, got) = (pk.circuit.shape().committed, cs.committed().len());
    if expected != got {
        return Err(ProveError::WireCount { kind: "committed", expected, got });
    }
    // From here to the challenges nothing may change: they are a hash of the key, the public input and the commitment.
    let public_input = cs.public_input_value();
    let commitment = timed(&mut stats.commit_s, || commit::commit(pk, cs.committed()));
    let ch = challenges(pk.vk.digest(), public_input, &commitment.d);
    timed(&mut stats.argument_s, || argument::close(&mut cs, ch));
    let proof = finish(pk, cs, &commitment, &mut stats)?;
    stats.total_s = start.elapsed().as_secs_f64();
    Ok(Proven { proof, public_input, stats })
}

/// Groth16 for a closed system whose committed values are those of `commitment`.
pub(crate) fn finish(
    pk: &ProvingKey,
    cs: Cs,
    commitment: &Commitment,
    stats: &mut ProveStats,
) -> Result<Proof, ProveError> {
    let (shape, got) = (pk.circuit.shape(), cs.witness_values().len());
    if shape.witness != got {
        return Err(ProveError::WireCount { kind: "ordinary", expected: shape.witness, got });
    }
    let z = cs.assignment();
    // Frees the interactions before the part that needs the most memory.
    drop(cs);
    let scalars: Vec<_> = z.par_iter().with_min_len(1024).map(|v| v.into_bigint()).collect();
    // D and the challenges were computed from the values at that time. With others the verifier would reject the proof
    // without a reason; this error names the wire.
    let committed = &scalars[NUM_PUBLIC as usize..shape.instance()];
    if let Some(index) = committed.iter().zip(&commitment.scalars).position(|(now, then)| now != then) {
        return Err(ProveError::CommittedValueChanged { index });
    }
    let domain = timed(&mut stats.fft_s, || qap::domain(shape.constraints))
        .ok_or(ProveError::TooManyConstraints { constraints: shape.constraints })?;
    let evaluations = timed(&mut stats.matrices_s, || Evaluations::new(&pk.circuit, &z, domain.size()));
    drop(z);
    // Before the transforms and sums, which take most of the time: if a constraint is violated there is no quotient.
    let matrices = pk.circuit.matrices();
    evaluations
        .check(matrices)
        .map_err(|Unsatisfied(index)| ProveError::Unsatisfied { index, name: matrices.names[index] })?;
    let h = timed(&mut stats.fft_s, || evaluations.quotient(&domain));
    let (a, b, c) = combine(pk, &scalars, &h, stats);
    Ok(Proof { a, b, c, d: commitment.d, d_pok: commitment.d_pok })
}

/// A, B and C, blinded by r and s:
///
/// ```text
/// A = α + Σ zⱼ·uⱼ + r·δ,  B = β + Σ zⱼ·vⱼ + s·δ,  C = Σ zⱼ·Kⱼ/δ + h + s·A + r·B₁ − r·s·δ
/// ```
pub(crate) fn combine(
    pk: &ProvingKey,
    scalars: &[BigInt<4>],
    h: &[F],
    stats: &mut ProveStats,
) -> (G1Affine, G2Affine, G1Affine) {
    let (r, s) = (F::rand(&mut OsRng), F::rand(&mut OsRng));
    let h_sum: G1Projective = timed(&mut stats.msm_h_s, || {
        let h: Vec<_> = h.par_iter().with_min_len(1024).map(|v| v.into_bigint()).collect();
        msm::g1(&pk.h, &h)
    });
    let l_sum = timed(&mut stats.msm_l_s, || {
        msm::g1(&pk.l.points, &pk.l.gather(&scalars[pk.circuit.shape().instance()..]))
    });
    let a = timed(&mut stats.msm_a_s, || msm::g1(&pk.a.points, &pk.a.gather(scalars)));
    let b_scalars = gather(&pk.b2.columns, scalars);
    let b1 = timed(&mut stats.msm_b1_s, || msm::g1(&pk.b1, &b_scalars));
    let b2 = timed(&mut stats.msm_b2_s, || msm::g2(&pk.b2.points, &b_scalars));

    let a = a + pk.vk.alpha1 + pk.delta1 * r;
    let b1 = b1 + pk.beta1 + pk.delta1 * s;
    let b2 = b2 + pk.vk.beta2 + pk.vk.delta2 * s;
    let c = l_sum + h_sum + a * s + b1 * r - pk.delta1 * (r * s);
    (a.into_affine(), b2.into_affine(), c.into_affine())
}

fn timed<T>(slot: &mut f64, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let out = f();
    *slot += start.elapsed().as_secs_f64();
    out
}
