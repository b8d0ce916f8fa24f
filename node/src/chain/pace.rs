//! How a backlog of batches without proofs slows sequencing, so that it does so by rule.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Batches close as load asks for it.
    Free,
    /// From half of the limit on: batches close when they are full or at their longest age, never sooner, so that each
    /// proof covers as much as it can.
    Full,
    /// From the limit on: no block is made until a proof is verified. The pool fills and then refuses newcomers by name.
    Stopped,
}

impl Pace {
    /// The pace with `unproven` sealed batches without a verified proof, of `limit`; 0 is no limit.
    #[must_use]
    pub const fn of(unproven: u64, limit: u64) -> Self {
        if limit == 0 || unproven < limit.div_ceil(2) {
            Self::Free
        } else if unproven < limit {
            Self::Full
        } else {
            Self::Stopped
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_backlog_up_to_its_limit() {
        let paces: Vec<_> = (0..6).map(|unproven| Pace::of(unproven, 5)).collect();
        assert_eq!(paces, [Pace::Free, Pace::Free, Pace::Free, Pace::Full, Pace::Full, Pace::Stopped]);
        assert_eq!(Pace::of(1, 1), Pace::Stopped);
        assert_eq!(Pace::of(u64::MAX, 0), Pace::Free);
    }
}
