//! The `cairn` binary.

use clap::Parser;

fn main() -> eyre::Result<()> {
    cairn_node::commands::run(cairn_node::cli::Cli::parse())
}
