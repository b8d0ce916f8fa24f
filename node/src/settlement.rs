//! What the stages ask of L1.

use std::error::Error;

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use cairn_protocol::batch::BatchData;
use cairn_sequencer::shapes::ShapeId;
use serde::{Deserialize, Serialize};

use crate::{
    proof::{BatchProof, VerifierSpec},
    shapes,
};

/// Why L1 did not do something.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// L1 does not answer: the same call may succeed later.
    #[error("L1 is not available: {source}")]
    Unavailable { source: Box<dyn Error + Send + Sync> },
    /// A contract said no; nothing is in flight.
    #[error("L1 refuses: {source}")]
    Refused { source: Box<dyn Error + Send + Sync> },
    /// A fault of this node or of its configuration.
    #[error("L1 client: {source}")]
    Fault { source: Box<dyn Error + Send + Sync> },
    #[error("the node is shutting down")]
    Cancelled,
}

/// What L1 knows of the rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupStatus {
    pub last_sequenced: u64,
    pub last_verified: u64,
    pub chain_id: u64,
    pub trusted_aggregator: Address,
}

/// What a verification claims of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBatch {
    pub state_root: B256,
    pub acc_input_hash: B256,
    pub local_exit_root: B256,
    pub proof: BatchProof,
}

/// Two kinds of L1 transactions; of each at most one is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    Sequence,
    Verify,
}

/// A range of batches that L1 accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub first_batch: u64,
    pub last_batch: u64,
    pub l1_tx_hash: B256,
    pub gas_used: u64,
}

/// A global exit root that L1 recorded, and the roots of the two exit trees that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRootUpdate {
    pub global_exit_root: B256,
    pub mainnet_exit_root: B256,
    pub rollup_exit_root: B256,
    /// L1's block.
    pub block_number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
}

/// Where the rollup is on L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contracts {
    pub l1_chain_id: u64,
    pub zkevm: Address,
    pub global_exit_root: Address,
    /// In the order in which they were added.
    pub verifiers: Vec<Verifier>,
}

/// What accepts the proofs of a shape on L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifier {
    pub shape_id: ShapeId,
    /// The shape's name.
    pub shape: String,
    pub address: Address,
    /// Of its verifying key.
    #[serde(skip)]
    pub vk_digest: B256,
}

/// This node may not add verifiers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rollup has no verifier for shape {shape} (id {id}), and this node is not its admin: have the admin add it \
     (addVerifier), or take the shape out of prover.shapes"
)]
pub struct NoVerifier {
    pub id: ShapeId,
    pub shape: String,
}

/// The rollup on L1. An implementation records an L1 transaction before it sends it, and keeps the record until it is
/// acknowledged, so that a transaction is neither lost nor sent twice when the process dies in between.
#[async_trait]
pub trait Settlement: Send + Sync {
    /// Where it is; none if it is no contract.
    fn contracts(&self) -> Option<Contracts> {
        None
    }

    /// The verifier of a shape, none if L1 has none yet.
    ///
    /// # Errors
    /// See [`SettlementError`]; so below.
    async fn verifier(&self, _shape: ShapeId) -> Result<Option<Verifier>, SettlementError> {
        Ok(None)
    }

    /// Gives the rollup the verifier of a shape that has none. A call after a crash makes another one, or finds the first.
    async fn add_verifier(&self, shape: ShapeId, _: VerifierSpec) -> Result<Verifier, SettlementError> {
        let source = NoVerifier { id: shape, shape: shapes::name(shape) };
        Err(SettlementError::Fault { source: source.into() })
    }

    /// What L1 knows.
    async fn status(&self) -> Result<RollupStatus, SettlementError>;

    /// The accumulated hash where a sequence ends at `batch`, zero elsewhere.
    async fn acc_input_hash(&self, batch: u64) -> Result<B256, SettlementError>;

    /// The verified state root where a verification ends at `batch`, zero elsewhere.
    async fn state_root(&self, batch: u64) -> Result<B256, SettlementError>;

    /// The global exit root that the next batch brings to L2, zero if it brings none.
    async fn global_exit_root(&self) -> Result<B256, SettlementError>;

    /// Updates of the global exit root that are final enough, from L1's block `from` on, and the block to ask from the next
    /// time; none where there is no such contract. Some that were given before may be given again.
    async fn exit_root_updates(&self, from: u64) -> Result<(Vec<ExitRootUpdate>, u64), SettlementError> {
        Ok((Vec::new(), from))
    }

    /// Price of gas on L1, in wei.
    async fn gas_price_wei(&self) -> Result<u128, SettlementError>;

    /// Finishes what an earlier run left in flight, or what was not acknowledged.
    async fn resume(&self, lane: Lane) -> Result<Option<Settled>, SettlementError>;

    /// Posts batches from `first_batch` on and waits until L1 has accepted them. Nothing may be in flight.
    async fn sequence(
        &self,
        first_batch: u64,
        batches: Vec<BatchData>,
        coinbase: Address,
    ) -> Result<Settled, SettlementError>;

    /// Verifies the batches after `init` and waits until L1 has accepted them. Nothing may be in flight.
    async fn verify(&self, init: u64, batches: Vec<VerifiedBatch>) -> Result<Settled, SettlementError>;

    /// The result is written down: the record of its transaction may go.
    async fn acknowledge(&self, lane: Lane, settled: &Settled) -> Result<(), SettlementError>;
}
