//! keccak-256, with the padding of Keccak (as Ethereum uses it), not of SHA-3. There are two kinds of rows: one absorbs a block
//! of 136 bytes of any message and permutes, the other hashes a message of 64 bytes.
//!
//! ```text
//! KeccakInput ─► bytes ─► lanes in base 8 ──┐
//!   (byte, position, stream)                ▼
//! row i − 1: state ──► · continues ──► [+] ──► keccak-f ──► state ──► row i + 1
//!                                                                   └► bytes, if last ─► KeccakOutput
//!                                                                   (high, low, length, stream)
//!
//! 64 bytes, padding ─► lanes in base 8 ─► keccak-f ─► bytes ─► KeccakWords, once for each receive
//!                                                           (two words, high, low)
//! ```
//!
//! | family | says | constraints a row of a block | of two words |
//! |---|---|---|---|
//! | flag, chain | which rows make up a message | 6 | |
//! | block | bytes, where data ends, padding | 682 | |
//! | absorb.carry | the state continues or starts at zero | 25 | |
//! | words | bytes, the tuple and how often it is sent | | 136 |
//! | absorb, theta, parity, lane, iota, output | the permutation | 10,568 | 10,230 |
//! | digest | bytes of the digest, sent if last | 68 | 64 |
//!
//! Provides [`Bus::KeccakOutput`] and [`Bus::KeccakWords`], receives [`Bus::KeccakInput`], looks up [`Bus::Sparse16`] and
//! [`Bus::ByteSparse`].
//!
//! Not checked here: that the sender of bytes names each message by a stream of its own, sends each of its bytes once, and
//! receives the digest with the number of bytes that it sent. See docs/circuits/keccak.md.
//!
//! Source: FIPS 202; the representation and its soundness: `digits`, `permutation`.
//!
//! [`Bus::KeccakOutput`]: crate::lookup::bus::Bus::KeccakOutput
//! [`Bus::KeccakWords`]: crate::lookup::bus::Bus::KeccakWords
//! [`Bus::KeccakInput`]: crate::lookup::bus::Bus::KeccakInput
//! [`Bus::Sparse16`]: crate::lookup::bus::Bus::Sparse16
//! [`Bus::ByteSparse`]: crate::lookup::bus::Bus::ByteSparse

mod constraints;
mod digits;
mod machine;
mod permutation;
mod row;
mod spec;
mod witness;
pub mod words;

#[cfg(test)]
mod tests;

pub use self::{
    constraints::{permutation_constraints, row_constraints, synthesize},
    machine::{Keccak, KeccakWords, WordsEvent},
    row::{
        BLOCK_BYTES, EffectRow, KeccakRow, LANES, LaneRow, ParityRow, PermutationRow, RATE_LANES, ROUNDS,
        RoundRow,
    },
    witness::{KeccakError, KeccakEvent, permutations, rows},
    words::WordsRow,
};
