//! Cairn's R1CS circuits: machines joined by a bus.
//!
//! | machine | a row is | provides | looks up |
//! |---|---|---|---|
//! | [`machines::keccak`] | a permutation with one absorbed block, or of a message of two words | `KeccakOutput`, `KeccakWords` | `Sparse16`, `ByteSparse`, `KeccakInput` |
//! | [`machines::secp256k1`] | a public-key recovery | `Signature` | `Range16`, `FixedBase`, `StartPoint`, keccak |
//! | [`machines::tx`] | a transaction; a byte of the batch | messages for keccak | `Range8`, `Range16`, `Signature`, journal |
//! | [`machines::journal`] | (helpers) an access to a leaf | – | `Account`, `Storage` |
//! | [`machines::system`] | (one each) accesses of the batch itself | – | keccak, journal |
//! | [`machines::tree`] | a leaf replaced in the running tree | first and last rows of the journal | `Range16` |
//! | [`batch`] | the batch: header, messages, system state | the public input | all of the above |
//!
//! A machine fulfils [`machine::Machine`]; the list of them is in [`batch`].
//!
//! This crate knows no database, no async runtime and no network.

pub mod batch;
pub mod counts;
pub mod cs;
pub mod gadgets;
pub mod lookup;
pub mod machine;
pub mod machines;
pub mod testing;

/// The one field of all circuits: the scalar field of BN254.
pub use ark_bn254::Fr as F;
