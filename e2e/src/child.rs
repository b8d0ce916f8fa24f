//! A node in a process of its own, which a test may kill.

use std::{
    fs::{File, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child as Process, Command, Stdio},
    time::{Duration, Instant},
};

use cairn_node::{
    config::{Config, ProofMode},
    l1::{account::Account, deploy::Deployment},
};
use ethers::providers::Middleware;
use tempfile::TempDir;

use crate::{
    L1_ACCOUNTS,
    client::L2,
    keys::{keys_dir, shapes},
    l1::L1,
    node::quick_config,
    wait::{PROVEN, SOON, until},
};

/// Largest part of the log that an error repeats, in bytes.
const LAST_WORDS: usize = 4096;

/// How long a process may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// What a node keeps when it dies: its data directory, configuration and log.
pub struct Home {
    program: PathBuf,
    dir: TempDir,
}

/// How a process ended.
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    /// Its last words.
    pub log: String,
}

/// A running process. Dropping it ends it.
pub struct Child {
    process: Process,
    log: PathBuf,
    pub l2: L2,
}

impl Home {
    /// Writes the configuration of a node of `deployment`. `program` takes the arguments of `cairn`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn new(program: &str, l1: &L1, deployment: &Deployment, mock: bool) -> eyre::Result<Self> {
        Self::configured(program, l1, deployment, mock, |_| {})
    }

    /// The same with a configuration that `change` has changed.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn configured(
        program: &str,
        l1: &L1,
        deployment: &Deployment,
        mock: bool,
        change: impl FnOnce(&mut Config),
    ) -> eyre::Result<Self> {
        let dir = tempfile::tempdir()?;
        let file = |name: &str| dir.path().join(name);
        let mut config = quick_config(&file("data"));
        config.l1.url = l1.url();
        config.prover.mode = if mock { ProofMode::Mock } else { ProofMode::Groth16 };
        config.prover.shapes = shapes();
        config.prover.keys_dir = Some(keys_dir()?);
        config.l1.deployment = Some(file("deployment.json"));
        std::fs::write(file("deployment.json"), serde_json::to_vec(deployment)?)?;
        let key = |name: &str, account| -> eyre::Result<Option<PathBuf>> {
            std::fs::write(file(name), Account::development(account)?.key().to_string())?;
            Ok(Some(file(name)))
        };
        config.l1.sequencer_key_file = key("sequencer.key", L1_ACCOUNTS[1])?;
        config.l1.aggregator_key_file = key("aggregator.key", L1_ACCOUNTS[2])?;
        change(&mut config);
        std::fs::write(file("cairn.toml"), config.to_toml()?)?;
        Ok(Self { program: program.into(), dir })
    }

    /// Where the node keeps its database.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts the node and waits until it answers.
    ///
    /// # Errors
    /// If it ends or does not answer; the error repeats its last words.
    pub async fn start(&self) -> eyre::Result<Child> {
        let config = self.dir.path().join("cairn.toml").display().to_string();
        Child::start(&self.program, self.dir.path(), &["node", "--config", &config]).await
    }
}

/// A port that is free now; whoever takes it before its user does makes the start fail.
///
/// # Errors
/// If there is none.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

impl Child {
    /// Starts a program that takes the arguments of `cairn`, with a log in `dir`, and waits until its JSON-RPC answers.
    ///
    /// # Errors
    /// If it ends or does not answer; the error repeats its last words.
    pub async fn start(program: &Path, dir: &Path, arguments: &[&str]) -> eyre::Result<Self> {
        let listen = free_address()?;
        let log = dir.join("log");
        let out = || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(&log) };
        let process = Command::new(program)
            .args(arguments)
            .args(["--rpc-listen", &listen.to_string()])
            // The last words are the error, not where it came from.
            .envs([("RUST_BACKTRACE", "0"), ("RUST_LIB_BACKTRACE", "0")])
            .stdin(Stdio::null())
            .stdout(out()?)
            .stderr(out()?)
            .spawn()?;
        let mut child = Self { process, log, l2: L2::connect(&format!("http://{listen}"))? };
        let provider = child.l2.provider.clone();
        until("the node answers", PROVEN, || {
            let ended = child.ended();
            let provider = provider.clone();
            async move {
                ended?;
                // Nobody listens yet.
                Ok(provider.get_chainid().await.ok())
            }
        })
        .await?;
        Ok(child)
    }

    /// Fails if the process is gone.
    fn ended(&mut self) -> eyre::Result<()> {
        match self.process.try_wait()? {
            Some(status) => eyre::bail!("the node ended, {status}: {}", last_words(&self.log)),
            None => Ok(()),
        }
    }

    /// Sends a signal, if the process has not ended.
    fn signal(&mut self, name: &str) -> eyre::Result<()> {
        if self.process.try_wait()?.is_none() {
            let pid = self.process.id().to_string();
            let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
            eyre::ensure!(sent.success(), "no process {pid}");
        }
        Ok(())
    }

    /// Asks the process to end and waits until it has.
    ///
    /// # Errors
    /// If it does not end, or with an error.
    pub async fn terminate(mut self) -> eyre::Result<()> {
        self.ask_to_end()?;
        let Ended { code, log } = self.end().await?;
        eyre::ensure!(code == Some(0), "{code:?}: {log}");
        Ok(())
    }

    /// Asks the process to end, without waiting for it.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub fn ask_to_end(&mut self) -> eyre::Result<()> {
        self.signal("TERM")
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// If there is none.
    pub async fn end(mut self) -> eyre::Result<Ended> {
        let status = until("the node ends", SOON, || {
            let status = self.process.try_wait();
            async move { Ok(status?) }
        })
        .await?;
        Ok(Ended { code: status.code(), log: last_words(&self.log) })
    }

    /// The last words of its log so far.
    #[must_use]
    pub fn last_words(&self) -> String {
        last_words(&self.log)
    }

    /// Waits until the process has ended by itself with an error; its last words.
    ///
    /// # Errors
    /// If it goes on, or ends well.
    pub async fn fails(mut self) -> eyre::Result<String> {
        let status = until("the node gives up", SOON, || {
            let status = self.process.try_wait();
            async move { Ok(status?) }
        })
        .await?;
        let words = last_words(&self.log);
        eyre::ensure!(!status.success(), "the node ended well: {words}");
        Ok(words)
    }

    /// Kills the process as the machine's failure would: nothing is flushed, nobody is told.
    ///
    /// # Errors
    /// If it had ended by itself.
    pub fn kill(mut self) -> eyre::Result<()> {
        self.ended()?;
        // SIGKILL.
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A devnet ends its L1 only if it is asked to end.
        if self.signal("TERM").is_ok() {
            let end = Instant::now() + GRACE;
            while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the node's last words: {}", last_words(&self.log));
        }
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(LAST_WORDS)..]).into_owned()
}
