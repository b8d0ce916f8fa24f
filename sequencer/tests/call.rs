//! Calls with overrides, access lists, and traces within their limits.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/asm.rs"]
mod asm;

use std::{sync::Arc, time::Duration};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_rpc_types_eth::{BlockOverrides, state::StateOverride};
use asm::*;
use cairn_protocol::genesis::{Genesis, GenesisAccount};
use cairn_sequencer::{
    call::{CallError, CallRequest, Caller, GAS_CAP, OverrideError},
    evm::{BlockContext, EvmDb, NoBlockHashes},
    trace::{Budget, TraceError, TraceLimits, Tracer, budget::Exceeded},
};
use cairn_state::{MemoryStore, StateDb, StateView};
use serde_json::{Value, json};

const CHAIN_ID: u64 = 1001;
const RICH: Address = address!("0x0000000000000000000000000000000000000fee");
const CONTEXT: BlockContext =
    BlockContext { chain_id: CHAIN_ID, number: 7, timestamp: 1_000, coinbase: Address::repeat_byte(0xca) };
const LIMITS: TraceLimits = TraceLimits { max_bytes: 8 << 20, timeout: Duration::from_secs(20) };

fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn state() -> StateView {
    let rich =
        GenesisAccount { balance: U256::from(10u64).pow(U256::from(18u64)), ..GenesisAccount::default() };
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
    let accounts = [(RICH, rich)].into_iter().chain(contracts).collect();
    let genesis = Genesis { chain_id: CHAIN_ID, accounts };
    StateDb::open(Arc::new(MemoryStore::default()), &genesis).unwrap().latest().unwrap()
}

fn to(address: Address) -> CallRequest {
    CallRequest { from: RICH, to: Some(address), ..CallRequest::default() }
}

fn state_overrides(json: Value) -> Option<StateOverride> {
    Some(serde_json::from_value(json).unwrap())
}

/// Output of a call with overrides.
fn call(request: &CallRequest, accounts: Value, block: Value) -> Result<Bytes, CallError> {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let block: BlockOverrides = serde_json::from_value(block).unwrap();
    let caller = Caller::new(db, &CONTEXT, GAS_CAP);
    caller.with_overrides(state_overrides(accounts), Some(block)).unwrap().call(request)
}

fn refused(accounts: Value, block: Value) -> OverrideError {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let block = Some(serde_json::from_value(block).unwrap());
    Caller::new(db, &CONTEXT, GAS_CAP).with_overrides(state_overrides(accounts), block).err().unwrap()
}

fn returned(result: Result<Bytes, CallError>) -> U256 {
    U256::from_be_slice(&result.unwrap())
}

#[test]
fn accepts_overrides_of_storage_whole_and_by_slot() {
    assert_eq!(returned(call(&to(COUNTER), json!({}), json!({}))), U256::from(6u64));
    let diff = json!({ COUNTER.to_string(): { "stateDiff": { word(0).to_string(): word(40) } } });
    assert_eq!(returned(call(&to(COUNTER), diff, json!({}))), U256::from(41u64));
    // Slot 1 alone: slot 0 reads as it is under `stateDiff`, as zero under `state`.
    let other = |field: &str| json!({ COUNTER.to_string(): { field: { word(1).to_string(): word(1) } } });
    assert_eq!(returned(call(&to(COUNTER), other("stateDiff"), json!({}))), U256::from(6u64));
    assert_eq!(returned(call(&to(COUNTER), other("state"), json!({}))), U256::ONE);
    assert_eq!(
        refused(json!({ COUNTER.to_string(): { "state": {}, "stateDiff": {} } }), json!({})),
        OverrideError::StateAndDiff { address: COUNTER }
    );
}

#[test]
fn accepts_overrides_of_code_balance_and_nonce() {
    let new = Address::repeat_byte(0x77);
    let code = asm("ADDRESS BALANCE PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN");
    let accounts = json!({ new.to_string(): { "code": code, "balance": "0x2a" } });
    assert_eq!(returned(call(&to(new), accounts, json!({}))), U256::from(42u64));
    // The address of a creation follows from the overridden nonce.
    let code = asm("PUSH0 PUSH0 PUSH0 CREATE PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN");
    let accounts = json!({ new.to_string(): { "code": code, "nonce": "0x9" } });
    let created = Address::from_word(returned(call(&to(new), accounts, json!({}))).into());
    assert_eq!(created, new.create(9));
    // A sender without money may spend what it pretends to have.
    let poor = Address::repeat_byte(0x66);
    let request = CallRequest { value: U256::from(5u64), from: poor, ..to(COUNTER) };
    assert!(matches!(call(&request, json!({}), json!({})), Err(CallError::Invalid { .. })));
    let request = CallRequest { value: U256::from(5u64), from: poor, ..to(Address::repeat_byte(0x55)) };
    call(&request, json!({ poor.to_string(): { "balance": "0x5" } }), json!({})).unwrap();
    // Code of the bytes that are a delegation in later forks halts, as any code that starts with 0xef.
    let accounts = json!({ new.to_string(): { "code": "0xef0100" } });
    assert!(matches!(call(&to(new), accounts, json!({})), Err(CallError::Halt { .. })));
}

