//! Cairn's R1CS circuits: machines joined by a bus (DESIGN section 4).
//!
//! | machine | a row is | provides | looks up |
//! |---|---|---|---|
//! | [`machines::tree`] | one leaf replaced in the running tree | first and last rows of the account and storage journals | 16-bit range |
//!
//! This crate knows no database, no async runtime and no network.

pub mod cs;
pub mod gadgets;
pub mod lookup;
pub mod machines;
pub mod testing;

/// The one field of all circuits: the scalar field of BN254.
pub use ark_bn254::Fr as F;
