//! Which origins and host names are served.

use jsonrpsee::ws_client::{HeaderMap, HeaderValue, WsClientBuilder};

use crate::running::{CHAIN_ID, L1, Running, request, start};

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
