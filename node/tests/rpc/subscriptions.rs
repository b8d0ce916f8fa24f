//! Subscriptions over WebSocket, and what becomes of subscribers that do not read.

use cairn_protocol::resources::Resource;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use cairn_node::{
    cli::Role,
    config::Config,
    rpc::{self, budget::Budget},
};
use jsonrpsee::{
    core::client::{ClientT, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use serde_json::{Value, json, value::RawValue};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    sync::mpsc,
};

use crate::support::{Running, config, start, transfer};

async fn client(node: &Running) -> WsClient {
    WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap()
}

async fn subscribe(client: &WsClient, params: Vec<Value>) -> Subscription<Value> {
    let mut list = jsonrpsee::core::params::ArrayParams::new();
    for p in params {
        list.insert(p).unwrap();
    }
    client.subscribe("eth_subscribe", list, "eth_unsubscribe").await.unwrap()
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(60), subscription.next()).await.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_subscribers_to_heads_and_pending_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let client = client(&node).await;
    node.make_blocks(2).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await;
    let mut hashes = subscribe(&client, vec![json!("newPendingTransactions")]).await;
    let mut full = subscribe(&client, vec![json!("newPendingTransactions"), json!(true)]).await;
    let mut logs = subscribe(&client, vec![json!("logs"), json!({"topics": [null]})]).await;
    let mut syncing = subscribe(&client, vec![json!("syncing")]).await;
    assert_eq!(next(&mut syncing).await, json!(false));
    node.make_blocks(150).await;

    for number in 3..=150u64 {
        let head = next(&mut heads).await;
        let params = vec![json!(format!("{number:#x}")), json!(false)];
        let block = node.call("eth_getBlockByNumber", params).await;
        assert_eq!(head["number"], block["number"]);
        for (field, value) in head.as_object().unwrap() {
            assert_eq!(value, &block[field], "{field}");
        }
        for field in ["transactions", "uncles", "size"] {
            assert_eq!(head.get(field), None, "{field}");
        }
        let hash = next(&mut hashes).await;
        let transaction = next(&mut full).await;
        assert_eq!(transaction["hash"], hash);
        assert_eq!(transaction["nonce"], json!(format!("{:#x}", number - 1)));
    }
    // Transfers have no logs: the next thing that this subscription says is nothing.
    assert!(futures::FutureExt::now_or_never(logs.next()).is_none());
    heads.unsubscribe().await.unwrap();
    node.stop().await;
}

