//! One file a command.

mod bench;
mod config;
mod counts;
mod devnet;
mod node;
mod setup;

use crate::{
    cli::{Cli, Command, ConfigArgs},
    config::{Config, ConfigError, ProofMode},
    logging,
};

/// Runs the command.
///
/// # Errors
/// Whatever stops it.
pub fn run(cli: Cli) -> eyre::Result<()> {
    logging::init(&cli.log, cli.log_json)?;
    match cli.command {
        Command::Devnet(args) => runtime()?.block_on(devnet::run(args)),
        Command::Node(args) => runtime()?.block_on(node::run(args)),
        Command::Config(args) => config::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Counts(args) => counts::run(&args),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The file's configuration with the command line over it.
fn load(args: &ConfigArgs) -> Result<Config, ConfigError> {
    let mut config = Config::load(args.config.as_deref())?;
    if let Some(dir) = &args.data_dir {
        config.chain.data_dir.clone_from(dir);
    }
    if let Some(listen) = args.rpc_listen {
        config.rpc.listen = listen;
    }
    if let Some(age) = args.batch_age {
        config.batch.max_age_s = age;
    }
    let mode = if args.mock_prover { Some(ProofMode::Mock) } else { args.proof_mode };
    config.prover.mode = mode.unwrap_or(config.prover.mode);
    Ok(config)
}
