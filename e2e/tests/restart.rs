//! Nodes that are killed. What was accepted is executed once, proven once, and both chains agree.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use cairn_e2e::{
    L1_ACCOUNTS,
    child::{Child, Home},
    client::{L2, h160, wallet},
    keys,
    l1::L1,
    settled::check_l1,
    wait::{PROVEN, SOON, until},
};
use cairn_node::l1::{client::At, rollup::Rollup};
use cairn_protocol::genesis::DEVNET_ACCOUNTS;
use ethers::{
    providers::Middleware,
    types::{self as e, BlockNumber, TransactionRequest, transaction::eip2718::TypedTransaction},
};
use eyre::OptionExt;

const RECIPIENT: Address = Address::repeat_byte(0x9e);
const VALUE_WEI: u64 = 3;
const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");

/// What users were promised: the hashes of accepted transactions, by account and nonce.
#[derive(Default)]
struct Accepted(BTreeMap<(u32, u64), e::H256>);

impl Accepted {
    /// Submits the account's next transfer.
    async fn send(&mut self, l2: &L2, account: u32) -> eyre::Result<()> {
        let nonce = self.of(account);
        let tx: TypedTransaction = TransactionRequest::new()
            .to(h160(RECIPIENT))
            .value(VALUE_WEI)
            .nonce(nonce)
            .gas(21_000)
            .gas_price(10_000_000_000u64)
            .chain_id(1001)
            .into();
        let raw = tx.rlp_signed(&wallet(account, 1001)?.sign_transaction_sync(&tx)?);
        let hash = l2.submit(&raw).await?.map_err(|error| eyre::eyre!(error))?;
        self.0.insert((account, nonce), hash);
        Ok(())
    }

    fn of(&self, account: u32) -> u64 {
        self.0.keys().filter(|(of, _)| *of == account).count() as u64
    }

    /// Waits until every one is finalized, then compares all that can be compared.
    async fn check(&self, l1: &L1, rollup: &Rollup, l2: &L2) -> eyre::Result<()> {
        let mut blocks = Vec::new();
        for (&(account, nonce), &hash) in &self.0 {
            let receipt = l2.receipt(hash).await?;
            assert_eq!((receipt.transaction_hash, receipt.status), (hash, Some(1.into())));
            assert_eq!(receipt.from, h160(DEVNET_ACCOUNTS[account as usize]));
            let tx = l2.provider.get_transaction(hash).await?.ok_or_eyre("no transaction")?;
            assert_eq!(tx.nonce, nonce.into());
            blocks.push(receipt.block_number.ok_or_eyre("no block")?.as_u64());
        }
        blocks.sort_unstable();
        let total = self.0.len() as u64;
        assert_eq!(blocks, (1..=total).collect::<Vec<_>>(), "each in a block of its own, and no other block");
        l2.finalized(total).await?;
        assert_eq!(l2.block_number(BlockNumber::Latest).await?, total);
        assert_eq!(l2.balance(RECIPIENT, BlockNumber::Finalized).await?, (total * VALUE_WEI).into());
        for account in self.0.keys().map(|(account, _)| *account) {
            let nonce = l2.nonce(DEVNET_ACCOUNTS[account as usize], BlockNumber::Finalized).await?;
            assert_eq!(nonce, self.of(account));
        }
        check_l1(l1, rollup, l2).await
    }
}

/// Waits until an account's transaction waits for a block on L1.
async fn in_flight(l1: &L1, account: u32) -> eyre::Result<()> {
    let look = || async {
        let waits = l1.nonce(account, true).await? > l1.nonce(account, false).await?;
        Ok(waits.then_some(()))
    };
    until("a transaction waits for L1's next block", PROVEN, look).await
}

/// Waits until a number of the node has grown to `at_least`.
async fn reached(child: &Child, method: &str, at_least: u64) -> eyre::Result<()> {
    let look = || async { Ok((child.l2.number(method).await? >= at_least).then_some(())) };
    until(&format!("{method} is {at_least}"), PROVEN, look).await
}

