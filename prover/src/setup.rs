//! Key generation with operating-system randomness: ark-groth16's generator, then the commitment's bases times σ.
//!
//! A single-party setup: whoever kept the trapdoor could prove anything. For development only.

use std::fmt;

use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{
    AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM, pairing::Pairing, scalar_mul::BatchMulPreprocessing,
};
use ark_ff::{BigInt, Field, One, UniformRand, Zero};
use ark_groth16::{Groth16, ProvingKey as ArkKey};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;

use cairn_circuits::{F, cs::NUM_PUBLIC};
use rand::{CryptoRng, RngCore, rngs::OsRng};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    circuit::{Recorded, Replay, Shape},
    domain::Domain,
    keys::{KeyDefect, ProvingKey, Query, VerifyingKey},
    qap::{self, CommittedReduction},
};

/// Parts of a setup or of loading a key, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The circuit is synthesised for its matrices.
    Record,
    /// The generator runs.
    Generate,
    /// The commitment's bases are multiplied by σ, and checked.
    Commitment,
    /// The key's file is written.
    Write,
    /// The key's file is read.
    Read,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record => "recording the circuit",
            Self::Generate => "generating the proving key",
            Self::Commitment => "generating the commitment key",
            Self::Write => "writing the key",
            Self::Read => "reading the key",
        })
    }
}

/// Receives progress; `()` ignores it.
pub trait Observer: Sync {
    /// `fraction` of `phase` is done, in [0, 1].
    fn progress(&self, phase: Phase, fraction: f64);
}

