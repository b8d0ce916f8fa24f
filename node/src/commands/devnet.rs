//! `cairn devnet`: L1, contracts and every role in one process.

use std::{path::Path, sync::Arc};

use cairn_protocol::constants::FORK_ID;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{DevnetArgs, Role},
    config::Config,
    l1::{
        account::Account,
        anvil::{Anvil, AnvilOptions},
        deploy::{DeployPlan, Deployment, check, deploy},
        sender::Sender,
    },
    shutdown,
    wiring::{Keys, Node, connect, engine, open_chain, open_store, sender_options, settlement},
};

/// Accounts of anvil that deploy, sequence and verify.
const ACCOUNTS: [u32; 3] = [0, 1, 2];

/// Runs until a signal.
///
/// # Errors
/// Whatever stops it.
pub async fn run(args: DevnetArgs) -> eyre::Result<()> {
    let mut config = super::load(&args.config)?;
    // Without a directory of its own, a devnet leaves nothing behind.
    let scratch = match (&args.config.data_dir, &args.config.config) {
        (None, None) => Some(tempfile::tempdir()?),
        _ => None,
    };
    if let Some(dir) = &scratch {
        config.chain.data_dir = dir.path().to_owned();
    }
    let cancel = shutdown::on_signal()?;
    let options = AnvilOptions { port: args.l1_port, ..AnvilOptions::default() };
    let anvil = tokio::task::spawn_blocking(move || Anvil::start(&options)).await??;
    config.l1.url = anvil.url();
    start(&config, cancel).await?.run().await?;
    Ok(())
}

/// Deploys what L1 does not have and starts every role.
async fn start(config: &Config, cancel: CancellationToken) -> eyre::Result<Node> {
    let engine = engine(config).await?;
    let chain = open_chain(config, open_store(config)?, engine.as_ref())?;
    let [deployer, sequencer, aggregator] = ACCOUNTS.map(Account::development);
    let (deployer, keys) = (deployer?, Keys { sequencer: sequencer?, aggregator: aggregator? });
    let client = connect(config).await?;
    let path = config.chain.data_dir.join("deployment.json");
    let known = match read(&path) {
        // A new anvil knows nothing of an old deployment.
        Some(deployment) if check(&client, &deployment).await.is_ok() => Some(deployment),
        _ => None,
    };
    let deployment = match known {
        Some(deployment) => deployment,
        None => {
            let plan = DeployPlan {
                l2_chain_id: chain.chain_id(),
                fork_id: FORK_ID,
                genesis_state_root: chain.state().at(0)?.state_root(),
                admin: deployer.address(),
                trusted_sequencer: keys.sequencer.address(),
                trusted_aggregator: keys.aggregator.address(),
                trusted_sequencer_url: format!("http://{}", config.rpc.listen),
                verifiers: engine.verifiers().into_iter().map(|(id, spec)| (id, spec.into())).collect(),
                bridge: None,
            };
            let store = Arc::new(crate::l1::store::MemoryStore::default());
            let sender = Sender::new(client.clone(), deployer, store, sender_options(config));
            let deployment = deploy(&sender, &plan).await?;
            std::fs::write(&path, serde_json::to_vec_pretty(&deployment)?)?;
            deployment
        }
    };
    tracing::info!(zkevm = %deployment.zkevm, l1 = config.l1.url, "contracts are on L1");
    let l1 = settlement(config, &chain, client, &deployment, keys);
    let node = Node::start(config, &Role::ALL, chain, engine, l1, cancel).await?;
    tracing::info!(rpc = ?node.rpc_address(), "devnet is ready");
    Ok(node)
}

fn read(path: &Path) -> Option<Deployment> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