/// Waits until a tag has come to `block`.
async fn at_tag(child: &Child, tag: BlockNumber, block: u64) -> eyre::Result<()> {
    let look = || async { Ok((child.l2.block_number(tag).await? >= block).then_some(())) };
    until(&format!("{tag} is {block}"), SOON, look).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_every_transaction_once_across_kills_with_real_proofs() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::groth16().await?.as_ref()).await?;
    let rollup = l1.rollup(&deployment);
    let home = Home::new(PROGRAM, &l1, &deployment, false)?;
    let mut accepted = Accepted::default();

    // Just accepted.
    let child = home.start().await?;
    for account in [3, 3, 4] {
        accepted.send(&child.l2, account).await?;
    }
    child.kill()?;

    // Sequenced, the proof being made.
    let child = home.start().await?;
    reached(&child, "zkevm_virtualBatchNumber", 1).await?;
    accepted.send(&child.l2, 4).await?;
    child.kill()?;
    assert_eq!(rollup.last_verified_batch(At::Latest).await?, 0);

    // The verification sent, not in a block yet.
    let child = home.start().await?;
    reached(&child, "zkevm_virtualBatchNumber", 2).await?;
    l1.automine(false).await?;
    in_flight_or_verified(&l1, &rollup).await?;
    child.kill()?;
    l1.automine(true).await?;
    l1.mine().await?;

    let child = home.start().await?;
    accepted.check(&l1, &rollup, &child.l2).await?;
    child.kill()
}

/// Batch 1 may have been verified before L1 stopped making blocks; then it is the next verification that waits.
async fn in_flight_or_verified(l1: &L1, rollup: &Rollup) -> eyre::Result<()> {
    let aggregator = L1_ACCOUNTS[2];
    in_flight(l1, aggregator).await?;
    assert!(rollup.last_verified_batch(At::Latest).await? < rollup.last_batch_sequenced(At::Latest).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_every_transaction_once_across_kills_at_any_moment() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::mock().as_ref()).await?;
    let rollup = l1.rollup(&deployment);
    let home = Home::new(PROGRAM, &l1, &deployment, true)?;
    let mut accepted = Accepted::default();
    let [_, sequencer, aggregator] = L1_ACCOUNTS;

    // With L1's transactions in flight: recorded and sent, their outcome unknown.
    for account in [sequencer, aggregator] {
        let child = home.start().await?;
        if account == aggregator {
            // Sequenced in blocks; only the verification is to wait.
            reached(&child, "zkevm_virtualBatchNumber", 1).await?;
            reached(&child, "zkevm_verifiedBatchNumber", 1).await?;
        }
        l1.automine(false).await?;
        accepted.send(&child.l2, 3).await?;
        in_flight(&l1, sequencer).await?;
        if account == aggregator {
            l1.mine().await?;
            in_flight(&l1, aggregator).await?;
        }
        child.kill()?;
        if account == aggregator {
            // In a block before the node is back.
            l1.mine().await?;
            l1.automine(true).await?;
        } else {
            // Still waiting when the node is back.
            let child = home.start().await?;
            in_flight(&l1, sequencer).await?;
            l1.automine(true).await?;
            l1.mine().await?;
            reached(&child, "zkevm_verifiedBatchNumber", 1).await?;
            child.kill()?;
        }
    }

    // While transactions come in: killed after a growing number of answers, with the last of them in the pool, in a block,
    // on L1, or proven.
    let tags = [None, Some(BlockNumber::Latest), Some(BlockNumber::Safe), Some(BlockNumber::Finalized)];
    for round in 0..8 {
        let child = home.start().await?;
        for _ in 0..=round {
            accepted.send(&child.l2, 3 + round % 3).await?;
        }
        if let Some(tag) = tags[round as usize % tags.len()] {
            at_tag(&child, tag, accepted.0.len() as u64).await?;
        }
        child.kill()?;
    }
    let child = home.start().await?;
    accepted.check(&l1, &rollup, &child.l2).await?;
    child.kill()
}
