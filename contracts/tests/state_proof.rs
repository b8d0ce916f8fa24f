//! Writes proofs of state to `test/vectors/state_proof.json` and fails if the committed file differs;
//! `test/StateProof.t.sol` holds Solidity to it.
//!
//! After a deliberate change: `UPDATE_VECTORS=1 cargo test -p cairn-contracts --test state_proof`.

use std::{path::Path, sync::Arc};

use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_protocol::{
    Fr,
    constants::{SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT},
    genesis::{Genesis, GenesisAccount},
    leaf::{AccountValue, LeafId, field_to_b256, storage_to_fields},
};
use cairn_state::{BlockChanges, MemoryStore, StateDb, StateView, TreeReader};
use serde_json::{Value, json};

const CONTRACT: Address = Address::repeat_byte(0xcc);
const LAST: Address = Address::repeat_byte(0x77);

fn address(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[12..])
}

/// Seventy accounts, so that paths of three levels have siblings; a contract with slots; and a last leaf.
fn state() -> StateView {
    let mut accounts: Vec<(Address, GenesisAccount)> = (0..70)
        .map(|n| {
            let balance = U256::from(n) << (3 * n as usize % 120);
            (address(n), GenesisAccount { nonce: n, balance, ..GenesisAccount::default() })
        })
        .collect();
    let code = (0..300u32).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>();
    let mut contract = GenesisAccount { nonce: 1, code: code.into(), ..GenesisAccount::default() };
    contract.storage.insert(U256::ZERO, U256::ONE);
    contract.storage.insert(U256::from(1), U256::MAX);
    contract.storage.insert(U256::MAX, U256::from(5));
    accounts.push((CONTRACT, contract));
    let genesis = Genesis { chain_id: 1001, accounts };
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis).expect("memory does not fail");
    let extreme = AccountValue { nonce: u64::MAX, balance: U256::MAX, code_hash: Fr::from(0u64) };
    let mut changes = BlockChanges::new();
    for (id, value) in [
        // A leaf stays when its slot is set to zero.
        (LeafId::Storage(CONTRACT, U256::ZERO), storage_to_fields(U256::ZERO)),
        (LeafId::Storage(SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT), storage_to_fields(U256::ONE)),
        (LeafId::Account(LAST), extreme.to_fields()),
    ] {
        changes.write(id, value);
    }
    db.commit_block(1, &changes).expect("memory does not fail");
    db.latest().expect("memory does not fail")
}

fn account(view: &StateView, address: Address) -> Value {
    let proof = view.state_proof(&LeafId::Account(address)).expect("memory does not fail");
    let found = proof.verify_account(view.state_root(), address).expect("the proof is right");
    let value = found.unwrap_or_default();
    json!({
        "address": address.into_word(),
        "exists": B256::from(U256::from(u64::from(found.is_some()))),
        "nonce": B256::from(U256::from(value.nonce)),
        "balance": B256::from(value.balance),
        "codeHash": field_to_b256(value.code_hash),
        "proof": proof.to_bytes(),
    })
}

fn slot(view: &StateView, address: Address, slot: U256) -> Value {
    let proof = view.state_proof(&LeafId::Storage(address, slot)).expect("memory does not fail");
    let value = proof.verify_storage(view.state_root(), address, slot).expect("the proof is right");
    json!({
        "address": address.into_word(),
        "slot": B256::from(slot),
        "value": B256::from(value),
        "present": B256::from(U256::from(u64::from(proof.present))),
        "proof": proof.to_bytes(),
    })
}

/// The first absent address whose predecessor is as wanted.
fn absent(view: &StateView, wanted: impl Fn(&cairn_protocol::witness::Opening) -> bool) -> Address {
    (1000..u64::MAX)
        .map(address)
        .find(|a| {
            let proof = view.state_proof(&LeafId::Account(*a)).expect("memory does not fail");
            !proof.present && wanted(&proof.opening)
        })
        .expect("there is one")
}

#[test]
fn solidity_is_held_to_proofs_of_a_state() {
    let view = state();
    let count = view.commitment().leaf_count;
    assert_eq!(view.index_of(&LeafId::Account(LAST)).expect("memory does not fail"), Some(count - 1));
    let zero = Fr::from(0u64);
    let accounts = [
        address(3),
        CONTRACT,
        // At the last position, with the largest values.
        LAST,
        absent(&view, |o| o.index != 0 && o.leaf.next_key != zero),
        // Above every key, and below every key but the sentinel's.
        absent(&view, |o| o.leaf.next_key == zero),
        absent(&view, |o| o.index == 0),
    ];
    let slots = [
        (CONTRACT, U256::from(1)),
        (CONTRACT, U256::MAX),
        (SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT),
        // Present and zero, absent.
        (CONTRACT, U256::ZERO),
        (CONTRACT, U256::from(2)),
    ];
    let vectors = json!({
        "stateRoot": view.state_root(),
        "accounts": accounts.map(|a| account(&view, a)),
        "slots": slots.map(|(a, s)| slot(&view, a, s)),
    });
    let text = serde_json::to_string_pretty(&vectors).expect("plain values") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/vectors/state_proof.json");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).expect("vectors are writable");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("committed vectors"), text);
}
