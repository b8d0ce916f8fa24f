//! Contracts that call, create, destroy and revert at random, and an oracle that follows what they do frame by frame.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use alloy_primitives::{Address, Bytes, U256, hex};
use cairn_protocol::leaf::LeafId;
use proptest::prelude::*;
use revm::{
    Inspector,
    bytecode::opcode,
    context::{ContextTr, JournalTr},
    inspector::JournalExt,
    interpreter::{
        CallInputs, CallOutcome, CallValue, CreateInputs, CreateOutcome, Interpreter,
        interpreter_types::{InputsTr, Jumps},
    },
};

use super::asm::asm;

/// Contract number `n`; there are [`CONTRACTS`].
pub fn contract(n: u8) -> Address {
    Address::repeat_byte(0xc0 + n)
}

pub const CONTRACTS: u8 = 5;

/// An address without code: absent ones, a precompile, the coinbase of the tests.
pub fn plain(n: u8) -> Address {
    match n {
        0 => Address::with_last_byte(4),
        1 => super::COINBASE,
        n => Address::repeat_byte(0xe0 + n),
    }
}

/// What a contract does, in order.
#[derive(Clone, Debug)]
pub enum Action {
    Store(u8, u8),
    Load(u8),
    Ask(u8),
    /// Value to an address without code.
    Pay(u8, u8),
    /// A contract of a higher number, with value.
    Call(u8, u8),
    Delegate(u8),
    CallCode(u8, u8),
    /// Init code, by its number in [`init`], with value.
    Create(usize, u8),
    Destroy(u8),
    Revert,
}

pub const INITS: usize = 7;

/// Init code of at most 32 bytes.
pub fn init(n: usize) -> Bytes {
    asm([
        "PUSH1 0x05 PUSH1 0x07 SSTORE",
        "PUSH1 0x05 PUSH1 0x07 SSTORE PUSH0 PUSH0 REVERT",
        "PUSH1 0x06 PUSH1 0x01 SSTORE PUSH1 0x02 SLOAD CALLER SELFDESTRUCT",
        "PUSH1 0x05 PUSH1 0x07 SSTORE PUSH0 PUSH1 0x07 SSTORE PUSH1 0x01 PUSH0 SSTORE",
        "PUSH1 0x01 PUSH0 RETURN",
        "PUSH0 PUSH0 RETURN",
        "ADDRESS SELFDESTRUCT",
    ][n])
}

impl Action {
    fn code(&self, own: u8) -> String {
        let push = |bytes: &[u8]| format!("PUSH{} 0x{} ", bytes.len(), hex::encode(bytes));
        let higher = |n: &u8| contract((own + 1 + n).min(CONTRACTS - 1));
        let no_data = "PUSH0 PUSH0 PUSH0 PUSH0 ";
        match self {
            Self::Store(slot, value) => push(&[*value]) + &push(&[*slot]) + "SSTORE ",
            Self::Load(slot) => push(&[*slot]) + "SLOAD POP ",
            Self::Ask(n) => push(plain(*n).as_slice()) + "BALANCE POP ",
            Self::Pay(n, value) => {
                no_data.to_owned() + &push(&[*value]) + &push(plain(*n).as_slice()) + "GAS CALL POP "
            }
            // The last contract calls nobody.
            Self::Call(..) | Self::Delegate(_) | Self::CallCode(..) if own + 1 >= CONTRACTS => String::new(),
            Self::Call(n, value) => {
                no_data.to_owned() + &push(&[*value]) + &push(higher(n).as_slice()) + "GAS CALL POP "
            }
            Self::CallCode(n, value) => {
                no_data.to_owned() + &push(&[*value]) + &push(higher(n).as_slice()) + "GAS CALLCODE POP "
            }
            Self::Delegate(n) => no_data.to_owned() + &push(higher(n).as_slice()) + "GAS DELEGATECALL POP ",
            Self::Create(n, value) => {
                let code = init(*n);
                let length = u8::try_from(code.len()).unwrap();
                push(&code)
                    + "PUSH0 MSTORE "
                    + &push(&[length])
                    + &push(&[32 - length])
                    + &push(&[*value])
                    + "CREATE POP "
            }
            Self::Destroy(n) => push(plain(*n).as_slice()) + "SELFDESTRUCT ",
            Self::Revert => "PUSH0 PUSH0 REVERT ".to_owned(),
        }
    }
}

