//! Answers what a connection sends: limits, namespaces, dispatch to the methods, and metrics. Not here: how bytes come and
//! go (`http::post`, `http::websocket`).

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use jsonrpsee::{
    MethodResponse,
    core::{
        server::{
            BatchResponseBuilder, BoundedSubscriptions, MethodCallback, MethodSink, Methods,
            SubscriptionState,
        },
        traits::IdProvider,
    },
    types::{
        ErrorCode, ErrorObjectOwned, Id, Params, Request, SubscriptionId,
        error::{INVALID_REQUEST_CODE, METHOD_NOT_FOUND_CODE, reject_too_many_subscriptions},
    },
};
use serde_json::value::RawValue;
use tokio_util::task::AbortOnDropHandle;

use super::{
    budget::{Budget, Exhausted, Held},
    connection::Connection,
    error::{INTERNAL, INVALID_PARAMS, shown},
    limit::{Allowance, PeerLimits},
    message::{self, Entry, Invalid, Message},
};
use crate::{config::RpcConfig, metrics};

/// What unknown methods are counted as.
const OTHER: &str = "other";
/// Methods that wait for their turn.
const TRACES: &str = "debug_trace";
/// An error that is longer repeats what was sent, in bytes.
const LONG_ERROR: usize = 1_024;

/// Why a method cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the method {method} does not exist/is not available")]
    Unknown { method: String },
    #[error("the method {method} is not available: namespace {namespace} is not among rpc.namespaces")]
    NamespaceDisabled { method: String, namespace: String },
    #[error("notifications not supported: {method} needs a WebSocket")]
    NeedsWebSocket { method: String },
    #[error("{method} cannot be part of a batch: send it as a request of its own")]
    InBatch { method: String },
}

impl From<Unavailable> for ErrorObjectOwned {
    fn from(error: Unavailable) -> Self {
        let code = match error {
            Unavailable::InBatch { .. } => INVALID_REQUEST_CODE,
            _ => METHOD_NOT_FOUND_CODE,
        };
        Self::owned(code, error.to_string(), None::<()>)
    }
}

/// What holds for all connections.
pub struct Rules {
    methods: Methods,
    /// Methods that exist and are not offered.
    disabled: BTreeSet<&'static str>,
    pub peers: Option<PeerLimits>,
    pub connection_allowance: Option<Allowance>,
    budget: Budget,
    pub max_request_bytes: u32,
    pub max_subscriptions: u32,
    max_response_bytes: usize,
    max_batch_entries: u32,
}

/// The namespace of a method.
#[must_use]
pub fn namespace(method: &str) -> &str {
    method.split_once('_').map_or("", |(namespace, _)| namespace)
}

impl Rules {
    /// Rules for what is offered of what there is.
    #[must_use]
    pub fn new(
        config: &RpcConfig,
        methods: Methods,
        disabled: BTreeSet<&'static str>,
        budget: Budget,
    ) -> Self {
        let peer = Allowance::new(config.peer_rate_limit_per_s, config.peer_rate_limit_burst);
        Self {
            methods,
            disabled,
            peers: peer.map(PeerLimits::new),
            connection_allowance: Allowance::new(config.rate_limit_per_s, config.rate_limit_burst),
            budget,
            max_request_bytes: config.max_request_bytes,
            max_subscriptions: config.max_subscriptions,
            max_response_bytes: config.max_response_bytes as usize,
            max_batch_entries: config.max_batch_entries,
        }
    }

    fn unavailable(&self, method: &str) -> Unavailable {
        let method = shown(method).to_owned();
        if self.disabled.contains(method.as_str()) {
            let namespace = namespace(&method).to_owned();
            return Unavailable::NamespaceDisabled { method, namespace };
        }
        Unavailable::Unknown { method }
    }
}

/// Ids as geth makes them: up to 32 hex digits. Its client takes no numbers.
#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        format!("{:#x}", rand::random::<u128>()).into()
    }
}

/// Where the subscriptions of a WebSocket send what they have to tell, and how many there may be.
pub struct Subscriber {
    pub sink: MethodSink,
    pub permits: BoundedSubscriptions,
}

/// An answer, and the memory that it holds until it is dropped.
pub struct Answer {
    json: Box<RawValue>,
    _held: Held,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        self.json.get().as_bytes()
    }
}

