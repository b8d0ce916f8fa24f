//! JSON-RPC over a WebSocket: messages in, answers and notifications out, in one task, which holds all that waits. While the
//! client takes nothing, nothing is read from it; so what it can make the node hold is bounded (docs/adr/0007).

use std::{sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use hyper::{body::Bytes, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    core::server::{BoundedSubscriptions, MethodSink},
    server::{HttpBody, HttpRequest, HttpResponse},
    types::{ErrorObject, Id, Response, ResponsePayload, error::reject_too_big_request},
};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        error::CapacityError,
        handshake::server::create_response_with_body,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

use crate::rpc::{
    connection::Connection,
    service::{Answer, Rules, Service, Subscriber},
};

/// Most requests of one WebSocket that are being answered, or whose answers wait to be written. Then it is read no further.
pub const MAX_IN_FLIGHT: usize = 32;
/// Notifications that wait to be written; whoever has one more waits with it.
const MAX_NOTIFICATIONS: usize = 64;
/// How often a client is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may be silent.
const SILENCE_LIMIT: Duration = Duration::from_secs(70);
/// What is buffered between the socket and the frames, in bytes.
const IO_BUFFER: usize = 16 << 10;

/// When a session ends, and how long a client has to take one message.
#[derive(Clone)]
pub struct Terms {
    pub stop: CancellationToken,
    pub write_timeout: Duration,
}

/// A request for a WebSocket that is none.
#[derive(Debug, thiserror::Error)]
#[error("WebSocket handshake: {0}")]
pub struct HandshakeError(#[from] Box<Error>);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The answer to a request for a WebSocket, and what serves it once that answer is sent.
///
/// # Errors
/// If the handshake is not RFC 6455's.
pub fn upgrade(
    request: HttpRequest,
    rules: Arc<Rules>,
    connection: Arc<Connection>,
    terms: Terms,
) -> Result<(HttpResponse, impl Future<Output = ()> + Send + use<>), HandshakeError> {
    let request = request.map(drop);
    let response = create_response_with_body(&request, HttpBody::empty).map_err(Box::new)?;
    let max_request_bytes = rules.max_request_bytes;
    let config = WebSocketConfig::default()
        .max_message_size(Some(max_request_bytes as usize))
        .max_frame_size(Some(max_request_bytes as usize))
        .read_buffer_size(IO_BUFFER)
        .write_buffer_size(IO_BUFFER);
    let serve = async move {
        let io = match hyper::upgrade::on(request).await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => {
                tracing::debug!(%error, "WebSocket not upgraded");
                return;
            }
        };
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let (sink, notifications) = mpsc::channel(MAX_NOTIFICATIONS);
        let permits = BoundedSubscriptions::new(rules.max_subscriptions);
        let subscriber = Subscriber { sink: MethodSink::new(sink), permits };
        let service = Arc::new(Service::new(rules, connection, Some(subscriber)));
        let session =
            Session { socket, service, notifications, answers: JoinSet::new(), terms, max_request_bytes };
        if let Err(error) = session.run().await {
            tracing::debug!(%error, "WebSocket ended");
        }
    };
    Ok((response, serve))
}

/// Why a session ends before its client ends it.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Socket(#[from] Error),
    #[error("a message was not taken within {} ms", .0.as_millis())]
    Stalled(Duration),
    #[error("silent for {} s", .0.as_secs())]
    Silent(Duration),
}

struct Session {
    socket: Socket,
    service: Arc<Service>,
    notifications: mpsc::Receiver<Box<RawValue>>,
    answers: JoinSet<Option<Answer>>,
    terms: Terms,
    max_request_bytes: u32,
}

impl Session {
    async fn run(mut self) -> Result<(), Ended> {
        let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            // In this order: what a client has sent is seen before it is found silent.
            tokio::select! {
                biased;
                () = self.terms.stop.cancelled() => return self.finish().await,
                message = self.socket.next(), if self.answers.len() < MAX_IN_FLIGHT => {
                    heard = Instant::now();
                    match message {
                        None | Some(Ok(Message::Close(_))) => return Ok(()),
                        Some(Ok(Message::Text(text))) => self.begin(text.into()),
                        Some(Ok(Message::Binary(bytes))) => self.begin(bytes),
                        // Pings are answered by the stream, with the next that is written.
                        Some(Ok(Message::Ping(_))) => self.write(None).await?,
                        Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(Error::Capacity(error @ CapacityError::MessageTooLong { .. }))) => {
                            return self.refuse(&error).await;
                        }
                        Some(Err(error)) => return Err(error.into()),
                    }
                }
                Some(answered) = self.answers.join_next() => self.send(answered).await?,
                Some(notification) = self.notifications.recv() => {
                    self.write(Some(text(String::from(Box::<str>::from(notification)).into()))).await?;
                }
                _ = ping.tick() => {
                    // One that is not read, because it is answered first, is not silent.
                    let silent = heard.elapsed();
                    if silent > SILENCE_LIMIT && self.answers.len() < MAX_IN_FLIGHT {
                        return Err(Ended::Silent(silent));
                    }
                    self.write(Some(Message::Ping(Bytes::new()))).await?;
                }
            }
        }
    }

    fn begin(&mut self, sent: Bytes) {
        let service = Arc::clone(&self.service);
        self.answers.spawn(async move { service.answer(&sent).await });
    }

    /// Writes an answer; what it holds of the budget is given back afterwards.
    async fn send(&mut self, answered: Result<Option<Answer>, tokio::task::JoinError>) -> Result<(), Ended> {
        match answered {
            Ok(Some(answer)) => self.write(Some(text(Bytes::from_owner(answer)))).await,
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "a request was not answered");
                self.write_error(ErrorObject::from(jsonrpsee::types::ErrorCode::InternalError)).await
            }
        }
    }

    async fn write_error(&mut self, error: ErrorObject<'_>) -> Result<(), Ended> {
        let response = Response::new(ResponsePayload::<()>::error_borrowed(error), Id::Null);
        let json = serde_json::to_string(&response).unwrap_or_default();
        self.write(Some(text(json.into()))).await
    }

    /// Writes a message, and whatever the stream has to say by itself, within the time that there is.
    async fn write(&mut self, message: Option<Message>) -> Result<(), Ended> {
        let socket = &mut self.socket;
        let written = async move {
            match message {
                Some(message) => socket.send(message).await,
                None => socket.flush().await,
            }
        };
        let limit = self.terms.write_timeout;
        tokio::time::timeout(limit, written).await.map_err(|_| Ended::Stalled(limit))??;
        Ok(())
    }

    /// The rest of a message that is too large is not read: the session ends.
    async fn refuse(mut self, error: &CapacityError) -> Result<(), Ended> {
        self.write_error(reject_too_big_request(self.max_request_bytes)).await?;
        let reason = format!("{error}").into();
        self.write(Some(Message::Close(Some(CloseFrame { code: CloseCode::Size, reason })))).await
    }

    /// Answers what was asked, then says goodbye.
    async fn finish(mut self) -> Result<(), Ended> {
        while let Some(answered) = self.answers.join_next().await {
            self.send(answered).await?;
        }
        let goodbye = CloseFrame { code: CloseCode::Away, reason: "the node stops".into() };
        self.write(Some(Message::Close(Some(goodbye)))).await
    }
}

/// JSON is UTF-8.
fn text(bytes: Bytes) -> Message {
    Utf8Bytes::try_from(bytes).map_or_else(|_| Message::Text(Utf8Bytes::default()), Message::Text)
}
