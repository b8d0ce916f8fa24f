//! A node under load that is killed at random moments, many times. Afterwards every hash that was returned is in the
//! chain or in the pool, no nonce is lost or doubled, L1 and L2 agree, and the chain goes on.
//!
//! `E2E_CRASH_KILLS` asks for more kills, `E2E_CRASH_SEED` for other moments.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy_primitives::Address;
use cairn_e2e::{
    child::Home,
    client::{L2, h160, wallet},
    keys,
    l1::L1,
    settled::check_l1,
    wait::{PROVEN, SOON, until},
};
use cairn_node::proof::ProofEngine;
use cairn_protocol::genesis::DEVNET_ACCOUNTS;
use ethers::{
    providers::Middleware,
    types::{self as e, BlockNumber, TransactionRequest, transaction::eip2718::TypedTransaction},
};
use eyre::OptionExt;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");
/// Accounts that send, each one transfer after the other.
const ACCOUNTS: std::ops::Range<u32> = 3..9;
/// Accounts, and transfers of each between two kills, where every transfer takes a second and more to prove.
const FEW: (usize, u64) = (2, 1);
const RECIPIENT: Address = Address::repeat_byte(0x9d);
const VALUE_WEI: u64 = 3;
/// Longest life of a node after it answered.
const LONGEST_LIFE_MS: u64 = 1_500;

/// Hashes that users were told, by account and nonce.
type Promised = Arc<Mutex<BTreeMap<(u32, u64), e::H256>>>;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn transfer(account: u32, nonce: u64) -> eyre::Result<e::Bytes> {
    let request = TransactionRequest::new().to(h160(RECIPIENT)).value(VALUE_WEI).nonce(nonce).gas(21_000);
    let tx: TypedTransaction = request.gas_price(10_000_000_000u64).chain_id(1001).into();
    Ok(tx.rlp_signed(&wallet(account, 1001)?.sign_transaction_sync(&tx)?))
}

/// Sends transfers of one account until the node dies under it.
async fn load(
    l2: L2,
    account: u32,
    most: u64,
    promised: Promised,
    stop: CancellationToken,
) -> eyre::Result<()> {
    let address = DEVNET_ACCOUNTS[account as usize];
    let Ok(mut nonce) = l2.nonce(address, BlockNumber::Pending).await else { return Ok(()) };
    // What was promised before the last kill is still there, and counted.
    let told = {
        let known = promised.lock().unwrap_or_else(PoisonError::into_inner);
        known.range((account, 0)..(account + 1, 0)).next_back().map_or(0, |((_, n), _)| n + 1)
    };
    eyre::ensure!(nonce >= told, "account {account} is at nonce {nonce}, {told} hashes were returned");
    let end = nonce.saturating_add(most);
    while nonce < end && !stop.is_cancelled() {
        match l2.submit(&transfer(account, nonce)?).await {
            Ok(Ok(hash)) => {
                promised.lock().unwrap_or_else(PoisonError::into_inner).insert((account, nonce), hash);
                nonce += 1;
            }
            Ok(Err(refused)) if refused.message.starts_with("account limit exceeded") => {
                tokio::task::yield_now().await;
            }
            Ok(Err(refused)) => eyre::bail!("account {account}, nonce {nonce}: {refused}"),
            // Killed in between: whether it was accepted will show.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

async fn survive(engine: Arc<dyn ProofEngine>, mock: bool, kills: u64) -> eyre::Result<()> {
    let (accounts, most) = if mock { (ACCOUNTS.len(), u64::MAX) } else { FEW };
    let seed = setting("E2E_CRASH_SEED", 0xca12);
    eprintln!("{kills} kills, seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let l1 = L1::start().await?;
    let deployment = l1.deploy(engine.as_ref()).await?;
    let rollup = l1.rollup(&deployment);
    let home = Home::new(PROGRAM, &l1, &deployment, mock)?;
    let promised = Promised::default();
    for kill in 0..kills {
        let child = home.start().await?;
        let stop = CancellationToken::new();
        let senders: Vec<_> = ACCOUNTS
            .take(accounts)
            .map(|account| {
                tokio::spawn(load(child.l2.clone(), account, most, Arc::clone(&promised), stop.clone()))
            })
            .collect();
        // The moment is what is tested: anywhere from the first answer on.
        tokio::time::sleep(Duration::from_millis(rng.gen_range(0..LONGEST_LIFE_MS))).await;
        child.kill()?;
        stop.cancel();
        for sender in senders {
            sender.await??;
        }
        let told = promised.lock().unwrap_or_else(PoisonError::into_inner).len();
        eprintln!("kill {}: {told} hashes returned so far", kill + 1);
    }
    let child = home.start().await?;
    let promised = promised.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eyre::ensure!(!promised.is_empty(), "nothing was ever accepted");
    settle(&child.l2, &promised).await?;
    // The chain goes on.
    let account = ACCOUNTS.start;
    let nonce = child.l2.nonce(DEVNET_ACCOUNTS[account as usize], BlockNumber::Latest).await?;
    let hash = child.l2.submit(&transfer(account, nonce)?).await?.map_err(|e| eyre::eyre!(e))?;
    let block = child.l2.receipt(hash).await?.block_number.ok_or_eyre("no block")?.as_u64();
    child.l2.finalized(block).await?;
    check_l1(&l1, &rollup, &child.l2).await?;
    child.kill()
}

/// Waits until the pool is empty and compares the chain with what was promised.
async fn settle(l2: &L2, promised: &BTreeMap<(u32, u64), e::H256>) -> eyre::Result<()> {
    let mut total = 0;
    for account in ACCOUNTS {
        let address = DEVNET_ACCOUNTS[account as usize];
        total += until("the pool is empty", SOON.max(PROVEN), || async {
            let pending = l2.nonce(address, BlockNumber::Pending).await?;
            let latest = l2.nonce(address, BlockNumber::Latest).await?;
            Ok((pending == latest).then_some(latest))
        })
        .await?;
    }
    let mut blocks = HashSet::new();
    for (&(account, nonce), &hash) in promised {
        let receipt = l2.receipt(hash).await?;
        let tx = l2.provider.get_transaction(hash).await?.ok_or_eyre("no transaction")?;
        assert_eq!((tx.nonce, receipt.status), (nonce.into(), Some(1.into())));
        assert_eq!(tx.from, h160(DEVNET_ACCOUNTS[account as usize]));
        let block = receipt.block_number.ok_or_eyre("no block")?.as_u64();
        assert!(blocks.insert(block), "block {block} holds two transactions");
    }
    // Every nonce is one block, and every block one nonce: nothing twice, nothing but what was sent.
    assert_eq!(l2.block_number(BlockNumber::Latest).await?, total);
    assert!(total >= promised.len() as u64);
    assert_eq!(l2.balance(RECIPIENT, BlockNumber::Latest).await?, (total * VALUE_WEI).into());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_kills_at_random_moments_under_load() -> eyre::Result<()> {
    survive(keys::mock(), true, setting("E2E_CRASH_KILLS", 20)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_kills_at_random_moments_while_proofs_are_made() -> eyre::Result<()> {
    survive(keys::groth16().await?, false, setting("E2E_CRASH_KILLS", 20) / 5).await
}
