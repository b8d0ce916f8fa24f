//! Memory for large requests that are being answered and for large answers that wait for their clients, of all connections
//! together. Small ones are bounded by their number: one for each HTTP connection, `http::websocket::MAX_IN_FLIGHT` for
//! each WebSocket.

use std::sync::Arc;

use jsonrpsee::types::ErrorObjectOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::LIMIT_EXCEEDED;

/// What is not larger than this, in bytes, is not counted: clients that leave large answers unread take nothing from others
/// but large answers.
const SMALL: usize = 16 << 10;

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
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Held {
    /// Holds nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(None)
    }
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
        if bytes <= SMALL {
            return Ok(Held(None));
        }
        let permit =
            u32::try_from(bytes).ok().and_then(|n| Arc::clone(&self.free).try_acquire_many_owned(n).ok());
        match permit {
            Some(permit) => Ok(Held(Some(permit))),
            None => Err(Exhausted { bytes, held: self.held(), limit: self.limit }),
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
}
