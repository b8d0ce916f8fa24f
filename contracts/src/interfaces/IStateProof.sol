// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of proofs of L2 state
/// @notice Verifies an answer of `eth_getProof` against a state root and returns what an account or a storage slot held in
/// that state. Anyone may call; nothing is trusted but the state root.
/// @dev A proof is 11 strings. The first has ten words: present (0 or 1), key, v₀, v₁, v₂, next key, next index, index, leaf
/// count, tree root. The other ten have seven words each: a level's siblings in position order, from the leaf upward.
/// Elements and words count from 0. A proof has one valid form: nothing can be changed without failing a check.
interface IStateProof {
    /// @notice The proof has a wrong number of elements.
    error ProofLength(uint256 expected, uint256 got);
    /// @notice An element has a wrong length, in bytes.
    error ElementLength(uint256 element, uint256 expected, uint256 got);
    /// @notice A word is outside its range: a flag above 1, a number of more than 64 bits, or a field element that is not
    /// below the modulus.
    error NotCanonical(uint256 element, uint256 word, uint256 value);
    /// @notice No leaf can be at the position.
    error IndexOutOfRange(uint256 index, uint256 leafCount);
    /// @notice The leaf is another account's or slot's.
    error WrongKey(uint256 expected, uint256 got);
    /// @notice The leaf does not show that the key is absent: that takes leafKey < key, and key < nextKey or nextKey = 0.
    error NotPredecessor(uint256 key, uint256 leafKey, uint256 nextKey);
    /// @notice vₙ has more bits than the leaf's kind allows.
    error ValueOutOfRange(uint256 element, uint256 value);
    /// @notice The path leads to another root than the proof claims.
    error WrongTreeRoot(uint256 expected, uint256 got);
    /// @notice The proof is of another state.
    error WrongStateRoot(bytes32 expected, bytes32 got);

    /// @notice The account at `account` in the state of `stateRoot`.
    /// @dev Reverts with one of the errors above. `stateRoot` must come from the rollup contract, never from the caller of
    /// a protocol that relies on the answer.
    /// @param stateRoot A state root as the rollup contract stores it.
    /// @param account The account's address.
    /// @param proof `accountProof` of `eth_getProof`.
    /// @return exists Whether the account has a leaf; if not, the rest is zero.
    /// @return nonce Its nonce.
    /// @return balance Its balance in wei.
    /// @return codeHash The Poseidon hash of its code, 0 without code. Not keccak256, which the state does not hold.
    function verifyAccount(bytes32 stateRoot, address account, bytes[] calldata proof)
        external
        view
        returns (bool exists, uint64 nonce, uint256 balance, bytes32 codeHash);

    /// @notice The value of a storage slot in the state of `stateRoot`.
    /// @dev As `verifyAccount`. The proof is of the slot alone: the account's is not needed.
    /// @param stateRoot A state root as the rollup contract stores it.
    /// @param account The account whose storage it is.
    /// @param slot The slot.
    /// @param proof `storageProof[i].proof` of `eth_getProof`.
    /// @return value The slot's value: 0 if it was never set.
    function verifyStorage(bytes32 stateRoot, address account, uint256 slot, bytes[] calldata proof)
        external
        view
        returns (uint256 value);
}
