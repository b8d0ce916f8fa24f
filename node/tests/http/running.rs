//! A running node with an L1 of three behaviours, and requests to it as they go over the wire.

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
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const CHAIN_ID: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

/// What L1 says when it is asked for its price.
#[derive(Clone, Copy)]
pub(crate) enum L1 {
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

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    node: JoinHandle<Result<(), NodeError>>,
    cancel: CancellationToken,
    _dir: TempDir,
}

/// A node with every role; `change` adapts the defaults.
pub(crate) async fn start(l1: L1, change: impl FnOnce(&mut Config)) -> Running {
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
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ &str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        self.head.lines().find(named).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// One request on a connection of its own, as it goes over the wire.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
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
pub(crate) async fn raw_websocket(address: SocketAddr) -> TcpStream {
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
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | 126][..], &length.to_be_bytes(), &[0; 4], text.as_bytes()].concat()
}

impl Running {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        request(self.address, "GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        self.post_with(&[], body).await
    }

    pub(crate) async fn post_with(&self, headers: &[&str], body: &str) -> Answer {
        let headers = [&["content-type: application/json"], headers].concat();
        request(self.address, "POST", "/", &headers, body).await
    }

    pub(crate) async fn stop(self) -> Result<(), NodeError> {
        self.cancel.cancel();
        tokio::time::timeout(LIMIT, self.node).await.unwrap().unwrap()
    }
}
