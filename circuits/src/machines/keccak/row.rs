//! The native values of a row. Nothing here knows field elements: bits of a lane stand in a `u64`, and their spreading
//! to base 8 is left to the synthesis.

/// Lanes of the state; lane (x, y) is number x + 5·y.
pub const LANES: usize = 25;
/// Lanes that a block is absorbed into.
pub const RATE_LANES: usize = 17;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 8 * RATE_LANES;
/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 32;
/// Lanes of a digest.
pub const DIGEST_LANES: usize = DIGEST_BYTES / 8;
/// Rounds of `keccak-f[1600]`.
pub const ROUNDS: usize = 24;

/// One permutation and the block absorbed before it. The default is a disabled row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeccakRow {
    /// The row counts. Boolean: keccak.flag.enabled.
    pub enabled: bool,
    /// First block of its message: the state before it is zero. 0 or `enabled`: keccak.flag.first.
    pub first: bool,
    /// Last block of its message: holds the padding, and its digest is sent. 0 or `enabled`: keccak.flag.last.
    pub last: bool,
    /// Name of the message on the buses; constant through a message: keccak.chain.stream.
    pub stream: u64,
    /// Position of the block's first byte in the message: 0, then 136 more a row: keccak.chain.offset.
    pub offset: u64,
    /// Which bytes of the block are the message's; what follows is padding: keccak.block.thermometer. The last byte's flag is
    /// not committed: it is one of the message's unless the block is the last.
    pub data: [[bool; 8]; RATE_LANES],
    /// The padded block, eight bytes a lane: keccak.block.spread, keccak.block.padding and the bus.
    pub block: [[u8; 8]; RATE_LANES],
    /// The state before the block is absorbed: zero, or what the row before left. keccak.absorb.carry.
    pub carried: [u64; LANES],
    pub permutation: PermutationRow,
}

/// Everything between the absorbed state and the permuted one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermutationRow {
    /// In a box: 24 rounds are 20 kB.
    pub rounds: Box<[RoundRow; ROUNDS]>,
    /// The permuted state: the last round's χ and ι.
    pub output: [LaneRow; LANES],
}

impl PermutationRow {
    /// The digest: the first 32 bytes of the permuted state.
    #[must_use]
    pub fn digest(&self) -> [u8; DIGEST_BYTES] {
        let mut digest = [0; DIGEST_BYTES];
        for (bytes, lane) in digest.chunks_exact_mut(8).zip(&self.output) {
            bytes.copy_from_slice(&lane.bit.to_le_bytes());
        }
        digest
    }
}

/// θ of one round with the χ and ι of the round before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundRow {
    /// Dₓ = Cₓ₋₁ ⊕ rot(Cₓ₊₁, 1), what θ adds to column x.
    pub effects: [EffectRow; 5],
    /// D₀ ⊕ the previous round's constant: what is added to lane (0, 0) in place of D₀.
    pub iota: u64,
    /// The state after θ.
    pub lanes: [LaneRow; LANES],
    /// Cₓ, the parity of column x before θ.
    pub parities: [ParityRow; 5],
}

/// Cₓ₋₁ + rot(Cₓ₊₁, 1) = `bit` + 2·`high`, digit by digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EffectRow {
    pub bit: u64,
    pub high: u64,
}

/// A sum of digits 0…6 as `low` + 2·`bit` + 4·`high`; or, in the first round and with `low` absent, a sum of digits
/// 0…3 as `bit` + 2·`high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneRow {
    pub low: u64,
    /// The bits of the new lane.
    pub bit: u64,
    pub high: u64,
}

/// A sum of digits 0…6 as `bit` + 2·`middle` + 4·`high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParityRow {
    pub bit: u64,
    pub middle: u64,
    pub high: u64,
}
