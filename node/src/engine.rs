//! The real prover as the stages see it: one key a shape, one proof at a time.

use std::{path::Path, sync::Arc};

use alloy_primitives::Address;
use async_trait::async_trait;
use cairn_circuits::batch::{Assignment, BatchError, Shape};
use cairn_protocol::{
    resources::Rows,
    witness::{BatchWitness, WitnessAccessError},
};
use cairn_prover::{
    BatchCircuit, Circuit, KeyFileError, Observer, ProveError, ProvingKey, VerifyError, load_or_setup, prove,
    verify,
};
use tokio::sync::Mutex;

use crate::{
    config::ProofMode,
    proof::{BatchProof, ProofEngine, ProofError, VerifierSpec},
};

/// Why a batch has no proof.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the witness contradicts itself: {0}")]
    Witness(#[from] WitnessAccessError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error("the new proof does not verify: {0}")]
    Verify(#[from] VerifyError),
}

struct ShapeKey {
    circuit: BatchCircuit,
    key: ProvingKey,
}

/// Groth16 with the keys of some shapes, smallest first; the position of a shape is its id on L1.
pub struct Groth16Engine {
    shapes: Arc<Vec<ShapeKey>>,
    /// A proof takes all cores: one at a time.
    busy: Mutex<()>,
}

impl Groth16Engine {
    /// Loads the keys of shapes for these numbers of transfers from `keys_dir`, and makes those that are missing.
    ///
    /// # Errors
    /// If a key cannot be made, read or written.
    pub fn load(transfers: &[usize], keys_dir: &Path, observer: &dyn Observer) -> Result<Self, KeyFileError> {
        let mut sorted = transfers.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let shapes = sorted
            .into_iter()
            .map(|n| {
                let circuit = BatchCircuit { shape: Shape::transfers(n) };
                let key = load_or_setup(keys_dir, circuit.record(), observer)?;
                Ok(ShapeKey { circuit, key })
            })
            .collect::<Result<Vec<_>, KeyFileError>>()?;
        Ok(Self { shapes: Arc::new(shapes), busy: Mutex::new(()) })
    }
}

/// The smallest shape that the batch fits, with its rows; the error of the largest if it fits none.
fn assign(
    shapes: &[ShapeKey],
    witness: &BatchWitness,
    aggregator: Address,
) -> Option<Result<(usize, Assignment), BatchError>> {
    let mut last = None;
    for (id, shape) in shapes.iter().enumerate() {
        match Assignment::new(&shape.circuit.shape, witness, aggregator) {
            Ok(assignment) => return Some(Ok((id, assignment))),
            Err(error) => last = Some(Err(error)),
        }
    }
    last
}

fn prove_batch(
    shapes: &[ShapeKey],
    witness: &BatchWitness,
    aggregator: Address,
) -> Result<BatchProof, ProofError> {
    let batch = witness.batch_number;
    let failed = |e: EngineError| ProofError::Engine { batch, source: Box::new(e) };
    witness.check_accesses().map_err(|e| failed(e.into()))?;
    let (id, assignment) = assign(shapes, witness, aggregator)
        .ok_or(ProofError::NoShape { batch })?
        .map_err(|e| failed(e.into()))?;
    let shape = &shapes[id];
    let proven = prove(&shape.key, &shape.circuit, &assignment).map_err(|e| failed(e.into()))?;
    if proven.public_input != witness.public_input(aggregator).to_field() {
        return Err(ProofError::DoesNotVerify { batch });
    }
    verify(&shape.key.vk, proven.public_input, &proven.proof).map_err(|e| failed(e.into()))?;
    tracing::debug!(batch, shape = id, stats = ?proven.stats, "proof");
    // There are fewer than 2³² shapes: each has a key in memory.
    Ok(BatchProof { shape_id: id as u32, words: proven.proof.words() })
}

#[async_trait]
impl ProofEngine for Groth16Engine {
    fn mode(&self) -> ProofMode {
        ProofMode::Groth16
    }

    fn capacity(&self) -> Rows {
        self.shapes.last().map_or(Rows::ZERO, |largest| largest.circuit.shape.capacity)
    }

    fn verifiers(&self) -> Vec<(u32, VerifierSpec)> {
        let specs = self.shapes.iter().map(|s| VerifierSpec::Groth16(Box::new(s.key.vk.words())));
        (0u32..).zip(specs).collect()
    }

    async fn prove(&self, witness: BatchWitness, aggregator: Address) -> Result<BatchProof, ProofError> {
        let _turn = self.busy.lock().await;
        let shapes = Arc::clone(&self.shapes);
        let batch = witness.batch_number;
        let task = tokio::task::spawn_blocking(move || prove_batch(&shapes, &witness, aggregator));
        task.await.map_err(|e| ProofError::Engine { batch, source: Box::new(e) })?
    }
}
