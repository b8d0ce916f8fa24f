//! Sealed batches → L1 calldata: the state becomes virtual.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use cairn_protocol::batch::BatchData;
use cairn_state::Batch;
use tokio_util::sync::CancellationToken;

use super::{Stage, StageError, run as run_stage};
use crate::{
    chain::Chain,
    config::L1Section,
    metrics,
    records::put_settlement,
    settlement::{Lane, Settled, Settlement},
    storage::{ExitRootProgress, Kind, SequenceRecord, StorageError, put},
};

/// See the module.
pub struct Virtualizer {
    pub chain: Arc<Chain>,
    pub l1: Arc<dyn Settlement>,
    pub config: L1Section,
    /// The aggregator is elsewhere: this stage sees what L1 has verified. An aggregator here writes its L1 transaction down
    /// before it says so.
    pub watches_proofs: bool,
}

impl Virtualizer {
    /// Sends every sealed batch to L1, in order.
    ///
    /// # Errors
    /// If the database and L1 contradict each other, or the database fails.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), StageError> {
        let heads = self.chain.subscribe();
        run_stage(Started { stage: self, started: false }, heads, cancel).await
    }

    /// Finishes what is in flight and learns how far L1 is.
    async fn start(&self) -> Result<(), StageError> {
        while let Some(settled) = self.l1.resume(Lane::Sequence).await? {
            self.settle(settled).await?;
        }
        let status = self.l1.status().await?;
        let (l1, local) = (status.last_sequenced, self.chain.heads().sealed_batch);
        if l1 > local {
            return Err(StageError::Behind { l1, local });
        }
        if l1 > 0 {
            let record = self.chain.storage().batch(l1)?;
            let record = record.ok_or(StorageError::Missing { kind: Kind::Batch })?;
            if self.l1.acc_input_hash(l1).await? != record.acc_input_hash {
                return Err(StageError::OtherData { batch: l1 });
            }
        }
        self.chain.raise_virtual_batch(l1);
        self.refresh_global_exit_root().await?;
        self.follow_exit_roots().await
    }

    /// Writes down what L1 has recorded of exit trees since.
    async fn follow_exit_roots(&self) -> Result<(), StageError> {
        let storage = self.chain.storage();
        loop {
            let progress = storage.exit_root_progress()?;
            let (updates, next_block) = self.l1.exit_root_updates(progress.next_block).await?;
            if next_block == progress.next_block {
                return Ok(());
            }
            let mut writes = Batch::new();
            for update in &updates {
                put(&mut writes, Kind::ExitRoots, update.global_exit_root.as_slice(), update)?;
            }
            let latest = updates.last().map(|update| update.global_exit_root).or(progress.latest);
            put(&mut writes, Kind::ExitRootProgress, &[], &ExitRootProgress { next_block, latest })?;
            storage.write(writes)?;
        }
    }

    async fn refresh_global_exit_root(&self) -> Result<(), StageError> {
        let root = self.l1.global_exit_root().await?;
        self.chain.set_global_exit_root(root);
        Ok(())
    }

    async fn work(&self) -> Result<bool, StageError> {
        let heads = self.chain.heads();
        let first_batch = heads.virtual_batch + 1;
        if first_batch > heads.sealed_batch {
            self.refresh_global_exit_root().await?;
            self.follow_exit_roots().await?;
            if self.watches_proofs {
                self.chain.raise_verified_batch(self.l1.status().await?.last_verified);
            }
            return Ok(false);
        }
        let mut batches: Vec<BatchData> = Vec::new();
        let (mut bytes, mut coinbase) = (0, None);
        for number in first_batch..=heads.sealed_batch {
            let record = self.chain.storage().batch(number)?;
            let batch = record.ok_or(StorageError::Missing { kind: Kind::Batch })?.batch;
            bytes += batch.transactions.len();
            let full = batches.len() as u64 >= self.config.max_sequence_batches
                || bytes > self.config.max_sequence_bytes
                // One call has one coinbase.
                || coinbase.is_some_and(|c| c != batch.header.coinbase);
            if full && !batches.is_empty() {
                break;
            }
            coinbase = Some(batch.header.coinbase);
            batches.push(batch.data());
        }
        let Some(coinbase) = coinbase else { return Ok(false) };
        let (start, count) = (Instant::now(), batches.len() as u64);
        let sent = self.l1.sequence(first_batch, batches, coinbase).await;
        let settled = sent.inspect_err(|_| metrics::l1_failed(Lane::Sequence))?;
        metrics::l1_settled(Lane::Sequence, count, settled.gas_used, start.elapsed());
        self.settle(settled).await?;
        Ok(true)
    }

    /// Writes down what L1 accepted, then lets L1's record of it go.
    async fn settle(&self, settled: Settled) -> Result<(), StageError> {
        let Settled { first_batch, last_batch, l1_tx_hash, gas_used } = settled;
        let record = SequenceRecord { first_batch, last_batch, l1_tx_hash };
        let mut writes = Batch::new();
        put(&mut writes, Kind::Sequence, &last_batch.to_be_bytes(), &record)?;
        put_settlement(&mut writes, Lane::Sequence, &settled)?;
        self.chain.storage().write(writes)?;
        self.l1.acknowledge(Lane::Sequence, &settled).await?;
        self.chain.raise_virtual_batch(last_batch);
        tracing::info!(first_batch, last_batch, tx = %l1_tx_hash, gas_used, "batches sequenced");
        Ok(())
    }
}

/// The stage, and whether it knows what L1 holds.
struct Started {
    stage: Virtualizer,
    started: bool,
}

#[async_trait]
impl Stage for Started {
    const NAME: &'static str = "virtualizer";

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
