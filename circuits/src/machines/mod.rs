//! One folder a machine: `mod row constraints witness tests`.

pub mod secp256k1;
