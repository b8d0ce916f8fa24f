//! From JSON-RPC to a verified batch, against an L1 in memory that checks what the contracts check; and restarts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, keccak256};
use async_trait::async_trait;
use cairn_node::{
    cli::Role,
    config::Config,
    proof::MockEngine,
    settlement::{Lane, RollupStatus, Settled, Settlement, SettlementError, VerifiedBatch},
    wiring::{Node, open_chain, open_store},
};
use cairn_protocol::{
    batch::{BatchData, PublicInput},
    constants::{DEVNET_CHAIN_ID, FORK_ID},
    leaf::field_to_b256,
};
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const AGGREGATOR: Address = address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const SENDER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

#[derive(Default)]
struct Rollup {
    /// Accumulated hash after each batch; whether a sequence ends there.
    batches: Vec<(B256, bool)>,
    roots: Vec<B256>,
    timestamp: u64,
    calls: u64,
}

/// Checks what the contracts check.
struct MemoryL1 {
    genesis_root: B256,
    rollup: Mutex<Rollup>,
}

fn refused(reason: &str) -> SettlementError {
    SettlementError::Refused { source: reason.into() }
}

#[async_trait]
impl Settlement for MemoryL1 {
    async fn status(&self) -> Result<RollupStatus, SettlementError> {
        let rollup = self.rollup.lock().unwrap();
        Ok(RollupStatus {
            last_sequenced: rollup.batches.len() as u64,
            last_verified: rollup.roots.len() as u64,
            chain_id: DEVNET_CHAIN_ID,
            trusted_aggregator: AGGREGATOR,
        })
    }

    async fn acc_input_hash(&self, batch: u64) -> Result<B256, SettlementError> {
        let (hash, is_end) = self.rollup.lock().unwrap().batches[batch as usize - 1];
        Ok(if is_end { hash } else { B256::ZERO })
    }

    async fn state_root(&self, batch: u64) -> Result<B256, SettlementError> {
        Ok(self.rollup.lock().unwrap().roots[batch as usize - 1])
    }

    async fn global_exit_root(&self) -> Result<B256, SettlementError> {
        Ok(B256::repeat_byte(7))
    }

    async fn gas_price_wei(&self) -> Result<u128, SettlementError> {
        Ok(1_000_000_000)
    }

    async fn resume(&self, _: Lane) -> Result<Option<Settled>, SettlementError> {
        Ok(None)
    }

    async fn sequence(
        &self,
        first_batch: u64,
        batches: Vec<BatchData>,
        coinbase: Address,
    ) -> Result<Settled, SettlementError> {
        let mut rollup = self.rollup.lock().unwrap();
        assert_eq!(first_batch, rollup.batches.len() as u64 + 1, "a batch was skipped or sent twice");
        let last = batches.len() - 1;
        for (i, batch) in batches.iter().enumerate() {
            if batch.timestamp < rollup.timestamp {
                return Err(refused("timestamp decreases"));
            }
            rollup.timestamp = batch.timestamp;
            let previous = rollup.batches.last().map_or(B256::ZERO, |(hash, _)| *hash);
            rollup.batches.push((batch.acc_input_hash(previous, coinbase), i == last));
        }
        rollup.calls += 1;
        let l1_tx_hash = keccak256(rollup.calls.to_be_bytes());
        Ok(Settled { first_batch, last_batch: rollup.batches.len() as u64, l1_tx_hash, gas_used: 1 })
    }

    async fn verify(&self, init: u64, batches: Vec<VerifiedBatch>) -> Result<Settled, SettlementError> {
        let mut rollup = self.rollup.lock().unwrap();
        assert_eq!(init, rollup.roots.len() as u64, "a batch was verified twice");
        for (number, batch) in (init + 1..).zip(&batches) {
            let at = number as usize - 1;
            if batch.acc_input_hash != rollup.batches[at].0 {
                return Err(refused("other data was sequenced"));
            }
            let input = PublicInput {
                aggregator: AGGREGATOR,
                old_state_root: rollup.roots.last().copied().unwrap_or(self.genesis_root),
                old_acc_input_hash: at.checked_sub(1).map_or(B256::ZERO, |i| rollup.batches[i].0),
                init_num_batch: number - 1,
                chain_id: DEVNET_CHAIN_ID,
                fork_id: FORK_ID,
                new_state_root: batch.state_root,
                new_acc_input_hash: batch.acc_input_hash,
                new_local_exit_root: batch.local_exit_root,
                final_new_batch: number,
            };
            if batch.proof.words[0] != U256::from_be_bytes(field_to_b256(input.to_field()).0) {
                return Err(refused("the proof is of something else"));
            }
            rollup.roots.push(batch.state_root);
        }
        assert!(rollup.batches[rollup.roots.len() - 1].1, "a verification ends inside a sequence");
        rollup.calls += 1;
        let l1_tx_hash = keccak256(rollup.calls.to_be_bytes());
        Ok(Settled { first_batch: init + 1, last_batch: rollup.roots.len() as u64, l1_tx_hash, gas_used: 1 })
    }

