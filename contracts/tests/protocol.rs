//! Holds the contracts to `cairn-protocol`: this test computes `test/vectors/protocol.json` from Rust's hashes and
//! constants and fails if the committed file differs; `test/Protocol.t.sol` holds Solidity to the same file.
//!
//! After a deliberate change: `UPDATE_VECTORS=1 cargo test -p cairn-contracts --test protocol`.

use std::path::Path;

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_protocol::batch::{PublicInput, acc_input_hash};
use cairn_protocol::constants::{
    GLOBAL_EXIT_ROOT_MAP_SLOT, LAST_ROLLUP_EXIT_ROOT_SLOT, MAX_TRANSACTIONS_BYTE_LENGTH,
};
use cairn_protocol::exit_tree::global_exit_root;
use cairn_protocol::leaf::field_to_b256;
use serde_json::{Value, json};

/// A word, or the edge it stands for: all zeros and all ones first, then hashes of the number.
fn word(number: u64) -> B256 {
    match number {
        0 => B256::ZERO,
        1 => B256::repeat_byte(0xff),
        _ => keccak256(number.to_be_bytes()),
    }
}

fn address(number: u64) -> Address {
    Address::from_slice(&word(number)[12..])
}

fn quantity(number: u64) -> u64 {
    U256::from_be_bytes(word(number).0).as_limbs()[0]
}

fn public_input(case: u64) -> Value {
    // The batch after `init_num_batch` exists.
    let init_num_batch = quantity(case).min(u64::MAX - 1);
    let input = PublicInput {
        aggregator: address(case),
        old_state_root: word(case + 1),
        old_acc_input_hash: word(case + 2),
        init_num_batch,
        chain_id: quantity(case + 3),
        fork_id: quantity(case + 4),
        new_state_root: word(case + 5),
        new_acc_input_hash: word(case + 6),
        new_local_exit_root: word(case + 7),
        final_new_batch: init_num_batch + 1,
    };
    json!({
        "aggregator": input.aggregator.into_word(),
        "initNumBatch": word_of(input.init_num_batch),
        "chainId": word_of(input.chain_id),
        "forkId": word_of(input.fork_id),
        "words": [
            input.old_state_root,
            input.old_acc_input_hash,
            input.new_state_root,
            input.new_acc_input_hash,
            input.new_local_exit_root,
        ],
        "publicInput": field_to_b256(input.to_field()),
    })
}

fn acc_input(case: u64) -> Value {
    let (previous, transactions_hash, exit_root) = (word(case), word(case + 1), word(case + 2));
    let (timestamp, coinbase) = (quantity(case + 3), address(case + 4));
    json!({
        "words": [previous, transactions_hash, exit_root],
        "timestamp": word_of(timestamp),
        "coinbase": coinbase.into_word(),
        "accInputHash": acc_input_hash(previous, transactions_hash, exit_root, timestamp, coinbase),
    })
}

fn exit_root(case: u64) -> Value {
    let (mainnet, rollup) = (word(case), word(case + 1));
    json!({ "words": [mainnet, rollup], "globalExitRoot": global_exit_root(mainnet, rollup) })
}

fn word_of(number: u64) -> B256 {
    U256::from(number).into()
}

#[test]
fn solidity_is_held_to_the_protocol_crate() {
    let cases = [0, 1, 2, 100, 200];
    let vectors = json!({
        "maxTransactionsByteLength": word_of(MAX_TRANSACTIONS_BYTE_LENGTH as u64),
        "globalExitRootMapSlot": B256::from(GLOBAL_EXIT_ROOT_MAP_SLOT),
        "lastRollupExitRootSlot": B256::from(LAST_ROLLUP_EXIT_ROOT_SLOT),
        "publicInputs": cases.map(public_input),
        "accInputHashes": cases.map(acc_input),
        "globalExitRoots": cases.map(exit_root),
    });
    let text = serde_json::to_string_pretty(&vectors).expect("plain values") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/vectors/protocol.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).expect("vectors are writable");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("committed vectors"), text);
}
