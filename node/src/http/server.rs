//! The server: connections, their limits, and their end.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, StatusCode};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use jsonrpsee::{
    core::middleware::RpcServiceBuilder,
    server::{
        BatchRequestConfig, HttpBody, HttpRequest, HttpResponse, Methods, ServerBuilder, ServerConfig,
        ServerHandle, StopHandle, TowerServiceBuilder, stop_channel, ws::is_upgrade_request,
    },
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceBuilder, service_fn, util::Either};

use super::{
    guard::Guard,
    health::Health,
    pages::{Pages, is_page},
    refusal,
};
use crate::{
    config::RpcConfig,
    metrics,
    rpc::{
        connection,
        limit::{RateLimit, peer},
        middleware::{Connection, Middleware, Rules},
    },
};

/// Connections that are told at the same time that there are too many; more are closed without a word.
const REFUSALS: usize = 32;
/// How long telling it may take.
const REFUSAL_LIMIT: Duration = Duration::from_secs(2);
/// Pause after a connection could not be taken: most likely there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Idle peers are forgotten once in so many connections.
const FORGET_EVERY: u64 = 1_024;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
#[error("HTTP cannot listen on {address}: {source}")]
pub struct ServerError {
    pub address: SocketAddr,
    pub source: std::io::Error,
}

/// JSON-RPC behind a port.
struct JsonRpc {
    services: TowerServiceBuilder<tower::layer::util::Identity, tower::layer::util::Identity>,
    methods: Methods,
    rules: Arc<Rules>,
}

/// Everything that requests are answered from.
pub struct Site {
    pages: Pages,
    guard: Guard,
    rpc: Option<JsonRpc>,
    max_connections: u32,
    request_timeout: Duration,
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
    connections: TaskTracker,
    abort: CancellationToken,
}

impl Server {
    /// Takes no more connections, lets requests finish that are being answered, closes WebSockets. False if something was
    /// left at the end of `limit` and was cut off.
    pub async fn stop(self, limit: Duration) -> bool {
        // Fails only if everything has ended already.
        let _ = self.handle.stop();
        self.connections.close();
        let ended = async {
            self.connections.wait().await;
            // WebSockets are jsonrpsee's tasks: the handle knows when they are gone.
            self.handle.clone().stopped().await;
        };
        let in_time = tokio::time::timeout(limit, ended).await.is_ok();
        self.abort.cancel();
        in_time
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let error = |source| ServerError { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    if !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, "listens on an address that others can reach, without authentication");
    }
    Ok((listener, bound))
}

/// Serves `methods` and the pages.
///
/// # Errors
/// If the address cannot be used.
pub async fn start(
    config: &RpcConfig,
    methods: Methods,
    rules: Rules,
    health: Arc<Health>,
    metrics: PrometheusHandle,
) -> Result<Server, ServerError> {
    let limits = connection::bounded(ServerConfig::builder(), config.max_subscriptions)
        .max_request_body_size(config.max_request_bytes)
        .max_response_body_size(config.max_response_bytes)
        .max_connections(config.max_connections)
        .set_batch_request_config(BatchRequestConfig::Limit(config.max_batch_entries))
        .build();
    let services = ServerBuilder::with_config(limits).to_service_builder();
    let site = Site {
        pages: Pages { health, metrics, files: true },
        guard: Guard::new(&config.hosts, &config.cors_origins),
        rpc: Some(JsonRpc { services, methods, rules: Arc::new(rules) }),
        max_connections: config.max_connections,
        request_timeout: config.request_timeout(),
    };
    let (listener, address) = bind(config.listen).await?;
    // A client that is told why its subscription closed has until then to read it.
    let stalled = Duration::from_millis(config.subscriber_timeout_ms.saturating_mul(3));
    connection::drop_stalled(&listener, stalled).map_err(|source| ServerError { address, source })?;
    Ok(site.listen((listener, address)))
}

/// Serves health and metrics alone, under the host names and limits of `config`.
///
/// # Errors
/// If the address cannot be used.
pub async fn start_pages(
    address: SocketAddr,
    config: &RpcConfig,
    health: Arc<Health>,
    metrics: PrometheusHandle,
) -> Result<Server, ServerError> {
    let site = Site {
        pages: Pages { health, metrics, files: false },
        guard: Guard::new(&config.hosts, &[]),
        rpc: None,
        max_connections: config.max_connections,
        request_timeout: config.request_timeout(),
    };
    Ok(site.listen(bind(address).await?))
}

impl Site {
    fn listen(self, (listener, address): (TcpListener, SocketAddr)) -> Server {
        let (stop, handle) = stop_channel();
        let (connections, abort) = (TaskTracker::new(), CancellationToken::new());
        let accept = Arc::new(self).accept(listener, stop, connections.clone(), abort.clone());
        connections.spawn(accept);
        Server { address, handle, connections, abort }
    }

