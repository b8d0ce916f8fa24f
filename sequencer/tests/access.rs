//! What a transaction touches, in which order, and which leaves it creates: case by case, and at random against an
//! oracle.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "support/asm.rs"]
mod asm;
#[path = "support/programs.rs"]
mod programs;
mod support;

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use asm::asm;
use cairn_protocol::{
    Fr,
    access::BlockAccess,
    genesis::{Genesis, GenesisAccount},
    leaf::LeafId,
    tx::{DecodedTx, decode_tx},
};
use cairn_sequencer::{
    admission::Admission,
    evm::{BlockContext, EvmDb, EvmEnv, NoBlockHashes, tx_env},
    executor::{Executed, execute},
};
use cairn_state::{
    MemoryStore, StateDb, TreeReader,
    witness::{check_leaf_ops, leaf_ops_between},
};
use programs::{CONTRACTS, INITS, Oracle, actions, code, contract, init, plain};
use proptest::prelude::*;
use revm::{Context, InspectEvm, MainBuilder, MainContext, database_interface::WrapDatabaseRef};
use support::{CHAIN_ID, address, key};

const COINBASE: Address = Address::repeat_byte(0xcb);
const CONTEXT: BlockContext =
    BlockContext { chain_id: CHAIN_ID, number: 1, timestamp: 1_700_000_000, coinbase: COINBASE };

fn sender() -> Address {
    address(&key(1))
}

fn account(address: Address) -> LeafId {
    LeafId::Account(address)
}

fn slot(address: Address, slot: u64) -> LeafId {
    LeafId::Storage(address, U256::from(slot))
}

/// A state with the sender and contracts that own 100 wei each; slot 0 of each holds a value.
fn state(contracts: &[(Address, Bytes)]) -> StateDb {
    let rich = GenesisAccount { balance: U256::from(10u64).pow(U256::from(20u64)), ..Default::default() };
    let contracts = contracts.iter().map(|(address, code)| {
        let storage = [(U256::ZERO, U256::from(9u64))].into();
        let balance = U256::from(100u64);
        (*address, GenesisAccount { balance, code: code.clone(), storage, ..Default::default() })
    });
    let genesis = Genesis {
        chain_id: CHAIN_ID,
        accounts: std::iter::once((sender(), rich)).chain(contracts).collect(),
    };
    StateDb::open(Arc::new(MemoryStore::default()), &genesis).unwrap()
}

fn transaction(change: impl FnOnce(&mut TxEip1559)) -> DecodedTx {
    let mut tx = TxEip1559 {
        chain_id: CHAIN_ID,
        gas_limit: 5_000_000,
        max_fee_per_gas: 10,
        max_priority_fee_per_gas: 10,
        ..TxEip1559::default()
    };
    change(&mut tx);
    let signature = key(1).sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    decode_tx(&TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718()).unwrap()
}

fn call(to: Address) -> DecodedTx {
    transaction(|tx| tx.to = TxKind::Call(to))
}

fn run(state: &StateDb, tx: &DecodedTx, admission: Admission) -> Executed {
    let view = state.latest().unwrap();
    execute(tx, sender(), &CONTEXT, EvmDb { state: &view, hashes: &NoBlockHashes }, admission).unwrap()
}

/// Executes and commits block 1. The state keeps the same record, and it opens the block.
fn block(state: &StateDb, tx: &DecodedTx) -> Executed {
    let executed = run(state, tx, Admission::Everything);
    let before = state.latest().unwrap();
    let after = state.commit_block(1, &executed.changes).unwrap();
    assert_eq!(state.block_access(1).unwrap(), executed.access);
    assert_eq!(after.leaf_count, executed.leaf_count);
    let ops = leaf_ops_between(&before, after, &executed.access).unwrap().ops;
    assert_eq!(check_leaf_ops(&ops, before.commitment(), after), Ok(()));
    executed
}

fn touched(access: &BlockAccess) -> Vec<LeafId> {
    access.leaves.iter().map(|leaf| leaf.id).collect()
}

/// The created leaves in the order of their positions, which follow the leaf count without a gap.
fn created(access: &BlockAccess, leaf_count: u64) -> Vec<LeafId> {
    let created = access.created();
    assert!(created.iter().map(|(index, _)| *index).eq(leaf_count..leaf_count + created.len() as u64));
    created.into_iter().map(|(_, id)| id).collect()
}

/// What a program at contract 0 touches between sender and contract on one side and the coinbase on the other, and
/// what it creates before the coinbase.
fn program(text: &str, others: &[(Address, &str)]) -> (Vec<LeafId>, Vec<LeafId>) {
    let mut contracts = vec![(contract(0), asm(text))];
    contracts.extend(others.iter().map(|(address, text)| (*address, asm(text))));
    let state = state(&contracts);
    let leaf_count = state.commitment().unwrap().leaf_count;
    let executed = block(&state, &call(contract(0)));
    let (touched, mut created) = (touched(&executed.access), created(&executed.access, leaf_count));
    assert_eq!(touched[..2], [account(sender()), account(contract(0))]);
    assert_eq!(touched.last(), Some(&account(COINBASE)));
    assert_eq!(created.pop(), Some(account(COINBASE)));
    (touched[2..touched.len() - 1].to_vec(), created)
}