/// The code of contract number `own`.
pub fn code(own: u8, actions: &[Action]) -> Bytes {
    asm(&actions.iter().map(|a| a.code(own)).collect::<String>())
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    let value = || prop_oneof![Just(0u8), 1..4u8, Just(200u8)];
    let action = prop_oneof![
        6 => (0..4u8, 0..3u8).prop_map(|(slot, value)| Action::Store(slot, value)),
        2 => (0..5u8).prop_map(Action::Load),
        2 => (0..6u8).prop_map(Action::Ask),
        3 => (0..6u8, value()).prop_map(|(n, value)| Action::Pay(n, value)),
        6 => (0..4u8, value()).prop_map(|(n, value)| Action::Call(n, value)),
        2 => (0..4u8).prop_map(Action::Delegate),
        1 => (0..4u8, value()).prop_map(|(n, value)| Action::CallCode(n, value)),
        4 => (0..INITS, value()).prop_map(|(n, value)| Action::Create(n, value)),
        1 => (0..6u8).prop_map(Action::Destroy),
        2 => Just(Action::Revert),
    ];
    prop::collection::vec(action, 0..7)
}

/// Follows a run by its instructions and frames alone, knowing nothing of revm's journal or database.
#[derive(Debug, Default)]
pub struct Oracle {
    /// In the order in which instructions name them.
    pub touched: Vec<LeafId>,
    /// Writes that leave a value, in order: of each open frame; at the end, what lasts.
    frames: Vec<Vec<LeafId>>,
}

impl Oracle {
    /// The leaves that lasting writes gave a value, in order.
    pub fn lasting(&self) -> Vec<LeafId> {
        self.frames.concat()
    }

    fn write(&mut self, id: LeafId) {
        match self.frames.last_mut() {
            Some(frame) => frame.push(id),
            None => self.frames.push(vec![id]),
        }
    }

    fn end(&mut self, lasts: bool) {
        let writes = self.frames.pop().unwrap();
        // At the bottom lies what lasts.
        if self.frames.is_empty() {
            self.frames.push(vec![]);
        }
        if lasts {
            writes.into_iter().for_each(|id| self.write(id));
        }
    }
}

impl<CTX: ContextTr<Journal: JournalExt>> Inspector<CTX> for Oracle {
    fn step(&mut self, interpreter: &mut Interpreter, _: &mut CTX) {
        let own = interpreter.input.target_address();
        let word = |n| interpreter.stack.peek(n).unwrap_or_default();
        let account = |n| LeafId::Account(Address::from_word(word(n).into()));
        let (touched, written) = match interpreter.bytecode.opcode() {
            opcode::SLOAD => (LeafId::Storage(own, word(0)), false),
            opcode::SSTORE => (LeafId::Storage(own, word(0)), !word(1).is_zero()),
            opcode::BALANCE | opcode::SELFDESTRUCT => (account(0), false),
            opcode::CALL | opcode::CALLCODE | opcode::DELEGATECALL => (account(1), false),
            _ => return,
        };
        self.touched.push(touched);
        if written {
            self.write(touched);
        }
    }

    fn call(&mut self, _: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.frames.push(vec![]);
        match inputs.value {
            CallValue::Transfer(value) if !value.is_zero() => {
                self.write(LeafId::Account(inputs.target_address));
            }
            _ => {}
        }
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.end(outcome.result.is_ok());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.frames.push(vec![]);
        let creator = &context.journal().evm_state()[&inputs.caller()].info;
        if creator.balance >= inputs.value() {
            let created = LeafId::Account(inputs.caller().create(creator.nonce));
            self.touched.push(created);
            self.write(created);
        }
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(outcome.result.is_ok());
    }

    fn selfdestruct(&mut self, _: Address, target: Address, value: U256) {
        if !value.is_zero() {
            self.write(LeafId::Account(target));
        }
    }
}
