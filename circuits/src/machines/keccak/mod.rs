//! keccak-256, with the padding of Keccak (as Ethereum uses it), not of SHA-3. A row absorbs a block of 136 bytes and
//! permutes.
//!
//! ```text
//! KeccakInput ─► bytes ─► lanes in base 8 ──┐
//!   (stream, position, byte)                ▼
//! row i − 1: state ──► · continues ──► [+] ──► keccak-f ──► state ──► row i + 1
//!                                                                   └► bytes, if last ─► KeccakOutput
//!                                                                   (stream, length, high, low)
//! ```
//!
//! | family | says | constraints a row |
//! |---|---|---|
//! | flag, chain | which rows make up a message | 6 |
//! | block | bytes, where data ends, padding | 952 |
//! | absorb.carry | the state continues or starts at zero | 25 |
//! | absorb, theta, parity, lane, iota, output | the permutation | 10,584 |
//! | digest | bytes of the digest, sent if last | 68 |
//!
//! Provides [`Bus::KeccakOutput`], receives [`Bus::KeccakInput`], looks up [`Bus::Sparse16`] and [`Bus::ByteSparse`].
//!
//! Not checked here: that the sender names each message by a stream of its own, sends each of its bytes once, and
//! asks for the digest of as many bytes as it sent. Nothing else is left to it, see docs/circuits/keccak.md.
//!
//! Source: FIPS 202; the representation and its soundness: `digits`, `permutation`.
//!
//! [`Bus::KeccakOutput`]: crate::lookup::bus::Bus::KeccakOutput
//! [`Bus::KeccakInput`]: crate::lookup::bus::Bus::KeccakInput
//! [`Bus::Sparse16`]: crate::lookup::bus::Bus::Sparse16
//! [`Bus::ByteSparse`]: crate::lookup::bus::Bus::ByteSparse

mod constraints;
mod digits;
mod permutation;
mod row;
mod spec;
mod witness;

#[cfg(test)]
mod tests;

pub use self::{
    constraints::{permutation_constraints, row_constraints, synthesize},
    row::{BLOCK_BYTES, EffectRow, KeccakRow, LANES, LaneRow, ParityRow, RATE_LANES, ROUNDS, RoundRow},
    witness::{KeccakError, KeccakEvent, permutations, rows},
};
