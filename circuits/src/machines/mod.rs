//! One folder a machine: `mod row constraints witness machine tests`, where `machine` fulfils `crate::machine::Machine`. The
//! journal is no machine but what machines access the state with.

pub mod journal;
pub mod keccak;
pub mod secp256k1;
pub mod system;
pub mod tree;
pub mod tx;
