//! One folder a machine: `mod row constraints witness tests`.

pub mod journal;
pub mod keccak;
pub mod tree;
pub mod tx;
pub mod secp256k1;
