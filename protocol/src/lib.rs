//! What L1, node and circuit must agree on: constants, hashes, the tree's leaf format, the transaction decoder, the
//! public input and the batch witness. Pure types and functions; no I/O, no async, no database.

pub mod access;
pub mod batch;
pub mod code;
pub mod constants;
pub mod encoding;
pub mod exit_tree;
pub mod genesis;
pub mod leaf;
pub mod poseidon;
pub mod resources;
pub mod rlp;
pub mod serde_field;
pub mod state_proof;
pub mod state_proof_bytes;
pub mod system;
pub mod transfer;
pub mod tx;
pub mod witness;
pub mod witness_bytes;

pub use ark_bn254::Fr;
