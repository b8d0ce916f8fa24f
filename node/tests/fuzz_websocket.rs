//! Whatever comes in over a WebSocket, in whatever frames, the node lives, keeps its memory and its limit of
//! connections, and answers those who behave. Runs by time: see `harness/fuzz.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod harness;

use std::time::Duration;

use cairn_node::{cli::Role, config::Config};
use harness::{TestNode, assert_no_panic, fuzz, panics, resident_bytes, transactions::transfer};
use jsonrpsee::{
    core::client::{ClientT, Error as ClientError},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const MAX_GROWTH_BYTES: u64 = 512 << 20;
/// What any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Operation codes of RFC 6455.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const PING: u8 = 9;
const FIN: u8 = 0x80;

/// How a frame's length is written.
#[derive(Clone, Copy, Debug)]
enum Length {
    Right,
    /// In 8 bytes, whatever it is.
    Long,
    /// One that is not the payload's.
    Wrong(u64),
}

/// A frame, or what looks like one.
#[derive(Clone, Debug)]
struct Frame {
    /// FIN, three reserved bits, operation.
    head: u8,
    mask: Option<[u8; 4]>,
    length: Length,
    payload: Vec<u8>,
}

impl Frame {
    fn new(head: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { head, mask: Some([1, 2, 3, 4]), length: Length::Right, payload: payload.into() }
    }

    fn bytes(&self) -> Vec<u8> {
        let masked = u8::from(self.mask.is_some()) << 7;
        let mut out = vec![self.head];
        let length = self.payload.len() as u64;
        match (self.length, length) {
            (Length::Right, 0..=125) => out.push(masked | length as u8),
            (Length::Right, 126..=0xffff) => {
                out.push(masked | 126);
                out.extend((length as u16).to_be_bytes());
            }
            (Length::Right | Length::Long, _) => {
                out.push(masked | 127);
                out.extend(length.to_be_bytes());
            }
            (Length::Wrong(length), _) => {
                out.push(masked | 127);
                out.extend(length.to_be_bytes());
            }
        }
        out.extend(self.mask.into_iter().flatten());
        let key = self.mask.unwrap_or_default();
        out.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }
}

/// A connection after the handshake.
async fn upgraded(node: &TestNode) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    assert_eq!(handshake(&mut stream).await, 101);
    stream
}

/// Asks for a WebSocket and returns the HTTP status.
async fn handshake(stream: &mut TcpStream) -> u16 {
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    let read = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
    };
    timeout(PATIENCE, read).await.expect("the handshake is not answered");
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

/// Sends bytes, then the end of the stream, and reads until the node ends it too.
async fn exchange(stream: TcpStream, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        // The node may have closed already.
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let mut answer = Vec::new();
    let read = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..count]);
        }
    };
    timeout(PATIENCE, async { tokio::join!(write, read) }).await.map_err(|_| "the node does not close")?;
    Ok(answer)
}

async fn client(node: &TestNode) -> WsClient {
    try_client(node).await.unwrap()
}

async fn try_client(node: &TestNode) -> Result<WsClient, ClientError> {
    WsClientBuilder::default().build(format!("ws://{}", node.address)).await
}

async fn asks(client: &WsClient) -> Result<(), String> {
    let answer = timeout(PATIENCE, client.request::<String, _>("eth_chainId", rpc_params![]));
    let answer = answer.await.map_err(|_| "a client that behaves is not answered")?;
    answer.map(|_| ()).map_err(|e| format!("a client that behaves is refused: {e}"))
}

/// Runs `work` beside a client that behaves, and checks what must hold afterwards.
async fn survives(change: impl FnOnce(&mut Config), work: impl AsyncFnOnce(&TestNode, &WsClient)) {
    panics();
    let node = TestNode::start(&[Role::Sequencer, Role::Rpc], change).await;
    let good = client(&node).await;
    asks(&good).await.unwrap();
    let before = resident_bytes();
    work(&node, &good).await;
    let grown = resident_bytes().saturating_sub(before);
    eprintln!("resident memory grew by {} KiB", grown >> 10);
    assert!(grown < MAX_GROWTH_BYTES, "memory grew by {grown} bytes");
    asks(&good).await.unwrap();
    node.makes_a_block(&transfer(0, 0)).await;
    assert_no_panic();
    drop(good);
    node.stop().await;
}

