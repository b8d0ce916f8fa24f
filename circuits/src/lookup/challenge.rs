//! Where the challenges come from and what they bind.
//!
//! (ρ, α) = hash-to-field of keccak256(domain ‖ verifying-key digest ‖ public input ‖ D), D being the commitment to all
//! committed wires. So every value and every multiplicity on the bus, and the public input, is fixed before ρ and α
//! exist. ρ and α come from separate hashes: with one challenge for both, reciprocals of distinct tuples could be
//! linearly dependent. The hash itself is in the crate `prover` and in `Groth16Verifier.sol`; see docs/adr/0001.

use crate::F;

/// The two independent challenges of the lookup argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenges {
    /// Evaluation point of the sum of reciprocals.
    pub rho: F,
    /// Separates the elements of a tuple.
    pub alpha: F,
}
