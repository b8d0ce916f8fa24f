//! The command-line client that people have, without special flags.

use std::process::Output;

use alloy_primitives::Address;
use cairn_e2e::{keys, l1::foundry_program, node::Devnet};
use cairn_node::l1::account::Account;
use eyre::OptionExt;
use tokio::process::Command;

const SENDER: u32 = 4;
const RECIPIENT: Address = Address::repeat_byte(0xc5);

/// Runs cast against the node and returns what it printed.
async fn cast(net: &Devnet, arguments: &[&str]) -> eyre::Result<String> {
    let Output { status, stdout, stderr } = Command::new(foundry_program("cast")?)
        .args(arguments)
        .args(["--rpc-url", &net.l2.url])
        .kill_on_drop(true)
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&stderr);
    eyre::ensure!(status.success(), "cast {arguments:?}: {status}: {stderr}");
    Ok(String::from_utf8(stdout)?.trim().to_owned())
}

fn field<'a>(receipt: &'a serde_json::Value, name: &str) -> eyre::Result<&'a str> {
    receipt[name].as_str().ok_or_eyre(format!("no {name} in {receipt}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_cast_sends() -> eyre::Result<()> {
    let net = Devnet::start(keys::mock()).await?;
    let key = Account::development(SENDER)?.key().to_string();
    let to = RECIPIENT.to_string();
    let send = ["send", "--json", "--private-key", &key, &to, "--value", "1ether"];
    for (ty, flags) in [("0x2", &[][..]), ("0x0", &["--legacy"][..])] {
        // Waits for the receipt and prints it.
        let sent: serde_json::Value = serde_json::from_str(&cast(&net, &[&send, flags].concat()).await?)?;
        assert_eq!((field(&sent, "status")?, field(&sent, "type")?), ("0x1", ty));
        let hash = field(&sent, "transactionHash")?;
        let receipt = cast(&net, &["receipt", "--json", hash]).await?;
        let receipt: serde_json::Value = serde_json::from_str(&receipt)?;
        assert_eq!(field(&receipt, "transactionHash")?, hash);
        assert_eq!(field(&receipt, "gasUsed")?, "0x5208");
        assert_eq!(field(&receipt, "to")?.parse::<Address>()?, RECIPIENT);
    }
    assert_eq!(cast(&net, &["balance", &to]).await?, "2000000000000000000");
    let sender = Account::development(SENDER)?.address().to_string();
    assert_eq!(cast(&net, &["nonce", &sender]).await?, "2");
    assert_eq!(cast(&net, &["chain-id"]).await?, "1001");
    let proof: serde_json::Value = serde_json::from_str(&cast(&net, &["proof", &to, "0x0"]).await?)?;
    assert_eq!(proof["accountProof"].as_array().map(Vec::len), Some(11));
    assert_eq!(proof["storageProof"][0]["proof"].as_array().map(Vec::len), Some(11));

    net.l2.finalized(2).await?;
    let finalized = cast(&net, &["balance", &to, "--block", "finalized"]).await?;
    assert_eq!(finalized, "2000000000000000000");
    net.stop().await
}
