//! Pushes the overview to those who watch, and remembers a few minutes of it for those who come later. However many
//! watch, the overview is read at most four times a second; a slow reader gets the latest one, not all of them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use cairn_sequencer::shapes::{ListedShape, Shapes};
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::status::{Status, status};
use crate::{
    chain::{Chain, ChainError},
    keys::{KeyRing, KeyState},
    records::now_ms,
    settlement::{Contracts, Verifier},
    stages::StageError,
};

/// Between two looks.
const TICK: Duration = Duration::from_millis(250);
/// Between two samples, in milliseconds.
const SAMPLE_MS: u64 = 1_000;
/// Samples that are kept: ten minutes.
const SAMPLES: usize = 600;

/// The load at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Unix time in milliseconds.
    pub time_ms: u64,
    /// Transactions in blocks since genesis.
    pub transactions: u64,
    pub pending: usize,
    pub queued: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Feed {
    contracts: Mutex<Option<Contracts>>,
    prover: OnceLock<(Shapes, Option<Arc<KeyRing>>)>,
    latest: watch::Sender<Option<Arc<Status>>>,
    samples: Mutex<VecDeque<Sample>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            contracts: Mutex::default(),
            prover: OnceLock::new(),
            latest: watch::Sender::new(None),
            samples: Mutex::new(VecDeque::with_capacity(SAMPLES)),
        }
    }
}

impl Feed {
    /// Says where the rollup is on L1, and in which shapes its batches are proven; of the latter the first word stands.
    pub fn describe(&self, contracts: Option<Contracts>, shapes: Shapes, keys: Option<Arc<KeyRing>>) {
        *self.lock_contracts() = contracts;
        let _ = self.prover.set((shapes, keys));
    }

    /// L1 has the verifier of a shape.
    pub fn add_verifier(&self, verifier: Verifier) {
        if let Some(contracts) = self.lock_contracts().as_mut()
            && !contracts.verifiers.contains(&verifier)
        {
            contracts.verifiers.push(verifier);
        }
    }

    /// Where the rollup is on L1.
    pub fn contracts(&self) -> Option<Contracts> {
        self.lock_contracts().clone()
    }

    fn lock_contracts(&self) -> MutexGuard<'_, Option<Contracts>> {
        // What is written is written whole: a poisoned one is still right.
        self.contracts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shapes that batches are proven in, smallest first, each with how far its key is; none before they were
    /// described.
    pub fn shapes(&self) -> impl Iterator<Item = (&ListedShape, KeyState)> {
        self.prover.get().into_iter().flat_map(|(shapes, keys)| {
            // What needs no key is ready.
            let state = move |id| keys.as_ref().map_or(KeyState::Usable, |keys| keys.state(id));
            shapes.iter().map(move |shape| (shape, state(shape.id)))
        })
    }

    /// The overview whenever it has changed; none until then.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Status>>> {
        self.latest.subscribe()
    }

    /// The last minutes, oldest first.
    pub fn samples(&self) -> Vec<Sample> {
        // A push leaves no half-changed queue: a poisoned one is still right.
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn sample(&self, chain: &Chain) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let time_ms = now_ms();
        if samples.back().is_some_and(|last| (last.time_ms..last.time_ms + SAMPLE_MS).contains(&time_ms)) {
            return;
        }
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        let pool = chain.with_pool(cairn_sequencer::pool::Pool::status);
        samples.push_back(Sample {
            time_ms,
            // One transaction is one block.
            transactions: chain.heads().trusted_block,
            pending: pool.pending,
            queued: pool.queued,
        });
    }

    /// Looks once.
    fn look(&self, chain: &Chain) -> Result<(), ChainError> {
        self.sample(chain);
        if self.latest.receiver_count() == 0 {
            // Who comes next shall not be told what was true when the last one left.
            self.latest.send_replace(None);
            return Ok(());
        }
        let new = status(chain)?;
        self.latest.send_if_modified(|latest| {
            let changed = !latest.as_ref().is_some_and(|old| old.is_as(&new));
            if changed {
                *latest = Some(Arc::new(new));
            }
            changed
        });
        Ok(())
    }
}

/// Feeds until the node shuts down.
///
/// # Errors
/// If the storage fails.
pub async fn run(chain: Arc<Chain>, cancel: CancellationToken) -> Result<(), StageError> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let chain = Arc::clone(&chain);
        tokio::task::spawn_blocking(move || chain.feed.look(&chain)).await??;
    }
}
