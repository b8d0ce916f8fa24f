//! Limits on sizes, connections and namespaces.

use alloy_primitives::Address;
use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClientBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::running::{CHAIN_ID, L1, LIMIT, frame, raw_websocket, start};

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
