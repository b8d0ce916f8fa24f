//! Whether the node lives and whether it is ready. Alive means that it answers; ready means that it can do its work, and
//! is looked into at most once a second, however often it is asked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::{
    runtime::Handle,
    task::{JoinError, JoinHandle},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    chain::{Chain, now},
    config::HealthSection,
    keys::KeyState,
    metrics,
    settlement::{Settlement, SettlementError},
    storage::{Kind, StorageError},
};

/// How long an answer is good.
const FRESH: Duration = Duration::from_secs(1);
/// Longest wait for the database.
const DATABASE_LIMIT: Duration = Duration::from_secs(2);

/// Why a node is not ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("the node is stopping")]
    Stopping,
    #[error("JSON-RPC is down")]
    RpcDown,
    #[error("stage {stage} failed: {error}")]
    StageFailed { stage: &'static str, error: String },
    #[error("the database cannot be written: {error}")]
    Database { error: String },
    #[error("the database did not take a record within {} ms", DATABASE_LIMIT.as_millis())]
    DatabaseSlow,
    #[error("L1 did not answer within {limit_ms} ms")]
    L1Slow { limit_ms: u128 },
    /// The cause is in the log: it may hold the endpoint's key.
    #[error("L1 does not answer")]
    L1Down,
    #[error("{free} bytes are free on the disk of the data directory, the floor is {floor}")]
    DiskSpace { free: u64, floor: u64 },
    #[error("free space on the disk of the data directory is not known: {error}")]
    DiskUnknown { error: String },
}

impl NotReady {
    /// One word for programs.
    const fn check(&self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::RpcDown => "rpc",
            Self::StageFailed { .. } => "stage",
            Self::Database { .. } | Self::DatabaseSlow => "database",
            Self::L1Slow { .. } | Self::L1Down => "l1",
            Self::DiskSpace { .. } | Self::DiskUnknown { .. } => "disk",
        }
    }
}

/// A reason as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    pub check: &'static str,
    pub reason: String,
}

/// The answer to `/ready`.
#[derive(Clone, Debug, Serialize)]
pub struct Readiness {
    pub ready: bool,
    pub reasons: Vec<Reason>,
}

/// The answer to `/health`.
#[derive(Clone, Debug, Serialize)]
pub struct Liveness {
    pub status: &'static str,
    pub version: &'static str,
    pub uptime_s: u64,
}

/// What was found last, and a look at the database that has not come back.
#[derive(Default)]
struct Probe {
    found: Option<(Instant, Vec<NotReady>)>,
    database: Option<JoinHandle<Result<(), StorageError>>>,
}

/// See the module.
pub struct Health {
    /// The node's own threads: however many calls wait for the server's, what is asked here is answered.
    runtime: Handle,
    chain: Arc<Chain>,
    l1: Arc<dyn Settlement>,
    data_dir: PathBuf,
    config: HealthSection,
    since: Instant,
    stopping: AtomicBool,
    rpc_down: AtomicBool,
    failed: Mutex<BTreeMap<&'static str, String>>,
    probe: tokio::sync::Mutex<Probe>,
}

impl Health {
    /// Looks after `chain`, whose database lies in `data_dir`, and L1.
    #[must_use]
    pub fn new(chain: Arc<Chain>, l1: Arc<dyn Settlement>, data_dir: &Path, config: HealthSection) -> Self {
        Self {
            runtime: Handle::current(),
            chain,
            l1,
            data_dir: data_dir.to_owned(),
            config,
            since: Instant::now(),
            stopping: AtomicBool::new(false),
            rpc_down: AtomicBool::new(false),
            failed: Mutex::default(),
            probe: tokio::sync::Mutex::default(),
        }
    }

    /// The node stops: it is not ready from now on.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the node serves JSON-RPC though it should.
    pub fn set_rpc(&self, up: bool) {
        self.rpc_down.store(!up, Ordering::Relaxed);
    }

    /// A stage ended with an error.
    pub fn stage_failed(&self, stage: &'static str, error: String) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(stage, error);
    }

