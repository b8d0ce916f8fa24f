// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IGlobalExitRoot} from "./interfaces/IGlobalExitRoot.sol";
import {Hashes} from "./libraries/Hashes.sol";

/// @title Global exit root on L1
/// @dev The rollup and the bridge are deployed after this contract, at addresses known beforehand (the deployer's next
/// nonces), so that both can be immutable.
contract GlobalExitRoot is IGlobalExitRoot {
    /// @inheritdoc IGlobalExitRoot
    mapping(bytes32 globalExitRoot => uint256 timestamp) public globalExitRootMap;
    /// @inheritdoc IGlobalExitRoot
    bytes32 public lastMainnetExitRoot;
    /// @inheritdoc IGlobalExitRoot
    bytes32 public lastRollupExitRoot;
    /// @inheritdoc IGlobalExitRoot
    address public immutable rollupAddress;
    /// @inheritdoc IGlobalExitRoot
    address public immutable bridgeAddress;

    /// @param rollup Address of the rollup contract.
    /// @param bridge Address of the bridge contract.
    constructor(address rollup, address bridge) {
        if (rollup == address(0) || bridge == address(0) || rollup == bridge) {
            revert InvalidAllowedContracts(rollup, bridge);
        }
        rollupAddress = rollup;
        bridgeAddress = bridge;
    }

    /// @inheritdoc IGlobalExitRoot
    function updateExitRoot(bytes32 newRoot) external {
        bytes32 mainnetExitRoot = lastMainnetExitRoot;
        bytes32 rollupExitRoot = lastRollupExitRoot;
        if (msg.sender == bridgeAddress) {
            lastMainnetExitRoot = newRoot;
            mainnetExitRoot = newRoot;
        } else if (msg.sender == rollupAddress) {
            lastRollupExitRoot = newRoot;
            rollupExitRoot = newRoot;
        } else {
            revert OnlyAllowedContracts(msg.sender);
        }

        bytes32 root = Hashes.globalExitRoot(mainnetExitRoot, rollupExitRoot);
        if (globalExitRootMap[root] == 0) {
            globalExitRootMap[root] = block.timestamp;
            emit UpdateGlobalExitRoot(mainnetExitRoot, rollupExitRoot);
        }
    }

    /// @inheritdoc IGlobalExitRoot
    function getLastGlobalExitRoot() external view returns (bytes32) {
        return Hashes.globalExitRoot(lastMainnetExitRoot, lastRollupExitRoot);
    }
}
