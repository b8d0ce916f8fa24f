//! The OpenRPC document is held to the node: the same methods and parameters, examples that are true, and answers of
//! the shapes that it and the execution API's own document describe.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod harness;

use cairn_protocol::resources::Resource;
use std::{collections::BTreeSet, fs};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{B256, Bytes, TxKind, U256, hex, keccak256};
use cairn_node::{
    cli::Role,
    config::RpcConfig,
    rpc::{budget::Budget, discover::DOCUMENT, module},
};
use harness::{
    ECHO, LOGGER, REVERTER, STORE, TestNode,
    document::{self, Method, UNREAD, UNSERVED, examples, joined, methods},
    transactions::{RECIPIENT, access_list_tx, dynamic_fee_tx, legacy_tx, signed},
};
use jsonrpsee::{core::client::ClientT, ws_client::WsClientBuilder};
use jsonschema::Validator;
use serde_json::{Value, json};

/// Blocks of the chain, but for genesis.
const BLOCKS: u64 = 6;

/// A chain with a block of each type of transaction and of each outcome, all of it proven, and a queue of each type.
async fn filled() -> TestNode {
    let node =
        TestNode::start(&Role::ALL, |config| config.batch.mock_capacity[Resource::Transactions] = 3).await;
    let (mut listed, mut logs) = (access_list_tx(1), dynamic_fee_tx(2));
    listed.to = TxKind::Call(STORE);
    listed.access_list = AccessList(vec![AccessListItem { address: STORE, storage_keys: vec![B256::ZERO] }]);
    (logs.to, logs.input) = (TxKind::Call(LOGGER), vec![1, 2].into());
    let (mut creates, mut reverts) = (dynamic_fee_tx(3), legacy_tx(4));
    // Returns one byte of code: STOP.
    (creates.to, creates.gas_limit, creates.input) = (TxKind::Create, 100_000, hex!("60016000f3").into());
    reverts.to = TxKind::Call(REVERTER);
    reverts.value = U256::ZERO;
    creates.value = U256::ZERO;
    let raws = [
        (signed(0, legacy_tx(0)), "0x1"),
        (signed(0, listed), "0x1"),
        (signed(0, logs), "0x1"),
        (signed(0, creates), "0x1"),
        (signed(0, reverts), "0x0"),
        (signed(0, dynamic_fee_tx(5)), "0x1"),
    ];
    for (raw, status) in &raws {
        assert_eq!(node.makes_a_block(raw).await["status"], *status);
    }
    for raw in queued() {
        node.call("eth_sendRawTransaction", json!([raw])).await;
    }
    node.wait_for("zkevm_isBlockConsolidated", json!([format!("{BLOCKS:#x}")]), |done| done == true).await;
    node
}

/// Transactions that wait for one with a nonce before theirs.
fn queued() -> [Bytes; 3] {
    [signed(1, legacy_tx(5)), signed(1, access_list_tx(6)), signed(1, dynamic_fee_tx(7))]
}

/// As [`TestNode::ask`], over WebSocket where only that will do.
async fn ask(node: &TestNode, method: &str, params: &[Value]) -> Result<Value, i64> {
    if !method.ends_with("subscribe") {
        return node.ask(method, json!(params)).await.map_err(|(code, _)| code);
    }
    let client = WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap();
    let mut list = jsonrpsee::core::params::ArrayParams::new();
    for param in params {
        list.insert(param).unwrap();
    }
    match client.request(method, list).await {
        Ok(result) => Ok(result),
        Err(jsonrpsee::core::client::Error::Call(e)) => Err(e.code().into()),
        Err(other) => panic!("{method}: {other}"),
    }
}

fn names(list: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    list.into_iter().map(Into::into).collect()
}

