//! What the port answers besides the methods themselves: pages, limits, and the end; over real connections.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use cairn_node::{
    cli::Role,
    config::Config,
    proof::MockEngine,
    settlement::{Lane, RollupStatus, Settled, Settlement, SettlementError, VerifiedBatch},
    wiring::{Node, NodeError, open_chain, open_store},
};
use cairn_protocol::{batch::BatchData, constants::DEVNET_CHAIN_ID};
use jsonrpsee::{
    core::client::ClientT,
    rpc_params,
    ws_client::{HeaderMap, HeaderValue, WsClientBuilder},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(20);
const CHAIN_ID: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

/// What L1 says when it is asked for its price.
#[derive(Clone, Copy)]
enum L1 {
    Answers,
    Hangs,
    Fails,
}

#[async_trait]
impl Settlement for L1 {
    async fn status(&self) -> Result<RollupStatus, SettlementError> {
        Ok(RollupStatus {
            last_sequenced: 0,
            last_verified: 0,
            chain_id: DEVNET_CHAIN_ID,
            trusted_aggregator: Address::ZERO,
        })
    }

    async fn acc_input_hash(&self, _: u64) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn state_root(&self, _: u64) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn global_exit_root(&self) -> Result<B256, SettlementError> {
        Ok(B256::ZERO)
    }

    async fn gas_price_wei(&self) -> Result<u128, SettlementError> {
        match self {
            Self::Answers => Ok(1),
            Self::Hangs => std::future::pending().await,
            Self::Fails => Err(SettlementError::Unavailable { source: "https://l1/SECRET".into() }),
        }
    }

    async fn resume(&self, _: Lane) -> Result<Option<Settled>, SettlementError> {
        Ok(None)
    }

    async fn sequence(&self, _: u64, _: Vec<BatchData>, _: Address) -> Result<Settled, SettlementError> {
        std::future::pending().await
    }

    async fn verify(&self, _: u64, _: Vec<VerifiedBatch>) -> Result<Settled, SettlementError> {
        std::future::pending().await
    }

    async fn acknowledge(&self, _: Lane, _: &Settled) -> Result<(), SettlementError> {
        Ok(())
    }
}

struct Running {
    address: SocketAddr,
    node: JoinHandle<Result<(), NodeError>>,
    cancel: CancellationToken,
    _dir: TempDir,
}

/// A node with every role; `change` adapts the defaults.
async fn start(l1: L1, change: impl FnOnce(&mut Config)) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.chain.data_dir = dir.path().to_owned();
    config.rpc.listen.set_port(0);
    config.health.min_free_disk_bytes = 1;
    config.health.l1_timeout_ms = 100;
    change(&mut config);
    let engine = Arc::new(MockEngine { capacity: config.batch.mock_capacity });
    let chain = open_chain(&config, open_store(&config).unwrap(), engine.as_ref()).unwrap();
    let cancel = CancellationToken::new();
    let node = Node::start(&config, &Role::ALL, chain, engine, Arc::new(l1), cancel.clone()).await.unwrap();
    let address = node.rpc_address().unwrap();
    Running { address, node: tokio::spawn(node.run()), cancel, _dir: dir }
}

