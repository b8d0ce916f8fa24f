//! A real proof, and everything that it is not a proof of.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_e2e::{
    L1_ACCOUNTS,
    client::wallet,
    keys,
    l1::{L1, plan, selector},
    node::{chain, quick_config},
};
use cairn_node::{
    chain::{Chain, Produced},
    l1::{
        client::At,
        deploy::{DeployPlan, Deployment},
        error::Revert,
        rollup::{BatchProofWords, Rollup},
        sender::{Job, SendError},
    },
    proof::{ProofEngine, VerifierSpec},
    storage::BatchRecord,
    wiring::genesis,
};
use cairn_protocol::batch::BatchData;
use cairn_sequencer::batch::batch_witness;
use ethers::types::{self as e, TransactionRequest, transaction::eip2718::TypedTransaction};
use eyre::OptionExt;

const USER: u32 = 3;
/// Order of the base field of the curve.
const Q: U256 = alloy_primitives::uint!(
    21888242871839275222246405745257275088696311157297823662689037894645226208583_U256
);
/// Order of the scalar field of the curve.
const R: U256 = alloy_primitives::uint!(
    21888242871839275222246405745257275088548364400416034343698204186575808495617_U256
);

/// A rollup on L1, and who may send to it.
struct Target<'a> {
    l1: &'a L1,
    rollup: Rollup,
}

impl<'a> Target<'a> {
    async fn new(l1: &'a L1, plan: &DeployPlan) -> eyre::Result<(Self, Deployment)> {
        let deployment = l1.deploy_plan(plan).await?;
        Ok((Self { l1, rollup: l1.rollup(&deployment) }, deployment))
    }

    async fn sequence(&self, first: u64, batch: BatchData, coinbase: Address) -> eyre::Result<()> {
        let job = self.rollup.sequence_batches(first, &[batch], coinbase);
        self.l1.sender(L1_ACCOUNTS[1])?.send(&job).await?;
        Ok(())
    }