/// A batch has no place for what a subscription tells before the batch is answered.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_subscriptions_in_batches_and_beyond_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.rpc.max_subscriptions = 2;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let mut socket = connect_raw(&node).await;
    let subscribe =
        |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "eth_subscribe", "params": ["newHeads"]});
    let batch = json!([subscribe(1), {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId"}]);
    send_text(&mut socket, &batch.to_string()).await;
    let answers = receive_text(&mut socket).await;
    assert_eq!((&answers[0]["id"], &answers[0]["error"]["code"]), (&json!(1), &json!(-32600)));
    let message = "eth_subscribe cannot be part of a batch: send it as a request of its own";
    assert_eq!(answers[0]["error"]["message"], message);
    assert_eq!(answers[1], json!({"jsonrpc": "2.0", "id": 2, "result": "0x3e9"}));
    let mut begun = Vec::new();
    for id in 3..=5 {
        send_text(&mut socket, &subscribe(id).to_string()).await;
        let answer = receive_text(&mut socket).await;
        assert_eq!(answer["id"], id);
        begun.push(answer);
    }
    let over = &begun[2]["error"];
    assert!(over["code"] == -32006 && over.to_string().contains("limit of 2"), "{over}");
    node.make_blocks(2).await;
    let mut told: Vec<_> = Vec::new();
    while told.len() < 4 {
        let params = receive_text(&mut socket).await["params"].clone();
        told.push((params["subscription"].clone(), params["result"]["number"].clone()));
    }
    for answer in &begun[..2] {
        let of: Vec<_> = told.iter().filter(|(id, _)| *id == answer["result"]).map(|(_, n)| n).collect();
        assert_eq!(of, ["0x1", "0x2"]);
    }
    node.stop().await;
}

/// A WebSocket of which the test sees every message.
async fn connect_raw(node: &Running) -> RawSocket {
    let stream = TcpStream::connect(node.address).await.unwrap();
    let url = format!("ws://{}/", node.address);
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

type RawSocket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn send_text(socket: &mut RawSocket, text: &str) {
    use futures::SinkExt;
    socket.send(tokio_tungstenite::tungstenite::Message::text(text)).await.unwrap();
}

async fn receive_text(socket: &mut RawSocket) -> Value {
    use futures::StreamExt;
    loop {
        let message = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.unwrap();
        let message = message.unwrap().unwrap();
        if message.is_text() {
            return serde_json::from_str(message.to_text().unwrap()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_subscriptions_that_do_not_exist() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Rpc]).await;
    let client = client(&node).await;
    let error = async |params: jsonrpsee::core::params::ArrayParams| match client
        .request::<Value, _>("eth_subscribe", params)
        .await
    {
        Err(jsonrpsee::core::ClientError::Call(e)) => (e.code(), e.message().to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        error(rpc_params!["newUncles"]).await,
        (-32601, "no \"newUncles\" subscription in eth namespace".to_owned())
    );
    // What an error repeats of a request is bounded.
    let (code, message) = error(rpc_params!["x".repeat(100_000)]).await;
    assert_eq!((code, message.len()), (-32601, "no \"\" subscription in eth namespace".len() + 64));
    assert_eq!(error(rpc_params!["logs", json!({"address": "0x1"})]).await.0, -32602);
    assert_eq!(error(rpc_params!["newPendingTransactions", "yes"]).await.0, -32602);
    node.stop().await;
}

/// A subscription whose client has room for one message; its messages are the whole JSON.
async fn in_process(node: &Running, config: &Config, kind: &str) -> mpsc::Receiver<Box<RawValue>> {
    let module = rpc::module(&node.chain, &config.rpc, &Budget::new(1 << 30)).unwrap();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": [kind]});
    let (response, messages) = module.raw_json_request(&request.to_string(), 1).await.unwrap();
    let response: Value = serde_json::from_str(response.get()).unwrap();
    let id = response["result"].clone();
    assert!(id.is_string() || id.is_number(), "{response}");
    messages
}

/// Reads until the subscription says why it ends: the results, and the reason.
async fn until_closed(messages: &mut mpsc::Receiver<Box<RawValue>>) -> (Vec<Value>, String) {
    let mut results = Vec::new();
    let read = async {
        loop {
            let message = messages.recv().await.unwrap();
            let message: Value = serde_json::from_str(message.get()).unwrap();
            assert_eq!(message["method"], json!("eth_subscription"));
            if let Some(reason) = message["params"]["error"].as_str() {
                return reason.to_owned();
            }
            results.push(message["params"]["result"].clone());
        }
    };
    let reason = tokio::time::timeout(Duration::from_secs(60), read).await.unwrap();
    (results, reason)
}

/// How many heads were read: those of the first blocks, in order.
fn count(heads: &[Value]) -> u64 {
    for (number, head) in (1..).zip(heads) {
        assert_eq!(head["number"], json!(format!("{number:#x}")));
    }
    heads.len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_subscriber_that_takes_no_message_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    // Nobody proves here.
    config.batch.max_unproven = u64::MAX;
    config.rpc.subscriber_timeout_ms = 50;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let mut messages = in_process(&node, &config, "newHeads").await;
    // Blocks go on for twenty times as long as it may keep a message waiting.
    let (start, mut made) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(1) || made < 10 {
        made += 1;
        node.make_blocks(made).await;
    }
    let (heads, reason) = until_closed(&mut messages).await;
    let read = count(&heads);
    assert_eq!(reason, "subscription closed: no message was taken for 50 ms");
    // One fitted, one was refused.
    assert!(read < 3, "{read} of {made}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_subscriber_that_is_too_far_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    // Nobody proves here.
    config.batch.max_unproven = u64::MAX;
    config.rpc.subscriber_timeout_ms = 60_000;
    config.rpc.subscriber_max_lag_blocks = 100;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let mut messages = in_process(&node, &config, "newHeads").await;
    node.make_blocks(400).await;
    // What was read before goes out; then it is more than 100 behind.
    let (heads, reason) = until_closed(&mut messages).await;
    let read = count(&heads);
    assert!(read < 300, "{read}");
    assert_eq!(reason, format!("subscription closed: {} blocks behind, the limit is 100", 400 - read));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_subscriber_that_leaves_too_many_pending_transactions_unread() {
    const SENT: u64 = 4_200;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.rpc.subscriber_timeout_ms = 60_000;
    config.pool.max_per_account = SENT as usize;
    config.pool.max_nonce_gap = SENT;
    let node = start(&config, &mut None, &[Role::Rpc]).await;
    let mut messages = in_process(&node, &config, "newPendingTransactions").await;
    let chain = std::sync::Arc::clone(&node.chain);
    let submit =
        move || (0..SENT).map(|nonce| chain.submit(&transfer(nonce, 1)).unwrap()).collect::<Vec<_>>();
    let sent = tokio::task::spawn_blocking(submit).await.unwrap();
    let (hashes, reason) = until_closed(&mut messages).await;
    assert_eq!(json!(sent[..hashes.len()]), json!(hashes));
    let missed = SENT - 4_096 - hashes.len() as u64;
    assert_eq!(
        reason,
        format!("subscription closed: {missed} pending transactions missed, at most 4096 wait")
    );
    node.stop().await;
}

/// A WebSocket that takes what fits its small buffer and no more.
async fn connect_stalled(address: SocketAddr, subscriptions: usize) -> Option<BufReader<TcpStream>> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = BufReader::new(socket.connect(address).await.unwrap());
    let upgrade = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    if !line.starts_with("HTTP/1.1 101") {
        return None;
    }
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
    }
    let request = br#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
    // A text frame of less than 126 bytes, masked with zeroes.
    let frame = [&[0x81, 0x80 | request.len() as u8, 0, 0, 0, 0], request.as_slice()].concat();
    for _ in 0..subscriptions {
        stream.write_all(&frame).await.unwrap();
    }
    Some(stream)
}

/// Reads what is left until the connection ends or nothing comes: how many bytes.
async fn drain(mut stream: BufReader<TcpStream>) -> usize {
    let (mut total, mut buffer) = (0, vec![0; 64 << 10]);
    let read = async {
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(n) => total += n,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.unwrap();
    total
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_thousands_of_blocks_while_subscribers_do_not_read() {
    const BLOCKS: u64 = 2_000;
    const SUBSCRIPTIONS: usize = 16;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.batch.mock_capacity[Resource::Transactions] = 64;
    // Nobody proves here.
    config.batch.max_unproven = u64::MAX;
    config.rpc.subscriber_timeout_ms = 300;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let alone = Instant::now();
    node.make_blocks(BLOCKS / 4).await;
    let alone = alone.elapsed() * 4;

    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(connect_stalled(node.address, SUBSCRIPTIONS).await.unwrap());
    }
    let client = client(&node).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await;
    let read = async {
        let mut bytes = 0;
        for number in BLOCKS / 4 + 1..=BLOCKS {
            let head = next(&mut heads).await;
            assert_eq!(head["number"], json!(format!("{number:#x}")));
            bytes += head.to_string().len();
        }
        bytes
    };
    let crowded = Instant::now();
    let ((), bytes) = tokio::join!(node.make_blocks(BLOCKS), read);
    let crowded = crowded.elapsed();
    eprintln!("2,000 blocks alone: {alone:?}, 1,500 with 64 subscribers that do not read: {crowded:?}");
    // The node ends the connections: what it still held is all that comes, a fraction of what there was to say.
    for stream in stalled {
        let held = drain(stream).await;
        eprintln!("held for one connection: {held} of {} bytes", bytes * SUBSCRIPTIONS);
        assert!(held < bytes * SUBSCRIPTIONS / 4, "{held} bytes were held of {}", bytes * SUBSCRIPTIONS);
    }
    node.call("eth_sendRawTransaction", vec![json!(transfer(BLOCKS, 1))]).await;
    assert_eq!(next(&mut heads).await["number"], json!(format!("{:#x}", BLOCKS + 1)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_another_client_once_one_that_does_not_read_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    // Nobody proves here.
    config.batch.max_unproven = u64::MAX;
    config.rpc.subscriber_timeout_ms = 300;
    config.rpc.max_connections = 1;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let _stalled = connect_stalled(node.address, 64).await.unwrap();
    // The one place is taken.
    assert!(connect_stalled(node.address, 0).await.is_none());
    node.make_blocks(300).await;
    let again = async {
        while connect_stalled(node.address, 0).await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), again).await.unwrap();
    node.stop().await;
}