fn frame() -> impl Strategy<Value = Frame> {
    let call = |method: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).to_string().into_bytes()
    };
    let payload = prop_oneof![
        4 => select(vec![call("eth_chainId"), call("eth_subscribe"), call("rpc_discover"), b"[]".to_vec(), b"{".to_vec(), vec![0xff, 0xfe], vec![0xed, 0xa0, 0x80]]),
        3 => vec(any::<u8>(), 0..140),
        1 => (0usize..70_000).prop_map(|n| vec![b'['; n]),
    ];
    let head = prop_oneof![
        4 => select(vec![FIN | TEXT, TEXT, CONTINUATION, FIN, FIN | PING, FIN | 8, FIN | 2, FIN | 10]),
        1 => any::<u8>(),
    ];
    let mask = prop_oneof![6 => any::<[u8; 4]>().prop_map(Some), 1 => Just(None)];
    let length = prop_oneof![
        8 => Just(Length::Right),
        1 => Just(Length::Long),
        1 => select(vec![0, 1, 125, 126, 0xffff, 1 << 21, 1 << 31, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX]).prop_map(Length::Wrong),
    ];
    (head, mask, length, payload).prop_map(|(head, mask, length, payload)| Frame {
        head,
        mask,
        length,
        payload,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_any_frames_are_survived() {
    survives(
        |_| {},
        async |node, good| {
            let mut runner = fuzz::runner();
            let strategy =
                (vec(frame(), 1..8), prop::option::of(any::<prop::sample::Index>()), any::<bool>());
            let count = fuzz::run(&mut runner, fuzz::time(), &strategy, async |(frames, cut, upgrade)| {
                let mut bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
                if let Some(cut) = cut {
                    bytes.truncate(cut.index(bytes.len()));
                }
                // Without a handshake the frames are what an HTTP server gets.
                let stream = match upgrade {
                    true => upgraded(node).await,
                    false => TcpStream::connect(node.address).await.unwrap(),
                };
                exchange(stream, &bytes).await?;
                asks(good).await
            });
            eprintln!("{} connections", count.await);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_nasty_frames() {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    let limit = Config::default().rpc.max_request_bytes as usize;
    survives(
        |_| {},
        async |node, good| {
            // A message in frames of one byte, with pings between them, is one message.
            let mut bytes = Frame::new(TEXT, "").bytes();
            for byte in call.bytes() {
                bytes.extend(Frame::new(CONTINUATION, [byte]).bytes());
                bytes.extend(Frame::new(FIN | PING, "?").bytes());
            }
            bytes.extend(Frame::new(FIN, "").bytes());
            // The answer comes before the connection ends: it is waited for.
            let mut stream = upgraded(node).await;
            stream.write_all(&bytes).await.unwrap();
            let mut answer = Vec::new();
            let read = async {
                while !String::from_utf8_lossy(&answer).contains("0x3e9") {
                    answer.push(stream.read_u8().await.unwrap());
                }
            };
            timeout(PATIENCE, read).await.expect("a fragmented request is not answered");
            drop(stream);

            let wrong = |head, mask, length, payload: &[u8]| {
                Frame { head, mask, length, payload: payload.to_vec() }.bytes()
            };
            let mask = Some([0; 4]);
            let cases: Vec<Vec<u8>> = vec![
                wrong(FIN | TEXT, None, Length::Right, call.as_bytes()),
                wrong(FIN | TEXT, mask, Length::Wrong(u64::MAX), b"x"),
                wrong(FIN | TEXT, mask, Length::Wrong(1 << 62), b"x"),
                wrong(FIN | TEXT, mask, Length::Wrong(limit as u64 + 1), b"x"),
                wrong(FIN | PING, mask, Length::Right, &[0; 126]),
                wrong(PING, mask, Length::Right, b"a ping in parts"),
                wrong(FIN | 0x70 | TEXT, mask, Length::Right, call.as_bytes()),
                wrong(FIN | 3, mask, Length::Right, b""),
                wrong(FIN | 15, mask, Length::Right, b""),
                wrong(FIN | 8, mask, Length::Right, &[3]),
                wrong(FIN | 8, mask, Length::Right, &[0xff, 0xff, 0xff]),
                wrong(FIN, mask, Length::Right, b"nothing to continue"),
                [Frame::new(TEXT, "a").bytes(), Frame::new(FIN | TEXT, "b").bytes()].concat(),
                wrong(FIN | TEXT, mask, Length::Right, &[0xc3, 0x28]),
                wrong(FIN | TEXT, mask, Length::Right, &vec![b'['; limit + 1]),
                [
                    vec![Frame::new(TEXT, "[").bytes()],
                    vec![Frame::new(CONTINUATION, vec![b'['; 1 << 20]).bytes(); 8],
                ]
                .concat()
                .concat(),
                vec![Frame::new(CONTINUATION, "").bytes(); 100_000].concat(),
                vec![Frame::new(FIN | PING, [7; 125]).bytes(); 20_000].concat(),
                vec![Frame::new(FIN | TEXT, call).bytes(); 2_000].concat(),
                b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            ];
            for (i, case) in cases.iter().enumerate() {
                exchange(upgraded(node).await, case).await.unwrap_or_else(|e| panic!("case {i}: {e}"));
                asks(good).await.unwrap();
            }
            // Handshakes that are none.
            let requests = [
                UPGRADE.replace("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 1"),
                UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "x"),
                UPGRADE.replace("GET", "POST"),
                UPGRADE.replace("Host", &"H".repeat(100_000)),
                UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 99999999999999999999\r\n\r\n"),
                UPGRADE.replace('\n', ""),
                "\r\n".repeat(10_000),
            ];
            for request in requests {
                let stream = TcpStream::connect(node.address).await.unwrap();
                exchange(stream, request.as_bytes()).await.unwrap_or_else(|e| panic!("{e}: {request:.200}"));
                asks(good).await.unwrap();
            }
        },
    )
    .await;
}

/// Writes as much of `flood` as the node takes; how much that was.
async fn pour(stream: &mut TcpStream, flood: &[u8]) -> usize {
    let mut taken = 0;
    while taken < flood.len() {
        match timeout(Duration::from_secs(2), stream.write(&flood[taken..])).await {
            Ok(Ok(count)) => taken += count,
            Ok(Err(error)) => panic!("the node closed: {error}"),
            Err(_) => break,
        }
    }
    taken
}

/// Whoever reads nothing of what it asked for is read no further, whatever it asks; it takes from others no more than large
/// answers, and not for long.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_clients_beside_those_that_do_not_read() {
    const CLIENTS: usize = 8;
    /// More than a socket's buffers hold.
    const FLOOD_BYTES: usize = 32 << 20;
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "rpc_discover", "params": []}).to_string();
    let small = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).to_string();
    let post = |body: &str| {
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}"
        );
        format!("{head}\r\n\r\n{body}").into_bytes()
    };
    let floods = [
        (true, Frame::new(FIN | TEXT, large.clone()).bytes()),
        (true, Frame::new(FIN | TEXT, small.clone()).bytes()),
        (true, Frame::new(FIN | TEXT, "x").bytes()),
        (true, Frame::new(FIN | TEXT, format!("[{}]", [&*small; 100].join(","))).bytes()),
        (false, post(&large)),
        (false, post(&small)),
    ];
    survives(
        |config| {
            let rpc = &mut config.rpc;
            rpc.max_buffered_bytes = rpc.max_request_bytes + rpc.max_response_bytes;
            (rpc.rate_limit_per_s, rpc.peer_rate_limit_per_s) = (0, 0);
            // Until the test is over.
            rpc.subscriber_timeout_ms = 600_000;
        },
        async |node, good| {
            for (i, (upgrade, request)) in floods.iter().enumerate() {
                let flood = request.repeat(FLOOD_BYTES / request.len());
                let before = resident_bytes();
                let client = async || {
                    let mut stream = match upgrade {
                        true => upgraded(node).await,
                        false => TcpStream::connect(node.address).await.unwrap(),
                    };
                    let taken = pour(&mut stream, &flood).await;
                    assert!(taken < flood.len(), "flood {i}: all of it was read");
                    stream
                };
                let deaf = futures::future::join_all((0..CLIENTS).map(|_| client())).await;
                asks(good).await.unwrap();
                let grown = resident_bytes().saturating_sub(before);
                eprintln!("flood {i}: {CLIENTS} clients, memory grew by {} KiB", grown >> 10);
                assert!(grown < 64 << 20, "flood {i}: memory grew by {grown} bytes");
                let document = good.request::<serde_json::Value, _>("rpc_discover", rpc_params![]).await;
                if i == 0 {
                    let refused = document.unwrap_err().to_string();
                    assert!(refused.contains("rpc.max_buffered_bytes"), "{refused}");
                } else {
                    document.unwrap();
                }
                drop(deaf);
                let again = async {
                    while good.request::<serde_json::Value, _>("rpc_discover", rpc_params![]).await.is_err() {
                    }
                };
                timeout(PATIENCE, again).await.expect("what a client that is gone held is not given back");
            }
        },
    )
    .await;
}

