//! A node in a process of its own, which a test may kill.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child as Process, Command, Stdio},
};

use cairn_node::l1::{account::Account, deploy::Deployment};
use ethers::providers::Middleware;
use tempfile::TempDir;

use crate::{
    L1_ACCOUNTS,
    client::L2,
    keys::{SHAPES, keys_dir},
    l1::L1,
    node::quick_config,
    wait::{PROVEN, until},
};

/// Largest part of the log that an error repeats, in bytes.
const LAST_WORDS: usize = 4096;

/// What a node keeps when it dies: its data directory, configuration and log.
pub struct Home {
    program: PathBuf,
    dir: TempDir,
}

/// A running process. Dropping it kills it.
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
        let dir = tempfile::tempdir()?;
        let file = |name: &str| dir.path().join(name);
        let mut config = quick_config(&file("data"));
        config.l1.url = l1.url();
        config.prover.mock = mock;
        config.prover.shapes = SHAPES.to_vec();
        config.prover.keys_dir = Some(keys_dir()?);
        config.l1.deployment = Some(file("deployment.json"));
        std::fs::write(file("deployment.json"), serde_json::to_vec(deployment)?)?;
        let key = |name: &str, account| -> eyre::Result<Option<PathBuf>> {
            std::fs::write(file(name), Account::development(account)?.key().to_string())?;
            Ok(Some(file(name)))
        };
        config.l1.sequencer_key_file = key("sequencer.key", L1_ACCOUNTS[1])?;
        config.l1.aggregator_key_file = key("aggregator.key", L1_ACCOUNTS[2])?;
        std::fs::write(file("cairn.toml"), config.to_toml()?)?;
        Ok(Self { program: program.into(), dir })
    }

    /// Starts the node and waits until it answers.
    ///
    /// # Errors
    /// If it ends or does not answer; the error repeats its last words.
    pub async fn start(&self) -> eyre::Result<Child> {
        // Free now; whoever takes it before the node does makes the start fail.
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = self.dir.path().join("log");
        let out = || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(&log) };
        let process = Command::new(&self.program)
            .args(["--log", "info", "node", "--rpc-listen", &listen.to_string(), "--config"])
            .arg(self.dir.path().join("cairn.toml"))
            .stdin(Stdio::null())
            .stdout(out()?)
            .stderr(out()?)
            .spawn()?;
        let l2 = L2::connect(&format!("http://{listen}"))?;
        let mut child = Child { process, log, l2 };
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
}

impl Child {
    /// Fails if the process is gone.
    fn ended(&mut self) -> eyre::Result<()> {
        match self.process.try_wait()? {
            Some(status) => eyre::bail!("the node ended, {status}: {}", last_words(&self.log)),
            None => Ok(()),
        }
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
