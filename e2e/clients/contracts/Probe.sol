// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What a client has to cope with: state, an event with indexed and dynamic parts, and every kind of failure.
/// @dev For tests of clients only.
contract Probe {
    /// @notice `value` was stored.
    event Stored(address indexed from, uint256 indexed value, string note);

    /// @notice `got` is above `limit`.
    error TooBig(uint256 got, uint256 limit);

    uint256 public constant LIMIT = 1000;

    uint256 public value;
    mapping(address => uint256) public stores;

    constructor(uint256 initial) payable {
        value = initial;
    }

    receive() external payable {}

    /// @notice Stores `next`. Reverts: TooBig(got, limit), Error("unlucky") for 13.
    function store(uint256 next, string calldata note) external payable {
        if (next > LIMIT) revert TooBig(next, LIMIT);
        require(next != 13, "unlucky");
        value = next;
        ++stores[msg.sender];
        emit Stored(msg.sender, next, note);
    }

    /// @notice Reverts: Panic(0x12) for `b` = 0.
    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    /// @notice Several results of several types.
    function summary() external view returns (address self, uint256 stored, string memory name, bytes32 digest) {
        return (address(this), value, "probe", keccak256(abi.encode(value)));
    }
}
