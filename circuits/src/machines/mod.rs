//! One folder a machine: `mod row constraints witness machine tests`, where `machine` fulfils
//! `crate::machine::Machine`. `journal` is not a machine but the gadget by which machines access the state.

pub mod journal;
pub mod keccak;
pub mod secp256k1;
pub mod system;
pub mod tree;
pub mod tx;
