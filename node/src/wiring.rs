//! The only place where parts are constructed.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use alloy_primitives::Address;
use cairn_protocol::genesis::{Genesis, GenesisError};
use cairn_prover::KeyFileError;
use cairn_sequencer::{admission::Admission, batch::BatchLimits, pool::PoolConfig, shapes::ShapesError};
use cairn_state::{RocksStore, Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    chain::{Chain, ChainConfig, ChainError},
    cli::Role,
    config::{Config, ProofMode, RpcConfig},
    dashboard::feed,
    engine::Groth16Engine,
    http::{self, Server, ServerError, health::Health},
    l1::{
        account::Account,
        client::Client,
        deploy::{Deployment, VerifierKind},
        error::RequestError,
        exit_roots::ExitRootContract,
        rollup::Rollup,
        sender::{Sender, SenderOptions},
    },
    metrics::{self, MetricsError},
    progress::Bars,
    proof::{MockEngine, ProofEngine, VerifierSpec},
    rollup_settlement::RollupSettlement,
    rpc::{self, RpcServerError},
    settlement::{Contracts, NoVerifier, Settlement, SettlementError},
    shapes,
    stages::{
        aggregator::Aggregator, gas_price, keys::KeyMaker, prover::Prover, pruner, sequencer,
        virtualizer::Virtualizer,
    },
    supervisor::{StageFailure, Supervisor, share},
};

