//! What a transaction offers for its place in a block (EIP-1559).

use serde::{Deserialize, Serialize};

use super::{client::Client, error::RequestError};

/// Least increase of both fees at which nodes replace a waiting transaction, in percent.
pub const MIN_BUMP_PERCENT: u64 = 10;

/// What one gas is worth to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// Upper bound of base fee and tip together, in wei.
    pub max_fee_wei: u128,
    /// Tip, in wei.
    pub max_priority_fee_wei: u128,
}

/// How fees are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRule {
    /// Increase of a replacement, in percent; at least [`MIN_BUMP_PERCENT`] counts.
    pub bump_percent: u64,
    /// No transaction offers more than this for one gas, in wei.
    pub max_fee_cap_wei: u128,
    /// Tip where the endpoint suggests none, and least tip, in wei.
    pub min_tip_wei: u128,
}

impl Default for FeeRule {
    fn default() -> Self {
        // 20 % covers two blocks of rising base fee with one replacement.
        Self { bump_percent: 20, max_fee_cap_wei: 500_000_000_000, min_tip_wei: 1_000_000 }
    }
}

/// Why there are no fees to offer.
#[derive(Debug, thiserror::Error)]
pub enum FeeError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("block {block} has no base fee: the chain does not know EIP-1559")]
    NoBaseFee { block: u64 },
    #[error("a gas costs {needed_wei} wei at least, the limit is {cap_wei}")]
    AboveCap { needed_wei: u128, cap_wei: u128 },
}

impl FeeRule {
    /// Fees for a new transaction: the tip that the endpoint suggests, and room for the base fee to double.
    ///
    /// # Errors
    /// If the endpoint does not answer, or the next block costs more than the cap.
    pub async fn market(&self, client: &Client) -> Result<Fees, FeeError> {
        let head = client.head().await?;
        let base = head.base_fee_wei.ok_or(FeeError::NoBaseFee { block: head.number })?;
        let tip = client.suggested_tip().await?.unwrap_or_default();
        self.first(base, tip)
    }

    fn first(&self, base_wei: u128, suggested_tip_wei: u128) -> Result<Fees, FeeError> {
        let cap_wei = self.max_fee_cap_wei;
        let tip = suggested_tip_wei.max(self.min_tip_wei).min(cap_wei);
        let max_fee_wei = base_wei.saturating_mul(2).saturating_add(tip).min(cap_wei);
        if max_fee_wei < base_wei {
            return Err(FeeError::AboveCap { needed_wei: base_wei, cap_wei });
        }
        Ok(Fees { max_fee_wei, max_priority_fee_wei: tip })
    }

    /// Fees that replace a transaction that offers `old`: both higher by the rule's percentage, and not below the
    /// market. None if that exceeds the cap.
    #[must_use]
    pub fn replacement(&self, old: Fees, market: Option<Fees>) -> Option<Fees> {
        let percent = u128::from(self.bump_percent.max(MIN_BUMP_PERCENT));
        let raised = |wei: u128| {
            // Rounded up, and never the same.
            let more = wei.checked_mul(percent)?.div_ceil(100).max(1);
            wei.checked_add(more)
        };
        let market = market.unwrap_or(old);
        let max_fee_wei = raised(old.max_fee_wei)?.max(market.max_fee_wei);
        let max_priority_fee_wei = raised(old.max_priority_fee_wei)?.max(market.max_priority_fee_wei);
        // A tip above the whole fee is no valid transaction.
        let max_fee_wei = max_fee_wei.max(max_priority_fee_wei);
        (max_fee_wei <= self.max_fee_cap_wei).then_some(Fees { max_fee_wei, max_priority_fee_wei })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fees(max_fee_wei: u128, max_priority_fee_wei: u128) -> Fees {
        Fees { max_fee_wei, max_priority_fee_wei }
    }

    #[test]
    fn prop_a_replacement_is_at_least_a_tenth_above() {
        for bump_percent in [0, 10, 13, 100] {
            let rule = FeeRule { bump_percent, max_fee_cap_wei: u128::MAX, min_tip_wei: 0 };
            for old in [fees(0, 0), fees(1, 1), fees(9, 1), fees(101, 7), fees(1 << 90, 1 << 80)] {
                let new = rule.replacement(old, Some(fees(50, 50))).unwrap();
                for (new, old) in
                    [(new.max_fee_wei, old.max_fee_wei), (new.max_priority_fee_wei, old.max_priority_fee_wei)]
                {
                    assert!(new * 100 >= old * 110 && new > old && new >= 50);
                }
                assert!(new.max_priority_fee_wei <= new.max_fee_wei);
            }
        }
    }

    #[test]
    fn rejects_fees_above_the_cap() {
        let rule = FeeRule { bump_percent: 10, max_fee_cap_wei: 109, min_tip_wei: 0 };
        assert_eq!(rule.replacement(fees(100, 1), None), None);
        assert_eq!(rule.replacement(fees(99, 1), None), Some(fees(109, 2)));
        assert_eq!(rule.replacement(fees(u128::MAX, 1), None), None);
        assert!(matches!(rule.first(110, 0), Err(FeeError::AboveCap { needed_wei: 110, cap_wei: 109 })));
        assert_eq!(rule.first(100, 0).unwrap(), fees(109, 0));
    }
}
