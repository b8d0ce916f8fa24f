//! `cairn node`: roles against an existing L1.

use std::path::PathBuf;

use eyre::{OptionExt, WrapErr};

use crate::{
    cli::{NodeArgs, Role},
    config::Secret,
    l1::{
        account::Account,
        deploy::{Deployment, check},
    },
    shutdown,
    wiring::{Keys, Node, check_verifiers, connect, engine, open_chain, open_store, settlement},
};

/// Runs until a signal.
///
/// # Errors
/// Whatever stops it.
pub async fn run(args: NodeArgs) -> eyre::Result<()> {
    let config = super::load(&args.config, &super::l1_url(args.l1_url.as_deref()))?;
    super::log_start("node", &config);
    let roles = if args.roles.is_empty() { Role::ALL.to_vec() } else { args.roles };
    let keys = Keys {
        sequencer: key(&config.l1.sequencer_key_file, &config.l1.sequencer_key, "sequencer_key")?,
        aggregator: key(&config.l1.aggregator_key_file, &config.l1.aggregator_key, "aggregator_key")?,
        admin: None,
    };
    let path = config.l1.deployment.clone().ok_or_eyre("l1.deployment is not set")?;
    let json = std::fs::read(&path).wrap_err_with(|| path.display().to_string())?;
    let deployment: Deployment = serde_json::from_slice(&json).wrap_err("deployment")?;
    let cancel = shutdown::on_signal()?;
    let client = connect(&config).await?;
    check(&client, &deployment).await?;
    let engine = engine(&config)?;
    let chain = open_chain(&config, open_store(&config)?, engine.as_ref())?;
    let l1 = settlement(&config, &chain, client, &deployment, keys);
    check_verifiers(l1.as_ref(), engine.as_ref()).await?;
    let node = Node::start(&config, &roles, chain, engine, l1, cancel).await?;
    tracing::info!(?roles, rpc = ?node.rpc_address(), "node is ready");
    node.run().await?;
    Ok(())
}

/// A private key from its file or the configuration itself, which never has both.
fn key(file: &Option<PathBuf>, secret: &Option<Secret>, name: &str) -> eyre::Result<Account> {
    match (file, secret) {
        (_, Some(secret)) => Account::from_hex(secret.reveal()).wrap_err_with(|| format!("l1.{name}")),
        (Some(path), None) => {
            Account::from_file(path).wrap_err_with(|| format!("l1.{name}_file, {}", path.display()))
        }
        (None, None) => eyre::bail!("neither l1.{name}_file nor l1.{name} is set"),
    }
}
