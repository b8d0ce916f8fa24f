//! Sealed batches → proofs. The job with its witness is recorded before work begins, the proof before it is used.

use std::{sync::Arc, time::Instant};

use alloy_primitives::Address;
use async_trait::async_trait;
use cairn_protocol::{batch::PublicInput, constants::FORK_ID, resources::Rows, witness::BatchWitness};
use cairn_sequencer::batch::batch_witness;
use cairn_state::Batch;
use tokio_util::sync::CancellationToken;

use super::{Stage, StageError, run as run_stage};
use crate::{
    chain::Chain,
    metrics,
    proof::ProofEngine,
    records::{ProofMeasure, now_ms, put_proof},
    shapes,
    storage::{Kind, ProofJob, StorageError, proof_id, put},
};

/// See the module.
pub struct Prover {
    pub chain: Arc<Chain>,
    pub engine: Arc<dyn ProofEngine>,
    /// Who will send the proofs: a proof is bound to its sender.
    pub aggregator: Address,
}

impl Prover {
    /// Proves every sealed batch that L1 has not verified, in order.
    ///
    /// # Errors
    /// If a batch cannot be proven or the database fails.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), StageError> {
        let heads = self.chain.subscribe();
        run_stage(self, heads, cancel).await
    }

    async fn work(&self) -> Result<bool, StageError> {
        let heads = self.chain.heads();
        metrics::prover_queue(0);
        for number in heads.verified_batch + 1..=heads.sealed_batch {
            let id = proof_id(number, self.aggregator);
            let job = self.chain.storage().get(Kind::Proof, &id)?;
            if matches!(job, Some(ProofJob::Proven { .. })) {
                continue;
            }
            metrics::prover_queue(heads.sealed_batch - number + 1);
            let (mut start, mut started_ms) = (Instant::now(), now_ms());
            let proof = match self.engine.assert(&self.statement(number)?) {
                Some(proof) => proof,
                None => {
                    let witness = match job {
                        Some(ProofJob::Pending { witness }) => BatchWitness::from_bytes(&witness)
                            .map_err(|source| StageError::WitnessBytes { batch: number, source })?,
                        _ => self.record_job(number, &id).await?,
                    };
                    // The job is on disk: a batch that waits for a key here is not lost, however long it takes.
                    let (counters, leaves) = (self.counters(number)?, witness.new_state.leaf_count);
                    let shape = self.engine.choose(number, &counters, leaves).await?;
                    (start, started_ms) = (Instant::now(), now_ms());
                    let mut writes = Batch::new();
                    put_proof(&mut writes, number, &ProofMeasure { started_ms, seconds: None, shape })?;
                    self.chain.storage().write(writes)?;
                    self.engine.prove(shape, witness, self.aggregator).await?
                }
            };
            let shape = proof.shape_id;
            let job = ProofJob::Proven { shape_id: shape.0, words: Box::new(proof.words) };
            let seconds = start.elapsed().as_secs_f64();
            let mut writes = Batch::new();
            put(&mut writes, Kind::Proof, &id, &job)?;
            put_proof(&mut writes, number, &ProofMeasure { started_ms, seconds: Some(seconds), shape })?;
            self.chain.storage().write(writes)?;
            let (shape_id, shape, mode) = (shape, shapes::name(shape), self.engine.mode());
            metrics::proof_made(mode, &shape, start.elapsed());
            tracing::info!(batch = number, shape, %shape_id, seconds, %mode, "batch proven");
            self.chain.proof_recorded();
            return Ok(true);
        }
        Ok(false)
    }

    /// What proving a sealed batch uses, by which its shape is chosen.
    fn counters(&self, number: u64) -> Result<Rows, StageError> {
        let record = self.chain.storage().batch(number)?;
        Ok(record.ok_or(StorageError::Missing { kind: Kind::Batch })?.batch.counters)
    }

    /// What a proof of a sealed batch says.
    fn statement(&self, number: u64) -> Result<PublicInput, StageError> {
        let record = self.chain.storage().batch(number)?;
        let record = record.ok_or(StorageError::Missing { kind: Kind::Batch })?;
        Ok(PublicInput {
            aggregator: self.aggregator,
            old_state_root: record.old_state_root,
            old_acc_input_hash: record.old_acc_input_hash,
            init_num_batch: number - 1,
            chain_id: self.chain.chain_id(),
            fork_id: FORK_ID,
            new_state_root: record.state_root,
            new_acc_input_hash: record.acc_input_hash,
            new_local_exit_root: record.local_exit_root,
            final_new_batch: number,
        })
    }

    async fn record_job(&self, number: u64, id: &[u8]) -> Result<BatchWitness, StageError> {
        let chain = Arc::clone(&self.chain);
        // Hashes the openings of every touched leaf: not for an async thread.
        let witness = tokio::task::spawn_blocking(move || {
            let record = chain.storage().batch(number)?;
            let record = record.ok_or(StorageError::Missing { kind: Kind::Batch })?;
            let witness =
                batch_witness(chain.state(), &record.batch, chain.chain_id(), record.old_acc_input_hash)?;
            Ok::<_, StageError>(witness)
        })
        .await??;
        let bytes =
            witness.to_bytes().map_err(|source| StageError::WitnessBytes { batch: number, source })?;
        let job = ProofJob::Pending { witness: bytes.into() };
        self.chain.storage().set(Kind::Proof, id, &job)?;
        Ok(witness)
    }
}

#[async_trait]
impl Stage for Prover {
    const NAME: &'static str = "prover";

    async fn step(&mut self) -> Result<bool, StageError> {
        self.work().await
    }
}
