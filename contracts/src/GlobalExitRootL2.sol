// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IGlobalExitRootL2} from "./interfaces/IGlobalExitRootL2.sol";

/// @title Global exit root on L2
/// @dev Predeployed. The two storage slots are part of the protocol: a batch with a global exit root sets its entry of the
/// map at slot 0 by a system write, and slot 1 at the end of a batch is the batch's `newLocalExitRoot`. No function here
/// sets the map.
contract GlobalExitRootL2 is IGlobalExitRootL2 {
    /// @inheritdoc IGlobalExitRootL2
    /// @dev Storage slot 0.
    mapping(bytes32 globalExitRoot => uint256 timestamp) public globalExitRootMap;
    /// @inheritdoc IGlobalExitRootL2
    /// @dev Storage slot 1.
    bytes32 public lastRollupExitRoot;
    /// @inheritdoc IGlobalExitRootL2
    address public immutable bridgeAddress;

    /// @param bridge Address of the bridge contract of L2.
    constructor(address bridge) {
        if (bridge == address(0)) revert InvalidBridge();
        bridgeAddress = bridge;
    }

    /// @inheritdoc IGlobalExitRootL2
    function updateExitRoot(bytes32 newRoot) external {
        if (msg.sender != bridgeAddress) revert OnlyAllowedContracts(msg.sender);
        lastRollupExitRoot = newRoot;
    }
}
