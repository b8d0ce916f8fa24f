//! Transfers of every type from a user's wallet to a proof on L1.

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_e2e::{
    client::{L2, User, h160},
    keys,
    node::Devnet,
    wait::{SOON, until},
};
use cairn_node::{
    l1::client::At,
    rpc::zkevm::{ExitRoots, HashOr},
};
use cairn_protocol::genesis::DEVNET_ACCOUNTS;
use ethers::{
    middleware::Middleware,
    types::{
        self as e, BlockNumber, Eip1559TransactionRequest, Eip2930TransactionRequest, TransactionRequest,
        transaction::{eip2718::TypedTransaction, eip2930::AccessList},
    },
};
use eyre::OptionExt;

const SENDER: u32 = 3;
const RECIPIENT: Address = Address::repeat_byte(0x5e);
const VALUE_WEI: u64 = 1_000_000_007;

/// One transaction of each type, as a wallet that fills in the rest would start.
fn transfers() -> [(u64, TypedTransaction); 3] {
    let legacy = || TransactionRequest::new().to(h160(RECIPIENT)).value(VALUE_WEI);
    let dynamic = Eip1559TransactionRequest::new().to(h160(RECIPIENT)).value(VALUE_WEI);
    [
        (0, legacy().into()),
        (1, Eip2930TransactionRequest::new(legacy(), AccessList::default()).into()),
        (2, dynamic.into()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_transfers_of_every_type_and_proves_them_on_l1() -> eyre::Result<()> {
    let net = Devnet::start(keys::groth16().await?).await?;
    let l2 = &net.l2;
    let user = l2.user(SENDER).await?;
    let sender = DEVNET_ACCOUNTS[SENDER as usize];
    let before = l2.balance(sender, BlockNumber::Latest).await?;
    assert_eq!(l2.block_number(BlockNumber::Finalized).await?, 0);

    let mut sent = Vec::new();
    for (ty, mut tx) in transfers() {
        user.fill_transaction(&mut tx, None).await?;
        assert_eq!(tx.gas().copied(), Some(21_000.into()));
        let pending = user.send_transaction(tx, None).await?;
        sent.push((ty, pending.tx_hash()));
        l2.receipt(sent[sent.len() - 1].1).await?;
    }
    let fees_wei = check_receipts(&user, &sent).await?;
    let paid = e::U256::from(3 * VALUE_WEI);
    assert_eq!(l2.balance(RECIPIENT, BlockNumber::Latest).await?, paid);
    assert_eq!(l2.balance(net.config.chain.coinbase, BlockNumber::Latest).await?, fees_wei);
    assert_eq!(l2.balance(sender, BlockNumber::Latest).await?, before - paid - fees_wei);
    assert_eq!(l2.nonce(sender, BlockNumber::Latest).await?, 3);

    l2.finalized(3).await?;
    assert_eq!(l2.balance(RECIPIENT, BlockNumber::Finalized).await?, paid);
    assert_eq!(l2.block_number(BlockNumber::Safe).await?, 3);
    check_l1(&net).await?;
    check_exit_roots(&net).await?;
    net.stop().await
}

/// Compares receipts with what was sent; returns the sum of the fees.
async fn check_receipts(user: &User, sent: &[(u64, e::H256)]) -> eyre::Result<e::U256> {
    let mut fees_wei = e::U256::zero();
    for (i, (ty, hash)) in sent.iter().enumerate() {
        let receipt = user.get_transaction_receipt(*hash).await?.ok_or_eyre("no receipt")?;
        assert_eq!(receipt.status, Some(1.into()));
        assert_eq!(receipt.block_number, Some((i as u64 + 1).into()), "one transaction a block");
        assert_eq!(receipt.transaction_type, Some((*ty).into()));
        assert_eq!(receipt.gas_used, Some(21_000.into()));
        assert_eq!((receipt.from, receipt.to), (user.address(), Some(h160(RECIPIENT))));
        let tx = user.get_transaction(*hash).await?.ok_or_eyre("no transaction")?;
        assert_eq!((tx.nonce, tx.value, tx.hash()), (i.into(), VALUE_WEI.into(), *hash));
        let price = receipt.effective_gas_price.ok_or_eyre("no price")?;
        fees_wei += price * 21_000;
    }
    Ok(fees_wei)
}

/// A view of the global exit root contract on L1, with words as arguments.
async fn exit_root_view(net: &Devnet, signature: &str, arguments: &[B256]) -> eyre::Result<B256> {
    let mut data = keccak256(signature)[..4].to_vec();
    arguments.iter().for_each(|word| data.extend(word));
    let call = TransactionRequest::new().to(h160(net.deployment.global_exit_root)).data(data);
    Ok(B256::try_from(&net.l1.provider.call(&call.into(), None).await?[..])?)
}

/// The verification on L1 recorded a global exit root: the node knows it, and what it is made of.
async fn check_exit_roots(net: &Devnet) -> eyre::Result<()> {
    let latest = until("the node knows L1's exit roots", SOON, || async {
        let latest: B256 = net.l2.provider.request("zkevm_getLatestGlobalExitRoot", ()).await?;
        Ok(Some(latest).filter(|root| !root.is_zero()))
    })
    .await?;
    assert_eq!(latest, exit_root_view(net, "getLastGlobalExitRoot()", &[]).await?);
    let roots: Option<ExitRoots> = net.l2.provider.request("zkevm_getExitRootsByGER", [latest]).await?;
    let roots = roots.ok_or_eyre("unknown exit roots")?;
    let (mainnet, rollup) = (roots.mainnet_exit_root, roots.rollup_exit_root);
    assert_eq!(mainnet, exit_root_view(net, "lastMainnetExitRoot()", &[]).await?);
    assert_eq!(rollup, exit_root_view(net, "lastRollupExitRoot()", &[]).await?);
    assert_eq!(keccak256([mainnet, rollup].concat()), latest);
    let recorded = exit_root_view(net, "globalExitRootMap(bytes32)", &[latest]).await?;
    assert_eq!(U256::from_be_bytes(recorded.0), U256::from(roots.timestamp));
    let block = net.l1.client.block(At::Block(roots.block_number.to())).await?.ok_or_eyre("no block")?;
    assert_eq!(block.timestamp, roots.timestamp.to::<u64>());
    let unknown: Option<ExitRoots> =
        net.l2.provider.request("zkevm_getExitRootsByGER", [B256::repeat_byte(7)]).await?;
    assert!(unknown.is_none());
    Ok(())
}

/// Compares every batch on L1 with the node's: data, accumulated hash, state root.
async fn check_l1(net: &Devnet) -> eyre::Result<()> {
    let (l2, rollup) = (&net.l2, &net.rollup);
    let last = l2.number("zkevm_verifiedBatchNumber").await?;
    assert_eq!(rollup.last_verified_batch(At::Latest).await?, last);
    let (mut acc_input_hash, mut posted, mut transactions) = (B256::ZERO, 0, Vec::new());
    for number in 1..=last {
        let batch = l2.batch(number).await?.ok_or_eyre("no batch")?;
        if number > posted {
            let hash = batch.send_sequences_tx_hash.ok_or_eyre("not sequenced")?;
            let sequence = rollup.sequence(hash).await?;
            for data in sequence.batches {
                posted += 1;
                acc_input_hash = data.acc_input_hash(acc_input_hash, sequence.coinbase);
                let of_node = l2.batch(posted).await?.ok_or_eyre("no batch")?;
                assert_eq!(of_node.acc_input_hash, acc_input_hash);
                assert_eq!(of_node.batch_l2_data, data.transactions);
            }
            assert_eq!(rollup.sequenced_batch(posted, At::Latest).await?.acc_input_hash, acc_input_hash);
        }
        check_root(l2, net, number).await?;
        // The smallest that it fits, of one and of two transfers.
        let shape = batch.shape.as_ref().ok_or_eyre("no shape")?;
        assert_eq!(shape.name, format!("{}@6", batch.transactions.len()), "batch {number}");
        transactions.extend(batch.transactions.iter().filter_map(HashOr::hash));
    }
    assert_eq!((posted, transactions.len()), (last, 3));
    Ok(())
}

/// Whether the root that L1 stored after a batch is that of the batch's last block.
async fn check_root(l2: &L2, net: &Devnet, number: u64) -> eyre::Result<()> {
    let batch = l2.batch(number).await?.ok_or_eyre("no batch")?;
    let last_block = batch.blocks.last().and_then(HashOr::hash).ok_or_eyre("a batch without blocks")?;
    let block = net.l2.provider.get_block(e::H256(last_block.0)).await?.ok_or_eyre("no block")?;
    assert_eq!(B256::from(block.state_root.0), batch.state_root);
    assert!(batch.verify_batch_tx_hash.is_some());
    // L1 stores the root at the end of a verification only.
    if let Some(root) = net.rollup.state_root(number, At::Latest).await? {
        assert_eq!(root, batch.state_root);
    } else {
        assert!(number < net.rollup.last_verified_batch(At::Latest).await?);
    }
    Ok(())
}
