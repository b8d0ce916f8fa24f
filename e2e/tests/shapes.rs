//! Real proofs in several shapes: a node is ready with the key of the smallest, gets the others while it runs, adds their
//! verifiers on L1, and never takes another key for one that L1 has the verifier of.

use std::path::Path;

use alloy_primitives::Address;
use cairn_e2e::{
    L1_ACCOUNTS,
    child::Home,
    client::h160,
    keys,
    l1::{L1, plan},
    node::Devnet,
    wait::{PROVEN, until},
};
use cairn_node::l1::client::At;
use cairn_sequencer::shapes::ShapeId;
use ethers::{
    middleware::Middleware,
    types::{BlockNumber, TransactionRequest},
};
use eyre::OptionExt;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cairn-e2e-node");
const SENDER: u32 = 7;
const RECIPIENT: Address = Address::repeat_byte(0x5a);

/// Waits until each shape is usable; the addresses of the verifiers that the node names.
async fn usable(net: &Devnet) -> eyre::Result<Vec<Value>> {
    until("every key is usable", PROVEN, || async {
        let status: Value = net.l2.provider.request("cairn_status", ()).await?;
        let shapes = status["shapes"].as_array().ok_or_eyre("no shapes")?;
        let verifiers = status["contracts"]["verifiers"].as_array().ok_or_eyre("no verifiers")?;
        let all = shapes.iter().all(|shape| shape["key"]["state"] == "usable");
        Ok(all.then(|| verifiers.clone()))
    })
    .await
}

/// Sends so many transfers at once and waits until they are final.
async fn transfers(net: &Devnet, count: u64) -> eyre::Result<()> {
    let user = net.l2.user(SENDER).await?;
    let head = net.l2.block_number(BlockNumber::Latest).await?;
    let nonce = net.l2.nonce(user.address().0.into(), BlockNumber::Latest).await?;
    for nonce in nonce..nonce + count {
        let tx = TransactionRequest::new().to(h160(RECIPIENT)).value(1).nonce(nonce).gas(21_000);
        user.send_transaction(tx, None).await?;
    }
    net.l2.finalized(head + count).await
}

/// Sizes of the verified batches; each must be proven in the shape of its size.
async fn sizes(net: &Devnet) -> eyre::Result<Vec<usize>> {
    let mut sizes = Vec::new();
    for number in 1..=net.l2.number("zkevm_verifiedBatchNumber").await? {
        let batch = net.l2.batch(number).await?.ok_or_eyre("no batch")?;
        let (size, shape) = (batch.transactions.len(), batch.shape.ok_or_eyre("no shape")?);
        assert_eq!(shape.name, format!("{size}@6"), "batch {number}");
        sizes.push(size);
    }
    Ok(sizes)
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_node_that_is_ready_with_its_smallest_key_and_gets_the_others() -> eyre::Result<()> {
    let mut net = Devnet::start(keys::groth16_begun().await?).await?;
    let [small, large] = keys::shapes()[..] else { eyre::bail!("not two shapes") };
    let deployed: Vec<_> = net.deployment.verifiers.iter().map(|v| ShapeId(v.shape_id)).collect();
    assert_eq!(deployed, [small.id()], "the rollup begins with one verifier");
    let named = usable(&net).await?;
    let mut on_l1 = Vec::new();
    for id in [small.id(), large.id()] {
        on_l1.push(net.rollup.verifier(id.0, At::Latest).await?.ok_or_eyre("no verifier")?);
    }
    let named: Vec<_> = named.iter().map(|v| (v["shapeId"].as_u64(), v["address"].as_str())).collect();
    let addresses: Vec<_> = on_l1.iter().map(|v| v.address.to_string().to_lowercase()).collect();
    let expected: Vec<_> =
        on_l1.iter().zip(&addresses).map(|(v, a)| (Some(v.shape_id.into()), Some(a.as_str()))).collect();
    assert_eq!(named, expected);

    // However they fall into batches, five do not fit into batches of one without one of two, which is full.
    transfers(&net, 5).await?;
    transfers(&net, 1).await?;
    let sizes = sizes(&net).await?;
    assert!(sizes.contains(&1) && sizes.contains(&2), "{sizes:?}");

    // A restart finds on L1 what it has added.
    let admin = net.l1.nonce(L1_ACCOUNTS[0], true).await?;
    net.restart(keys::groth16_begun().await?).await?;
    usable(&net).await?;
    transfers(&net, 1).await?;
    assert_eq!(net.l1.nonce(L1_ACCOUNTS[0], true).await?, admin);

    // Without its keys it does not make others, which L1 would not know.
    let empty = tempfile::tempdir()?;
    net.restart(keys::groth16_without_keys(empty.path())?).await?;
    let error = net.fails().await?;
    assert!(
        error.contains("L1 has the verifier of a key of shape 1@6") && error.contains("is missing"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(empty.path())?.count(), 0);
    Ok(())
}

/// A rollup whose verifiers are those of other keys.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_key_that_the_rollup_was_not_deployed_with() -> eyre::Result<()> {
    let engine = keys::groth16().await?;
    let l1 = L1::start().await?;
    let mut plan = plan(engine.as_ref())?;
    let [first, second] = &mut plan.verifiers[..] else { eyre::bail!("not two verifiers") };
    std::mem::swap(&mut first.1, &mut second.1);
    let deployment = l1.deploy_plan(&plan).await?;
    let home = Home::new(PROGRAM, &l1, &deployment, false)?;
    let error = match home.start().await {
        Ok(child) => child.fails().await?,
        // It may be gone before it has answered.
        Err(error) => error.to_string(),
    };
    assert!(error.contains("the key of shape 1@6 has digest "), "{error}");
    assert!(error.contains("by the key that the rollup was deployed with"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_shape_that_nobody_may_add_a_verifier_for() -> eyre::Result<()> {
    let l1 = L1::start().await?;
    let deployment = l1.deploy(keys::groth16().await?.as_ref()).await?;
    let change = |config: &mut cairn_node::config::Config| {
        config.prover.shapes = ["1", "2", "2@7"].iter().filter_map(|name| name.parse().ok()).collect();
    };
    let home = Home::configured(PROGRAM, &l1, &deployment, false, change)?;
    let error = home.start().await.err().ok_or_eyre("it started")?.to_string();
    assert!(error.contains("the rollup has no verifier for shape 2@7 (id 70002)"), "{error}");
    assert!(Path::new(&home.data_dir()).exists(), "what it had is still there");
    Ok(())
}
