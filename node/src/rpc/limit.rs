//! How many requests a peer may send. A peer is an address (of IPv6 the /64 that one customer has), whatever it opens:
//! HTTP connections and WebSockets draw from one allowance, and each entry of a JSON-RPC batch counts.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

use super::error::LIMIT_EXCEEDED;

/// A request over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit of {per_s} requests per second (burst {burst}) exceeded: retry in {retry_after_ms} ms")]
pub struct RateLimited {
    pub per_s: u32,
    pub burst: u32,
    pub retry_after_ms: u64,
}

/// The same for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    limit_per_second: u32,
    burst: u32,
    retry_after_ms: u64,
}

impl From<RateLimited> for ErrorObjectOwned {
    fn from(limited: RateLimited) -> Self {
        let RateLimited { per_s, burst, retry_after_ms } = limited;
        let data = Data { limit_per_second: per_s, burst, retry_after_ms };
        Self::owned(LIMIT_EXCEEDED, limited.to_string(), Some(data))
    }
}

/// The allowances of all peers.
pub struct RateLimit<C: Clock = DefaultClock> {
    limiter: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    per_s: NonZeroU32,
    burst: NonZeroU32,
}

/// The peer that an address belongs to.
#[must_use]
pub fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl RateLimit {
    /// None if `per_s` is 0: no limit.
    #[must_use]
    pub fn new(per_s: u32, burst: u32) -> Option<Self> {
        let (per_s, burst) = (NonZeroU32::new(per_s)?, NonZeroU32::new(burst)?);
        let quota = Quota::per_second(per_s).allow_burst(burst);
        let limiter = DefaultKeyedRateLimiter::dashmap(quota);
        Some(Self { limiter, clock: DefaultClock::default(), per_s, burst })
    }
}

impl<C: Clock> RateLimit<C> {
    /// Counts one request of a peer.
    ///
    /// # Errors
    /// If the peer has no request left.
    pub fn check(&self, peer: IpAddr) -> Result<(), RateLimited> {
        self.limiter.check_key(&peer).map_err(|until| {
            let wait: Duration = until.wait_time_from(self.clock.now());
            RateLimited {
                per_s: self.per_s.get(),
                burst: self.burst.get(),
                // A wait of part of a millisecond is a wait.
                retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1),
            }
        })
    }

    /// Forgets peers whose allowance is whole again: memory is bounded by those that were active lately.
    pub fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(per_s: u32, burst: u32) -> (RateLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let (per_s, burst) = (NonZeroU32::new(per_s).unwrap(), NonZeroU32::new(burst).unwrap());
        let quota = Quota::per_second(per_s).allow_burst(burst);
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        (RateLimit { limiter, clock: clock.clone(), per_s, burst }, clock)
    }

    #[test]
    fn rejects_what_is_over_the_burst_until_it_is_time() {
        let (limit, clock) = limit(10, 3);
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
        for _ in 0..3 {
            assert_eq!(limit.check(a), Ok(()));
        }
        let refused = limit.check(a).unwrap_err();
        assert_eq!(refused, RateLimited { per_s: 10, burst: 3, retry_after_ms: 101 });
        assert_eq!(limit.check(b), Ok(()), "another peer has its own");
        clock.advance(Duration::from_millis(refused.retry_after_ms));
        assert_eq!(limit.check(a), Ok(()));
        assert!(limit.check(a).is_err());
        let error = ErrorObjectOwned::from(refused);
        assert_eq!(error.code(), -32005);
        assert!(error.message().contains("10 requests per second") && error.message().contains("101 ms"));
        assert_eq!(error.data().unwrap().get(), r#"{"limitPerSecond":10,"burst":3,"retryAfterMs":101}"#);
    }

    #[test]
    fn accepts_peers_by_network_and_forgets_them() {
        assert!(RateLimit::new(0, 1).is_none());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(peer(ip("2001:db8:1:2:3::4")), ip("2001:db8:1:2::"));
        assert_eq!(peer(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
        let (limit, clock) = limit(1, 1);
        for i in 0..100u8 {
            assert_eq!(limit.check(IpAddr::from([10, 0, 0, i])), Ok(()));
        }
        assert_eq!(limit.limiter.len(), 100);
        clock.advance(Duration::from_secs(10));
        limit.forget_idle();
        assert_eq!(limit.limiter.len(), 0);
    }
}
