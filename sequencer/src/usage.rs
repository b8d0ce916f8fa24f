//! Counts what the EVM did: steps, and keccak permutations of the KECCAK256 opcode. Not counted here: signatures, tree
//! rows and bytes, which follow from the transaction and the leaves that it touched.

use revm::{
    Inspector,
    bytecode::opcode::KECCAK256,
    context::ContextTr,
    interpreter::{Interpreter, interpreter::EthInterpreter, interpreter_types::Jumps},
};

use crate::counters::keccak_permutations;

/// Work of the EVM in one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvmUsage {
    /// Opcodes executed, reverted ones too.
    pub steps: u64,
    pub keccak_permutations: u64,
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for EvmUsage {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        self.steps += 1;
        if interpreter.bytecode.opcode() == KECCAK256
            && let Ok(length) = interpreter.stack.peek(1)
        {
            // Six gas a word: a length that the gas left cannot pay for is never hashed.
            let affordable = interpreter.gas.remaining() / 6 * 32;
            match u64::try_from(length) {
                Ok(length) if length <= affordable => self.keccak_permutations += keccak_permutations(length),
                _ => {}
            }
        }
    }
}
