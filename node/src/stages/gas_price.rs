//! The price of gas on L2 follows L1's.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::StageError;
use crate::{chain::Chain, config::PoolSection, settlement::Settlement};

/// How often the price is looked up.
const PERIOD: Duration = Duration::from_secs(12);

/// The price on L2 for a price on L1, in wei.
#[must_use]
pub fn suggest(l1_price_wei: u128, config: &PoolSection) -> u64 {
    let part = l1_price_wei.saturating_mul(u128::from(config.l1_gas_price_percent)) / 100;
    u64::try_from(part).unwrap_or(u64::MAX).max(config.min_gas_price_wei)
}

/// Follows L1 until the node shuts down. While L1 does not answer, the price stays.
///
/// # Errors
/// None; the signature is that of a stage.
pub async fn run(
    chain: Arc<Chain>,
    l1: Arc<dyn Settlement>,
    config: PoolSection,
    cancel: CancellationToken,
) -> Result<(), StageError> {
    loop {
        let price = tokio::select! {
            // An L1 that does not answer must not hold the end of the node.
            () = cancel.cancelled() => return Ok(()),
            price = l1.gas_price_wei() => price,
        };
        match price {
            Ok(price) => chain.set_gas_price_wei(suggest(price, &config)),
            Err(error) => tracing::warn!(%error, "L1 gas price unknown"),
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_floor_and_the_part() {
        let config =
            PoolSection { min_gas_price_wei: 100, l1_gas_price_percent: 10, ..PoolSection::default() };
        assert_eq!(suggest(500, &config), 100);
        assert_eq!(suggest(5_000, &config), 500);
        assert_eq!(suggest(u128::MAX, &config), u64::MAX);
    }
}
