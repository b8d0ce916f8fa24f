//! Around every call: the rate limit, the namespaces, and the metrics. jsonrpsee does not run `call` for the entries of a
//! batch; here `batch` does, so that an entry is a request like any other.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Instant,
};

use jsonrpsee::{
    MethodResponse,
    core::{
        middleware::{Batch, BatchEntry, Notification, RpcServiceT},
        server::{BatchResponseBuilder, MethodCallback, Methods},
    },
    types::{ErrorObjectOwned, Request, error::METHOD_NOT_FOUND_CODE},
};
use tokio::sync::OwnedSemaphorePermit;

use super::limit::RateLimit;
use crate::metrics::{self, ConnectionGauge};

/// What unknown methods are counted as.
const OTHER: &str = "other";

/// What becomes of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Call,
    Subscribe,
    Unsubscribe,
}

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
    methods: HashMap<&'static str, Role>,
    /// Methods that exist and are not offered.
    disabled: BTreeSet<&'static str>,
    pub limit: Option<RateLimit>,
    max_response_bytes: usize,
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
        offered: &Methods,
        disabled: BTreeSet<&'static str>,
        limit: Option<RateLimit>,
        max_response_bytes: u32,
    ) -> Self {
        let role = |name| match offered.method(name) {
            Some(MethodCallback::Subscription(_)) => Role::Subscribe,
            Some(MethodCallback::Unsubscription(_)) => Role::Unsubscribe,
            _ => Role::Call,
        };
        let methods = offered.method_names().map(|name| (name, role(name))).collect();
        Self { methods, disabled, limit, max_response_bytes: max_response_bytes as usize }
    }

    fn unavailable(&self, method: &str) -> Unavailable {
        let method = method.to_owned();
        if self.disabled.contains(method.as_str()) {
            let namespace = namespace(&method).to_owned();
            return Unavailable::NamespaceDisabled { method, namespace };
        }
        Unavailable::Unknown { method }
    }
}

/// A connection. It counts as open until the last of its requests, or its WebSocket, is gone.
pub struct Connection {
    pub peer: IpAddr,
    subscriptions: AtomicI32,
    _permit: OwnedSemaphorePermit,
    _gauge: ConnectionGauge,
}

impl Connection {
    /// A connection that holds `permit`.
    #[must_use]
    pub fn new(peer: IpAddr, permit: OwnedSemaphorePermit) -> Self {
        let subscriptions = AtomicI32::new(0);
        Self { peer, subscriptions, _permit: permit, _gauge: ConnectionGauge::open() }
    }

    fn subscriptions(&self, change: i32) {
        self.subscriptions.fetch_add(change, Ordering::Relaxed);
        metrics::rpc_subscriptions(change);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::rpc_subscriptions(-self.subscriptions.load(Ordering::Relaxed));
    }
}

/// See the module.
#[derive(Clone)]
pub struct Middleware<S> {
    pub inner: S,
    pub rules: Arc<Rules>,
    pub connection: Arc<Connection>,
    pub websocket: bool,
}

impl<S> Middleware<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Send + Sync,
{
    async fn answer(&self, request: Request<'_>) -> MethodResponse {
        let start = Instant::now();
        let known = self.rules.methods.get_key_value(request.method_name());
        let (name, role) = known.map_or((OTHER, Role::Call), |(name, role)| (*name, *role));
        let refusal = self.refusal(known.is_some(), role, request.method_name());
        let response = match refusal {
            Some(error) => MethodResponse::error(request.id.into_owned(), error),
            None => self.inner.call(request).await,
        };
        metrics::rpc_answered(name, response.as_error_code(), start.elapsed());
        match role {
            Role::Subscribe if response.is_success() => self.connection.subscriptions(1),
            Role::Unsubscribe if response.as_ref().contains("\"result\":true") => {
                self.connection.subscriptions(-1);
            }
            Role::Call | Role::Subscribe | Role::Unsubscribe => {}
        }
        response
    }

    fn refusal(&self, known: bool, role: Role, method: &str) -> Option<ErrorObjectOwned> {
        if let Some(limit) = &self.rules.limit
            && let Err(limited) = limit.check(self.connection.peer)
        {
            metrics::rpc_rate_limited();
            return Some(limited.into());
        }
        if !known {
            return Some(self.rules.unavailable(method).into());
        }
        if role != Role::Call && !self.websocket {
            return Some(Unavailable::NeedsWebSocket { method: method.to_owned() }.into());
        }
        None
    }

    async fn answer_all(&self, batch: Batch<'_>) -> MethodResponse {
        let mut answers = BatchResponseBuilder::new_with_limit(self.rules.max_response_bytes);
        let mut notified = false;
        for entry in batch {
            let answer = match entry {
                Ok(BatchEntry::Call(request)) => self.answer(request).await,
                Ok(BatchEntry::Notification(_)) => {
                    notified = true;
                    continue;
                }
                Err(malformed) => {
                    let (error, id) = malformed.into_parts();
                    MethodResponse::error(id, error)
                }
            };
            if let Err(too_large) = answers.append(answer) {
                return too_large;
            }
        }
        if notified && answers.is_empty() {
            return MethodResponse::notification();
        }
        MethodResponse::from_batch(answers.finish())
    }
}

impl<S> RpcServiceT for Middleware<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse, NotificationResponse = MethodResponse>
        + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move { this.answer(request).await }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move { this.answer_all(batch).await }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
