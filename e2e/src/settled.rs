//! What must hold between the two chains once everything is settled.

use alloy_primitives::B256;
use cairn_node::l1::{
    client::At,
    rollup::{Rollup, RollupEvent},
};
use ethers::{providers::Middleware, types::BlockNumber};
use eyre::OptionExt;

use crate::{L1_ACCOUNTS, client::L2, l1::L1};

/// Compares L1 with the node, and counts L1's transactions: none was sent twice, not even one that failed.
///
/// # Errors
/// If a chain does not answer, or the first difference.
pub async fn check_l1(l1: &L1, rollup: &Rollup, l2: &L2) -> eyre::Result<()> {
    let last = l2.number("zkevm_batchNumber").await?;
    eyre::ensure!(l2.number("zkevm_verifiedBatchNumber").await? == last, "batch {last} is not verified");
    eyre::ensure!(rollup.last_verified_batch(At::Latest).await? == last, "L1 has not verified batch {last}");
    let (mut acc_input_hash, mut sequenced, mut sequences, mut verified, mut verifications) =
        (B256::ZERO, 0, 0, 0, 0);
    for (place, event) in rollup.events(0, None).await? {
        match event {
            RollupEvent::Sequenced { last_batch } => {
                let sequence = rollup.sequence(place.transaction_hash).await?;
                sequences += 1;
                for data in sequence.batches {
                    sequenced += 1;
                    acc_input_hash = data.acc_input_hash(acc_input_hash, sequence.coinbase);
                    let batch = l2.batch(sequenced).await?.ok_or_eyre("no batch")?;
                    eyre::ensure!(
                        batch.acc_input_hash == acc_input_hash,
                        "batch {sequenced}: other data on L1"
                    );
                    eyre::ensure!(
                        batch.send_sequences_tx_hash == Some(place.transaction_hash),
                        "batch {sequenced}: L2 names {:?}, L1 has {}",
                        batch.send_sequences_tx_hash,
                        place.transaction_hash
                    );
                }
                eyre::ensure!(sequenced == last_batch, "sequenced {sequenced} of {last_batch}");
            }
            RollupEvent::Verified { last_batch, state_root, .. } => {
                verifications += 1;
                eyre::ensure!(last_batch > verified, "batch {last_batch} verified twice");
                verified = last_batch;
                let batch = l2.batch(last_batch).await?.ok_or_eyre("no batch")?;
                eyre::ensure!(batch.state_root == state_root, "batch {last_batch}: other state root on L1");
                eyre::ensure!(
                    batch.verify_batch_tx_hash == Some(place.transaction_hash),
                    "batch {last_batch}: L2 names {:?}, L1 has {}",
                    batch.verify_batch_tx_hash,
                    place.transaction_hash
                );
            }
        }
    }
    eyre::ensure!(
        (sequenced, verified) == (last, last),
        "L1: {sequenced} sequenced, {verified} verified of {last}"
    );
    let block = l2.provider.get_block(BlockNumber::Finalized).await?.ok_or_eyre("no block")?;
    let root = rollup.state_root(last, At::Latest).await?;
    eyre::ensure!(
        root == Some(B256::from(block.state_root.0)),
        "L1 has root {root:?}, L2 {:?}",
        block.state_root
    );
    let [_, sequencer, aggregator] = L1_ACCOUNTS;
    let (sent, proven) = (l1.nonce(sequencer, true).await?, l1.nonce(aggregator, true).await?);
    eyre::ensure!(sent == sequences, "{sent} transactions for {sequences} sequences");
    eyre::ensure!(proven == verifications, "{proven} transactions for {verifications} verifications");
    Ok(())
}
