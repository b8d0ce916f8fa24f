//! The server: connections, their limits, and their end.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, StatusCode};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, ws::is_upgrade_request};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service as _, ServiceBuilder, service_fn, util::Either};

use super::{
    deadline::WriteDeadline,
    guard::Guard,
    health::Health,
    pages::{Pages, is_page},
    post, refusal,
    runtime::OwnRuntime,
    websocket::{self, Terms},
};
use crate::{
    config::RpcConfig,
    metrics,
    rpc::{
        connection::{Connection, drop_stalled},
        limit::peer,
        service::{Rules, Service},
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

/// Everything that requests are answered from.
pub struct Site {
    pages: Pages,
    guard: Guard,
    rpc: Option<Arc<Rules>>,
    max_connections: u32,
    request_timeout: Duration,
    /// How long a client has to take a message of a WebSocket.
    write_timeout: Duration,
}

/// What runs, and how it is told to end.
#[derive(Clone, Default)]
struct Life {
    tasks: TaskTracker,
    /// Finish what has begun.
    stop: CancellationToken,
    /// Drop it.
    abort: CancellationToken,
}

impl Life {
    /// Runs a task until it ends, or everything is dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let abort = self.abort.clone();
        self.tasks.spawn(async move { abort.run_until_cancelled(task).await });
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    life: Life,
    _runtime: OwnRuntime,
}

impl Server {
    /// Takes no more connections, lets requests finish that are being answered, closes WebSockets. False if something was
    /// left at the end of `limit` and was cut off.
    pub async fn stop(self, limit: Duration) -> bool {
        self.life.stop.cancel();
        self.life.tasks.close();
        let in_time = tokio::time::timeout(limit, self.life.tasks.wait()).await.is_ok();
        self.life.abort.cancel();
        in_time
    }
}

async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    if !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, "listens on an address that others can reach, without authentication");
    }
    Ok(listener)
}

/// How long a client has to take what it is sent. One that is told why its subscription closed has until then to read it.
fn write_timeout(config: &RpcConfig) -> Duration {
    Duration::from_millis(config.subscriber_timeout_ms.saturating_mul(3))
}

/// Serves JSON-RPC under `rules`, and the pages.
///
/// # Errors
/// If the address cannot be used.
pub async fn start(
    config: &RpcConfig,
    rules: Rules,
    health: Arc<Health>,
    metrics: PrometheusHandle,
) -> Result<Server, ServerError> {
    let site = Site {
        pages: Pages { health, metrics, files: true },
        guard: Guard::new(&config.hosts, &config.cors_origins),
        rpc: Some(Arc::new(rules)),
        max_connections: config.max_connections,
        request_timeout: config.request_timeout(),
        write_timeout: write_timeout(config),
    };
    site.listen(config.listen).await
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
        write_timeout: write_timeout(config),
    };
    site.listen(address).await
}

impl Site {
    async fn listen(self, address: SocketAddr) -> Result<Server, ServerError> {
        let failed = |source| ServerError { address, source };
        let runtime = OwnRuntime::start().map_err(failed)?;
        let life = Life::default();
        let listening = life.clone();
        let begin = async move {
            let listener = bind(address).await?;
            drop_stalled(&listener, self.write_timeout)?;
            let bound = listener.local_addr()?;
            listening.spawn(Arc::new(self).accept(listener, listening.clone()));
            Ok(bound)
        };
        let begun = runtime.handle().spawn(begin).await;
        let address = begun.map_err(|error| failed(error.into()))?.map_err(failed)?;
        Ok(Server { address, life, _runtime: runtime })
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, life: Life) {
        let permits = Arc::new(Semaphore::new(self.max_connections as usize));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        for count in 1u64.. {
            let accepted = tokio::select! {
                () = life.stop.cancelled() => return,
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
            if count.is_multiple_of(FORGET_EVERY)
                && let Some(peers) = self.rpc.as_ref().and_then(|rules| rules.peers.as_ref())
            {
                peers.forget_idle();
            }
            match Arc::clone(&permits).try_acquire_owned() {
                Ok(permit) => {
                    let allowance = self.rpc.as_ref().and_then(|rules| rules.connection_allowance);
                    let connection = Arc::new(Connection::new(peer(address.ip()), allowance, permit));
                    life.spawn(Arc::clone(&self).serve(socket, connection, life.clone()));
                }
                Err(_) => {
                    metrics::rpc_connection_refused();
                    if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                        let refused = refuse(socket, self.max_connections);
                        life.spawn(async move {
                            let _ = tokio::time::timeout(REFUSAL_LIMIT, refused).await;
                            drop(permit);
                        });
                    }
                }
            }
        }
    }

