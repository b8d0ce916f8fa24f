//! `cairn counts`: constraints per unit and per machine against their targets.

use std::io::Write;

use cairn_circuits::counts::Counts;

use crate::cli::CountsArgs;

/// Published R1CS costs and the targets of the design, per unit.
const TARGETS: [(&str, &str, u64); 4] = [
    ("keccak_f", "keccak-f[1600]", 28_000),
    ("signature", "secp256k1 public-key recovery", 50_000),
    ("leaf_update", "open and update one leaf", 11_000),
    ("transfer", "one ETH transfer, everything", 160_000),
];

/// Records the circuits, counts, and writes the table or JSON to standard output.
///
/// # Errors
/// If standard output is closed.
pub fn run(args: &CountsArgs) -> eyre::Result<()> {
    let counts = Counts::measure();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&counts)?)?;
        return Ok(());
    }
    let values = [counts.keccak_f, counts.signature, counts.leaf_update, counts.transfer];
    writeln!(out, "{:<34}{:>12}{:>12}", "unit", "constraints", "target")?;
    for ((_, unit, target), value) in TARGETS.iter().zip(values) {
        writeln!(out, "{unit:<34}{value:>12}{target:>12}")?;
    }
    writeln!(out, "\n{:<34}{:>12}{:>12}", "machine", "a transfer", "a batch")?;
    let names = counts.batch_by_machine.keys().chain(counts.transfer_by_machine.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    for name in names {
        let of = |m: &std::collections::BTreeMap<String, usize>| m.get(name).copied().unwrap_or_default();
        writeln!(
            out,
            "{name:<34}{:>12}{:>12}",
            of(&counts.transfer_by_machine),
            of(&counts.batch_by_machine)
        )?;
    }
    writeln!(out, "{:<34}{:>12}{:>12}", "all", counts.transfer, counts.batch)?;
    Ok(())
}
