//! A node of every role in this process, on an L1 of its own.

use std::{net::SocketAddr, sync::Arc};

use cairn_node::{
    chain::Chain,
    cli::Role,
    config::Config,
    l1::{account::Account, deploy::Deployment, rollup::Rollup},
    logging,
    proof::ProofEngine,
    wiring::{Keys, Node, NodeError, open_chain, open_store, settlement},
};
use eyre::OptionExt;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{L1_ACCOUNTS, client::L2, l1::L1, wait::PROVEN};

/// A node and what it stands on.
pub struct Devnet {
    pub l1: L1,
    pub l2: L2,
    pub rollup: Rollup,
    pub deployment: Deployment,
    pub config: Config,
    cancel: CancellationToken,
    task: JoinHandle<Result<(), NodeError>>,
    _dir: TempDir,
}

/// The defaults with short periods, a free port and `data_dir`.
#[must_use]
pub fn quick_config(data_dir: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.chain.data_dir = data_dir.to_owned();
    config.rpc.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.batch.max_age_s = 1;
    config.batch.tick_ms = 50;
    config.l1.poll_ms = 50;
    config
}

/// Opens the chain of `config`.
///
/// # Errors
/// If the database cannot be opened.
pub fn chain(config: &Config, engine: &dyn ProofEngine) -> eyre::Result<Arc<Chain>> {
    Ok(open_chain(config, open_store(config)?, engine)?)
}

/// Starts every role on the data of `config`.
async fn run(
    config: &Config,
    l1: &L1,
    deployment: &Deployment,
    engine: Arc<dyn ProofEngine>,
) -> eyre::Result<(SocketAddr, CancellationToken, JoinHandle<Result<(), NodeError>>)> {
    let [admin, sequencer, aggregator] = L1_ACCOUNTS.map(Account::development);
    let keys = Keys { sequencer: sequencer?, aggregator: aggregator?, admin: Some(admin?) };
    let chain = chain(config, engine.as_ref())?;
    let settlement = settlement(config, &chain, l1.client.clone(), deployment, keys);
    let cancel = CancellationToken::new();
    let node = Node::start(config, &Role::ALL, chain, engine, settlement, cancel.clone()).await?;
    let address = node.rpc_address().ok_or_eyre("the node serves no JSON-RPC")?;
    Ok((address, cancel, tokio::spawn(node.run())))
}

impl Devnet {
    /// Starts L1, deploys, starts every role.
    ///
    /// # Errors
    /// If a part does not start.
    pub async fn start(engine: Arc<dyn ProofEngine>) -> eyre::Result<Self> {
        // A second test in one process finds the log set up.
        let _ = logging::init("info", false);
        let dir = tempfile::tempdir()?;
        let mut config = quick_config(dir.path());
        let l1 = L1::start().await?;
        config.l1.url = l1.url();
        let deployment = l1.deploy(engine.as_ref()).await?;
        let (address, cancel, task) = run(&config, &l1, &deployment, engine).await?;
        let l2 = L2::connect(&format!("http://{address}"))?;
        let rollup = l1.rollup(&deployment);
        // A restart listens where this start did.
        config.rpc.listen = address;
        Ok(Self { l1, l2, rollup, deployment, config, cancel, task, _dir: dir })
    }

    /// Stops the node and starts it again on the same data, at the same address.
    ///
    /// # Errors
    /// If a stage failed or a part does not start.
    pub async fn restart(&mut self, engine: Arc<dyn ProofEngine>) -> eyre::Result<()> {
        self.cancel.cancel();
        (&mut self.task).await??;
        let (_, cancel, task) = run(&self.config, &self.l1, &self.deployment, engine).await?;
        (self.cancel, self.task) = (cancel, task);
        Ok(())
    }

    /// Waits until the node has ended by itself; why it did.
    ///
    /// # Errors
    /// If it goes on, or ends well.
    pub async fn fails(mut self) -> eyre::Result<String> {
        let ended = tokio::time::timeout(PROVEN, &mut self.task).await?;
        match ended? {
            Ok(()) => eyre::bail!("the node ended well"),
            Err(error) => Ok(error.to_string()),
        }
    }

    /// Stops the node and waits for its end.
    ///
    /// # Errors
    /// If a stage failed.
    pub async fn stop(self) -> eyre::Result<()> {
        self.cancel.cancel();
        Ok(self.task.await??)
    }
}
