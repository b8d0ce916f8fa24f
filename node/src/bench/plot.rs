//! The benchmark as a picture: proving time and L1 gas per transfer against batch size.

use std::path::Path;

use cairn_prover::bench::BenchRow;
use plotters::prelude::*;

/// Writes an SVG of two plots side by side.
///
/// # Errors
/// If the file cannot be written.
pub fn write_plot(path: &Path, runs: &[BenchRow]) -> eyre::Result<()> {
    let root = SVGBackend::new(path, (960, 400)).into_drawing_area();
    let failed = |e: &dyn std::fmt::Display| eyre::eyre!("{}: {e}", path.display());
    root.fill(&WHITE).map_err(|e| failed(&e))?;
    let (left, right) = root.split_horizontally(480);
    let series =
        |f: fn(&BenchRow) -> f64| runs.iter().map(|r| (r.transfers as f64, f(r))).collect::<Vec<_>>();
    line(&left, "seconds to prove a batch", &series(|r| r.prove_s)).map_err(|e| failed(&e))?;
    line(&right, "L1 gas per transfer", &series(|r| r.l1_gas_per_tx)).map_err(|e| failed(&e))?;
    root.present().map_err(|e| failed(&e))?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn line(area: &Area<'_>, title: &str, points: &[(f64, f64)]) -> Result<(), Box<dyn std::error::Error>> {
    let max = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).fold(0.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..max(|p| p.0), 0.0..max(|p| p.1))?;
    chart.configure_mesh().light_line_style(TRANSPARENT).x_desc("transfers in the batch").draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), &BLUE))?;
    chart.draw_series(points.iter().map(|p| Circle::new(*p, 4, BLUE.filled())))?;
    Ok(())
}
