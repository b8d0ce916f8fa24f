//! The executor where everything is admitted: contracts, and what they leave in the tree.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use cairn_protocol::{
    code::{CHUNK_BYTES, chunks},
    leaf::LeafId,
    transfer::NotProvable,
    tx::{DecodedTx, decode_tx},
};
use cairn_sequencer::{
    admission::Admission,
    counters::BatchMeter,
    evm::{BlockContext, BlockHashError, BlockHashes, EvmDb, NoBlockHashes, ViewError, run},
    executor::{ExecuteError, Executed, execute},
    pending::{PendingState, ReadState},
};
use cairn_state::{BlockChanges, StateDb};
use proptest::prelude::*;
use revm::bytecode::Bytecode;
use support::{CHAIN_ID, Kind, Transfer, address, key, state};

const COINBASE: Address = Address::repeat_byte(0xcb);

fn context(number: u64) -> BlockContext {
    BlockContext { chain_id: CHAIN_ID, number, timestamp: 1_700_000_000, coinbase: COINBASE }
}

fn transaction(nonce: u64, to: TxKind, value: u64, input: Vec<u8>, gas_limit: u64) -> DecodedTx {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: 10,
        max_priority_fee_per_gas: 10,
        to,
        value: U256::from(value),
        input: input.into(),
        ..TxEip1559::default()
    };
    let signature = key(1).sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap();
    decode_tx(&TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718()).unwrap()
}

/// Init code that returns `runtime`.
fn init(runtime: &[u8]) -> Vec<u8> {
    let length = u8::try_from(runtime.len()).unwrap();
    // PUSH1 length, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 length, PUSH1 0, RETURN
    let head = [0x60, length, 0x60, 12, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3];
    [&head[..], runtime].concat()
}

/// Stores calldata word 1 at slot calldata word 0, hashes 64 bytes of memory, logs nothing.
const STORE: [u8; 19] = [
    0x60, 0x20, 0x35, 0x60, 0x00, 0x35, 0x55, // SSTORE(calldata[0], calldata[32])
    0x60, 0x40, 0x60, 0x00, 0x20, 0x50, // KECCAK256(0, 64), POP
    0x60, 0x00, 0x60, 0x00, 0xa0, // LOG0(0, 0)
    0x00, // STOP
];

/// BLOCKHASH(NUMBER − 1), POP.
const ASK_HASH: [u8; 8] = [0x60, 0x01, 0x43, 0x03, 0x40, 0x50, 0x00, 0x00];

fn words(a: u64, b: u64) -> Vec<u8> {
    [U256::from(a).to_be_bytes::<32>(), U256::from(b).to_be_bytes::<32>()].concat()
}

struct Chain {
    state: StateDb,
    sender: Address,
    nonce: u64,
}

impl Chain {
    fn new() -> Self {
        Self { state: state(2), sender: address(&key(1)), nonce: 0 }
    }

    fn execute(&self, tx: &DecodedTx) -> Result<Executed, ExecuteError> {
        let view = self.state.latest().unwrap();
        let db = EvmDb { state: &view, hashes: &NoBlockHashes };
        execute(tx, self.sender, &context(view.block() + 1), db, Admission::Everything)
    }

    /// Executes and commits; what the tree then shows must be what revm left.
    fn block(&mut self, to: TxKind, value: u64, input: Vec<u8>, gas_limit: u64) -> Executed {
        let tx = transaction(self.nonce, to, value, input, gas_limit);
        self.nonce += 1;
        let before = self.state.latest().unwrap();
        let number = before.block() + 1;
        let db = EvmDb { state: &before, hashes: &NoBlockHashes };
        let revm = run(db, &context(number), &tx, self.sender).unwrap();
        let executed = self.execute(&tx).unwrap();
        let mut pending = PendingState::new(before);
        pending.apply(&executed.changes).unwrap();
        let commitment = self.state.commit_block(number, &executed.changes).unwrap();
        assert_eq!(executed.leaf_count, commitment.leaf_count);
        assert_eq!(pending.leaf_count(), commitment.leaf_count);
        assert_eq!(executed.receipt.gas_used, revm.result.gas().tx_gas_used());
        let after = self.state.latest().unwrap();
        for (address, account) in &revm.state {
            let shown = after.account(*address).unwrap();
            // What was executed and not committed reads the same, positions included.
            assert_eq!(ReadState::account(&pending, *address).unwrap(), shown);
            if account.is_selfdestructed() {
                assert!(shown.is_none_or(|a| a.value().is_empty()), "{address}");
                continue;
            }
            let (nonce, balance) = shown.map_or((0, U256::ZERO), |a| (a.nonce, a.balance));
            assert_eq!((nonce, balance), (account.info.nonce, account.info.balance), "{address}");
            if let Some(code) = &account.info.code
                && !code.is_empty()
            {
                let keccak = shown.unwrap().keccak_code_hash;
                assert_eq!(keccak, account.info.code_hash);
                assert_eq!(after.code(keccak).unwrap().unwrap(), code.original_bytes());
                assert_eq!(ReadState::code(&pending, keccak).unwrap().unwrap(), code.original_bytes());
            }
            for (slot, value) in &account.storage {
                assert_eq!(after.storage(*address, *slot).unwrap(), value.present_value);
                assert_eq!(ReadState::storage(&pending, *address, *slot).unwrap(), value.present_value);
            }
        }
        executed
    }

