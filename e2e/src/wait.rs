//! Waiting with a bound.

use std::{future::Future, time::Duration};

use tokio::time::Instant;

/// Bound for what needs no proof.
pub const SOON: Duration = Duration::from_secs(60);
/// Bound for what needs proofs, on a busy machine.
pub const PROVEN: Duration = Duration::from_secs(420);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something, and returns it.
///
/// # Errors
/// The look's own, or that there was nothing within `limit`.
pub async fn until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> eyre::Result<T>
where
    F: Future<Output = eyre::Result<Option<T>>>,
{
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        eyre::ensure!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
