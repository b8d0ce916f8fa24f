//! `cairn config`.

use std::io::Write;

use crate::cli::ConfigArgs;

/// Writes the configuration in force.
///
/// # Errors
/// If the file cannot be read or standard output is closed.
pub fn run(args: &ConfigArgs) -> eyre::Result<()> {
    let text = super::load(args, &[])?.to_toml()?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
