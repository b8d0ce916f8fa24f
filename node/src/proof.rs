//! What the stages ask of a prover.

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use async_trait::async_trait;
use cairn_protocol::{
    batch::PublicInput, constants::TREE_CAPACITY, leaf::field_to_b256, resources::Rows, witness::BatchWitness,
};
use cairn_sequencer::shapes::{ListedShape, NoShape, Room, ShapeId, Shapes};

use crate::{config::ProofMode, keys::KeyRing, shapes};

/// Words of a verifying key as the verifier contract takes them.
pub type VerifyingKeyWords = [U256; cairn_contracts::VERIFYING_KEY_WORDS];

/// The verifier of one circuit shape, as a deployment needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifierSpec {
    /// Proves nothing; refuses to deploy but on development chains.
    Mock,
    /// Groth16 with this verifying key.
    Groth16(Box<VerifyingKeyWords>),
}

/// The twelve words of a proof as the verifier contract takes them.
pub type ProofWords = [U256; 12];

/// A proof of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchProof {
    /// Names the verifier on L1.
    pub shape_id: ShapeId,
    pub words: ProofWords,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("batch {batch}: {source}")]
    NoShape { batch: u64, source: NoShape },
    #[error("batch {batch}: {source}")]
    Engine { batch: u64, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("batch {batch}: the new proof does not verify")]
    DoesNotVerify { batch: u64 },
}

/// Makes proofs. An engine verifies each proof before it returns it.
#[async_trait]
pub trait ProofEngine: Send + Sync {
    /// Whether it proves.
    fn mode(&self) -> ProofMode;

    /// The shapes that it proves in. Batches are cut to the largest.
    fn shapes(&self) -> Shapes;

    /// The verifiers that L1 needs, of the shapes whose keys are there.
    fn verifiers(&self) -> Vec<(ShapeId, VerifierSpec)>;

    /// The keys that are loaded and made while the node runs; none if none are needed.
    fn keys(&self) -> Option<Arc<KeyRing>> {
        None
    }

    /// The smallest usable shape that has room for a batch with these counters that leaves the state tree with `leaves`
    /// leaves. Waits until there is one.
    ///
    /// # Errors
    /// If the batch fits none, whatever becomes usable.
    async fn choose(&self, batch: u64, counters: &Rows, leaves: u64) -> Result<ShapeId, ProofError> {
        let shapes = self.shapes();
        let chosen = shapes.smallest_that_fits(counters, leaves);
        chosen.map(|shape| shape.id).map_err(|source| ProofError::NoShape { batch, source })
    }

    /// Proves in a shape that `witness` leads where it says, for a verification that `aggregator` sends.
    ///
    /// # Errors
    /// See [`ProofError`].
    async fn prove(
        &self,
        shape: ShapeId,
        witness: BatchWitness,
        aggregator: Address,
    ) -> Result<BatchProof, ProofError>;

    /// What stands for a proof of `statement` without a witness; None where there is no proof without one.
    fn assert(&self, _statement: &PublicInput) -> Option<BatchProof> {
        None
    }
}

/// Proves nothing: a proof is its own public input, which `MockVerifier` compares. Opt-in, for development chains.
#[derive(Clone, Debug)]
pub struct MockEngine {
    pub capacity: Rows,
}

#[async_trait]
impl ProofEngine for MockEngine {
    fn mode(&self) -> ProofMode {
        ProofMode::Mock
    }

    fn shapes(&self) -> Shapes {
        let room = Room { capacity: self.capacity, positions: TREE_CAPACITY };
        Shapes::single(ListedShape { id: shapes::MOCK, name: shapes::name(shapes::MOCK), room })
    }

    fn verifiers(&self) -> Vec<(ShapeId, VerifierSpec)> {
        vec![(shapes::MOCK, VerifierSpec::Mock)]
    }

    async fn prove(
        &self,
        shape: ShapeId,
        witness: BatchWitness,
        aggregator: Address,
    ) -> Result<BatchProof, ProofError> {
        Ok(BatchProof { shape_id: shape, ..Self::proof(&witness.public_input(aggregator)) })
    }

    fn assert(&self, statement: &PublicInput) -> Option<BatchProof> {
        Some(Self::proof(statement))
    }
}

impl MockEngine {
    fn proof(statement: &PublicInput) -> BatchProof {
        let mut words = ProofWords::default();
        words[0] = U256::from_be_bytes(field_to_b256(statement.to_field()).0);
        BatchProof { shape_id: shapes::MOCK, words }
    }
}