    fn create(&mut self, runtime: &[u8]) -> (Address, Executed) {
        let contract = self.sender.create(self.nonce);
        let executed = self.block(TxKind::Create, 0, init(runtime), 1_000_000);
        assert!(executed.receipt.success);
        (contract, executed)
    }
}

/// Whether a transaction created a leaf that it touched.
fn creates(executed: &Executed, id: LeafId) -> bool {
    executed.access.leaves.iter().find(|leaf| leaf.id == id).unwrap().created.is_some()
}

#[test]
fn accepts_a_contract_from_creation_to_storage() {
    let mut chain = Chain::new();
    let (contract, created) = chain.create(&STORE);
    assert!(creates(&created, LeafId::Account(contract)));
    let stored = chain.block(TxKind::Call(contract), 0, words(7, 9), 1_000_000);
    assert_eq!(stored.receipt.logs.len(), 1);
    assert!(creates(&stored, LeafId::Storage(contract, U256::from(7))));
    assert!(stored.usage.steps > 10);
    assert_eq!(stored.usage.keccak_permutations, 1);
    // A leaf of value 0 stays; a second creation of it is none.
    chain.block(TxKind::Call(contract), 0, words(7, 0), 1_000_000);
    let again = chain.block(TxKind::Call(contract), 0, words(7, 5), 1_000_000);
    assert!(!creates(&again, LeafId::Storage(contract, U256::from(7))));
    // A slot that is 0 and stays 0 has no leaf.
    let none = chain.block(TxKind::Call(contract), 0, words(8, 0), 1_000_000);
    assert!(!creates(&none, LeafId::Storage(contract, U256::from(8))));
}

#[test]
fn accepts_a_failed_call_that_pays_and_changes_nothing_else() {
    let mut chain = Chain::new();
    let (contract, _) = chain.create(&STORE);
    let failed = chain.block(TxKind::Call(contract), 0, words(7, 9), 30_000);
    assert!(!failed.receipt.success);
    assert_eq!(failed.receipt.gas_used, 30_000);
    assert!(failed.receipt.logs.is_empty());
    let view = chain.state.latest().unwrap();
    assert_eq!(view.storage(contract, U256::from(7)).unwrap(), U256::ZERO);
    let reverted = chain.block(TxKind::Create, 0, vec![0x60, 0, 0x60, 0, 0xfd], 100_000);
    assert!(!reverted.receipt.success);
}

#[test]
fn accepts_a_contract_that_destroys_itself_in_its_own_transaction() {
    let mut chain = Chain::new();
    // CALLER, SELFDESTRUCT, with value in it.
    let gone = chain.sender.create(chain.nonce);
    let executed = chain.block(TxKind::Create, 5, vec![0x33, 0xff], 100_000);
    assert!(executed.receipt.success);
    // Its leaf was created and holds the empty account.
    assert!(creates(&executed, LeafId::Account(gone)));
    assert!(chain.state.account(gone).unwrap().unwrap().value().is_empty());
}

