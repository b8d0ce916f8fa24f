//! One file a command.

mod bench;
mod config;
mod counts;
mod devnet;
mod node;
mod setup;

use std::process::ExitCode;

use figment::value::Value;

use crate::{
    cli::{Cli, Command, ConfigArgs},
    config::{Config, ConfigError, FromEnvironment, Override, ProofMode},
    logging, shutdown,
};

/// Runs the command, and says on standard error what stopped it.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:?}");
            shutdown::exit_code(&error)
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever stops it.
pub fn run(cli: Cli) -> eyre::Result<()> {
    logging::init(&cli.log, cli.log_json)?;
    match cli.command {
        Command::Devnet(args) => block_on(devnet::run(args)),
        Command::Node(args) => block_on(node::run(args)),
        Command::Config(args) => config::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Counts(args) => counts::run(&args),
    }
}

/// Runs to the end of `command`, and no longer: a proof that is being computed cannot be interrupted, and nobody waits for
/// it. Its job is on disk.
fn block_on(command: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}

/// First line of the log: what runs, and whether it proves anything.
fn log_start(command: &str, config: &Config) {
    let (proof_mode, data_dir) = (config.prover.mode, config.chain.data_dir.display());
    tracing::info!(%proof_mode, version = env!("CARGO_PKG_VERSION"), %data_dir, "cairn {command} starts");
}

/// What the command line sets, over the environment, the file and the defaults. `more` are flags of one command alone.
fn load(args: &ConfigArgs, more: &[Override]) -> Result<Config, ConfigError> {
    let mut overrides = more.to_vec();
    let mut set = |flag, key, value: Option<Value>| {
        overrides.extend(value.map(|value| Override { flag, key, value }));
    };
    set(
        "--data-dir",
        "chain.data_dir",
        args.data_dir.as_ref().map(|d| d.to_string_lossy().into_owned().into()),
    );
    set("--rpc-listen", "rpc.listen", args.rpc_listen.map(|l| l.to_string().into()));
    set("--batch-age", "batch.max_age_s", args.batch_age.map(Into::into));
    let mode = if args.mock_prover { Some(ProofMode::Mock) } else { args.proof_mode };
    set("--proof-mode", "prover.mode", mode.map(|m| m.to_string().into()));
    Config::load(args.config.as_deref(), &FromEnvironment::of_process(), &overrides)
}

/// `--l1-url`.
fn l1_url(url: Option<&str>) -> Vec<Override> {
    url.map(|url| Override { flag: "--l1-url", key: "l1.url", value: url.into() }).into_iter().collect()
}
