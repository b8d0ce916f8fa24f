//! The benchmark's report: a table for people, JSON for programs.

use std::io::{self, Write};

use cairn_prover::bench::BenchRow;
use serde::Serialize;

/// Where it was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub cpu: String,
    pub memory_bytes: u64,
}

/// What one more transfer costs: the last run less the first, by the difference of their sizes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Marginal {
    pub constraints: f64,
    pub prove_s: f64,
}

/// All runs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    pub runs: Vec<BenchRow>,
    /// Needs two runs.
    pub marginal: Option<Marginal>,
}

impl Report {
    /// The report of `runs` on this machine.
    #[must_use]
    pub fn new(runs: Vec<BenchRow>) -> Self {
        let marginal = match (runs.first(), runs.last()) {
            (Some(first), Some(last)) if last.transfers > first.transfers => {
                let by = (last.transfers - first.transfers) as f64;
                Some(Marginal {
                    constraints: (last.constraints - first.constraints) as f64 / by,
                    prove_s: (last.prove_s - first.prove_s) / by,
                })
            }
            _ => None,
        };
        Self { machine: machine(), runs, marginal }
    }
}

/// This machine.
pub(super) fn machine() -> Machine {
    let read = |path, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
    };
    let kib = read("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<u64>().unwrap_or_default();
    Machine {
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        cpu: read("/proc/cpuinfo", "model name"),
        memory_bytes: kib * 1024,
    }
}

/// Writes the table.
///
/// # Errors
/// If the writer fails.
pub fn write_table(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let m = &report.machine;
    writeln!(out, "{} cores, {}, {:.0} GiB", m.cores, m.cpu, m.memory_bytes as f64 / (1u64 << 30) as f64)?;
    writeln!(
        out,
        "{:>9} {:>11} {:>10} {:>8} {:>8} {:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "transfers",
        "constraints",
        "committed",
        "setup s",
        "key MB",
        "witness s",
        "prove s",
        "verify ms",
        "peak MiB",
        "gas seq.",
        "gas ver.",
        "gas/tx"
    )?;
    for r in &report.runs {
        writeln!(
            out,
            "{:>9} {:>11} {:>10} {:>8.1} {:>8.0} {:>9.2} {:>8.2} {:>9.2} {:>9} {:>9} {:>9} {:>9.0}",
            r.transfers,
            r.constraints,
            r.committed_wires,
            r.setup_s,
            r.key_bytes as f64 / 1e6,
            r.witness_s,
            r.prove_s,
            r.verify_ms,
            r.peak_rss_bytes >> 20,
            r.l1_gas_sequence,
            r.l1_gas_verify,
            r.l1_gas_per_tx
        )?;
    }
    if let Some(marginal) = report.marginal {
        writeln!(
            out,
            "one more transfer: {:.0} constraints, {:.2} s of proving",
            marginal.constraints, marginal.prove_s
        )?;
    }
    Ok(())
}
