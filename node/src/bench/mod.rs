//! `cairn bench --transfers`: real keys, real proofs, and the gas that a real verification costs on a local anvil, for
//! several batch sizes. `cairn bench --rpc`, the throughput of JSON-RPC, is in `rpc`.

mod load;
mod plot;
pub mod rpc;
mod table;

use std::{sync::Arc, time::Duration, time::Instant};

use cairn_circuits::{
    batch::{Assignment, Shape},
    testing::batch::ReferenceChain,
};
use cairn_protocol::{constants::FORK_ID, leaf::field_to_b256, witness::BatchWitness};
use cairn_prover::{
    BatchCircuit, Circuit, Proof, ProvingKey,
    bench::{BenchRow, peak_rss_bytes, reset_peak_rss},
    prove, setup, store, verify,
};

pub use self::{
    plot::write_plot,
    table::{Report, write_table},
};
use crate::{
    l1::{
        account::Account,
        anvil::{Anvil, AnvilOptions},
        client::Client,
        deploy::{DeployPlan, VerifierKind, deploy},
        rollup::{BatchProofWords, Rollup},
        sender::{Sender, SenderOptions},
        store::MemoryStore,
    },
    progress::Bars,
};

/// How often the benchmark asks anvil for news.
const POLL: Duration = Duration::from_millis(50);
/// Verifications per measurement of `verify_ms`.
const VERIFICATIONS: u32 = 20;

/// Gas of the two L1 transactions of one batch.
#[derive(Clone, Copy, Debug)]
struct Gas {
    sequence: u64,
    verify: u64,
}

/// Measures one batch size.
///
/// # Errors
/// If a key or proof cannot be made, or anvil refuses something.
pub async fn measure(transfers: usize) -> eyre::Result<BenchRow> {
    let circuit = BatchCircuit { shape: Shape::transfers(transfers) };
    let start = Instant::now();
    let key = setup(circuit.record(), &Bars::of(format!("{transfers} transfers")))?;
    let setup_s = start.elapsed().as_secs_f64();
    let dir = tempfile::tempdir()?;
    let path = store::path(dir.path(), key.circuit.digest());
    let key_bytes = store::save(&path, &key, &())?;
    drop(key);
    // As a prover runs: the key loaded, not just made.
    let key = store::load(&path, circuit.record(), &())?;

    let l1 = L1::start(&key).await?;
    let timestamp = l1.client.head().await?.timestamp;
    let aggregator = l1.sender.address();
    let mut chain = ReferenceChain::new(&load::balances());
    let witness = chain.execute(&load::batch(transfers, timestamp)?)?;

    reset_peak_rss()?;
    let start = Instant::now();
    let assignment = Assignment::new(&circuit.shape, &witness, aggregator)?;
    let rows_s = start.elapsed().as_secs_f64();
    let proven = prove(&key, &circuit, &assignment)?;
    let prove_s = start.elapsed().as_secs_f64();
    let peak_rss_bytes = peak_rss_bytes()?;
    drop(assignment);

    let start = Instant::now();
    for _ in 0..VERIFICATIONS {
        verify(&key.vk, proven.public_input, &proven.proof)?;
    }
    let verify_ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(VERIFICATIONS);
    let gas = l1.settle(&witness, &proven.proof).await?;
    let shape = key.circuit.shape();
    Ok(BenchRow {
        transfers: transfers as u64,
        constraints: shape.constraints as u64,
        committed_wires: shape.committed as u64,
        setup_s,
        key_bytes,
        witness_s: rows_s + proven.stats.witness_s,
        prove_s,
        verify_ms,
        peak_rss_bytes,
        l1_gas_sequence: gas.sequence,
        l1_gas_verify: gas.verify,
        l1_gas_per_tx: (gas.sequence + gas.verify) as f64 / transfers.max(1) as f64,
    })
}

/// A fresh anvil with the contracts of one key.
struct L1 {
    client: Client,
    sender: Sender,
    rollup: Rollup,
    /// Held: dropping it ends the chain.
    _anvil: Anvil,
}

impl L1 {
    async fn start(key: &ProvingKey) -> eyre::Result<Self> {
        let anvil = tokio::task::spawn_blocking(|| Anvil::start(&AnvilOptions::default())).await??;
        let client = Client::connect(&anvil.url(), POLL).await?;
        let account = Account::development(0)?;
        let me = account.address();
        let sender =
            Sender::new(client.clone(), account, Arc::new(MemoryStore::default()), SenderOptions::default());
        let plan = DeployPlan {
            l2_chain_id: cairn_protocol::constants::DEVNET_CHAIN_ID,
            fork_id: FORK_ID,
            genesis_state_root: field_to_b256(
                ReferenceChain::new(&load::balances()).tree.commitment().state_root(),
            ),
            admin: me,
            trusted_sequencer: me,
            trusted_aggregator: me,
            trusted_sequencer_url: String::new(),
            verifiers: vec![(0, VerifierKind::Groth16(Box::new(key.vk.words())))],
            bridge: None,
        };
        let deployment = deploy(&sender, &plan).await?;
        let rollup = Rollup::new(client.clone(), deployment.zkevm);
        Ok(Self { client, sender, rollup, _anvil: anvil })
    }

    /// Posts the batch and has its proof verified.
    async fn settle(&self, witness: &BatchWitness, proof: &Proof) -> eyre::Result<Gas> {
        let batch = witness.batch_number;
        let job = self.rollup.sequence_batches(batch, &[witness.batch_data()], witness.coinbase);
        let sequence = self.sender.send(&job).await?.gas_used;
        let words = BatchProofWords {
            shape_id: 0,
            new_state_root: field_to_b256(witness.new_state.state_root()),
            new_acc_input_hash: witness.new_acc_input_hash(),
            new_local_exit_root: witness.new_local_exit_root,
            proof: proof.words(),
        };
        let job = self.rollup.trusted_verify_batches(batch - 1, batch, &[words]);
        let verify = self.sender.send(&job).await?.gas_used;
        Ok(Gas { sequence, verify })
    }
}
