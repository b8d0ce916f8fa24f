//! Traces, calls and encodings over JSON-RPC, held to anvil's on the same accounts, and to each other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "../../sequencer/tests/support/asm.rs"]
mod asm;

use std::{sync::Arc, time::Duration};

use alloy_consensus::{
    Block, Header, ReceiptEnvelope, SignableTransaction, TxEip1559, TxEnvelope,
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, keccak256};
use alloy_rlp::Decodable;
use asm::*;
use cairn_node::{
    chain::{Chain, Produced},
    config::Config,
    l1::anvil::{Anvil, AnvilOptions},
    proof::MockEngine,
    rpc,
    wiring::{open_chain, open_store},
};
use cairn_protocol::{
    constants::DEVNET_CHAIN_ID,
    genesis::{Genesis, GenesisAccount},
    resources::Resource,
};
use jsonrpsee::{
    core::{client::ClientT, params::ArrayParams},
    http_client::{HttpClient, HttpClientBuilder},
    server::{Server, ServerConfig, ServerHandle},
};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const SENDER: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
const RECIPIENT: Address = Address::repeat_byte(0xee);
const PRICE: u128 = 1_000_000_000;

/// A chain over JSON-RPC; blocks are made when a test asks for them.
struct Node {
    chain: Arc<Chain>,
    rpc: HttpClient,
    _server: ServerHandle,
    _dir: tempfile::TempDir,
}

type Answer = Result<Value, (i32, String, Value)>;

async fn ask(client: &HttpClient, method: &str, params: Value) -> Answer {
    let mut list = ArrayParams::new();
    for p in params.as_array().unwrap() {
        list.insert(p).unwrap();
    }
    client.request::<Value, _>(method, list).await.map_err(|e| match e {
        jsonrpsee::core::client::Error::Call(e) => {
            let data = e.data().map_or(Value::Null, |d| serde_json::from_str(d.get()).unwrap());
            (e.code(), e.message().to_owned(), data)
        }
        other => panic!("{method}: {other}"),
    })
}

/// The contracts of the tests with a balance each, and the counter's slots.
fn accounts() -> Vec<(Address, GenesisAccount)> {
    let contracts = contracts().into_iter().map(|(address, code)| {
        let storage = match address == COUNTER {
            true => [(U256::ZERO, U256::from(5u64)), (U256::ONE, U256::from(9u64))].into(),
            false => Default::default(),
        };
        (
            address,
            GenesisAccount { balance: U256::from(1_000u64), code, storage, ..GenesisAccount::default() },
        )
    });
    contracts.collect()
}

async fn node(change: impl FnOnce(&mut Config)) -> Node {
    let dir = tempfile::tempdir().unwrap();
    let mut genesis = Genesis::devnet();
    genesis.accounts.extend(accounts());
    let path = dir.path().join("genesis.json");
    std::fs::write(&path, serde_json::to_string(&genesis).unwrap()).unwrap();
    let mut config = Config::default();
    config.chain.data_dir = dir.path().join("data");
    config.chain.genesis = Some(path);
    config.rpc.listen.set_port(0);
    config.batch.mock_capacity[Resource::Transactions] = 2;
    change(&mut config);
    let engine = MockEngine { capacity: config.batch.mock_capacity };
    let chain = open_chain(&config, open_store(&config).unwrap(), &engine).unwrap();
    let limits = ServerConfig::builder().max_response_body_size(config.rpc.max_response_bytes).build();
    let server = Server::builder().set_config(limits).build(config.rpc.listen).await.unwrap();
    let address = server.local_addr().unwrap();
    let server = server.start(rpc::module(&chain, &config.rpc, &rpc::budget::Budget::new(1 << 30)).unwrap());
    let rpc =
        HttpClientBuilder::default().max_response_size(64 << 20).build(format!("http://{address}")).unwrap();
    Node { chain, rpc, _server: server, _dir: dir }
}

fn transfer(nonce: u64) -> Bytes {
    signed(nonce, TxKind::Call(RECIPIENT), 5, Bytes::new(), 21_000)
}

fn signed(nonce: u64, to: TxKind, value: u64, input: Bytes, gas_limit: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: PRICE,
        max_priority_fee_per_gas: PRICE,
        to,
        value: U256::from(value),
        input,
        ..TxEip1559::default()
    };
    let key = SigningKey::from_slice(&hex::decode(KEY).unwrap()).unwrap();
    let signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718().into()
}

