//! A node whose disk is full or read-only: it ends with a message that says so, and everything that it promised is there
//! when it runs again.
//!
//! The disk is a small file system in memory, which takes the right to mount one. Without that right these tests check
//! nothing and say so; the failing store of `node/tests/disk.rs` tests the same rules everywhere.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use alloy_primitives::Address;
use cairn_e2e::{
    child::{Child, Home},
    client::{L2, h160, wallet},
    keys,
    l1::L1,
    wait::{SOON, until},
};
use cairn_protocol::genesis::DEVNET_ACCOUNTS;
use ethers::types::{self as e, BlockNumber, TransactionRequest, transaction::eip2718::TypedTransaction};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");
const ACCOUNT: u32 = 5;
/// Transfers after which a full disk must have shown.
const MOST: u64 = 20_000;

/// A mounted file system; dropping it unmounts.
struct Disk {
    path: PathBuf,
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    Command::new("mount").args(arguments).arg(path).output().is_ok_and(|out| out.status.success())
}

impl Disk {
    /// None without the right to mount.
    fn mount(path: PathBuf) -> eyre::Result<Option<Self>> {
        std::fs::create_dir_all(&path)?;
        let mounted = mount(&["-t", "tmpfs", "-o", "size=64m", "tmpfs"], &path);
        Ok(mounted.then_some(Self { path }))
    }

    /// Takes all space but `left` bytes.
    fn fill(&self, left: u64) -> eyre::Result<()> {
        let filler = self.path.join("filler");
        let free = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&self.path).output()?;
        let text = String::from_utf8(free.stdout)?;
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [blocks, size] = numbers[..] else { eyre::bail!("stat printed {text:?}") };
        let length = (blocks * size).saturating_sub(left);
        Ok(std::fs::write(filler, vec![1; usize::try_from(length)?])?)
    }

    fn empty(&self) -> eyre::Result<()> {
        Ok(std::fs::remove_file(self.path.join("filler"))?)
    }

    fn read_only(&self, on: bool) -> eyre::Result<()> {
        let option = if on { "remount,ro,size=64m" } else { "remount,rw,size=64m" };
        eyre::ensure!(mount(&["-o", option], &self.path), "no remount");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn transfer(nonce: u64) -> eyre::Result<e::Bytes> {
    let request = TransactionRequest::new().to(h160(Address::repeat_byte(0x9c))).value(1).nonce(nonce);
    let tx: TypedTransaction = request.gas(21_000).gas_price(10_000_000_000u64).chain_id(1001).into();
    Ok(tx.rlp_signed(&wallet(ACCOUNT, 1001)?.sign_transaction_sync(&tx)?))
}

/// Sends until the node refuses or is gone; the hashes that it returned.
async fn send(l2: &L2, hashes: &mut Vec<e::H256>) -> eyre::Result<()> {
    for nonce in hashes.len() as u64..MOST {
        match l2.submit(&transfer(nonce)?).await {
            Ok(Ok(hash)) => hashes.push(hash),
            Ok(Err(refused)) if refused.message.starts_with("account limit exceeded") => {
                tokio::task::yield_now().await;
            }
            Ok(Err(_)) | Err(_) => return Ok(()),
        }
    }
    eyre::bail!("{MOST} transfers and the disk is not full")
}

/// Everything promised is in the chain, and the chain goes on.
async fn check(child: &Child, hashes: &[e::H256]) -> eyre::Result<()> {
    let address = DEVNET_ACCOUNTS[ACCOUNT as usize];
    let nonce = until("the pool is empty", SOON, || async {
        let pending = child.l2.nonce(address, BlockNumber::Pending).await?;
        let latest = child.l2.nonce(address, BlockNumber::Latest).await?;
        Ok((pending == latest).then_some(latest))
    })
    .await?;
    assert!(nonce >= hashes.len() as u64, "{nonce} executed, {} returned", hashes.len());
    for hash in hashes {
        assert_eq!(child.l2.receipt(*hash).await?.status, Some(1.into()));
    }
    let hash = child.l2.submit(&transfer(nonce)?).await?.map_err(|e| eyre::eyre!(e))?;
    assert_eq!(child.l2.receipt(hash).await?.status, Some(1.into()));
    Ok(())
}

/// A node with its data on a disk of its own, and five accepted transfers; None without the right to mount.
async fn start(l1: &L1) -> eyre::Result<Option<(Home, Disk, Child, Vec<e::H256>)>> {
    let engine = keys::mock();
    let deployment = l1.deploy(engine.as_ref()).await?;
    let home = Home::new(PROGRAM, l1, &deployment, true)?;
    let Some(disk) = Disk::mount(home.data_dir())? else {
        eprintln!("no right to mount a file system: nothing is tested here");
        return Ok(None);
    };
    let child = home.start().await?;
    let mut hashes = Vec::new();
    for nonce in 0..5 {
        hashes.push(child.l2.submit(&transfer(nonce)?).await?.map_err(|e| eyre::eyre!(e))?);
    }
    Ok(Some((home, disk, child, hashes)))
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_full_disk_without_a_loss() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let Some((home, disk, child, mut hashes)) = start(&l1).await? else { return Ok(()) };
    disk.fill(256 << 10)?;
    send(&child.l2, &mut hashes).await?;
    let last_words = child.fails().await?;
    assert!(last_words.contains("no space is left for the database"), "{last_words}");
    disk.empty()?;
    let child = home.start().await?;
    check(&child, &hashes).await?;
    child.terminate().await
}

/// Under a running node a file system becomes read-only by a fault of the device alone, which no test can cause: here
/// the node finds it so when it starts.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_start_on_a_read_only_disk_and_loses_nothing() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let Some((home, disk, child, hashes)) = start(&l1).await? else { return Ok(()) };
    child.kill()?;
    disk.read_only(true)?;
    let error = home.start().await.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("the database cannot be written"), "{error}");
    disk.read_only(false)?;
    let child = home.start().await?;
    check(&child, &hashes).await?;
    child.terminate().await
}
