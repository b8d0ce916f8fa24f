//! `cairn setup`: the keys of all configured shapes.

use std::io::Write;

use cairn_prover::{Circuit, load_or_setup, store};

use crate::{cli::SetupArgs, progress::Bars};

/// Makes what is missing and says where the keys lie.
///
/// # Errors
/// If a key cannot be made, read or written.
pub fn run(args: &SetupArgs) -> eyre::Result<()> {
    let config = super::load(&args.config, &[])?;
    let dir = config.prover.keys_dir();
    let mut shapes = if args.shapes.is_empty() { config.prover.shapes } else { args.shapes.clone() };
    // Smallest first, as a node makes them.
    shapes.sort_unstable();
    shapes.dedup();
    tracing::warn!("a single-party setup is for development only: who ran it could forge proofs");
    let mut out = std::io::stdout();
    for shape in shapes {
        let circuit = shape.circuit();
        let recorded = circuit.record();
        let path = store::path(&dir, recorded.digest());
        let key = load_or_setup(&dir, recorded, &Bars::of(shape.to_string()))?;
        let bytes = std::fs::metadata(&path)?.len();
        writeln!(
            out,
            "shape {shape}: {} constraints, {} committed wires, key {} ({bytes} bytes), verifying key {}",
            key.circuit.shape().constraints,
            key.circuit.shape().committed,
            path.display(),
            key.vk.digest()
        )?;
    }
    Ok(())
}