/// One that reads, but not soon enough, is cut off.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_clients_that_take_no_message_in_time() {
    survives(
        |config| config.rpc.subscriber_timeout_ms = 200,
        async |node, good| {
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "rpc_discover", "params": []}).to_string();
            let flood = Frame::new(FIN | TEXT, call).bytes().repeat(1_000);
            let mut deaf = upgraded(node).await;
            // The system may keep what was written for a connection that is closed: an error comes with the next.
            let cut = async { while deaf.write_all(&flood).await.is_ok() {} };
            timeout(PATIENCE, cut).await.expect("a client that reads nothing is not cut off");
            asks(good).await.unwrap();
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_connections_above_the_limit_and_accepts_them_below() {
    const LIMIT: u32 = 12;
    survives(
        |config| {
            config.rpc.max_connections = LIMIT;
            config.rpc.request_timeout_s = 2;
        },
        async |node, good| {
            // One is taken by the client that behaves.
            let mut idle = Vec::new();
            for _ in 1..LIMIT {
                idle.push(upgraded(node).await);
            }
            for _ in 0..20 {
                let mut stream = TcpStream::connect(node.address).await.unwrap();
                assert_eq!(handshake(&mut stream).await, 503);
                asks(good).await.unwrap();
            }
            drop(idle);
            // Their places are free again as soon as the node has seen them go.
            let again = async {
                loop {
                    let mut stream = TcpStream::connect(node.address).await.unwrap();
                    match handshake(&mut stream).await {
                        101 => return,
                        status => assert_eq!(status, 503),
                    }
                }
            };
            timeout(PATIENCE, again).await.expect("no place becomes free");
            // Connections that say nothing, or half of something, take nothing from those who speak, and lose their places.
            let mut silent = Vec::new();
            for i in 0..200 {
                let mut stream = TcpStream::connect(node.address).await.unwrap();
                if i % 2 == 0 {
                    stream.write_all(&UPGRADE.as_bytes()[..40]).await.unwrap();
                }
                silent.push(stream);
            }
            asks(good).await.unwrap();
            let waits = async {
                loop {
                    if let Ok(client) = try_client(node).await
                        && asks(&client).await.is_ok()
                    {
                        return;
                    }
                }
            };
            timeout(PATIENCE, waits).await.expect("a new client is not answered");
        },
    )
    .await;
}
