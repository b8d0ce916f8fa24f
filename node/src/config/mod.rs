//! The configuration: its sections, their keys and defaults. A key's doc comment is what `cairn config` prints over it, so
//! every key has one, with its unit. Where values come from is in `layers`, what they may be in `validate`.

mod layers;
mod secret;
mod validate;
mod write;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use alloy_primitives::Address;
use cairn_protocol::resources::{Resource, Rows};
use cairn_sequencer::call::GAS_CAP;
use clap::ValueEnum;
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

pub use layers::{FromEnvironment, Override, VARIABLES};
pub use secret::{Secret, shown_url};
pub use validate::Invalid;

use crate::shapes::ShapeSpec;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The line itself is not repeated: it may hold a secret.
    #[error("{path}, line {line}: {message}")]
    Parse { path: PathBuf, line: usize, message: String },
    /// Names the key and where its value comes from.
    #[error(transparent)]
    Layers(#[from] Box<figment::Error>),
    #[error("environment variable {name}: there is no key {key}")]
    UnknownKey { name: String, key: String },
    #[error("unknown environment variable {name}; keys are CAIRN_<SECTION>__<KEY>, others are {}", VARIABLES.join(", "))]
    UnknownVariable { name: String },
    #[error("{}", validate::list(.0))]
    Invalid(Vec<Invalid>),
    #[error("the configuration cannot be written as TOML: {0}")]
    Write(#[from] toml::ser::Error),
}

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub chain: ChainSection,
    pub rpc: RpcConfig,
    pub pool: PoolSection,
    pub batch: BatchSection,
    pub l1: L1Section,
    pub prover: ProverSection,
    pub health: HealthSection,
    pub metrics: MetricsSection,
    pub shutdown: ShutdownSection,
}

/// Where the chain lives.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ChainSection {
    /// Directory of the database.
    pub data_dir: PathBuf,
    /// Genesis file; without one, the development chain's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genesis: Option<PathBuf>,
    /// Receives the fees on L2.
    pub coinbase: Address,
    /// How many past states are kept; 0 keeps all.
    pub history_blocks: u64,
}

impl Default for ChainSection {
    fn default() -> Self {
        Self {
            data_dir: "cairn-data".into(),
            genesis: None,
            coinbase: Address::repeat_byte(0xca),
            history_blocks: 0,
        }
    }
}

/// The JSON-RPC server, and the pages beside it.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct RpcConfig {
    /// Address of HTTP and WebSocket. Anything but a loopback address is open to others.
    pub listen: SocketAddr,
    /// Namespaces whose methods are offered.
    pub namespaces: Vec<String>,
    /// Host names that a request may be addressed to, against DNS rebinding; "*" takes any. IP addresses always may.
    pub hosts: Vec<String>,
    /// Origins whose pages may read answers and open WebSockets; "*" is every page, none sends no CORS headers.
    pub cors_origins: Vec<String>,
    /// Largest request, in bytes.
    pub max_request_bytes: u32,
    /// Largest response, in bytes.
    pub max_response_bytes: u32,
    /// Most connections at a time, HTTP and WebSocket together.
    pub max_connections: u32,
    /// Most entries of a JSON-RPC batch.
    pub max_batch_entries: u32,
    /// Where a node without the sequencer role sends raw transactions; without it, into its own pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequencer_url: Option<String>,
    /// In milliseconds: a subscription whose client takes no message for this long is closed; after three times as long,
    /// its connection.
    pub subscriber_timeout_ms: u64,
    /// A subscription whose client is further behind is closed.
    pub subscriber_max_lag_blocks: u64,
    /// Most subscriptions of one WebSocket.
    pub max_subscriptions: u32,
    /// Requests per second of one connection, each entry of a batch counted; 0 is no limit.
    pub rate_limit_per_s: u32,
    /// Requests that a connection may send at once before the limit holds it.
    pub rate_limit_burst: u32,
    /// Requests per second of one peer address over all of its connections; 0 is no limit.
    pub peer_rate_limit_per_s: u32,
    /// Requests that a peer may send at once before the limit holds it.
    pub peer_rate_limit_burst: u32,
    /// Most memory for large requests that are being answered, and for large answers and notifications that wait for
    /// their clients, of all connections together, in bytes.
    pub max_buffered_bytes: u32,
    /// In seconds: longest time for one HTTP request, and longest silence before one.
    pub request_timeout_s: u64,
    /// Most gas of one `eth_call`, `eth_estimateGas`, `eth_createAccessList` or `debug_traceCall`.
    pub gas_cap: u64,
    /// Most memory of one traced request, in bytes.
    pub max_trace_bytes: usize,
    /// In milliseconds: longest time of one traced request.
    pub trace_timeout_ms: u64,
    /// Most traced requests at a time; the others wait.
    pub max_traces: usize,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8123),
            namespaces: crate::rpc::NAMESPACES.map(str::to_owned).to_vec(),
            hosts: vec!["localhost".to_owned()],
            cors_origins: Vec::new(),
            max_request_bytes: 2 << 20,
            max_response_bytes: 10 << 20,
            max_connections: 200,
            max_batch_entries: 100,
            sequencer_url: None,
            subscriber_timeout_ms: 10_000,
            subscriber_max_lag_blocks: 10_000,
            max_subscriptions: 128,
            rate_limit_per_s: 2_000,
            rate_limit_burst: 4_000,
            peer_rate_limit_per_s: 5_000,
            peer_rate_limit_burst: 10_000,
            max_buffered_bytes: 256 << 20,
            request_timeout_s: 60,
            gas_cap: GAS_CAP,
            max_trace_bytes: 64 << 20,
            trace_timeout_ms: 5_000,
            max_traces: 4,
        }
    }
}

