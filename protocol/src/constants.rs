//! Numbers and addresses that L1, node and circuit share. `contracts/tests/protocol.rs` checks those that Solidity uses.
//! Addresses are those of Polygon zkEVM.

use alloy_primitives::{Address, B256, U256, address, b256, uint};

/// Fork identifier that enters the public input.
pub const FORK_ID: u64 = 1;
/// Chain id of the development chain.
pub const DEVNET_CHAIN_ID: u64 = 1001;
/// Gas limit of an L2 block, in gas.
pub const BLOCK_GAS_LIMIT: u64 = 30_000_000;
/// Largest `transactions` of one batch, in bytes.
pub const MAX_TRANSACTIONS_BYTE_LENGTH: usize = 300_000;
/// Account whose storage slot 0 holds the last L2 block number.
pub const SYSTEM_ACCOUNT: Address = address!("0x000000000000000000000000000000005ca1ab1e");
/// Storage slot of [`SYSTEM_ACCOUNT`] that holds the last L2 block number.
pub const SYSTEM_BLOCK_NUMBER_SLOT: U256 = U256::ZERO;
/// The L2 global exit root contract.
pub const GLOBAL_EXIT_ROOT_L2: Address = address!("0xa40d5f56745a118d0906a34e69aec8c0db1cb8fa");
/// Slot number of `globalExitRootMap` in [`GLOBAL_EXIT_ROOT_L2`]; the entry of `root` is keccak256(root ‖ slot).
pub const GLOBAL_EXIT_ROOT_MAP_SLOT: U256 = U256::ZERO;
/// Slot of `lastRollupExitRoot` in [`GLOBAL_EXIT_ROOT_L2`].
pub const LAST_ROLLUP_EXIT_ROOT_SLOT: U256 = U256::ONE;
/// keccak256 of the empty string: the code hash that the EVM shows for an account without code.
pub const KECCAK_EMPTY: B256 = b256!("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
/// Last address of Cancun's precompiles (0x01 to 0x0a).
pub const LAST_PRECOMPILE: u64 = 0x0a;
/// log₂ of the tree's arity.
pub const TREE_ARITY_BITS: usize = 3;
/// Children of a tree node.
pub const TREE_ARITY: usize = 1 << TREE_ARITY_BITS;
/// Levels between a leaf and the tree's root: 8^10 = 2³⁰ leaves.
pub const TREE_DEPTH: usize = 10;
/// The largest number of leaves.
pub const TREE_CAPACITY: u64 = 1 << (TREE_ARITY_BITS * TREE_DEPTH);
/// Base intrinsic gas of a transaction (Yellow Paper, appendix G: `G_transaction`).
pub const TX_GAS: u64 = 21_000;
/// Gas of a zero byte of call data (Yellow Paper, appendix G: `G_txdatazero`).
pub const TX_DATA_ZERO_GAS: u64 = 4;
/// Gas of a non-zero byte of call data (EIP-2028).
pub const TX_DATA_NONZERO_GAS: u64 = 16;
/// Extra gas of a contract creation (EIP-2).
pub const TX_CREATE_GAS: u64 = 32_000;
/// Gas of a 32-byte word of init code (EIP-3860).
pub const INITCODE_WORD_GAS: u64 = 2;
/// Largest init code, in bytes (EIP-3860).
pub const MAX_INITCODE_SIZE: usize = 49_152;
/// Gas of an address in an access list (EIP-2930).
pub const ACCESS_LIST_ADDRESS_GAS: u64 = 2_400;
/// Gas of a storage key in an access list (EIP-2930).
pub const ACCESS_LIST_STORAGE_KEY_GAS: u64 = 1_900;
/// Order of the secp256k1 group.
pub const SECP256K1_ORDER: U256 =
    uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
/// Half of [`SECP256K1_ORDER`], rounded down: the largest `s` of a valid signature (EIP-2).
pub const SECP256K1_HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);
