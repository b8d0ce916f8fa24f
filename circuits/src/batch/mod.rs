//! The batch circuit: joins the machines and fixes the public input. One assignment proves one batch.
//!
//! ```text
//!  BatchWitness ─► [witness] ─► rows of all machines
//!
//!                ┌── stream 0: the batch's bytes ──┐        ┌── stream 1: accumulated input hash
//!  [tx] ─────────┤                                 ├►[keccak]◄── stream 2: public input ──► x
//!   │  └─ streams 3 …: signing payloads ──────────►│        └── two words: global exit root's slot
//!   ├──► [secp256k1] ── two words: public keys ───►┘
//!   └──► journal ◄── global exit root, block number, lastRollupExitRoot
//!           ▲
//!           └── [tree] old root ─► new root
//! ```
//!
//! | part | file |
//! |---|---|
//! | how many rows each machine has | `shape` |
//! | header, messages, system state | `constraints`, `message` |
//! | from a `BatchWitness` to rows | `witness` |
//!
//! Statement. There is a batch such that x = keccak256(aggregator ‖ old state root ‖ old accumulated
//! input hash ‖ initNumBatch ‖ chain id ‖ fork id ‖ new state root ‖ new accumulated input hash ‖ new local exit root ‖
//! initNumBatch + 1) mod r, the accumulated input hash takes in the batch's bytes, global exit root, timestamp and
//! coinbase, and executing the batch on the old state gives the new state and the new local exit root.
//!
//! Not checked here: that both state roots are below r (L1 checks every root that it stores); a batch that does not
//! decode, or with a transaction that is to be skipped, has no assignment.

mod constraints;
mod message;
mod shape;
#[cfg(test)]
mod tests;
mod witness;

pub use self::{
    constraints::synthesize,
    shape::{Shape, permutations_of},
    witness::{Assignment, BatchError, Header},
};

/// Keccak stream of the batch's bytes.
pub const BATCH_STREAM: u64 = 0;
/// Keccak stream of the accumulated input hash.
pub const ACC_INPUT_STREAM: u64 = 1;
/// Keccak stream of the public input.
pub const PUBLIC_INPUT_STREAM: u64 = 2;
/// Keccak stream of the first transaction's signing payload; the others follow.
pub const FIRST_PAYLOAD_STREAM: u64 = 3;

/// Time of the global exit root's access; the transactions follow, then block number and `lastRollupExitRoot`.
pub const EXIT_ROOT_TIME: u64 = 1;
