//! What a client sends: a JSON-RPC 2.0 request, a notification, or a batch of them. Not here: what is answered (`service`).
//! Source: JSON-RPC 2.0 specification, sections 4 and 6.

use std::{borrow::Cow, fmt};

use jsonrpsee::{
    core::server::Extensions,
    types::{
        ErrorObjectOwned, Id, Request, TwoPointZero,
        error::{INVALID_REQUEST_CODE, PARSE_ERROR_CODE, reject_too_big_batch_request},
    },
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::error::shown;

/// Longest id, in bytes of its JSON. An answer repeats it.
const MAX_ID_BYTES: usize = 256;

/// One request, or what stands in its place.
#[derive(Debug)]
pub enum Entry<'a> {
    Call(Request<'a>),
    /// Without an id: no answer is wanted.
    Notification,
    Invalid(Invalid<'a>),
}

/// What cannot be called, and the answer to it.
#[derive(Debug)]
pub struct Invalid<'a> {
    /// Null if there is none that could be repeated.
    pub id: Id<'a>,
    pub error: ErrorObjectOwned,
}

/// What one HTTP body or WebSocket message holds.
#[derive(Debug)]
pub enum Message<'a> {
    Single(Entry<'a>),
    Batch(Vec<Entry<'a>>),
}

/// The members of a request as they are. An id that is null is there, and is none if it is not.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// A string, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn invalid(id: Id<'_>, rule: impl fmt::Display) -> Invalid<'_> {
    let error = ErrorObjectOwned::owned(INVALID_REQUEST_CODE, format!("Invalid request: {rule}"), None::<()>);
    Invalid { id, error }
}

fn unparsable<'a>(error: &serde_json::Error) -> Invalid<'a> {
    let error = ErrorObjectOwned::owned(PARSE_ERROR_CODE, format!("Parse error: {error}"), None::<()>);
    Invalid { id: Id::Null, error }
}

/// The id that an answer repeats.
fn parse_id(raw: &RawValue) -> Result<Id<'_>, Invalid<'_>> {
    let text = raw.get();
    let bytes = text.len();
    if bytes > MAX_ID_BYTES {
        let rule = format_args!("an id has at most {MAX_ID_BYTES} bytes, not {bytes}");
        return Err(invalid(Id::Null, rule));
    }
    serde_json::from_str(text).map_err(|_| {
        let rule = "id is a string, null, or a whole number from 0 to 2^64 - 1";
        invalid(Id::Null, format_args!("{rule}, not {}", shown(text)))
    })
}

/// `text` is one JSON value.
fn entry(text: &str) -> Entry<'_> {
    call(text).unwrap_or_else(Entry::Invalid)
}

fn call(text: &str) -> Result<Entry<'_>, Invalid<'_>> {
    // A list of members would do for serde.
    let members = text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    let Some(Members { jsonrpc, id, method, params }) = members else {
        let found = shown(text);
        return Err(invalid(Id::Null, format_args!("not an object with members that occur once: {found}")));
    };
    let named = id.map_or(Ok(Id::Null), parse_id)?;
    match jsonrpc.map(RawValue::get) {
        Some("\"2.0\"") => {}
        Some(version) => {
            return Err(invalid(named, format_args!("jsonrpc is \"2.0\", not {}", shown(version))));
        }
        None => return Err(invalid(named, "jsonrpc is missing, it is \"2.0\"")),
    }
    let Some(method) = method else { return Err(invalid(named, "method is missing")) };
    let Ok(Text(method)) = serde_json::from_str(method.get()) else {
        return Err(invalid(named, format_args!("method is a string, not {}", shown(method.get()))));
    };
    if id.is_none() {
        return Ok(Entry::Notification);
    }
    let params = params.map(Cow::Borrowed);
    Ok(Entry::Call(Request {
        jsonrpc: TwoPointZero,
        id: named,
        method,
        params,
        extensions: Extensions::new(),
    }))
}

/// Keeps the first so many entries of a list, and counts the others.
struct Entries(usize);

impl<'de> Visitor<'de> for Entries {
    type Value = (Vec<&'de RawValue>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut kept, mut others) = (Vec::new(), 0);
        while kept.len() < self.0 {
            let Some(entry) = list.next_element()? else { return Ok((kept, others)) };
            kept.push(entry);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            others += 1;
        }
        Ok((kept, others))
    }
}

