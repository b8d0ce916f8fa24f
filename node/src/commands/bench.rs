//! `cairn bench`: what batches of several sizes cost to prove and to settle.

use std::{io::Write, path::Path, time::Duration};

use crate::{
    bench::{
        Report, measure,
        rpc::{RpcBench, measure_rpc, write_rpc_report},
        write_plot, write_table,
    },
    cli::BenchArgs,
};

/// Measures every size and writes the table; JSON and plot go to files if asked for.
///
/// # Errors
/// If a size cannot be measured or a file not written.
pub fn run(args: &BenchArgs) -> eyre::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    if args.rpc {
        return run_rpc(&runtime, args);
    }
    let mut rows = Vec::with_capacity(args.transfers.len());
    for &transfers in &args.transfers {
        tracing::info!(transfers, "measuring");
        rows.push(runtime.block_on(measure(transfers))?);
    }
    let report = Report::new(rows);
    write_table(&mut std::io::stdout().lock(), &report)?;
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    if let Some(path) = &args.plot {
        write_plot(path, &report.runs)?;
    }
    Ok(())
}

fn run_rpc(runtime: &tokio::runtime::Runtime, args: &BenchArgs) -> eyre::Result<()> {
    let bench = RpcBench {
        duration: Duration::from_secs(args.seconds),
        accounts: args.accounts,
        senders: args.senders.max(args.connections),
        workers: args.connections.max(1),
        ready_for: args.ready_for,
    };
    let report = runtime.block_on(measure_rpc(bench))?;
    write_rpc_report(&mut std::io::stdout().lock(), &report)?;
    match &args.json {
        Some(path) => write_json(path, &report),
        None => Ok(()),
    }
}

fn write_json(path: &Path, report: &impl serde::Serialize) -> eyre::Result<()> {
    let mut file = std::fs::File::create(path)?;
    serde_json::to_writer_pretty(&mut file, report)?;
    Ok(writeln!(file)?)
}
