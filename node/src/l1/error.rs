//! What the contracts and the endpoint answer when they refuse.

use std::{fmt, time::Duration};

use alloy_primitives::{Bytes, U256};
use ethers::{
    abi::{ParamType, Token},
    providers::{ProviderError, RpcError as _},
};
use serde::{Deserialize, Serialize};

use super::bindings::CUSTOM_ERRORS;

/// Selector of `Error(string)`.
const MESSAGE: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Selector of `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Why a contract refused a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revert {
    /// A custom error of our contracts.
    Custom { name: String, values: Vec<RevertValue> },
    /// `require` with a message.
    Message { message: String },
    /// A check that the compiler put in, by its code.
    Panic { code: U256 },
    /// No reason was given, or the endpoint does not hand it out.
    Empty,
    /// An error of another contract.
    Unknown { data: Bytes },
    /// All gas was used.
    OutOfGas { gas_limit: u64 },
}

/// One value of a custom error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertValue {
    pub name: String,
    /// Integers in decimal, everything else in hex with 0x.
    pub value: String,
}

impl Revert {
    /// Reads the data of a revert. Total: what is not understood is [`Revert::Unknown`].
    #[must_use]
    pub fn decode(data: &[u8]) -> Self {
        let unknown = || Self::Unknown { data: Bytes::copy_from_slice(data) };
        let Some((selector, body)) = data.split_first_chunk::<4>() else {
            return if data.is_empty() { Self::Empty } else { unknown() };
        };
        match *selector {
            MESSAGE => one_value(&ParamType::String, body)
                .and_then(Token::into_string)
                .map_or_else(unknown, |message| Self::Message { message }),
            PANIC => one_value(&ParamType::Uint(256), body)
                .and_then(Token::into_uint)
                .map_or_else(unknown, |code| Self::Panic { code: super::convert::from_word(code) }),
            _ => custom(*selector, body).unwrap_or_else(unknown),
        }
    }

    /// Whether this is the custom error `name`.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Custom { name, .. } if name == wanted)
    }

    /// A value of the custom error.
    #[must_use]
    pub fn value(&self, wanted: &str) -> Option<&str> {
        let Self::Custom { values, .. } = self else { return None };
        values.iter().find(|v| v.name == wanted).map(|v| v.value.as_str())
    }
}

fn one_value(kind: &ParamType, body: &[u8]) -> Option<Token> {
    ethers::abi::decode(std::slice::from_ref(kind), body).ok()?.pop()
}

fn custom(selector: [u8; 4], body: &[u8]) -> Option<Revert> {
    let error = CUSTOM_ERRORS.get(&selector)?;
    let tokens = error.decode(body).ok()?;
    let values = error.inputs.iter().zip(tokens);
    let values = values.map(|(input, token)| RevertValue { name: input.name.clone(), value: text(&token) });
    Some(Revert::Custom { name: error.name.clone(), values: values.collect() })
}

fn text(token: &Token) -> String {
    match token {
        Token::Uint(v) | Token::Int(v) => v.to_string(),
        Token::Address(a) => super::convert::from_address(*a).to_string(),
        Token::Bytes(b) | Token::FixedBytes(b) => format!("0x{}", hex::encode(b)),
        other => other.to_string(),
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom { name, values } => {
                write!(f, "{name}(")?;
                for (i, v) in values.iter().enumerate() {
                    write!(f, "{}{}: {}", if i == 0 { "" } else { ", " }, v.name, v.value)?;
                }
                f.write_str(")")
            }
            Self::Message { message } => write!(f, "{message:?}"),
            Self::Panic { code } => write!(f, "Panic({code:#x})"),
            Self::Empty => f.write_str("no reason"),
            Self::Unknown { data } => write!(f, "unknown error {data}"),
            Self::OutOfGas { gas_limit } => write!(f, "all {gas_limit} gas used"),
        }
    }
}

/// Why a request to the endpoint has no result.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("{url} is no address of an endpoint")]
    Url { url: String },
    #[error("{method}: no answer within {limit:?}")]
    Timeout { method: &'static str, limit: Duration },
    /// No answer, or none that is JSON-RPC.
    #[error("{method}: the endpoint cannot be asked: {source}")]
    Transport { method: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{method}: the endpoint refuses with {code}: {message}")]
    Refused { method: &'static str, code: i64, message: String },
    /// The call ran and the contract refused.
    #[error("{method}: reverted: {revert}")]
    Reverted { method: &'static str, revert: Revert },
    /// The answer is not what the method returns.
    #[error("{method}: the answer is not understood")]
    Answer { method: &'static str },
}

impl RequestError {
    pub(super) fn new(method: &'static str, error: ProviderError) -> Self {
        let Some(response) = error.as_error_response() else {
            return Self::Transport { method, source: Box::new(error) };
        };
        match response.as_revert_data() {
            Some(data) => Self::Reverted { method, revert: Revert::decode(&data) },
            // Code 3 is "execution reverted"; some endpoints give no data with it, and some another code.
            None if response.code == 3 || response.message.starts_with("execution reverted") => {
                Self::Reverted { method, revert: Revert::Empty }
            }
            None => Self::Refused { method, code: response.code, message: response.message.clone() },
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Transport { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_custom_error_with_values() {
        let mut data =
            CUSTOM_ERRORS.iter().find(|(_, e)| e.name == "SequencedTimestampInvalid").unwrap().0.to_vec();
        for word in [1u8, 2, 3, 4] {
            data.extend([0; 31]);
            data.push(word);
        }
        let revert = Revert::decode(&data);
        assert_eq!(revert.to_string(), "SequencedTimestampInvalid(index: 1, got: 2, minimum: 3, maximum: 4)");
        assert!(revert.is("SequencedTimestampInvalid"));
        assert_eq!(revert.value("got"), Some("2"));
    }

    #[test]
    fn accepts_messages_panics_and_silence() {
        let message = "08c379a0\
            0000000000000000000000000000000000000000000000000000000000000020\
            0000000000000000000000000000000000000000000000000000000000000002\
            6e6f000000000000000000000000000000000000000000000000000000000000";
        assert_eq!(Revert::decode(&hex::decode(message).unwrap()), Revert::Message { message: "no".into() });
        let mut panic = PANIC.to_vec();
        panic.extend(U256::from(0x11).to_be_bytes::<32>());
        assert_eq!(Revert::decode(&panic), Revert::Panic { code: U256::from(0x11) });
        assert_eq!(Revert::decode(&[]), Revert::Empty);
    }

    #[test]
    fn prop_decoding_is_total() {
        let known = CUSTOM_ERRORS.keys().copied().chain([MESSAGE, PANIC, [1, 2, 3, 4]]);
        for selector in known {
            for length in [0, 1, 31, 32, 33, 64] {
                for fill in [0u8, 1, 0xff] {
                    let _ = Revert::decode(&[&selector[..], &vec![fill; length]].concat());
                }
            }
        }
        assert_eq!(Revert::decode(&[1]), Revert::Unknown { data: Bytes::from_static(&[1]) });
    }
}
