//! The command-line client that people have, without special flags.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use alloy_primitives::Address;
use cairn_e2e::{keys, l1::foundry_program, node::Devnet, scripts, wait::SOON};
use cairn_node::l1::account::Account;
use eyre::OptionExt;
use serde_json::Value;
use tokio::{io::AsyncReadExt, process::Command};

const SENDER: u32 = 4;
const RECIPIENT: Address = Address::repeat_byte(0xc5);
/// After how long without a log another is made.
const HEARS_WITHIN: Duration = Duration::from_secs(1);

/// Runs cast against the node.
async fn run(net: &Devnet, arguments: &[&str]) -> eyre::Result<Output> {
    let mut command = Command::new(foundry_program("cast")?);
    command.args(arguments).env("ETH_RPC_URL", &net.l2.url).kill_on_drop(true);
    Ok(tokio::time::timeout(SOON, command.output()).await??)
}

/// Runs cast against the node and returns what it printed.
async fn cast(net: &Devnet, arguments: &[&str]) -> eyre::Result<String> {
    let Output { status, stdout, stderr } = run(net, arguments).await?;
    let stderr = String::from_utf8_lossy(&stderr);
    eyre::ensure!(status.success(), "cast {arguments:?}: {status}: {stderr}");
    Ok(String::from_utf8(stdout)?.trim().to_owned())
}

/// Runs cast, which must fail, and returns what it says.
async fn refused(net: &Devnet, arguments: &[&str]) -> eyre::Result<String> {
    let Output { status, stderr, .. } = run(net, arguments).await?;
    eyre::ensure!(!status.success(), "cast {arguments:?} did not fail");
    Ok(String::from_utf8(stderr)?)
}

async fn json(net: &Devnet, arguments: &[&str]) -> eyre::Result<Value> {
    let (command, rest) = arguments.split_first().ok_or_eyre("no command")?;
    Ok(serde_json::from_str(&cast(net, &[&[command, "--json"], rest].concat()).await?)?)
}

