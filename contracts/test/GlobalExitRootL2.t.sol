// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {GlobalExitRootL2} from "../src/GlobalExitRootL2.sol";
import {IGlobalExitRootL2} from "../src/interfaces/IGlobalExitRootL2.sol";

contract GlobalExitRootL2Test is Base {
    address private constant BRIDGE = address(0xb41d9e);
    GlobalExitRootL2 private exitRoots;

    function setUp() public {
        exitRoots = new GlobalExitRootL2(BRIDGE);
    }

    /// @dev What a system write leaves is what the contract reads.
    function testFuzz_globalExitRootMap_isStorageSlotZero(bytes32 root, uint64 timestamp) public {
        vm.store(address(exitRoots), keccak256(bytes.concat(root, bytes32(0))), bytes32(uint256(timestamp)));
        assertEq(exitRoots.globalExitRootMap(root), timestamp);
    }

    function testFuzz_lastRollupExitRoot_isStorageSlotOne(bytes32 root) public {
        vm.prank(BRIDGE);
        exitRoots.updateExitRoot(root);
        assertEq(vm.load(address(exitRoots), bytes32(uint256(1))), root);
        assertEq(exitRoots.lastRollupExitRoot(), root);
    }

    function test_updateExitRoot_revertsOnlyAllowedContracts_whenCalledByAnother() public {
        vm.expectRevert(abi.encodeWithSelector(IGlobalExitRootL2.OnlyAllowedContracts.selector, address(this)));
        exitRoots.updateExitRoot(0);
    }

    function test_constructor_revertsInvalidBridge_whenZero() public {
        vm.expectRevert(abi.encodeWithSelector(IGlobalExitRootL2.InvalidBridge.selector));
        new GlobalExitRootL2(address(0));
    }
}
