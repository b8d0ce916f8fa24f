//! The functions count what the table says, and the documentation lists the table.

use std::collections::{BTreeMap, BTreeSet};

use cairn_protocol::resources::Resource;

use super::*;

const DOCS: &str = include_str!("../../../docs/operations.md");

fn count_everything() {
    info(ProofMode::Mock);
    heads(&Heads { trusted_block: 4, sealed_batch: 3, virtual_batch: 2, verified_batch: 1 });
    pool(1, 2);
    pool_accepted();
    pool_refused(&PoolError::AlreadyKnown);
    pool_dropped(&DropReason::Lifetime { seconds: 2, lifetime_s: 1 });
    block_produced(21_000);
    sequencer_step(Duration::from_millis(2));
    batch_closed(CloseReason::Age);
    open_batch(&Rows::ZERO.with(Resource::TreeRows, 1), &Rows::ZERO.with(Resource::TreeRows, 4));
    state_committed(Duration::from_millis(1));
    l1_settled(Lane::Sequence, 3, 100, Duration::from_secs(1));
    l1_failed(Lane::Verify);
    l1_fee_bumped();
    proof_made(ProofMode::Groth16, "8@6", Duration::from_secs(30));
    prover_keys("usable", 2);
    prover_queue(5);
    stage_retried("virtualizer");
    rpc_answered("eth_chainId", Some(-32602), Duration::from_micros(50));
    drop(ConnectionGauge::open());
    rpc_connection_refused();
    drop(SubscriptionGauge::open());
    rpc_rate_limited();
    rpc_answer_dropped();
    disk(1, 2);
}

fn render() -> String {
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        describe();
        count_everything();
    });
    handle.render()
}

#[test]
fn accepts_exactly_the_metrics_of_the_table() {
    let text = render();
    let (mut kinds, mut labels) = (BTreeMap::new(), BTreeMap::<&str, BTreeSet<&str>>::new());
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' ')) {
            kinds.insert(name, kind);
        } else if let Some((series, _)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) {
            let (name, rest) = series.split_once('{').unwrap_or((series, ""));
            let name =
                ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s)).unwrap_or(name);
            let names = rest.split("\",").filter_map(|l| l.split_once('=')).map(|(label, _)| label);
            labels.entry(name).or_default().extend(names.filter(|label| *label != "le"));
        }
    }
    let wanted: BTreeMap<&str, &str> = ALL
        .iter()
        .map(|m| {
            let kind = match m.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            (m.name, kind)
        })
        .collect();
    assert_eq!(kinds, wanted);
    for metric in ALL {
        assert_eq!(labels[metric.name], metric.labels.iter().copied().collect(), "{}", metric.name);
        assert!(text.contains(&format!("# HELP {} {}\n", metric.name, metric.help)), "{}", metric.name);
    }
    assert!(text.contains("cairn_head_batch{state=\"virtual\"} 2\n"), "{text}");
    for resource in Resource::ALL {
        let value = if resource == Resource::TreeRows { "0.25" } else { "0" };
        let line = format!("cairn_sequencer_open_batch_fill{{resource=\"{resource}\"}} {value}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.contains("cairn_rpc_connections 0\n"), "{text}");
}

#[test]
fn accepts_exactly_the_documented_metrics() {
    let documented: Vec<String> =
        DOCS.lines().filter(|line| line.starts_with("| `cairn_")).map(str::to_owned).collect();
    let row = |m: &Metric| {
        let labels =
            if m.labels.is_empty() { "–".to_owned() } else { format!("`{}`", m.labels.join("`, `")) };
        format!("| `{}` | {} | {labels} | {} |", m.name, format!("{:?}", m.kind).to_lowercase(), m.help)
    };
    let wanted: Vec<String> = ALL.iter().map(row).collect();
    assert_eq!(documented, wanted, "docs/operations.md must have:\n{}", wanted.join("\n"));
}
