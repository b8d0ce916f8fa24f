//! How a connection begins and ends: handshakes, close frames, and a node that stops.

use std::time::Duration;

use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClientBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::running::{CHAIN_ID, L1, LIMIT, frame, raw_websocket, request, start};

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
