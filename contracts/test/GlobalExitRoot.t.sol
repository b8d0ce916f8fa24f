// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {GlobalExitRoot} from "../src/GlobalExitRoot.sol";
import {IGlobalExitRoot} from "../src/interfaces/IGlobalExitRoot.sol";

contract GlobalExitRootTest is Base {
    address private constant ROLLUP = address(0x4011);
    address private constant BRIDGE = address(0xb41d9e);
    GlobalExitRoot private exitRoots;

    function setUp() public {
        vm.warp(1_700_000_000);
        exitRoots = new GlobalExitRoot(ROLLUP, BRIDGE);
    }

    function testFuzz_updateExitRoot_joinsBothRoots(bytes32 mainnet, bytes32 rollup) public {
        vm.prank(BRIDGE);
        vm.expectEmit(address(exitRoots));
        emit IGlobalExitRoot.UpdateGlobalExitRoot(mainnet, 0);
        exitRoots.updateExitRoot(mainnet);

        vm.assume(rollup != 0);
        vm.warp(1_700_000_012);
        vm.prank(ROLLUP);
        vm.expectEmit(address(exitRoots));
        emit IGlobalExitRoot.UpdateGlobalExitRoot(mainnet, rollup);
        exitRoots.updateExitRoot(rollup);

        assertEq(exitRoots.lastMainnetExitRoot(), mainnet);
        assertEq(exitRoots.lastRollupExitRoot(), rollup);
        bytes32 root = keccak256(bytes.concat(mainnet, rollup));
        assertEq(exitRoots.getLastGlobalExitRoot(), root);
        assertEq(exitRoots.globalExitRootMap(root), 1_700_000_012);
        assertEq(exitRoots.globalExitRootMap(keccak256(bytes.concat(mainnet, bytes32(0)))), 1_700_000_000);
    }

    function test_updateExitRoot_keepsTheFirstTimestamp() public {
        vm.prank(BRIDGE);
        exitRoots.updateExitRoot(keccak256("root"));
        vm.warp(1_700_000_012);
        vm.prank(BRIDGE);
        exitRoots.updateExitRoot(keccak256("root"));
        assertEq(exitRoots.globalExitRootMap(exitRoots.getLastGlobalExitRoot()), 1_700_000_000);
    }

    function test_updateExitRoot_revertsOnlyAllowedContracts_whenCalledByAnother() public {
        vm.expectRevert(abi.encodeWithSelector(IGlobalExitRoot.OnlyAllowedContracts.selector, address(this)));
        exitRoots.updateExitRoot(0);
    }

    function test_constructor_revertsInvalidAllowedContracts_whenZeroOrEqual() public {
        address[2][3] memory pairs = [[address(0), BRIDGE], [ROLLUP, address(0)], [ROLLUP, ROLLUP]];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IGlobalExitRoot.InvalidAllowedContracts.selector, pairs[i][0], pairs[i][1])
            );
            new GlobalExitRoot(pairs[i][0], pairs[i][1]);
        }
    }
}
