//! Which tracer a request asks for, checked before anything runs.

use std::time::Duration;

use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerType, GethDebugTracingOptions,
};
use revm_inspectors::tracing::{DebugInspector, DebugInspectorError};
use thiserror::Error;

/// What `tracer` may be; without one, the struct logger runs.
pub const TRACERS: [&str; 6] =
    ["callTracer", "flatCallTracer", "prestateTracer", "4byteTracer", "muxTracer", "noopTracer"];
/// Longest name that an error repeats: the name of a tracer in JavaScript is its program.
const MAX_NAME: usize = 64;

/// Why the options of a trace are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TracerError {
    #[error("tracer \"{name}\" is not offered; offered are {} and, without a tracer, the struct logger", TRACERS.join(", "))]
    NotOffered { name: String },
    #[error("tracerConfig does not fit {tracer}")]
    Config { tracer: String },
    #[error("timeout \"{text}\" is not a duration such as 5s or 1m30s")]
    Timeout { text: String },
}

impl TracerError {
    pub(crate) fn config(tracer: &Tracer) -> Self {
        let name = tracer.options.tracer.as_ref().map_or("structLogger", GethDebugTracerType::as_str);
        Self::Config { tracer: short(name) }
    }
}

fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// A tracer that is offered.
#[derive(Clone, Debug)]
pub struct Tracer {
    options: GethDebugTracingOptions,
    timeout: Option<Duration>,
}

impl Tracer {
    /// Checks the options of a request.
    ///
    /// # Errors
    /// See [`TracerError`].
    pub fn new(options: GethDebugTracingOptions) -> Result<Self, TracerError> {
        let name = options.tracer.as_ref().map_or("", GethDebugTracerType::as_str);
        let offered = match &options.tracer {
            None => true,
            Some(GethDebugTracerType::BuiltInTracer(tracer)) => {
                // State gas and ERC-7562 speak of rules that this chain does not have.
                !matches!(tracer, BuiltIn::StateGasTracer | BuiltIn::Erc7562Tracer)
            }
            Some(GethDebugTracerType::JsTracer(program)) => program.is_empty(),
        };
        if !offered {
            return Err(TracerError::NotOffered { name: short(name) });
        }
        let timeout = match options.timeout.as_deref() {
            None | Some("") => None,
            Some(text) => Some(go_duration(text).ok_or_else(|| TracerError::Timeout { text: short(text) })?),
        };
        let tracer = Self { options, timeout };
        tracer.inspector()?;
        Ok(tracer)
    }

    /// How long the request wants to wait at most.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// A fresh tracer.
    pub(crate) fn inspector(&self) -> Result<DebugInspector, TracerError> {
        // Its other errors were excluded in `new`, but for those of the tracers under a muxTracer.
        DebugInspector::new(self.options.clone()).map_err(|_: DebugInspectorError| TracerError::config(self))
    }
}

/// A duration as Go writes it: decimal numbers with units, one after the other.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit_s = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit_s;
        rest = tail;
        if rest.is_empty() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracer(json: &str) -> Result<Tracer, TracerError> {
        Tracer::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn accepts_durations_of_go() {
        for (text, ms) in [("5s", 5_000), ("1m30s", 90_000), ("300ms", 300), ("1.5h", 5_400_000), ("20us", 0)]
        {
            assert_eq!(go_duration(text).unwrap().as_millis(), ms, "{text}");
        }
        for text in ["", "5", "s", "5 s", "-1s", "5x", "1..2s", "9e9s", "99999999999999999999999h"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_what_is_not_offered_by_name() {
        for name in ["{ step: function() {} }", "stateGasTracer", "erc7562Tracer", "nopeTracer"] {
            let error = tracer(&format!(r#"{{"tracer": "{name}"}}"#)).unwrap_err();
            assert_eq!(error, TracerError::NotOffered { name: name.to_owned() });
            assert!(TRACERS.iter().all(|offered| error.to_string().contains(offered)), "{error}");
        }
        let long = "x".repeat(10_000);
        assert!(tracer(&format!(r#"{{"tracer": "{long}"}}"#)).unwrap_err().to_string().len() < 400);
        assert_eq!(
            tracer(r#"{"tracer": "callTracer", "tracerConfig": {"withLog": 3}}"#).unwrap_err(),
            TracerError::Config { tracer: "callTracer".to_owned() }
        );
        assert!(matches!(tracer(r#"{"timeout": "soon"}"#), Err(TracerError::Timeout { .. })));
        for offered in TRACERS {
            let config = if offered == "muxTracer" { r#"{"4byteTracer": null}"# } else { "null" };
            tracer(&format!(r#"{{"tracer": "{offered}", "tracerConfig": {config}}}"#)).unwrap();
        }
    }
}