    /// What the contract says to a verification of one batch by an account; None if it accepts.
    async fn refusal(
        &self,
        account: u32,
        init: u64,
        last: u64,
        proof: &BatchProofWords,
    ) -> eyre::Result<Option<Revert>> {
        let job = self.rollup.trusted_verify_batches(init, last, std::slice::from_ref(proof));
        match self.l1.sender(account)?.send(&job).await {
            Ok(_) => Ok(None),
            Err(SendError::WouldRevert { revert, .. } | SendError::Reverted { revert, .. }) => {
                Ok(Some(revert))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Asserts that the trusted aggregator's verification of batch 1 is refused with these words.
    async fn refuses(&self, what: &str, proof: &BatchProofWords, words: &str) -> eyre::Result<()> {
        let refusal = self.refusal(L1_ACCOUNTS[2], 0, 1, proof).await?;
        let refusal = refusal.ok_or_eyre(format!("{what}: accepted"))?;
        assert!(refusal.to_string().starts_with(words), "{what}: {refusal}, not {words}");
        Ok(())
    }
}

/// Executes one transfer and closes its batch.
fn batch(chain: &Chain, nonce: u64) -> eyre::Result<BatchRecord> {
    let wallet = wallet(USER, chain.chain_id())?;
    let to = e::H160::repeat_byte(0xbe);
    let request =
        TransactionRequest::new().to(to).value(5).nonce(nonce).gas(21_000).gas_price(2_000_000_000u64);
    let tx: TypedTransaction = request.chain_id(chain.chain_id()).into();
    let raw = tx.rlp_signed(&wallet.sign_transaction_sync(&tx)?);
    chain.submit(&raw)?;
    let number = loop {
        match chain.produce()? {
            Produced::Sealed { batch, .. } => break batch,
            Produced::Blocks { .. } => {}
            // The batch is not old enough yet.
            Produced::Idle => std::thread::yield_now(),
            Produced::Discarded { reason, .. } => eyre::bail!("discarded: {reason}"),
            Produced::Held { unproven } => eyre::bail!("{unproven} batches without a proof"),
        }
    };
    chain.storage().batch(number)?.ok_or_eyre("no batch")
}

/// The proof of a batch for an aggregator, as the contract takes it.
async fn prove(
    chain: &Arc<Chain>,
    engine: &dyn ProofEngine,
    record: &BatchRecord,
    aggregator: Address,
) -> eyre::Result<BatchProofWords> {
    let witness = batch_witness(chain.state(), &record.batch, chain.chain_id(), record.old_acc_input_hash)?;
    let leaves = witness.new_state.leaf_count;
    let shape = engine.choose(witness.batch_number, &record.batch.counters, leaves).await?;
    let proof = engine.prove(shape, witness, aggregator).await?;
    Ok(BatchProofWords {
        shape_id: proof.shape_id.0,
        new_state_root: record.state_root,
        new_acc_input_hash: record.acc_input_hash,
        new_local_exit_root: record.local_exit_root,
        proof: proof.words,
    })
}

const INVALID: &str = "InvalidProof(firstBatch: 1, lastBatch: 1)";

/// Every public value that is in the calldata.
async fn refuses_other_values(target: &Target<'_>, honest: &BatchProofWords) -> eyre::Result<()> {
    let with = |change: &dyn Fn(&mut BatchProofWords)| {
        let mut changed = honest.clone();
        change(&mut changed);
        changed
    };
    let next = |word: B256| B256::from(U256::from_be_bytes(word.0) + U256::from(1));
    let root = U256::from_be_bytes(honest.new_state_root.0);
    let cases = [
        ("state root + 1", with(&|p| p.new_state_root = next(p.new_state_root)), INVALID),
        ("state root + r", with(&|p| p.new_state_root = B256::from(root + R)), "NewStateRootNotInsidePrime("),
        ("no state root", with(&|p| p.new_state_root = B256::ZERO), "NewStateRootNotInsidePrime("),
        (
            "accumulated hash",
            with(&|p| p.new_acc_input_hash = next(p.new_acc_input_hash)),
            "NewAccInputHashMismatch(",
        ),
        ("local exit root", with(&|p| p.new_local_exit_root = B256::repeat_byte(1)), INVALID),
        ("unknown shape", with(&|p| p.shape_id = 1), "UnknownShape("),
        ("another shape", with(&|p| p.shape_id += 1), INVALID),
    ];
    for (what, changed, words) in cases {
        target.refuses(what, &changed, words).await?;
    }
    // The batches that it is said to be of.
    for (init, last, words) in [
        (1, 2, "InitNumBatchAboveLastVerifiedBatch("),
        (0, 2, "ProofCountMismatch("),
        (0, 0, "FinalNumBatchBelowLastVerifiedBatch("),
    ] {
        let refusal = target.refusal(L1_ACCOUNTS[2], init, last, honest).await?.ok_or_eyre("accepted")?;
        assert!(refusal.to_string().starts_with(words), "batches {init} to {last}: {refusal}");
    }
    Ok(())
}

/// Every point of the proof: beyond the field, off the curve, at infinity, negated, another.
async fn refuses_other_words(target: &Target<'_>, honest: &BatchProofWords) -> eyre::Result<()> {
    let with = |change: &dyn Fn(&mut [U256; 12])| {
        let mut changed = honest.clone();
        change(&mut changed.proof);
        changed
    };
    for word in 0..12 {
        // The same point with a second encoding.
        let beyond = with(&|p| p[word] += Q);
        let words = format!("CoordinateOutOfRange(index: 0, word: {word}, ");
        target.refuses("word + q", &beyond, &words).await?;
        let off = with(&|p| p[word] = (p[word] + U256::from(1)) % Q);
        target.refuses("word + 1", &off, "PointNotOnCurve(index: 0, ").await?;
    }
    target.refuses("all zero", &with(&|p| *p = [U256::ZERO; 12]), "PointAtInfinity(index: 0, ").await?;
    let points = [("A", 0, 2), ("B", 2, 6), ("C", 6, 8), ("D", 8, 10), ("D'", 10, 12)];
    for (point, from, to) in points {
        let zero = with(&|p| p[from..to].fill(U256::ZERO));
        // D' at infinity is left to the pairing.
        let words = if point == "D'" { INVALID } else { "PointAtInfinity(index: 0, " };
        target.refuses(&format!("{point} = 0"), &zero, words).await?;
        let negated = with(&|p| p[from.midpoint(to)..to].iter_mut().for_each(|y| *y = Q - *y));
        target.refuses(&format!("−{point}"), &negated, INVALID).await?;
    }
    for (a, b) in [(0, 6), (0, 8), (0, 10), (6, 8), (6, 10), (8, 10)] {
        let swapped = with(&|p| {
            p.swap(a, b);
            p.swap(a + 1, b + 1);
        });
        target.refuses(&format!("words {a} and {b} swapped"), &swapped, INVALID).await?;
    }
    Ok(())
}

/// Rollups that differ from the proven one in what is not in the calldata.
async fn refused_elsewhere(
    l1: &L1,
    plan: &DeployPlan,
    record: &BatchRecord,
    honest: &BatchProofWords,
) -> eyre::Result<()> {
    let coinbase = record.batch.header.coinbase;
    for (what, changed) in [
        ("chain id", DeployPlan { l2_chain_id: plan.l2_chain_id + 1, ..plan.clone() }),
        ("fork id", DeployPlan { fork_id: plan.fork_id + 1, ..plan.clone() }),
        ("old state root", DeployPlan { genesis_state_root: honest.new_state_root, ..plan.clone() }),
    ] {
        let (other, _) = Target::new(l1, &changed).await?;
        other.sequence(1, record.batch.data(), coinbase).await?;
        other.refuses(what, honest, INVALID).await?;
    }
    // The same rollup with other data posted: the proof says nothing of it, even if the calldata names its hash.
    let data = record.batch.data();
    let shorter = BatchData { transactions: Bytes::new(), ..data.clone() };
    let older = BatchData { timestamp: data.timestamp - 1, ..data.clone() };
    for (what, data, coinbase) in [
        ("no transactions", shorter, coinbase),
        ("timestamp", older, coinbase),
        ("coinbase", data, Address::repeat_byte(0xbd)),
    ] {
        let (other, _) = Target::new(l1, plan).await?;
        other.sequence(1, data.clone(), coinbase).await?;
        let new_acc_input_hash = data.acc_input_hash(B256::ZERO, coinbase);
        let claimed = BatchProofWords { new_acc_input_hash, ..honest.clone() };
        other.refuses(what, &claimed, INVALID).await?;
        other.refuses(what, honest, "NewAccInputHashMismatch(").await?;
    }
    Ok(())
}

/// A proof is of its sender: another one's is refused, trusted or not.
async fn refuses_other_senders(target: &Target<'_>, honest: &BatchProofWords) -> eyre::Result<()> {
    let [admin, other, aggregator] = L1_ACCOUNTS;
    let refusal = target.refusal(other, 0, 1, honest).await?.ok_or_eyre("accepted")?;
    assert!(refusal.is("OnlyTrustedAggregator"), "{refusal}");
    trust(target, admin, other).await?;
    let refusal = target.refusal(other, 0, 1, honest).await?.ok_or_eyre("accepted")?;
    assert_eq!(refusal.to_string(), INVALID);
    trust(target, admin, aggregator).await
}

async fn trust(target: &Target<'_>, admin: u32, aggregator: u32) -> eyre::Result<()> {
    let address = target.l1.sender(aggregator)?.address();
    let argument = B256::left_padding_from(address.as_slice());
    let data = [selector("setTrustedAggregator(address)"), argument.to_vec()].concat();
    let job = Job::call("trust".to_owned(), target.rollup.address(), data.into());
    target.l1.sender(admin)?.send(&job).await?;
    Ok(())
}

/// Whether the verifiers on L1 have the keys that the engine proves with.
async fn check_keys(l1: &L1, deployment: &Deployment, engine: &dyn ProofEngine) -> eyre::Result<()> {
    let verifiers = engine.verifiers();
    assert_eq!(deployment.verifiers.len(), verifiers.len());
    for (deployed, (shape_id, spec)) in deployment.verifiers.iter().zip(verifiers) {
        let VerifierSpec::Groth16(words) = spec else { eyre::bail!("not a real verifier") };
        let bytes: Vec<u8> = words.iter().flat_map(U256::to_be_bytes::<32>).collect();
        let on_l1 = l1.view(deployed.address, "vkDigest()").await?;
        assert_eq!((deployed.shape_id, &on_l1[..]), (shape_id.0, keccak256(bytes).as_slice()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_real_proof_of_anything_else() -> eyre::Result<()> {
    let engine = keys::groth16().await?;
    let l1 = L1::start().await?;
    let plan = plan(engine.as_ref())?;
    let (target, deployment) = Target::new(&l1, &plan).await?;
    check_keys(&l1, &deployment, engine.as_ref()).await?;

    let dir = tempfile::tempdir()?;
    let config = quick_config(dir.path());
    assert_eq!(genesis(&config)?.chain_id, plan.l2_chain_id);
    let chain = chain(&config, engine.as_ref())?;
    let first = batch(&chain, 0)?;
    let coinbase = first.batch.header.coinbase;
    let honest = prove(&chain, engine.as_ref(), &first, plan.trusted_aggregator).await?;
    target.refuses("not sequenced", &honest, "NewAccInputHashDoesNotExist(").await?;
    target.sequence(1, first.batch.data(), coinbase).await?;

    refuses_other_values(&target, &honest).await?;
    refuses_other_words(&target, &honest).await?;
    refuses_other_senders(&target, &honest).await?;
    refused_elsewhere(&l1, &plan, &first, &honest).await?;
    assert_eq!(target.rollup.last_verified_batch(At::Latest).await?, 0);

    // Nothing above was refused for another reason: the same calldata, unchanged, is accepted.
    let aggregator = L1_ACCOUNTS[2];
    assert_eq!(target.refusal(aggregator, 0, 1, &honest).await?, None);
    assert_eq!(target.rollup.last_verified_batch(At::Latest).await?, 1);
    assert_eq!(target.rollup.state_root(1, At::Latest).await?, Some(first.state_root));

    // Once more, and as the proof of the next batch.
    target.refuses("replay", &honest, "FinalNumBatchBelowLastVerifiedBatch(").await?;
    let second = batch(&chain, 1)?;
    target.sequence(2, second.batch.data(), coinbase).await?;
    let claimed = BatchProofWords {
        new_state_root: second.state_root,
        new_acc_input_hash: second.acc_input_hash,
        new_local_exit_root: second.local_exit_root,
        ..honest.clone()
    };
    let refusal = target.refusal(aggregator, 1, 2, &claimed).await?.ok_or_eyre("accepted")?;
    assert_eq!(refusal.to_string(), "InvalidProof(firstBatch: 2, lastBatch: 2)");
    // Batch 1 inside a longer range is checked like any other.
    let job = target.rollup.trusted_verify_batches(0, 2, &[honest.clone(), claimed]);
    let error = l1.sender(aggregator)?.send(&job).await.err().ok_or_eyre("accepted")?;
    assert!(error.to_string().contains("InvalidProof(firstBatch: 1, lastBatch: 2)"), "{error}");
    Ok(())
}
