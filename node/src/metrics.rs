//! Every metric: its name, labels and meaning, and the functions that count. Nothing is counted anywhere else. Counting
//! before [`install`] does nothing. List for operators: docs/operations.md#metrics.

mod reasons;
#[cfg(test)]
mod tests;

use std::{sync::OnceLock, time::Duration};

use cairn_protocol::resources::Rows;
use cairn_sequencer::{
    batch::CloseReason,
    pool::{DropReason, PoolError},
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::{chain::Heads, config::ProofMode, settlement::Lane, stages::StageError};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

const fn count(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn level(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn seconds(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help }
}

const INFO: &str = "cairn_info";
const HEAD_BLOCK: &str = "cairn_head_block";
const HEAD_BATCH: &str = "cairn_head_batch";
const POOL: &str = "cairn_pool_transactions";
const POOL_ACCEPTED: &str = "cairn_pool_accepted_total";
const POOL_REFUSED: &str = "cairn_pool_refused_total";
const POOL_DROPPED: &str = "cairn_pool_dropped_total";
const BLOCKS: &str = "cairn_sequencer_blocks_total";
const TRANSACTIONS: &str = "cairn_sequencer_transactions_total";
const GAS: &str = "cairn_sequencer_gas_total";
const STEP_SECONDS: &str = "cairn_sequencer_step_seconds";
const BATCHES: &str = "cairn_sequencer_batches_total";
const FILL: &str = "cairn_sequencer_open_batch_fill";
const COMMIT_SECONDS: &str = "cairn_state_commit_seconds";
const L1_TRANSACTIONS: &str = "cairn_l1_transactions_total";
const L1_BATCHES: &str = "cairn_l1_batches_total";
const L1_GAS: &str = "cairn_l1_gas_total";
const L1_BUMPS: &str = "cairn_l1_fee_bumps_total";
const L1_SECONDS: &str = "cairn_l1_settle_seconds";
const PROOFS: &str = "cairn_prover_proofs_total";
const PROOF_SECONDS: &str = "cairn_prover_proof_seconds";
const PROVER_KEYS: &str = "cairn_prover_keys";
const PROVER_QUEUE: &str = "cairn_prover_queue";
const STAGE_RETRIES: &str = "cairn_stage_retries_total";
const RPC_REQUESTS: &str = "cairn_rpc_requests_total";
const RPC_ERRORS: &str = "cairn_rpc_errors_total";
const RPC_SECONDS: &str = "cairn_rpc_request_seconds";
const RPC_CONNECTIONS: &str = "cairn_rpc_connections";
const RPC_REFUSED: &str = "cairn_rpc_connections_refused_total";
const RPC_SUBSCRIPTIONS: &str = "cairn_rpc_subscriptions";
const RPC_LIMITED: &str = "cairn_rpc_rate_limited_total";
const RPC_DROPPED: &str = "cairn_rpc_answers_dropped_total";
const DATABASE_BYTES: &str = "cairn_database_bytes";
const DISK_FREE_BYTES: &str = "cairn_disk_free_bytes";

/// Every metric, in the order of the documentation.
pub const ALL: [Metric; 34] = [
    level(INFO, &["version", "proof_mode"], "1; the labels say what runs"),
    level(HEAD_BLOCK, &[], "last block of the trusted state"),
    level(HEAD_BATCH, &["state"], "last sealed, virtual (data on L1) and verified (proof on L1) batch"),
    level(
        POOL,
        &["state"],
        "transactions in the pool: pending (may go into a block) and queued (wait for a nonce)",
    ),
    count(POOL_ACCEPTED, &[], "transactions that the pool took"),
    count(POOL_REFUSED, &["reason"], "transactions that the pool refused"),
    count(POOL_DROPPED, &["reason"], "transactions that left the pool without a block"),
    count(BLOCKS, &[], "blocks made"),
    count(TRANSACTIONS, &[], "transactions in blocks"),
    count(GAS, &[], "gas used by blocks"),
    seconds(STEP_SECONDS, &[], "seconds for one step of the sequencer that made a block"),
    count(BATCHES, &["reason"], "batches sealed, by what closed them"),
    level(FILL, &["resource"], "how full the open batch is, 0 to 1, by what the circuit counts"),
    seconds(COMMIT_SECONDS, &[], "seconds to write a block, or a group of blocks, to disk"),
    count(
        L1_TRANSACTIONS,
        &["lane", "outcome"],
        "L1 transactions that are confirmed, and attempts that failed",
    ),
    count(L1_BATCHES, &["lane"], "batches that L1 accepted"),
    count(L1_GAS, &["lane"], "gas used on L1"),
    count(L1_BUMPS, &[], "L1 transactions sent again at a higher fee"),
    seconds(L1_SECONDS, &["lane"], "seconds from sending to confirmation on L1"),
    count(PROOFS, &["mode", "shape"], "proofs made, by the circuit shape they are made in"),
    seconds(PROOF_SECONDS, &["mode", "shape"], "seconds for a proof"),
    level(
        PROVER_KEYS,
        &["state"],
        "keys of circuit shapes: unused, waiting, making, registering (L1 has no verifier yet) and usable",
    ),
    level(PROVER_QUEUE, &[], "sealed batches without a proof"),
    count(STAGE_RETRIES, &["stage"], "steps of a stage that failed and are tried again"),
    count(
        RPC_REQUESTS,
        &["method"],
        "requests; entries of a batch are counted one by one, unknown methods as other",
    ),
    count(RPC_ERRORS, &["code"], "requests that were answered with an error"),
    seconds(RPC_SECONDS, &["method"], "seconds to answer a request"),
    level(RPC_CONNECTIONS, &[], "open connections, HTTP and WebSocket"),
    count(RPC_REFUSED, &[], "connections refused because there are too many"),
    level(RPC_SUBSCRIPTIONS, &[], "subscriptions"),
    count(RPC_LIMITED, &[], "requests refused by the rate limit"),
    count(RPC_DROPPED, &[], "answers replaced by an error because rpc.max_buffered_bytes wait for clients"),
    level(DATABASE_BYTES, &[], "bytes of the database's files"),
    level(DISK_FREE_BYTES, &[], "free bytes on the disk of the data directory"),
];

/// Upper bounds of the buckets of every histogram, in seconds.
const BUCKETS: [f64; 16] =
    [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// Why nothing is counted.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error("metrics: {0}")]
    Build(#[from] BuildError),
    #[error("metrics: another recorder is installed")]
    Installed,
}

/// Starts to count, for the whole process; a second call gives the same handle.
///
/// # Errors
/// If the process counts for somebody else.
pub fn install() -> Result<PrometheusHandle, MetricsError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
    let handle = recorder.handle();
    match metrics::set_global_recorder(recorder) {
        Ok(()) => {
            describe();
            Ok(HANDLE.get_or_init(|| handle).clone())
        }
        // Another thread was faster.
        Err(_) => HANDLE.get().cloned().ok_or(MetricsError::Installed),
    }
}

/// How often what was measured is put into buckets, if nobody asks for it meanwhile.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds the memory of histograms until the node stops.
///
/// # Errors
/// None; the signature is that of a stage.
pub async fn upkeep(handle: PrometheusHandle, cancel: CancellationToken) -> Result<(), StageError> {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(UPKEEP) => handle.run_upkeep(),
        }
    }
}

