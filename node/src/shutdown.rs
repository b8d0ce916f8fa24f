//! One token stops everything in order; a second signal stops at once. How a process ended is in its exit code.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::wiring::NodeError;

/// Exit code when something did not stop within `shutdown.grace_s` and was left behind.
const NOT_STOPPED: u8 = 3;

/// Exit code after a second signal: 128 + SIGINT.
const ABORTED: i32 = 130;

/// 3 if something did not stop in time, 1 for any other error.
#[must_use]
pub fn exit_code(error: &eyre::Report) -> ExitCode {
    match error.downcast_ref() {
        Some(NodeError::NotStopped { .. }) => NOT_STOPPED.into(),
        _ => ExitCode::FAILURE,
    }
}

/// A token that SIGINT or SIGTERM cancels.
///
/// # Errors
/// If the signals cannot be listened to.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancelled.is_cancelled() {
                tracing::warn!("second signal: stopping at once");
                std::process::exit(ABORTED);
            }
            tracing::info!("stopping; a second signal stops at once");
            cancelled.cancel();
        }
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cairn_sequencer::shapes::ShapesError;

    use super::*;

    #[test]
    fn accepts_codes_that_tell_ends_apart() {
        let left =
            NodeError::NotStopped { grace: Duration::from_secs(10), parts: vec!["JSON-RPC", "prover"] };
        assert_eq!(left.to_string(), "did not stop within 10 s: JSON-RPC, prover");
        let code = |error: eyre::Report| format!("{:?}", exit_code(&error));
        assert_eq!(code(left.into()), format!("{:?}", ExitCode::from(NOT_STOPPED)));
        assert_eq!(code(NodeError::Shapes(ShapesError::Empty).into()), format!("{:?}", ExitCode::FAILURE));
    }
}