#[test]
fn accepts_the_same_transfer_as_where_everything_is_proven() {
    for kind in [Kind::Legacy, Kind::Eip2930, Kind::Eip1559] {
        let chain = Chain::new();
        let transfer = Transfer { kind, value: U256::from(5), ..Transfer::default() };
        let tx = decode_tx(&transfer.sign(&key(1))).unwrap();
        let view = chain.state.latest().unwrap();
        let db = EvmDb { state: &view, hashes: &NoBlockHashes };
        let proven = execute(&tx, chain.sender, &context(1), db, Admission::Provable).unwrap();
        let mock = execute(&tx, chain.sender, &context(1), db, Admission::Everything).unwrap();
        assert_eq!(proven.receipt, mock.receipt);
        let root = |changes: &BlockChanges| chain.state.preview(changes).unwrap();
        assert_eq!(root(&proven.changes), root(&mock.changes));
        let counters = |e: &Executed| {
            let mut meter = BatchMeter::new(B256::ZERO);
            meter.add(&e.work(&tx));
            meter.counters()
        };
        assert_eq!(counters(&proven), counters(&mock));
    }
}

#[test]
fn rejects_contracts_by_name_where_everything_is_proven() {
    let mut chain = Chain::new();
    let (contract, _) = chain.create(&STORE);
    let view = chain.state.latest().unwrap();
    let run = |tx: &DecodedTx| {
        let db = EvmDb { state: &view, hashes: &NoBlockHashes };
        execute(tx, chain.sender, &context(view.block() + 1), db, Admission::Provable).unwrap_err()
    };
    let call = transaction(1, TxKind::Call(contract), 0, words(1, 1), 100_000);
    let is =
        |e: ExecuteError, expected| assert!(matches!(e, ExecuteError::NotProvable(got) if got == expected));
    is(run(&call), NotProvable::RecipientHasCode { address: contract });
    is(run(&transaction(1, TxKind::Create, 0, init(&STORE), 1_000_000)), NotProvable::Creation);
}

/// The block before is executed and not hashed.
struct PendingHashes;

impl BlockHashes for PendingHashes {
    fn block_hash(&self, number: u64) -> Result<Option<B256>, BlockHashError> {
        Err(BlockHashError::Pending { number })
    }
}

#[test]
fn rejects_for_now_a_transaction_that_asks_for_a_hash_not_worked_out() {
    let mut chain = Chain::new();
    let (contract, _) = chain.create(&ASK_HASH);
    let tx = transaction(1, TxKind::Call(contract), 0, Vec::new(), 100_000);
    let view = chain.state.latest().unwrap();
    let db = EvmDb { state: &view, hashes: &PendingHashes };
    let error = execute(&tx, chain.sender, &context(2), db, Admission::Everything).unwrap_err();
    assert!(
        matches!(error, ExecuteError::View(ViewError::BlockHash(BlockHashError::Pending { number: 1 }))),
        "{error}"
    );
}

#[test]
fn accepts_code_of_a_block_that_is_not_committed() {
    let chain = Chain::new();
    let view = chain.state.latest().unwrap();
    let mut pending = PendingState::new(view);
    let create = transaction(0, TxKind::Create, 0, init(&STORE), 1_000_000);
    let contract = chain.sender.create(0);
    let call = transaction(1, TxKind::Call(contract), 0, words(3, 4), 1_000_000);
    for (number, tx) in [(1, &create), (2, &call)] {
        let db = EvmDb { state: &pending, hashes: &NoBlockHashes };
        let executed = execute(tx, chain.sender, &context(number), db, Admission::Everything).unwrap();
        assert!(executed.receipt.success);
        pending.apply(&executed.changes).unwrap();
    }
    assert_eq!(ReadState::storage(&pending, contract, U256::from(3)).unwrap(), U256::from(4));
    let code: Bytes = STORE.into();
    assert_eq!(ReadState::code(&pending, keccak256(STORE)).unwrap().unwrap(), code);
}

proptest! {
    /// A chunk of code with its due push data shows the jump destinations that revm finds in the whole code.
    #[test]
    fn prop_chunks_show_the_jump_destinations_of_revm(
        code in prop::collection::vec(any::<u16>(), 1..300)
    ) {
        // Half of the bytes are JUMPDEST or pushes.
        let byte = |draw: u16| if draw < 1 << 15 { 0x5b + (draw % 0x25) as u8 } else { draw as u8 };
        let code: Bytes = code.into_iter().map(byte).collect();
        let analysed = Bytecode::new_legacy(code.clone());
        let table = analysed.legacy_jump_table().unwrap();
        for (at, chunk) in chunks(&code).enumerate() {
            for (offset, instruction) in chunk.instructions().into_iter().enumerate() {
                let pc = at * CHUNK_BYTES + offset;
                prop_assert_eq!(instruction && chunk.bytes[offset] == 0x5b, table.is_valid(pc), "byte {}", pc);
            }
        }
    }
}
