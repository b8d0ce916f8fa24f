//! Constants of `keccak-f[1600]` and the wiring of ρ, π and χ. Source: FIPS 202, sections 3.2.2 to 3.2.5.

use super::row::{LANES, ROUNDS};

/// Left rotation of lane x + 5·y under ρ (FIPS 202, table 2, modulo 64).
pub(super) const RHO: [u32; LANES] = [
    0, 1, 62, 28, 27, //
    36, 44, 6, 55, 20, //
    3, 10, 43, 25, 39, //
    41, 45, 15, 21, 8, //
    18, 2, 61, 56, 14,
];

/// What ι adds to lane (0, 0) at the end of each round.
pub(super) const ROUND_CONSTANTS: [u64; ROUNDS] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// The lane that π moves to lane `i`: B[y, 2x + 3y] = A[x, y], that is B[x, y] = A[x + 3y, x].
pub(super) const fn pi_source(i: usize) -> usize {
    let (x, y) = (i % 5, i / 5);
    (x + 3 * y) % 5 + 5 * x
}

/// The three lanes (a, b, c) of which χ makes lane `i` as a ⊕ (¬b ∧ c).
pub(super) const fn chi_sources(i: usize) -> [usize; 3] {
    let (x, row) = (i % 5, i / 5 * 5);
    [i, (x + 1) % 5 + row, (x + 2) % 5 + row]
}
