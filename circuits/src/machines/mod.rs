//! One folder a machine: `mod row constraints witness tests`.

pub mod journal;
pub mod keccak;
pub mod secp256k1;
pub mod tree;
pub mod tx;
