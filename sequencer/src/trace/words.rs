//! The struct logger's frame in geth's words: revm-inspectors names a failed step after revm's result codes and shows a
//! refund of 0, which geth leaves out. Source: go-ethereum, core/vm/errors.go and eth/tracers/logger/logger.go.

use alloy_rpc_types_trace::geth::{DefaultFrame, StructLog};
use revm::bytecode::opcode::OpCode;

/// Largest stack.
const STACK_LIMIT: usize = 1_024;

pub(super) fn as_geth(frame: &mut DefaultFrame) {
    for log in &mut frame.struct_logs {
        log.refund_counter = log.refund_counter.filter(|refund| *refund != 0);
        if let Some(error) = &log.error {
            log.error = Some(step_error(error, log));
        }
    }
}

fn step_error(code: &str, log: &StructLog) -> String {
    let code = code.strip_prefix("Some(").and_then(|c| c.strip_suffix(')')).unwrap_or(code);
    let stack = log.stack.as_ref().map(Vec::len);
    let op = (0..=u8::MAX).filter_map(OpCode::new).find(|op| op.as_str() == log.op);
    let words = match (code, stack, op) {
        ("StackUnderflow", Some(stack), Some(op)) => {
            return format!("stack underflow ({stack} <=> {})", op.inputs());
        }
        ("StackOverflow", Some(stack), Some(op)) => {
            let limit = STACK_LIMIT + usize::from(op.inputs()) - usize::from(op.outputs());
            return format!("stack limit reached {stack} ({limit})");
        }
        ("StackUnderflow", ..) => "stack underflow",
        ("StackOverflow", ..) => "stack limit reached",
        (
            "OutOfGas"
            | "MemoryOOG"
            | "MemoryLimitOOG"
            | "PrecompileOOG"
            | "InvalidOperandOOG"
            | "ReentrancySentryOOG",
            ..,
        ) => "out of gas",
        ("OpcodeNotFound" | "NotActivated", ..) => "invalid opcode",
        ("InvalidFEOpcode", ..) => "invalid opcode: INVALID",
        ("InvalidJump", ..) => "invalid jump destination",
        ("OutOfOffset", ..) => "return data out of bounds",
        ("StateChangeDuringStaticCall" | "CallNotAllowedInsideStatic", ..) => "write protection",
        ("CreateContractSizeLimit", ..) => "max code size exceeded",
        ("CreateInitCodeSizeLimit", ..) => "max initcode size exceeded",
        ("CreateContractStartingWithEF", ..) => "invalid code: must not begin with 0xef",
        ("CreateCollision", ..) => "contract address collision",
        ("NonceOverflow", ..) => "nonce uint64 overflow",
        (other, ..) => other,
    };
    words.to_owned()
}
