//! [`Settlement`] by the rollup contract: one account sequences, one verifies, and its admin, if this node is it, adds the
//! verifiers of new shapes.

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use cairn_protocol::batch::BatchData;
use cairn_sequencer::shapes::ShapeId;

use crate::{
    l1::{
        client::At,
        deploy::{DeployError, DeployedVerifier, add_verifier},
        error::RequestError,
        exit_roots::ExitRootContract,
        rollup::{BatchProofWords, Rollup},
        sender::{Job, SendError, Sender},
        store::{SendStore, Sent},
    },
    proof::VerifierSpec,
    settlement::{
        Contracts, ExitRootUpdate, Lane, NoVerifier, RollupStatus, Settled, Settlement, SettlementError,
        VerifiedBatch, Verifier,
    },
    shapes,
    storage::Storage,
};

/// See the module.
pub struct RollupSettlement {
    pub rollup: Rollup,
    pub exit_roots: ExitRootContract,
    pub contracts: Contracts,
    pub l2_chain_id: u64,
    pub sequencer: Sender,
    pub aggregator: Sender,
    /// The rollup's admin, who adds verifiers; none if that is somebody else.
    pub admin: Option<Sender>,
    /// Where the senders keep their records.
    pub records: Storage,
}

fn fault(e: impl std::error::Error + Send + Sync + 'static) -> SettlementError {
    SettlementError::Fault { source: Box::new(e) }
}

impl From<RequestError> for SettlementError {
    fn from(e: RequestError) -> Self {
        match e {
            RequestError::Timeout { .. } | RequestError::Transport { .. } | RequestError::Refused { .. } => {
                Self::Unavailable { source: Box::new(e) }
            }
            RequestError::Reverted { .. } => Self::Refused { source: Box::new(e) },
            RequestError::Url { .. } | RequestError::Answer { .. } => fault(e),
        }
    }
}

impl From<SendError> for SettlementError {
    fn from(e: SendError) -> Self {
        match e {
            SendError::Request(e) => e.into(),
            SendError::WouldRevert { .. } | SendError::Reverted { .. } | SendError::NonceTaken { .. } => {
                Self::Refused { source: Box::new(e) }
            }
            // Fees above the cap and an empty account pass when somebody helps.
            SendError::Fees(_) | SendError::InsufficientFunds { .. } => {
                Self::Unavailable { source: Box::new(e) }
            }
            SendError::Store(_)
            | SendError::Sign(_)
            | SendError::JobMismatch { .. }
            | SendError::NotRecorded { .. }
            | SendError::NonceUnexpected { .. } => fault(e),
        }
    }
}

impl From<DeployedVerifier> for Verifier {
    fn from(deployed: DeployedVerifier) -> Self {
        let DeployedVerifier { shape_id, address, vk_digest } = deployed;
        let shape_id = ShapeId(shape_id);
        Self { shape_id, shape: shapes::name(shape_id), address, vk_digest }
    }
}

/// Job names are `sequence:3-5` and `verify:3-5`.
const fn prefix(lane: Lane) -> &'static str {
    match lane {
        Lane::Sequence => "sequence:",
        Lane::Verify => "verify:",
    }
}

