//! What values may be, beyond their types. All faults are told at once.

use std::fmt::{self, Debug};

use cairn_protocol::resources::Resource;

use super::Config;
use crate::{
    rpc::NAMESPACES,
    shapes::{self, ShapeSpec},
};

/// A value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// As in `rpc.listen`.
    pub key: &'static str,
    pub value: String,
    pub allowed: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.key, self.value, self.allowed)
    }
}

pub(super) fn list(invalid: &[Invalid]) -> String {
    invalid.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The faults found so far.
#[derive(Default)]
struct Faults(Vec<Invalid>);

impl Faults {
    fn add(&mut self, key: &'static str, value: impl Debug, allowed: impl Into<String>) {
        self.0.push(Invalid { key, value: format!("{value:?}"), allowed: allowed.into() });
    }

    fn range<T>(&mut self, key: &'static str, value: T, low: u64, high: u64)
    where
        T: TryInto<u64> + Copy + Debug,
    {
        let inside = value.try_into().is_ok_and(|v| (low..=high).contains(&v));
        if !inside {
            self.add(key, value, format!("between {low} and {high}"));
        }
    }
}

/// Every fault of `config`.
pub(super) fn check(config: &Config) -> Vec<Invalid> {
    const BYTES: u64 = 1 << 30;
    const DAY_S: u64 = 24 * 60 * 60;
    let mut faults = Faults::default();
    rpc(config, &mut faults);
    let Config { pool, batch, l1, prover, health, shutdown, .. } = config;
    faults.range("pool.max_transactions", pool.max_transactions, 1, 10_000_000);
    faults.range("pool.max_per_account", pool.max_per_account, 1, 10_000_000);
    faults.range("pool.max_transaction_bytes", pool.max_transaction_bytes, 128, BYTES);
    faults.range("pool.lifetime_s", pool.lifetime_s, 0, 365 * DAY_S);
    faults.range("pool.min_gas_price_wei", pool.min_gas_price_wei, 0, i64::MAX.unsigned_abs());
    faults.range("pool.l1_gas_price_percent", pool.l1_gas_price_percent, 0, 1_000_000);
    faults.range("batch.max_age_s", batch.max_age_s, 0, DAY_S);
    faults.range("batch.min_age_ms", batch.min_age_ms, 0, 1_000 * DAY_S);
    faults.range("batch.max_gas", batch.max_gas, 30_000, i64::MAX.unsigned_abs());
    faults.range("batch.max_unproven", batch.max_unproven, 1, 1_000_000);
    faults.range("batch.group_blocks", batch.group_blocks, 1, 100_000);
    faults.range("batch.tick_ms", batch.tick_ms, 1, 60_000);
    faults.range(
        "batch.mock_capacity.transactions",
        batch.mock_capacity[Resource::Transactions],
        1,
        1_000_000,
    );
    faults.range("l1.poll_ms", l1.poll_ms, 1, 600_000);
    faults.range("l1.confirmations", l1.confirmations, 0, 10_000);
    faults.range("l1.bump_after_s", l1.bump_after_s, 1, DAY_S);
    faults.range("l1.max_sequence_batches", l1.max_sequence_batches, 1, 10_000);
    faults.range("l1.max_sequence_bytes", l1.max_sequence_bytes, 1, BYTES);
    faults.range("l1.max_verify_batches", l1.max_verify_batches, 1, 10_000);
    if !(l1.url.starts_with("http://") || l1.url.starts_with("https://")) {
        faults.add("l1.url", super::shown_url(&l1.url), "starts with http:// or https://");
    }
    for (file_key, file, key) in [
        ("l1.sequencer_key_file", &l1.sequencer_key_file, &l1.sequencer_key),
        ("l1.aggregator_key_file", &l1.aggregator_key_file, &l1.aggregator_key),
    ] {
        if let (Some(path), Some(_)) = (file, key) {
            faults.add(file_key, path, "the key itself is set too; one of them must go");
        }
    }
    listed(&prover.shapes, &mut faults);
    faults.range("health.l1_timeout_ms", health.l1_timeout_ms, 1, 60_000);
    faults.range("shutdown.grace_s", shutdown.grace_s, 1, 600);
    faults.0
}

fn listed(specs: &[ShapeSpec], faults: &mut Faults) {
    let names: Vec<String> = specs.iter().map(ToString::to_string).collect();
    let twice = (1..names.len()).find(|at| names[..*at].contains(&names[*at]));
    match twice {
        Some(at) => faults.add("prover.shapes", &names[at], "each shape once; 8 and \"8@6\" are the same"),
        None => {
            if let Err(error) = shapes::list(specs) {
                faults.add("prover.shapes", &names, error.to_string());
            }
        }
    }
}

fn rpc(config: &Config, faults: &mut Faults) {
    let rpc = &config.rpc;
    let bytes = (1_024, u64::from(u32::MAX));
    faults.range("rpc.max_request_bytes", rpc.max_request_bytes, bytes.0, bytes.1);
    faults.range("rpc.max_response_bytes", rpc.max_response_bytes, bytes.0, bytes.1);
    faults.range("rpc.max_connections", rpc.max_connections, 1, 100_000);
    faults.range("rpc.max_batch_entries", rpc.max_batch_entries, 1, 100_000);
    faults.range("rpc.max_subscriptions", rpc.max_subscriptions, 1, 100_000);
    faults.range("rpc.rate_limit_per_s", rpc.rate_limit_per_s, 0, 1_000_000);
    faults.range("rpc.rate_limit_burst", rpc.rate_limit_burst, 1, 1_000_000);
    faults.range("rpc.peer_rate_limit_per_s", rpc.peer_rate_limit_per_s, 0, 1_000_000);
    faults.range("rpc.peer_rate_limit_burst", rpc.peer_rate_limit_burst, 1, 1_000_000);
    faults.range("rpc.subscriber_timeout_ms", rpc.subscriber_timeout_ms, 1, 3_600_000);
    faults.range("rpc.subscriber_max_lag_blocks", rpc.subscriber_max_lag_blocks, 1, i64::MAX.unsigned_abs());
    faults.range("rpc.request_timeout_s", rpc.request_timeout_s, 1, 3_600);
    faults.range("rpc.gas_cap", rpc.gas_cap, 21_000, i64::MAX.unsigned_abs());
    faults.range("rpc.max_trace_bytes", rpc.max_trace_bytes, 1_024, u64::from(u32::MAX));
    faults.range("rpc.trace_timeout_ms", rpc.trace_timeout_ms, 1, 3_600_000);
    faults.range("rpc.max_traces", rpc.max_traces, 1, 1_000);
    // Each large request and its answer must fit.
    let one = u64::from(rpc.max_request_bytes).saturating_add(u64::from(rpc.max_response_bytes));
    faults.range("rpc.max_buffered_bytes", rpc.max_buffered_bytes, one, u64::from(u32::MAX));
    if let Some(url) = &rpc.sequencer_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        faults.add("rpc.sequencer_url", super::shown_url(url), "starts with http:// or https://");
    }
    for name in &rpc.namespaces {
        if !NAMESPACES.contains(&name.as_str()) {
            faults.add("rpc.namespaces", name, format!("one of {}", NAMESPACES.join(", ")));
        }
    }
    for origin in &rpc.cors_origins {
        let (scheme, host) = origin.split_once("://").unwrap_or_default();
        let origin_form = !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', ' ']);
        if origin != "*" && !(origin_form && origin.is_ascii()) {
            faults.add("rpc.cors_origins", origin, "\"*\" or an origin such as https://app.example");
        }
    }
    for host in &rpc.hosts {
        let name = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        if host != "*" && !name {
            faults.add("rpc.hosts", host, "\"*\" or a host name without a port");
        }
    }
}
