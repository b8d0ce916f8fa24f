//! `cairn bench`: what batches of several sizes cost to prove and to settle.

use std::io::Write;

use crate::{
    bench::{Report, measure, write_plot, write_table},
    cli::BenchArgs,
};

/// Measures every size and writes the table; JSON and plot go to files if asked for.
///
/// # Errors
/// If a size cannot be measured or a file not written.
pub fn run(args: &BenchArgs) -> eyre::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut rows = Vec::with_capacity(args.transfers.len());
    for &transfers in &args.transfers {
        tracing::info!(transfers, "measuring");
        rows.push(runtime.block_on(measure(transfers))?);
    }
    let report = Report::new(rows);
    write_table(&mut std::io::stdout().lock(), &report)?;
    if let Some(path) = &args.json {
        let mut file = std::fs::File::create(path)?;
        serde_json::to_writer_pretty(&mut file, &report)?;
        writeln!(file)?;
    }
    if let Some(path) = &args.plot {
        write_plot(path, &report.runs)?;
    }
    Ok(())
}
