//! A proof that an account or a storage slot has a value under a state root, or that it has none, and its check by
//! hashes alone. Source: docs/state.md#proofs-of-state. Not here: its bytes (`state_proof_bytes`), and how it is made from
//! the tree (`state/src/tree.rs`).

use alloy_primitives::{Address, B256, U256};
use ark_bn254::Fr;
use ark_ff::Zero;

use crate::{
    constants::TREE_CAPACITY,
    leaf::{AccountValue, LeafId, StateCommitment, field_to_b256, storage_from_fields},
    witness::Opening,
};

/// The proof of one leaf, to be verified against a state root alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateProof {
    /// Whether the leaf exists. `opening` is then its own, otherwise that of the leaf with the next smaller key.
    pub present: bool,
    pub opening: Opening,
    /// Hashes to the state root.
    pub commitment: StateCommitment,
}

/// The rule that a proof breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateProofError {
    #[error("position {index} is outside the tree's {leaf_count} leaves")]
    IndexOutOfRange { index: u64, leaf_count: u64 },
    #[error("the opened leaf has key {got}, expected {expected}")]
    WrongKey { expected: B256, got: B256 },
    #[error(
        "the opened leaf does not show that key {key} is absent: its key is {leaf_key}, the next key {next_key}"
    )]
    NotPredecessor { key: B256, leaf_key: B256, next_key: B256 },
    #[error("value element {element} is out of range: {value}")]
    ValueOutOfRange { element: usize, value: B256 },
    #[error("the path leads to {got}, the tree's root is {expected}")]
    WrongTreeRoot { expected: B256, got: B256 },
    #[error("the proof is of state root {got}, expected {expected}")]
    WrongStateRoot { expected: B256, got: B256 },
}

impl StateProof {
    /// The account at `address` in the state of `state_root`, `None` if it is absent.
    ///
    /// # Errors
    /// The first rule that is broken, see [`StateProofError`].
    pub fn verify_account(
        &self,
        state_root: B256,
        address: Address,
    ) -> Result<Option<AccountValue>, StateProofError> {
        self.check_key(LeafId::Account(address).key())?;
        let value = &self.opening.leaf.value;
        // Nonce and low half of the balance, high half of the balance.
        let account = if self.present {
            in_range(0, value[0], 64 + 128)?;
            in_range(1, value[1], 128)?;
            AccountValue::from_fields(value)
        } else {
            in_range(1, value[1], 128)?;
            None
        };
        self.check_roots(state_root)?;
        Ok(account)
    }

    /// The value of a storage slot in the state of `state_root`: 0 if it is absent.
    ///
    /// # Errors
    /// The first rule that is broken, see [`StateProofError`].
    pub fn verify_storage(
        &self,
        state_root: B256,
        address: Address,
        slot: U256,
    ) -> Result<U256, StateProofError> {
        self.check_key(LeafId::Storage(address, slot).key())?;
        let value = &self.opening.leaf.value;
        let word = if self.present {
            in_range(0, value[0], 128)?;
            in_range(1, value[1], 128)?;
            in_range(2, value[2], 0)?;
            storage_from_fields(value)
        } else {
            in_range(1, value[1], 128)?;
            None
        };
        self.check_roots(state_root)?;
        Ok(word.unwrap_or_default())
    }

    /// Checks that the opened position is used, and that the leaf there has `key` or shows that it is absent.
    fn check_key(&self, key: Fr) -> Result<(), StateProofError> {
        let Opening { index, leaf, .. } = &self.opening;
        let leaf_count = self.commitment.leaf_count;
        if *index >= leaf_count || *index >= TREE_CAPACITY {
            return Err(StateProofError::IndexOutOfRange { index: *index, leaf_count });
        }
        if self.present && leaf.key != key {
            return Err(StateProofError::WrongKey {
                expected: field_to_b256(key),
                got: field_to_b256(leaf.key),
            });
        }
        if !self.present && !leaf.precedes(key) {
            return Err(StateProofError::NotPredecessor {
                key: field_to_b256(key),
                leaf_key: field_to_b256(leaf.key),
                next_key: field_to_b256(leaf.next_key),
            });
        }
        Ok(())
    }

    /// Checks that the leaf is in the tree, and that the tree's commitment hashes to the state root.
    fn check_roots(&self, state_root: B256) -> Result<(), StateProofError> {
        let (expected, got) = (self.commitment.tree_root, self.opening.root());
        if got != expected {
            let (expected, got) = (field_to_b256(expected), field_to_b256(got));
            return Err(StateProofError::WrongTreeRoot { expected, got });
        }
        let got = field_to_b256(self.commitment.state_root());
        if got != state_root {
            return Err(StateProofError::WrongStateRoot { expected: state_root, got });
        }
        Ok(())
    }
}

/// Checks that a value element has at most `bits` bits. Element 1 shares an input of the leaf's hash with the next index:
/// it is checked in every proof, so that a leaf has one form only.
fn in_range(element: usize, value: Fr, bits: usize) -> Result<(), StateProofError> {
    let word = field_to_b256(value);
    let fits = value.is_zero() || U256::from_be_bytes(word.0).bit_len() <= bits;
    if fits { Ok(()) } else { Err(StateProofError::ValueOutOfRange { element, value: word }) }
}
