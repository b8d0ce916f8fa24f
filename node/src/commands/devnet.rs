//! `cairn devnet`: L1, contracts and every role in one process.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use cairn_protocol::constants::FORK_ID;
use cairn_sequencer::shapes::ShapeId;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{DevnetArgs, Role},
    config::{Config, ProofMode, shown_url},
    keys::KeyState,
    l1::{
        account::Account,
        anvil::{Anvil, AnvilOptions},
        deploy::{CheckError, DeployPlan, Deployment, check, deploy},
        sender::Sender,
    },
    shapes, shutdown,
    wiring::{Keys, Node, connect, engine, first_key, open_chain, open_store, sender_options, settlement},
};

/// Accounts of anvil that deploy, sequence and verify.
const ACCOUNTS: [u32; 3] = [0, 1, 2];

/// Runs until a signal.
///
/// # Errors
/// Whatever stops it.
pub async fn run(args: DevnetArgs) -> eyre::Result<()> {
    let mut config = super::load(&args.config, &super::l1_url(args.l1_url.as_deref()))?;
    // Without a directory of its own, a devnet leaves nothing behind.
    let scratch = match (&args.config.data_dir, &args.config.config) {
        (None, None) => Some(tempfile::tempdir()?),
        _ => None,
    };
    if let Some(dir) = &scratch {
        config.chain.data_dir = dir.path().to_owned();
    }
    super::log_start("devnet", &config);
    let cancel = shutdown::on_signal()?;
    // Held: dropping it ends the chain.
    let anvil = match args.l1_url {
        Some(_) => None,
        None => {
            let options = AnvilOptions { port: args.l1_port, ..AnvilOptions::default() };
            let anvil = tokio::task::spawn_blocking(move || Anvil::start(&options)).await??;
            config.l1.url = anvil.url();
            Some(anvil)
        }
    };
    let outcome = start(&config, cancel).await?.run().await;
    drop(anvil);
    Ok(outcome?)
}

/// Deploys what L1 does not have and starts every role.
async fn start(config: &Config, cancel: CancellationToken) -> eyre::Result<Node> {
    let engine = engine(config)?;
    let chain = open_chain(config, open_store(config)?, engine.as_ref())?;
    let [deployer, sequencer, aggregator] = ACCOUNTS.map(Account::development);
    let deployer = deployer?;
    let keys = Keys {
        sequencer: sequencer?,
        aggregator: aggregator?,
        admin: Some(Account::development(ACCOUNTS[0])?),
    };
    let client = connect(config).await?;
    let path = config.chain.data_dir.join("deployment.json");
    let known = read(&path);
    if let Some(deployment) = &known {
        // The chain in the data directory was settled on another L1: it cannot go on here.
        check(&client, deployment).await.map_err(|source| OtherL1 {
            data_dir: config.chain.data_dir.clone(),
            url: config.l1.url.clone(),
            source,
        })?;
    }
    let deployment = match known {
        Some(deployment) => deployment,
        None => {
            first_key(engine.as_ref()).await?;
            let plan = DeployPlan {
                l2_chain_id: chain.chain_id(),
                fork_id: FORK_ID,
                genesis_state_root: chain.state().at(0)?.state_root(),
                admin: deployer.address(),
                trusted_sequencer: keys.sequencer.address(),
                trusted_aggregator: keys.aggregator.address(),
                trusted_sequencer_url: format!("http://{}", config.rpc.listen),
                verifiers: engine.verifiers().into_iter().map(|(id, spec)| (id.0, spec.into())).collect(),
                bridge: None,
            };
            let store = Arc::new(crate::l1::store::MemoryStore::default());
            let sender = Sender::new(client.clone(), deployer, store, sender_options(config));
            let deployment = deploy(&sender, &plan).await?;
            std::fs::write(&path, serde_json::to_vec_pretty(&deployment)?)?;
            deployment
        }
    };
    tracing::info!(zkevm = %deployment.zkevm, l1 = shown_url(&config.l1.url), "contracts are on L1");
    let l1 = settlement(config, &chain, client, &deployment, keys);
    let node = Node::start(config, &Role::ALL, chain, engine, l1, cancel).await?;
    if let Some(address) = node.rpc_address() {
        let pending = node.chain.feed.shapes().filter(|(_, key)| *key == KeyState::Waiting).count();
        welcome(&mut std::io::stdout(), address, config, &deployment, node.chain.chain_id(), pending)?;
    }
    Ok(node)
}

/// What a person needs to use the chain.
fn welcome(
    out: &mut dyn Write,
    rpc: SocketAddr,
    config: &Config,
    deployment: &Deployment,
    chain_id: u64,
    pending: usize,
) -> eyre::Result<()> {
    let mode = match config.prover.mode {
        ProofMode::Mock => "MOCK: nothing is proven",
        ProofMode::Groth16 => "groth16: every batch is proven",
    };
    writeln!(out, "\nCairn devnet is ready\n")?;
    writeln!(out, "  JSON-RPC (HTTP, WebSocket)   http://{rpc}")?;
    writeln!(out, "  chain id                     {chain_id}")?;
    writeln!(out, "  proofs                       {mode}")?;
    writeln!(out, "  L1                           {}, chain id {}", config.l1.url, deployment.l1_chain_id)?;
    writeln!(out, "  ZkEVM                        {}", deployment.zkevm)?;
    writeln!(out, "  GlobalExitRoot               {}", deployment.global_exit_root)?;
    for verifier in &deployment.verifiers {
        let shape = shapes::name(ShapeId(verifier.shape_id));
        writeln!(out, "  verifier of shape {shape:<10} {}", verifier.address)?;
    }
    if pending > 0 {
        writeln!(
            out,
            "  keys                         {pending} of larger shapes are yet to come: see the log"
        )?;
    }
    writeln!(
        out,
        "\n  accounts with 10,000 ETH on L2, and their private keys (public knowledge: never use them elsewhere)"
    )?;
    for index in 0..10 {
        let account = Account::development(index)?;
        writeln!(out, "  ({index}) {}  {}", account.address(), account.key())?;
    }
    writeln!(
        out,
        "\n  cast send --rpc-url http://{rpc} --private-key {} \\\n    0x1111111111111111111111111111111111111111 --value 1ether\n",
        Account::development(0)?.key()
    )?;
    Ok(())
}

/// A devnet's data belongs to the L1 that it was settled on.
#[derive(Debug, thiserror::Error)]
#[error(
    "{data_dir} holds a chain that was settled on another L1 than {url}: use a new --data-dir, or --l1-url with the L1 it \
     belongs to ({source})"
)]
struct OtherL1 {
    data_dir: PathBuf,
    url: String,
    source: CheckError,
}

fn read(path: &Path) -> Option<Deployment> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