fn describe() {
    for Metric { name, kind, help, .. } in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, help),
            Kind::Gauge => metrics::describe_gauge!(name, help),
            Kind::Histogram => metrics::describe_histogram!(name, help),
        }
    }
}

/// A number as a metric; above 2⁵³ it is rounded.
#[allow(clippy::cast_precision_loss, reason = "a metric is an approximation")]
const fn number(value: u64) -> f64 {
    value as f64
}

const fn lane_label(lane: Lane) -> &'static str {
    match lane {
        Lane::Sequence => "sequence",
        Lane::Verify => "verify",
    }
}

/// What runs.
pub fn info(mode: ProofMode) {
    gauge!(INFO, "version" => env!("CARGO_PKG_VERSION"), "proof_mode" => mode.to_string()).set(1.0);
}

/// How far the chain has come.
pub fn heads(heads: &Heads) {
    gauge!(HEAD_BLOCK).set(number(heads.trusted_block));
    let batches = [
        ("sealed", heads.sealed_batch),
        ("virtual", heads.virtual_batch),
        ("verified", heads.verified_batch),
    ];
    for (state, batch) in batches {
        gauge!(HEAD_BATCH, "state" => state).set(number(batch));
    }
}

/// What the pool holds.
pub fn pool(pending: usize, queued: usize) {
    gauge!(POOL, "state" => "pending").set(number(pending as u64));
    gauge!(POOL, "state" => "queued").set(number(queued as u64));
}

/// The pool took a transaction.
pub fn pool_accepted() {
    counter!(POOL_ACCEPTED).increment(1);
}

/// The pool refused a transaction.
pub fn pool_refused(error: &PoolError) {
    counter!(POOL_REFUSED, "reason" => reasons::pool(error)).increment(1);
}

/// A transaction left the pool without a block.
pub fn pool_dropped(reason: &DropReason) {
    counter!(POOL_DROPPED, "reason" => reasons::dropped(reason)).increment(1);
}

/// A block of one transaction is made.
pub fn block_produced(gas: u64) {
    counter!(BLOCKS).increment(1);
    counter!(TRANSACTIONS).increment(1);
    counter!(GAS).increment(gas);
}

