//! The batch circuit: joins the machines and fixes the public input. One assignment proves one batch.
//!
//! ```text
//!  BatchWitness ─► [witness] ─► rows of all machines
//!
//!                ┌── stream 0: the batch's bytes ──┐        ┌── stream 1: accumulated input hash
//!  [tx] ─────────┤                                 ├►[keccak]◄── stream 2: public input ──► x
//!   │  └─ streams 3 …: signing payloads ──────────►│        └── two words: global exit root's slot
//!   ├──► [secp256k1] ── two words: public keys ───►┘
//!   └──► journal ◄── [system]: global exit root, block number, lastRollupExitRoot
//!           ▲
//!           └── [tree] old root ─► new root
//! ```
//!
//! | part | file |
//! |---|---|
//! | which machines there are | `machines` |
//! | header, messages, state roots | `constraints`, `message` |
//! | from a `BatchWitness` to rows | `witness` |
//!
//! Statement. There is a batch such that x = keccak256(aggregator ‖ old state root ‖ old accumulated
//! input hash ‖ initNumBatch ‖ chain id ‖ fork id ‖ new state root ‖ new accumulated input hash ‖ new local exit root ‖
//! initNumBatch + 1) mod r, the accumulated input hash commits to the batch's bytes, global exit root, timestamp and
//! coinbase, and executing the batch on the old state gives the new state and the new local exit root.
//!
//! Not checked here: that both state roots are below r (L1 checks every root that it stores); a batch that does not
//! decode, or with a transaction that is to be skipped, has no assignment.

mod constraints;
mod machines;
mod message;
#[cfg(test)]
mod tests;
mod witness;

pub use self::{
    constraints::synthesize,
    machines::{Assignment, MACHINES, MachineEntry, fixed_tables},
    witness::{BatchError, Header},
};
pub use crate::machine::{Shape, permutations_of};
