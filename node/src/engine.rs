//! The real prover as the stages see it: one key a shape, one proof at a time.

use std::{path::Path, sync::Arc};

use alloy_primitives::Address;
use async_trait::async_trait;
use cairn_circuits::batch::{Assignment, BatchError};
use cairn_protocol::{
    resources::Rows,
    witness::{BatchWitness, WitnessAccessError},
};
use cairn_prover::{KeyFileError, Observer, ProveError, VerifyError, prove, verify};
use cairn_sequencer::shapes::{ListedShape, ShapeId, Shapes, ShapesError};
use tokio::sync::Mutex;

use crate::{
    config::ProofMode,
    keys::KeyRing,
    proof::{BatchProof, ProofEngine, ProofError, VerifierSpec},
    shapes::{self, ShapeSpec},
};

/// Why a batch has no proof.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("there is no key of shape {shape}: it is not in prover.shapes, or is not made yet")]
    NoKey { shape: String },
    #[error("the witness contradicts itself: {0}")]
    Witness(#[from] WitnessAccessError),
    /// The batch uses more than its counters say, by which the shape was chosen, or cannot be proven at all.
    #[error("in shape {shape}: {source}")]
    Batch { shape: String, source: BatchError },
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error("the new proof does not verify: {0}")]
    Verify(#[from] VerifyError),
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Shapes(#[from] ShapesError),
    #[error(transparent)]
    Keys(#[from] KeyFileError),
}

/// Groth16 in some shapes.
pub struct Groth16Engine {
    shapes: Shapes,
    keys: Arc<KeyRing>,
    /// A proof takes all cores: one at a time.
    busy: Mutex<()>,
}

impl Groth16Engine {
    /// An engine whose keys are not there yet.
    ///
    /// # Errors
    /// If these are no shapes to choose from.
    pub fn new(specs: &[ShapeSpec], keys_dir: &Path) -> Result<Self, ShapesError> {
        let (shapes, keys) = (shapes::list(specs)?, Arc::new(KeyRing::new(specs, keys_dir)));
        Ok(Self { shapes, keys, busy: Mutex::new(()) })
    }

    /// An engine with every key, for whoever deploys their verifiers all at once. Makes those that are missing.
    ///
    /// # Errors
    /// If these are no shapes to choose from, or a key cannot be made, read or written.
    pub fn load(specs: &[ShapeSpec], keys_dir: &Path, observer: &dyn Observer) -> Result<Self, LoadError> {
        let engine = Self::new(specs, keys_dir)?;
        for shape in engine.shapes.iter() {
            engine.keys.make(shape.id, observer)?;
            engine.keys.set_usable(shape.id);
        }
        Ok(engine)
    }
}

fn prove_batch(
    keys: &KeyRing,
    id: ShapeId,
    witness: &BatchWitness,
    aggregator: Address,
) -> Result<BatchProof, ProofError> {
    let (batch, shape) = (witness.batch_number, shapes::name(id));
    let failed = |e: EngineError| ProofError::Engine { batch, source: Box::new(e) };
    let (circuit, key) = keys.get(id).ok_or_else(|| failed(EngineError::NoKey { shape: shape.clone() }))?;
    witness.check_accesses().map_err(|e| failed(e.into()))?;
    let assignment = Assignment::new(&circuit.shape, witness, aggregator)
        .map_err(|source| failed(EngineError::Batch { shape: shape.clone(), source }))?;
    let proven = prove(key, &circuit, &assignment).map_err(|e| failed(e.into()))?;
    if proven.public_input != witness.public_input(aggregator).to_field() {
        return Err(ProofError::DoesNotVerify { batch });
    }
    verify(&key.vk, proven.public_input, &proven.proof).map_err(|e| failed(e.into()))?;
    tracing::debug!(batch, shape, stats = ?proven.stats, "proof");
    Ok(BatchProof { shape_id: id, words: proven.proof.words() })
}

#[async_trait]
impl ProofEngine for Groth16Engine {
    fn mode(&self) -> ProofMode {
        ProofMode::Groth16
    }

    fn shapes(&self) -> Shapes {
        self.shapes.clone()
    }

    fn verifiers(&self) -> Vec<(ShapeId, VerifierSpec)> {
        let spec =
            |(id, key): (_, &cairn_prover::ProvingKey)| (id, VerifierSpec::Groth16(Box::new(key.vk.words())));
        self.keys.present().map(spec).collect()
    }

    fn keys(&self) -> Option<Arc<KeyRing>> {
        Some(Arc::clone(&self.keys))
    }

    /// While the key of the smallest shape is not usable, a larger shape whose key is serves as well.
    async fn choose(&self, batch: u64, counters: &Rows, leaves: u64) -> Result<ShapeId, ProofError> {
        let none = |source| ProofError::NoShape { batch, source };
        let smallest = self.shapes.smallest_that_fits(counters, leaves).map_err(none)?;
        let fits = |shape: &&ListedShape| shape.room.fits(counters, leaves).is_ok();
        let fitting: Vec<ShapeId> = self.shapes.iter().filter(fits).map(|shape| shape.id).collect();
        let (shape, shape_id) = (&smallest.name, smallest.id);
        let wait = || {
            let key = self.keys.state(shape_id);
            tracing::warn!(batch, shape, %shape_id, %key, "the batch waits for the key of a shape that it fits");
        };
        let chosen = self.keys.first_usable(&fitting, wait).await;
        if chosen != shape_id {
            let instead = shapes::name(chosen);
            tracing::info!(
                batch,
                shape,
                instead,
                "a larger shape: the key of the smallest is not usable yet"
            );
        }
        Ok(chosen)
    }

    async fn prove(
        &self,
        shape: ShapeId,
        witness: BatchWitness,
        aggregator: Address,
    ) -> Result<BatchProof, ProofError> {
        let _turn = self.busy.lock().await;
        let keys = Arc::clone(&self.keys);
        let batch = witness.batch_number;
        let task = tokio::task::spawn_blocking(move || prove_batch(&keys, shape, &witness, aggregator));
        task.await.map_err(|e| ProofError::Engine { batch, source: Box::new(e) })?
    }
}
