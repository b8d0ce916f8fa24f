//! Removes states of the past beyond the configured depth. What a proof still needs stays, however old it is.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::StageError;
use crate::chain::Chain;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(5);

/// Prunes until the node shuts down; with `history_blocks` 0 every state is kept.
///
/// # Errors
/// If the database fails.
pub async fn run(
    chain: Arc<Chain>,
    history_blocks: u64,
    cancel: CancellationToken,
) -> Result<(), StageError> {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(PERIOD) => {}
        }
        if history_blocks > 0 {
            let chain = Arc::clone(&chain);
            let removed = tokio::task::spawn_blocking(move || chain.prune(history_blocks)).await??;
            if removed > 0 {
                tracing::debug!(removed, "entries of past states removed");
            }
        }
    }
}
