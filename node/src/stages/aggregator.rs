//! Proofs → L1: the state becomes consolidated.

use std::{sync::Arc, time::Instant};

use alloy_primitives::Address;
use async_trait::async_trait;
use cairn_sequencer::shapes::ShapeId;
use cairn_state::Batch;
use tokio_util::sync::CancellationToken;

use super::{Stage, StageError, run as run_stage};
use crate::{
    chain::Chain,
    config::L1Section,
    metrics,
    proof::BatchProof,
    records::put_settlement,
    settlement::{Lane, Settled, Settlement, VerifiedBatch},
    storage::{Kind, ProofJob, SequenceRecord, StorageError, proof_id, put},
};

/// See the module.
pub struct Aggregator {
    pub chain: Arc<Chain>,
    pub l1: Arc<dyn Settlement>,
    /// The account that verifies: a proof is bound to it.
    pub aggregator: Address,
    pub config: L1Section,
}

impl Aggregator {
    /// Sends proofs of virtual batches to L1, as many at once as are there.
    ///
    /// # Errors
    /// If the database and L1 contradict each other, or the database fails.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), StageError> {
        let heads = self.chain.subscribe();
        run_stage(Started { stage: self, started: false }, heads, cancel).await
    }

    async fn start(&self) -> Result<(), StageError> {
        while let Some(settled) = self.l1.resume(Lane::Verify).await? {
            self.settle(settled).await?;
        }
        let status = self.l1.status().await?;
        let (l1, local) = (status.last_verified, self.chain.heads().sealed_batch);
        if l1 > local {
            return Err(StageError::Behind { l1, local });
        }
        if l1 > 0 {
            let record = self.chain.storage().batch(l1)?;
            let record = record.ok_or(StorageError::Missing { kind: Kind::Batch })?;
            if self.l1.state_root(l1).await? != record.state_root {
                return Err(StageError::OtherData { batch: l1 });
            }
        }
        self.chain.raise_verified_batch(l1);
        self.chain.raise_virtual_batch(status.last_sequenced);
        Ok(())
    }

    async fn work(&self) -> Result<bool, StageError> {
        let heads = self.chain.heads();
        let init = heads.verified_batch;
        let (mut proven, mut ends_at) = (Vec::new(), 0);
        for number in init + 1..=heads.virtual_batch {
            let Some(batch) = self.proven(number)? else { break };
            proven.push(batch);
            // A verification ends where a sequence ends.
            if !self.l1.acc_input_hash(number).await?.is_zero() {
                ends_at = proven.len();
                if proven.len() as u64 >= self.config.max_verify_batches {
                    break;
                }
            }
        }
        proven.truncate(ends_at);
        if proven.is_empty() {
            return Ok(false);
        }
        let (start, count) = (Instant::now(), proven.len() as u64);
        let sent = self.l1.verify(init, proven).await;
        let settled = sent.inspect_err(|_| metrics::l1_failed(Lane::Verify))?;
        metrics::l1_settled(Lane::Verify, count, settled.gas_used, start.elapsed());
        self.settle(settled).await?;
        Ok(true)
    }

    fn proven(&self, number: u64) -> Result<Option<VerifiedBatch>, StageError> {
        let job = self.chain.storage().get(Kind::Proof, &proof_id(number, self.aggregator))?;
        let Some(ProofJob::Proven { shape_id, words }) = job else { return Ok(None) };
        let record = self.chain.storage().batch(number)?;
        let record = record.ok_or(StorageError::Missing { kind: Kind::Batch })?;
        Ok(Some(VerifiedBatch {
            state_root: record.state_root,
            acc_input_hash: record.acc_input_hash,
            local_exit_root: record.local_exit_root,
            proof: BatchProof { shape_id: ShapeId(shape_id), words: *words },
        }))
    }

    /// Writes down what L1 accepted, then lets L1's record of it go.
    async fn settle(&self, settled: Settled) -> Result<(), StageError> {
        let Settled { first_batch, last_batch, l1_tx_hash, gas_used } = settled;
        let record = SequenceRecord { first_batch, last_batch, l1_tx_hash };
        let mut writes = Batch::new();
        put(&mut writes, Kind::Verification, &last_batch.to_be_bytes(), &record)?;
        put_settlement(&mut writes, Lane::Verify, &settled)?;
        self.chain.storage().write(writes)?;
        self.l1.acknowledge(Lane::Verify, &settled).await?;
        self.chain.raise_verified_batch(last_batch);
        tracing::info!(first_batch, last_batch, tx = %l1_tx_hash, gas_used, "batches verified");
        Ok(())
    }
}

/// The stage, and whether it knows what L1 holds.
struct Started {
    stage: Aggregator,
    started: bool,
}

#[async_trait]
impl Stage for Started {
    const NAME: &'static str = "aggregator";

    async fn step(&mut self) -> Result<bool, StageError> {
        if !self.started {
            self.stage.start().await?;
            self.started = true;
        }
        let result = self.stage.work().await;
        // What L1 holds is read again after anything unexpected.
        self.started = result.is_ok();
        result
    }
}
