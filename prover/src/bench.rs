//! Time and memory of a run, as `cairn bench` reports them.

use std::{fs, io};

use serde::Serialize;

/// One row of the benchmark's table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BenchRow {
    pub transfers: u64,
    pub constraints: u64,
    pub committed_wires: u64,
    pub setup_s: f64,
    pub key_bytes: u64,
    pub witness_s: f64,
    pub prove_s: f64,
    pub verify_ms: f64,
    pub peak_rss_bytes: u64,
    pub l1_gas_sequence: u64,
    pub l1_gas_verify: u64,
    pub l1_gas_per_tx: f64,
}

/// Largest resident set of this process in bytes, since its start or the last [`reset_peak_rss`]. Linux only: elsewhere
/// an error of kind `NotFound`.
pub fn peak_rss_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/status has no VmHWM"))?;
    Ok(kib * 1024)
}

/// Starts a new measurement of [`peak_rss_bytes`] at the current resident set.
pub fn reset_peak_rss() -> io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

/// Processor time of this process so far in seconds, over all threads: other processes do not lengthen it.
pub fn cpu_seconds() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Fields after the command in parentheses; the 12th and 13th are user and system time in ticks of 10 ms.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().skip(11).take(2);
    let ticks: Option<u64> = fields.map(|f| f.parse::<u64>().ok()).sum();
    ticks
        .map(|t| t as f64 / 100.0)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/stat has no times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_reset_of_the_peak() {
        let large = vec![1u8; 64 << 20];
        let before = peak_rss_bytes().unwrap();
        assert!(before > 64 << 20 && large.iter().all(|b| *b == 1));
        drop(large);
        reset_peak_rss().unwrap();
        assert!(peak_rss_bytes().unwrap() < before);
    }
}
