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
        ErrorCode, ErrorObjectOwned, Id, Request, SubscriptionId,
        error::{METHOD_NOT_FOUND_CODE, reject_too_many_subscriptions},
    },
};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{
    budget::{Budget, Exhausted, Held},
    connection::Connection,
    error::{INTERNAL, shown},
    limit::{Allowance, PeerLimits},
    message::{self, Entry, Invalid, Message},
};
use crate::{config::RpcConfig, metrics};

/// What unknown methods are counted as.
const OTHER: &str = "other";

/// Why a method cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the method {method} does not exist/is not available")]
    Unknown { method: String },
    #[error("the method {method} is not available: namespace {namespace} is not among rpc.namespaces")]
    NamespaceDisabled { method: String, namespace: String },
    #[error("notifications not supported: {method} needs a WebSocket")]
    NeedsWebSocket { method: String },
}

impl From<Unavailable> for ErrorObjectOwned {
    fn from(error: Unavailable) -> Self {
        Self::owned(METHOD_NOT_FOUND_CODE, error.to_string(), None::<()>)
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

/// What subscriptions that began within a batch have to tell, the answer to each first.
type Begun = Vec<mpsc::Receiver<Box<RawValue>>>;

/// An answer, and the memory that it holds until it is dropped.
pub struct Answer {
    json: Box<RawValue>,
    begun: Begun,
    _held: Held,
}

impl Answer {
    /// What is told from now on, because its subscriptions are answered.
    pub fn take_begun(&mut self) -> Begun {
        std::mem::take(&mut self.begun)
    }
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

/// Whether a subscription is answered on its own, by its sink, or within a batch.
enum Place<'a> {
    Single,
    Batch(&'a mut Begun),
}

impl Service {
    /// A connection under rules; `subscriber` is a WebSocket's.
    #[must_use]
    pub const fn new(rules: Arc<Rules>, connection: Arc<Connection>, subscriber: Option<Subscriber>) -> Self {
        Self { rules, connection, subscriber }
    }

    /// The answer to what was sent; none if none is wanted, or the sink has it already.
    pub async fn answer(&self, sent: &[u8]) -> Option<Answer> {
        let held = self.rules.budget.take(sent.len());
        match (message::parse(sent, self.rules.max_batch_entries), held) {
            (Err(invalid), _) | (Ok(Message::Single(Entry::Invalid(invalid))), _) => {
                Some(self.hold(Id::Null, refused(invalid), Begun::new()))
            }
            (Ok(Message::Single(Entry::Notification)), _) => None,
            (Ok(Message::Single(Entry::Call(request))), Err(exhausted)) => {
                Some(no_room(request.id, exhausted))
            }
            (Ok(Message::Batch(_)), Err(exhausted)) => Some(no_room(Id::Null, exhausted)),
            (Ok(Message::Single(Entry::Call(request))), Ok(_held)) => {
                let id = request.id.clone().into_owned();
                let response = self.call(request, Place::Single).await;
                (!response.is_subscription()).then(|| self.hold(id, response, Begun::new()))
            }
            (Ok(Message::Batch(entries)), Ok(_held)) => self.answer_all(entries).await,
        }
    }

    /// Takes memory for an answer, which is an error if there is none.
    fn hold(&self, id: Id<'_>, response: MethodResponse, begun: Begun) -> Answer {
        let json = response.into_json();
        match self.rules.budget.take(json.get().len()) {
            Ok(held) => Answer { json, begun, _held: held },
            Err(exhausted) => no_room(id, exhausted),
        }
    }

    async fn answer_all(&self, entries: Vec<Entry<'_>>) -> Option<Answer> {
        let mut answers = BatchResponseBuilder::new_with_limit(self.rules.max_response_bytes);
        let mut begun = Begun::new();
        for entry in entries {
            let answer = match entry {
                Entry::Call(request) => self.call(request, Place::Batch(&mut begun)).await,
                Entry::Notification => continue,
                Entry::Invalid(invalid) => refused(invalid),
            };
            if let Err(too_large) = answers.append(answer) {
                // Subscriptions that nobody learns of end here.
                return Some(self.hold(Id::Null, too_large, Begun::new()));
            }
        }
        let some = !answers.is_empty();
        some.then(|| self.hold(Id::Null, MethodResponse::from_batch(answers.finish()), begun))
    }

    /// Lets subscriptions tell what they have to tell, after their answers, which are left out.
    pub fn follow(&self, begun: Begun) {
        let Some(subscriber) = &self.subscriber else { return };
        for mut sent in begun {
            let sink = subscriber.sink.clone();
            tokio::spawn(async move {
                let forward = async {
                    let _answer = sent.recv().await;
                    while let Some(message) = sent.recv().await {
                        if sink.send(message).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    () = forward => {}
                    () = sink.closed() => {}
                }
            });
        }
    }

    async fn call(&self, request: Request<'_>, place: Place<'_>) -> MethodResponse {
        let start = Instant::now();
        let known = self.rules.methods.method_with_name(request.method_name());
        let name = known.map_or(OTHER, |(name, _)| name);
        let response = match (self.check_rate(), known) {
            (Err(limited), _) => MethodResponse::error(request.id, limited),
            (Ok(()), Some((_, callback))) => self.dispatch_safely(callback, request, place).await,
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

    /// A fault of the node is an answer, under the id of the request.
    async fn dispatch_safely(
        &self,
        callback: &MethodCallback,
        request: Request<'_>,
        place: Place<'_>,
    ) -> MethodResponse {
        let id = request.id.clone().into_owned();
        let dispatched = AssertUnwindSafe(self.dispatch(callback, request, place)).catch_unwind().await;
        match dispatched {
            // What panicked on another thread has lost its id.
            Ok(response) if response.as_error_code() == Some(INTERNAL) && has_no_id(&response) => {
                MethodResponse::error(id, ErrorObjectOwned::from(ErrorCode::InternalError))
            }
            Ok(response) => response,
            Err(_) => MethodResponse::error(id, ErrorObjectOwned::from(ErrorCode::InternalError)),
        }
    }

    async fn dispatch(
        &self,
        callback: &MethodCallback,
        request: Request<'_>,
        place: Place<'_>,
    ) -> MethodResponse {
        let Request { id, method, params, extensions, .. } = request;
        let params = jsonrpsee::types::Params::new(params.as_ref().map(|raw| raw.get()));
        let (limit, connection) = (self.rules.max_response_bytes, self.connection.id);
        match (callback, &self.subscriber) {
            (MethodCallback::Sync(call), _) => call(id, params, limit, extensions),
            (MethodCallback::Async(call), _) => {
                call(id.into_owned(), params.into_owned(), connection, limit, extensions).await
            }
            (MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_), None) => {
                let error = Unavailable::NeedsWebSocket { method: shown(&method).to_owned() };
                MethodResponse::error(id, ErrorObjectOwned::from(error))
            }
            (MethodCallback::Subscription(call), Some(subscriber)) => {
                let Some(subscription_permit) = subscriber.permits.acquire() else {
                    let max = subscriber.permits.max();
                    return MethodResponse::error(id, reject_too_many_subscriptions(max));
                };
                let state =
                    SubscriptionState { conn_id: connection, id_provider: &HexIds, subscription_permit };
                match place {
                    Place::Single => call(id, params, subscriber.sink.clone(), state, extensions).await,
                    Place::Batch(begun) => {
                        let (sink, sent) = mpsc::channel(1);
                        begun.push(sent);
                        call(id, params, MethodSink::new(sink), state, extensions).await
                    }
                }
            }
            (MethodCallback::Unsubscription(call), Some(_)) => {
                call(id, params, connection, limit, extensions)
            }
        }
    }
}

fn has_no_id(response: &MethodResponse) -> bool {
    response.as_ref().contains("\"id\":null")
}

/// An answer that had no room.
fn no_room(id: Id<'_>, exhausted: Exhausted) -> Answer {
    metrics::rpc_answer_dropped();
    let json = MethodResponse::error(id, ErrorObjectOwned::from(exhausted)).into_json();
    Answer { json, begun: Begun::new(), _held: Held::nothing() }
}

fn refused(invalid: Invalid<'_>) -> MethodResponse {
    metrics::rpc_answered(OTHER, Some(invalid.error.code()), Duration::ZERO);
    MethodResponse::error(invalid.id, invalid.error)
}
