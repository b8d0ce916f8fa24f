//! `eth_getLogs` and the filters that clients poll.

use alloy_primitives::{Address, B256, Bytes, Log};
use cairn_node::cli::Role;
use serde_json::{Value, json};

use crate::support::{chain_with_logs, config, start, start_on, transfer};

/// Past the largest range of one query.
const BLOCKS: u64 = 10_100;
/// Has more logs than one query gives.
const FULL_BLOCK: u64 = 10_050;

fn emitter(n: u64) -> Address {
    Address::left_padding_from(&(0xe000 + n).to_be_bytes())
}

fn topic(n: u64) -> B256 {
    B256::left_padding_from(&(0x1000 + n).to_be_bytes())
}

/// Every tenth block has 25 logs of two topics, one block 10,001 without any.
fn logs_of(number: u64) -> Vec<Log> {
    match number {
        FULL_BLOCK => (0..10_001).map(|_| Log::new_unchecked(emitter(9), Vec::new(), Bytes::new())).collect(),
        n if n > 0 && n % 10 == 0 => (0..25)
            .map(|i| {
                Log::new_unchecked(emitter(i % 5), vec![topic(i % 3), topic(n)], Bytes::from(vec![i as u8]))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Block and index of each log, as the answer has them.
fn places(logs: &Value) -> Vec<(u64, u64)> {
    let number = |log: &Value, field: &str| {
        u64::from_str_radix(log[field].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    logs.as_array().unwrap().iter().map(|log| (number(log, "blockNumber"), number(log, "logIndex"))).collect()
}

fn expected(from: u64, to: u64, wanted: impl Fn(&Log) -> bool) -> Vec<(u64, u64)> {
    let of = |number| (0..).zip(logs_of(number)).map(move |(i, log)| (number, i, log));
    (from..=to).flat_map(of).filter(|(_, _, log)| wanted(log)).map(|(n, i, _)| (n, i)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_queries_for_logs_that_match_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let chain = chain_with_logs(&config, BLOCKS, logs_of);
    let node = start_on(&config, chain, &mut None, &[Role::Rpc]).await;
    let ask = async |filter: Value| node.call("eth_getLogs", vec![filter]).await;

    let range = |filter: Value| {
        let mut filter = filter;
        filter["fromBlock"] = json!("0x0");
        filter["toBlock"] = json!("0x270f");
        filter
    };
    let start = std::time::Instant::now();
    let none = ask(range(json!({"address": emitter(77)}))).await;
    eprintln!("10,000 blocks without a match: {:?}", start.elapsed());
    assert_eq!(none, json!([]));
    let got = ask(range(json!({"address": emitter(1)}))).await;
    assert_eq!(places(&got), expected(0, 9_999, |log| log.address == emitter(1)));
    assert_eq!(got[0]["blockTimestamp"], json!("0x3f2"));
    assert_eq!(got[0]["removed"], json!(false));
    let got =
        ask(range(json!({"address": [emitter(1), emitter(77)], "topics": [[topic(0), topic(99)]]}))).await;
    assert_eq!(
        places(&got),
        expected(0, 9_999, |log| log.address == emitter(1) && log.topics()[0] == topic(0))
    );
    let got = ask(range(json!({"topics": [null, topic(500)]}))).await;
    assert_eq!(places(&got), expected(500, 500, |_| true));
    let got = ask(json!({"blockHash": got[0]["blockHash"], "address": emitter(4)})).await;
    assert_eq!(places(&got), expected(500, 500, |log| log.address == emitter(4)));
    // Without bounds: the last block. Past the head: nothing.
    assert_eq!(places(&ask(json!({})).await), expected(BLOCKS, BLOCKS, |_| true));
    assert_eq!(ask(json!({"fromBlock": "0xffffff", "toBlock": "0xfffffff"})).await, json!([]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_queries_for_logs_past_a_limit_and_says_what_fits() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let chain = chain_with_logs(&config, BLOCKS, logs_of);
    let node = start_on(&config, chain, &mut None, &[Role::Rpc]).await;
    let error = async |filter: Value| {
        let (code, message, _) = node.error("eth_getLogs", vec![filter]).await;
        (code, message)
    };
    assert_eq!(
        error(json!({"fromBlock": "0x0", "toBlock": "latest"})).await,
        (-32005, format!("block range of {} blocks, the limit is 10000", BLOCKS + 1))
    );
    let (code, message) = error(json!({"fromBlock": "0x1", "toBlock": "0x2710"})).await;
    assert_eq!(code, -32005);
    // 400 blocks with 25 logs are 10,000.
    assert_eq!(message, "query returned more than 10000 results. Try with this block range [0x1, 0xfa9].");
    let fits = node.call("eth_getLogs", vec![json!({"fromBlock": "0x1", "toBlock": "0xfa9"})]).await;
    assert_eq!(fits.as_array().unwrap().len(), 10_000);
    // One block is given whole: there is no smaller range.
    let whole = json!({"fromBlock": format!("{FULL_BLOCK:#x}"), "toBlock": format!("{FULL_BLOCK:#x}")});
    assert_eq!(node.call("eth_getLogs", vec![whole]).await.as_array().unwrap().len(), 10_001);

    let addresses: Vec<_> = (0..1_001).map(emitter).collect();
    assert_eq!(
        error(json!({"address": addresses})).await,
        (-32005, "filter with 1001 addresses and topics, the limit is 1000".to_owned())
    );
    assert_eq!(
        error(json!({"fromBlock": "0x2", "toBlock": "0x1"})).await,
        (-32602, "invalid block range params: from 2 to 1".to_owned())
    );
    let unknown = B256::repeat_byte(1);
    assert_eq!(error(json!({"blockHash": unknown})).await, (-32000, "unknown block".to_owned()));
    let (code, _, data) =
        node.error("eth_getLogs", vec![json!({"blockHash": unknown, "fromBlock": "0x1"})]).await;
    assert_eq!(code, -32602);
    assert!(data.as_str().unwrap().contains("cannot specify both blockHash and fromBlock/toBlock"), "{data}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_polls_that_report_each_block_and_transaction_once() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(&config(dir.path()), &mut None, &[Role::Sequencer, Role::Rpc]).await;
    node.make_blocks(2).await;
    let blocks = node.call("eth_newBlockFilter", vec![]).await;
    let pending = node.call("eth_newPendingTransactionFilter", vec![]).await;
    let logs = node.call("eth_newFilter", vec![json!({"fromBlock": "0x0"})]).await;
    let poll = async |id: &Value| node.call("eth_getFilterChanges", vec![id.clone()]).await;
    assert_eq!(poll(&blocks).await, json!([]));
    let hash = node.call("eth_sendRawTransaction", vec![json!(transfer(2, 7))]).await;
    assert_eq!(poll(&pending).await, json!([hash]));
    node.wait_for("eth_blockNumber", &json!("0x3")).await;
    node.make_blocks(5).await;
    let mut hashes = Vec::new();
    for number in 3..=5 {
        let block = node.call("eth_getBlockByNumber", vec![json!(format!("{number:#x}"))]).await;
        hashes.push(block["hash"].clone());
    }
    assert_eq!(poll(&blocks).await, json!(hashes));
    assert_eq!(poll(&blocks).await, json!([]));
    assert_eq!(poll(&pending).await.as_array().unwrap().len(), 2);
    assert_eq!(poll(&pending).await, json!([]));
    assert_eq!(poll(&logs).await, json!([]));
    assert_eq!(node.call("eth_getFilterLogs", vec![logs.clone()]).await, json!([]));

    let not_found = (-32000, "filter not found".to_owned(), Value::Null);
    // Only a filter for logs has logs.
    assert_eq!(node.error("eth_getFilterLogs", vec![blocks.clone()]).await, not_found);
    assert_eq!(node.call("eth_uninstallFilter", vec![logs.clone()]).await, json!(true));
    assert_eq!(node.call("eth_uninstallFilter", vec![logs.clone()]).await, json!(false));
    assert_eq!(node.error("eth_getFilterChanges", vec![logs]).await, not_found);
    node.stop().await;
}
