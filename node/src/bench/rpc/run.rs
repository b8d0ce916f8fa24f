//! Sends transfers to a node and measures: as fast as it takes them, or at a fixed rate.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U64};
use jsonrpsee::{
    core::client::{ClientT, Error as ClientError},
    http_client::HttpClient,
    rpc_params,
};
use rayon::prelude::*;
use serde::Serialize;

use super::load::Accounts;

/// Pause of a worker after the pool refused for lack of room.
const FULL_PAUSE: Duration = Duration::from_millis(50);
/// How long the chain may take to empty its pool at the end.
const DRAIN: Duration = Duration::from_secs(60);
/// How long L1 may take to have all of it then.
const SETTLE: Duration = Duration::from_secs(600);

/// How transfers are sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each worker sends its next transfer when the last is answered.
    Closed,
    /// So many a second, whatever the answers do: a transfer's time counts from when it was due.
    Open { per_second: f64 },
}

/// What one run showed.
#[derive(Clone, Debug, Serialize)]
pub struct RpcRow {
    pub offered_per_s: Option<f64>,
    pub seconds: f64,
    pub accepted: u64,
    /// Transfers in written blocks, from the first sent to the last written.
    pub committed_per_s: f64,
    pub accepted_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// Answers "txpool is full", each followed by another try.
    pub pool_full: u64,
    /// Other refusals: there should be none.
    pub refused: u64,
    /// Of the run's blocks, how many L1 has verified (by mock proofs) when the last is written, in percent.
    pub settled_percent: f64,
    /// How long it takes from then until L1 has verified all of them.
    pub settled_after_s: f64,
}

/// What all workers of a run share.
struct Shared {
    pace: Pace,
    workers: usize,
    start: Instant,
    duration: Duration,
    full: AtomicU64,
    refused: AtomicU64,
}

/// One connection and its transfers, in order.
struct Worker {
    client: HttpClient,
    /// Of several senders, one after the other.
    transfers: Vec<String>,
}

/// The node under load.
pub struct Target {
    pub url: String,
    pub accounts: Accounts,
    pub workers: usize,
}

impl Target {
    fn client(&self) -> eyre::Result<HttpClient> {
        Ok(HttpClient::builder().request_timeout(Duration::from_secs(30)).build(&self.url)?)
    }

    async fn block_number(&self) -> eyre::Result<u64> {
        Ok(self.client()?.request::<U64, _>("eth_blockNumber", rpc_params![]).await?.to())
    }

    /// The next nonce of every sender.
    async fn nonces(&self) -> eyre::Result<Vec<u64>> {
        let client = self.client()?;
        let mut nonces = Vec::with_capacity(self.accounts.senders());
        for sender in 0..self.accounts.senders() {
            let address = self.accounts.address(sender);
            let params = rpc_params![address, "pending"];
            nonces.push(client.request::<U64, _>("eth_getTransactionCount", params).await?.to());
        }
        Ok(nonces)
    }

    /// Signs enough for `seconds` at `per_second`, each worker with senders of its own, nonce by nonce.
    fn sign(&self, nonces: &[u64], seconds: f64, per_second: f64) -> eyre::Result<Vec<Worker>> {
        let senders = self.accounts.senders();
        let each = ((seconds * per_second) / senders as f64).ceil() as u64 + 1;
        let accounts = &self.accounts;
        let signed = (0..senders)
            .into_par_iter()
            .map(|sender| accounts.transfers(sender, nonces[sender], each))
            .collect::<Result<Vec<_>, _>>()?;
        let mut workers = Vec::with_capacity(self.workers);
        for worker in 0..self.workers {
            let mut mine: Vec<_> =
                signed.iter().skip(worker).step_by(self.workers).map(|list| list.iter()).collect();
            let mut transfers = Vec::new();
            // Round robin over the worker's senders, so that a block holds many senders.
            for _ in 0..each {
                transfers.extend(mine.iter_mut().filter_map(Iterator::next).cloned());
            }
            workers.push(Worker { client: self.client()?, transfers });
        }
        Ok(workers)
    }