#[test]
fn accepts_a_moved_precompile() {
    let identity = Address::with_last_byte(4);
    let asker = Address::repeat_byte(0x77);
    let asked = |accounts: Value| returned(call(&to(asker), accounts, json!({})));
    let code = identity_caller();
    assert_eq!(asked(json!({ asker.to_string(): { "code": code } })), U256::ZERO);
    assert_eq!(
        asked(json!({
            asker.to_string(): { "code": code },
            identity.to_string(): { "movePrecompileToAddress": IDENTITY_AT },
        })),
        U256::from(42u64)
    );
    // Its home is an ordinary account then; so it is if anything is overridden there.
    let at_home = CallRequest { data: Bytes::from_static(b"echo"), ..to(identity) };
    assert_eq!(call(&at_home, json!({}), json!({})).unwrap(), at_home.data);
    for accounts in [
        json!({ identity.to_string(): { "movePrecompileToAddress": IDENTITY_AT } }),
        json!({ identity.to_string(): { "balance": "0x1" } }),
    ] {
        assert_eq!(call(&at_home, accounts, json!({})).unwrap(), Bytes::new());
    }
    assert_eq!(
        refused(json!({ COUNTER.to_string(): { "movePrecompileToAddress": IDENTITY_AT } }), json!({})),
        OverrideError::NotAPrecompile { address: COUNTER }
    );
    assert_eq!(
        refused(
            json!({
                identity.to_string(): { "movePrecompileToAddress": COUNTER },
                COUNTER.to_string(): { "balance": "0x1" },
            }),
            json!({})
        ),
        OverrideError::AlreadyOverridden { address: COUNTER }
    );
}

#[test]
fn accepts_overrides_of_the_block() {
    let see = |request: &CallRequest, block: Value| -> Vec<U256> {
        let output = call(request, json!({}), block).unwrap();
        output.chunks(32).map(U256::from_be_slice).collect()
    };
    let coinbase = U256::from_be_slice(CONTEXT.coinbase.as_slice());
    let plain = [7, 1_000, 0, 30_000_000, 0, 0, 1, CHAIN_ID, 0].map(U256::from);
    let mut expected = plain;
    expected[2] = coinbase;
    assert_eq!(see(&to(ENVIRONMENT), json!({})), expected);

    let hash = keccak256("block 99");
    let block = json!({
        "number": "0x64", "time": "0x1388", "gasLimit": "0x1c9c380", "feeRecipient": RICH,
        "prevRandao": word(3), "baseFeePerGas": "0x7", "blobBaseFee": "0xb", "blockHash": { "99": hash },
    });
    let mut expected = [100, 5_000, 0xfee, 30_000_000, 3, 0, 11, CHAIN_ID, 0].map(U256::from);
    expected[8] = hash.into();
    // Who pays nothing for gas sees no base fee.
    assert_eq!(see(&to(ENVIRONMENT), block.clone()), expected);
    let paying = CallRequest { max_fee_per_gas: 8, gas: Some(100_000), ..to(ENVIRONMENT) };
    expected[5] = U256::from(7u64);
    assert_eq!(see(&paying, block.clone()), expected);
    let error = call(&CallRequest { max_fee_per_gas: 6, ..paying }, json!({}), block).unwrap_err();
    assert_eq!(error.to_string(), "max fee per gas less than block base fee");

    assert_eq!(
        refused(json!({}), json!({ "beaconRoot": B256::ZERO })),
        OverrideError::NotSupported { field: "beaconRoot" }
    );
    assert!(matches!(
        refused(json!({}), json!({ "baseFeePerGas": "0x10000000000000000" })),
        OverrideError::TooLarge { field: "baseFeePerGas", .. }
    ));
}

