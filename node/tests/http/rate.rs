//! Rate limits of a peer and of a connection.

use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClientBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::running::{CHAIN_ID, L1, LIMIT, Running, start};

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
