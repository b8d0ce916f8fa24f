//! A local chain for development and tests: an anvil process that lives as long as its handle.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use super::account::{Account, AccountError, DEVELOPMENT_MNEMONIC};

/// Longest wait for the chain to answer.
const START_LIMIT: Duration = Duration::from_secs(30);
/// What anvil prints before its address, once it accepts connections.
const READY: &str = "Listening on ";
/// Largest amount of anvil's last words that an error repeats, in bytes.
const LAST_WORDS: u64 = 4096;

/// How the chain runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnvilOptions {
    /// The program; without one it is looked for, see [`find_anvil`].
    pub program: Option<PathBuf>,
    /// 0 is a free port.
    pub port: u16,
    /// Seconds between blocks; without one, a block for each transaction.
    pub block_time_s: Option<u64>,
    /// No blocks unless asked for: `evm_mine` makes one.
    pub no_mining: bool,
    /// Number of the chain; without one, 31337.
    pub chain_id: Option<u64>,
    /// Further arguments.
    pub arguments: Vec<String>,
}

/// Why there is no local chain.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    #[error("anvil was not found; looked at {looked_at:?}; `npm ci --prefix contracts` installs it")]
    NotFound { looked_at: Vec<PathBuf> },
    #[error("{program} cannot be started: {source}")]
    Start { program: PathBuf, source: std::io::Error },
    #[error("{program} ended before it accepted connections: {last_words}")]
    Ended { program: PathBuf, last_words: String },
    #[error("{program} accepted no connection within {limit:?}")]
    NotReady { program: PathBuf, limit: Duration },
}

/// A running chain. Dropping it ends the process and forgets the chain; if this process is killed, anvil stays.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    address: String,
}

impl Anvil {
    /// Starts a chain and returns when it accepts connections. Blocks the thread for about a second.
    ///
    /// # Errors
    /// If anvil is not found, does not start or ends at once, for example because the port is taken.
    pub fn start(options: &AnvilOptions) -> Result<Self, AnvilError> {
        let program = match &options.program {
            Some(path) => native(path),
            None => find_anvil()?,
        };
        let mut command = Command::new(&program);
        command.args(["--host", "127.0.0.1", "--port", &options.port.to_string()]);
        command.args(["--mnemonic", DEVELOPMENT_MNEMONIC]);
        if let Some(seconds) = options.block_time_s {
            command.args(["--block-time", &seconds.to_string()]);
        }
        if options.no_mining {
            command.arg("--no-mining");
        }
        if let Some(id) = options.chain_id {
            command.args(["--chain-id", &id.to_string()]);
        }
        command.args(&options.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|source| AnvilError::Start { program: program.clone(), source })?;
        let (Some(stdout), stderr) = (child.stdout.take(), child.stderr.take()) else {
            // Both were asked for above.
            end(&mut child);
            return Err(AnvilError::Ended { program, last_words: String::new() });
        };
        match first_address(stdout) {
            Ok(address) => {
                // Whoever does not read fills the pipe and stops the process.
                if let Some(stderr) = stderr {
                    drain(stderr);
                }
                Ok(Self { child, address })
            }
            Err(RecvTimeoutError::Timeout) => {
                end(&mut child);
                Err(AnvilError::NotReady { program, limit: START_LIMIT })
            }
            Err(RecvTimeoutError::Disconnected) => {
                end(&mut child);
                let mut last_words = Vec::new();
                if let Some(stderr) = stderr {
                    // What cannot be read is left out.
                    let _ = stderr.take(LAST_WORDS).read_to_end(&mut last_words);
                }
                let last_words = String::from_utf8_lossy(&last_words).trim().to_owned();
                Err(AnvilError::Ended { program, last_words })
            }
        }
    }

    /// The chain's address over HTTP.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The chain's address over WebSocket.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// A well-known account with 10,000 ETH; there are ten.
    ///
    /// # Errors
    /// If the index is no index of a derivation.
    pub fn account(index: u32) -> Result<Account, AccountError> {
        Account::development(index)
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends the process and waits for it. One that has ended already is left alone.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads until the line with the address, then goes on reading, so that the pipe never fills.
fn first_address(stdout: ChildStdout) -> Result<String, RecvTimeoutError> {
    let (found, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        if let Some(address) = lines.find_map(|line| line.strip_prefix(READY).map(str::to_owned)) {
            let _ = found.send(address);
        }
        drop(found);
        lines.for_each(drop);
    });
    wait.recv_timeout(START_LIMIT)
}

fn drain(mut pipe: impl Read + Send + 'static) {
    std::thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
}

/// Looks for anvil on PATH, then in `contracts/node_modules` of the current directory and those above it, then where
/// this program was compiled.
///
/// # Errors
/// If it is nowhere; the error lists the places.
pub fn find_anvil() -> Result<PathBuf, AnvilError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let here = env::current_dir().unwrap_or_default();
    let compiled = Path::new(cairn_contracts::ARTIFACTS_DIR).with_file_name("node_modules/.bin");
    let directories = env::split_paths(&path)
        .chain(here.ancestors().map(|d| d.join("contracts/node_modules/.bin")))
        .chain([compiled]);
    let looked_at: Vec<_> = directories.map(|d| d.join("anvil")).collect();
    let found = looked_at.iter().find(|p| p.is_file()).map(|p| native(p));
    found.ok_or(AnvilError::NotFound { looked_at })
}

/// What npm installs as `anvil` is a script that starts the program: ending the script would leave the program running.
/// This is the program of the script, or the path itself if it is no such script.
fn native(path: &Path) -> PathBuf {
    let find = || {
        let script = path.canonicalize().ok().filter(|p| p.extension().is_some_and(|e| e == "mjs"))?;
        let packages = script.parent()?.parent()?;
        let names = packages.read_dir().ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let of_platform =
            names.filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("anvil-")));
        of_platform.map(|p| p.join("bin/anvil")).find(|p| p.is_file())
    };
    find().unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_two_chains_at_once() {
        let (a, b) = (Anvil::start(&AnvilOptions::default()), Anvil::start(&AnvilOptions::default()));
        assert_ne!(a.unwrap().url(), b.unwrap().url());
    }

    #[test]
    fn prop_a_dropped_chain_is_gone() {
        let anvil = Anvil::start(&AnvilOptions::default()).unwrap();
        let address = anvil.address.clone();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        drop(anvil);
        assert!(std::net::TcpStream::connect(&address).is_err());
    }

    #[test]
    fn rejects_a_port_in_use() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = Anvil::start(&AnvilOptions { port, ..AnvilOptions::default() }).unwrap_err();
        assert!(matches!(&error, AnvilError::Ended { last_words, .. } if !last_words.is_empty()), "{error}");
    }

    #[test]
    fn rejects_a_program_that_is_not_there() {
        let options = AnvilOptions { program: Some("/nowhere/anvil".into()), ..AnvilOptions::default() };
        assert!(matches!(Anvil::start(&options), Err(AnvilError::Start { .. })));
    }
}