/// Answers one connection.
pub struct Service {
    rules: Arc<Rules>,
    connection: Arc<Connection>,
    /// Of a WebSocket.
    subscriber: Option<Subscriber>,
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Single,
    Batch,
}

impl Service {
    /// A connection under rules; `subscriber` is a WebSocket's.
    #[must_use]
    pub const fn new(rules: Arc<Rules>, connection: Arc<Connection>, subscriber: Option<Subscriber>) -> Self {
        Self { rules, connection, subscriber }
    }

    /// The answer to what was sent; none if none is wanted, or the sink has it already.
    ///
    /// If this is dropped no further call of a batch begins. One that runs on another thread cannot be stopped: until it
    /// ends it holds what was sent, and the place of its connection.
    pub async fn answer(&self, sent: &[u8]) -> Option<Answer> {
        let held = self.rules.budget.take(sent.len());
        match (message::parse(sent, self.rules.max_batch_entries), held) {
            (Err(invalid), _) | (Ok(Message::Single(Entry::Invalid(invalid))), _) => {
                Some(self.hold(Id::Null, refused(invalid)))
            }
            (Ok(Message::Single(Entry::Notification)), _) => None,
            (Ok(Message::Single(Entry::Call(request))), Err(exhausted)) => {
                Some(no_room(request.id, exhausted))
            }
            (Ok(Message::Batch(_)), Err(exhausted)) => Some(no_room(Id::Null, exhausted)),
            (Ok(Message::Single(Entry::Call(request))), Ok(held)) => {
                let id = request.id.clone().into_owned();
                let response = self.call(request, Place::Single, &Arc::new(held)).await;
                (!response.is_subscription()).then(|| self.hold(id, response))
            }
            (Ok(Message::Batch(entries)), Ok(held)) => self.answer_all(entries, &Arc::new(held)).await,
        }
    }

    /// Takes memory for an answer, which is an error if there is none.
    fn hold(&self, id: Id<'_>, response: MethodResponse) -> Answer {
        let json = response.into_json();
        match self.rules.budget.take(json.get().len()) {
            Ok(held) => Answer { json, _held: held },
            Err(exhausted) => no_room(id, exhausted),
        }
    }

    async fn answer_all(&self, entries: Vec<Entry<'_>>, request: &Arc<Held>) -> Option<Answer> {
        let mut answers = BatchResponseBuilder::new_with_limit(self.rules.max_response_bytes);
        let mut held = Held::default();
        for entry in entries {
            let answer = match entry {
                Entry::Call(call) => self.call(call, Place::Batch, request).await,
                Entry::Notification => continue,
                Entry::Invalid(invalid) => refused(invalid),
            };
            // And a comma.
            if let Err(exhausted) = self.rules.budget.grow(&mut held, answer.as_ref().len() + 1) {
                return Some(no_room(Id::Null, exhausted));
            }
            if let Err(too_large) = answers.append(answer) {
                return Some(self.hold(Id::Null, too_large));
            }
        }
        let some = !answers.is_empty();
        some.then(|| Answer { json: MethodResponse::from_batch(answers.finish()).into_json(), _held: held })
    }

    async fn call(&self, request: Request<'_>, place: Place, held: &Arc<Held>) -> MethodResponse {
        let start = Instant::now();
        let known = self.rules.methods.method_with_name(request.method_name());
        let name = known.map_or(OTHER, |(name, _)| name);
        let response = match (self.check_rate(), known) {
            (Err(limited), _) => MethodResponse::error(request.id, limited),
            (Ok(()), Some((name, callback))) => {
                let id = request.id.clone().into_owned();
                let dispatched = self.dispatch(name, callback, request, place, held);
                let dispatched = AssertUnwindSafe(dispatched).catch_unwind().await;
                // A fault of the node is an answer, under the id of the request.
                let fault =
                    |_| MethodResponse::error(id.clone(), ErrorObjectOwned::from(ErrorCode::InternalError));
                repaired(dispatched.unwrap_or_else(fault), &id)
            }
            (Ok(()), None) => {
                let error = ErrorObjectOwned::from(self.rules.unavailable(&request.method));
                MethodResponse::error(request.id, error)
            }
        };
        metrics::rpc_answered(name, response.as_error_code(), start.elapsed());
        response
    }