    async fn acknowledge(&self, _: Lane, _: &Settled) -> Result<(), SettlementError> {
        Ok(())
    }
}

fn transfer(nonce: u64, value: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(Address::repeat_byte(0xee)),
        value: U256::from(value),
        ..TxEip1559::default()
    };
    let key = SigningKey::from_slice(&hex::decode(KEY).unwrap()).unwrap();
    let signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718().into()
}

fn config(dir: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.chain.data_dir = dir.to_owned();
    config.rpc.listen.set_port(0);
    config.batch.max_age_s = 1;
    config.batch.tick_ms = 20;
    config.batch.mock_capacity.slots = 3;
    config
}

struct Running {
    node: tokio::task::JoinHandle<Result<(), cairn_node::wiring::NodeError>>,
    cancel: CancellationToken,
    rpc: HttpClient,
}

async fn start(config: &Config, l1: &mut Option<Arc<MemoryL1>>, roles: &[Role]) -> Running {
    let engine = Arc::new(MockEngine { capacity: config.batch.mock_capacity });
    let chain = open_chain(config, open_store(config).unwrap(), engine.as_ref()).unwrap();
    let genesis_root = chain.state().at(0).unwrap().state_root();
    let l1 = l1.get_or_insert_with(|| Arc::new(MemoryL1 { genesis_root, rollup: Mutex::default() }));
    let cancel = CancellationToken::new();
    let node = Node::start(config, roles, chain, engine, l1.clone(), cancel.clone()).await.unwrap();
    let url = format!("http://{}", node.rpc_address().unwrap());
    let rpc = HttpClient::builder().build(url).unwrap();
    Running { node: tokio::spawn(node.run()), cancel, rpc }
}

impl Running {
    async fn call(&self, method: &str, params: Vec<Value>) -> Value {
        let mut list = jsonrpsee::core::params::ArrayParams::new();
        for p in params {
            list.insert(p).unwrap();
        }
        self.rpc.request(method, list).await.unwrap()
    }

