//! The `cairn` program under another name, so that cargo builds it with the tests that kill it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cairn_node::commands::main(cairn_node::cli::Cli::parse())
}
