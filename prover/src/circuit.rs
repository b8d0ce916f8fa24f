//! What a circuit is to the prover, and its replay into an ark constraint system for key generation.

use alloy_primitives::{B256, Keccak256};
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use cairn_circuits::{
    F,
    cs::{Cs, Matrices, Matrix, Mode, NUM_PUBLIC, WireId},
    lookup::{argument, challenge::Challenges},
};

/// Separates the digest of circuits from every other hash, and versions what it covers.
const DIGEST_DOMAIN: &[u8] = b"cairn.circuit.v1";

/// A circuit: one synthesis for key generation and for proving.
pub trait Circuit {
    /// What fixes the values of all wires.
    type Witness;

    /// Runs all machines and closes the fixed tables, in the given mode, with the lookup argument left open (the
    /// challenges do not exist yet). Without a witness, in [`Mode::Record`], only the structure counts; the structure
    /// must not depend on the witness.
    fn synthesize(&self, mode: Mode, witness: Option<&Self::Witness>) -> Cs;

    /// The structure: matrices with the lookup argument closed.
    fn record(&self) -> Recorded {
        let mut cs = self.synthesize(Mode::Record, None);
        argument::close(&mut cs, Challenges { rho: F::zero(), alpha: F::zero() });
        Recorded::new(cs)
    }
}

/// Numbers of constraints and wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the matrices.
    pub constraints: usize,
    /// Committed wires.
    pub committed: usize,
    /// Ordinary wires, those of the lookup argument included.
    pub witness: usize,
}

impl Shape {
    /// Constant, x, ρ, α and committed wires.
    #[must_use]
    pub fn instance(&self) -> usize {
        NUM_PUBLIC as usize + self.committed
    }

    /// Length of the assignment z.
    #[must_use]
    pub fn wires(&self) -> usize {
        self.instance() + self.witness
    }
}

/// The structure of a circuit.
#[derive(Debug)]
pub struct Recorded {
    matrices: Matrices,
    shape: Shape,
    digest: B256,
}

impl Recorded {
    /// Takes the structure out of a recording synthesis whose lookup argument is closed.
    #[must_use]
    pub fn new(cs: Cs) -> Self {
        let (committed, witness) = (cs.committed().len(), cs.witness_values().len());
        let matrices = cs.into_matrices();
        let shape = Shape { constraints: matrices.num_constraints(), committed, witness };
        let digest = digest(&matrices, &shape);
        Self { matrices, shape, digest }
    }

    /// A, B, C.
    #[must_use]
    pub fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// Numbers of constraints and wires.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// keccak256 over shape, matrices and coefficients; the names of constraints do not enter.
    #[must_use]
    pub fn digest(&self) -> B256 {
        self.digest
    }
}

/// Every part is preceded by its length, so that no two structures have the same encoding. Coefficients are interned in
/// order of appearance, so equal circuits encode equally.
fn digest(matrices: &Matrices, shape: &Shape) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(DIGEST_DOMAIN);
    for n in [NUM_PUBLIC as usize, shape.constraints, shape.committed, shape.witness, matrices.coeffs.len()] {
        hash.update((n as u64).to_le_bytes());
    }
    for c in &matrices.coeffs {
        hash.update(c.into_bigint().to_bytes_le());
    }
    let parts = [&matrices.a, &matrices.b, &matrices.c].map(|m| hash_matrix(m, shape.instance()));
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}

fn hash_matrix(m: &Matrix, num_instance: usize) -> B256 {
    let columns: Vec<u32> = m.wires.iter().map(|w| w.column(num_instance) as u32).collect();
    let (starts, (columns, coeffs)) = rayon::join(
        || hash_u32s(&m.row_starts),
        || rayon::join(|| hash_u32s(&columns), || hash_u32s(&m.coeffs)),
    );
    let mut hash = Keccak256::new();
    [starts, columns, coeffs].iter().for_each(|part| hash.update(part));
    hash.finalize()
}

fn hash_u32s(values: &[u32]) -> B256 {
    let mut hash = Keccak256::new();
    hash.update((values.len() as u64).to_le_bytes());
    let mut buffer = Vec::with_capacity(1 << 16);
    for chunk in values.chunks(1 << 14) {
        buffer.clear();
        chunk.iter().for_each(|v| buffer.extend_from_slice(&v.to_le_bytes()));
        hash.update(&buffer);
    }
    hash.finalize()
}

/// Replays the matrices into an ark constraint system. For key generation only: no values.
pub(crate) struct Replay<'a>(pub &'a Recorded);

impl ConstraintSynthesizer<F> for Replay<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        let Recorded { matrices, shape, .. } = self.0;
        for _ in 1..shape.instance() {
            let _variable = cs.new_input_variable(|| Err(SynthesisError::AssignmentMissing))?;
        }
        for _ in 0..shape.witness {
            let _variable = cs.new_witness_variable(|| Err(SynthesisError::AssignmentMissing))?;
        }
        for i in 0..shape.constraints {
            let row = |m: &Matrix| {
                let terms = m.row(i).map(|(wire, c)| (matrices.coeffs[c as usize], variable(wire)));
                LinearCombination(terms.collect())
            };
            cs.enforce_r1cs_constraint(|| row(&matrices.a), || row(&matrices.b), || row(&matrices.c))?;
        }
        Ok(())
    }
}

fn variable(wire: WireId) -> Variable {
    match (wire.instance_index(), wire.witness_index()) {
        (Some(0), _) => Variable::One,
        (Some(i), _) => Variable::instance(i as usize),
        (_, Some(i)) => Variable::witness(i as usize),
        (None, None) => Variable::Zero,
    }
}
