//! What one request may use up, all of its transactions together: memory and time.

use std::time::{Duration, Instant};

use thiserror::Error;

/// Charged for a recorded step besides its stack and memory: the step and the log made of it.
pub(crate) const STEP_BYTES: usize = 640;
/// Charged for a call frame or an account besides its data.
pub(crate) const FRAME_BYTES: usize = 1_024;
/// Charged for a storage slot in a step or an account.
pub(crate) const SLOT_BYTES: usize = 128;

/// Most that a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceLimits {
    /// Memory of the traces before they are sent, in bytes, counted from above.
    pub max_bytes: usize,
    /// A request may ask for less.
    pub timeout: Duration,
}

/// A request that used up what it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Exceeded {
    #[error("execution timeout: the trace takes longer than {limit:?}")]
    Time { limit: Duration },
    #[error(
        "the trace takes more than {limit} bytes of memory; disableStack, disableStorage or limit make it smaller"
    )]
    Bytes { limit: usize },
}

/// What is left of the limits.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: TraceLimits,
    deadline: Instant,
    left: usize,
}

impl Budget {
    /// Starts the clock. `timeout` is what the request asks for.
    #[must_use]
    pub fn new(limits: TraceLimits, timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(limits.timeout).min(limits.timeout);
        let limits = TraceLimits { timeout, ..limits };
        Self { limits, deadline: Instant::now() + timeout, left: limits.max_bytes }
    }

    /// Takes bytes.
    ///
    /// # Errors
    /// If fewer are left.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Exceeded> {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(Exceeded::Bytes { limit: self.limits.max_bytes }),
        }
        Ok(())
    }

    /// Looks at the clock.
    ///
    /// # Errors
    /// If time is up.
    pub fn check_time(&self) -> Result<(), Exceeded> {
        if Instant::now() >= self.deadline {
            return Err(Exceeded::Time { limit: self.limits.timeout });
        }
        Ok(())
    }
}
