//! Methods of the `eth` namespace that read blocks, transactions and accounts, and the parameters that they take.

use cairn_protocol::resources::Resource;
use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_node::cli::Role;
use serde_json::{Value, json};

use crate::support::{SENDER, chain_with_logs, config, start, start_on, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_raw_transactions_and_uncles_as_geth_answers() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let ask = async |method: &str, params: Value| node.call(method, params.as_array().unwrap().clone()).await;
    node.make_blocks(2).await;
    // Waits for nonce 2: stays in the pool.
    ask("eth_sendRawTransaction", json!([transfer(3, 1)])).await;

    let (mined, pooled) = (transfer(1, 1), transfer(3, 1));
    assert_eq!(ask("eth_getRawTransactionByHash", json!([keccak256(&mined)])).await, json!(mined));
    assert_eq!(ask("eth_getRawTransactionByHash", json!([keccak256(&pooled)])).await, json!(pooled));
    assert_eq!(ask("eth_getRawTransactionByHash", json!([B256::ZERO])).await, json!("0x"));
    let block = ask("eth_getBlockByNumber", json!(["0x2"])).await;
    let hash = &block["hash"];
    assert_eq!(ask("eth_getRawTransactionByBlockNumberAndIndex", json!(["0x2", "0x0"])).await, json!(mined));
    assert_eq!(ask("eth_getRawTransactionByBlockHashAndIndex", json!([hash, "0x0"])).await, json!(mined));
    assert_eq!(ask("eth_getRawTransactionByBlockHashAndIndex", json!([hash, "0x1"])).await, json!("0x"));
    let tx = ask("eth_getTransactionByHash", json!([keccak256(&pooled)])).await;
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(tx.get(field), Some(&Value::Null), "{field}");
    }

    assert_eq!(ask("eth_getUncleCountByBlockNumber", json!(["0x2"])).await, json!("0x0"));
    assert_eq!(ask("eth_getUncleCountByBlockNumber", json!(["0x99"])).await, Value::Null);
    assert_eq!(ask("eth_getUncleCountByBlockHash", json!([hash])).await, json!("0x0"));
    assert_eq!(ask("eth_getUncleCountByBlockHash", json!([B256::ZERO])).await, Value::Null);
    assert_eq!(ask("eth_getUncleByBlockHashAndIndex", json!([hash, "0x0"])).await, Value::Null);
    assert_eq!(ask("eth_getUncleByBlockNumberAndIndex", json!(["0x2", "0x0"])).await, Value::Null);
    assert_eq!(ask("eth_blobBaseFee", json!([])).await, json!("0x1"));
    assert_eq!(ask("eth_protocolVersion", json!([])).await, json!("0x0"));
    assert_eq!(ask("eth_coinbase", json!([])).await, json!(Address::repeat_byte(0xca)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_pending_block_as_an_empty_one_on_top() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.make_blocks(2).await;
    let latest = node.call("eth_getBlockByNumber", vec![json!("latest")]).await;
    let pending = node.call("eth_getBlockByNumber", vec![json!("pending"), json!(true)]).await;
    for field in ["hash", "miner", "nonce"] {
        assert_eq!(pending.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(pending["number"], json!("0x3"));
    assert_eq!(pending["parentHash"], latest["hash"]);
    assert_eq!(pending["stateRoot"], latest["stateRoot"]);
    assert_eq!(pending["transactions"], json!([]));
    assert_eq!(pending["gasUsed"], json!("0x0"));
    let keys = |block: &Value| block.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&pending), keys(&latest));
    let tag = || vec![json!("pending")];
    assert_eq!(node.call("eth_getBlockTransactionCountByNumber", tag()).await, json!("0x0"));
    assert_eq!(node.call("eth_getBlockReceipts", tag()).await, json!([]));
    let first = vec![json!("pending"), json!("0x0")];
    assert_eq!(node.call("eth_getTransactionByBlockNumberAndIndex", first).await, Value::Null);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_blocks_by_number_tag_hash_and_object() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.make_blocks(3).await;
    let rich = Address::repeat_byte(0xee);
    let at = async |block: Value| node.call("eth_getBalance", vec![json!(rich), block]).await;
    let hash = node.call("eth_getBlockByNumber", vec![json!("0x2")]).await["hash"].clone();
    for block in [
        json!("0x2"),
        json!("0x02"),
        hash.clone(),
        json!({"blockNumber": "0x2"}),
        json!({"blockHash": hash}),
        json!({"blockHash": hash, "requireCanonical": true}),
        json!({"blockHash": hash, "requireCanonical": false}),
    ] {
        assert_eq!(at(block.clone()).await, json!("0x2"), "{block}");
    }
    for (block, balance) in [("earliest", "0x0"), ("latest", "0x3"), ("pending", "0x3")] {
        assert_eq!(at(json!(block)).await, json!(balance), "{block}");
    }
    assert_eq!(at(Value::Null).await, json!("0x3"));
    assert_eq!(node.call("eth_getBalance", vec![json!(rich)]).await, json!("0x3"));
    for method in ["eth_getTransactionCount", "eth_getCode"] {
        node.call(method, vec![json!(SENDER), json!({"blockHash": hash})]).await;
    }
    let call = json!({"to": rich});
    for method in ["eth_call", "eth_estimateGas"] {
        node.call(method, vec![call.clone(), json!({"blockHash": hash})]).await;
    }
    let receipts = node.call("eth_getBlockReceipts", vec![json!({"blockHash": hash})]).await;
    assert_eq!(receipts[0]["blockHash"], hash);
    assert_eq!(node.call("eth_getBlockReceipts", vec![json!("0x99")]).await, Value::Null);

    let error = async |block: Value| {
        let (code, message, _) = node.error("eth_getBalance", vec![json!(rich), block]).await;
        (code, message)
    };
    assert_eq!(error(json!("0x99")).await, (-32000, "header not found".to_owned()));
    let unknown = json!({"blockHash": B256::ZERO});
    assert_eq!(error(unknown).await, (-32000, "header for hash not found".to_owned()));
    for malformed in [json!("2"), json!("soon"), json!({}), json!({"blockNumber": "0x2", "blockHash": hash})]
    {
        assert_eq!(error(malformed.clone()).await.0, -32602, "{malformed}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_quantities_as_geth_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.make_blocks(3).await;
    let slot = async |slot: &str| {
        node.call("eth_getStorageAt", vec![json!(SENDER), json!(slot), json!("latest")]).await
    };
    let padded = format!("{:?}", B256::from(U256::ONE));
    for text in ["0x0", "0x", "0x1", "1", "0x01", "0x001", &padded, &padded[2..]] {
        assert_eq!(slot(text).await, json!(B256::ZERO), "{text}");
    }
    for text in [format!("{padded}0"), "0xg".to_owned()] {
        let (code, ..) = node.error("eth_getStorageAt", vec![json!(SENDER), json!(text)]).await;
        assert_eq!(code, -32602, "{text}");
    }
    for count in [json!("0x2"), json!("2"), json!(2)] {
        let fees = node.call("eth_feeHistory", vec![count.clone(), json!("latest")]).await;
        assert_eq!(fees["oldestBlock"], json!("0x2"), "{count}");
        assert_eq!(fees["gasUsedRatio"].as_array().unwrap().len(), 2, "{count}");
    }
    node.stop().await;
}

/// Blocks are written in groups: whoever has a receipt finds the block at the head, and the transaction all the time.
#[tokio::test(flavor = "multi_thread")]
async fn regression_a_receipt_is_not_there_before_its_block_is_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.batch.mock_capacity[Resource::Transactions] = 1_000;
    let node = start(&config, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let number = |value: &Value| u64::from_str_radix(&value.as_str().unwrap()[2..], 16).unwrap();
    let rounds = async {
        for first in (0..320).step_by(8) {
            let raw: Vec<_> = (first..first + 8).map(|nonce| transfer(nonce, 1)).collect();
            for raw in &raw {
                node.call("eth_sendRawTransaction", vec![json!(raw)]).await;
            }
            for (nonce, hash) in (first..).zip(raw.iter().map(keccak256)) {
                let receipt = loop {
                    let receipt = node.call("eth_getTransactionReceipt", vec![json!(hash)]).await;
                    if !receipt.is_null() {
                        break receipt;
                    }
                    let tx = node.call("eth_getTransactionByHash", vec![json!(hash)]).await;
                    assert_eq!(tx["hash"], json!(hash), "neither in the pool nor in a block");
                };
                let at = number(&receipt["blockNumber"]);
                let head = number(&node.call("eth_blockNumber", vec![]).await);
                assert!(head >= at, "receipt of block {at}, head {head}");
                let next = node.call("eth_getTransactionCount", vec![json!(SENDER), json!("latest")]).await;
                assert!(number(&next) > nonce, "receipt of nonce {nonce}, next is {next}");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(120), rounds).await.unwrap();
    node.stop().await;
}

/// Past states are readable back to the bound, and beyond it the error names the earliest that is kept. What an unproven
/// batch needs is kept whatever the bound says.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_states_that_are_pruned_and_names_the_earliest_kept() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let chain = chain_with_logs(&config, 0, |_| Vec::new());
    let node = start_on(&config, Arc::clone(&chain), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.make_blocks(7).await;
    assert_eq!(chain.prune(1).unwrap(), 0, "no batch is proven");
    chain.raise_verified_batch(1);
    let bound = chain.last_block_of(1).unwrap();
    assert!(chain.prune(1).unwrap() > 0);
    assert_eq!(chain.state().earliest(), bound, "the last block of batch 1");

    let at = |block: u64| vec![json!(SENDER), json!(format!("{block:#x}"))];
    let earliest = json!({ "earliestBlock": format!("{bound:#x}") });
    let kept = node.call("eth_getTransactionCount", at(bound)).await;
    assert_eq!(kept, json!(format!("{bound:#x}")));
    for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
        let (code, message, data) = node.error(method, at(bound - 1)).await;
        assert_eq!((code, &data), (-32_001, &earliest), "{method}: {message}");
        assert!(message.ends_with(&format!("the earliest kept is that of block {bound}")), "{message}");
    }
    let (code, _, data) = node.error("eth_call", vec![json!({ "to": SENDER }), json!("0x0")]).await;
    assert_eq!((code, data), (-32_001, earliest));
    // Blocks and receipts stay.
    assert_eq!(node.call("eth_getBlockByNumber", vec![json!("0x1")]).await["number"], json!("0x1"));
    node.stop().await;
}