/// What depends on the clock, by name of the field, is left out of a comparison.
fn without_clock(value: &Value) -> Value {
    const FIELDS: [&str; 11] = [
        "hash",
        "blockHash",
        "parentHash",
        "timestamp",
        "blockTimestamp",
        "stateRoot",
        "accInputHash",
        "blocks",
        "localExitRoot",
        "sendSequencesTxHash",
        "verifyBatchTxHash",
    ];
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(k, _)| !FIELDS.contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), without_clock(v)))
            .collect(),
        Value::Array(list) => list.iter().map(without_clock).collect(),
        other => other.clone(),
    }
}

fn assert_valid(method: &Method, answer: &Value, what: &str) {
    let errors: Vec<_> =
        method.result.iter_errors(answer).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{} {what}: {errors:#?}\n{answer:#}", method.name);
}

/// `CAIRN_UPDATE_OPENRPC=1` writes the results of the examples, and the document.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_every_example() {
    let update = std::env::var_os("CAIRN_UPDATE_OPENRPC").is_some();
    let node = filled().await;
    let mut all = examples();
    for method in methods(&joined()) {
        let list = all.get_mut(&method.name).map(Value::as_array_mut);
        let list =
            list.flatten().filter(|l| !l.is_empty()).unwrap_or_else(|| panic!("{}: no example", method.name));
        for example in list {
            let params = example["params"].as_array().unwrap();
            if method.name == "rpc_discover" {
                // Its result would hold itself.
                example["result"] = json!({"openrpc": "1.3.2", "info": {}, "methods": []});
            } else if example["unbound"] != true {
                let got = ask(&node, &method.name, params).await;
                let got = got.unwrap_or_else(|code| panic!("{} {params:?}: error {code}", method.name));
                assert_valid(&method, &got, "answers its example with what is not documented");
                if update {
                    example["result"] = got;
                } else if example["varies"] != true {
                    let (stated, got) = (without_clock(&example["result"]), without_clock(&got));
                    assert_eq!(stated, got, "{} {params:?}", method.name);
                }
            }
            assert_valid(&method, &example["result"], "has an example that is not of its schema");
        }
    }
    if update {
        document::write("examples.json", &all.into());
        document::write("openrpc.json", &joined());
    }
    node.stop().await;
}

#[test]
fn accepts_the_document_as_its_parts_make_it() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let hint = "run this test file again with CAIRN_UPDATE_OPENRPC=1";
    assert!(document == joined(), "node/openrpc/openrpc.json is not what its parts make: {hint}");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let known = names(document["methods"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()));
    let stray: Vec<_> = examples().into_iter().map(|(name, _)| name).filter(|n| !known.contains(n)).collect();
    assert!(stray.iter().all(|n| UNSERVED.contains(&n.as_str())), "examples of no method: {stray:?}");
    // Every schema is used, and what is used is there.
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let reference = format!("\"#/components/schemas/{name}\"");
        assert!(!UNSERVED.is_empty() || text.contains(&reference), "schema {name} is not used");
    }
    for method in document["methods"].as_array().unwrap() {
        let required: Vec<_> = method["params"].as_array().unwrap().iter().map(|p| &p["required"]).collect();
        assert!(
            required.is_sorted_by_key(|r| *r == false),
            "{}: an optional parameter before a required",
            method["name"]
        );
    }
}

