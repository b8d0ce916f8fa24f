//! The parts that run, and how they stop: one after the other, each in a part of the time that is left, so that one that
//! hangs takes none of the others' chance. What does not stop is named.

use std::{collections::HashMap, future::Future, sync::Arc};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{http::health::Health, stages::StageError};

/// How a stage ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum StageFailure {
    #[error("stage {stage}: {source}")]
    Error { stage: &'static str, source: StageError },
    #[error("stage {stage} ended abnormally: {source}")]
    Panic { stage: &'static str, source: JoinError },
}

impl StageFailure {
    /// The stage.
    #[must_use]
    pub const fn stage(&self) -> &'static str {
        match self {
            Self::Error { stage, .. } | Self::Panic { stage, .. } => stage,
        }
    }
}

/// Stages, in the order in which they were started: they stop in the same order.
#[derive(Default)]
pub struct Supervisor {
    running: JoinSet<Result<(), StageError>>,
    names: HashMap<Id, &'static str>,
    order: Vec<(&'static str, CancellationToken)>,
}

impl Supervisor {
    /// Starts a stage. It ends when its token is cancelled, and stops after those started before it.
    pub fn start<F>(&mut self, stage: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), StageError>> + Send + 'static,
    {
        let token = CancellationToken::new();
        let task = self.running.spawn(run(token.clone()));
        self.names.insert(task.id(), stage);
        self.order.push((stage, token));
    }

    /// The next stage to end, and why if not by itself; none if none runs.
    async fn ended(&mut self) -> Option<(&'static str, Option<StageFailure>)> {
        let ended = self.running.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        // Every task was given a name when it was started.
        let stage = self.names.remove(&id).unwrap_or("unknown");
        let failure = match ended {
            Ok((_, Ok(()))) => None,
            Ok((_, Err(source))) => Some(StageFailure::Error { stage, source }),
            Err(source) => Some(StageFailure::Panic { stage, source }),
        };
        Some((stage, failure))
    }

    /// Waits until the node is told to stop or a stage fails.
    pub async fn watch(&mut self, cancel: &CancellationToken, health: &Arc<Health>) -> Option<StageFailure> {
        loop {
            let ended = tokio::select! {
                () = cancel.cancelled() => return None,
                ended = self.ended() => ended,
            };
            match ended {
                Some((_, None)) => {}
                Some((stage, Some(failure))) => {
                    health.stage_failed(stage, failure.to_string());
                    return Some(failure);
                }
                // Nothing runs any more: there is nothing to wait for.
                None => return None,
            }
        }
    }

    /// Stops everything in order until `deadline`. Names of what did not stop; failures on the way are in the log.
    pub async fn stop(mut self, deadline: Instant) -> Vec<&'static str> {
        for (stage, token) in std::mem::take(&mut self.order) {
            token.cancel();
            let limit = share(deadline);
            while self.names.values().any(|running| *running == stage) {
                let Ok(ended) = tokio::time::timeout_at(limit, self.ended()).await else { break };
                match ended {
                    Some((stage, None)) => tracing::debug!(stage, "stopped"),
                    Some((_, Some(failure))) => tracing::error!(error = %failure, "while stopping"),
                    None => break,
                }
            }
        }
        // Those that a later one was waiting for may have ended meanwhile.
        while let Some(Some(_)) = futures::FutureExt::now_or_never(self.ended()) {}
        let mut left: Vec<_> = self.names.into_values().collect();
        left.sort_unstable();
        left
    }
}

/// When a part must have stopped: half of the time until `deadline` from now.
#[must_use]
pub fn share(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    fn stage(supervisor: &mut Supervisor, name: &'static str, needs: Duration, log: &Log) {
        let log = Arc::clone(log);
        supervisor.start(name, |token| async move {
            token.cancelled().await;
            log.lock().unwrap().push(name);
            tokio::time::sleep(needs).await;
            Ok(())
        });
    }

    #[tokio::test(start_paused = true)]
    async fn accepts_an_end_in_order() {
        let (mut supervisor, log) = (Supervisor::default(), Log::default());
        for name in ["sequencer", "prover", "virtualizer", "aggregator"] {
            stage(&mut supervisor, name, Duration::from_millis(100), &log);
        }
        let start = Instant::now();
        let left = supervisor.stop(start + Duration::from_secs(10)).await;
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(*log.lock().unwrap(), ["sequencer", "prover", "virtualizer", "aggregator"]);
        // One after the other: together they need what each needs.
        assert_eq!(start.elapsed().as_millis(), 400);
    }

    #[tokio::test(start_paused = true)]
    async fn rejects_to_wait_for_what_hangs_and_names_it() {
        let (mut supervisor, log) = (Supervisor::default(), Log::default());
        stage(&mut supervisor, "sequencer", Duration::from_secs(3_600), &log);
        stage(&mut supervisor, "prover", Duration::from_millis(1), &log);
        supervisor.start("virtualizer", |_| std::future::pending());
        stage(&mut supervisor, "aggregator", Duration::from_millis(1), &log);
        let start = Instant::now();
        let left = supervisor.stop(start + Duration::from_secs(10)).await;
        assert_eq!(left, ["sequencer", "virtualizer"]);
        assert_eq!(*log.lock().unwrap(), ["sequencer", "prover", "aggregator"]);
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn accepts_one_that_ends_late_but_in_time() {
        let (mut supervisor, log) = (Supervisor::default(), Log::default());
        // More than its share, and still before the last of the others.
        stage(&mut supervisor, "sequencer", Duration::from_secs(6), &log);
        stage(&mut supervisor, "prover", Duration::from_millis(1_500), &log);
        let left = supervisor.stop(Instant::now() + Duration::from_secs(10)).await;
        assert!(left.is_empty(), "{left:?}");
    }
}