    /// One run. `expected` is how many a second to be ready for.
    ///
    /// # Errors
    /// If the node does not answer or does not empty its pool.
    pub async fn run(&self, pace: Pace, duration: Duration, expected: f64) -> eyre::Result<RpcRow> {
        let nonces = self.nonces().await?;
        let workers = self.sign(&nonces, duration.as_secs_f64(), expected)?;
        let first_block = self.block_number().await?;
        let start = Instant::now();
        let shared = Arc::new(Shared {
            pace,
            workers: workers.len(),
            start,
            duration,
            full: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        });
        let tasks: Vec<_> = workers
            .into_iter()
            .enumerate()
            .map(|(index, worker)| tokio::spawn(worker.send(index, Arc::clone(&shared))))
            .collect();
        let mut latencies: Vec<Duration> = Vec::new();
        for task in tasks {
            latencies.extend(task.await??);
        }
        let seconds = start.elapsed().as_secs_f64();
        let accepted = latencies.len() as u64;
        let last_block = first_block + accepted;
        let drained = self.drained(last_block, start).await?;
        let (at_the_end, settled_after_s) = self.settled(last_block).await?;
        let settled = at_the_end.min(last_block).saturating_sub(first_block);
        latencies.sort_unstable();
        let at = |q: f64| {
            let index = ((latencies.len() as f64 - 1.0).max(0.0) * q).round() as usize;
            latencies.get(index).map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        Ok(RpcRow {
            offered_per_s: match pace {
                Pace::Closed => None,
                Pace::Open { per_second } => Some(per_second),
            },
            seconds,
            accepted,
            committed_per_s: accepted as f64 / drained,
            accepted_per_s: accepted as f64 / seconds,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            pool_full: shared.full.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            settled_percent: 100.0 * settled as f64 / accepted.max(1) as f64,
            settled_after_s,
        })
    }

    /// Waits until `block` is written; seconds since `start`.
    async fn drained(&self, block: u64, start: Instant) -> eyre::Result<f64> {
        let end = Instant::now() + DRAIN;
        loop {
            let head = self.block_number().await?;
            if head >= block {
                return Ok(start.elapsed().as_secs_f64());
            }
            eyre::ensure!(Instant::now() < end, "the chain is at block {head}, {block} were accepted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Target {
    /// Waits until L1 has verified `block`: up to which block it had at first, and the seconds since.
    async fn settled(&self, block: u64) -> eyre::Result<(u64, f64)> {
        let (client, start) = (self.client()?, Instant::now());
        let mut first = None;
        loop {
            let verified: U64 = client.request("zkevm_consolidatedBlockNumber", rpc_params![]).await?;
            let verified: u64 = verified.to();
            let first = *first.get_or_insert(verified);
            if verified >= block {
                return Ok((first, start.elapsed().as_secs_f64()));
            }
            let within = start.elapsed() < SETTLE;
            eyre::ensure!(
                within,
                "L1 has verified block {verified}, {block} within {SETTLE:?} were expected"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Worker {
    /// Sends until the time is over; how long each accepted transfer took.
    async fn send(self, index: usize, shared: Arc<Shared>) -> eyre::Result<Vec<Duration>> {
        let Shared { pace, workers, start, duration, full, refused } = shared.as_ref();
        let mut taken = Vec::with_capacity(self.transfers.len());
        for (n, raw) in self.transfers.iter().enumerate() {
            let due = match *pace {
                Pace::Closed => Instant::now(),
                Pace::Open { per_second } => {
                    let place = (n * workers + index) as f64;
                    let due = *start + Duration::from_secs_f64(place / per_second);
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
            };
            if start.elapsed() >= *duration {
                break;
            }
            loop {
                match self.client.request::<B256, _>("eth_sendRawTransaction", rpc_params![raw]).await {
                    Ok(_) => {
                        taken.push(due.elapsed());
                        break;
                    }
                    Err(ClientError::Call(e)) if e.message().starts_with("txpool is full") => {
                        full.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(FULL_PAUSE).await;
                    }
                    Err(ClientError::Call(e)) => {
                        tracing::warn!(code = e.code(), message = e.message(), "refused");
                        refused.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    Err(e) => return Err(e.into()),
                }
            }
        }
        Ok(taken)
    }
}
