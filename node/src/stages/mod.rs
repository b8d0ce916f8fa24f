//! The stages: each owns one step, writes it down before it passes work on, and resumes from the database alone. They
//! share nothing but the chain; its heads are what wakes them.

pub mod aggregator;
pub mod gas_price;
pub mod keys;
pub mod prover;
pub mod pruner;
pub mod sequencer;
pub mod virtualizer;

use std::time::Duration;

use async_trait::async_trait;
use cairn_sequencer::batch::BatchWitnessError;
use cairn_state::StateError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    chain::{ChainError, Heads},
    metrics,
    proof::ProofError,
    settlement::SettlementError,
    storage::StorageError,
};

/// Pause after L1 refused or did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How often an idle stage looks by itself.
const IDLE: Duration = Duration::from_secs(2);

/// Why a stage ends before it is told to.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    L1(#[from] SettlementError),
    #[error(transparent)]
    Witness(#[from] BatchWitnessError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Key(Box<keys::KeyError>),
    #[error("L1 has {l1} batches, this database {local}: it is not the one that sequenced them")]
    Behind { l1: u64, local: u64 },
    #[error("batch {batch}: L1 and this database have different data")]
    OtherData { batch: u64 },
    #[error("batch {batch}: witness: {source}")]
    WitnessBytes { batch: u64, source: cairn_protocol::witness_bytes::WitnessBytesError },
    #[error("a blocking task ended abnormally: {0}")]
    Join(#[from] tokio::task::JoinError),
}

impl From<keys::KeyError> for StageError {
    fn from(e: keys::KeyError) -> Self {
        Self::Key(Box::new(e))
    }
}

/// Whether a stage may go on after this: L1 may be away for a while, everything else is ours.
fn is_passing(error: &StageError) -> bool {
    match error {
        StageError::L1(SettlementError::Unavailable { .. } | SettlementError::Refused { .. }) => true,
        StageError::L1(SettlementError::Fault { .. } | SettlementError::Cancelled)
        | StageError::Chain(_)
        | StageError::Storage(_)
        | StageError::State(_)
        | StageError::Witness(_)
        | StageError::Proof(_)
        | StageError::Key(_)
        | StageError::Behind { .. }
        | StageError::OtherData { .. }
        | StageError::WitnessBytes { .. }
        | StageError::Join(_) => false,
    }
}

/// A stage that works step by step.
#[async_trait]
trait Stage: Send {
    /// Name for the log.
    const NAME: &'static str;

    /// Does one piece of work; false if there is none.
    async fn step(&mut self) -> Result<bool, StageError>;
}

/// Steps until the node shuts down: again at once after work was done, else when the heads move.
async fn run<S: Stage>(
    mut stage: S,
    mut heads: watch::Receiver<Heads>,
    cancel: CancellationToken,
) -> Result<(), StageError> {
    loop {
        let result = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            result = stage.step() => result,
        };
        let pause = match result {
            Ok(true) => continue,
            Ok(false) => IDLE,
            Err(StageError::L1(SettlementError::Cancelled)) => return Ok(()),
            Err(error) if is_passing(&error) => {
                metrics::stage_retried(S::NAME);
                tracing::warn!(stage = S::NAME, %error, "trying again");
                RETRY
            }
            Err(error) => return Err(error),
        };
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            changed = heads.changed(), if pause == IDLE => {
                // The chain is gone: so is the node.
                if changed.is_err() {
                    return Ok(());
                }
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
}
