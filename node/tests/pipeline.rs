//! From JSON-RPC to a verified batch, against an L1 in memory that checks what the contracts check; and restarts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use cairn_node::cli::Role;
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::{Value, json};
use support::{SENDER, config, start, transfer};

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
