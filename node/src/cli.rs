//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{config::ProofMode, shapes::ShapeSpec};

/// A zk-rollup layer-2 node.
#[derive(Debug, Parser)]
#[command(name = "cairn", version, about)]
pub struct Cli {
    /// Log filter, as of tracing's EnvFilter.
    #[arg(long, global = true, env = "CAIRN_LOG", default_value = "info")]
    pub log: String,
    /// Log as JSON.
    #[arg(long, global = true, env = "CAIRN_LOG_JSON")]
    pub log_json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything: an anvil of its own, the contracts, all roles.
    Devnet(DevnetArgs),
    /// Run roles against an existing L1.
    Node(NodeArgs),
    /// Write the configuration, every default included, to standard output.
    Config(ConfigArgs),
    /// Make the keys of the configured circuit shapes (single-party, for development only).
    Setup(SetupArgs),
    /// Count constraints per unit and per machine.
    Counts(CountsArgs),
    /// Measure setup, proof, verification, memory and L1 gas against batch size.
    Bench(BenchArgs),
}

/// A part of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Role {
    /// Blocks, batches, and their data on L1.
    Sequencer,
    /// Proofs of batches.
    Prover,
    /// Proofs on L1.
    Aggregator,
    /// JSON-RPC.
    Rpc,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Sequencer, Self::Prover, Self::Aggregator, Self::Rpc];
}

/// What all runs share.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// TOML file; every key is optional.
    #[arg(long, env = "CAIRN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Overrides `chain.data_dir`.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Overrides `rpc.listen`.
    #[arg(long)]
    pub rpc_listen: Option<SocketAddr>,
    /// Overrides `batch.max_age_s`.
    #[arg(long)]
    pub batch_age: Option<u64>,
    /// Overrides `prover.mode`.
    #[arg(long, value_enum)]
    pub proof_mode: Option<ProofMode>,
    /// The same as `--proof-mode mock`: nothing is proven; for development chains only.
    #[arg(long, conflicts_with = "proof_mode")]
    pub mock_prover: bool,
}

/// `cairn setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Shapes instead of those configured, such as 1,8,8@7.
    #[arg(long, value_delimiter = ',')]
    pub shapes: Vec<ShapeSpec>,
}

/// `cairn counts`.
#[derive(Debug, Args)]
pub struct CountsArgs {
    /// Write JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// `cairn bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Batch sizes.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8")]
    pub transfers: Vec<usize>,
    /// Measure transfers over JSON-RPC instead: throughput and latency, in mock mode.
    #[arg(long, conflicts_with = "transfers")]
    pub rpc: bool,
    /// With --rpc: seconds of each run.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// With --rpc: accounts in the state.
    #[arg(long, default_value_t = 100_000)]
    pub accounts: usize,
    /// With --rpc: accounts that send.
    #[arg(long, default_value_t = 1_000)]
    pub senders: usize,
    /// With --rpc: connections of the load generator.
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
    /// With --rpc: transfers a second to sign for.
    #[arg(long, default_value_t = 2_500.0)]
    pub ready_for: f64,
    /// Write the report as JSON to this file too.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Draw the report as SVG to this file too.
    #[arg(long)]
    pub plot: Option<PathBuf>,
}

/// `cairn devnet`.
#[derive(Debug, Args)]
pub struct DevnetArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Port of anvil; 0 takes a free one.
    #[arg(long, default_value_t = 8545)]
    pub l1_port: u16,
    /// JSON-RPC of an L1 that runs already, instead of an anvil of its own; anvil's accounts must have ETH there.
    #[arg(long, conflicts_with = "l1_port")]
    pub l1_url: Option<String>,
}

/// `cairn node`.
#[derive(Debug, Args)]
pub struct NodeArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Roles, separated by commas; all of them by default.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub roles: Vec<Role>,
    /// Overrides `l1.url`.
    #[arg(long)]
    pub l1_url: Option<String>,
}
