//! EVM code as its mnemonics: `PUSH1 0x2a PUSH0 SSTORE`; words in hex are data. And the contracts of the tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part; a test fails by panicking")]

use alloy_primitives::{Address, Bytes, address, hex};
use revm::bytecode::opcode::OpCode;

/// The bytes of a program.
pub fn asm(program: &str) -> Bytes {
    let mut code = Vec::new();
    for word in program.split_whitespace() {
        match word.strip_prefix("0x") {
            Some(data) => code.extend(hex::decode(data).unwrap()),
            None => {
                let known = (0..=u8::MAX).filter_map(OpCode::new).find(|op| op.as_str() == word);
                code.push(known.unwrap_or_else(|| panic!("no opcode {word}")).get());
            }
        }
    }
    code.into()
}

pub const COUNTER: Address = address!("0x00000000000000000000000000000000000c0001");
pub const REVERTER: Address = address!("0x00000000000000000000000000000000000c0002");
pub const PANICKER: Address = address!("0x00000000000000000000000000000000000c0003");
pub const CALLER: Address = address!("0x00000000000000000000000000000000000c0004");
pub const LOOP: Address = address!("0x00000000000000000000000000000000000c0005");
pub const ENVIRONMENT: Address = address!("0x00000000000000000000000000000000000c0006");
pub const UNDERFLOW: Address = address!("0x00000000000000000000000000000000000c0007");
pub const BAD_JUMP: Address = address!("0x00000000000000000000000000000000000c0008");
pub const DESTRUCT: Address = address!("0x00000000000000000000000000000000000c0009");
/// Asks the identity contract, wherever a test puts it.
pub const IDENTITY_AT: Address = address!("0x00000000000000000000000000000000000d0004");

/// slot 0 += 1, slot 1 = 0; returns slot 0.
const COUNT: &str = "PUSH0 SLOAD PUSH1 0x01 ADD PUSH0 SSTORE PUSH0 PUSH1 0x01 SSTORE
    PUSH0 SLOAD PUSH0 MSTORE PUSH1 0x20 PUSH0 RETURN";
/// Reverts with `Error("no")`.
const REVERT: &str = "PUSH4 0x08c379a0 PUSH1 0xe0 SHL PUSH0 MSTORE PUSH1 0x20 PUSH1 0x04 MSTORE
    PUSH1 0x02 PUSH1 0x24 MSTORE PUSH2 0x6e6f PUSH1 0xf0 SHL PUSH1 0x44 MSTORE PUSH1 0x64 PUSH0 REVERT";
/// Reverts with `Panic(0x11)`.
const PANIC: &str =
    "PUSH4 0x4e487b71 PUSH1 0xe0 SHL PUSH0 MSTORE PUSH1 0x11 PUSH1 0x04 MSTORE PUSH1 0x24 PUSH0 REVERT";
/// A call that reverts, a precompile, a delegated call, a call with value, a log, a creation; returns two words.
const CALLS: &str = "PUSH4 0xaabbccdd PUSH1 0xe0 SHL PUSH0 MSTORE
    PUSH0 PUSH0 PUSH1 0x04 PUSH0 PUSH0 PUSH20 0x00000000000000000000000000000000000c0002 GAS CALL POP
    PUSH1 0x20 PUSH1 0x20 PUSH1 0x20 PUSH0 PUSH1 0x04 GAS STATICCALL POP
    PUSH0 PUSH0 PUSH1 0x04 PUSH0 PUSH20 0x00000000000000000000000000000000000c0001 GAS DELEGATECALL POP
    PUSH0 PUSH0 PUSH1 0x04 PUSH0 PUSH1 0x01 PUSH20 0x00000000000000000000000000000000000c0001 GAS CALL POP
    PUSH1 0xbb PUSH1 0xaa PUSH1 0x20 PUSH0 LOG2
    PUSH4 0x60015ff3 PUSH1 0xe0 SHL PUSH1 0x40 MSTORE PUSH1 0x04 PUSH1 0x40 PUSH0 CREATE POP
    PUSH1 0x40 PUSH0 RETURN";
/// Returns what it sees of its block, a word each.
const SEE: &str = "NUMBER PUSH0 MSTORE TIMESTAMP PUSH1 0x20 MSTORE COINBASE PUSH1 0x40 MSTORE
    GASLIMIT PUSH1 0x60 MSTORE DIFFICULTY PUSH1 0x80 MSTORE BASEFEE PUSH1 0xa0 MSTORE
    BLOBBASEFEE PUSH1 0xc0 MSTORE CHAINID PUSH1 0xe0 MSTORE
    PUSH1 0x01 NUMBER SUB BLOCKHASH PUSH2 0x0100 MSTORE PUSH2 0x0120 PUSH0 RETURN";

/// Every contract with its code.
pub fn contracts() -> Vec<(Address, Bytes)> {
    [
        (COUNTER, COUNT),
        (REVERTER, REVERT),
        (PANICKER, PANIC),
        (CALLER, CALLS),
        (LOOP, "JUMPDEST PUSH0 JUMP"),
        (ENVIRONMENT, SEE),
        (UNDERFLOW, "PUSH0 POP POP STOP"),
        (BAD_JUMP, "PUSH1 0xff JUMP"),
        (DESTRUCT, "PUSH20 0x00000000000000000000000000000000000c0001 SELFDESTRUCT"),
    ]
    .map(|(address, program)| (address, asm(program)))
    .into()
}

/// Copies 32 bytes of memory through [`IDENTITY_AT`] and returns the copy.
pub fn identity_caller() -> Bytes {
    asm("PUSH1 0x2a PUSH0 MSTORE PUSH1 0x20 PUSH1 0x20 PUSH1 0x20 PUSH0
        PUSH20 0x00000000000000000000000000000000000d0004 GAS STATICCALL POP PUSH1 0x20 PUSH1 0x20 RETURN")
}
