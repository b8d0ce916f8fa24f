//! How deep the paths of a shape are. The tree itself always has [`TREE_DEPTH`] levels; what a shape saves is the upper
//! ones, which are the same for all its positions.

use cairn_protocol::constants::{TREE_ARITY_BITS, TREE_DEPTH};
use serde::{Deserialize, Serialize};

/// Levels of a path, from the leaf upward: 1 to 10. A shape opens the positions below 8^levels and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Levels(u8);

/// A number of levels that no path has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tree paths of {0} levels: a path has 1 to {TREE_DEPTH}")]
pub struct LevelsError(pub u8);

impl Levels {
    /// Six levels: 2¹⁸ leaves.
    pub const DEFAULT: Self = Self(6);
    /// Paths up to the root.
    pub const ALL: Self = Self(TREE_DEPTH as u8);

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// Bits of a position.
    #[must_use]
    pub const fn bits(self) -> usize {
        TREE_ARITY_BITS * self.get()
    }

    /// Number of positions: 8^levels.
    #[must_use]
    pub const fn positions(self) -> u64 {
        1 << self.bits()
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<u8> for Levels {
    type Error = LevelsError;

    fn try_from(n: u8) -> Result<Self, LevelsError> {
        if (1..=Self::ALL.0).contains(&n) { Ok(Self(n)) } else { Err(LevelsError(n)) }
    }
}

impl From<Levels> for u8 {
    fn from(levels: Levels) -> Self {
        levels.0
    }
}

impl std::fmt::Display for Levels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_one_to_ten_levels_and_no_others() {
        for n in 0..=u8::MAX {
            let levels = Levels::try_from(n);
            assert_eq!(levels.is_ok(), (1..=10).contains(&n));
            if let Ok(levels) = levels {
                assert_eq!((levels.get(), levels.positions()), (n.into(), 8u64.pow(n.into())));
            }
        }
        assert_eq!(serde_json::from_str::<Levels>("6").expect("in range"), Levels::DEFAULT);
        let error = serde_json::from_str::<Levels>("11").expect_err("out of range").to_string();
        assert!(error.contains("tree paths of 11 levels: a path has 1 to 10"), "{error}");
    }
}
