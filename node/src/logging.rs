//! The log: to standard error, filtered by `--log` or `CAIRN_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Always in force: the constraint system's own spans slow circuit synthesis a thousandfold.
const SILENCED: [&str; 2] = ["gr1cs=off", "r1cs=off"];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("a log is set up already: {0}")]
    Init(#[from] tracing_subscriber::util::TryInitError),
}

/// The filter of `directives`, with what is always silenced.
///
/// # Errors
/// If a directive does not parse.
pub fn filter(directives: &str) -> Result<EnvFilter, LoggingError> {
    let mut filter = EnvFilter::try_new(directives)?;
    for directive in SILENCED {
        filter = filter.add_directive(directive.parse()?);
    }
    Ok(filter)
}

/// Sets up the log of the process.
///
/// # Errors
/// If a directive does not parse, or a log is set up already.
pub fn init(directives: &str, json: bool) -> Result<(), LoggingError> {
    let registry = tracing_subscriber::registry().with(filter(directives)?);
    if json {
        registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init()?;
    } else {
        let colours = std::io::stderr().is_terminal();
        registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).try_init()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_default_filter_with_circuits_silenced() {
        let shown = filter("info").unwrap().to_string();
        assert!(SILENCED.iter().all(|s| shown.contains(s)), "{shown}");
        assert!(filter("a=b=c").is_err());
    }
}
