//! How many requests may be sent: over one connection, and by one peer over all of its connections. A peer is an address
//! (of IPv6 the /64 that one customer has). Each entry of a JSON-RPC batch counts.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::DefaultKeyedStateStore},
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

use super::error::LIMIT_EXCEEDED;

/// Whose allowance it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    Connection,
    Peer,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "connection",
            Self::Peer => "peer",
        })
    }
}

/// A request over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "rate limit of {} requests per second (burst {}) of a {scope} exceeded: retry in {retry_after_ms} ms",
    allowance.per_s,
    allowance.burst
)]
pub struct RateLimited {
    pub scope: Scope,
    pub allowance: Allowance,
    pub retry_after_ms: u64,
}

/// The same for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    scope: Scope,
    limit_per_second: NonZeroU32,
    burst: NonZeroU32,
    retry_after_ms: u64,
}

impl From<RateLimited> for ErrorObjectOwned {
    fn from(limited: RateLimited) -> Self {
        let RateLimited { scope, allowance: Allowance { per_s, burst }, retry_after_ms } = limited;
        let data = Data { scope, limit_per_second: per_s, burst, retry_after_ms };
        Self::owned(LIMIT_EXCEEDED, limited.to_string(), Some(data))
    }
}

/// So many requests a second, and so many at once before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub per_s: NonZeroU32,
    pub burst: NonZeroU32,
}

impl Allowance {
    /// None if `per_s` is 0: no limit.
    #[must_use]
    pub fn new(per_s: u32, burst: u32) -> Option<Self> {
        Some(Self { per_s: NonZeroU32::new(per_s)?, burst: NonZeroU32::new(burst)? })
    }

    const fn quota(self) -> Quota {
        Quota::per_second(self.per_s).allow_burst(self.burst)
    }

    fn limited(self, scope: Scope, wait: Duration) -> RateLimited {
        // A wait of part of a millisecond is a wait.
        let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        RateLimited { scope, allowance: self, retry_after_ms }
    }
}

/// What is left to one connection.
pub struct ConnectionLimit<C: Clock = DefaultClock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    allowance: Allowance,
}

impl<C: Clock + Clone + Default> ConnectionLimit<C> {
    /// A whole allowance.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self::with_clock(allowance, C::default())
    }
}

impl<C: Clock + Clone> ConnectionLimit<C> {
    fn with_clock(allowance: Allowance, clock: C) -> Self {
        let limiter = RateLimiter::direct_with_clock(allowance.quota(), clock.clone());
        Self { limiter, clock, allowance }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// If the connection has no request left.
    pub fn check(&self) -> Result<(), RateLimited> {
        self.limiter.check().map_err(|until| {
            self.allowance.limited(Scope::Connection, until.wait_time_from(self.clock.now()))
        })
    }
}

/// What is left to each peer.
pub struct PeerLimits<C: Clock = DefaultClock> {
    limiter: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    allowance: Allowance,
}

/// The peer that an address belongs to.
#[must_use]
pub fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl<C: Clock + Clone + Default> PeerLimits<C> {
    /// A whole allowance to each.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self::with_clock(allowance, C::default())
    }
}

impl<C: Clock + Clone> PeerLimits<C> {
    fn with_clock(allowance: Allowance, clock: C) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(allowance.quota(), clock.clone());
        Self { limiter, clock, allowance }
    }

    /// Counts one request of a peer.
    ///
    /// # Errors
    /// If the peer has no request left.
    pub fn check(&self, peer: IpAddr) -> Result<(), RateLimited> {
        self.limiter
            .check_key(&peer)
            .map_err(|until| self.allowance.limited(Scope::Peer, until.wait_time_from(self.clock.now())))
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

    #[test]
    fn rejects_what_is_over_the_burst_until_it_is_time() {
        let clock = FakeRelativeClock::default();
        let allowance = Allowance::new(10, 3).unwrap();
        let peers = PeerLimits::with_clock(allowance, clock.clone());
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
        let connections = [(); 2].map(|()| ConnectionLimit::with_clock(allowance, clock.clone()));
        for _ in 0..3 {
            assert_eq!(peers.check(a), Ok(()));
            assert_eq!(connections[0].check(), Ok(()));
        }
        let refused = peers.check(a).unwrap_err();
        assert_eq!(refused, RateLimited { scope: Scope::Peer, allowance, retry_after_ms: 101 });
        assert_eq!(peers.check(b), Ok(()), "another peer has its own");
        let of_connection = connections[0].check().unwrap_err();
        assert_eq!(of_connection, RateLimited { scope: Scope::Connection, ..refused });
        assert_eq!(connections[1].check(), Ok(()), "another connection has its own");
        clock.advance(Duration::from_millis(refused.retry_after_ms));
        assert_eq!((peers.check(a), connections[0].check()), (Ok(()), Ok(())));
        assert!(peers.check(a).is_err() && connections[0].check().is_err());
        let error = ErrorObjectOwned::from(refused);
        assert_eq!(error.code(), -32005);
        let message = "rate limit of 10 requests per second (burst 3) of a peer exceeded: retry in 101 ms";
        assert_eq!(error.message(), message);
        let data = r#"{"scope":"peer","limitPerSecond":10,"burst":3,"retryAfterMs":101}"#;
        assert_eq!(error.data().unwrap().get(), data);
    }

    #[test]
    fn accepts_peers_by_network_and_forgets_them() {
        assert_eq!(Allowance::new(0, 1), None);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(peer(ip("2001:db8:1:2:3::4")), ip("2001:db8:1:2::"));
        assert_eq!(peer(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
        let clock = FakeRelativeClock::default();
        let peers = PeerLimits::with_clock(Allowance::new(1, 1).unwrap(), clock.clone());
        for i in 0..100u8 {
            assert_eq!(peers.check(IpAddr::from([10, 0, 0, i])), Ok(()));
        }
        assert_eq!(peers.limiter.len(), 100);
        clock.advance(Duration::from_secs(10));
        peers.forget_idle();
        assert_eq!(peers.limiter.len(), 0);
    }
}
