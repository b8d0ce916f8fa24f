//! The bytes of a [`StateProof`], as `eth_getProof` returns and Solidity takes them: 11 strings. The first has ten words
//! of 32 bytes, big-endian: present (0 or 1), key, v₀, v₁, v₂, next key, next index, index, leaf count, tree root. Then
//! one string a level, from the leaf upward: the seven siblings in position order. Source:
//! docs/state.md#proofs-of-state.

use alloy_primitives::{B256, Bytes, U256};
use ark_bn254::Fr;
use ark_ff::Field;

use crate::{
    constants::{TREE_ARITY, TREE_DEPTH},
    leaf::{Leaf, StateCommitment, field_from_b256, field_to_b256},
    state_proof::StateProof,
    witness::{Opening, Siblings},
};

/// Strings of a proof.
pub const STATE_PROOF_ELEMENTS: usize = 1 + TREE_DEPTH;
/// Words of the first.
const LEAF_WORDS: usize = 10;
/// Words of the others.
const LEVEL_WORDS: usize = TREE_ARITY - 1;

/// Why bytes are not a state proof. Elements and words count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateProofBytesError {
    #[error("a proof has {expected} elements, got {got}")]
    ProofLength { expected: usize, got: usize },
    #[error("element {element} has {got} bytes, expected {expected}")]
    ElementLength { element: usize, expected: usize, got: usize },
    #[error("word {word} of element {element} is {value}, the largest allowed is {max}")]
    NotCanonical { element: usize, word: usize, value: B256, max: B256 },
}

impl StateProof {
    /// The strings of the proof.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<Bytes> {
        let Opening { index, leaf, siblings } = &self.opening;
        let [v0, v1, v2] = leaf.value.map(field_to_b256);
        let number = |n: u64| B256::from(U256::from(n));
        let first: [B256; LEAF_WORDS] = [
            number(self.present.into()),
            field_to_b256(leaf.key),
            v0,
            v1,
            v2,
            field_to_b256(leaf.next_key),
            number(leaf.next_index),
            number(*index),
            number(self.commitment.leaf_count),
            field_to_b256(self.commitment.tree_root),
        ];
        let mut out = Vec::with_capacity(STATE_PROOF_ELEMENTS);
        out.push(first.concat().into());
        out.extend(siblings.iter().map(|level| Bytes::from(level.map(field_to_b256).concat())));
        out
    }

    /// Reads the strings of a proof. Each proof has one form: what [`Self::to_bytes`] writes.
    ///
    /// # Errors
    /// See [`StateProofBytesError`].
    pub fn from_bytes<B: AsRef<[u8]>>(elements: &[B]) -> Result<Self, StateProofBytesError> {
        let [first, levels @ ..] = elements else {
            return Err(StateProofBytesError::ProofLength { expected: STATE_PROOF_ELEMENTS, got: 0 });
        };
        if levels.len() != TREE_DEPTH {
            let got = elements.len();
            return Err(StateProofBytesError::ProofLength { expected: STATE_PROOF_ELEMENTS, got });
        }
        let words = Words::<LEAF_WORDS>::new(0, first.as_ref())?;
        let present = words.number(0, 1)? == 1;
        let leaf = Leaf {
            key: words.field(1)?,
            value: [words.field(2)?, words.field(3)?, words.field(4)?],
            next_key: words.field(5)?,
            next_index: words.number(6, u64::MAX)?,
        };
        let index = words.number(7, u64::MAX)?;
        let commitment =
            StateCommitment { leaf_count: words.number(8, u64::MAX)?, tree_root: words.field(9)? };
        let mut siblings = Box::new(Siblings::default());
        for (at, (row, bytes)) in siblings.iter_mut().zip(levels).enumerate() {
            let words = Words::<LEVEL_WORDS>::new(at + 1, bytes.as_ref())?;
            for (word, sibling) in row.iter_mut().enumerate() {
                *sibling = words.field(word)?;
            }
        }
        Ok(Self { present, opening: Opening { index, leaf, siblings }, commitment })
    }
}

/// The words of one element.
struct Words<const N: usize> {
    element: usize,
    words: [B256; N],
}

impl<const N: usize> Words<N> {
    fn new(element: usize, bytes: &[u8]) -> Result<Self, StateProofBytesError> {
        if bytes.len() != 32 * N {
            let (expected, got) = (32 * N, bytes.len());
            return Err(StateProofBytesError::ElementLength { element, expected, got });
        }
        let words = std::array::from_fn(|at| B256::from_slice(&bytes[32 * at..32 * (at + 1)]));
        Ok(Self { element, words })
    }

    fn not_canonical(&self, word: usize, max: B256) -> StateProofBytesError {
        StateProofBytesError::NotCanonical { element: self.element, word, value: self.words[word], max }
    }

    fn field(&self, word: usize) -> Result<Fr, StateProofBytesError> {
        field_from_b256(self.words[word]).ok_or_else(|| self.not_canonical(word, field_to_b256(-Fr::ONE)))
    }

    fn number(&self, word: usize, max: u64) -> Result<u64, StateProofBytesError> {
        let number = u64::try_from(U256::from_be_bytes(self.words[word].0)).ok();
        number.filter(|n| *n <= max).ok_or_else(|| self.not_canonical(word, B256::from(U256::from(max))))
    }
}
