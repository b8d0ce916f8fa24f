//! A connection: what it may still ask for, and what is counted of it. Not here: the limits of single requests (`config`).

use std::{
    io,
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use jsonrpsee::ConnectionId;
use tokio::{net::TcpListener, sync::OwnedSemaphorePermit};

use super::limit::{Allowance, ConnectionLimit, RateLimited};
use crate::metrics::ConnectionGauge;

/// A connection. It counts as open until the last of its requests, or its WebSocket, is gone.
pub struct Connection {
    pub id: ConnectionId,
    pub peer: IpAddr,
    limit: Option<ConnectionLimit>,
    _permit: OwnedSemaphorePermit,
    _gauge: ConnectionGauge,
}

impl Connection {
    /// A connection that holds `permit`.
    #[must_use]
    pub fn new(peer: IpAddr, allowance: Option<Allowance>, permit: OwnedSemaphorePermit) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self {
            id: ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed)),
            peer,
            limit: allowance.map(ConnectionLimit::new),
            _permit: permit,
            _gauge: ConnectionGauge::open(),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// If the connection has no request left.
    pub fn check_rate(&self) -> Result<(), RateLimited> {
        self.limit.as_ref().map_or(Ok(()), ConnectionLimit::check)
    }
}

/// Ends each connection of `listener` whose peer leaves sent bytes unacknowledged, or its receive buffer full, for
/// `timeout`: the server would otherwise wait for it for ever, and hold one of its connections.
///
/// # Errors
/// If the system refuses.
pub fn drop_stalled(listener: &TcpListener, timeout: Duration) -> io::Result<()> {
    // Connections inherit the option from their listener. Source: tcp(7), TCP_USER_TIMEOUT; RFC 5482.
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(timeout))
}