    async fn accept(
        self: Arc<Self>,
        listener: TcpListener,
        stop: StopHandle,
        connections: TaskTracker,
        abort: CancellationToken,
    ) {
        let permits = Arc::new(Semaphore::new(self.max_connections as usize));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let mut stopped = std::pin::pin!(stop.clone().shutdown());
        for count in 1u64.. {
            let accepted = tokio::select! {
                () = &mut stopped => return,
                accepted = listener.accept() => accepted,
            };
            let (socket, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::debug!(%error, "connection not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if count.is_multiple_of(FORGET_EVERY) {
                self.limit().inspect(|limit| limit.forget_idle());
            }
            match Arc::clone(&permits).try_acquire_owned() {
                Ok(permit) => {
                    let connection = Arc::new(Connection::new(peer(address.ip()), permit));
                    let served = Arc::clone(&self).serve(socket, connection, stop.clone());
                    let abort = abort.clone();
                    connections.spawn(async move {
                        tokio::select! {
                            () = abort.cancelled() => {}
                            () = served => {}
                        }
                    });
                }
                Err(_) => {
                    metrics::rpc_connection_refused();
                    if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                        let refused = refuse(socket, self.max_connections);
                        connections.spawn(async move {
                            let _ = tokio::time::timeout(REFUSAL_LIMIT, refused).await;
                            drop(permit);
                        });
                    }
                }
            }
        }
    }

    fn limit(&self) -> Option<&RateLimit> {
        self.rpc.as_ref()?.rules.limit.as_ref()
    }

    /// Serves one connection to its end.
    async fn serve(self: Arc<Self>, socket: TcpStream, connection: Arc<Connection>, stop: StopHandle) {
        // A small answer must not wait for the next.
        let _ = socket.set_nodelay(true);
        let (site, handle) = (Arc::clone(&self), stop.clone());
        let routes = service_fn(move |request| {
            let (site, connection, stop) = (Arc::clone(&site), Arc::clone(&connection), handle.clone());
            async move { Ok::<_, Infallible>(site.route(request, connection, stop).await) }
        });
        let routes = match self.guard.cors() {
            Some(cors) => Either::Left(ServiceBuilder::new().layer(cors).service(routes)),
            None => Either::Right(routes),
        };
        let site = Arc::clone(&self);
        let guarded = service_fn(move |request: Request<hyper::body::Incoming>| {
            let refused = site.guard.check_host(&request).err();
            let mut routes = routes.clone();
            async move {
                match refused {
                    Some(error) => Ok(refusal(StatusCode::FORBIDDEN, error.to_string())),
                    None => routes.call(request.map(HttpBody::new)).await,
                }
            }
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(self.request_timeout);
        http.http2().timer(TokioTimer::new()).max_concurrent_streams(100);
        let served =
            http.serve_connection_with_upgrades(TokioIo::new(socket), TowerToHyperService::new(guarded));
        let mut served = std::pin::pin!(served);
        let ended = tokio::select! {
            ended = &mut served => ended,
            () = stop.shutdown() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error, "connection ended");
        }
    }

    async fn route(
        &self,
        request: HttpRequest,
        connection: Arc<Connection>,
        stop: StopHandle,
    ) -> HttpResponse {
        let upgrade = is_upgrade_request(&request);
        if !upgrade && is_page(request.method()) {
            return self.pages.get(request.uri().path(), request.headers()).await;
        }
        let Some(rpc) = &self.rpc else {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET is served here".to_owned());
        };
        if upgrade && let Err(error) = self.guard.check_websocket_origin(&request) {
            return refusal(StatusCode::FORBIDDEN, error.to_string());
        }
        let rules = Arc::clone(&rpc.rules);
        let layer = RpcServiceBuilder::new().layer_fn(move |inner| Middleware {
            inner,
            rules: Arc::clone(&rules),
            connection: Arc::clone(&connection),
            websocket: upgrade,
        });
        let services = rpc.services.clone().set_rpc_middleware(layer);
        let answer = services.build(rpc.methods.clone(), stop).call(request);
        match tokio::time::timeout(self.request_timeout, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Err(_) => {
                let limit = self.request_timeout.as_secs();
                let message = format!("the request took longer than rpc.request_timeout_s, {limit} s");
                refusal(StatusCode::REQUEST_TIMEOUT, message)
            }
        }
    }
}

/// Tells a client that there are too many.
async fn refuse(socket: TcpStream, limit: u32) {
    let answer = service_fn(move |_: Request<hyper::body::Incoming>| async move {
        let message = format!("too many connections: rpc.max_connections is {limit}");
        let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, message);
        let close = http::HeaderValue::from_static("close");
        response.headers_mut().insert(http::header::CONNECTION, close);
        Ok::<_, Infallible>(response)
    });
    let http = auto::Builder::new(TokioExecutor::new());
    let _ = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(answer)).await;
}