#[test]
fn rejects_with_reasons_in_words_of_geth() {
    let message = |request: &CallRequest| call(request, json!({}), json!({})).unwrap_err().to_string();
    assert_eq!(message(&to(REVERTER)), "execution reverted: no");
    assert_eq!(message(&to(PANICKER)), "execution reverted: arithmetic underflow or overflow");
    let run = |code: Bytes| {
        let at = Address::repeat_byte(0x77);
        let accounts = json!({ at.to_string(): { "code": code } });
        call(&to(at), accounts, json!({})).unwrap_err().to_string()
    };
    let panic = |code: &str| {
        run(asm(&format!(
            "PUSH4 0x4e487b71 PUSH1 0xe0 SHL PUSH0 MSTORE PUSH1 {code} PUSH1 0x04 MSTORE PUSH1 0x24 PUSH0 REVERT"
        )))
    };
    assert_eq!(panic("0x12"), "execution reverted: division or modulo by zero");
    assert_eq!(panic("0x99"), "execution reverted: unknown panic code: 0x99");
    assert_eq!(run(asm("PUSH0 PUSH0 REVERT")), "execution reverted");
    assert_eq!(run(asm("INVALID")), "invalid opcode");
    assert_eq!(message(&CallRequest { gas: Some(30_000), ..to(LOOP) }), "out of gas");
}

#[test]
fn prop_the_gas_cap_holds_and_a_call_may_use_more_than_a_block() {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let left = asm("GAS PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN");
    let accounts = json!({ COUNTER.to_string(): { "code": left } });
    let gas = |cap: u64, request: &CallRequest| {
        let caller = Caller::new(db, &CONTEXT, cap).with_overrides(state_overrides(accounts.clone()), None);
        returned(caller.unwrap().call(request)).to::<u64>()
    };
    assert_eq!(gas(50_000_000, &to(COUNTER)), 50_000_000 - 21_000 - 2);
    assert_eq!(gas(40_000, &CallRequest { gas: Some(1_000_000), ..to(COUNTER) }), 40_000 - 21_000 - 2);
    let error = Caller::new(db, &CONTEXT, 40_000).estimate_gas(&to(LOOP)).unwrap_err();
    assert_eq!(error.to_string(), "gas required exceeds allowance (40000)");
}

#[test]
fn prop_an_estimate_sees_the_overrides() {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let estimate = |accounts: Value| {
        let caller = Caller::new(db, &CONTEXT, GAS_CAP).with_overrides(state_overrides(accounts), None);
        caller.unwrap().estimate_gas(&to(COUNTER)).unwrap()
    };
    let plain = estimate(json!({}));
    // From zero a slot is dearer to set.
    let zero = estimate(json!({ COUNTER.to_string(): { "state": {} } }));
    assert!(zero > plain && plain > 21_000, "{plain} {zero}");
    assert_eq!(estimate(json!({ COUNTER.to_string(): { "code": "0x" } })), 21_000);
    let caller = Caller::new(db, &CONTEXT, GAS_CAP);
    let enough = CallRequest { gas: Some(plain), ..to(COUNTER) };
    caller.call(&enough).unwrap();
}

#[test]
fn prop_an_access_list_is_a_fixed_point() {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let caller = Caller::new(db, &CONTEXT, GAS_CAP);
    let listed = caller.create_access_list(&to(CALLER)).unwrap();
    // Neither the callee nor precompiles are in the list, but for slots: the delegated call wrote to the callee's.
    let item = |address, slots: &[u64]| AccessListItem {
        address,
        storage_keys: slots.iter().map(|s| word(*s)).collect(),
    };
    let expected = AccessList(vec![item(COUNTER, &[0, 1]), item(REVERTER, &[]), item(CALLER, &[0, 1])]);
    assert_eq!(listed.access_list, expected);
    assert_eq!(listed.error, None);
    let request = CallRequest { access_list: expected, ..to(CALLER) };
    assert_eq!(caller.create_access_list(&request).unwrap(), listed);
    // A failed call has its list too.
    let reverted = caller.create_access_list(&to(REVERTER)).unwrap();
    assert_eq!(reverted.error.as_deref(), Some("execution reverted"));
    assert_eq!(reverted.access_list, AccessList::default());
    assert!(reverted.gas_used > U256::from(21_000u64));
}

#[test]
fn rejects_an_access_list_that_does_not_settle() {
    // Its callee reads the slot of the gas that is left: each list makes the next run read another.
    let callee = Address::repeat_byte(0x77);
    let code = asm(&format!("PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 PUSH20 {callee:?} GAS CALL STOP"));
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let accounts = json!({
        COUNTER.to_string(): { "code": code },
        callee.to_string(): { "code": asm("GAS SLOAD STOP") },
    });
    let caller = Caller::new(db, &CONTEXT, GAS_CAP).with_overrides(state_overrides(accounts), None).unwrap();
    let error = caller.create_access_list(&to(COUNTER)).unwrap_err();
    assert!(matches!(error, CallError::AccessListUnsettled { runs: 32 }), "{error}");
}

fn trace(address: Address, options: Value, limits: TraceLimits) -> Result<Value, TraceError> {
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let tracer = Tracer::new(serde_json::from_value(options).unwrap())?;
    let mut budget = Budget::new(limits, tracer.timeout());
    let request = CallRequest { gas: Some(3_000_000), ..to(address) };
    let trace = Caller::new(db, &CONTEXT, GAS_CAP).trace(&request, &tracer, &mut budget)?;
    Ok(serde_json::to_value(trace).unwrap())
}

