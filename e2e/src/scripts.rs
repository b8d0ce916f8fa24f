//! The clients that people use, in their own languages: programs below `e2e/clients` that get the address of a node.
//! Not here: what they do with it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use cairn_node::l1::anvil::{Anvil, AnvilOptions};
use cairn_protocol::constants::BLOCK_GAS_LIMIT;
use eyre::{OptionExt, WrapErr};
use tokio::process::Command;

use crate::l1::foundry_program;

/// Longest run of a program.
const LIMIT: Duration = Duration::from_secs(120);
/// What installs the programs.
const INSTALL: &str = "scripts/bootstrap --tests";

/// A chain that a program talks to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// JSON-RPC over HTTP.
    pub url: String,
    /// JSON-RPC over WebSocket.
    pub ws_url: String,
    pub chain_id: u64,
}

impl Endpoint {
    /// HTTP and WebSocket on one port.
    ///
    /// # Errors
    /// If `url` is not http.
    pub fn new(url: &str, chain_id: u64) -> eyre::Result<Self> {
        let address = url.strip_prefix("http://").ok_or_eyre("not http")?;
        Ok(Self { url: url.to_owned(), ws_url: format!("ws://{address}"), chain_id })
    }
}

/// An anvil that executes as L2 does: the same number, rules, gas limit, base fee 0 and a block for each transaction. It
/// starts in the past, so that its clock can be set to that of a chain whose first block is older.
///
/// # Errors
/// If it does not start.
pub async fn reference(chain_id: u64) -> eyre::Result<Anvil> {
    let gas_limit = BLOCK_GAS_LIMIT.to_string();
    let arguments = [
        ["--hardfork", "cancun"],
        ["--gas-limit", &gas_limit],
        ["--block-base-fee-per-gas", "0"],
        ["--timestamp", "1700000000"],
    ];
    // The proxy is there by default; here it is deployed as on any other chain.
    let arguments = arguments.iter().flatten().chain(&["--disable-default-create2-deployer"]);
    let options = AnvilOptions {
        chain_id: Some(chain_id),
        arguments: arguments.map(|&argument| argument.to_owned()).collect(),
        ..AnvilOptions::default()
    };
    Ok(tokio::task::spawn_blocking(move || Anvil::start(&options)).await??)
}

/// Where the programs are.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

fn installed(path: PathBuf) -> eyre::Result<PathBuf> {
    eyre::ensure!(path.exists(), "{} is not there; `{INSTALL}` installs it", path.display());
    Ok(path)
}

/// Creation code of a contract of `e2e/clients/contracts`, in hex.
///
/// # Errors
/// If it is not compiled.
pub fn creation_code(contract: &str) -> eyre::Result<String> {
    let path = directory().join(format!("artifacts/contracts/{contract}.sol/{contract}.json"));
    let artifact: serde_json::Value = serde_json::from_slice(&std::fs::read(installed(path)?)?)?;
    Ok(artifact["bytecode"].as_str().ok_or_eyre("an artifact without bytecode")?.to_owned())
}

/// The Node that the clients run on: the pinned one, or on platforms without it the one on PATH.
fn node() -> eyre::Result<PathBuf> {
    let modules = installed(directory().join("runtime/node_modules"))?;
    for entry in modules.read_dir()? {
        let entry = entry?;
        let program = entry.path().join("bin/node");
        if entry.file_name().to_string_lossy().starts_with("node-") && program.is_file() {
            return Ok(program);
        }
    }
    Ok("node".into())
}

/// Runs a JavaScript program against a chain. The first argument is the program, below `e2e/clients`.
///
/// # Errors
/// If it is not installed, fails or takes too long; the error repeats what it said.
pub async fn javascript(
    endpoint: &Endpoint,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> eyre::Result<String> {
    // Everything that the programs import, and what they deploy.
    installed(directory().join("node_modules"))?;
    installed(directory().join("artifacts"))?;
    run(endpoint, &node()?, arguments, environment).await
}

/// Runs a Python program against a chain.
///
/// # Errors
/// As [`javascript`].
pub async fn python(endpoint: &Endpoint, arguments: &[&str]) -> eyre::Result<String> {
    installed(directory().join("artifacts"))?;
    let program = installed(directory().join(".venv/bin/python"))?;
    run(endpoint, &program, arguments, &[]).await
}

/// Runs a shell program in a directory, with cast and forge on its path; the first line that fails ends it.
///
/// # Errors
/// As [`javascript`].
pub async fn shell(endpoint: &Endpoint, directory: &Path, program: &str) -> eyre::Result<String> {
    let foundry = foundry_program("cast")?.parent().map(Path::to_owned).ok_or_eyre("cast is nowhere")?;
    let forge = foundry_program("forge")?.parent().map(Path::to_owned).ok_or_eyre("forge is nowhere")?;
    let before = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([foundry, forge].into_iter().chain(std::env::split_paths(&before)))?;
    let path = path.to_str().ok_or_eyre("PATH is not Unicode")?;
    let line = format!("cd '{}' && {{ {program}\n}}", directory.display());
    run(endpoint, Path::new("bash"), &["-euo", "pipefail", "-c", &line], &[("PATH", path)]).await
}

async fn run(
    endpoint: &Endpoint,
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> eyre::Result<String> {
    let chain_id = endpoint.chain_id.to_string();
    let run = Command::new(program)
        .args(arguments)
        .current_dir(directory())
        .envs([("RPC_URL", &endpoint.url), ("WS_URL", &endpoint.ws_url), ("CHAIN_ID", &chain_id)])
        .envs([("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true"), ("NO_COLOR", "1")])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let name = arguments.join(" ");
    let output = tokio::time::timeout(LIMIT, run).await.wrap_err_with(|| format!("{name}: {LIMIT:?}"))??;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    eyre::ensure!(output.status.success(), "{name} against {}: {}\n{said}", endpoint.url, output.status);
    Ok(said)
}
