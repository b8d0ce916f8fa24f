//! The commitment to contract code, in chunks that can each be read alone. Source: docs/state.md#code.
//!
//! Not here: keccak256 of code, which the EVM shows and which the state does not commit to; the limits and rules for code
//! that is deployed (EIP-170, EIP-3541).

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};

use crate::{leaf::field_to_b256, poseidon::poseidon};

/// Code bytes of a chunk.
pub const CHUNK_BYTES: usize = 31;
/// Chunks hashed by one Poseidon, with the hash of the chunks before them.
pub const BLOCK_CHUNKS: usize = 8;
/// The opcode PUSH0 (EIP-3855); PUSHn is PUSH0 + n.
const PUSH0: u8 = 0x5f;
/// The opcode PUSH32.
const PUSH32: u8 = 0x7f;
/// The largest [`Chunk::due`]: the push data of a PUSH32, in bytes.
pub const MAX_DUE: u8 = PUSH32 - PUSH0;

/// Bytes of push data that follow the instruction `opcode`: 1 to 32 after PUSH1 (0x60) to PUSH32 (0x7f), 0 after any
/// other, PUSH0 among them.
#[must_use]
pub const fn push_bytes(opcode: u8) -> u8 {
    // No underflow: the opcode is above PUSH0.
    if PUSH0 < opcode && opcode <= PUSH32 { opcode - PUSH0 } else { 0 }
}

/// Bytes of push data that follow `byte`, if `due` followed the byte before it: one less if `byte` is push data itself,
/// otherwise what the instruction `byte` pushes.
#[must_use]
pub const fn due_after(due: u8, byte: u8) -> u8 {
    match due.checked_sub(1) {
        Some(left) => left,
        None => push_bytes(byte),
    }
}

/// 31 bytes of code, and `due`: how many bytes from the chunk's start on are push data of a PUSH before it. EIP-6800 stores
/// the same number, but at most 31.
///
/// With `due`, one chunk tells without any other:
///
/// - which bytes are instructions: the first min(due, 31) are push data, the byte at `due` is an instruction, and a
///   scan from there decides the rest ([`Self::instructions`]), in particular whether a byte 0x5b is a JUMPDEST;
/// - `due` of the next chunk ([`Self::due_after`]).
///
/// It does not tell which PUSH the data belongs to, nor the whole value that is pushed: `due` = 5 may be the end of any
/// PUSH5 to PUSH32. That value is read where the PUSH is, from up to three chunks. Nor does it tell where the code ends:
/// behind the end come zero bytes, which are STOP as instructions and push data where a PUSH is cut off.
///
/// # Soundness
/// All of this holds if `due` is right. The commitment does not ensure that: `due` of every chunk must be proven once,
/// when the code enters the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Zero behind the end of the code.
    pub bytes: [u8; CHUNK_BYTES],
    /// 0 to [`MAX_DUE`]. It is 0 in the first chunk and in every chunk that starts at the end of the code or behind it.
    pub due: u8,
}

impl Chunk {
    /// The field element that is hashed: bytes, big-endian, + 2²⁴⁸·due. Below 33·2²⁴⁸, which is below the modulus.
    #[must_use]
    pub fn element(&self) -> Fr {
        let mut word = [0; 1 + CHUNK_BYTES];
        word[0] = self.due;
        word[1..].copy_from_slice(&self.bytes);
        Fr::from_be_bytes_mod_order(&word)
    }

    /// The inverse of [`Self::element`]; `None` if the element has a `due` above [`MAX_DUE`].
    #[must_use]
    pub fn from_element(element: Fr) -> Option<Self> {
        let [due, bytes @ ..] = field_to_b256(element).0;
        (due <= MAX_DUE).then_some(Self { bytes, due })
    }

    /// For each byte, whether it is an instruction.
    #[must_use]
    pub fn instructions(&self) -> [bool; CHUNK_BYTES] {
        let mut due = self.due;
        self.bytes.map(|byte| {
            let instruction = due == 0;
            due = due_after(due, byte);
            instruction
        })
    }

    /// `due` of the next chunk, if the code goes on there.
    #[must_use]
    pub fn due_after(&self) -> u8 {
        self.bytes.iter().fold(self.due, |due, byte| due_after(due, *byte))
    }
}

/// The ⌈length / 31⌉ chunks of `code`, in order. What lies behind them is [`Chunk::default`].
pub fn chunks(code: &[u8]) -> impl Iterator<Item = Chunk> {
    let mut due = 0;
    code.chunks(CHUNK_BYTES).map(move |part| {
        let mut chunk = Chunk { due, ..Chunk::default() };
        chunk.bytes[..part.len()].copy_from_slice(part);
        due = chunk.due_after();
        chunk
    })
}

/// Commitment to contract code: 0 for empty code, else h₀ = length in bytes, hᵢ₊₁ = Poseidon(hᵢ, next 8 elements), an
/// element being a chunk's ([`Chunk::element`]) or, behind the last chunk, 0.
///
/// # Soundness
/// Every input of Poseidon is fixed by the code, and the code by them: the length says how many bytes count. It is
/// hashed first, so that code and the same code with zero bytes behind it differ.
#[must_use]
pub fn code_hash(code: &[u8]) -> Fr {
    if code.is_empty() {
        return Fr::zero();
    }
    let mut chunks = chunks(code);
    let blocks = code.len().div_ceil(CHUNK_BYTES * BLOCK_CHUNKS);
    (0..blocks).fold(Fr::from(code.len() as u64), |h, _| {
        let mut inputs = [Fr::zero(); 1 + BLOCK_CHUNKS];
        inputs[0] = h;
        for (input, chunk) in inputs[1..].iter_mut().zip(chunks.by_ref()) {
            *input = chunk.element();
        }
        poseidon(&inputs)
    })
}

#[cfg(test)]
mod tests;
