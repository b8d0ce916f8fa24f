//! The `cairn` binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cairn_node::commands::main(cairn_node::cli::Cli::parse())
}
