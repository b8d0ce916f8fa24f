//! Groth16 with one commitment, on ark-groth16's keys (docs/adr/0001).
//!
//! | file | phase |
//! |---|---|
//! | [`circuit`] | what a circuit is; its matrices, shape and digest; replay into an ark constraint system |
//! | [`domain`] | subgroups of 2ᵏ, 3·2ᵏ and 9·2ᵏ points, and transforms on their cosets |
//! | [`qap`] | R1CS to polynomials: ark's generator and our prover use the same domain |
//! | [`mod@setup`] | keys from operating-system randomness |
//! | [`keys`], [`store`] | what a key holds; its file |
//! | [`commit`] | D, D' and the challenges drawn from D |
//! | [`mod@prove`], [`msm`] | witness to proof |
//! | [`mod@verify`], [`export`] | native verification; words for Solidity, stored bytes |
//! | [`batch`] | the batch circuit as a circuit of this crate |
//! | [`mod@bench`] | time and memory of a run |
//!
//! Not here: the machines of the circuit (crate `circuits`).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod batch;
pub mod bench;
pub mod circuit;
pub mod commit;
pub mod domain;
pub mod export;
pub mod keys;
pub mod msm;
pub mod prove;
pub mod qap;
pub mod setup;
pub mod store;
pub mod verify;

#[cfg(test)]
mod tests;

pub use cairn_circuits::F;

pub use self::{
    batch::BatchCircuit,
    circuit::{Circuit, Recorded, Shape},
    export::{DecodeError, Proof},
    keys::{ProvingKey, VerifyingKey},
    prove::{ProveError, ProveStats, Proven, prove},
    setup::{Observer, Phase, SetupError, setup},
    store::{KeyFileError, load_or_setup},
    verify::{VerifyError, verify, verify_batch},
};