impl RpcConfig {
    /// Longest time for one HTTP request.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }

    /// Longest time of one traced request.
    #[must_use]
    pub const fn trace_timeout(&self) -> Duration {
        Duration::from_millis(self.trace_timeout_ms)
    }
}

/// The transaction pool.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSection {
    /// Most transactions.
    pub max_transactions: usize,
    /// Most transactions of one sender.
    pub max_per_account: usize,
    /// How far a nonce may lie above the sender's next.
    pub max_nonce_gap: u64,
    /// Largest transaction, in bytes.
    pub max_transaction_bytes: usize,
    /// In seconds: how long a transaction may wait for its block; 0 is for ever.
    pub lifetime_s: u64,
    /// Lower bound of the price on L2, in wei.
    pub min_gas_price_wei: u64,
    /// Price on L2 as a part of L1's, in percent.
    pub l1_gas_price_percent: u64,
}

impl Default for PoolSection {
    fn default() -> Self {
        Self {
            max_transactions: 10_000,
            max_per_account: 256,
            max_nonce_gap: 1_024,
            max_transaction_bytes: 128 << 10,
            lifetime_s: 3 * 60 * 60,
            min_gas_price_wei: 1_000_000,
            l1_gas_price_percent: 1,
        }
    }
}

/// When batches close.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSection {
    /// In seconds: the age at which a batch closes, from its first transaction on.
    pub max_age_s: u64,
    /// In milliseconds: the age at which a batch closes while the pool is full of transactions for the next.
    pub min_age_ms: u64,
    /// Most gas of the transactions of one batch.
    pub max_gas: u64,
    /// Sealed batches without a proof at which sequencing slows.
    pub max_unproven: u64,
    /// Most blocks that are written to disk together.
    pub group_blocks: u64,
    /// In milliseconds: how often an idle sequencer looks at the age of its batch.
    pub tick_ms: u64,
    /// What the mock prover pretends to have room for; a real prover's shape decides otherwise.
    pub mock_capacity: Rows,
}

impl Default for BatchSection {
    fn default() -> Self {
        Self {
            max_age_s: 10,
            min_age_ms: 1_000,
            max_gas: 300_000_000,
            max_unproven: 64,
            group_blocks: 64,
            tick_ms: 250,
            mock_capacity: Rows::new(&[
                (Resource::Transactions, 1_024),
                (Resource::Signatures, 1_024),
                (Resource::KeccakPermutations, 65_536),
                (Resource::KeccakWords, 2_048),
                (Resource::TreeRows, 65_536),
                (Resource::Bytes, 300_000),
                (Resource::Steps, 16_777_216),
            ]),
        }
    }
}

impl BatchSection {
    /// How long a batch stays open under full load.
    #[must_use]
    pub const fn min_age(&self) -> Duration {
        Duration::from_millis(self.min_age_ms)
    }

    /// How long a batch stays open.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age_s)
    }

    /// How often an idle sequencer looks.
    #[must_use]
    pub const fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms)
    }
}

