// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {StatePath} from "./StatePath.sol";
import {IStateProof} from "./interfaces/IStateProof.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {PoseidonT5} from "./libraries/PoseidonT5.sol";
import {PoseidonT6} from "./libraries/PoseidonT6.sol";

/// @title Verifier of proofs of L2 state
/// @dev Without storage and without an owner: one deployment serves every rollup whose state has this format. The checks
/// are those of `cairn-protocol`'s `StateProof`, in the same order and with the same names.
contract StateProof is IStateProof {
    /// @dev What a proof's first element holds.
    struct Leaf {
        uint256 present;
        uint256 key;
        uint256 v0;
        uint256 v1;
        uint256 v2;
        uint256 nextKey;
        uint256 nextIndex;
        uint256 index;
        uint256 leafCount;
        uint256 treeRoot;
    }

    /// @dev Elements of a proof.
    uint256 private constant ELEMENTS = 11;
    /// @dev Bytes of a leaf.
    uint256 private constant LEAF_BYTES = 320;
    /// @dev The largest number of leaves.
    uint256 private constant CAPACITY = 1 << 30;
    /// @dev First input of the hash that is an account's key.
    uint256 private constant ACCOUNT_KEY = 1;
    /// @dev First input of the hash that is a slot's key.
    uint256 private constant STORAGE_KEY = 2;

    /// @notice Computes the roots that a leaf leads to.
    StatePath public immutable statePath = new StatePath();

    /// @inheritdoc IStateProof
    function verifyAccount(bytes32 stateRoot, address account, bytes[] calldata proof)
        external
        view
        returns (bool exists, uint64 nonce, uint256 balance, bytes32 codeHash)
    {
        Leaf memory leaf = _open(proof);
        exists = leaf.present == 1;
        _checkKey(leaf, PoseidonT5.hash([ACCOUNT_KEY, uint160(account), 0, 0]));
        if (exists) {
            _checkValue(0, leaf.v0, 64 + 128);
            // v₀ = low half of the balance + 2¹²⁸·nonce, and has no more bits: the cast cuts nothing off.
            // forge-lint: disable-next-line(unsafe-typecast)
            nonce = uint64(leaf.v0 >> 128);
            balance = (leaf.v1 << 128) | (leaf.v0 & type(uint128).max);
            codeHash = bytes32(leaf.v2);
        }
        _checkValue(1, leaf.v1, 128);
        _checkRoots(stateRoot, leaf, proof);
    }

    /// @inheritdoc IStateProof
    function verifyStorage(bytes32 stateRoot, address account, uint256 slot, bytes[] calldata proof)
        external
        view
        returns (uint256 value)
    {
        Leaf memory leaf = _open(proof);
        _checkKey(leaf, PoseidonT5.hash([STORAGE_KEY, uint160(account), slot >> 128, slot & type(uint128).max]));
        if (leaf.present == 1) {
            _checkValue(0, leaf.v0, 128);
            _checkValue(2, leaf.v2, 0);
            value = (leaf.v1 << 128) | leaf.v0;
        }
        _checkValue(1, leaf.v1, 128);
        _checkRoots(stateRoot, leaf, proof);
    }

    /// @dev Reads the first element. Reverts: ProofLength, ElementLength, NotCanonical for element 0.
    function _open(bytes[] calldata proof) private pure returns (Leaf memory leaf) {
        if (proof.length != ELEMENTS) revert ProofLength(ELEMENTS, proof.length);
        bytes calldata first = proof[0];
        if (first.length != LEAF_BYTES) revert ElementLength(0, LEAF_BYTES, first.length);
        leaf = abi.decode(first, (Leaf));
        _checkWord(0, leaf.present, 2);
        _checkWord(1, leaf.key, Bn254.R);
        _checkWord(2, leaf.v0, Bn254.R);
        _checkWord(3, leaf.v1, Bn254.R);
        _checkWord(4, leaf.v2, Bn254.R);
        _checkWord(5, leaf.nextKey, Bn254.R);
        _checkWord(6, leaf.nextIndex, 1 << 64);
        _checkWord(7, leaf.index, 1 << 64);
        _checkWord(8, leaf.leafCount, 1 << 64);
        _checkWord(9, leaf.treeRoot, Bn254.R);
    }

    /// @dev Reverts: NotCanonical.
    function _checkWord(uint256 word, uint256 value, uint256 end) private pure {
        if (value >= end) revert NotCanonical(0, word, value);
    }

    /// @dev That the opened position is used, and the leaf there is the key's or shows its absence.
    function _checkKey(Leaf memory leaf, uint256 key) private pure {
        if (leaf.index >= leaf.leafCount || leaf.index >= CAPACITY) revert IndexOutOfRange(leaf.index, leaf.leafCount);
        if (leaf.present == 1) {
            if (leaf.key != key) revert WrongKey(key, leaf.key);
        } else if (leaf.key >= key || (leaf.nextKey != 0 && key >= leaf.nextKey)) {
            revert NotPredecessor(key, leaf.key, leaf.nextKey);
        }
    }

    /// @dev v₁ shares an input of the leaf's hash with the next index: it is held to its 128 bits in every proof, so that
    /// a leaf has one form only.
    function _checkValue(uint256 element, uint256 value, uint256 bits) private pure {
        if (value >> bits != 0) revert ValueOutOfRange(element, value);
    }

    /// @dev That the leaf is in the tree, and the tree's root and leaf count are those of the state root.
    function _checkRoots(bytes32 stateRoot, Leaf memory leaf, bytes[] calldata proof) private view {
        // Neither overflows the other's bits nor reaches the modulus: v₁ has 128 bits, the next index 64.
        uint256 link = leaf.v1 | (leaf.nextIndex << 128);
        uint256 leafHash = PoseidonT6.hash([leaf.key, leaf.v0, link, leaf.v2, leaf.nextKey]);
        (uint256 treeRoot, uint256 got) = statePath.roots(leafHash, leaf.index, leaf.leafCount, proof);
        if (treeRoot != leaf.treeRoot) revert WrongTreeRoot(leaf.treeRoot, treeRoot);
        if (bytes32(got) != stateRoot) revert WrongStateRoot(stateRoot, bytes32(got));
    }
}