fn range(lane: Lane, job: &str) -> Option<(u64, u64)> {
    let (first, last) = job.strip_prefix(prefix(lane))?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

impl RollupSettlement {
    const fn sender(&self, lane: Lane) -> &Sender {
        match lane {
            Lane::Sequence => &self.sequencer,
            Lane::Verify => &self.aggregator,
        }
    }

    /// Waits for a recorded job. One that ended without effect is forgotten, so that its name is free for another try.
    async fn finish(&self, lane: Lane, job: &str, range: (u64, u64)) -> Result<Settled, SettlementError> {
        match self.sender(lane).follow(job).await {
            Ok(Sent { hash, gas_used, .. }) => {
                let (first_batch, last_batch) = range;
                Ok(Settled { first_batch, last_batch, l1_tx_hash: hash, gas_used })
            }
            Err(e @ (SendError::Reverted { .. } | SendError::NonceTaken { .. })) => {
                self.sender(lane).forget(job).map_err(fault)?;
                Err(e.into())
            }
            Err(e) => Err(e.into()),
        }
    }

    async fn send(&self, lane: Lane, job: &Job, range: (u64, u64)) -> Result<Settled, SettlementError> {
        self.sender(lane).record(job).await?;
        self.finish(lane, &job.name, range).await
    }
}

#[async_trait]
impl Settlement for RollupSettlement {
    fn contracts(&self) -> Option<Contracts> {
        Some(self.contracts.clone())
    }

    async fn verifier(&self, shape: ShapeId) -> Result<Option<Verifier>, SettlementError> {
        Ok(self.rollup.verifier(shape.0, At::Latest).await?.map(Verifier::from))
    }

    async fn add_verifier(&self, shape: ShapeId, spec: VerifierSpec) -> Result<Verifier, SettlementError> {
        let Some(admin) = &self.admin else {
            return Err(fault(NoVerifier { id: shape, shape: shapes::name(shape) }));
        };
        match add_verifier(admin, &self.rollup, shape.0, &spec.into()).await {
            Ok(added) => Ok(added.into()),
            Err(DeployError::Send { source, .. }) => Err(source.into()),
            Err(other) => Err(fault(other)),
        }
    }

    async fn status(&self) -> Result<RollupStatus, SettlementError> {
        Ok(RollupStatus {
            last_sequenced: self.rollup.last_batch_sequenced(At::Latest).await?,
            last_verified: self.rollup.last_verified_batch(At::Latest).await?,
            chain_id: self.l2_chain_id,
            trusted_aggregator: self.rollup.trusted(At::Latest).await?.1,
        })
    }

    async fn acc_input_hash(&self, batch: u64) -> Result<B256, SettlementError> {
        Ok(self.rollup.sequenced_batch(batch, At::Latest).await?.acc_input_hash)
    }

    async fn state_root(&self, batch: u64) -> Result<B256, SettlementError> {
        Ok(self.rollup.state_root(batch, At::Latest).await?.unwrap_or_default())
    }

    /// There is no bridge on L1 yet, and nothing that a batch could bring to L2. What L1 records is in
    /// [`Settlement::exit_root_updates`].
    async fn global_exit_root(&self) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn exit_root_updates(&self, from: u64) -> Result<(Vec<ExitRootUpdate>, u64), SettlementError> {
        Ok(self.exit_roots.updates(from).await?)
    }

    async fn gas_price_wei(&self) -> Result<u128, SettlementError> {
        Ok(self.rollup.client().head().await?.base_fee_wei.unwrap_or_default())
    }

    async fn resume(&self, lane: Lane) -> Result<Option<Settled>, SettlementError> {
        let sender = self.sender(lane);
        let mut records = self.records.list(sender.client().chain_id(), sender.address()).map_err(fault)?;
        records.sort_by_key(|record| record.nonce);
        for record in records {
            if let Some(range) = range(lane, &record.job) {
                return self.finish(lane, &record.job, range).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn sequence(
        &self,
        first_batch: u64,
        batches: Vec<BatchData>,
        coinbase: Address,
    ) -> Result<Settled, SettlementError> {
        let job = self.rollup.sequence_batches(first_batch, &batches, coinbase);
        // An empty sequence would be refused by the contract.
        let last_batch = (first_batch + batches.len() as u64).saturating_sub(1);
        self.send(Lane::Sequence, &job, (first_batch, last_batch)).await
    }

    async fn verify(&self, init: u64, batches: Vec<VerifiedBatch>) -> Result<Settled, SettlementError> {
        let proofs: Vec<BatchProofWords> = batches
            .into_iter()
            .map(|b| BatchProofWords {
                shape_id: b.proof.shape_id.0,
                new_state_root: b.state_root,
                new_acc_input_hash: b.acc_input_hash,
                new_local_exit_root: b.local_exit_root,
                proof: b.proof.words,
            })
            .collect();
        let last_batch = init + proofs.len() as u64;
        let job = self.rollup.trusted_verify_batches(init, last_batch, &proofs);
        self.send(Lane::Verify, &job, (init + 1, last_batch)).await
    }

    async fn acknowledge(&self, lane: Lane, settled: &Settled) -> Result<(), SettlementError> {
        let job = format!("{}{}-{}", prefix(lane), settled.first_batch, settled.last_batch);
        self.sender(lane).forget(&job).map_err(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_of_jobs() {
        assert_eq!(range(Lane::Sequence, "sequence:3-5"), Some((3, 5)));
        assert_eq!(range(Lane::Verify, "sequence:3-5"), None);
        assert_eq!(range(Lane::Verify, "verify:7"), None);
    }
}
