//! JSON-RPC over a WebSocket: messages in, answers and notifications out, in one task. While the client takes nothing,
//! nothing is read from it; so what it can make the node hold is bounded (docs/adr/0007-bounded-connections.md).

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, SinkExt, StreamExt};
use hyper::{
    body::{Body as _, Bytes},
    upgrade::Upgraded,
};
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
        Error, Message,
        error::CapacityError,
        handshake::server::create_response_with_body,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
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
const MAX_NOTIFICATIONS: usize = 4;
/// Largest part of a message that is copied to be written, in bytes; larger messages are sent in frames of this size.
const FRAME_BYTES: usize = 64 << 10;
/// How long the rest of a message that was refused is read and dropped, so that the client sees why.
const LINGER: Duration = Duration::from_secs(1);
/// How often a client is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may leave that unanswered; looked at when it is time to ask again.
const PONG_TIMEOUT: Duration = Duration::from_secs(40);
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
pub enum HandshakeError {
    #[error("WebSocket handshake: {0}")]
    Protocol(#[from] Box<Error>),
    #[error("WebSocket handshake: a request with a body")]
    Body,
}

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
    if !request.body().is_end_stream() {
        return Err(HandshakeError::Body);
    }
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
        let answers = JoinSet::new();
        let session = Session { socket, service, notifications, answers, terms, max_request_bytes };
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
    #[error("a ping is unanswered for {} s", .0.as_secs())]
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
        // When a ping was sent that nothing has followed.
        let mut asked: Option<Instant> = None;
        loop {
            let reads = self.answers.len() < MAX_IN_FLIGHT;
            // In no order: nothing that is always ready may keep the rest from its turn.
            let received = tokio::select! {
                () = self.terms.stop.cancelled() => return self.finish().await,
                message = self.socket.next(), if reads => message,
                Some(answered) = self.answers.join_next() => {
                    self.send(answered).await?;
                    continue;
                }
                Some(notification) = self.notifications.recv() => {
                    self.notify(notification).await?;
                    continue;
                }
                _ = ping.tick() => {
                    let unanswered = asked.map(|asked| asked.elapsed()).filter(|since| *since > PONG_TIMEOUT);
                    match unanswered {
                        // It may have answered, and was not read for its answers were written.
                        Some(since) if reads => match self.socket.next().now_or_never() {
                            Some(message) => message,
                            None => return Err(Ended::Silent(since)),
                        },
                        _ => {
                            self.write(Part::Control(Message::Ping(Bytes::new()))).await?;
                            asked = asked.or_else(|| Some(Instant::now()));
                            continue;
                        }
                    }
                }
            };
            asked = None;
            match received {
                // The stream answers a ping, and a goodbye, with the next that is written.
                Some(Ok(Message::Ping(_))) => self.write(Part::Nothing).await?,
                None | Some(Ok(Message::Close(_))) => return self.write(Part::Nothing).await,
                Some(Ok(Message::Text(text))) => self.begin(text.as_ref()),
                Some(Ok(Message::Binary(bytes))) => self.begin(&bytes),
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(Error::Capacity(error @ CapacityError::MessageTooLong { .. }))) => {
                    return self.refuse(&error).await;
                }
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Begins to answer. The message is copied: it is a part of what was read with it.
    fn begin(&mut self, sent: &[u8]) {
        let (service, sent) = (Arc::clone(&self.service), sent.to_vec());
        self.answers.spawn(async move { service.answer(&sent).await });
    }

    /// Writes an answer; what it holds of the budget is given back afterwards.
    async fn send(&mut self, answered: Result<Option<Answer>, tokio::task::JoinError>) -> Result<(), Ended> {
        match answered {
            Ok(Some(answer)) => self.write(Part::Text(Bytes::from_owner(answer))).await,
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "a request was not answered");
                self.write_error(ErrorObject::from(jsonrpsee::types::ErrorCode::InternalError)).await
            }
        }
    }

    async fn notify(&mut self, notification: Box<RawValue>) -> Result<(), Ended> {
        self.write(Part::Text(String::from(Box::<str>::from(notification)).into())).await
    }

    async fn write_error(&mut self, error: ErrorObject<'_>) -> Result<(), Ended> {
        let response = Response::new(ResponsePayload::<()>::error_borrowed(error), Id::Null);
        let json = serde_json::to_string(&response).unwrap_or_default();
        self.write(Part::Text(json.into())).await
    }

    /// Writes what there is, and whatever the stream has to say by itself, within the time that there is.
    async fn write(&mut self, part: Part) -> Result<(), Ended> {
        let limit = self.terms.write_timeout;
        let written = tokio::time::timeout(limit, write(&mut self.socket, part)).await;
        Ok(written.map_err(|_| Ended::Stalled(limit))??)
    }

    /// A message that is too large ends the session.
    async fn refuse(mut self, error: &CapacityError) -> Result<(), Ended> {
        self.write_error(reject_too_big_request(self.max_request_bytes)).await?;
        let reason = format!("{error}").into();
        let goodbye = CloseFrame { code: CloseCode::Size, reason };
        self.write(Part::Control(Message::Close(Some(goodbye)))).await?;
        // Closed with bytes that nobody read, the connection would be reset, and the reason lost.
        let mut nowhere = tokio::io::sink();
        let rest = tokio::io::copy(self.socket.get_mut(), &mut nowhere);
        let _ = tokio::time::timeout(LINGER, rest).await;
        Ok(())
    }

    /// Answers what was asked, then says goodbye.
    async fn finish(mut self) -> Result<(), Ended> {
        loop {
            tokio::select! {
                biased;
                answered = self.answers.join_next() => match answered {
                    Some(answered) => self.send(answered).await?,
                    None => break,
                },
                // Answers to subscriptions come this way, and calls may wait for room in it.
                Some(notification) = self.notifications.recv() => self.notify(notification).await?,
            }
        }
        for _ in 0..self.notifications.len() {
            let Ok(notification) = self.notifications.try_recv() else { break };
            self.notify(notification).await?;
        }
        let goodbye = CloseFrame { code: CloseCode::Away, reason: "the node stops".into() };
        self.write(Part::Control(Message::Close(Some(goodbye)))).await
    }
}

/// What is written at a time.
enum Part {
    /// What the stream has to say.
    Nothing,
    Text(Bytes),
    Control(Message),
}

/// Writes until the last byte is the system's; a text is whole in memory until then, and not more than a frame of it twice.
async fn write(socket: &mut Socket, part: Part) -> Result<(), Error> {
    match part {
        Part::Nothing => socket.flush().await,
        Part::Control(message) => socket.send(message).await,
        Part::Text(text) => {
            let mut from = 0;
            loop {
                let to = text.len().min(from + FRAME_BYTES);
                let kind = if from == 0 { Data::Text } else { Data::Continue };
                let frame = Frame::message(text.slice(from..to), OpCode::Data(kind), to == text.len());
                socket.send(Message::Frame(frame)).await?;
                if to == text.len() {
                    return Ok(());
                }
                from = to;
            }
        }
    }
}