impl Observer for () {
    fn progress(&self, _: Phase, _: f64) {}
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("{constraints} constraints and 4 consistency rows exceed the largest domain, of 2²⁸ points")]
    TooManyConstraints { constraints: usize },
    #[error("key generation failed")]
    Generator(#[from] SynthesisError),
    #[error("the generated key is unusable")]
    Defect(#[from] KeyDefect),
}

/// The secrets of a setup. Erased when dropped; copies that the generator makes on its own stack are out of reach.
struct Trapdoor {
    alpha: F,
    beta: F,
    gamma: F,
    delta: F,
    sigma: F,
}

impl Trapdoor {
    fn sample() -> Self {
        let secret = || loop {
            // Zero would put a point at infinity, one is σ = 1; both are as likely as any other value.
            let f = F::rand(&mut OsRng);
            if f != F::zero() && f != F::one() {
                break f;
            }
        };
        Self { alpha: secret(), beta: secret(), gamma: secret(), delta: secret(), sigma: secret() }
    }
}

impl Drop for Trapdoor {
    fn drop(&mut self) {
        [&mut self.alpha, &mut self.beta, &mut self.gamma, &mut self.delta, &mut self.sigma]
            .into_iter()
            .for_each(Zeroize::zeroize);
    }
}

/// A recording of operating-system randomness. The generator draws the point t itself and does not return it, but the
/// commitment's bases depend on t too: so t is drawn from a tape, which is rewound and then given to the generator.
#[derive(Default)]
pub(crate) struct Tape {
    pub(crate) words: Zeroizing<Vec<u64>>,
    pub(crate) at: usize,
}

impl RngCore for Tape {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        if self.at == self.words.len() {
            self.words.push(OsRng.next_u64());
        }
        self.at += 1;
        self.words[self.at - 1]
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Tape {}

/// Makes the keys of a circuit.
///
/// Time: a few seconds for 2¹⁸ constraints on two cores. The generator holds the constraints a second time while it runs.
pub fn setup(circuit: Recorded, observer: &dyn Observer) -> Result<ProvingKey, SetupError> {
    let too_many = || SetupError::TooManyConstraints { constraints: circuit.shape().constraints };
    let domain = qap::domain(circuit.shape().constraints).ok_or_else(too_many)?;
    let trapdoor = Trapdoor::sample();
    let (mut t, mut tape) =
        evaluation_point(circuit.shape(), &domain, Tape::default()).ok_or_else(too_many)?;

    // t must be the first thing that the generator draws, as it is because all other secrets are handed to it. If it drew
    // another, the bases below would not be multiples by σ of the generator's, and assemble() would refuse them.
    observer.progress(Phase::Generate, 0.0);
    let ark = Groth16::<Bn254, CommittedReduction>::generate_parameters_with_qap(
        Replay(&circuit),
        trapdoor.alpha,
        trapdoor.beta,
        trapdoor.gamma,
        trapdoor.delta,
        G1Projective::generator(),
        G2Affine::generator().into_group(),
        &mut tape,
    )?;
    observer.progress(Phase::Generate, 1.0);

    observer.progress(Phase::Commitment, 0.0);
    let sigma2 = (G2Affine::generator() * trapdoor.sigma).into_affine();
    let committed_sigma = sigma_multiples(&circuit, &domain, t, &trapdoor)?;
    // Nothing below needs a secret: they are erased before the key exists.
    t.zeroize();
    drop((trapdoor, tape));
    let key = assemble(ark, sigma2, committed_sigma, circuit)?;
    observer.progress(Phase::Commitment, 1.0);
    Ok(key)
}

/// The point t at which a key holds the polynomials of its circuit, and a tape from which the generator draws the same t.
///
/// t must not be in the domain of the circuit: tⁿ − 1 would be zero, and h would vanish from the verifier's equation. The
/// generator only makes sure that t is outside a domain of its own, a power of two that holds a row for every instance
/// variable; one of 3·2ᵏ points is no part of that. So t is checked here, and all randomness is drawn anew if it is inside.
pub(crate) fn evaluation_point(shape: Shape, domain: &Domain, mut tape: Tape) -> Option<(F, Tape)> {
    let generators_own = GeneralEvaluationDomain::<F>::new(shape.constraints.checked_add(shape.instance())?)?;
    loop {
        let t = generators_own.sample_element_outside_domain(&mut tape);
        if !domain.vanishing(t).is_zero() {
            tape.at = 0;
            return Some((t, tape));
        }
        tape = Tape::default();
    }
}

/// σ·Kⱼ/γ for all committed wires, from the logarithms of Kⱼ: 20 additions each by a table of the generator.
fn sigma_multiples(
    circuit: &Recorded,
    domain: &Domain,
    t: F,
    trapdoor: &Trapdoor,
) -> Result<Vec<G1Affine>, SetupError> {
    // evaluation_point() has made sure of the first, sample() of the second.
    let (Some(lagrange), Some(gamma_inverse)) = (domain.lagrange(t), trapdoor.gamma.inverse()) else {
        return Err(SynthesisError::DivisionByZero.into());
    };
    let lagrange = Zeroizing::new(lagrange);
    let mut scalars =
        Zeroizing::new(qap::committed_scalars(circuit, &lagrange, trapdoor.alpha, trapdoor.beta));
    let factor = Zeroizing::new(trapdoor.sigma * gamma_inverse);
    scalars.iter_mut().for_each(|k| *k *= &*factor);
    Ok(BatchMulPreprocessing::new(G1Projective::generator(), scalars.len()).batch_mul(&scalars))
}

fn assemble(
    ark: ArkKey<Bn254>,
    sigma2: G2Affine,
    committed_sigma: Vec<G1Affine>,
    circuit: Recorded,
) -> Result<ProvingKey, SetupError> {
    let (public, committed) = ark.vk.gamma_abc_g1.split_at(NUM_PUBLIC as usize);
    let mut ic = [G1Affine::identity(); NUM_PUBLIC as usize];
    ic.copy_from_slice(public);
    let vk = VerifyingKey {
        alpha1: ark.vk.alpha_g1,
        beta2: ark.vk.beta_g2,
        gamma2: ark.vk.gamma_g2,
        delta2: ark.vk.delta_g2,
        sigma2,
        ic,
    };
    vk.check()?;
    check_commitment(committed, &committed_sigma, sigma2)?;
    let b2 = Query::new(ark.b_g2_query);
    let b1 = b2.columns.iter().map(|&c| ark.b_g1_query[c as usize]).collect();
    Ok(ProvingKey {
        vk,
        circuit,
        beta1: ark.beta_g1,
        delta1: ark.delta_g1,
        a: Query::new(ark.a_query),
        b1,
        b2,
        l: Query::new(ark.l_query),
        h: ark.h_query,
        committed: Query::new(committed.to_vec()),
        committed_sigma: committed_sigma.into_iter().filter(|p| !p.is_zero()).collect(),
    })
}

/// e(Σ cⱼ·Kⱼ/γ, σ·G₂) = e(Σ cⱼ·σKⱼ/γ, G₂) for random 64-bit cⱼ: the logarithms computed here are those of the generator.
fn check_commitment(bases: &[G1Affine], multiples: &[G1Affine], sigma2: G2Affine) -> Result<(), KeyDefect> {
    let coefficients: Vec<_> = bases.iter().map(|_| BigInt::from(OsRng.next_u64())).collect();
    let left = G1Projective::msm_bigint(bases, &coefficients);
    let right = G1Projective::msm_bigint(multiples, &coefficients);
    let product = Bn254::multi_pairing([left, -right], [sigma2, G2Affine::generator()]);
    let matched = bases.iter().zip(multiples).all(|(k, s)| k.is_zero() == s.is_zero());
    if matched && product.0 == Field::ONE { Ok(()) } else { Err(KeyDefect::CommitmentBases) }
}