/// Reads what a client sent.
///
/// # Errors
/// If it is not JSON, or a batch of more than `max_batch_entries` or of none.
pub fn parse(bytes: &[u8], max_batch_entries: u32) -> Result<Message<'_>, Invalid<'_>> {
    let text: &RawValue = serde_json::from_slice(bytes).map_err(|error| unparsable(&error))?;
    let text = text.get();
    if !text.starts_with('[') {
        return Ok(Message::Single(entry(text)));
    }
    let limit = max_batch_entries as usize;
    let mut list = serde_json::Deserializer::from_str(text);
    let (entries, others) = list.deserialize_seq(Entries(limit)).map_err(|error| unparsable(&error))?;
    if others > 0 {
        return Err(Invalid { id: Id::Null, error: reject_too_big_batch_request(limit) });
    }
    if entries.is_empty() {
        return Err(invalid(Id::Null, "a batch of no requests"));
    }
    Ok(Message::Batch(entries.into_iter().map(|raw| entry(raw.get())).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> Result<String, (String, i32, String)> {
        let fault = |i: Invalid<'_>| {
            let id = serde_json::to_string(&i.id).unwrap();
            (id, i.error.code(), i.error.message().to_owned())
        };
        match parse(text.as_bytes(), 10) {
            Err(invalid) | Ok(Message::Single(Entry::Invalid(invalid))) => Err(fault(invalid)),
            Ok(Message::Single(Entry::Call(request))) => Ok(serde_json::to_string(&request).unwrap()),
            Ok(Message::Single(Entry::Notification)) => Ok("notification".to_owned()),
            Ok(Message::Batch(entries)) => Ok(format!("{} entries", entries.len())),
        }
    }

    #[test]
    fn accepts_requests_notifications_and_batches() {
        for id in ["0", "18446744073709551615", "null", "\"a\"", "\"\"", "\"\\u0041\""] {
            let text = format!("  {{\"id\":{id},\"method\":\"m\",\"jsonrpc\":\"2.0\",\"extra\":[{{}}]}}\n");
            assert!(single(&text).unwrap().contains("\"method\":\"m\""), "{text}");
        }
        assert_eq!(single(r#"{"jsonrpc":"2.0","method":"m"}"#).unwrap(), "notification");
        assert_eq!(single(r#"{"jsonrpc":"2.0","method":"m","params":7}"#).unwrap(), "notification");
        assert_eq!(single(" [1, {}, []] ").unwrap(), "3 entries");
    }

    #[test]
    fn rejects_by_the_rule_that_is_broken() {
        let id_rule = "Invalid request: id is a string, null, or a whole number from 0 to 2^64 - 1, not";
        let cases = [
            (r#"{"jsonrpc":"2.0","id":-1,"method":"m"}"#, "null", -32600, format!("{id_rule} -1")),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "null", -32600, format!("{id_rule} 1.5")),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, "null", -32600, format!("{id_rule} true")),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, "null", -32600, format!("{id_rule} [1]")),
            (
                r#"{"jsonrpc":"1.0","id":7,"method":"m"}"#,
                "7",
                -32600,
                "Invalid request: jsonrpc is \"2.0\", not \"1.0\"".into(),
            ),
            (
                r#"{"id":7,"method":"m"}"#,
                "7",
                -32600,
                "Invalid request: jsonrpc is missing, it is \"2.0\"".into(),
            ),
            (
                r#"{"method":"m"}"#,
                "null",
                -32600,
                "Invalid request: jsonrpc is missing, it is \"2.0\"".into(),
            ),
            (r#"{"jsonrpc":"2.0","id":"x"}"#, "\"x\"", -32600, "Invalid request: method is missing".into()),
            (
                r#"{"jsonrpc":"2.0","id":"x","method":1}"#,
                "\"x\"",
                -32600,
                "Invalid request: method is a string, not 1".into(),
            ),
            ("17", "null", -32600, "Invalid request: not an object with members that occur once: 17".into()),
            ("[]", "null", -32600, "Invalid request: a batch of no requests".into()),
            (
                r#"{"jsonrpc":null,"id":7,"method":"m"}"#,
                "7",
                -32600,
                "Invalid request: jsonrpc is missing, it is \"2.0\"".into(),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":null}"#,
                "7",
                -32600,
                "Invalid request: method is missing".into(),
            ),
        ];
        for (text, id, code, message) in cases {
            assert_eq!(single(text).unwrap_err(), (id.to_owned(), code, message), "{text}");
        }
        for text in ["", "{", "[1,", "\u{0}", "{}}", "nul"] {
            let (id, code, message) = single(text).unwrap_err();
            assert_eq!((id.as_str(), code), ("null", -32700), "{text}");
            assert!(message.starts_with("Parse error: ") && message.contains("line 1 column"), "{message}");
        }
        let listed = parse(br#"[["2.0",1,"m",[]]]"#, 10).unwrap();
        let Message::Batch(entries) = listed else { panic!("{listed:?}") };
        assert!(matches!(entries[..], [Entry::Invalid(_)]), "{entries:?}");
        let long_id = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"m"}}"#, "x".repeat(255));
        let (id, _, message) = single(&long_id).unwrap_err();
        let rule = "Invalid request: an id has at most 256 bytes, not 257";
        assert_eq!((id.as_str(), message.as_str()), ("null", rule));
        assert!(single(&long_id.replacen('x', "", 1)).is_ok());
        let twice = single(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#).unwrap_err();
        assert_eq!((twice.0.as_str(), twice.1), ("null", -32600));
        let many = single("[1,1,1,1,1,1,1,1,1,1,1]").unwrap_err();
        assert_eq!((many.0.as_str(), many.1), ("null", -32010));
        // What an error repeats is bounded, and cut between characters.
        let long = single(&format!("\"{}\"", "é".repeat(1_000))).unwrap_err();
        assert!(long.2.len() < 200 && long.2.ends_with('é'), "{}", long.2);
    }
}