    /// Alive, since this answers.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        Liveness {
            status: "alive",
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: self.since.elapsed().as_secs(),
        }
    }

    /// Whether the node can do its work, and every reason why not.
    pub async fn readiness(&self) -> Readiness {
        let mut found = Vec::new();
        if self.stopping.load(Ordering::Relaxed) {
            found.push(NotReady::Stopping);
        }
        if self.rpc_down.load(Ordering::Relaxed) {
            found.push(NotReady::RpcDown);
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        found.extend(failed.into_iter().map(|(stage, error)| NotReady::StageFailed { stage, error }));
        found.extend(self.looked_into().await);
        let reasons: Vec<_> =
            found.iter().map(|r| Reason { check: r.check(), reason: r.to_string() }).collect();
        Readiness { ready: reasons.is_empty(), reasons }
    }

    /// What has to be asked: the database, L1 and the disk. Those who ask at the same time wait for one look.
    async fn looked_into(&self) -> Vec<NotReady> {
        let mut probe = self.probe.lock().await;
        if let Some((at, found)) = &probe.found
            && at.elapsed() < FRESH
        {
            return found.clone();
        }
        let (database, l1) = tokio::join!(self.database(&mut probe.database), self.l1());
        let found: Vec<_> = [database, l1, self.disk().await].into_iter().filter_map(Result::err).collect();
        probe.found = Some((Instant::now(), found.clone()));
        found
    }

    /// Writes a record. A write that hangs is waited for again the next time: there is never a second one.
    async fn database(
        &self,
        pending: &mut Option<JoinHandle<Result<(), StorageError>>>,
    ) -> Result<(), NotReady> {
        let write = pending.get_or_insert_with(|| {
            let chain = Arc::clone(&self.chain);
            self.runtime.spawn_blocking(move || {
                chain.storage().set(Kind::Probe, &[], &now().map_or(0, |now| now.as_secs()))
            })
        });
        let Ok(done) = tokio::time::timeout(DATABASE_LIMIT, write).await else {
            return Err(NotReady::DatabaseSlow);
        };
        *pending = None;
        let error = match done {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Err(NotReady::Database { error })
    }

    async fn l1(&self) -> Result<(), NotReady> {
        let (limit, l1) = (self.config.l1_timeout(), Arc::clone(&self.l1));
        // Its connections are those of the stages: they must not end with the server.
        let asked = AbortOnDropHandle::new(self.runtime.spawn(async move { l1.gas_price_wei().await }));
        let ended = |error: JoinError| Err(SettlementError::Unavailable { source: error.into() });
        let answered = tokio::time::timeout(limit, asked).await;
        match answered.map(|joined| joined.unwrap_or_else(ended)) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "L1 does not answer");
                Err(NotReady::L1Down)
            }
            Err(_) => Err(NotReady::L1Slow { limit_ms: limit.as_millis() }),
        }
    }

    async fn disk(&self) -> Result<(), NotReady> {
        let dir = self.data_dir.clone();
        let free = self.runtime.spawn_blocking(move || free_bytes(&dir)).await;
        let floor = self.config.min_free_disk_bytes;
        match free {
            Ok(Ok(free)) if free < floor => Err(NotReady::DiskSpace { free, floor }),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotReady::DiskUnknown { error: error.to_string() }),
            Err(error) => Err(NotReady::DiskUnknown { error: error.to_string() }),
        }
    }

    /// Metrics as text, levels of the chain among them.
    ///
    /// # Errors
    /// If the node stops.
    pub async fn metrics(self: &Arc<Self>, recorder: PrometheusHandle) -> Result<String, JoinError> {
        let this = Arc::clone(self);
        // Waits for the pool's lock and reads a directory.
        let render = move || {
            this.observe();
            recorder.render()
        };
        self.runtime.spawn_blocking(render).await
    }

    /// Sets the metrics that are levels of the chain, not events.
    fn observe(&self) {
        metrics::heads(&self.chain.heads());
        let pool = self.chain.with_pool(cairn_sequencer::pool::Pool::status);
        metrics::pool(pool.pending, pool.queued);
        for (state, keys) in KeyState::count(self.chain.feed.shapes().map(|(_, state)| state)) {
            metrics::prover_keys(state, keys);
        }
        metrics::disk(
            directory_bytes(&self.data_dir.join("chain")),
            free_bytes(&self.data_dir).unwrap_or_default(),
        );
    }
}

fn free_bytes(dir: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes of the files right in `dir`; those that vanish meanwhile do not count.
fn directory_bytes(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(std::fs::Metadata::is_file).map(|m| m.len()).sum()
}
