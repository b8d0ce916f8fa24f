//! Progress of long work as bars on standard error.

use std::{sync::Mutex, time::Duration};

use cairn_prover::{Observer, Phase};
use indicatif::{ProgressBar, ProgressStyle};

/// One bar a phase; hidden where standard error is no terminal.
#[derive(Debug)]
pub struct Bars {
    /// What the work is for, before the phase.
    subject: String,
    current: Mutex<Option<(String, ProgressBar)>>,
}

impl Bars {
    /// No bar yet.
    #[must_use]
    pub fn of(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), current: Mutex::default() }
    }

    fn show(&self, label: String, fraction: f64) {
        let Ok(mut current) = self.current.lock() else { return };
        if current.as_ref().is_none_or(|(shown, _)| *shown != label) {
            if let Some((_, done)) = current.take() {
                done.finish();
            }
            let bar = ProgressBar::new(100).with_message(label.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg:42} {bar:30} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            *current = Some((label, bar));
        }
        if let Some((_, bar)) = current.as_ref() {
            // In [0, 100].
            bar.set_position((fraction * 100.0) as u64);
            if fraction >= 1.0 {
                bar.finish();
            }
        }
    }
}

impl Observer for Bars {
    fn progress(&self, phase: Phase, fraction: f64) {
        self.show(format!("{}: {phase}", self.subject), fraction);
    }
}
