//! Memory for large requests that are being answered and for large answers that wait for their clients, of all connections
//! together. Small ones are bounded by their number: one for each HTTP connection, `http::websocket::MAX_IN_FLIGHT` for
//! each WebSocket.

use std::{sync::Arc, time::Duration};

use jsonrpsee::types::ErrorObjectOwned;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::error::LIMIT_EXCEEDED;

/// What is not larger than this, in bytes, is not counted: clients that leave large answers unread take nothing from others
/// but large answers.
const SMALL: usize = 16 << 10;

/// How often one that waits looks again. It does not queue: a large part that waits would keep smaller ones from theirs.
const AGAIN: Duration = Duration::from_millis(20);

/// There is no memory left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no room for {bytes} bytes: {held} wait for clients already, rpc.max_buffered_bytes is {limit}; ask again later, or for less"
)]
pub struct Exhausted {
    pub bytes: usize,
    pub held: usize,
    pub limit: usize,
}

impl From<Exhausted> for ErrorObjectOwned {
    fn from(exhausted: Exhausted) -> Self {
        Self::owned(LIMIT_EXCEEDED, exhausted.to_string(), None::<()>)
    }
}

/// The memory that there is.
#[derive(Clone)]
pub struct Budget {
    free: Arc<Semaphore>,
    limit: usize,
}

/// A part of it, given back when dropped.
#[derive(Debug, Default)]
pub struct Held {
    bytes: usize,
    /// None as long as it is small.
    permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// `limit` bytes.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        let limit = limit as usize;
        Self { free: Arc::new(Semaphore::new(limit)), limit }
    }

    /// Takes `bytes`.
    ///
    /// # Errors
    /// If so many are not free.
    pub fn take(&self, bytes: usize) -> Result<Held, Exhausted> {
        let mut held = Held::default();
        self.grow(&mut held, bytes)?;
        Ok(held)
    }

    /// Takes `more` bytes, to be held together.
    ///
    /// # Errors
    /// If so many are not free; what is held stays held.
    pub fn grow(&self, held: &mut Held, more: usize) -> Result<(), Exhausted> {
        let bytes = held.bytes.saturating_add(more);
        if bytes > SMALL {
            let counted = held.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let exhausted = || Exhausted { bytes, held: self.held(), limit: self.limit };
            let missing = u32::try_from(bytes - counted).map_err(|_| exhausted())?;
            let permit = Arc::clone(&self.free).try_acquire_many_owned(missing).map_err(|_| exhausted())?;
            match &mut held.permit {
                Some(held) => held.merge(permit),
                none => *none = Some(permit),
            }
        }
        held.bytes = bytes;
        Ok(())
    }

    /// Takes `bytes`, at the latest after `patience`.
    ///
    /// # Errors
    /// If so many are not free by then.
    pub async fn take_within(&self, bytes: usize, patience: Duration) -> Result<Held, Exhausted> {
        let end = Instant::now() + patience;
        loop {
            match self.take(bytes) {
                Err(_) if Instant::now() < end => tokio::time::sleep(AGAIN).await,
                taken => return taken,
            }
        }
    }

    /// Bytes that are taken.
    #[must_use]
    pub fn held(&self) -> usize {
        self.limit - self.free.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_does_not_fit_until_something_is_given_back() {
        let budget = Budget::new(100_000);
        let first = budget.take(60_000).unwrap();
        let refused = budget.take(40_001).unwrap_err();
        assert_eq!(refused, Exhausted { bytes: 40_001, held: 60_000, limit: 100_000 });
        let error = ErrorObjectOwned::from(refused);
        assert_eq!(error.code(), -32005);
        assert!(error.message().contains("rpc.max_buffered_bytes is 100000"), "{}", error.message());
        let second = budget.take(40_000).unwrap();
        // Small things always go.
        let small = budget.take(SMALL).unwrap();
        assert_eq!(budget.held(), 100_000);
        drop((first, small));
        assert_eq!(budget.held(), 40_000);
        budget.take(60_000).unwrap();
        drop(second);
        assert_eq!(budget.take(usize::MAX).unwrap_err().held, 0);
    }

    #[test]
    fn accepts_what_grows_as_one() {
        let budget = Budget::new(100_000);
        let mut held = Held::default();
        for _ in 0..4 {
            budget.grow(&mut held, SMALL / 4).unwrap();
        }
        assert_eq!(budget.held(), 0);
        budget.grow(&mut held, 1).unwrap();
        assert_eq!(budget.held(), SMALL + 1);
        budget.grow(&mut held, 80_000).unwrap();
        let refused = budget.grow(&mut held, 10_000).unwrap_err();
        assert_eq!(refused.bytes, SMALL + 90_001);
        assert_eq!(budget.held(), SMALL + 80_001);
        drop(held);
        assert_eq!(budget.held(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn accepts_to_wait_for_a_while() {
        let budget = Budget::new(100_000);
        let first = budget.take(60_000).unwrap();
        let patience = Duration::from_secs(5);
        budget.take_within(60_000, patience).await.unwrap_err();
        tokio::spawn(async move {
            tokio::time::sleep(patience / 2).await;
            drop(first);
        });
        budget.take_within(60_000, patience).await.unwrap();
    }
}
