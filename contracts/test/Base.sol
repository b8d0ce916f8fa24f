// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheatcodes of forge that these tests use.
interface Vm {
    function prank(address sender) external;
    function expectRevert() external;
    function expectRevert(bytes calldata revertData) external;
    function expectEmit(address emitter) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function getNonce(address account) external view returns (uint64);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function assume(bool condition) external pure;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function toString(uint256 value) external pure returns (string memory);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
}

/// @title Assertions and cheatcodes
abstract contract Base {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error NotEqual(bytes32 got, bytes32 expected);
    error NotTrue();

    function assertEq(bytes32 got, bytes32 expected) internal pure {
        if (got != expected) revert NotEqual(got, expected);
    }

    function assertEq(uint256 got, uint256 expected) internal pure {
        assertEq(bytes32(got), bytes32(expected));
    }

    function assertEq(address got, address expected) internal pure {
        assertEq(uint256(uint160(got)), uint256(uint160(expected)));
    }

    function assertEq(string memory got, string memory expected) internal pure {
        assertEq(keccak256(bytes(got)), keccak256(bytes(expected)));
    }

    function assertTrue(bool condition) internal pure {
        if (!condition) revert NotTrue();
    }

    function assertFalse(bool condition) internal pure {
        assertTrue(!condition);
    }

    /// @dev `value` brought into [low, high].
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
