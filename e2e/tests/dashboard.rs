//! The dashboard in a browser, and the feed behind it. The browser is Chromium (`CAIRN_CHROMIUM`, /usr/bin/chromium by
//! default), driven by `e2e/clients/dashboard.test.mjs`; `npm ci` in `e2e/clients` installs what that needs.

use std::{path::Path, process::Stdio, time::Duration};

use alloy_primitives::Address;
use cairn_e2e::{client::h160, keys, node::Devnet, wait};
use cairn_node::l1::account::Account;
use ethers::{
    middleware::Middleware,
    types::{BlockNumber, Bytes, H256, TransactionRequest},
};
use eyre::OptionExt;
use jsonrpsee::{
    core::client::{ClientT, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::WsClientBuilder,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

const SENDER: u32 = 6;
const RECIPIENT: Address = Address::repeat_byte(0xda);
/// Bound for all that the browser does.
const BROWSER: Duration = Duration::from_secs(300);

/// Sends a transaction and waits for its block. Without a recipient it creates a contract.
async fn send(net: &Devnet, to: Option<Address>, data: Bytes) -> eyre::Result<Value> {
    let user = net.l2.user(SENDER).await?;
    // Not estimated: some are to fail.
    let tx = TransactionRequest::new().value(1).data(data).gas(1_000_000);
    let tx = match to {
        Some(to) => tx.to(h160(to)),
        None => tx,
    };
    let hash = user.send_transaction(tx, None).await?.tx_hash();
    let receipt = net.l2.receipt(hash).await?;
    Ok(json!({ "hash": hash, "blockHash": receipt.block_hash }))
}

/// Does what the browser's test asks for.
async fn obey(net: &mut Devnet, order: &Value) -> eyre::Result<Value> {
    match order["do"].as_str() {
        Some("send") => {
            let (to, data) = (order["to"].clone(), order["data"].clone());
            send(net, serde_json::from_value(to)?, serde_json::from_value(data)?).await
        }
        Some("restart") => net.restart(keys::mock()).await.map(|()| json!({})),
        _ => eyre::bail!("no such order: {order}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_browser() -> eyre::Result<()> {
    let mut net = Devnet::start(keys::mock()).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/dashboard.test.mjs");
    let mut browser = Command::new("node")
        .arg(script)
        .env("CAIRN_URL", &net.l2.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut answers = browser.stdin.take().ok_or_eyre("no standard input")?;
    let mut orders = BufReader::new(browser.stdout.take().ok_or_eyre("no standard output")?).lines();
    let session = async {
        while let Some(order) = orders.next_line().await? {
            let answer = obey(&mut net, &serde_json::from_str(&order)?).await?;
            answers.write_all(format!("{answer}\n").as_bytes()).await?;
        }
        let status = browser.wait().await?;
        eyre::ensure!(status.success(), "the browser's test ended, {status}: its words are above");
        Ok(())
    };
    timeout(BROWSER, session).await??;
    net.stop().await
}

/// The next push for which `look` holds.
async fn push(feed: &mut Subscription<Value>, look: impl Fn(&Value) -> bool) -> eyre::Result<Value> {
    let wait = async {
        loop {
            let status = feed.next().await.ok_or_eyre("the feed ended")??;
            if look(&status) {
                return eyre::Ok(status);
            }
        }
    };
    timeout(wait::SOON, wait).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_feed_from_the_first_block_to_its_proof() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    let rpc = WsClientBuilder::default().build(net.l2.url.replace("http", "ws")).await?;
    let params = rpc_params!["status"];
    let mut feed = rpc.subscribe("cairn_subscribe", params, "cairn_unsubscribe").await?;
    let status = push(&mut feed, |_| true).await?;
    assert_eq!(status["proofMode"], "mock");
    assert_eq!(status["chainId"], 1001);
    assert_eq!(status["contracts"]["zkevm"], json!(net.deployment.zkevm));
    assert_eq!(status["states"]["trusted"], json!({ "block": 0, "batch": 0, "timestamp": 0 }));
    assert_eq!(status["openBatch"], Value::Null);
    assert_eq!(status["pool"]["pending"], 0);

    let first = send(&net, Some(RECIPIENT), Bytes::default()).await?;
    let status = push(&mut feed, |status| status["states"]["consolidated"]["block"] == 1).await?;
    assert_eq!(status["states"]["trusted"]["batch"], 1);
    assert_eq!(status["prover"], json!({ "queue": 0, "proving": null }));

    let batches: Vec<Value> = rpc.request("cairn_getBatches", rpc_params![Value::Null, 10]).await?;
    let [batch] = batches.as_slice() else { eyre::bail!("not one batch: {batches:?}") };
    assert_eq!((&batch["number"], &batch["transactions"]), (&json!(1), &json!(1)));
    assert_eq!((&batch["state"], &batch["closeReason"]), (&json!("consolidated"), &json!("age")));
    assert_eq!(batch["counters"]["signatures"], 1);
    assert!(batch["proof"]["seconds"].as_f64().is_some());
    for lane in ["sequence", "verification"] {
        let hash: H256 = serde_json::from_value(batch[lane]["txHash"].clone())?;
        let receipt = net.l1.provider.get_transaction_receipt(hash).await?.ok_or_eyre("no receipt on L1")?;
        assert_eq!(batch[lane]["gasUsed"].as_u64(), receipt.gas_used.map(|gas| gas.as_u64()));
        assert_eq!(batch[lane]["transactions"], 1);
    }

    let status: Value = rpc.request("cairn_getTransactionStatus", rpc_params![&first["hash"]]).await?;
    assert_eq!((&status["status"], &status["batch"]), (&json!("consolidated"), &json!(1)));
    assert_eq!(status["verifyTxHash"], batch["verification"]["txHash"]);
    let unknown: Value = rpc.request("cairn_getTransactionStatus", rpc_params![H256::zero()]).await?;
    assert_eq!(unknown["status"], "unknown");

    let overview: Value = rpc.request("cairn_status", rpc_params![]).await?;
    assert!(overview["samples"].as_array().is_some_and(|samples| !samples.is_empty()));
    let too_many = rpc.request::<Value, _>("cairn_getBatches", rpc_params![1, 101]).await;
    assert!(too_many.is_err_and(|e| e.to_string().contains("not between 1 and 100")));
    let no_such: Result<Subscription<Value>, _> =
        rpc.subscribe("cairn_subscribe", rpc_params!["gossip"], "cairn_unsubscribe").await;
    assert!(no_such.is_err());
    net.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_waiting_transactions_and_pages_of_an_address() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    for _ in 0..3 {
        send(&net, Some(RECIPIENT), Bytes::default()).await?;
    }
    let user = net.l2.user(SENDER).await?;
    let nonce = net.l2.nonce(Account::development(SENDER)?.address(), BlockNumber::Latest).await?;
    let ahead = TransactionRequest::new().to(h160(RECIPIENT)).value(1).nonce(nonce + 1);
    let waiting = user.send_transaction(ahead, None).await?.tx_hash();
    let rpc = &net.l2.provider;
    let status: Value = rpc.request("cairn_getTransactionStatus", [waiting]).await?;
    assert_eq!((&status["status"], &status["block"]), (&json!("pooled"), &Value::Null));
    let reason = status["reason"].as_str().ok_or_eyre("no reason")?;
    assert!(reason.contains(&format!("nonce {nonce} is missing")), "{reason}");
    let status: Value = rpc.request("cairn_status", ()).await?;
    assert_eq!((&status["pool"]["pending"], &status["pool"]["queued"]), (&json!(0), &json!(1)));

    let page = |before: Value| {
        rpc.request::<_, Value>("cairn_getAddressTransactions", json!([RECIPIENT, before, 2]))
    };
    let first = page(Value::Null).await?;
    let blocks = |page: &Value| -> Vec<u64> {
        let lines = page["transactions"].as_array().into_iter().flatten();
        lines.filter_map(|line| line["block"].as_u64()).collect()
    };
    assert_eq!((blocks(&first), &first["next"]), (vec![3, 2], &json!(2)));
    let second = page(first["next"].clone()).await?;
    assert_eq!((blocks(&second), &second["next"]), (vec![1], &Value::Null));
    assert_eq!(second["transactions"][0]["to"], json!(RECIPIENT));
    net.stop().await
}
