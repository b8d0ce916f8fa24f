//! Whatever comes in over HTTP, the node answers in JSON-RPC or refuses in HTTP, says nothing of a fault of its own,
//! panics nowhere, keeps its memory, and goes on making blocks.
//! Runs by time: see `harness/fuzz.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod harness;

use cairn_node::{cli::Role, config::Config};
use harness::{
    TestNode, assert_no_panic,
    document::{UNSERVED, examples, joined, methods},
    fuzz,
    http::Http,
    panics, resident_bytes,
    transactions::transfer,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Most that resident memory may grow while a test runs: allocators keep what they had once.
const MAX_GROWTH_BYTES: u64 = 512 << 20;

/// Numbers as text, so that they may be of any size and form.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        select(vec![
            "-0",
            "1e308",
            "1e999999",
            "-1e999999",
            "0.1e-999",
            "18446744073709551615",
            "18446744073709551616",
            "1e",
            "01",
            "+1",
            ".5",
            "NaN",
            "Infinity",
            "-Infinity",
            "0x10",
            "340282366920938463463374607431768211456",
        ])
        .prop_map(str::to_owned),
        (1usize..5_000).prop_map(|n| "9".repeat(n)),
    ]
}

/// Strings in the forms that methods expect, and others.
fn text() -> impl Strategy<Value = String> {
    let hex = |digits| proptest::string::string_regex(digits).unwrap();
    prop_oneof![
        hex("0x[0-9a-fA-F]{0,70}"),
        hex("0x[0-9a-f]{64}"),
        hex("0x[0-9a-f]{40}"),
        hex("[0-9a-g]{0,10}"),
        select(vec![
            "",
            "0x",
            "0X1",
            "0x0",
            "0x-1",
            "0x1",
            "0xg",
            "latest",
            "earliest",
            "pending",
            "safe",
            "finalized",
            "LATEST",
            "newHeads",
            "logs",
            "newPendingTransactions",
            "syncing",
            "callTracer",
            "prestateTracer",
            "null",
            "0xffffffffffffffff",
            "0x10000000000000000",
            "\u{0}",
            "\u{202e}",
            "💥",
            "\\ud800",
            "0x8000000000000000000000000000000000000000000000000000000000000000",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        (0usize..100_000).prop_map(|n| format!("0x{}", "f".repeat(n))),
    ]
}

/// Names of fields that some method reads.
fn key() -> impl Strategy<Value = String> {
    let known = vec![
        "from",
        "to",
        "gas",
        "gasPrice",
        "value",
        "data",
        "input",
        "nonce",
        "accessList",
        "address",
        "storageKeys",
        "topics",
        "fromBlock",
        "toBlock",
        "blockHash",
        "blockNumber",
        "requireCanonical",
        "tracer",
        "tracerConfig",
        "stateOverrides",
        "blockOverrides",
        "balance",
        "code",
        "state",
        "stateDiff",
        "maxFeePerGas",
        "type",
        "limit",
        "maxPriorityFeePerGas",
        "chainId",
        "blobVersionedHashes",
        "authorizationList",
        "timeout",
        "block",
        "full",
    ];
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => any::<String>()]
}

/// A JSON value as text. Not always one: some numbers have no form in JSON, and keys may be there twice.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        2 => number(),
        4 => text().prop_map(|s| json!(s).to_string()),
        1 => select(vec!["null", "true", "false"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(|list| format!("[{}]", list.join(","))),
            vec((key(), inner), 0..8).prop_map(|map| {
                let fields: Vec<_> = map.iter().map(|(k, v)| format!("{}:{v}", json!(k))).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// A place in a value, and what happens to what is there.
#[derive(Clone, Debug)]
enum Change {
    Replace(String),
    Remove,
    Twice,
    Insert(String),
    Nest(usize),
}

fn change() -> impl Strategy<Value = (Vec<prop::sample::Index>, Change)> {
    let change = prop_oneof![
        4 => value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => Just(Change::Twice),
        1 => value().prop_map(Change::Insert),
        1 => (1usize..300).prop_map(Change::Nest),
    ];
    (vec(any::<prop::sample::Index>(), 1..4), change)
}

/// A marker that stands for text which is not a [`Value`].
fn raw(texts: &mut Vec<String>, text: String) -> Value {
    texts.push(text);
    json!(format!("raw text {}", texts.len() - 1))
}

/// Applies a change along a path; what it puts in is kept as text beside.
fn apply(at: &mut Value, path: &[prop::sample::Index], change: &Change, texts: &mut Vec<String>) {
    let (Some((index, rest)), true) = (path.split_first(), at.is_array() || at.is_object()) else {
        match change {
            Change::Replace(text) | Change::Insert(text) => *at = raw(texts, text.clone()),
            Change::Remove => *at = Value::Null,
            Change::Twice => *at = json!([at.clone(), at.clone()]),
            Change::Nest(depth) => {
                *at = raw(texts, format!("{}{at}{}", "[".repeat(*depth), "]".repeat(*depth)))
            }
        }
        return;
    };
    match at {
        Value::Array(list) if list.is_empty() => {
            if let Change::Insert(text) = change {
                list.push(raw(texts, text.clone()));
            }
        }
        Value::Array(list) => {
            let i = index.index(list.len());
            match change {
                Change::Remove if rest.is_empty() => _ = list.remove(i),
                Change::Twice if rest.is_empty() => list.insert(i, list[i].clone()),
                Change::Insert(text) if rest.is_empty() => list.insert(i, raw(texts, text.clone())),
                _ => apply(&mut list[i], rest, change, texts),
            }
        }
        Value::Object(map) if map.is_empty() => {}
        Value::Object(map) => {
            let name = map.keys().nth(index.index(map.len())).unwrap().clone();
            match change {
                Change::Remove if rest.is_empty() => _ = map.remove(&name),
                Change::Insert(text) if rest.is_empty() => {
                    map.insert(format!("{name}2"), raw(texts, text.clone()));
                }
                _ => apply(map.get_mut(&name).unwrap(), rest, change, texts),
            }
        }
        _ => {}
    }
}

/// The text of a value with the kept texts in their places.
fn with_texts(value: &Value, texts: &[String]) -> String {
    let mut out = value.to_string();
    for (i, text) in texts.iter().enumerate().rev() {
        out = out.replace(&format!("\"raw text {i}\""), text);
    }
    out
}

/// Every served method, each with parameters that it accepts.
fn valid_calls() -> Vec<(String, Value)> {
    let served: Map<String, Value> =
        examples().into_iter().filter(|(name, _)| !UNSERVED.contains(&name.as_str())).collect();
    let calls = served.iter().flat_map(|(name, list)| {
        list.as_array().unwrap().iter().map(|e| (name.clone(), e["params"].clone()))
    });
    calls.collect()
}

fn envelope(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{},"params":{params}}}"#, json!(method))
}

/// A request whose parameters or envelope are not right.
fn request() -> impl Strategy<Value = String> {
    let calls = valid_calls();
    let names: Vec<String> = calls.iter().map(|(name, _)| name.clone()).collect();
    let name = select(names).boxed();
    let id = || prop_oneof![Just("1".to_owned()), value()];
    let mutated = (select(calls.clone()), vec(change(), 1..4)).prop_map(|((method, params), changes)| {
        let (mut params, mut texts) = (params, Vec::new());
        for (path, change) in &changes {
            apply(&mut params, path, change, &mut texts);
        }
        envelope("1", &method, &with_texts(&params, &texts))
    });
    let mutated_envelope = (select(calls), vec(change(), 1..3)).prop_map(|((method, params), changes)| {
        let mut request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut texts = Vec::new();
        for (path, change) in &changes {
            apply(&mut request, path, change, &mut texts);
        }
        with_texts(&request, &texts)
    });
    let arbitrary_params = (id(), name.clone(), value()).prop_map(|(id, m, p)| envelope(&id, &m, &p));
    let positional = (name.clone(), vec(value(), 0..5))
        .prop_map(|(m, p)| envelope("1", &m, &format!("[{}]", p.join(","))));
    let twice = (name, value(), value()).prop_map(|(m, a, b)| {
        let first = envelope("1", &m, &a);
        format!(r#"{},"params":{b},"method":"eth_chainId","id":2}}"#, first.trim_end_matches('}'))
    });
    prop_oneof![
        6 => mutated,
        3 => mutated_envelope,
        2 => arbitrary_params,
        4 => positional,
        1 => twice,
        1 => value(),
    ]
}

/// A body: requests, batches of them and of batches, cut or with bytes that are no text.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let join = |list: Vec<String>| format!("[{}]", list.join(","));
    let batch = vec(request(), 0..12).prop_map(join);
    let nested = vec(prop_oneof![request(), vec(request(), 0..3).prop_map(join)], 0..4).prop_map(join);
    let whole = prop_oneof![10 => request(), 2 => batch, 1 => nested].prop_map(String::into_bytes).boxed();
    let spoilt = (whole.clone(), vec((any::<prop::sample::Index>(), any::<u8>()), 1..5), any::<bool>())
        .prop_map(|(mut bytes, changes, cut)| {
            for (index, byte) in changes {
                let i = index.index(bytes.len());
                bytes[i] = byte;
                if cut {
                    bytes.truncate(i.max(1));
                }
            }
            bytes
        });
    prop_oneof![8 => whole, 2 => spoilt, 1 => vec(any::<u8>(), 0..300)]
}

/// One answer of JSON-RPC that is no fault of the node's.
fn check_answer(answer: &Value) -> Result<(), String> {
    let object = answer.as_object().ok_or("an answer is no object")?;
    if answer["jsonrpc"] != "2.0" || !object.contains_key("id") {
        return Err("an answer without version or id".to_owned());
    }
    match (object.get("result"), object.get("error")) {
        (Some(_), None) => Ok(()),
        (None, Some(error)) => {
            let code = error["code"].as_i64().ok_or("an error without code")?;
            let message = error["message"].as_str().ok_or("an error without message")?;
            if code == -32603 || message.is_empty() {
                return Err(format!("a fault of the node: {error}"));
            }
            Ok(())
        }
        _ => Err("neither result nor error, or both".to_owned()),
    }
}

/// A request that wants no answer.
fn is_notification(entry: &Value) -> bool {
    entry.is_object() && entry.get("id").is_none()
}

/// Sends a body and checks what comes back.
async fn check(http: &Http, body: &[u8]) -> Result<(), String> {
    let (status, answer) = match http.post(body.to_vec()).await {
        // A body above the limit is refused by its length: the node does not read it, and its answer is lost to a client
        // that goes on writing.
        Err(_) if body.len() > Config::default().rpc.max_request_bytes as usize => return Ok(()),
        answered => answered?,
    };
    let shown = || String::from_utf8_lossy(&answer[..answer.len().min(2_000)]).into_owned();
    match status {
        200 => {}
        400..=499 if !answer.is_empty() => return Ok(()),
        _ => return Err(format!("HTTP {status}: {}", shown())),
    }
    let sent: Option<Value> = serde_json::from_slice(body).ok();
    let text = String::from_utf8_lossy(body);
    if answer.is_empty() {
        return match &sent {
            Some(Value::Array(batch)) if batch.iter().all(is_notification) => Ok(()),
            Some(request) if is_notification(request) => Ok(()),
            // It has a number that has no form as a value here.
            None if text.contains("\"method\"") => Ok(()),
            _ => Err("no answer".to_owned()),
        };
    }
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| format!("{e}: {}", shown()))?;
    let result = match (&answer, &sent) {
        (Value::Array(list), _) if list.is_empty() => Err("an empty list of answers".to_owned()),
        (Value::Array(list), _) => list.iter().try_for_each(check_answer),
        (one, Some(Value::Object(request))) if one.get("result").is_some() && one["id"] != request["id"] => {
            Err("the answer has another id".to_owned())
        }
        (one, _) => check_answer(one),
    };
    result.map_err(|e| format!("{e}: {}", shown()))
}

/// Runs `work` against a node that makes blocks, and checks what must hold afterwards.
async fn survives(work: impl AsyncFnOnce(&TestNode)) {
    panics();
    let node = TestNode::start(&[Role::Sequencer, Role::Rpc], |_| {}).await;
    node.makes_a_block(&transfer(0, 0)).await;
    let before = resident_bytes();
    work(&node).await;
    let grown = resident_bytes().saturating_sub(before);
    eprintln!("resident memory grew by {} KiB", grown >> 10);
    assert!(grown < MAX_GROWTH_BYTES, "memory grew by {grown} bytes");
    let nonce = node
        .call("eth_getTransactionCount", json!(["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "pending"]));
    let nonce = u64::from_str_radix(&nonce.await.as_str().unwrap()[2..], 16).unwrap();
    node.makes_a_block(&transfer(0, nonce)).await;
    assert_no_panic();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_every_body_is_answered_or_refused() {
    survives(async |node| {
        let mut runner = fuzz::runner();
        let strategy = body();
        let count = fuzz::run(&mut runner, fuzz::time(), &strategy, async |bytes: &Vec<u8>| {
            let result = check(&node.http, bytes).await;
            result.map_err(|e| format!("{e}\nsent: {}", String::from_utf8_lossy(bytes)))
        });
        eprintln!("{} bodies", count.await);
    })
    .await;
}

/// Cases that broke some server somewhere.
#[tokio::test(flavor = "multi_thread")]
async fn rejects_the_nasty_cases() {
    let call = |params: &str| envelope("1", "eth_call", params);
    let mut cases: Vec<Vec<u8>> = [
        "",
        " ",
        "\u{feff}{}",
        "null",
        "true",
        "0",
        "\"\"",
        "{}",
        "[]",
        "[[]]",
        "[[],[]]",
        "[null]",
        "[1,2,3]",
        "[{}]",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "nul",
        "[",
        "{",
        "]",
        "\"",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":-1,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"eth_chainId\",\"method\":\"net_version\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999999999,\"method\":\"eth_chainId\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"\\ud800\",\"method\":\"eth_chainId\"}",
        "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"eth_call\",\"params\":[NaN]}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    cases.push(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}".to_vec());
    cases.push(b"\xff\xfe\x00".to_vec());
    cases.push(vec![0; 1_000]);
    for depth in [100, 127, 128, 129, 10_000, 900_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        cases.push(format!("{open}{close}").into());
        cases.push(open.clone().into());
        cases.push(call(&format!("{open}{close}")).into());
        cases.push("{\"a\":".repeat(depth).into());
        cases.push(call(&format!("[{{\"to\":{open}{close}}}]")).into());
    }
    for size in [1 << 10, 1 << 20, (2 << 20) - 200] {
        let long = "f".repeat(size);
        cases.push(call(&format!("[{{\"data\":\"0x{long}\"}}]")).into());
        cases.push(call(&format!("[{}]", "9".repeat(size))).into());
        cases.push(envelope(&json!(long).to_string(), "eth_chainId", "[]").into());
        cases.push(envelope("1", &long, "[]").into());
        cases.push(
            envelope("1", "web3_sha3", &json!([format!("0x{}", &long[..size / 2 * 2])]).to_string()).into(),
        );
        cases.push(format!("[{}1]", "1,".repeat(size / 2 - 2)).into());
        cases.push(call(&format!("[{{{}\"to\":null}}]", "\"to\":null,".repeat(size / 12))).into());
        let topics = format!("[{}null]", "null,".repeat(size / 6));
        cases.push(envelope("1", "eth_getLogs", &format!("[{{\"topics\":{topics}}}]")).into());
        cases.push(
            envelope("1", "eth_feeHistory", &format!("[\"0x1\",\"latest\",[{}1]]", "1,".repeat(size / 3)))
                .into(),
        );
    }
    let chain_id = envelope("1", "eth_chainId", "[]");
    for entries in [99, 100, 101, 10_000] {
        cases.push(format!("[{}]", vec![chain_id.as_str(); entries].join(",")).into());
    }
    cases.push(vec![b' '; 3 << 20]);
    cases.push(call(&format!("[\"{}\"]", "a".repeat(20 << 20))).into());
    let extremes = [
        "0x0",
        "0xffffffffffffffff",
        "0x10000000000000000",
        "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0x10000000000000000000000000000000000000000000000000000000000000000",
    ];
    for (method, params) in valid_calls() {
        for extreme in extremes {
            for at in 0..params.as_array().unwrap().len() {
                let mut params = params.clone();
                params[at] = json!(extreme);
                cases.push(envelope("1", &method, &params.to_string()).into());
            }
        }
        for field in [
            "gas",
            "gasPrice",
            "value",
            "nonce",
            "maxFeePerGas",
            "maxPriorityFeePerGas",
            "fromBlock",
            "toBlock",
        ] {
            for extreme in extremes {
                if params[0].is_object() {
                    let mut params = params.clone();
                    params[0][field] = json!(extreme);
                    cases.push(envelope("1", &method, &params.to_string()).into());
                }
            }
        }
    }
    survives(async |node| {
        for case in &cases {
            let shown = String::from_utf8_lossy(&case[..case.len().min(300)]).into_owned();
            check(&node.http, case).await.unwrap_or_else(|e| panic!("{e}\nsent: {shown}"));
        }
        eprintln!("{} cases", cases.len());
    })
    .await;
}

/// Each method with each number of parameters that no method takes: an error that is documented, or a result.
#[tokio::test(flavor = "multi_thread")]
async fn prop_error_codes_are_those_of_the_document() {
    survives(async |node| {
        let mut runner = fuzz::runner();
        let methods = methods(&joined());
        let calls: Vec<_> = valid_calls().into_iter().filter(|(m, _)| !m.ends_with("subscribe")).collect();
        let strategy = (select(calls), vec(change(), 1..3));
        let count = fuzz::run(&mut runner, fuzz::time() / 2, &strategy, async |((name, params), changes)| {
            let (mut params, mut texts) = (params.clone(), Vec::new());
            for (path, change) in changes {
                apply(&mut params, path, change, &mut texts);
            }
            let body = envelope("1", name, &with_texts(&params, &texts));
            // What is no JSON, or not params at all, does not reach the method.
            let Ok(sent) = serde_json::from_str::<Value>(&body) else { return Ok(()) };
            if !(sent["params"].is_array() || sent["params"].is_object()) {
                return Ok(());
            }
            let (status, answer) = node.http.post(body).await?;
            if status != 200 {
                return Err(format!("HTTP {status}"));
            }
            let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
            let code = answer["error"]["code"].as_i64();
            let method = methods.iter().find(|m| m.name == *name).unwrap();
            match code {
                Some(code) if code == -32603 || !method.errors.contains(&code) => {
                    Err(format!("{name} {sent}: error {} is not documented", answer["error"]))
                }
                _ => Ok(()),
            }
        });
        eprintln!("{} calls", count.await);
    })
    .await;
}
