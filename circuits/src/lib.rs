//! Cairn's R1CS circuits: machines joined by a bus (DESIGN section 4).
//!
//! | machine | a row is | provides | looks up |
//! |---|---|---|---|
//! | [`machines::tx`] | byte of the batch; plain transfer | KeccakInput | KeccakOutput, Signature, Account, Range8, Range16 |
//! | [`machines::journal`] | access to an account or storage slot | – | Account, Storage, Range16 |
//!
//! This crate knows no database, no async runtime and no network.

pub mod cs;
pub mod gadgets;
pub mod lookup;
pub mod machines;
pub mod testing;

/// The one field of all circuits: the scalar field of BN254.
pub use ark_bn254::Fr as F;