fn field<'a>(receipt: &'a Value, name: &str) -> eyre::Result<&'a str> {
    receipt[name].as_str().ok_or_eyre(format!("no {name} in {receipt}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_cast_sends() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    let key = Account::development(SENDER)?.key().to_string();
    let to = RECIPIENT.to_string();
    let send = ["send", "--json", "--private-key", &key, &to, "--value", "1ether"];
    let types =
        [("0x2", &[][..]), ("0x0", &["--legacy"][..]), ("0x1", &["--legacy", "--access-list", "[]"][..])];
    for (ty, flags) in types {
        // Waits for the receipt and prints it.
        let sent: Value = serde_json::from_str(&cast(&net, &[&send, flags].concat()).await?)?;
        assert_eq!((field(&sent, "status")?, field(&sent, "type")?), ("0x1", ty));
        let hash = field(&sent, "transactionHash")?;
        let receipt = cast(&net, &["receipt", "--json", hash]).await?;
        let receipt: Value = serde_json::from_str(&receipt)?;
        assert_eq!(field(&receipt, "transactionHash")?, hash);
        assert_eq!(field(&receipt, "gasUsed")?, "0x5208");
        assert_eq!(field(&receipt, "to")?.parse::<Address>()?, RECIPIENT);
    }
    assert_eq!(cast(&net, &["balance", &to]).await?, "3000000000000000000");
    let sender = Account::development(SENDER)?.address().to_string();
    assert_eq!(cast(&net, &["nonce", &sender]).await?, "3");
    assert_eq!(cast(&net, &["chain-id"]).await?, "1001");
    let proof: serde_json::Value = serde_json::from_str(&cast(&net, &["proof", &to, "0x0"]).await?)?;
    assert_eq!(proof["accountProof"].as_array().map(Vec::len), Some(11));
    assert_eq!(proof["storageProof"][0]["proof"].as_array().map(Vec::len), Some(11));

    net.l2.finalized(3).await?;
    let finalized = cast(&net, &["balance", &to, "--block", "finalized"]).await?;
    assert_eq!(finalized, "3000000000000000000");
    net.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_contracts_of_cast() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    let account = Account::development(SENDER)?;
    let (key, sender) = (account.key().to_string(), account.address().to_string());
    let send = ["send", "--private-key", key.as_str()];
    let code = scripts::creation_code("Probe")?;

    // Deployment: estimated, sent, found again in every way.
    let created =
        json(&net, &[&send[..], &["--create", &code, "constructor(uint256)", "7"]].concat()).await?;
    assert_eq!(field(&created, "status")?, "0x1");
    let probe = field(&created, "contractAddress")?;
    let hash = field(&created, "transactionHash")?;
    let runtime = cast(&net, &["code", probe]).await?;
    assert!(code.ends_with(runtime.trim_start_matches("0x")) && runtime.len() > 1000, "{runtime}");
    assert_eq!(cast(&net, &["codesize", probe]).await?, ((runtime.len() - 2) / 2).to_string());
    let tx = json(&net, &["tx", hash]).await?;
    assert_eq!((field(&tx, "from")?.parse::<Address>()?, field(&tx, "nonce")?), (account.address(), "0x0"));
    assert!(tx["to"].is_null());
    let block = json(&net, &["block", field(&created, "blockHash")?]).await?;
    assert_eq!(block["transactions"], serde_json::json!([hash]));
    assert_eq!(field(&block, "gasUsed")?, field(&created, "gasUsed")?);

    // Calls with results, at blocks too.
    let store = "store(uint256,string)";
    assert_eq!(cast(&net, &["call", probe, "value()(uint256)"]).await?, "7");
    let estimate: u64 =
        cast(&net, &["estimate", "--from", &sender, probe, store, "8", "eight"]).await?.parse()?;
    let stored = json(&net, &[&send[..], &[probe, store, "8", "eight"]].concat()).await?;
    let used = u64::from_str_radix(field(&stored, "gasUsed")?.trim_start_matches("0x"), 16)?;
    assert!(used <= estimate && estimate < 2 * used, "{used} used, {estimate} estimated");
    assert_eq!(cast(&net, &["call", probe, "value()(uint256)"]).await?, "8");
    assert_eq!(cast(&net, &["call", "--block", "1", probe, "value()(uint256)"]).await?, "7");
    assert_eq!(cast(&net, &["storage", probe, "0"]).await?, format!("0x{:064x}", 8));
    assert_eq!(cast(&net, &["rpc", "eth_blockNumber"]).await?, "\"0x2\"");

    // Reverts in the words that cast shows.
    let call = |a: &'static str, b: &'static str| ["call", probe, "divide(uint256,uint256)(uint256)", a, b];
    assert_eq!(cast(&net, &call("7", "2")).await?, "3");
    assert!(refused(&net, &call("1", "0")).await?.contains("0x4e487b71"));
    for command in ["call", "estimate"] {
        assert!(
            refused(&net, &[command, probe, store, "13", ""]).await?.contains("execution reverted: unlucky")
        );
        // TooBig(1001, 1000).
        let words = refused(&net, &[command, probe, store, "1001", ""]).await?;
        assert!(words.contains(&format!("0x6ad9cdfc{:064x}{:064x}", 1001, 1000)), "{words}");
    }
    let failed =
        json(&net, &[&send[..], &["--gas-limit", "100000", probe, store, "13", ""]].concat()).await?;
    assert_eq!(field(&failed, "status")?, "0x0");

    // Logs by signature and topic.
    let event = "Stored(address indexed,uint256 indexed,string)";
    let logs = ["logs", "--from-block", "0", "--address", probe, event];
    let found = json(&net, &logs).await?;
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(field(&found[0], "transactionHash")?, field(&stored, "transactionHash")?);
    assert_eq!(json(&net, &[&logs[..], &[&sender, "8"]].concat()).await?, found);
    assert_eq!(json(&net, &[&logs[..], &[&sender, "9"]].concat()).await?, serde_json::json!([]));

    // By subscription, over a WebSocket: cast prints each log as it comes.
    let url = net.l2.url.replace("http://", "ws://");
    let subscribe = ["logs", "--json", "--subscribe", "--rpc-url", &url, "--address", probe, event];
    let mut listener = Command::new(foundry_program("cast")?)
        .args(subscribe)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut printed = listener.stdout.take().ok_or_eyre("no output")?;
    let (mut heard, mut note) = (Vec::new(), 100);
    while !String::from_utf8_lossy(&heard).to_lowercase().contains(&probe.to_lowercase()) {
        // cast does not say when it listens: logs are made until one is heard.
        match tokio::time::timeout(HEARS_WITHIN, printed.read_buf(&mut heard)).await {
            Ok(read) => eyre::ensure!(read? > 0, "cast ended"),
            Err(_) => {
                eyre::ensure!(note < 130, "cast hears no log");
                note += 1;
                json(&net, &[&send[..], &[probe, store, &note.to_string(), "heard"]].concat()).await?;
            }
        }
    }
    listener.kill().await?;

    // A list of what a call touches, sent with it.
    let list = cast(&net, &["access-list", "--from", &sender, probe, store, "9", "nine"]).await?;
    assert!(
        list.contains(&probe.parse::<Address>()?.to_string()) && list.contains(&format!("0x{:064x}", 0)),
        "{list}"
    );
    for (ty, flags) in [("0x2", &["--access-list"][..]), ("0x1", &["--legacy", "--access-list"][..])] {
        let with_list = json(&net, &[&send[..], &[probe, store, "9", "nine"], flags].concat()).await?;
        assert_eq!((field(&with_list, "status")?, field(&with_list, "type")?), ("0x1", ty));
        let tx = json(&net, &["tx", field(&with_list, "transactionHash")?]).await?;
        assert_eq!(field(&tx["accessList"][0], "address")?, probe);
    }

    // cast executes a transaction again by itself, on state that it reads from the node.
    let replay = cast(&net, &["run", "--quick", field(&stored, "transactionHash")?]).await?;
    assert!(
        replay.contains("Transaction successfully executed") && replay.contains("emit topic 0"),
        "{replay}"
    );
    net.stop().await
}
