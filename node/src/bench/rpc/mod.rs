//! `cairn bench --rpc`: transfers a second through JSON-RPC, executed and committed in blocks, and how long
//! `eth_sendRawTransaction` takes. The node runs in a process of its own, on an anvil of its own, in mock mode (proofs
//! are another benchmark); this process is the load generator, on the same machine.

mod load;
mod run;

use std::{
    io::{self, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alloy_primitives::U64;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use serde::Serialize;

use self::load::Accounts;
pub use self::run::{Pace, RpcRow, Target};
use super::table::{Machine, machine};
use crate::config::{Config, ProofMode};

/// How long the node may take to start: it hashes a genesis of all accounts first.
const START: Duration = Duration::from_secs(180);
/// Warm-up before the first run.
const WARM_UP: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct RpcBench {
    /// Length of each run.
    pub duration: Duration,
    /// Accounts in the state.
    pub accounts: usize,
    /// Accounts that send.
    pub senders: usize,
    /// Connections.
    pub workers: usize,
    /// Transfers a second to be ready for: as many are signed before the run.
    pub ready_for: f64,
}

/// Everything that the benchmark found.
#[derive(Clone, Debug, Serialize)]
pub struct RpcReport {
    pub machine: Machine,
    pub profile: &'static str,
    pub accounts: usize,
    pub genesis_s: f64,
    /// As fast as the node takes them.
    pub full: RpcRow,
    /// At half of what was committed in the full run.
    pub half: RpcRow,
}

/// The node under test; dropping it ends it and its anvil.
struct Node {
    process: Child,
}

impl Drop for Node {
    fn drop(&mut self) {
        // SIGTERM lets the node end its anvil; SIGKILL would leave it.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let end = Instant::now() + Duration::from_secs(20);
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn start(dir: &Path, accounts: &Accounts) -> eyre::Result<(Node, String, f64)> {
    let genesis = dir.join("genesis.json");
    std::fs::write(&genesis, serde_json::to_vec(&accounts.genesis())?)?;
    let mut config = Config::default();
    config.chain.data_dir = dir.join("data");
    config.chain.genesis = Some(genesis);
    config.prover.mode = ProofMode::Mock;
    config.rpc.listen.set_port(free_port()?);
    let path = dir.join("cairn.toml");
    std::fs::write(&path, config.to_toml()?)?;
    let log = std::fs::File::create(dir.join("log"))?;
    let begin = Instant::now();
    let process = Command::new(std::env::current_exe()?)
        .args(["--log", "warn", "devnet", "--l1-port", "0", "--config"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let mut node = Node { process };
    let url = format!("http://{}", config.rpc.listen);
    let client = HttpClient::builder().build(&url)?;
    loop {
        if client.request::<U64, _>("eth_blockNumber", rpc_params![]).await.is_ok() {
            return Ok((node, url, begin.elapsed().as_secs_f64()));
        }
        if let Some(status) = node.process.try_wait()? {
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            eyre::bail!("the node ended, {status}: {log}");
        }
        eyre::ensure!(begin.elapsed() < START, "the node did not answer within {START:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Measures.
///
/// # Errors
/// If the node does not start, refuses transfers, or does not commit what it accepted.
pub async fn measure_rpc(bench: RpcBench) -> eyre::Result<RpcReport> {
    let dir = tempfile::tempdir()?;
    tracing::info!(accounts = bench.accounts, "making the accounts");
    let accounts = Accounts::new(bench.accounts, bench.senders)?;
    tracing::info!("starting the node");
    let (node, url, genesis_s) = start(dir.path(), &accounts).await?;
    let target = Target { url, accounts, workers: bench.workers };
    target.run(Pace::Closed, WARM_UP, bench.ready_for).await?;
    tracing::info!(seconds = bench.duration.as_secs(), "as fast as the node takes them");
    let full = target.run(Pace::Closed, bench.duration, bench.ready_for).await?;
    let per_second = full.committed_per_s / 2.0;
    tracing::info!(per_second, "at half of that");
    let half = target.run(Pace::Open { per_second }, bench.duration, per_second).await?;
    drop(node);
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    Ok(RpcReport { machine: machine(), profile, accounts: bench.accounts, genesis_s, full, half })
}

/// Writes the report for people.
///
/// # Errors
/// If the writer fails.
pub fn write_rpc_report(out: &mut dyn Write, report: &RpcReport) -> io::Result<()> {
    let m = &report.machine;
    writeln!(
        out,
        "{} cores, {}, {:.0} GiB, {} profile; {} accounts, node ready after {:.1} s",
        m.cores,
        m.cpu,
        m.memory_bytes as f64 / f64::from(1u32 << 30),
        report.profile,
        report.accounts,
        report.genesis_s
    )?;
    writeln!(
        out,
        "{:>10} {:>9} {:>10} {:>11} {:>12} {:>8} {:>8} {:>8} {:>10} {:>8} {:>10} {:>15}",
        "offered/s",
        "seconds",
        "accepted",
        "accepted/s",
        "committed/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "pool full",
        "refused",
        "on L1 then",
        "all on L1 after"
    )?;
    for row in [&report.full, &report.half] {
        let offered = row.offered_per_s.map_or_else(|| "all".to_owned(), |r| format!("{r:.0}"));
        writeln!(
            out,
            "{offered:>10} {:>9.1} {:>10} {:>11.0} {:>12.0} {:>8.2} {:>8.2} {:>8.1} {:>10} {:>8} {:>8.0} % {:>13.1} s",
            row.seconds,
            row.accepted,
            row.accepted_per_s,
            row.committed_per_s,
            row.p50_ms,
            row.p99_ms,
            row.max_ms,
            row.pool_full,
            row.refused,
            row.settled_percent,
            row.settled_after_s
        )?;
    }
    Ok(())
}