/// A step of the sequencer made a block.
pub fn sequencer_step(elapsed: Duration) {
    histogram!(STEP_SECONDS).record(elapsed.as_secs_f64());
}

/// A batch closed.
pub fn batch_closed(reason: CloseReason) {
    counter!(BATCHES, "reason" => reasons::close(reason)).increment(1);
}

/// The open batch holds `counters` of what `capacity` allows.
pub fn open_batch(counters: &Rows, capacity: &Rows) {
    for (resource, used) in counters.iter() {
        gauge!(FILL, "resource" => resource.name()).set(number(used) / number(capacity[resource].max(1)));
    }
}

/// Blocks went to disk.
pub fn state_committed(elapsed: Duration) {
    histogram!(COMMIT_SECONDS).record(elapsed.as_secs_f64());
}

/// L1 accepted `batches` batches.
pub fn l1_settled(lane: Lane, batches: u64, gas_used: u64, elapsed: Duration) {
    let lane = lane_label(lane);
    counter!(L1_TRANSACTIONS, "lane" => lane, "outcome" => "confirmed").increment(1);
    counter!(L1_BATCHES, "lane" => lane).increment(batches);
    counter!(L1_GAS, "lane" => lane).increment(gas_used);
    histogram!(L1_SECONDS, "lane" => lane).record(elapsed.as_secs_f64());
}

/// An attempt to settle on L1 failed.
pub fn l1_failed(lane: Lane) {
    counter!(L1_TRANSACTIONS, "lane" => lane_label(lane), "outcome" => "failed").increment(1);
}

/// An L1 transaction is sent again at a higher fee.
pub fn l1_fee_bumped() {
    counter!(L1_BUMPS).increment(1);
}

/// A proof is made in a shape, or asserted.
pub fn proof_made(mode: ProofMode, shape: &str, elapsed: Duration) {
    let (mode, shape) = (mode.to_string(), shape.to_owned());
    counter!(PROOFS, "mode" => mode.clone(), "shape" => shape.clone()).increment(1);
    histogram!(PROOF_SECONDS, "mode" => mode, "shape" => shape).record(elapsed.as_secs_f64());
}

/// How many keys are in a state.
pub fn prover_keys(state: &'static str, keys: usize) {
    gauge!(PROVER_KEYS, "state" => state).set(number(keys as u64));
}

/// Sealed batches that have no proof.
pub fn prover_queue(batches: u64) {
    gauge!(PROVER_QUEUE).set(number(batches));
}

/// A stage failed for now.
pub fn stage_retried(stage: &'static str) {
    counter!(STAGE_RETRIES, "stage" => stage).increment(1);
}

/// A request was answered, with an error if there is a code. `method` is one that exists, or `other`.
pub fn rpc_answered(method: &'static str, error: Option<i32>, elapsed: Duration) {
    counter!(RPC_REQUESTS, "method" => method).increment(1);
    histogram!(RPC_SECONDS, "method" => method).record(elapsed.as_secs_f64());
    if let Some(code) = error {
        counter!(RPC_ERRORS, "code" => code.to_string()).increment(1);
    }
}

/// A connection is open as long as this lives.
pub struct ConnectionGauge(());

impl ConnectionGauge {
    /// Counts a connection.
    #[must_use]
    pub fn open() -> Self {
        gauge!(RPC_CONNECTIONS).increment(1.0);
        Self(())
    }
}

impl Drop for ConnectionGauge {
    fn drop(&mut self) {
        gauge!(RPC_CONNECTIONS).decrement(1.0);
    }
}

/// A connection was refused.
pub fn rpc_connection_refused() {
    counter!(RPC_REFUSED).increment(1);
}

/// A subscription runs as long as this lives.
pub struct SubscriptionGauge(());

impl SubscriptionGauge {
    /// Counts a subscription.
    #[must_use]
    pub fn open() -> Self {
        gauge!(RPC_SUBSCRIPTIONS).increment(1.0);
        Self(())
    }
}

impl Drop for SubscriptionGauge {
    fn drop(&mut self) {
        gauge!(RPC_SUBSCRIPTIONS).decrement(1.0);
    }
}

/// The rate limit refused a request.
pub fn rpc_rate_limited() {
    counter!(RPC_LIMITED).increment(1);
}

/// An answer had no room and became an error.
pub fn rpc_answer_dropped() {
    counter!(RPC_DROPPED).increment(1);
}

/// What the database takes and what is left.
pub fn disk(database_bytes: u64, free_bytes: u64) {
    gauge!(DATABASE_BYTES).set(number(database_bytes));
    gauge!(DISK_FREE_BYTES).set(number(free_bytes));
}
