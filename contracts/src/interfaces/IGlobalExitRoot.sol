// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Global exit root on L1
/// @notice Joins the exit root of L1 (kept by the bridge) and that of L2 (proven by the rollup) and remembers when each
/// pair was first seen.
interface IGlobalExitRoot {
    /// @notice A new global exit root, `keccak256(mainnetExitRoot ‖ rollupExitRoot)`, was recorded.
    event UpdateGlobalExitRoot(bytes32 indexed mainnetExitRoot, bytes32 indexed rollupExitRoot);

    /// @notice The caller is neither the bridge nor the rollup.
    error OnlyAllowedContracts(address caller);
    /// @notice The bridge and the rollup must be two different contracts, neither of them zero.
    error InvalidAllowedContracts(address rollup, address bridge);

    /// @notice Replaces the exit root that belongs to the caller and records the new global exit root.
    /// @dev The bridge sets the mainnet exit root, the rollup sets the rollup exit root. A global exit root that is known
    /// already keeps its first timestamp and emits nothing. Reverts: OnlyAllowedContracts(caller).
    /// @param newRoot Root of the caller's exit tree.
    function updateExitRoot(bytes32 newRoot) external;

    /// @notice Global exit root of the two last roots.
    function getLastGlobalExitRoot() external view returns (bytes32);

    /// @notice Unix time in seconds when `globalExitRoot` was first recorded, zero if never.
    function globalExitRootMap(bytes32 globalExitRoot) external view returns (uint256);

    /// @notice Last exit root of L1.
    function lastMainnetExitRoot() external view returns (bytes32);

    /// @notice Last exit root of L2.
    function lastRollupExitRoot() external view returns (bytes32);

    /// @notice The rollup contract, the only one that may set the rollup exit root.
    function rollupAddress() external view returns (address);

    /// @notice The bridge contract, the only one that may set the mainnet exit root.
    function bridgeAddress() external view returns (address);
}
