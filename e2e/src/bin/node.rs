//! The `cairn` program under another name, so that cargo builds it with the tests that kill it.

use clap::Parser;

fn main() -> eyre::Result<()> {
    cairn_node::commands::run(cairn_node::cli::Cli::parse())
}