    fn check_rate(&self) -> Result<(), ErrorObjectOwned> {
        let peer = |limits: &PeerLimits| limits.check(self.connection.peer);
        let checked =
            self.connection.check_rate().and_then(|()| self.rules.peers.as_ref().map_or(Ok(()), peer));
        checked.map_err(|limited| {
            metrics::rpc_rate_limited();
            limited.into()
        })
    }

    async fn dispatch(
        &self,
        name: &str,
        callback: &MethodCallback,
        request: Request<'_>,
        place: Place,
        held: &Arc<Held>,
    ) -> MethodResponse {
        let Request { id, params, extensions, .. } = request;
        let params = Params::new(params.as_ref().map(|raw| raw.get()));
        let (limit, connection) = (self.rules.max_response_bytes, self.connection.id);
        match (callback, &self.subscriber) {
            (MethodCallback::Sync(call), _) => call(id, params, limit, extensions),
            (MethodCallback::Async(call), _) => {
                let (id, params) = (id.into_owned(), params.into_owned());
                let fault =
                    MethodResponse::error(id.clone(), ErrorObjectOwned::from(ErrorCode::InternalError));
                let running = call(id, params, connection, limit, extensions);
                let kept = (Arc::clone(&self.connection), Arc::clone(held));
                let task = tokio::spawn(async move {
                    let response = running.await;
                    drop(kept);
                    response
                });
                // A trace waits for its turn before it is on another thread, and need not wait for nobody.
                let answered = match name.starts_with(TRACES) {
                    true => AbortOnDropHandle::new(task).await,
                    false => task.await,
                };
                answered.unwrap_or(fault)
            }
            (MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_), None) => {
                let error = Unavailable::NeedsWebSocket { method: name.to_owned() };
                MethodResponse::error(id, ErrorObjectOwned::from(error))
            }
            (MethodCallback::Subscription(_), Some(_)) if place == Place::Batch => {
                let error = Unavailable::InBatch { method: name.to_owned() };
                MethodResponse::error(id, ErrorObjectOwned::from(error))
            }
            (MethodCallback::Subscription(call), Some(subscriber)) => {
                let Some(subscription_permit) = subscriber.permits.acquire() else {
                    let max = subscriber.permits.max();
                    return MethodResponse::error(id, reject_too_many_subscriptions(max));
                };
                let state =
                    SubscriptionState { conn_id: connection, id_provider: &HexIds, subscription_permit };
                call(id, params, subscriber.sink.clone(), state, extensions).await
            }
            (MethodCallback::Unsubscription(call), Some(_)) => {
                call(id, params, connection, limit, extensions)
            }
        }
    }
}

/// What jsonrpsee says otherwise than it should: a call that panicked on another thread has lost its id, and wrong
/// parameters are repeated at any length.
fn repaired(response: MethodResponse, id: &Id<'_>) -> MethodResponse {
    match response.as_error_code() {
        Some(INTERNAL) if *id != Id::Null && response.as_ref().contains("\"id\":null") => {
            MethodResponse::error(id.clone(), ErrorObjectOwned::from(ErrorCode::InternalError))
        }
        Some(INVALID_PARAMS) if response.as_ref().len() > LONG_ERROR => {
            let parsed = serde_json::from_str::<serde_json::Value>(response.as_ref()).unwrap_or_default();
            let error = &parsed["error"];
            let message = error["message"].as_str().unwrap_or_default();
            let data = error["data"].as_str().map(|data| format!("{}…", shown(data)));
            let error = ErrorObjectOwned::owned(INVALID_PARAMS, shown(message), data);
            MethodResponse::error(id.clone(), error)
        }
        _ => response,
    }
}

/// An answer that had no room.
fn no_room(id: Id<'_>, exhausted: Exhausted) -> Answer {
    metrics::rpc_answer_dropped();
    let json = MethodResponse::error(id, ErrorObjectOwned::from(exhausted)).into_json();
    Answer { json, _held: Held::default() }
}

fn refused(invalid: Invalid<'_>) -> MethodResponse {
    metrics::rpc_answered(OTHER, Some(invalid.error.code()), Duration::ZERO);
    MethodResponse::error(invalid.id, invalid.error)
}
