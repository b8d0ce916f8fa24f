//! Pool → blocks → batches.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::StageError;
use crate::{
    chain::{Chain, Produced},
    metrics,
};

/// Produces blocks while there are transactions and closes batches as they fill or age.
///
/// # Errors
/// If the chain cannot go on.
pub async fn run(chain: Arc<Chain>, tick: Duration, cancel: CancellationToken) -> Result<(), StageError> {
    let mut heads = chain.subscribe();
    while !cancel.is_cancelled() {
        let producer = Arc::clone(&chain);
        let start = Instant::now();
        match tokio::task::spawn_blocking(move || producer.produce()).await?? {
            Produced::Blocks { first, last } => {
                metrics::sequencer_step(start.elapsed());
                tracing::debug!(first, last, "blocks");
            }
            Produced::Sealed { batch, reason } => {
                metrics::batch_closed(reason);
                tracing::info!(batch, %reason, "batch sealed");
            }
            Produced::Discarded { hash, reason } => {
                tracing::info!(%hash, reason, "transaction discarded");
            }
            Produced::Held { unproven } => {
                tracing::debug!(unproven, "waiting for proofs");
                tokio::select! {
                    () = cancel.cancelled() => {}
                    // The chain lives as long as this stage.
                    _ = heads.changed() => {}
                    () = tokio::time::sleep(tick) => {}
                }
            }
            Produced::Idle => tokio::select! {
                () = cancel.cancelled() => {}
                () = chain.pool_changed.notified() => {}
                () = tokio::time::sleep(tick) => {}
            },
        }
    }
    Ok(())
}
