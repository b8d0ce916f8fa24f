//! A node that is asked to end, in a process of its own: in order, in time, and with an exit code that says how.

use std::time::{Duration, Instant};

use alloy_primitives::Address;
use cairn_e2e::{
    child::{Child, Home},
    client::h160,
    keys,
    l1::L1,
    wait::{PROVEN, SOON, until},
};
use ethers::{providers::Middleware, types::TransactionRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");

async fn transfer(child: &Child) -> eyre::Result<()> {
    let user = child.l2.user(5).await?;
    let tx = TransactionRequest::new().to(h160(Address::repeat_byte(0xde))).value(1);
    let hash = user.send_transaction(tx, None).await?.tx_hash();
    child.l2.receipt(hash).await?;
    Ok(())
}

/// Opens a connection and sends a part of what it announces: a request that is never complete.
async fn half_a_request(child: &Child) -> eyre::Result<TcpStream> {
    let address = child.l2.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    // The server is reading the body when it says so.
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"HTTP/1.1 100");
    socket.write_all(b"{").await?;
    Ok(socket)
}

async fn stopping(child: &Child) -> eyre::Result<()> {
    let look = || async { Ok(child.last_words().contains("a second signal stops at once").then_some(())) };
    until("the node has heard the signal", SOON, look).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_to_leave_what_hangs_and_names_it() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::mock().as_ref()).await?;
    let home = Home::configured(PROGRAM, &l1, &deployment, true, |config| config.shutdown.grace_s = 2)?;

    let mut child = home.start().await?;
    transfer(&child).await?;
    let hanging = half_a_request(&child).await?;
    let start = Instant::now();
    child.ask_to_end()?;
    let ended = child.end().await?;
    assert_eq!(ended.code, Some(3), "{}", ended.log);
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(ended.log.contains("did not stop within 2 s: JSON-RPC"), "{}", ended.log);
    drop(hanging);

    // Everything is on disk all the same, and a node with nothing in hand ends at once.
    let child = home.start().await?;
    child.l2.finalized(1).await?;
    child.terminate().await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_second_signal() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::mock().as_ref()).await?;
    let home = Home::configured(PROGRAM, &l1, &deployment, true, |config| config.shutdown.grace_s = 600)?;
    let mut child = home.start().await?;
    let hanging = half_a_request(&child).await?;
    child.ask_to_end()?;
    stopping(&child).await?;
    child.ask_to_end()?;
    let ended = child.end().await?;
    assert_eq!(ended.code, Some(130), "{}", ended.log);
    drop(hanging);
    Ok(())
}

/// A proof cannot be interrupted; nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_to_end_while_a_proof_is_made_and_makes_it_later() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::groth16().await?.as_ref()).await?;
    let home = Home::new(PROGRAM, &l1, &deployment, false)?;
    let child = home.start().await?;
    transfer(&child).await?;
    let virtual_batch =
        || async { Ok((child.l2.number("zkevm_virtualBatchNumber").await? >= 1).then_some(())) };
    until("a batch is on L1, its proof being made", PROVEN, virtual_batch).await?;
    assert_eq!(child.l2.number("zkevm_verifiedBatchNumber").await?, 0);
    let start = Instant::now();
    child.terminate().await?;
    assert!(start.elapsed() < Duration::from_secs(8), "waited {:?} for the proof", start.elapsed());
    let child = home.start().await?;
    child.l2.finalized(1).await?;
    child.terminate().await
}
