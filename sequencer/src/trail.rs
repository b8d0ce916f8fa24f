//! What a run of the EVM touches, and which leaves its writes create, each in order.
//!
//! Accounts and slots are noted when revm asks the database for them, which it does once a transaction and in the order
//! of execution, also in frames that revert later. Slots of a contract that this very transaction creates are never
//! asked for, so an inspector notes the slots of SLOAD and SSTORE as well. Neither notes an instruction that fails before
//! it loads anything. The order of creation comes from revm's journal at the end of the outermost frame: what
//! a revert undid is no longer in it. Not here: what that means for the tree, see `effects`.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::{
    Fr,
    leaf::{AccountValue, LeafId, storage_to_fields},
    tx::DecodedTx,
};
use revm::{
    DatabaseRef, Inspector,
    bytecode::opcode::{SLOAD, SSTORE},
    context::{ContextTr, JournalEntry, JournalEntryTr, JournalTr},
    handler::FrameResult,
    inspector::JournalExt,
    interpreter::{
        FrameInput, Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{InputsTr, Jumps},
    },
    state::{AccountInfo, Bytecode, EvmState},
};

use crate::evm::{EvmDb, ViewError};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    touched: Vec<LeafId>,
    seen: HashSet<LeafId>,
    creations: Vec<(LeafId, [Fr; 3])>,
}

impl Trail {
    /// What a transaction touches whatever it does: sender, recipient or created contract, and the access list, each
    /// address before its slots.
    #[must_use]
    pub fn declared(tx: &DecodedTx, sender: Address) -> Self {
        let mut trail = Self::default();
        trail.touch(LeafId::Account(sender));
        trail.touch(LeafId::Account(tx.to.unwrap_or_else(|| sender.create(tx.nonce))));
        for item in &tx.access_list.0 {
            trail.touch(LeafId::Account(item.address));
            for slot in &item.storage_keys {
                trail.touch(LeafId::Storage(item.address, U256::from_be_bytes(slot.0)));
            }
        }
        trail
    }

    /// Notes a leaf, unless it is known.
    pub fn touch(&mut self, id: LeafId) {
        if self.seen.insert(id) {
            self.touched.push(id);
        }
    }

    /// Whether a leaf is known.
    #[must_use]
    pub fn has(&self, id: &LeafId) -> bool {
        self.seen.contains(id)
    }

    /// Every leaf, once, in the order of first access.
    #[must_use]
    pub fn touched(&self) -> &[LeafId] {
        &self.touched
    }

    /// The leaves that held a value after a write that lasts, in the order of the first such write, with that value.
    /// Whether a leaf existed before is not asked here. What the coinbase earns at the end is not included.
    #[must_use]
    pub fn creations(&self) -> &[(LeafId, [Fr; 3])] {
        &self.creations
    }
}

/// Notes what is asked of a database.
pub(crate) struct TrailDb<'a> {
    pub db: EvmDb<'a>,
    pub trail: &'a RefCell<Trail>,
}

impl DatabaseRef for TrailDb<'_> {
    type Error = ViewError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ViewError> {
        self.trail.borrow_mut().touch(LeafId::Account(address));
        self.db.basic_ref(address)
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, ViewError> {
        self.db.code_by_hash_ref(code_hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        self.trail.borrow_mut().touch(LeafId::Storage(address, slot));
        self.db.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ViewError> {
        self.db.block_hash_ref(number)
    }
}

/// Notes slots, and at the end the journal.
pub(crate) struct TrailInspector<'a> {
    trail: &'a RefCell<Trail>,
    /// The slot that the instruction names which is about to run.
    slot: Option<(Address, U256)>,
}

impl<'a> TrailInspector<'a> {
    pub(crate) const fn new(trail: &'a RefCell<Trail>) -> Self {
        Self { trail, slot: None }
    }
}

impl<CTX: ContextTr<Journal: JournalExt>> Inspector<CTX, EthInterpreter> for TrailInspector<'_> {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        self.slot = match interpreter.bytecode.opcode() {
            SLOAD | SSTORE => {
                let slot = interpreter.stack.peek(0).ok();
                slot.map(|slot| (interpreter.input.target_address(), slot))
            }
            _ => None,
        };
    }

    fn step_end(&mut self, _: &mut Interpreter<EthInterpreter>, context: &mut CTX) {
        if let Some((address, slot)) = self.slot.take()
            && let Some(account) = context.journal().evm_state().get(&address)
            && account.storage.contains_key(&slot)
        {
            self.trail.borrow_mut().touch(LeafId::Storage(address, slot));
        }
    }

    fn frame_end(&mut self, context: &mut CTX, _: &FrameInput, _: &mut FrameResult) {
        // By now the frame's writes are merged into its caller's or undone.
        if context.journal().depth() == 0 {
            let journal = context.journal();
            self.trail.borrow_mut().creations = creations(journal.evm_state(), journal.journal());
        }
    }
}

/// See [`Trail::creations`]. Walks the journal backward, undoing it on a copy: the state after an entry is known when the
/// entry is reached.
fn creations(state: &EvmState, journal: &[JournalEntry]) -> Vec<(LeafId, [Fr; 3])> {
    let mut state = state.clone();
    let mut first: HashMap<LeafId, (usize, [Fr; 3])> = HashMap::new();
    for (at, entry) in journal.iter().enumerate().rev() {
        for id in written(entry) {
            let value = value(&state, &id);
            if value != <[Fr; 3]>::default() {
                first.insert(id, (at, value));
            }
        }
        entry.clone().revert(&mut state, None, true);
    }
    let mut creations: Vec<_> = first.into_iter().map(|(id, (at, value))| (at, id, value)).collect();
    // One entry makes at most one leaf non-empty: who sends a balance held it before.
    creations.sort_unstable_by_key(|(at, id, _)| (*at, *id));
    creations.into_iter().map(|(_, id, value)| (id, value)).collect()
}

/// The leaves that an entry of the journal says were written.
fn written(entry: &JournalEntry) -> Vec<LeafId> {
    match *entry {
        JournalEntry::BalanceChange { address, .. }
        | JournalEntry::NonceChange { address, .. }
        | JournalEntry::NonceBump { address }
        | JournalEntry::AccountCreated { address, .. }
        | JournalEntry::CodeChange { address, .. } => vec![LeafId::Account(address)],
        JournalEntry::BalanceTransfer { to, .. } | JournalEntry::AccountDestroyed { target: to, .. } => {
            vec![LeafId::Account(to)]
        }
        JournalEntry::StorageChanged { address, key, .. } => vec![LeafId::Storage(address, key)],
        JournalEntry::AccountWarmed { .. }
        | JournalEntry::AccountTouched { .. }
        | JournalEntry::StorageWarmed { .. }
        | JournalEntry::TransientStorageChange { .. } => vec![],
    }
}

/// What revm's state holds of a leaf. The hash of code is not asked for: an account has a nonce before it has code.
fn value(state: &EvmState, id: &LeafId) -> [Fr; 3] {
    let value = match id {
        LeafId::Account(address) => state.get(address).map(|account| {
            let (nonce, balance) = (account.info.nonce, account.info.balance);
            AccountValue { nonce, balance, ..AccountValue::default() }.to_fields()
        }),
        LeafId::Storage(address, slot) => state
            .get(address)
            .and_then(|account| account.storage.get(slot))
            .map(|slot| storage_to_fields(slot.present_value)),
    };
    value.unwrap_or_default()
}