/// Why a node does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("genesis file {path}: {source}")]
    GenesisRead { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    #[error("data directory {path}: {source}")]
    DataDir { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    L1(#[from] SettlementError),
    #[error(transparent)]
    Rpc(#[from] RpcServerError),
    #[error(transparent)]
    Stage(#[from] StageFailure),
    #[error("a blocking task ended abnormally: {0}")]
    Join(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Listen(#[from] ServerError),
    #[error("did not stop within {} s: {}", grace.as_secs(), parts.join(", "))]
    NotStopped { grace: Duration, parts: Vec<&'static str> },
    #[error("prover.shapes: {0}")]
    Shapes(#[from] ShapesError),
    #[error("keys of the circuits: {0}")]
    Keys(#[from] KeyFileError),
    #[error(transparent)]
    NoVerifier(#[from] NoVerifier),
    /// The configuration was another one before.
    #[error(
        "the state tree has {leaves} leaves, the largest circuit of prover.shapes reaches {positions}: list a shape with more \
         levels, such as \"8@7\""
    )]
    TreeTooLarge { leaves: u64, positions: u64 },
    #[error(transparent)]
    Connect(#[from] RequestError),
    #[error("the rollup on L1 is for chain {got}, this node for {expected}")]
    OtherChain { expected: u64, got: u64 },
}

/// A node whose parts run.
pub struct Node {
    pub chain: Arc<Chain>,
    stages: Supervisor,
    rpc: Option<Server>,
    /// Metrics on an address of their own.
    pages: Option<Server>,
    health: Arc<Health>,
    grace: Duration,
    cancel: CancellationToken,
}

/// The accounts that act on L1.
pub struct Keys {
    pub sequencer: Account,
    pub aggregator: Account,
    /// Adds verifiers, if this node does.
    pub admin: Option<Account>,
}

/// The engine that the configuration asks for: real proofs by default. Its keys are loaded, or made, while the node runs.
///
/// # Errors
/// If the configured shapes are none to choose from.
pub fn engine(config: &Config) -> Result<Arc<dyn ProofEngine>, NodeError> {
    if config.prover.mode == ProofMode::Mock {
        tracing::warn!("MOCK PROVER: nothing is proven; for development chains only");
        return Ok(Arc::new(MockEngine { capacity: config.batch.mock_capacity }));
    }
    Ok(Arc::new(Groth16Engine::new(&config.prover.shapes, &config.prover.keys_dir())?))
}

/// The key of the smallest shape, which a deployment needs: a rollup has a verifier from the start. The node is ready with
/// it, and the others follow.
///
/// # Errors
/// If the key cannot be read or made.
pub async fn first_key(engine: &dyn ProofEngine) -> Result<(), NodeError> {
    let Some(keys) = engine.keys() else { return Ok(()) };
    let Some(id) = keys.ids().next() else { return Ok(()) };
    keys.await_all();
    let make = move || keys.make(id, &Bars::of(shapes::name(id))).map(|_| ());
    Ok(tokio::task::spawn_blocking(make).await??)
}

/// Whether L1 has a verifier for each shape. A batch would wait for ever for one that nobody may add.
///
/// # Errors
/// The first shape without one.
pub async fn check_verifiers(l1: &dyn Settlement, engine: &dyn ProofEngine) -> Result<(), NodeError> {
    for shape in engine.shapes().iter() {
        if l1.verifier(shape.id).await?.is_none() {
            return Err(NoVerifier { id: shape.id, shape: shape.name.clone() }.into());
        }
    }
    Ok(())
}

/// Connects to L1.
///
/// # Errors
/// If it does not answer.
pub async fn connect(config: &Config) -> Result<Client, NodeError> {
    Ok(Client::connect(&config.l1.url, Duration::from_millis(config.l1.poll_ms)).await?)
}

/// How transactions are sent to L1.
#[must_use]
pub fn sender_options(config: &Config) -> SenderOptions {
    SenderOptions {
        confirmations: config.l1.confirmations,
        bump_after: Duration::from_secs(config.l1.bump_after_s),
        ..SenderOptions::default()
    }
}

/// The deployed rollup, with the chain's database for its records.
#[must_use]
pub fn settlement(
    config: &Config,
    chain: &Chain,
    client: Client,
    deployment: &Deployment,
    keys: Keys,
) -> Arc<dyn Settlement> {
    let records = chain.storage().clone();
    let sender =
        |account| Sender::new(client.clone(), account, Arc::new(records.clone()), sender_options(config));
    Arc::new(RollupSettlement {
        sequencer: sender(keys.sequencer),
        aggregator: sender(keys.aggregator),
        admin: keys.admin.map(sender),
        exit_roots: ExitRootContract {
            client: client.clone(),
            address: deployment.global_exit_root,
            // The contract is deployed before the rollup, and changed by nobody else.
            first_block: deployment.block,
            confirmations: config.l1.confirmations,
        },
        rollup: Rollup::new(client.clone(), deployment.zkevm),
        contracts: Contracts {
            l1_chain_id: deployment.l1_chain_id,
            zkevm: deployment.zkevm,
            global_exit_root: deployment.global_exit_root,
            verifiers: deployment.verifiers.iter().copied().map(Into::into).collect(),
        },
        l2_chain_id: deployment.l2_chain_id,
        records,
    })
}

/// The configured genesis, or the development chain's.
///
/// # Errors
/// If the file cannot be read or breaks a rule.
pub fn genesis(config: &Config) -> Result<Genesis, NodeError> {
    let Some(path) = &config.chain.genesis else { return Ok(Genesis::devnet()) };
    let json = std::fs::read_to_string(path)
        .map_err(|source| NodeError::GenesisRead { path: path.clone(), source })?;
    Ok(Genesis::from_json(&json)?)
}

/// Opens the database in the data directory.
///
/// # Errors
/// If it is in use or damaged.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, NodeError> {
    let dir = &config.chain.data_dir;
    std::fs::create_dir_all(dir).map_err(|source| NodeError::DataDir { path: dir.clone(), source })?;
    Ok(Arc::new(RocksStore::open(dir.join("chain"))?))
}

/// Opens the chain in `store`; batches are cut to what `engine` can prove.
///
/// # Errors
/// If the store holds another chain, or one that the engine's shapes do not reach.
pub fn open_chain(
    config: &Config,
    store: Arc<dyn Store>,
    engine: &dyn ProofEngine,
) -> Result<Arc<Chain>, NodeError> {
    let genesis = genesis(config)?;
    let min_gas_price_wei = config.pool.min_gas_price_wei;
    let coinbase = config.chain.coinbase;
    let (mode, room) = (engine.mode(), engine.shapes().limits());
    let admission = match mode {
        ProofMode::Groth16 => Admission::Provable,
        ProofMode::Mock => Admission::Everything,
    };
    let pool = PoolConfig {
        chain_id: genesis.chain_id,
        admission,
        coinbase,
        room,
        max_transactions: config.pool.max_transactions,
        max_per_account: config.pool.max_per_account,
        max_nonce_gap: config.pool.max_nonce_gap,
        max_transaction_bytes: config.pool.max_transaction_bytes,
        lifetime_s: config.pool.lifetime_s,
    };
    let limits = BatchLimits {
        room,
        admission,
        max_gas: config.batch.max_gas,
        max_age: config.batch.max_age(),
        min_age: Duration::from_millis(config.batch.min_age_ms),
    };
    let config = ChainConfig {
        genesis,
        coinbase,
        mode,
        limits,
        pool,
        max_unproven: config.batch.max_unproven,
        group_blocks: usize::try_from(config.batch.group_blocks).unwrap_or(usize::MAX),
    };
    let chain = Chain::open(store, config)?;
    chain.set_gas_price_wei(min_gas_price_wei);
    let (leaves, positions) =
        (chain.state().commitment().map_err(ChainError::from)?.leaf_count, room.positions);
    if leaves > positions {
        return Err(NodeError::TreeTooLarge { leaves, positions });
    }
    Ok(Arc::new(chain))
}

impl Node {
    /// Starts the roles; all of them, or none and an error.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub async fn start(
        config: &Config,
        roles: &[Role],
        chain: Arc<Chain>,
        engine: Arc<dyn ProofEngine>,
        l1: Arc<dyn Settlement>,
        cancel: CancellationToken,
    ) -> Result<Self, NodeError> {
        let status = l1.status().await?;
        let (expected, got) = (chain.chain_id(), status.chain_id);
        if got != expected {
            return Err(NodeError::OtherChain { expected, got });
        }
        chain.feed.describe(l1.contracts(), engine.shapes(), engine.keys());
        // Everything that can fail comes before the first stage runs.
        let recorder = metrics::install()?;
        metrics::info(chain.proof_mode());
        let data_dir = &config.chain.data_dir;
        let health =
            Arc::new(Health::new(Arc::clone(&chain), Arc::clone(&l1), data_dir, config.health.clone()));
        let rpc = match roles.contains(&Role::Rpc) {
            true => {
                // Who makes the blocks has the pool.
                let relays = !roles.contains(&Role::Sequencer);
                let sequencer_url = config.rpc.sequencer_url.clone().filter(|_| relays);
                let config = RpcConfig { sequencer_url, ..config.rpc.clone() };
                Some(rpc::serve(&chain, &config, Arc::clone(&health), recorder.clone()).await?)
            }
            false => None,
        };
        let pages = match config.metrics.listen {
            Some(address) => {
                let health = Arc::clone(&health);
                Some(http::start_pages(address, &config.rpc, health, recorder.clone()).await?)
            }
            None => None,
        };
        let (stages, grace) = (Supervisor::default(), config.shutdown.grace());
        let mut node = Self { chain, stages, rpc, pages, health, grace, cancel };
        node.spawn(config, roles, engine, l1, status.trusted_aggregator);
        node.stages.start("metrics", |token| metrics::upkeep(recorder, token));
        Ok(node)
    }

    fn spawn(
        &mut self,
        config: &Config,
        roles: &[Role],
        engine: Arc<dyn ProofEngine>,
        l1: Arc<dyn Settlement>,
        aggregator: Address,
    ) {
        let chain = || Arc::clone(&self.chain);
        let stages = &mut self.stages;
        // They stop in this order: first who makes work, then who takes it on.
        if roles.contains(&Role::Sequencer) {
            stages.start("sequencer", |token| sequencer::run(chain(), config.batch.tick(), token));
        }
        if roles.contains(&Role::Prover) {
            if let Some(keys) = engine.keys() {
                let l1 = Arc::clone(&l1);
                let maker = KeyMaker::new(chain(), keys, l1);
                stages.start("keys", |token| maker.run(token));
            }
            stages.start("prover", |token| Prover { chain: chain(), engine, aggregator }.run(token));
        }
        if roles.contains(&Role::Sequencer) {
            let data = Virtualizer {
                chain: chain(),
                l1: Arc::clone(&l1),
                config: config.l1.clone(),
                watches_proofs: !roles.contains(&Role::Aggregator),
            };
            stages.start("virtualizer", |token| data.run(token));
        }
        if roles.contains(&Role::Aggregator) {
            let verified =
                Aggregator { chain: chain(), l1: Arc::clone(&l1), aggregator, config: config.l1.clone() };
            stages.start("aggregator", |token| verified.run(token));
        }
        if roles.contains(&Role::Rpc) {
            stages.start("feed", |token| feed::run(chain(), token));
        }
        stages.start("pruner", |token| pruner::run(chain(), config.chain.history_blocks, token));
        stages.start("gas price", |token| gas_price::run(chain(), l1, config.pool.clone(), token));
    }

    /// Where JSON-RPC listens.
    #[must_use]
    pub fn rpc_address(&self) -> Option<SocketAddr> {
        self.rpc.as_ref().map(|rpc| rpc.address)
    }

    /// Runs until the token is cancelled or a stage fails, then stops everything within the grace: first JSON-RPC, so that
    /// nothing new comes in and what came in is answered, then the stages in their order.
    ///
    /// # Errors
    /// That of the stage that failed; else [`NodeError::NotStopped`] if something did not stop in time.
    pub async fn run(mut self) -> Result<(), NodeError> {
        let failure = self.stages.watch(&self.cancel, &self.health).await;
        if let Some(error) = &failure {
            tracing::error!(%error, "stopping");
        }
        self.health.stopping();
        self.cancel.cancel();
        let deadline = Instant::now() + self.grace;
        let mut left = Vec::new();
        if let Some(rpc) = self.rpc.take() {
            self.health.set_rpc(false);
            if !rpc.stop(share(deadline) - Instant::now()).await {
                left.push("JSON-RPC");
            }
        }
        left.extend(self.stages.stop(deadline).await);
        if let Some(pages) = self.pages.take() {
            pages.stop(share(deadline) - Instant::now()).await;
        }
        if !left.is_empty() {
            tracing::error!(parts = left.join(", "), grace_s = self.grace.as_secs(), "did not stop in time");
        }
        match failure {
            Some(failure) => Err(failure.into()),
            None if left.is_empty() => Ok(()),
            None => Err(NodeError::NotStopped { grace: self.grace, parts: left }),
        }
    }
}

impl From<VerifierSpec> for VerifierKind {
    fn from(spec: VerifierSpec) -> Self {
        match spec {
            VerifierSpec::Mock => Self::Mock,
            VerifierSpec::Groth16(words) => Self::Groth16(words),
        }
    }
}
