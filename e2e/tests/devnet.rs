//! `cairn devnet`: one command, everything. An L1 of its own ends with it; its L2 stays in the data directory, and goes on
//! where its contracts are, nowhere else.

use std::{net::TcpStream, path::Path};

use alloy_primitives::Address;
use cairn_e2e::{
    L1_ACCOUNTS,
    child::{Child, free_address},
    client::h160,
    l1::L1,
    wait::{SOON, until},
};
use ethers::{
    providers::Middleware,
    types::{BlockNumber, TransactionRequest},
};
use eyre::OptionExt;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");
const RECIPIENT: Address = Address::repeat_byte(0xde);

/// Starts a devnet on `dir`.
async fn start(dir: &Path, l1: &[&str]) -> eyre::Result<Child> {
    let data = dir.join("data").display().to_string();
    let options = ["devnet", "--mock-prover", "--batch-age", "1", "--data-dir", &data];
    Child::start(Path::new(PROGRAM), dir, &[&options, l1].concat()).await
}

async fn transfer(child: &Child) -> eyre::Result<()> {
    let user = child.l2.user(5).await?;
    let tx = TransactionRequest::new().to(h160(RECIPIENT)).value(1);
    let hash = user.send_transaction(tx, None).await?.tx_hash();
    child.l2.receipt(hash).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_its_chain_where_it_was_settled_and_rejects_it_elsewhere() -> eyre::Result<()> {
    let dir = tempfile::tempdir()?;
    let address = free_address()?;
    let port = address.port().to_string();
    let child = start(dir.path(), &["--l1-port", &port]).await?;
    transfer(&child).await?;
    child.l2.finalized(1).await?;
    assert!(TcpStream::connect(address).is_ok());
    child.terminate().await?;
    assert!(TcpStream::connect(address).is_err(), "its L1 is still there");

    let error = start(dir.path(), &["--l1-port", "0"]).await.err().ok_or_eyre("another L1 is accepted")?;
    assert!(error.to_string().contains("settled on another L1"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_given_l1_across_a_kill() -> eyre::Result<()> {
    let dir = tempfile::tempdir()?;
    let l1 = L1::start().await?;
    let options = ["--l1-url", &l1.url()];
    let child = start(dir.path(), &options).await?;
    transfer(&child).await?;
    child.l2.finalized(1).await?;
    l1.automine(false).await?;
    transfer(&child).await?;
    let sequencer = L1_ACCOUNTS[1];
    let look = || async { Ok((l1.nonce(sequencer, true).await? == 2).then_some(())) };
    until("a transaction waits for L1's next block", SOON, look).await?;
    child.kill()?;
    l1.automine(true).await?;
    l1.mine().await?;

    let child = start(dir.path(), &options).await?;
    child.l2.finalized(2).await?;
    assert_eq!(child.l2.balance(RECIPIENT, BlockNumber::Finalized).await?, 2.into());
    assert_eq!(l1.nonce(sequencer, true).await?, 2);
    child.terminate().await
}
