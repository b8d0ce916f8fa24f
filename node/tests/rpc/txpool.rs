//! The pool in geth's shapes.

use alloy_primitives::Address;
use cairn_node::cli::Role;
use serde_json::{Value, json};

use crate::support::{SENDER, config, start, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_waits_and_what_waits_for_a_nonce_by_sender() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Rpc]).await;
    let empty = json!({"pending": {}, "queued": {}});
    assert_eq!(node.call("txpool_content", vec![]).await, empty);
    assert_eq!(node.call("txpool_contentFrom", vec![json!(SENDER)]).await, empty);
    for nonce in [0, 1, 3] {
        node.call("eth_sendRawTransaction", vec![json!(transfer(nonce, 5))]).await;
    }
    assert_eq!(node.call("txpool_status", vec![]).await, json!({"pending": "0x2", "queued": "0x1"}));

    let line = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE: 5 wei + 21000 gas × 1000000000 wei";
    assert_eq!(line.split(':').next().unwrap(), Address::repeat_byte(0xee).to_checksum(None));
    let sender = SENDER.to_checksum(None);
    assert_eq!(
        node.call("txpool_inspect", vec![]).await,
        json!({
            "pending": {&sender: {"0": line, "1": line}},
            "queued": {&sender: {"3": line}},
        })
    );
    let content = node.call("txpool_content", vec![]).await;
    let queued = &content["queued"][&sender]["3"];
    let by_hash = node.call("eth_getTransactionByHash", vec![queued["hash"].clone()]).await;
    assert_eq!(queued, &by_hash);
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(queued.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(queued["gasPrice"], json!("0x3b9aca00"));
    let own = node.call("txpool_contentFrom", vec![json!(SENDER)]).await;
    assert_eq!(own["pending"], content["pending"][&sender]);
    assert_eq!(own["queued"], content["queued"][&sender]);
    // The gap closes: all of them can be executed in turn.
    node.call("eth_sendRawTransaction", vec![json!(transfer(2, 5))]).await;
    assert_eq!(node.call("txpool_status", vec![]).await, json!({"pending": "0x4", "queued": "0x0"}));
    assert_eq!(
        node.call("eth_getTransactionCount", vec![json!(SENDER), json!("pending")]).await,
        json!("0x4")
    );
    node.stop().await;
}