#[test]
fn accepts_the_same_record_of_a_transfer_in_both_modes() {
    let (new, old) = (Address::repeat_byte(0xee), contract(1));
    let cases: [(Address, u64, u128); 7] = [
        (new, 1, 10),
        (new, 0, 10),
        (new, 0, 0),
        (new, 1, 0),
        (COINBASE, 0, 10),
        (COINBASE, 1, 0),
        (sender(), 1, 10),
    ];
    for (to, value, price) in cases {
        let state = state(&[(old, asm("STOP"))]);
        let tx = transaction(|tx| {
            (tx.to, tx.value, tx.gas_limit) = (TxKind::Call(to), U256::from(value), 21_000);
            (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (price, price);
        });
        let proven = run(&state, &tx, Admission::Provable);
        assert_eq!(proven.access, run(&state, &tx, Admission::Everything).access, "{to} {value} {price}");
        block(&state, &tx);
    }
}

#[test]
fn accepts_reads_and_writes_in_the_order_of_execution() {
    let (a, b) = (plain(2), contract(1));
    let text = format!(
        "PUSH1 0x02 SLOAD POP PUSH20 {a} BALANCE POP PUSH1 0x05 PUSH1 0x03 SSTORE PUSH0 SLOAD POP
         PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 0x01 PUSH20 {b} GAS CALL POP
         PUSH1 0x01 PUSH1 0x02 SSTORE PUSH0 PUSH1 0x04 SSTORE"
    );
    let (touched, created) = program(&text, &[(b, "PUSH1 0x06 PUSH1 0x01 SSTORE")]);
    let own = |n| slot(contract(0), n);
    assert_eq!(touched, [own(2), account(a), own(3), own(0), account(b), slot(b, 1), own(4)]);
    // Slot 2 was read first and is created last; the asked account and the slot that stays 0 are not created.
    assert_eq!(created, [own(3), slot(b, 1), own(2)]);
}

#[test]
fn accepts_a_reverted_frame_that_touches_and_creates_nothing() {
    let (b, paid) = (contract(1), plain(2));
    let text = format!(
        "PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 PUSH20 {b} GAS CALL POP
         PUSH1 0x01 PUSH1 0x02 SSTORE PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 0x01 PUSH20 {paid} GAS CALL POP"
    );
    let inner = format!(
        "PUSH1 0x06 PUSH1 0x01 SSTORE PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 0x01 PUSH20 {paid} GAS CALL POP
         PUSH0 PUSH0 REVERT"
    );
    let (touched, created) = program(&text, &[(b, &inner)]);
    assert_eq!(touched, [account(b), slot(b, 1), account(paid), slot(contract(0), 2)]);
    assert_eq!(created, [slot(contract(0), 2), account(paid)]);
}

#[test]
fn accepts_leaves_that_are_emptied_again_as_created() {
    let (touched, created) =
        program("PUSH1 0x01 PUSH1 0x02 SSTORE PUSH0 PUSH1 0x02 SSTORE PUSH1 0x01 PUSH1 0x03 SSTORE", &[]);
    assert_eq!(touched, created);
    assert_eq!(created, [slot(contract(0), 2), slot(contract(0), 3)]);
    // A contract that stores and destroys itself where it is created.
    let state = state(&[]);
    let leaf_count = state.commitment().unwrap().leaf_count;
    let gone = sender().create(0);
    let tx = transaction(|tx| (tx.to, tx.input, tx.value) = (TxKind::Create, init(2), U256::from(3)));
    let executed = block(&state, &tx);
    let expected = [account(gone), slot(gone, 1)];
    assert_eq!(created_first(&executed.access, leaf_count, 2), expected);
    let leaves = &executed.access.leaves;
    assert!(leaves.iter().filter(|l| expected.contains(&l.id)).all(|l| l.new_value == <[Fr; 3]>::default()));
    assert!(touched_by(&executed.access, slot(gone, 2)), "a slot that the database is not asked for");
}

fn created_first(access: &BlockAccess, leaf_count: u64, count: usize) -> Vec<LeafId> {
    created(access, leaf_count)[..count].to_vec()
}

fn touched_by(access: &BlockAccess, id: LeafId) -> bool {
    access.leaves.iter().any(|leaf| leaf.id == id)
}

#[test]
fn accepts_the_access_list_before_what_the_code_touches() {
    let named = plain(3);
    let state = state(&[(contract(0), asm("PUSH1 0x05 SLOAD POP PUSH1 0x02 SLOAD POP"))]);
    let item = |address, slots: &[u64]| AccessListItem {
        address,
        storage_keys: slots.iter().map(|n| B256::from(U256::from(*n))).collect(),
    };
    let list = vec![item(contract(0), &[2, 7]), item(named, &[1, 1]), item(named, &[])];
    let tx = transaction(|tx| (tx.to, tx.access_list) = (TxKind::Call(contract(0)), AccessList(list)));
    let own = |n| slot(contract(0), n);
    assert_eq!(
        touched(&block(&state, &tx).access),
        [
            account(sender()),
            account(contract(0)),
            own(2),
            own(7),
            account(named),
            slot(named, 1),
            own(5),
            account(COINBASE)
        ]
    );
}

#[test]
fn accepts_precompiles_as_touched_where_they_are_called_or_asked_about() {
    let at = Address::with_last_byte;
    // Identity is called, SHA-256 asked about, RIPEMD-160 paid.
    let (touched, created) = program(
        "PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 0x04 GAS STATICCALL POP PUSH1 0x02 BALANCE POP
         PUSH0 PUSH0 PUSH0 PUSH0 PUSH1 0x01 PUSH1 0x03 GAS CALL POP",
        &[],
    );
    assert_eq!(touched, [account(at(4)), account(at(2)), account(at(3))]);
    assert_eq!(created, [account(at(3))]);
}

#[test]
fn accepts_an_instruction_without_gas_for_a_cold_access_as_touching_nothing() {
    let state = state(&[(contract(0), asm("PUSH1 0x02 SLOAD POP PUSH1 0x03 SLOAD POP"))]);
    // Enough for the first cold SLOAD (2100) with its PUSH and POP, not for the second.
    let tx = transaction(|tx| (tx.to, tx.gas_limit) = (TxKind::Call(contract(0)), 21_000 + 2_105 + 2_000));
    let executed = block(&state, &tx);
    assert!(!executed.receipt.success);
    let expected = [account(sender()), account(contract(0)), slot(contract(0), 2), account(COINBASE)];
    assert_eq!(touched(&executed.access), expected);
}

#[test]
fn accepts_touched_empty_accounts_without_leaves() {
    let empty = plain(2);
    let (touched, created) =
        program(&format!("PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 PUSH20 {empty} GAS CALL POP"), &[]);
    assert_eq!((touched, created), (vec![account(empty)], vec![]));
}

#[test]
fn accepts_a_failed_creation_by_transaction_as_touching_the_address() {
    let state = state(&[]);
    let tx = transaction(|tx| (tx.to, tx.input) = (TxKind::Create, init(1)));
    let executed = block(&state, &tx);
    let gone = sender().create(0);
    assert!(!executed.receipt.success);
    let expected = [account(sender()), account(gone), slot(gone, 7), account(COINBASE)];
    assert_eq!(touched(&executed.access), expected);
    assert_eq!(executed.access.created().len(), 1, "the coinbase alone");
}

/// What the oracle says: order of first access, and the order of the leaves that did not exist.
fn oracle(state: &StateDb, tx: &DecodedTx) -> (Vec<LeafId>, Vec<LeafId>) {
    let view = state.latest().unwrap();
    let db = WrapDatabaseRef(EvmDb { state: &view, hashes: &NoBlockHashes });
    let env = EvmEnv::from(&CONTEXT);
    let mut evm = Context::mainnet()
        .with_db(db)
        .with_cfg(env.cfg)
        .with_block(env.block)
        .build_mainnet_with_inspector(Oracle::default());
    evm.inspect_tx(tx_env(tx, sender())).unwrap();
    let oracle = evm.inspector;
    let recipient = tx.to.unwrap_or_else(|| sender().create(tx.nonce));
    let ends = |middle: &[LeafId]| {
        let mut once: Vec<LeafId> = vec![];
        let all = [account(sender())].into_iter().chain(middle.iter().copied()).chain([account(COINBASE)]);
        all.for_each(|id| {
            if !once.contains(&id) {
                once.push(id);
            }
        });
        once
    };
    let mut touched = vec![account(recipient)];
    touched.extend(&oracle.touched);
    // The coinbase is the last unless it was touched before.
    let mut lasting = ends(&oracle.lasting());
    lasting.retain(|id| view.index_of(id).unwrap().is_none());
    (ends(&touched), lasting)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn prop_records_are_those_of_an_oracle_that_follows_the_frames(
        programs in prop::collection::vec(actions(), usize::from(CONTRACTS)),
        create in prop::option::weighted(0.2, 0..INITS),
        value in prop_oneof![Just(0u64), 1..5u64],
        gas_limit in prop_oneof![4 => Just(20_000_000u64), 1 => 60_000..400_000u64],
    ) {
        let contracts: Vec<(Address, Bytes)> =
            (0u8..).zip(&programs).map(|(n, actions)| (contract(n), code(n, actions))).collect();
        let state = state(&contracts);
        let tx = transaction(|tx| {
            (tx.value, tx.gas_limit) = (U256::from(value), gas_limit);
            (tx.to, tx.input) = match create {
                Some(n) => (TxKind::Create, init(n)),
                None => (TxKind::Call(contract(0)), Bytes::new()),
            };
        });
        let leaf_count = state.commitment().unwrap().leaf_count;
        let (touches, creates) = oracle(&state, &tx);
        let executed = block(&state, &tx);
        prop_assert_eq!(created(&executed.access, leaf_count), creates);
        // An instruction that runs out of gas may or may not have read before.
        if gas_limit == 20_000_000 {
            prop_assert_eq!(touched(&executed.access), touches);
        }
    }
}
