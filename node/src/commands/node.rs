//! `cairn node`: roles against an existing L1.

use std::path::Path;

use eyre::{OptionExt, WrapErr};

use crate::{
    cli::{NodeArgs, Role},
    l1::{
        account::Account,
        deploy::{Deployment, check},
    },
    shutdown,
    wiring::{Keys, Node, connect, engine, open_chain, open_store, settlement},
};

/// Runs until a signal.
///
/// # Errors
/// Whatever stops it.
pub async fn run(args: NodeArgs) -> eyre::Result<()> {
    let mut config = super::load(&args.config)?;
    if let Some(url) = args.l1_url {
        config.l1.url = url;
    }
    let roles = if args.roles.is_empty() { Role::ALL.to_vec() } else { args.roles };
    let key = |file: &Option<std::path::PathBuf>, name: &str| -> eyre::Result<Account> {
        let path: &Path = file.as_deref().ok_or_eyre(format!("l1.{name} is not set"))?;
        Ok(Account::from_file(path)?)
    };
    let keys = Keys {
        sequencer: key(&config.l1.sequencer_key_file, "sequencer_key_file")?,
        aggregator: key(&config.l1.aggregator_key_file, "aggregator_key_file")?,
    };
    let path = config.l1.deployment.clone().ok_or_eyre("l1.deployment is not set")?;
    let json = std::fs::read(&path).wrap_err_with(|| path.display().to_string())?;
    let deployment: Deployment = serde_json::from_slice(&json).wrap_err("deployment")?;
    let cancel = shutdown::on_signal()?;
    let client = connect(&config).await?;
    check(&client, &deployment).await?;
    let engine = engine(&config).await?;
    let chain = open_chain(&config, open_store(&config)?, engine.as_ref())?;
    let l1 = settlement(&config, &chain, client, &deployment, keys);
    let node = Node::start(&config, &roles, chain, engine, l1, cancel).await?;
    tracing::info!(?roles, rpc = ?node.rpc_address(), "node is ready");
    node.run().await?;
    Ok(())
}