/// An answer over HTTP.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ &str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        self.head.lines().find(named).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// One request on a connection of its own, as it goes over the wire.
async fn request(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let headers = headers.iter().map(|h| format!("{h}\r\n")).collect::<String>();
    let host = if headers.contains("host: ") { String::new() } else { format!("host: {address}\r\n") };
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let exchange = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(LIMIT, exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A WebSocket after its handshake, of which each byte is the test's.
async fn raw_websocket(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let handshake = format!(
        "GET / HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    );
    socket.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    // The answer to the key is RFC 6455's example.
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    socket
}

/// A text message in one frame, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | 126][..], &length.to_be_bytes(), &[0; 4], text.as_bytes()].concat()
}

impl Running {
    async fn get(&self, path: &str) -> Answer {
        request(self.address, "GET", path, &[], "").await
    }

    async fn post(&self, body: &str) -> Answer {
        self.post_with(&[], body).await
    }

    async fn post_with(&self, headers: &[&str], body: &str) -> Answer {
        let headers = [&["content-type: application/json"], headers].concat();
        request(self.address, "POST", "/", &headers, body).await
    }

    async fn stop(self) -> Result<(), NodeError> {
        self.cancel.cancel();
        tokio::time::timeout(LIMIT, self.node).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn accepts_pages_http_and_websocket_on_one_port() {
    let node = start(L1::Answers, |_| {}).await;
    for path in ["/", "/dashboard"] {
        let page = node.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let tag = format!("if-none-match: {}", page.header("etag").unwrap());
        let again = request(node.address, "GET", path, &[&tag], "").await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        let head = request(node.address, "HEAD", path, &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
    assert_eq!(node.get("/nothing").await.status, 404);
    let health = node.get("/health").await;
    assert_eq!((health.status, health.header("cache-control")), (200, Some("no-store")));
    assert_eq!(health.json()["status"], "alive");
    let ready = node.get("/ready").await;
    assert_eq!((ready.status, ready.json()), (200, json!({"ready": true, "reasons": []})));
    // JSON-RPC: on the page's own address.
    assert_eq!(node.post(CHAIN_ID).await.json()["result"], "0x3e9");
    let socket = WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap();
    assert_eq!(socket.request::<String, _>("eth_chainId", rpc_params![]).await.unwrap(), "0x3e9");
    let unknown = node.post(r#"{"jsonrpc":"2.0","id":1,"method":"evil_method"}"#).await.json();
    assert_eq!(unknown["error"]["code"], -32601);
    let metrics = node.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    for line in [
        "cairn_info{version=",
        "cairn_head_block 0",
        "cairn_pool_transactions{state=\"pending\"} 0",
        "cairn_rpc_requests_total{method=\"eth_chainId\"} ",
        "cairn_rpc_requests_total{method=\"other\"} ",
        "cairn_rpc_errors_total{code=\"-32601\"} ",
        "cairn_rpc_request_seconds_bucket{method=\"eth_chainId\",le=\"+Inf\"} ",
        "cairn_rpc_connections ",
    ] {
        assert!(metrics.body.lines().any(|l| l.starts_with(line)), "{line}: {}", metrics.body);
    }
    // Names that anybody makes up are no labels.
    assert!(!metrics.body.contains("evil_method"));
    drop(socket);
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_to_be_ready_and_says_why() {
    let node = start(L1::Hangs, |config| config.health.min_free_disk_bytes = u64::MAX >> 1).await;
    let ready = node.get("/ready").await;
    assert_eq!(ready.status, 503);
    let json = ready.json();
    assert_eq!(json["ready"], false);
    let checks: Vec<_> = json["reasons"].as_array().unwrap().iter().map(|r| r["check"].clone()).collect();
    assert_eq!(checks, ["l1", "disk"]);
    assert_eq!(json["reasons"][0]["reason"], "L1 did not answer within 100 ms");
    assert!(json["reasons"][1]["reason"].as_str().unwrap().contains("the floor is 9223372036854775807"));
    // Alive all the same.
    assert_eq!(node.get("/health").await.status, 200);
    node.stop().await.unwrap();
    let node = start(L1::Fails, |_| {}).await;
    let ready = node.get("/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["reasons"], json!([{"check": "l1", "reason": "L1 does not answer"}]));
    assert!(!ready.body.contains("SECRET"));
    node.stop().await.unwrap();
}

#[tokio::test]
async fn accepts_other_origins_only_where_they_are_listed() {
    let preflight = [
        "origin: https://app.example",
        "access-control-request-method: POST",
        "access-control-request-headers: content-type",
    ];
    let origin = ["origin: https://app.example"];
    let websocket = async |node: &Running, origin: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_str(origin).unwrap());
        let url = format!("ws://{}", node.address);
        WsClientBuilder::default().set_headers(headers).build(url).await.map(drop).map_err(|e| e.to_string())
    };
    let node = start(L1::Answers, |_| {}).await;
    let answers = [
        node.post_with(&origin, CHAIN_ID).await,
        request(node.address, "OPTIONS", "/", &preflight, "").await,
        request(node.address, "GET", "/health", &origin, "").await,
    ];
    for answer in &answers {
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{}", answer.head);
    }
    // A page can open a WebSocket to anywhere: only the origin tells.
    let refused = websocket(&node, "https://app.example").await.unwrap_err();
    assert!(refused.contains("403"), "{refused}");
    websocket(&node, &format!("http://{}", node.address)).await.unwrap();
    node.stop().await.unwrap();

    let node = start(L1::Answers, |c| c.rpc.cors_origins = vec!["https://app.example".to_owned()]).await;
    let allowed = "access-control-allow-origin";
    let answer = node.post_with(&origin, CHAIN_ID).await;
    assert_eq!((answer.status, answer.header(allowed)), (200, Some("https://app.example")));
    let answer = request(node.address, "OPTIONS", "/", &preflight, "").await;
    assert_eq!((answer.status, answer.header(allowed)), (200, Some("https://app.example")));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
    let other = node.post_with(&["origin: https://evil.example"], CHAIN_ID).await;
    assert_eq!(other.header(allowed), None);
    websocket(&node, "https://app.example").await.unwrap();
    websocket(&node, "https://evil.example").await.unwrap_err();
    node.stop().await.unwrap();

    let node = start(L1::Answers, |config| config.rpc.cors_origins = vec!["*".to_owned()]).await;
    assert_eq!(node.post_with(&["origin: https://any.example"], CHAIN_ID).await.header(allowed), Some("*"));
    websocket(&node, "https://any.example").await.unwrap();
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_other_host_names() {
    let node = start(L1::Answers, |config| config.rpc.hosts.push("node.example".to_owned())).await;
    for host in ["host: localhost:1", "host: 127.0.0.1", "host: node.example"] {
        assert_eq!(node.post_with(&[host], CHAIN_ID).await.status, 200, "{host}");
    }
    let answer = node.post_with(&["host: rebound.example:8123"], CHAIN_ID).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body, "invalid host specified: \"rebound.example\" is not among rpc.hosts\n");
    for path in ["/", "/health", "/metrics"] {
        let answer = request(node.address, "GET", path, &["host: rebound.example"], "").await;
        assert_eq!(answer.status, 403, "{path}");
    }
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_what_is_over_a_limit_and_says_the_limit() {
    let node = start(L1::Answers, |config| {
        config.rpc.max_batch_entries = 3;
        config.rpc.max_request_bytes = 2_000;
        config.rpc.max_connections = 2;
    })
    .await;
    let batch = |n: usize| format!("[{}]", vec![CHAIN_ID; n].join(","));
    let answers = node.post(&batch(3)).await.json();
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["result"] == "0x3e9"), "{answers}");
    assert_eq!(answers.as_array().unwrap().len(), 3);
    let error = node.post(&batch(4)).await.json()["error"].to_string();
    assert!(error.contains("batch request was too large") && error.contains("limit of 3"), "{error}");
    let large = node.post(&format!("{CHAIN_ID}{}", " ".repeat(2_000))).await;
    assert_eq!(large.status, 413);
    assert!(large.body.contains("limit of 2000"), "{}", large.body);
    // On a WebSocket the same is an error, and the end.
    let mut socket = raw_websocket(node.address).await;
    socket.write_all(&frame(&" ".repeat(2_001))).await.unwrap();
    let mut end = Vec::new();
    tokio::time::timeout(LIMIT, socket.read_to_end(&mut end)).await.unwrap().unwrap();
    let end = String::from_utf8_lossy(&end);
    assert!(end.contains("-32007") && end.contains("limit of 2000"), "{end}");
    assert!(end.contains("2001 > 2000"), "no reason to close: {end}");
    let mut socket = raw_websocket(node.address).await;
    let padded = format!("{CHAIN_ID:<2000}");
    socket.write_all(&frame(&padded)).await.unwrap();
    let mut head = [0; 2];
    tokio::time::timeout(LIMIT, socket.read_exact(&mut head)).await.unwrap().unwrap();
    let mut answer = vec![0; head[1].into()];
    tokio::time::timeout(LIMIT, socket.read_exact(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("0x3e9"));
    drop(socket);
    let free = async { while node.get("/metrics").await.body.contains("cairn_rpc_connections 2\n") {} };
    tokio::time::timeout(LIMIT, free).await.unwrap();
    // A WebSocket and a silent connection are the two that may be.
    let socket = WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap();
    let silent = TcpStream::connect(node.address).await.unwrap();
    let refused = node.get("/health").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.body, "too many connections: rpc.max_connections is 2\n");
    drop(silent);
    let free = async { while node.get("/health").await.status != 200 {} };
    tokio::time::timeout(LIMIT, free).await.unwrap();
    // The WebSocket held its place all the time.
    assert_eq!(socket.request::<String, _>("eth_chainId", rpc_params![]).await.unwrap(), "0x3e9");
    drop(socket);
    node.stop().await.unwrap();
}

#[tokio::test]
async fn accepts_goodbyes_and_says_them() {
    let node = start(L1::Answers, |_| {}).await;
    let mut socket = raw_websocket(node.address).await;
    // Close, 1000, masked with zeros; the answer has the same code, and the connection ends.
    socket.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await.unwrap();
    let mut end = Vec::new();
    tokio::time::timeout(LIMIT, socket.read_to_end(&mut end)).await.unwrap().unwrap();
    assert_eq!(end, [0x88, 2, 0x03, 0xe8]);
    // The node's own, when it stops: 1001.
    let mut socket = raw_websocket(node.address).await;
    socket.write_all(&frame(&format!("{CHAIN_ID:<200}"))).await.unwrap();
    let mut answer = [0; 2];
    tokio::time::timeout(LIMIT, socket.read_exact(&mut answer)).await.unwrap().unwrap();
    let address = node.address;
    node.stop().await.unwrap();
    let mut end = Vec::new();
    tokio::time::timeout(LIMIT, socket.read_to_end(&mut end)).await.unwrap().unwrap();
    let goodbye = [&[0x88, 16, 0x03, 0xe9][..], b"the node stops"].concat();
    assert!(end.ends_with(&goodbye), "{}", String::from_utf8_lossy(&end));
    TcpStream::connect(address).await.unwrap_err();
}

/// A call cannot be stopped: whoever leaves it behind keeps the place of its connection until it ends.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_forget_calls_of_clients_that_left() {
    const PLACES: u32 = 3;
    let node = start(L1::Answers, |config| config.rpc.max_connections = PLACES).await;
    // Runs until its gas is used up.
    let to = Address::repeat_byte(0x10);
    let overrides = json!({to.to_string(): {"code": "0x5b600056"}});
    let params = json!([{"to": to, "gas": "0x1c9c380"}, "latest", overrides]);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": params}).to_string();
    let begin = std::time::Instant::now();
    let gas = node.post(&call).await.json();
    let (one, error) = (begin.elapsed(), gas["error"]["message"].clone());
    assert!(error.as_str().unwrap().contains("gas"), "{gas}");
    for _ in 0..PLACES {
        let mut socket = TcpStream::connect(node.address).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", node.address);
        let text = format!("{head}content-length: {}\r\n\r\n{call}", call.len());
        socket.write_all(text.as_bytes()).await.unwrap();
        // It is being executed before the client leaves.
        tokio::time::sleep(one / 20).await;
    }
    let free = async {
        let mut refused = 0;
        while node.get("/health").await.status != 200 {
            refused += 1;
        }
        refused
    };
    let refused = tokio::time::timeout(LIMIT, free).await.unwrap();
    assert!(refused > 0, "{PLACES} calls of {one:?} were forgotten");
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_handshakes_that_are_none() {
    let node = start(L1::Answers, |_| {}).await;
    let upgrade =
        ["upgrade: websocket", "connection: upgrade", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="];
    let cases = [
        ("sec-websocket-version: 13", "{}", "WebSocket handshake: a request with a body"),
        ("sec-websocket-version: 7", "", "WebSocket handshake: "),
    ];
    for (version, body, said) in cases {
        let headers = [&upgrade[..], &[version]].concat();
        let answer = request(node.address, "GET", "/", &headers, body).await;
        assert_eq!(answer.status, 400, "{version}");
        assert!(answer.body.starts_with(said), "{}", answer.body);
    }
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_requests_over_the_rate_limit_also_in_batches() {
    let node = start(L1::Answers, |config| {
        config.rpc.peer_rate_limit_per_s = 1;
        config.rpc.peer_rate_limit_burst = 4;
    })
    .await;
    let start = std::time::Instant::now();
    assert_eq!(node.post(CHAIN_ID).await.json()["result"], "0x3e9");
    let answers = node.post(&format!("[{}]", vec![CHAIN_ID; 30].join(","))).await.json();
    let answers = answers.as_array().unwrap().clone();
    assert!(answers[..3].iter().all(|answer| answer["result"] == "0x3e9"), "{answers:?}");
    // One more a second, if this machine was slow.
    let late = start.elapsed().as_secs() as usize;
    let refused: Vec<_> = answers.iter().filter(|answer| answer["error"]["code"] == -32005).collect();
    assert!((27 - late..=27).contains(&refused.len()), "{answers:?}");
    let error = &refused[0]["error"];
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("rate limit of 1 requests per second (burst 4) of a peer"), "{message}");
    assert_eq!(error["data"]["scope"], "peer");
    assert!(message.contains("retry in"), "{message}");
    assert_eq!((&error["data"]["limitPerSecond"], &error["data"]["burst"]), (&json!(1), &json!(4)));
    assert!((1..=1_001).contains(&error["data"]["retryAfterMs"].as_u64().unwrap()), "{error}");
    // A WebSocket of the same peer draws from the same allowance.
    let socket = WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap();
    let mut refusals = 0;
    for _ in 0..20 {
        let answer = socket.request::<String, _>("eth_chainId", rpc_params![]).await;
        refusals += u64::from(answer.is_err_and(|e| e.to_string().contains("rate limit of 1")));
    }
    assert!(refusals > 0);
    // Pages are not counted.
    assert_eq!(node.get("/health").await.status, 200);
    drop(socket);
    node.stop().await.unwrap();
    let node = start_unlimited().await;
    let answers = node.post(&format!("[{}]", vec![CHAIN_ID; 100].join(","))).await.json();
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["result"] == "0x3e9"));
    node.stop().await.unwrap();
}

async fn start_unlimited() -> Running {
    start(L1::Answers, |config| {
        config.rpc.rate_limit_per_s = 0;
        config.rpc.rate_limit_burst = 1;
        config.rpc.peer_rate_limit_per_s = 0;
        config.rpc.peer_rate_limit_burst = 1;
    })
    .await
}

#[tokio::test]
async fn rejects_requests_over_the_rate_limit_of_a_connection_alone() {
    let node = start(L1::Answers, |config| {
        config.rpc.rate_limit_per_s = 1;
        config.rpc.rate_limit_burst = 4;
    })
    .await;
    let start = std::time::Instant::now();
    let url = format!("ws://{}", node.address);
    let [first, second] = [(); 2].map(|()| WsClientBuilder::default().build(url.clone()));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let mut refused = 0;
    for _ in 0..20 {
        if let Err(error) = first.request::<String, _>("eth_chainId", rpc_params![]).await {
            let message = error.to_string();
            assert!(
                message.contains("rate limit of 1 requests per second (burst 4) of a connection"),
                "{message}"
            );
            refused += 1;
        }
    }
    let late = start.elapsed().as_secs();
    assert!((16 - late..=16).contains(&refused), "{refused} refused in {late} s");
    // Another connection of the same peer has its own allowance, and so has each HTTP connection.
    assert_eq!(second.request::<String, _>("eth_chainId", rpc_params![]).await.unwrap(), "0x3e9");
    for _ in 0..8 {
        assert_eq!(node.post(CHAIN_ID).await.json()["result"], "0x3e9");
    }
    // Within one HTTP connection requests add up.
    let mut kept = TcpStream::connect(node.address).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", node.address);
    let mut answers = String::new();
    for last in [false, false, false, false, false, false, true] {
        let end = if last { "connection: close\r\n" } else { "" };
        let text = format!("{head}{end}content-length: {}\r\n\r\n{CHAIN_ID}", CHAIN_ID.len());
        kept.write_all(text.as_bytes()).await.unwrap();
    }
    tokio::time::timeout(LIMIT, kept.read_to_string(&mut answers)).await.unwrap().unwrap();
    assert!(answers.matches("of a connection exceeded").count() >= 2, "{answers}");
    drop((first, second));
    node.stop().await.unwrap();
}

#[tokio::test]
async fn rejects_methods_of_namespaces_that_are_off() {
    let node = start(L1::Answers, |config| config.rpc.namespaces = vec!["eth".to_owned()]).await;
    let web3 = r#"{"jsonrpc":"2.0","id":1,"method":"web3_clientVersion"}"#;
    let answers = node.post(&format!("[{CHAIN_ID},{web3}]")).await.json();
    assert_eq!(answers[0]["result"], "0x3e9");
    let error = &answers[1]["error"];
    assert_eq!(error["code"], -32601);
    let message =
        "the method web3_clientVersion is not available: namespace web3 is not among rpc.namespaces";
    assert_eq!(error["message"], message);
    let subscribe = r#"{"jsonrpc":"2.0","id":7,"method":"eth_subscribe","params":["newHeads"]}"#;
    let answer = node.post(subscribe).await.json();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32601)));
    let message = "notifications not supported: eth_subscribe needs a WebSocket";
    assert_eq!(answer["error"]["message"], message);
    node.stop().await.unwrap();
}

#[tokio::test]
async fn accepts_metrics_on_an_address_of_their_own() {
    // A free port: the node has to be told one.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = start(L1::Answers, |config| config.metrics.listen = Some(address)).await;
    let metrics = request(address, "GET", "/metrics", &[], "").await;
    assert!(metrics.body.contains("cairn_head_block 0"), "{}", metrics.body);
    assert_eq!(request(address, "GET", "/ready", &[], "").await.status, 200);
    assert_eq!(request(address, "GET", "/", &[], "").await.status, 404);
    let rpc = request(address, "POST", "/", &["content-type: application/json"], CHAIN_ID).await;
    assert_eq!(rpc.status, 405);
    node.stop().await.unwrap();
}

#[tokio::test]
async fn accepts_an_end_with_open_connections() {
    let node = start(L1::Answers, |_| {}).await;
    let address = node.address;
    let socket = WsClientBuilder::default().build(format!("ws://{address}")).await.unwrap();
    assert_eq!(socket.request::<String, _>("eth_chainId", rpc_params![]).await.unwrap(), "0x3e9");
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let start = std::time::Instant::now();
    node.stop().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "waited for idle connections");
    tokio::time::timeout(LIMIT, socket.on_disconnect()).await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(LIMIT, kept.read_to_end(&mut rest)).await.unwrap().unwrap();
    TcpStream::connect(address).await.unwrap_err();
}
