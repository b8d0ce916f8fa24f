//! System state that a batch reads or writes outside any transaction, and the set of leaves that a batch touches.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use ark_bn254::Fr;

use crate::{
    constants::{
        GLOBAL_EXIT_ROOT_L2, GLOBAL_EXIT_ROOT_MAP_SLOT, LAST_ROLLUP_EXIT_ROOT_SLOT, SYSTEM_ACCOUNT,
        SYSTEM_BLOCK_NUMBER_SLOT,
    },
    leaf::LeafId,
};

/// Storage slot of `globalExitRootMap[root]`: keccak256(root ‖ slot of the map).
#[must_use]
pub fn global_exit_root_slot(root: B256) -> U256 {
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(root.as_slice());
    bytes[32..].copy_from_slice(&GLOBAL_EXIT_ROOT_MAP_SLOT.to_be_bytes::<32>());
    U256::from_be_bytes(keccak256(bytes).0)
}

/// The leaf of `globalExitRootMap[root]`.
#[must_use]
pub fn global_exit_root_leaf(root: B256) -> LeafId {
    LeafId::Storage(GLOBAL_EXIT_ROOT_L2, global_exit_root_slot(root))
}

/// The leaf that holds the last L2 block number.
#[must_use]
pub const fn block_number_leaf() -> LeafId {
    LeafId::Storage(SYSTEM_ACCOUNT, SYSTEM_BLOCK_NUMBER_SLOT)
}

/// The leaf of `lastRollupExitRoot`.
#[must_use]
pub const fn last_rollup_exit_root_leaf() -> LeafId {
    LeafId::Storage(GLOBAL_EXIT_ROOT_L2, LAST_ROLLUP_EXIT_ROOT_SLOT)
}

/// The leaves that a batch touches, each once, by ascending tree key: sender and recipient of every transaction, the
/// coinbase if there is a transaction, the block number, `lastRollupExitRoot`, and `globalExitRootMap` of a global
/// exit root other than zero.
///
/// `transactions` are (sender, recipient); no recipient in a creation.
#[must_use]
pub fn touched_leaves(
    transactions: impl IntoIterator<Item = (Address, Option<Address>)>,
    coinbase: Address,
    global_exit_root: B256,
) -> BTreeMap<Fr, LeafId> {
    let mut ids = vec![block_number_leaf(), last_rollup_exit_root_leaf()];
    if !global_exit_root.is_zero() {
        ids.push(global_exit_root_leaf(global_exit_root));
    }
    let mut accounts: Vec<Address> =
        transactions.into_iter().flat_map(|(from, to)| std::iter::once(from).chain(to)).collect();
    if !accounts.is_empty() {
        accounts.push(coinbase);
    }
    accounts.sort_unstable();
    accounts.dedup();
    ids.extend(accounts.into_iter().map(LeafId::Account));
    ids.into_iter().map(|id| (id.key(), id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_touched_set_of_batches_with_and_without_transactions() {
        let a = Address::repeat_byte(1);
        let coinbase = Address::repeat_byte(2);
        assert_eq!(touched_leaves([], coinbase, B256::ZERO).len(), 2);
        assert_eq!(touched_leaves([], coinbase, B256::repeat_byte(1)).len(), 3);
        let touched = touched_leaves([(a, Some(a)), (a, Some(coinbase)), (a, None)], coinbase, B256::ZERO);
        assert_eq!(touched.len(), 4);
        assert!(touched.iter().all(|(key, id)| *key == id.key()));
        assert!(touched.values().any(|id| *id == LeafId::Account(coinbase)));
    }

    #[test]
    fn accepts_mapping_slot_of_solidity() {
        // keccak256(bytes32(0) ‖ bytes32(0)), the slot of mapping entry 0 at slot 0.
        let expected =
            alloy_primitives::uint!(0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5_U256);
        assert_eq!(global_exit_root_slot(B256::ZERO), expected);
    }
}
