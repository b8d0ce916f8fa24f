//! System state that a batch reads or writes outside any transaction.

use alloy_primitives::{B256, U256, keccak256};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_mapping_slot_of_solidity() {
        // keccak256(bytes32(0) ‖ bytes32(0)), the slot of mapping entry 0 at slot 0.
        let expected =
            alloy_primitives::uint!(0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5_U256);
        assert_eq!(global_exit_root_slot(B256::ZERO), expected);
    }
}
