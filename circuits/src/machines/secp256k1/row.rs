//! One row: one signature with everything its constraints need, as native values.

use super::tables::words_from_be;
use crate::gadgets::nonnative::Words;

/// A slope and the point it leads to; y is unused where the constraints keep it implied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub slope: Words,
    pub x: Words,
    pub y: Words,
}

/// What a variable point P needs to be multiplied.
#[derive(Clone, Debug, Default)]
pub struct PointTable {
    /// 2P, then 3P, 5P, …, 15P.
    pub steps: [Step; 8],
    /// β·x of P, 3P, 5P, …, 15P.
    pub endomorphism_x: [Words; 8],
    /// β²·x of P.
    pub endomorphism_squared_x: Words,
    /// How often digit e is read, from the table of P and from that of φ(P).
    pub counts: [[u64; 16]; 2],
    /// The digits eᵢ of both small scalars, least significant first: k = Σ (2eᵢ − 15)·16ⁱ + correction.
    pub digits: [[u8; 16]; 2],
    /// The corrections of both small scalars: (2, 0), (1, 0), (0, 1) or (1, 1).
    pub correction: [u8; 2],
}

/// A row of the machine. The default is a disabled row.
#[derive(Clone, Debug, Default)]
pub struct Secp256k1Row {
    pub enabled: bool,
    /// The signing hash as an integer, not reduced.
    pub z: Words,
    /// The signature's r, which is the x coordinate of R.
    pub r: Words,
    /// The signature's s.
    pub s: Words,
    /// Whether R has an odd y.
    pub y_parity: bool,
    /// y of R.
    pub r_y: Words,
    /// The recovered public key Q, as x ‖ y big-endian.
    pub public_key: Vec<u8>,
    /// keccak256 of the public key, big-endian.
    pub digest: [u8; 32],
    /// α₁ + λ·α₂ and β₁ + λ·β₂ modulo n.
    pub combined: [Words; 2],
    /// w = −z·β/s modulo n: what G is multiplied by.
    pub w: Words,
    /// The starting point.
    pub start: usize,
    /// Tables of Q and of R.
    pub tables: [PointTable; 2],
    /// The accumulator after each addition and doubling.
    pub steps: Vec<Step>,
}

impl Secp256k1Row {
    /// x ‖ y of the public key, big-endian; zero in a disabled row.
    #[must_use]
    pub fn key_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(&self.public_key).for_each(|(byte, value)| *byte = *value);
        bytes
    }

    /// x and y of the public key.
    #[must_use]
    pub fn key_words(&self) -> [Words; 2] {
        let bytes = self.key_bytes();
        let (coordinates, _) = bytes.as_chunks::<32>();
        [coordinates[0], coordinates[1]].map(words_from_be)
    }

    /// The signer's address: the last 20 bytes of the digest.
    #[must_use]
    pub fn address(&self) -> [u8; 20] {
        let mut address = [0; 20];
        address.copy_from_slice(&self.digest[12..]);
        address
    }
}
