//! Public-key recovery on secp256k1. A row is one signature.
//!
//! Source: SEC 1 section 4.1.6, Ethereum yellow paper appendix F, EIP-2 (low s). The multiplication follows "GLV and fake
//! GLV" (Eagen, El Housni, Masson, Piellard; ePrint 2025/933).
//!
//! ```text
//!   (z, r, s, parity) ──► R = (r, y)                            Q ──x, y──► keccak ──► address
//!                          │  α·Q + β·R + w·G = O               │
//!                          └── tables ◄─ digits of β   digits of α ─► tables
//!                                        w: 32 bytes ─► fixed base
//! ```
//! s·α + r·β ≡ 0 and w·s + z·β ≡ 0 (mod n), β ≢ 0: then α·Q + β·R + w·G = O says Q = r⁻¹(sR − zG). A relation with
//! α = α₁ + λα₂, β = β₁ + λβ₂ and all four parts below 2⁶⁴ always exists (see [`split`]), so sixteen windows of four bits
//! do.
//!
//! | family | says | constraints |
//! |---|---|---|
//! | enable, input, range, key, r_y, parity | z, r, s in pieces; r < n, s ≤ n/2; Q and R canonical | 190 |
//! | square, curve | Q and R are on the curve | 124 |
//! | table (write), phi | multiples of Q and R, written to the bus | 2,472 |
//! | digit, correction, table (read), base | the selected multiples | 984 |
//! | combined, ratio, base_scalar, scalar | α, β, w | 163 |
//! | slope, x, y, tangent, distinct, start | 60 doublings, 98 additions | 15,104 |
//! | keccak, address, signature | the key's digest, tuple | 22 |
//! | all | | 19,059 |
//!
//! Provides: [`Bus::Signature`]. Uses: [`Bus::KeccakWords`] (receives), [`Bus::Range16`],
//! [`Bus::Range8`], [`Bus::FixedBase`], [`Bus::StartPoint`]; [`Bus::VariableBase`] both ways.
//!
//! Not checked here: that the digest is keccak256 of the key (the keccak machine), that its halves are below 2¹²⁸ (the
//! same), and that a signature is used at most once (nobody needs it).
//!
//! [`Bus::Signature`]: crate::lookup::bus::Bus::Signature
//! [`Bus::KeccakWords`]: crate::lookup::bus::Bus::KeccakWords
//! [`Bus::Range16`]: crate::lookup::bus::Bus::Range16
//! [`Bus::Range8`]: crate::lookup::bus::Bus::Range8
//! [`Bus::FixedBase`]: crate::lookup::bus::Bus::FixedBase
//! [`Bus::StartPoint`]: crate::lookup::bus::Bus::StartPoint
//! [`Bus::VariableBase`]: crate::lookup::bus::Bus::VariableBase

mod constraints;
pub mod curve;
mod machine;
mod multiples;
mod points;
mod row;
pub mod split;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_forgeries;
#[cfg(test)]
mod tests_ranges;
#[cfg(test)]
mod tests_rejections;
#[cfg(test)]
mod tests_relations;
mod witness;

pub use self::{
    constraints::synthesize,
    machine::{Secp256k1, Secp256k1Error},
    row::{PointTable, Secp256k1Row, Step},
    tables::{START_LABEL, fixed_tables},
    witness::{Recovered, SignatureError, SignatureEvent, is_provable, witness},
};
use crate::gadgets::nonnative::Words;

/// Windows of four bits in a small scalar.
const WINDOWS: usize = 16;
/// Steps of the accumulator: doublings, window additions, corrections, fixed base.
const STEPS: usize = 4 * (WINDOWS - 1) + 4 * WINDOWS + 2 + tables::BASE_WINDOWS;
/// (n − 1)/2, the largest s (EIP-2).
const HALF_ORDER: Words = [0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, u64::MAX, 0x7fff_ffff_ffff_ffff];
