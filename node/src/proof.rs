//! What the stages ask of a prover.

use alloy_primitives::{Address, U256};
use async_trait::async_trait;
use cairn_protocol::{batch::PublicInput, leaf::field_to_b256, resources::Rows, witness::BatchWitness};

use crate::config::ProofMode;

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
    pub shape_id: u32,
    pub words: ProofWords,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("batch {batch} fits no shape")]
    NoShape { batch: u64 },
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

    /// What the largest shape holds: batches are cut to it.
    fn capacity(&self) -> Rows;

    /// The verifiers that L1 needs, by shape id.
    fn verifiers(&self) -> Vec<(u32, VerifierSpec)>;

    /// Proves that `witness` leads where it says, for a verification that `aggregator` sends.
    ///
    /// # Errors
    /// See [`ProofError`].
    async fn prove(&self, witness: BatchWitness, aggregator: Address) -> Result<BatchProof, ProofError>;

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

    fn capacity(&self) -> Rows {
        self.capacity
    }

    fn verifiers(&self) -> Vec<(u32, VerifierSpec)> {
        vec![(0, VerifierSpec::Mock)]
    }

    async fn prove(&self, witness: BatchWitness, aggregator: Address) -> Result<BatchProof, ProofError> {
        Ok(Self::proof(&witness.public_input(aggregator)))
    }

    fn assert(&self, statement: &PublicInput) -> Option<BatchProof> {
        Some(Self::proof(statement))
    }
}

impl MockEngine {
    fn proof(statement: &PublicInput) -> BatchProof {
        let mut words = ProofWords::default();
        words[0] = U256::from_be_bytes(field_to_b256(statement.to_field()).0);
        BatchProof { shape_id: 0, words }
    }
}
