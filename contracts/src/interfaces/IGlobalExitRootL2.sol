// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Global exit root on L2
/// @notice Holds the global exit roots that batches brought to L2, and the exit root of L2.
interface IGlobalExitRootL2 {
    /// @notice The caller is not the bridge.
    error OnlyAllowedContracts(address caller);
    /// @notice The bridge must not be the zero address.
    error InvalidBridge();

    /// @notice Replaces the exit root of L2.
    /// @dev Only the bridge. Reverts: OnlyAllowedContracts(caller).
    /// @param newRoot Root of the exit tree of L2.
    function updateExitRoot(bytes32 newRoot) external;

    /// @notice Timestamp, in seconds, of the batch that brought `globalExitRoot` to L2, zero if none did.
    function globalExitRootMap(bytes32 globalExitRoot) external view returns (uint256);

    /// @notice Last exit root of L2.
    function lastRollupExitRoot() external view returns (bytes32);

    /// @notice The bridge contract of L2.
    function bridgeAddress() external view returns (address);
}