impl Node {
    async fn ok(&self, method: &str, params: Value) -> Value {
        ask(&self.rpc, method, params).await.unwrap_or_else(|e| panic!("{method}: {e:?}"))
    }

    async fn err(&self, method: &str, params: Value) -> (i32, String) {
        let (code, message, _) = ask(&self.rpc, method, params).await.unwrap_err();
        (code, message)
    }

    /// A block with a transfer; its transaction's hash.
    fn transfer(&self, nonce: u64) -> B256 {
        self.include(&transfer(nonce))
    }

    /// A block with a transaction.
    fn include(&self, raw: &[u8]) -> B256 {
        let hash = self.chain.submit(raw).unwrap();
        loop {
            match self.chain.produce().unwrap() {
                Produced::Blocks { .. } => return hash,
                Produced::Sealed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// anvil with the same accounts.
struct Reference {
    rpc: HttpClient,
    _anvil: Anvil,
}

async fn reference() -> Reference {
    let anvil = tokio::task::spawn_blocking(|| {
        let arguments = ["--hardfork", "cancun", "--steps-tracing"].map(str::to_owned).to_vec();
        let options = AnvilOptions { chain_id: Some(DEVNET_CHAIN_ID), arguments, ..AnvilOptions::default() };
        Anvil::start(&options).unwrap()
    });
    let anvil = anvil.await.unwrap();
    let rpc = HttpClientBuilder::default().build(anvil.url()).unwrap();
    for (address, account) in accounts() {
        ask(&rpc, "anvil_setCode", json!([address, account.code])).await.unwrap();
        ask(&rpc, "anvil_setBalance", json!([address, account.balance])).await.unwrap();
        for (slot, value) in account.storage {
            let slot = format!("{slot:#x}");
            ask(&rpc, "anvil_setStorageAt", json!([address, slot, B256::from(value)])).await.unwrap();
        }
    }
    Reference { rpc, _anvil: anvil }
}

/// Takes away what anvil says otherwise than geth: it knows no limit of steps, shows a refund of 0, names failed steps
/// after revm, has the gas of the outermost call without the intrinsic gas, counts selectors of precompiles, and shows
/// accounts that were not there; a call that is all there is to see still shows where its contract went.
fn as_geth(trace: &mut Value, options: &Value) {
    if let Some(steps) = trace.get_mut("structLogs").and_then(Value::as_array_mut) {
        if let Some(limit) = options["limit"].as_u64() {
            steps.truncate(limit as usize);
        }
        for step in steps {
            let step = step.as_object_mut().unwrap();
            if step.get("refund") == Some(&json!(0)) {
                step.remove("refund");
            }
            if step.contains_key("error") {
                step.insert("error".to_owned(), json!("failed"));
            }
        }
    }
    match options["tracer"].as_str() {
        Some("callTracer") => {
            trace.as_object_mut().unwrap().remove("gas").unwrap();
            if options["tracerConfig"]["onlyTopCall"] == json!(true) {
                trace.as_object_mut().unwrap().remove("calls");
            }
            failed_by_any_name(trace);
        }
        // The word that goes to the identity contract.
        Some("4byteTracer") => trace.as_object_mut().unwrap().retain(|call, _| call != "0xaabbccdd-28"),
        Some("prestateTracer") => {
            let before = match trace.get("pre") {
                Some(_) => trace.get_mut("pre").unwrap(),
                None => trace,
            };
            before.as_object_mut().unwrap().retain(|_, account| *account != json!({ "balance": "0x0" }));
        }
        _ => {}
    }
}

/// A call that failed says so; how is in the words of each program.
fn failed_by_any_name(call: &mut Value) {
    if let Some(error) = call.get_mut("error") {
        *error = json!("failed");
    }
    for inner in call.get_mut("calls").and_then(Value::as_array_mut).into_iter().flatten() {
        failed_by_any_name(inner);
    }
}

/// Where a trace of the node is not anvil's.
fn difference(mut got: Value, mut expected: Value, options: &Value) -> Option<String> {
    as_geth(&mut got, options);
    as_geth(&mut expected, options);
    (got != expected).then(|| format!("{options}\n  node  {got}\n  anvil {expected}"))
}

/// The tests of traces: a call of each contract, with each set of options that anvil has too.
fn cases() -> Vec<(Value, Value)> {
    let options = [
        json!({}),
        json!({ "enableMemory": true, "enableReturnData": true }),
        json!({ "disableStack": true, "disableStorage": true, "limit": 5 }),
        json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
        json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } }),
        json!({ "tracer": "noopTracer" }),
        json!({ "tracer": "prestateTracer" }),
        json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } }),
    ];
    let called = [COUNTER, REVERTER, PANICKER, CALLER, UNDERFLOW, BAD_JUMP, DESTRUCT, RECIPIENT];
    let calls = called.map(|to| json!({ "to": to, "data": "0xaabbccdd01" }));
    // A creation, of the code 0x00; one that reverts; one out of gas.
    let creations = ["0x60015ff3", "0x5f5ffd", "0x5b5f56"].map(|code| json!({ "data": code }));
    let value = json!({ "to": CALLER, "value": "0x5" });
    let mut cases = Vec::new();
    for mut request in calls.into_iter().chain(creations).chain([value]) {
        request["from"] = json!(SENDER);
        request["gas"] = json!("0x30d40");
        cases.extend(options.iter().map(|options| (request.clone(), options.clone())));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_traces_of_calls_are_those_of_anvil() {
    let (node, anvil) = (node(|_| {}).await, reference().await);
    let (mut steps, mut underflows, mut differences) = (0, 0, Vec::new());
    for (request, options) in cases() {
        let params = json!([request, "latest", options]);
        let got = node.ok("debug_traceCall", params.clone()).await;
        let expected = ask(&anvil.rpc, "debug_traceCall", params).await.unwrap();
        if options["tracer"] == "callTracer" {
            // In geth, and so in the node, the outermost call has all the gas of the transaction.
            assert_eq!(got["gas"], request["gas"]);
            // What the comparison leaves out of both sides: anvil has other words, and an inner frame here.
            let only_top = options["tracerConfig"]["onlyTopCall"] == json!(true);
            assert!(!only_top || got.get("calls").is_none(), "{got}");
            if request["to"] == json!(UNDERFLOW) {
                assert_eq!(got["error"], "stack underflow");
                underflows += 1;
            }
        }
        let kept = got["structLogs"].as_array().map_or(0, Vec::len);
        assert!(options["limit"].as_u64().is_none_or(|limit| kept as u64 <= limit));
        steps += kept;
        differences.extend(difference(got, expected, &options).map(|d| format!("{request} {d}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(steps > 300 && underflows > 0, "{steps} steps, {underflows} underflows were compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_traces_of_transactions_are_those_of_anvil() {
    let (node, anvil) = (node(|_| {}).await, reference().await);
    let data = Bytes::from_static(&[0xaa, 0xbb, 0xcc, 0xdd, 1]);
    // A creation; calls that succeed, revert, halt, and one that runs out of gas.
    let txs = [
        (TxKind::Create, asm("PUSH4 0x60015ff3 PUSH0 MSTORE PUSH1 0x04 PUSH1 0x1c RETURN"), 100_000),
        (TxKind::Call(CALLER), data.clone(), 300_000),
        (TxKind::Call(COUNTER), data.clone(), 100_000),
        (TxKind::Call(PANICKER), data.clone(), 100_000),
        (TxKind::Call(BAD_JUMP), data.clone(), 100_000),
        (TxKind::Call(LOOP), data, 25_000),
        (TxKind::Create, asm("PUSH0 PUSH0 REVERT"), 100_000),
    ];
    // anvil keeps no memory of a transaction's steps.
    let options = [
        json!({}),
        json!({ "disableStack": true }),
        json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
        json!({ "tracer": "4byteTracer" }),
    ];
    let mut differences = Vec::new();
    for (nonce, (to, input, gas)) in txs.into_iter().enumerate() {
        let value = u64::from(to == TxKind::Call(CALLER)) * 3;
        let raw = signed(nonce as u64, to, value, input, gas);
        let hash = node.include(&raw);
        assert_eq!(ask(&anvil.rpc, "eth_sendRawTransaction", json!([raw])).await.unwrap(), json!(hash));
        // anvil returns the hash before the block is there.
        let included = async {
            while ask(&anvil.rpc, "eth_getTransactionReceipt", json!([hash])).await.unwrap().is_null() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), included).await.unwrap();
        for options in &options {
            let params = json!([hash, options]);
            let got = node.ok("debug_traceTransaction", params.clone()).await;
            let expected = ask(&anvil.rpc, "debug_traceTransaction", params).await.unwrap();
            differences.extend(difference(got, expected, options).map(|d| format!("{to:?} {d}")));
        }
        let receipt = node.ok("eth_getTransactionReceipt", json!([hash])).await;
        let trace = node.ok("debug_traceTransaction", json!([hash, { "tracer": "callTracer" }])).await;
        assert_eq!(trace["gasUsed"], receipt["gasUsed"]);
        assert_eq!(trace.get("error").is_none(), receipt["status"] == "0x1");
        // What the trace says of the state after is the state after.
        let diff = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
        let post = node.ok("debug_traceTransaction", json!([hash, diff])).await["post"].clone();
        for (address, account) in post.as_object().unwrap() {
            if let Some(balance) = account.get("balance") {
                assert_eq!(*balance, node.ok("eth_getBalance", json!([address])).await, "{address}");
            }
            if let Some(code) = account.get("code") {
                assert_eq!(*code, node.ok("eth_getCode", json!([address])).await, "{address}");
            }
            for (slot, value) in account["storage"].as_object().into_iter().flatten() {
                assert_eq!(
                    *value,
                    node.ok("eth_getStorageAt", json!([address, slot])).await,
                    "{address} {slot}"
                );
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let raw = node.ok("debug_getRawReceipts", json!(["0x2"])).await;
    let raw: Vec<Bytes> = serde_json::from_value(raw).unwrap();
    let receipt = ReceiptEnvelope::decode_2718_exact(&raw[0]).unwrap();
    assert_eq!(receipt.logs().len(), 1, "the call of CALLER emits one log");
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_calls_and_access_lists_are_those_of_anvil() {
    let (node, anvil) = (node(|_| {}).await, reference().await);
    for to in [COUNTER, CALLER, RECIPIENT] {
        let request = json!({ "from": SENDER, "to": to, "gas": "0x30d40", "gasPrice": "0x0" });
        let both = async |method: &str, params: Value| {
            let got = node.ok(method, params.clone()).await;
            assert_eq!(got, ask(&anvil.rpc, method, params).await.unwrap(), "{method} {to}");
        };
        both("eth_call", json!([request, "latest"])).await;
        let overrides =
            json!({ COUNTER.to_string(): { "stateDiff": { B256::ZERO.to_string(): B256::repeat_byte(1) } } });
        both("eth_call", json!([request, "latest", overrides])).await;
    }
    let request = json!({ "from": SENDER, "to": CALLER, "gas": "0x30d40" });
    let mut got = node.ok("eth_createAccessList", json!([request, "latest"])).await;
    let mut expected = ask(&anvil.rpc, "eth_createAccessList", json!([request, "latest"])).await.unwrap();
    let sorted = |list: &mut Value| {
        let items = list["accessList"].as_array_mut().unwrap();
        items.sort_by_key(|item| item["address"].as_str().unwrap().to_owned());
    };
    sorted(&mut got);
    sorted(&mut expected);
    assert_eq!(got["accessList"], expected["accessList"]);
    assert_eq!(got.get("error"), None);
    // The list makes the call cost what the answer says.
    let mut listed = request.clone();
    listed["accessList"] = got["accessList"].clone();
    let trace = node.ok("debug_traceCall", json!([listed, "latest", { "tracer": "callTracer" }])).await;
    assert_eq!(trace["gasUsed"], got["gasUsed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_a_call_sees_overrides_over_json_rpc() {
    let node = node(|_| {}).await;
    let request = json!({ "from": SENDER, "to": COUNTER });
    let accounts =
        json!({ COUNTER.to_string(): { "state": { B256::ZERO.to_string(): B256::repeat_byte(0) } } });
    let one = B256::with_last_byte(1);
    assert_eq!(node.ok("eth_call", json!([request, "latest", accounts])).await, json!(one));
    let traced =
        json!({ "tracer": "callTracer", "stateOverrides": accounts, "blockOverrides": { "number": "0x9" } });
    let trace = node.ok("debug_traceCall", json!([request, null, traced])).await;
    assert_eq!(trace["output"], json!(one));
    let seen = node.ok("eth_call", json!([{ "to": ENVIRONMENT }, "latest", {}, { "number": "0x9" }])).await;
    assert_eq!(seen.as_str().unwrap()[..66], B256::with_last_byte(9).to_string());
    let plain = node.ok("eth_estimateGas", json!([request])).await;
    assert_ne!(node.ok("eth_estimateGas", json!([request, "latest", accounts])).await, plain);

    let both = json!({ COUNTER.to_string(): { "state": {}, "stateDiff": {} } });
    let (code, message) = node.err("eth_call", json!([request, "latest", both])).await;
    assert_eq!((code, message), (-32602, format!("account {COUNTER} has both 'state' and 'stateDiff'")));
    let unknown = json!({ COUNTER.to_string(): { "balanc": "0x1" } });
    assert_eq!(node.err("eth_call", json!([request, "latest", unknown])).await.0, -32602);
    let (code, message) = node.err("eth_call", json!([{ "to": COUNTER, "chainId": "0x1" }])).await;
    assert_eq!((code, message.as_str()), (-32602, "chainId does not match node's (have=1, want=1001)"));
    let (code, message) = node.err("eth_call", json!([{ "to": COUNTER, "maxFeePerBlobGas": "0x1" }])).await;
    assert!(code == -32602 && message.starts_with("maxFeePerBlobGas is not supported"), "{message}");
    let (code, message) =
        node.err("eth_call", json!([{ "to": COUNTER, "input": "0x01", "data": "0x02" }])).await;
    assert!(code == -32602 && message.contains("\"input\"") && message.contains("\"data\""), "{message}");
    node.ok("eth_call", json!([{ "to": COUNTER, "input": "0x01", "data": "0x01" }])).await;

    let (code, message, data) = ask(&node.rpc, "eth_call", json!([{ "to": PANICKER }])).await.unwrap_err();
    assert_eq!((code, message.as_str()), (3, "execution reverted: arithmetic underflow or overflow"));
    assert_eq!(data, json!(format!("0x4e487b71{:064x}", 0x11)));
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_a_past_transaction_is_traced_on_the_state_before_it() {
    let node = node(|_| {}).await;
    let hashes: Vec<B256> = (0..3).map(|nonce| node.transfer(nonce)).collect();
    let calls = json!({ "tracer": "callTracer" });
    let diff = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
    for (i, hash) in hashes.iter().enumerate() {
        let frame = node.ok("debug_traceTransaction", json!([hash, calls])).await;
        let expected = json!({
            "type": "CALL", "from": SENDER.to_string().to_lowercase(), "to": RECIPIENT, "value": "0x5",
            "gas": "0x5208", "gasUsed": "0x5208", "input": "0x",
        });
        assert_eq!(frame, expected);
        let logs = node.ok("debug_traceTransaction", json!([hash])).await;
        assert_eq!(logs, json!({ "failed": false, "gas": 21_000, "returnValue": "0x", "structLogs": [] }));
        let changed = node.ok("debug_traceTransaction", json!([hash, diff])).await;
        let (pre, post) = (&changed["pre"], &changed["post"]);
        let sender = SENDER.to_string().to_lowercase();
        let recipient = RECIPIENT.to_string().to_lowercase();
        // The nonce before the first transfer is 0, which geth leaves out.
        assert_eq!(pre[&sender]["nonce"].as_u64().unwrap_or(0), i as u64);
        assert_eq!(post[&sender]["nonce"], json!(i + 1));
        assert_eq!(post[&recipient]["balance"], json!(format!("{:#x}", 5 * (i + 1))));
        // The state after the block is what the trace says.
        let balance = node.ok("eth_getBalance", json!([SENDER, format!("{:#x}", i + 1)])).await;
        assert_eq!(post[&sender]["balance"], balance);
    }
    let block = node.ok("eth_getBlockByNumber", json!(["0x2", false])).await;
    let expected = json!([{
        "txHash": hashes[1],
        "result": node.ok("debug_traceTransaction", json!([hashes[1], diff])).await,
    }]);
    assert_eq!(node.ok("debug_traceBlockByNumber", json!(["0x2", diff])).await, expected);
    assert_eq!(node.ok("debug_traceBlockByHash", json!([block["hash"], diff])).await, expected);
    // Two slots a batch: the third transfer closed the first.
    let batch = node.ok("debug_traceBatchByNumber", json!(["0x1", diff])).await;
    let traced: Vec<Value> = batch.as_array().unwrap().iter().map(|entry| entry["txHash"].clone()).collect();
    assert_eq!(traced, [json!(hashes[0]), json!(hashes[1])]);
    assert_eq!(batch[1], expected[0]);
    assert_eq!(node.ok("debug_traceBatchByNumber", json!(["latest", diff])).await, batch);
    let flat = node.ok("debug_traceTransaction", json!([hashes[1], { "tracer": "flatCallTracer" }])).await;
    assert_eq!((&flat[0]["blockHash"], &flat[0]["transactionHash"]), (&block["hash"], &json!(hashes[1])));

    // A call before the transaction of its block.
    let code = asm(&format!("PUSH20 {RECIPIENT:?} BALANCE PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN"));
    let balance = json!({ SENDER.to_string(): { "code": code } });
    let output = async |index: Value| {
        let options = json!({ "tracer": "callTracer", "stateOverrides": balance, "txIndex": index });
        node.ok("debug_traceCall", json!([{ "to": SENDER }, "0x3", options])).await["output"].clone()
    };
    assert_eq!(output(Value::Null).await, json!(B256::with_last_byte(15)));
    assert_eq!(output(json!("0x0")).await, json!(B256::with_last_byte(10)));
    let past = json!([{ "to": SENDER }, "0x3", { "txIndex": "0x1" }]);
    let (code, message) = node.err("debug_traceCall", past).await;
    assert_eq!((code, message.as_str()), (-32602, "transaction index 1 out of range for block 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_traces_by_name() {
    let node = node(|config| {
        config.rpc.max_trace_bytes = 1 << 20;
        config.rpc.max_traces = 1;
    })
    .await;
    let hash = node.transfer(0);
    let of = |options: Value| json!([hash, options]);
    let (code, message) = node.err("debug_traceTransaction", of(json!({ "tracer": "{}" }))).await;
    assert!(code == -32602 && message.contains("callTracer"), "{message}");
    let (code, message) = node.err("debug_traceTransaction", of(json!({ "timeout": "x" }))).await;
    assert!(code == -32602 && message.starts_with("timeout"), "{message}");
    assert_eq!(
        node.err("debug_traceTransaction", json!([B256::ZERO])).await,
        (-32000, "transaction not found".to_owned())
    );
    assert_eq!(
        node.err("debug_traceBlockByNumber", json!(["0x0"])).await,
        (-32000, "genesis is not traceable".to_owned())
    );
    assert_eq!(
        node.err("debug_traceBlockByNumber", json!(["0x9"])).await,
        (-32000, "header not found".to_owned())
    );
    assert_eq!(
        node.err("debug_traceBatchByNumber", json!(["0x9"])).await,
        (-32000, "batch 9 is not sealed".to_owned())
    );
    // Many at a time, one room: each gets its answer, and the limit is named.
    let request = json!([{ "to": LOOP }, "latest", {}]);
    let answers = futures::future::join_all((0..8).map(|_| node.err("debug_traceCall", request.clone())));
    for (code, message) in tokio::time::timeout(Duration::from_secs(60), answers).await.unwrap() {
        assert!(code == -32005 && message.contains("1048576 bytes"), "{code} {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prop_encodings_are_what_hashes_are_of() {
    let node = node(|_| {}).await;
    let hash = node.transfer(0);
    let bytes = |value: Value| serde_json::from_value::<Bytes>(value).unwrap();
    for number in ["0x0", "0x1"] {
        let block = node.ok("eth_getBlockByNumber", json!([number, false])).await;
        let header = bytes(node.ok("debug_getRawHeader", json!([number])).await);
        assert_eq!(json!(keccak256(&header)), block["hash"]);
        let raw = bytes(node.ok("debug_getRawBlock", json!([number])).await);
        assert_eq!(node.ok("debug_getRawBlock", json!([block["hash"]])).await, json!(raw));
        let decoded = Block::<TxEnvelope>::decode(&mut raw.as_ref()).unwrap();
        assert_eq!(decoded.header, Header::decode(&mut header.as_ref()).unwrap());
        assert_eq!(calculate_transaction_root(&decoded.body.transactions), decoded.header.transactions_root);
        assert_eq!(decoded.body.withdrawals.map(|w| w.len()), Some(0));
        let receipts = node.ok("debug_getRawReceipts", json!([number])).await;
        let receipts: Vec<Bytes> = serde_json::from_value(receipts).unwrap();
        let decoded_receipts: Vec<ReceiptEnvelope> =
            receipts.iter().map(|r| ReceiptEnvelope::decode_2718_exact(r).unwrap()).collect();
        assert_eq!(calculate_receipt_root(&decoded_receipts), decoded.header.receipts_root);
    }
    let raw = bytes(node.ok("debug_getRawTransaction", json!([hash])).await);
    assert_eq!((keccak256(&raw), &raw), (hash, &transfer(0)));
    // In the pool too; nothing for what is not known, as in geth.
    let pooled = node.chain.submit(&transfer(1)).unwrap();
    assert_eq!(node.ok("debug_getRawTransaction", json!([pooled])).await, json!(transfer(1)));
    assert_eq!(node.ok("debug_getRawTransaction", json!([B256::ZERO])).await, json!("0x"));
    assert_eq!(node.err("debug_getRawBlock", json!(["0x9"])).await, (-32000, "header not found".to_owned()));
}