    async fn wait_for(&self, method: &str, wanted: &Value) {
        let wait = async {
            while &self.call(method, vec![]).await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
    }

    async fn stop(self) {
        drop(self.rpc);
        self.cancel.cancel();
        self.node.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_transfers_through_to_verified_batches() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let mut l1 = None;
    let node = start(&config, &mut l1, &Role::ALL).await;
    assert_eq!(node.call("eth_chainId", vec![]).await, json!("0x3e9"));
    let mut hashes = Vec::new();
    for nonce in 0..7 {
        hashes.push(node.call("eth_sendRawTransaction", vec![json!(transfer(nonce, 5))]).await);
    }
    // Three transactions fill a batch, the last one closes by age.
    node.wait_for("zkevm_verifiedBatchNumber", &json!("0x3")).await;
    assert_eq!(node.call("eth_blockNumber", vec![]).await, json!("0x7"));
    let rich = node.call("eth_getBalance", vec![json!(Address::repeat_byte(0xee)), json!("finalized")]).await;
    assert_eq!(rich, json!("0x23"));
    let old = node.call("eth_getBalance", vec![json!(Address::repeat_byte(0xee)), json!("0x2")]).await;
    assert_eq!(old, json!("0xa"));
    assert_eq!(
        node.call("eth_getTransactionCount", vec![json!(SENDER), json!("pending")]).await,
        json!("0x7")
    );

    let receipt = node.call("eth_getTransactionReceipt", vec![hashes[6].clone()]).await;
    assert_eq!(receipt["status"], json!("0x1"));
    assert_eq!(receipt["gasUsed"], json!("0x5208"));
    assert_eq!(receipt["blockNumber"], json!("0x7"));
    let block = node.call("eth_getBlockByNumber", vec![json!("latest"), json!(true)]).await;
    assert_eq!(block["transactions"][0]["hash"], hashes[6]);
    assert_eq!(block["hash"], receipt["blockHash"]);
    let parent = node.call("eth_getBlockByHash", vec![block["parentHash"].clone(), json!(false)]).await;
    assert_eq!(parent["number"], json!("0x6"));
    assert_eq!(node.call("eth_getBlockReceipts", vec![json!("0x7")]).await[0], receipt);
    assert_eq!(node.call("zkevm_isBlockConsolidated", vec![json!("0x7")]).await, json!(true));
    let batch = node.call("zkevm_getBatchByNumber", vec![json!("0x1")]).await;
    let first: Vec<Value> = batch["transactions"].as_array().unwrap().clone();
    assert!(hashes.starts_with(&first) && !first.is_empty());
    assert_eq!(batch["globalExitRoot"], json!(B256::repeat_byte(7)));
    assert!(batch["sendSequencesTxHash"].is_string() && batch["verifyBatchTxHash"].is_string());
    // L2 knows the root by then.
    let batch = node.call("zkevm_getBatchByNumber", vec![json!("0x2")]).await;
    assert_eq!(batch["globalExitRoot"], json!(B256::ZERO));

    let request = json!({"from": SENDER, "to": Address::repeat_byte(1), "value": "0x1"});
    assert_eq!(node.call("eth_estimateGas", vec![request.clone()]).await, json!("0x5208"));
    assert_eq!(node.call("eth_call", vec![request]).await, json!("0x"));
    assert_eq!(node.call("eth_getLogs", vec![json!({"fromBlock": "0x0"})]).await, json!([]));
    let fees = node.call("eth_feeHistory", vec![json!("0x2"), json!("latest"), json!([50.0])]).await;
    assert_eq!(fees["oldestBlock"], json!("0x6"));
    assert_eq!(fees["reward"][1][0], json!("0x3b9aca00"));
    assert_eq!(node.call("net_version", vec![]).await, json!("1001"));
    node.stop().await;
}

/// A transaction goes from the pool into a block between two answers: the pending nonce must count it all the time.
#[tokio::test(flavor = "multi_thread")]
async fn regression_pending_nonce_never_falls_while_blocks_are_made() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let ask = async |tag: &str| {
        let count = node.call("eth_getTransactionCount", vec![json!(SENDER), json!(tag)]).await;
        u64::from_str_radix(count.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    // One at a time: the pool is empty after each block.
    let send = async {
        for nonce in 0..100 {
            node.call("eth_sendRawTransaction", vec![json!(transfer(nonce, 1))]).await;
            while ask("latest").await <= nonce {}
        }
    };
    let watch = async || {
        let mut last = 0;
        while last < 100 {
            let now = ask("pending").await;
            assert!(now >= last, "the pending nonce fell from {last} to {now}");
            last = now;
        }
    };
    futures::join!(send, watch(), watch(), watch());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_transactions_with_codes_of_ethereum() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Rpc]).await;
    let error = async |raw: Bytes| match node
        .rpc
        .request::<Value, _>("eth_sendRawTransaction", rpc_params![raw])
        .await
        .unwrap_err()
    {
        jsonrpsee::core::client::Error::Call(e) => (e.code(), e.message().to_owned()),
        other => panic!("{other}"),
    };
    node.call("eth_sendRawTransaction", vec![json!(transfer(0, 1))]).await;
    assert_eq!(error(transfer(0, 1)).await, (-32000, "already known".to_owned()));
    assert_eq!(error(transfer(0, 2)).await, (-32000, "replacement transaction underpriced".to_owned()));
    assert_eq!(error(Bytes::from_static(&[3, 0xc0])).await.0, -32000);
    // A pooled transaction is visible as pending.
    let pending = node.call("eth_getTransactionByHash", vec![json!(keccak256(transfer(0, 1)))]).await;
    assert_eq!(pending["blockNumber"], Value::Null);
    assert_eq!(pending["from"], json!(format!("{SENDER:?}")));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_restart_between_every_two_steps() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let mut l1 = None;
    // Accepted, but nobody makes blocks yet.
    let node = start(&config, &mut l1, &[Role::Rpc]).await;
    for nonce in 0..4 {
        node.call("eth_sendRawTransaction", vec![json!(transfer(nonce, 5))]).await;
    }
    assert_eq!(node.call("eth_blockNumber", vec![]).await, json!("0x0"));
    node.stop().await;

    let node = start(&config, &mut l1, &[Role::Rpc, Role::Sequencer]).await;
    node.wait_for("zkevm_virtualBatchNumber", &json!("0x2")).await;
    assert_eq!(node.call("zkevm_verifiedBatchNumber", vec![]).await, json!("0x0"));
    node.stop().await;

    let node = start(&config, &mut l1, &[Role::Rpc, Role::Prover, Role::Aggregator]).await;
    node.wait_for("zkevm_verifiedBatchNumber", &json!("0x2")).await;
    node.stop().await;

    let node = start(&config, &mut l1, &Role::ALL).await;
    node.call("eth_sendRawTransaction", vec![json!(transfer(4, 5))]).await;
    node.wait_for("zkevm_verifiedBatchNumber", &json!("0x3")).await;
    assert_eq!(node.call("eth_blockNumber", vec![]).await, json!("0x5"));
    node.stop().await;
}