#[test]
fn rejects_a_trace_that_takes_too_much() {
    let bytes = |options: Value| {
        let error = trace(LOOP, options, LIMITS).unwrap_err();
        assert!(error.to_string().contains("8388608"), "{error}");
        assert!(
            matches!(error, TraceError::Exceeded(Exceeded::Bytes { limit }) if limit == LIMITS.max_bytes)
        );
    };
    bytes(json!({}));
    bytes(json!({ "disableStack": true, "disableStorage": true }));
    bytes(json!({ "enableMemory": true }));
    // Steps past `limit` are not kept: the loop ends by its gas.
    let kept = trace(LOOP, json!({ "limit": 3 }), LIMITS).unwrap();
    assert_eq!((kept["failed"].clone(), kept["structLogs"].as_array().unwrap().len()), (json!(true), 3));
    // Other tracers keep no steps.
    assert_eq!(trace(LOOP, json!({ "tracer": "callTracer" }), LIMITS).unwrap()["error"], "out of gas");
    let small = TraceLimits { max_bytes: 2_000, ..LIMITS };
    for tracer in ["callTracer", "prestateTracer", "flatCallTracer"] {
        let error = trace(CALLER, json!({ "tracer": tracer }), small).unwrap_err();
        assert!(matches!(error, TraceError::Exceeded(Exceeded::Bytes { .. })), "{tracer}: {error}");
    }
}

#[test]
fn rejects_a_trace_that_takes_too_long() {
    for (options, limits) in [
        (json!({ "tracer": "noopTracer" }), TraceLimits { timeout: Duration::from_millis(1), ..LIMITS }),
        (json!({ "tracer": "noopTracer", "timeout": "1ms" }), LIMITS),
    ] {
        let error = trace(LOOP, options, limits).unwrap_err();
        assert_eq!(error.to_string(), "execution timeout: the trace takes longer than 1ms");
    }
    // A request cannot ask for more than it may have.
    let limits = TraceLimits { timeout: Duration::from_millis(1), ..LIMITS };
    let error = trace(LOOP, json!({ "tracer": "noopTracer", "timeout": "1h" }), limits).unwrap_err();
    assert!(matches!(error, TraceError::Exceeded(Exceeded::Time { limit }) if limit.as_millis() == 1));
}

#[test]
fn prop_a_step_on_storage_is_charged_for_every_slot_that_it_shows() {
    // Reads as many slots as it has gas for: the trace would be quadratic in their number.
    let code = asm("JUMPDEST DUP1 SLOAD POP PUSH1 0x01 ADD PUSH1 0x01 JUMP");
    let state = state();
    let db = EvmDb { state: &state, hashes: &NoBlockHashes };
    let mut program = asm("PUSH0").to_vec();
    program.extend_from_slice(&code);
    let accounts = json!({ COUNTER.to_string(): { "code": Bytes::from(program) } });
    let caller = Caller::new(db, &CONTEXT, GAS_CAP).with_overrides(state_overrides(accounts), None).unwrap();
    let shown = |options: Value| {
        let tracer = Tracer::new(serde_json::from_value(options).unwrap()).unwrap();
        let mut budget = Budget::new(TraceLimits { max_bytes: 12 << 20, ..LIMITS }, None);
        let request = CallRequest { gas: Some(2_200_000), ..to(COUNTER) };
        caller.trace(&request, &tracer, &mut budget)
    };
    // A thousand slots: 8000 steps without the slots fit, half a million entries of slots do not.
    shown(json!({ "disableStorage": true, "disableStack": true })).unwrap();
    assert!(matches!(shown(json!({ "disableStack": true })), Err(TraceError::Exceeded(_))));
}

#[test]
fn prop_steps_that_fail_are_named_as_in_geth() {
    let last = |address: Address, options: Value| {
        let trace = trace(address, options, LIMITS).unwrap();
        assert_eq!(trace["failed"], true);
        trace["structLogs"].as_array().unwrap().last().unwrap().clone()
    };
    assert_eq!(last(UNDERFLOW, json!({}))["error"], "stack underflow (0 <=> 1)");
    assert_eq!(last(UNDERFLOW, json!({ "disableStack": true }))["error"], "stack underflow");
    assert_eq!(last(BAD_JUMP, json!({}))["error"], "invalid jump destination");
    // A revert is no failed step, and a refund of 0 is left out.
    let step = last(REVERTER, json!({}));
    assert_eq!((step["op"].clone(), step.get("error"), step.get("refund")), (json!("REVERT"), None, None));
}
