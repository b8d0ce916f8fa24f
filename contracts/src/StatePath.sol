// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IStateProof} from "./interfaces/IStateProof.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {PoseidonT3} from "./libraries/PoseidonT3.sol";
import {PoseidonT9} from "./libraries/PoseidonT9.sol";

/// @title The path of a state proof
/// @dev A contract of its own because all the hashes exceed the code size of one (EIP-170). `StateProof` deploys it.
contract StatePath {
    /// @dev Levels between a leaf and the root.
    uint256 private constant DEPTH = 10;
    /// @dev Siblings of a node, of eight children.
    uint256 private constant SIBLINGS = 7;

    /// @notice The roots that a leaf leads to.
    /// @dev Reverts: ElementLength, NotCanonical for elements 1 to 10.
    /// @param leafHash Hash of the leaf, below the modulus.
    /// @param index Position of the leaf; bits above the thirtieth are ignored: the caller has excluded them.
    /// @param leafCount Leaves of the tree, below the modulus.
    /// @param proof A state proof of 11 elements; the first is not read.
    /// @return treeRoot Root of the tree.
    /// @return stateRoot Hash of the tree's root and the leaf count.
    function roots(uint256 leafHash, uint256 index, uint256 leafCount, bytes[] calldata proof)
        external
        pure
        returns (uint256 treeRoot, uint256 stateRoot)
    {
        treeRoot = leafHash;
        uint256 workspace = PoseidonT9.workspace();
        for (uint256 level = 1; level <= DEPTH; ++level) {
            _placeChildren(workspace, level, proof[level], index & 7, treeRoot);
            treeRoot = PoseidonT9.hashAt(workspace);
            index >>= 3;
        }
        stateRoot = PoseidonT3.hash([treeRoot, leafCount]);
    }

    /// @dev Writes a node and its siblings, in position order, to where `hashAt` reads the children.
    /// @param own Which child of its parent the node is, 0 to 7.
    function _placeChildren(uint256 workspace, uint256 level, bytes calldata siblings, uint256 own, uint256 node)
        private
        pure
    {
        if (siblings.length != SIBLINGS * 32) {
            revert IStateProof.ElementLength(level, SIBLINGS * 32, siblings.length);
        }
        for (uint256 i = 0; i < SIBLINGS; ++i) {
            uint256 sibling;
            assembly ("memory-safe") {
                sibling := calldataload(add(siblings.offset, mul(i, 0x20)))
                // The workspace has room for eight children behind its first word; those from `own` on move up by one.
                mstore(add(workspace, mul(add(add(i, 1), iszero(lt(i, own))), 0x20)), sibling)
            }
            if (sibling >= Bn254.R) revert IStateProof.NotCanonical(level, i, sibling);
        }
        assembly ("memory-safe") {
            mstore(add(workspace, mul(add(own, 1), 0x20)), node)
        }
    }
}
