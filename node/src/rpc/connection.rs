//! What a connection may hold of the node, and for how long. Not here: the limits of single requests (`config`).

use std::{io, time::Duration};

use jsonrpsee::{
    core::traits::IdProvider,
    server::{PingConfig, ServerConfigBuilder},
    types::SubscriptionId,
};
use tokio::net::TcpListener;

/// Messages that wait for a WebSocket to take them; whoever has one more waits with it.
const MESSAGE_BUFFER: u32 = 128;
/// How often a WebSocket is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may leave that unanswered.
const PONG_TIMEOUT: Duration = Duration::from_secs(40);

/// Ids as geth makes them: up to 32 hex digits. Its client takes no numbers.
#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        format!("{:#x}", rand::random::<u128>()).into()
    }
}

/// Bounds what a WebSocket connection holds, and finds the dead ones.
#[must_use]
pub fn bounded(config: ServerConfigBuilder, max_subscriptions: u32) -> ServerConfigBuilder {
    config
        .set_message_buffer_capacity(MESSAGE_BUFFER)
        .max_subscriptions_per_connection(max_subscriptions)
        .enable_ws_ping(PingConfig::new().ping_interval(PING_INTERVAL).inactive_limit(PONG_TIMEOUT))
        .set_id_provider(HexIds)
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
