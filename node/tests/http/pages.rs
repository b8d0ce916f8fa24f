//! Pages, health, readiness and metrics.

use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClientBuilder};
use serde_json::json;

use crate::running::{CHAIN_ID, L1, request, start};

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