#[test]
fn accepts_exactly_the_documented_resources() {
    let documentation = include_str!("../../docs/rpc.md");
    let (_, section) = documentation.split_once("### Resources\n").unwrap();
    let table = section.lines().skip_while(|line| *line != "|---|---|").skip(1);
    let documented: Vec<_> = table.take_while(|line| line.starts_with('|')).collect();
    let wanted = Resource::ALL.map(|resource| format!("| `{resource}` | {} |", resource.help()));
    assert_eq!(documented, wanted, "docs/rpc.md must have:\n{}", wanted.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_exactly_the_documented_methods() {
    let node = TestNode::start(&[Role::Rpc], |_| {}).await;
    let document = node.call("rpc_discover", json!([])).await;
    assert_eq!(document, serde_json::from_str::<Value>(DOCUMENT).unwrap());
    let documented = names(methods(&document).iter().map(|m| &m.name));
    let served =
        names(module(&node.chain, &RpcConfig::default(), &Budget::new(1 << 30)).unwrap().method_names());
    let difference =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let unserved = names(UNSERVED.iter().copied());
    let wrong: Vec<_> = unserved.intersection(&served).collect();
    assert!(
        wrong.is_empty(),
        "served now, take them out of UNSERVED in tests/harness/document.rs: {wrong:?}"
    );
    assert_eq!(difference(&served, &documented), [""; 0], "served, not documented");
    assert_eq!(difference(&documented, &served), [""; 0], "documented, not served");
    node.stop().await;
}

/// A required parameter cannot be left out, an optional one can, also as null; what is there is typed.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_and_rejects_parameters_as_documented() {
    let node = filled().await;
    let all = examples();
    for method in methods(&joined()) {
        let name = &method.name;
        // The server's own: whatever is no subscription of the connection is answered with false.
        if name.ends_with("_unsubscribe") {
            assert_eq!(ask(&node, name, &[json!("0x1")]).await, Ok(json!(false)));
            continue;
        }
        let example =
            all[name].as_array().unwrap().iter().max_by_key(|e| e["params"].as_array().unwrap().len());
        let params = example.unwrap()["params"].as_array().unwrap();
        let needed = method.required.iter().filter(|r| **r).count();
        assert!((needed..=method.required.len()).contains(&params.len()), "{name}: example of {params:?}");
        for count in 0..params.len() {
            let got = ask(&node, name, &params[..count]).await;
            assert_eq!(got == Err(-32602), count < needed, "{name} with {count} of {params:?}: {got:?}");
        }
        for at in 0..method.required.len() {
            let mut with_null = params.clone();
            with_null.resize(params.len().max(at + 1), Value::Null);
            with_null[at] = Value::Null;
            let got = ask(&node, name, &with_null).await;
            assert_eq!(got == Err(-32602), at < needed, "{name} {with_null:?}: {got:?}");
            if UNREAD.iter().any(|(method, from)| method == name && at >= *from) {
                continue;
            }
            let mut mistyped = with_null;
            mistyped[at] = json!([[[0.5]]]);
            let got = ask(&node, name, &mistyped).await;
            assert_eq!(got, Err(-32602), "{name} {mistyped:?}");
        }
    }
    node.stop().await;
}

/// Calls of every method that reach every kind of answer of this chain.
async fn calls(node: &TestNode) -> Vec<(String, Vec<Value>)> {
    let mut calls: Vec<(String, Vec<Value>)> = Vec::new();
    let mut add =
        |method: &str, params: Value| calls.push((method.to_owned(), params.as_array().unwrap().clone()));
    let unknown = json!("0x00000000000000000000000000000000000000000000000000000000000000ff");
    let mut hashes = vec![unknown.clone()];
    let mut transactions = vec![unknown.clone()];
    for number in 0..=BLOCKS {
        let block = node.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await;
        hashes.push(block["hash"].clone());
        transactions.extend(block["transactions"].as_array().unwrap().iter().cloned());
    }
    for raw in queued() {
        transactions.push(json!(keccak256(raw)));
    }
    let numbers =
        ["earliest", "0x0", "0x1", "0x2", "0x3", "latest", "pending", "safe", "finalized", "0xffff"];
    for block in numbers.map(|n| json!(n)).iter().chain(&hashes) {
        let by = if block.as_str().unwrap().len() == 66 { "Hash" } else { "Number" };
        for full in [false, true] {
            add(&format!("eth_getBlockBy{by}"), json!([block, full]));
        }
        add(&format!("eth_getBlockTransactionCountBy{by}"), json!([block]));
        add(&format!("eth_getUncleCountByBlock{by}"), json!([block]));
        add(&format!("zkevm_getFullBlockBy{by}"), json!([block]));
        add(&format!("debug_traceBlockBy{by}"), json!([block]));
        for index in ["0x0", "0x1"] {
            add(&format!("eth_getUncleByBlock{by}AndIndex"), json!([block, index]));
            add(&format!("eth_getTransactionByBlock{by}AndIndex"), json!([block, index]));
            add(&format!("eth_getRawTransactionByBlock{by}AndIndex"), json!([block, index]));
        }
        add("eth_getBlockReceipts", json!([block]));
        for method in ["debug_getRawBlock", "debug_getRawHeader", "debug_getRawReceipts"] {
            add(method, json!([block]));
        }
        for account in [json!("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"), json!(RECIPIENT), json!(STORE)] {
            for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
                add(method, json!([account, block]));
            }
            add("eth_getStorageAt", json!([account, "0x0", block]));
            add("eth_getProof", json!([account, ["0x0", "0x1"], block]));
        }
    }
    for hash in &transactions {
        for method in [
            "eth_getTransactionByHash",
            "eth_getTransactionReceipt",
            "eth_getRawTransactionByHash",
            "debug_getRawTransaction",
            "debug_traceTransaction",
            "cairn_getTransactionStatus",
        ] {
            add(method, json!([hash]));
        }
    }
    for to in [ECHO, LOGGER, REVERTER, STORE, RECIPIENT] {
        let request = json!({"to": to, "data": "0x0102"});
        for method in [
            "eth_call",
            "eth_estimateGas",
            "eth_createAccessList",
            "zkevm_estimateFee",
            "zkevm_estimateCounters",
        ] {
            add(method, json!([request, "latest"]));
        }
        add("eth_call", json!([request, "0xffff"]));
        for tracer in ["", "callTracer", "prestateTracer", "4byteTracer"] {
            add("debug_traceCall", json!([request, "latest", {"tracer": tracer}]));
        }
        add(
            "debug_traceCall",
            json!([request, "latest", {"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}]),
        );
        add("debug_traceCall", json!([request, "latest"]));
    }
    for percentiles in [json!([]), json!([0, 50, 100])] {
        for newest in ["0x0", "latest", "0xffff"] {
            add("eth_feeHistory", json!(["0x4", newest, percentiles]));
        }
    }
    add("eth_feeHistory", json!(["0x4", "latest"]));
    add("eth_feeHistory", json!(["0x0", "latest"]));
    add("eth_feeHistory", json!(["0x4", "latest", [50, 1]]));
    add("eth_getLogs", json!([{"fromBlock": "0x0", "address": LOGGER, "topics": [null, [unknown]]}]));
    add("eth_getLogs", json!([{"blockHash": hashes[1]}]));
    add("eth_getLogs", json!([{"blockHash": unknown}]));
    add("eth_getLogs", json!([{"fromBlock": "0x2", "toBlock": "0x1"}]));
    let fresh = [signed(2, legacy_tx(0)), signed(2, access_list_tx(1)), signed(2, dynamic_fee_tx(2))];
    for raw in
        [json!("0x"), json!("0x03c0"), json!(queued()[0])].into_iter().chain(fresh.map(|raw| json!(raw)))
    {
        add("eth_sendRawTransaction", json!([raw]));
    }
    for batch in ["0x0", "0x1", "0x9", "latest", "safe", "finalized", "earliest"] {
        add("zkevm_getBatchByNumber", json!([batch]));
        add("zkevm_getBatchByNumber", json!([batch, true]));
        add("debug_traceBatchByNumber", json!([batch]));
    }
    for block in ["0x0", "0x1", "0x3", "0xffff"] {
        for method in
            ["zkevm_batchNumberByBlockNumber", "zkevm_isBlockVirtualized", "zkevm_isBlockConsolidated"]
        {
            add(method, json!([block]));
        }
    }
    for sender in ["0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"]
    {
        add("txpool_contentFrom", json!([sender]));
        add("cairn_getAddressTransactions", json!([sender]));
    }
    let filters = [
        node.call("eth_newFilter", json!([{"fromBlock": "0x0"}])).await,
        node.call("eth_newBlockFilter", json!([])).await,
        node.call("eth_newPendingTransactionFilter", json!([])).await,
    ];
    let mut logs = dynamic_fee_tx(BLOCKS);
    (logs.to, logs.input) = (TxKind::Call(LOGGER), vec![3].into());
    node.makes_a_block(&signed(0, logs)).await;
    for filter in &filters {
        add("eth_getFilterChanges", json!([filter]));
        add("eth_getFilterChanges", json!([filter]));
        add("eth_getFilterLogs", json!([filter]));
        add("eth_uninstallFilter", json!([filter]));
        add("eth_uninstallFilter", json!([filter]));
    }
    for topic in
        [json!(["newHeads"]), json!(["logs", {}]), json!(["newPendingTransactions"]), json!(["syncing"])]
    {
        add("eth_subscribe", topic);
    }
    for method in ["eth_unsubscribe", "cairn_unsubscribe"] {
        add(method, json!(["0x1"]));
    }
    for (name, list) in examples() {
        for example in list.as_array().unwrap() {
            if example["unbound"] != true && !UNSERVED.contains(&name.as_str()) {
                add(&name, example["params"].clone());
            }
        }
    }
    calls
}

/// Values that differ from `value` in one place: a field less, a field of another type, another form or another name.
fn mutations(value: &Value) -> Vec<Value> {
    let mut out = vec![Value::Null, json!(1), json!("0xzz"), json!(true), json!({}), json!([{}])];
    match value {
        Value::String(text) => {
            out.extend([
                json!(format!("{text}0")),
                json!(text.trim_start_matches("0x")),
                json!(format!("0x0{}", &text[2.min(text.len())..])),
            ]);
            out.push(json!(text.to_uppercase()));
        }
        Value::Array(list) => {
            for (i, item) in list.iter().enumerate().take(2) {
                out.extend(mutations(item).into_iter().map(|m| {
                    let mut list = list.clone();
                    list[i] = m;
                    list.into()
                }));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let mut less = map.clone();
                less.remove(key);
                out.push(less.clone().into());
                less.insert(format!("{key}_"), item.clone());
                out.push(less.into());
                out.extend(mutations(item).into_iter().map(|m| {
                    let mut map = map.clone();
                    map.insert(key.clone(), m);
                    map.into()
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    out
}

/// A document that answers are held to beside our own.
struct Reference {
    name: &'static str,
    document: Value,
}

impl Reference {
    /// The result of a method of a node.
    fn result(&self, method: &str) -> Option<Validator> {
        let found = self.document["methods"].as_array().unwrap().iter().find(|m| m["name"] == *method)?;
        Some(document::validator(&self.document["components"], &found["result"]["schema"]))
    }
}

/// Both references ask that an empty list be either one of hashes or one of logs. It is both: `oneOf` is read as `anyOf`.
fn with_empty_lists(mut document: Value) -> Value {
    let results = document["components"]["schemas"]["FilterResults"].as_object_mut().unwrap();
    let lists = results.remove("oneOf").unwrap();
    results.insert("anyOf".to_owned(), lists);
    document
}

/// The execution API's document as `@metamask/api-specs` has it. It is older than the timestamp in logs, which the
/// specification has by now.
fn api_specs() -> Reference {
    let file = "reference/node_modules/@metamask/api-specs/dist/build/openrpc.json";
    assert!(document::path(file).exists(), "{file} is missing: run scripts/bootstrap");
    let mut document = with_empty_lists(document::read(file));
    document["components"]["schemas"]["Log"]["properties"]["blockTimestamp"] =
        json!({"$ref": "#/components/schemas/uint"});
    Reference { name: "@metamask/api-specs", document }
}

/// The references: one that is always there, and the execution API's own sources if they are joined in the file that
/// `CAIRN_EXECUTION_APIS` names; see `node/openrpc/reference/assemble.py`.
fn references() -> Vec<Reference> {
    let mut all = vec![api_specs()];
    if let Some(file) = std::env::var_os("CAIRN_EXECUTION_APIS") {
        let document = with_empty_lists(serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap());
        all.push(Reference { name: "execution-apis", document });
    }
    all
}

/// Answers of every kind, of every method, have the documented shape and, where a reference has the method, its shape; and
/// the document lets nothing through that the reference does not.
/// `CAIRN_RECORD_ANSWERS=<file>` writes the answers down.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_every_kind_of_answer_by_all_documents() {
    let node = filled().await;
    let document = joined();
    let ours = methods(&document);
    let (mut recorded, mut answered, mut codes) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (name, params) in calls(&node).await {
        if UNSERVED.contains(&name.as_str()) || name == "rpc_discover" {
            continue;
        }
        let method =
            ours.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("{name} is not documented"));
        let answer = match ask(&node, &name, &params).await {
            Ok(answer) => answer,
            Err(code) => {
                assert!(method.errors.contains(&code), "{name} {params:?}: error {code} is not documented");
                codes.insert(code);
                continue;
            }
        };
        assert_valid(method, &answer, &format!("{params:?}"));
        answered.insert(name.clone());
        recorded.push(json!({"method": name, "params": params, "result": answer}));
    }
    node.stop().await;
    let offered = names(ours.iter().map(|m| &m.name).filter(|name| *name != "rpc_discover"));
    assert_eq!(answered, offered, "not every method was asked something that it answers");
    assert!([-32602, -32000, 3].iter().all(|c| codes.contains(c)), "errors were hardly reached: {codes:?}");
    if let Some(file) = std::env::var_os("CAIRN_RECORD_ANSWERS") {
        let record = json!({"document": document, "answers": recorded});
        fs::write(file, serde_json::to_string(&record).unwrap()).unwrap();
    }
    for reference in references() {
        hold_to(&reference, &ours, &recorded);
    }
}

/// Every method that both have: each answer is valid by the reference, and no mutation of it is valid by ours alone.
fn hold_to(reference: &Reference, ours: &[Method], answers: &[Value]) {
    let (mut faults, mut compared, mut refused) = (BTreeSet::new(), BTreeSet::new(), 0u64);
    let both: Vec<_> = ours.iter().filter_map(|m| Some((m, reference.result(&m.name)?))).collect();
    for (method, theirs) in &both {
        for answer in answers.iter().filter(|a| a["method"] == method.name.as_str()) {
            let (params, answer) = (&answer["params"], &answer["result"]);
            // The references have no form for a transaction that is in no block yet, or a block that has no hash yet.
            if ["blockHash", "hash"].iter().any(|field| answer.get(field) == Some(&Value::Null)) {
                continue;
            }
            compared.insert(method.name.clone());
            for error in theirs.iter_errors(answer) {
                let path = error.instance_path().to_string();
                faults.insert(format!("{} {params}: {path}: {error:.300}", method.name));
            }
            for mutation in mutations(answer) {
                if !theirs.is_valid(&mutation) {
                    refused += 1;
                    if method.result.is_valid(&mutation) {
                        let mutation = mutation.to_string();
                        faults.insert(format!(
                            "{}: only {} refuses {mutation:.600}",
                            method.name, reference.name
                        ));
                    }
                }
            }
        }
    }
    eprintln!("{}: {} methods, {refused} mutations refused by both", reference.name, compared.len());
    assert!(faults.is_empty(), "{}: {} faults: {faults:#?}", reference.name, faults.len());
    assert_eq!(compared, names(both.iter().map(|(m, _)| &m.name)), "{}: not every method", reference.name);
    assert!(refused > 1_000, "{} was hardly used", reference.name);
}