/// L1.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct L1Section {
    /// JSON-RPC over HTTP of an L1 node.
    pub url: String,
    /// In milliseconds: how often L1 is asked whether a transaction is in a block.
    pub poll_ms: u64,
    /// Blocks on top of a transaction's before it counts.
    pub confirmations: u64,
    /// In seconds: a transaction that is not in a block by then is sent again at a higher price.
    pub bump_after_s: u64,
    /// Most batches of one `sequenceBatches`.
    pub max_sequence_batches: u64,
    /// Most bytes of transactions of one `sequenceBatches`.
    pub max_sequence_bytes: usize,
    /// Most proofs of one `trustedVerifyBatches`.
    pub max_verify_batches: u64,
    /// The contracts, as `cairn devnet` writes them to `deployment.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<PathBuf>,
    /// File with the sequencer's private key in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequencer_key_file: Option<PathBuf>,
    /// File with the aggregator's private key in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregator_key_file: Option<PathBuf>,
    /// The sequencer's private key in hex, instead of a file. Secret.
    #[serde(skip_serializing)]
    pub sequencer_key: Option<Secret>,
    /// The aggregator's private key in hex, instead of a file. Secret.
    #[serde(skip_serializing)]
    pub aggregator_key: Option<Secret>,
}

impl Default for L1Section {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8545".to_owned(),
            poll_ms: 250,
            confirmations: 0,
            bump_after_s: 60,
            max_sequence_batches: 32,
            max_sequence_bytes: 100_000,
            max_verify_batches: 32,
            deployment: None,
            sequencer_key_file: None,
            aggregator_key_file: None,
            sequencer_key: None,
            aggregator_key: None,
        }
    }
}

/// How batches are proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ProofMode {
    /// A Groth16 proof for every batch.
    #[default]
    Groth16,
    /// Nothing is proven: for work on contracts and JSON-RPC, on development chains only.
    Mock,
}

impl fmt::Display for ProofMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Groth16 => "groth16",
            Self::Mock => "mock",
        })
    }
}

/// Proofs.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ProverSection {
    /// How batches are proven: "groth16" or "mock"; mock proves nothing and is for development chains only.
    pub mode: ProofMode,
    /// Circuit shapes: 8 has room for eight transfers and reaches 2^18 leaves of the state tree; "8@7" has paths of 7 levels
    /// instead of 6, for eight times as many. Each has a key. A batch is proven in the smallest that it fits, and closed
    /// before it exceeds the largest.
    pub shapes: Vec<ShapeSpec>,
    /// Where proving keys are kept, under the digest of their circuit; without one, the user's cache directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_dir: Option<PathBuf>,
}

impl Default for ProverSection {
    fn default() -> Self {
        Self { mode: ProofMode::default(), shapes: default_shapes(), keys_dir: None }
    }
}

/// 1, 4 and 8 transfers: a batch of few does not take the time of a proof of many.
fn default_shapes() -> Vec<ShapeSpec> {
    [1, 4, 8].into_iter().filter_map(|transfers| ShapeSpec::transfers(transfers).ok()).collect()
}

impl ProverSection {
    /// `keys_dir`, `$CAIRN_KEYS_DIR`, or `cairn/keys` in the user's cache directory.
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        let configured =
            self.keys_dir.clone().or_else(|| std::env::var_os("CAIRN_KEYS_DIR").map(PathBuf::from));
        configured.unwrap_or_else(|| {
            let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
            cache.or(home).unwrap_or_else(|| PathBuf::from(".cache")).join("cairn/keys")
        })
    }
}

/// When a node calls itself ready.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSection {
    /// In milliseconds: L1 must answer within this time.
    pub l1_timeout_ms: u64,
    /// In bytes: free space that the data directory's disk must have.
    pub min_free_disk_bytes: u64,
}

impl Default for HealthSection {
    fn default() -> Self {
        Self { l1_timeout_ms: 2_000, min_free_disk_bytes: 512 << 20 }
    }
}

impl HealthSection {
    /// How long L1 may take to answer.
    #[must_use]
    pub const fn l1_timeout(&self) -> Duration {
        Duration::from_millis(self.l1_timeout_ms)
    }
}

/// Metrics for Prometheus.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSection {
    /// Address that serves /metrics, /health and /ready besides JSON-RPC's; by default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// How a node stops.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownSection {
    /// In seconds: after a signal, what has not stopped by then is left behind.
    pub grace_s: u64,
}

impl Default for ShutdownSection {
    fn default() -> Self {
        Self { grace_s: 10 }
    }
}

impl ShutdownSection {
    /// How long a node may take to stop.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_s)
    }
}

impl Config {
    /// Defaults, then the file, then the environment, then the command line: what comes later wins.
    ///
    /// # Errors
    /// If the file cannot be read, a key or a variable of the environment is not known, or a value is not allowed.
    pub fn load(
        path: Option<&Path>,
        environment: &FromEnvironment,
        overrides: &[Override],
    ) -> Result<Self, ConfigError> {
        let config = layers::extract(path, environment, overrides)?;
        let invalid = validate::check(&config);
        if invalid.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(invalid)) }
    }

    /// The configuration as a TOML file that says what each key is. Secrets are left out.
    ///
    /// # Errors
    /// If a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        write::to_toml(self)
    }
}
