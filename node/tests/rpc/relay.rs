//! A node that makes no blocks gives raw transactions to the one that does.

use alloy_primitives::Bytes;
use cairn_node::cli::Role;
use serde_json::{Value, json};

use crate::support::{config, start, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_transactions_on_behalf_of_the_sequencer() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let sequencer = start(&config(dirs[0].path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    let mut reads = config(dirs[1].path());
    reads.rpc.sequencer_url = Some(format!("http://{}", sequencer.address));
    let reader = start(&reads, &mut None, &[Role::Rpc]).await;

    let hash = reader.call("eth_sendRawTransaction", vec![json!(transfer(0, 5))]).await;
    sequencer.wait_for("eth_blockNumber", &json!("0x1")).await;
    let receipt = sequencer.call("eth_getTransactionReceipt", vec![hash]).await;
    assert_eq!(receipt["status"], json!("0x1"));
    assert_eq!(reader.call("txpool_status", vec![]).await, json!({"pending": "0x0", "queued": "0x0"}));

    // The sequencer's refusals are passed on as they are.
    for raw in [transfer(0, 5), Bytes::from_static(&[3, 0xc0])] {
        let direct = sequencer.error("eth_sendRawTransaction", vec![json!(raw)]).await;
        assert_eq!(reader.error("eth_sendRawTransaction", vec![json!(raw)]).await, direct);
    }
    let malformed = reader.error("eth_sendRawTransaction", vec![json!("0xzz")]).await;
    assert_eq!(malformed.0, -32602);
    sequencer.stop().await;

    let (code, message, data) = reader.error("eth_sendRawTransaction", vec![json!(transfer(1, 5))]).await;
    assert_eq!((code, data), (-32002, Value::Null));
    assert!(message.starts_with("the sequencer cannot be reached: "), "{message}");
    reader.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_its_own_transactions_if_it_is_the_sequencer() {
    let dir = tempfile::tempdir().unwrap();
    let mut own = config(dir.path());
    // Nobody listens there.
    own.rpc.sequencer_url = Some("http://127.0.0.1:1".to_owned());
    let node = start(&own, &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.call("eth_sendRawTransaction", vec![json!(transfer(0, 5))]).await;
    node.wait_for("eth_blockNumber", &json!("0x1")).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_sequencer_that_does_not_answer() {
    let dir = tempfile::tempdir().unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut reads = config(dir.path());
    reads.rpc.sequencer_url = Some(format!("http://{}", silent.local_addr().unwrap()));
    let reader = start(&reads, &mut None, &[Role::Rpc]).await;
    let (code, message, _) = reader.error("eth_sendRawTransaction", vec![json!(transfer(0, 5))]).await;
    assert_eq!(code, -32002);
    assert!(message.contains("did not answer within 10 s"), "{message}");
    reader.stop().await;
}
