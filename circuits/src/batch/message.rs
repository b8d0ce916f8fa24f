//! Messages of fixed length that the batch circuit hashes: committed bytes, sent to the keccak machine.
//!
//! Bytes are range-checked where they are hashed: the keccak machine receives a byte together with its sparse form from
//! a fixed table, and the bus balances only if what is sent here is what is received there. A byte string that is
//! never sent is not range-checked; [`hash`] is the only way to use one in a message.

use crate::{
    F,
    cs::{Cs, Lc, Wire},
    lookup::bus::{KeccakInput, KeccakOutput},
};

/// Big-endian bytes as wires.
#[derive(Clone, Debug)]
pub struct Bytes(Vec<Lc>);

impl Bytes {
    /// Commits to `bytes`.
    pub fn commit(cs: &mut Cs, name: &'static str, bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|&b| Lc::from(cs.commit(name, u64::from(b)))).collect())
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The integer that the bytes spell, in the field: exact below 31 bytes, modulo the field's order otherwise.
    pub fn value(&self) -> Lc {
        let base = F::from(256u64);
        self.0.iter().fold(Lc::zero(), |acc, b| acc * base + b)
    }

    /// The integer of the first 16 and of the last 16 of 32 bytes: (high, low).
    pub fn halves(&self) -> (Lc, Lc) {
        debug_assert_eq!(self.len(), 32);
        let (hi, lo) = self.0.split_at(16);
        (Self(hi.to_vec()).value(), Self(lo.to_vec()).value())
    }
}

/// Sends the concatenation of `parts` to the keccak machine as the message `stream`, and receives `digest`, its claimed
/// digest (high, low), from there. All multiplicities are `enable`.
pub fn hash(cs: &mut Cs, name: &'static str, enable: Wire, stream: u64, parts: &[&Bytes], digest: (Lc, Lc)) {
    let mut position = 0u64;
    for byte in parts.iter().flat_map(|p| &p.0) {
        cs.send(
            name,
            enable,
            KeccakInput { byte: byte.into(), position: position.into(), stream: stream.into() },
        );
        position += 1;
    }
    let (high, low) = (digest.0.into(), digest.1.into());
    cs.receive(name, enable, KeccakOutput { high, low, length: position.into(), stream: stream.into() });
}