    /// Serves one connection to its end, or until it becomes a WebSocket.
    async fn serve(self: Arc<Self>, socket: TcpStream, connection: Arc<Connection>, life: Life) {
        // A small answer must not wait for the next.
        let _ = socket.set_nodelay(true);
        let (site, lives) = (Arc::clone(&self), life.clone());
        let routes = service_fn(move |request| {
            let (site, connection, life) = (Arc::clone(&site), Arc::clone(&connection), lives.clone());
            async move { Ok::<_, Infallible>(site.route(request, connection, life).await) }
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
        // Not HTTP/2: it has a hundred answers wait on one connection, and its flow control hides from TCP that nobody reads
        // them. Clients speak it over TLS only, which is a proxy's.
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.request_timeout);
        let io = TokioIo::new(WriteDeadline::new(socket, self.write_timeout));
        let served = http.serve_connection(io, TowerToHyperService::new(guarded)).with_upgrades();
        let mut served = std::pin::pin!(served);
        let ended = tokio::select! {
            ended = &mut served => ended,
            () = life.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn route(&self, request: HttpRequest, connection: Arc<Connection>, life: Life) -> HttpResponse {
        let upgrade = is_upgrade_request(&request);
        if !upgrade && is_page(request.method()) {
            return self.pages.get(request.uri().path(), request.headers()).await;
        }
        let Some(rules) = &self.rpc else {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET is served here".to_owned());
        };
        let rules = Arc::clone(rules);
        if upgrade {
            if let Err(error) = self.guard.check_websocket_origin(&request) {
                return refusal(StatusCode::FORBIDDEN, error.to_string());
            }
            let terms = Terms { stop: life.stop.clone(), write_timeout: self.write_timeout };
            return match websocket::upgrade(request, rules, connection, terms) {
                Ok((response, session)) => {
                    life.spawn(session);
                    response
                }
                Err(error) => refusal(StatusCode::BAD_REQUEST, error.to_string()),
            };
        }
        let limit = rules.max_request_bytes;
        let service = Service::new(rules, connection, None);
        let answer = post::answer(request, &service, limit);
        tokio::time::timeout(self.request_timeout, answer).await.unwrap_or_else(|_| {
            let limit = self.request_timeout.as_secs();
            let message = format!("the request took longer than rpc.request_timeout_s, {limit} s");
            // A call that cannot be stopped keeps the connection's place: there is no next one on it.
            closing(refusal(StatusCode::REQUEST_TIMEOUT, message))
        })
    }
}

/// The last response of its connection.
fn closing(mut response: HttpResponse) -> HttpResponse {
    let close = http::HeaderValue::from_static("close");
    response.headers_mut().insert(http::header::CONNECTION, close);
    response
}

/// Tells a client that there are too many.
async fn refuse(socket: TcpStream, limit: u32) {
    let answer = service_fn(move |_: Request<hyper::body::Incoming>| async move {
        let message = format!("too many connections: rpc.max_connections is {limit}");
        Ok::<_, Infallible>(closing(refusal(StatusCode::SERVICE_UNAVAILABLE, message)))
    });
    let http = http1::Builder::new();
    let _ = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(answer)).await;
}
