// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of batch proofs of one circuit shape
interface IVerifier {
    /// @notice Verifies several proofs together.
    /// @dev All or nothing: one bad proof fails the whole call. Malformed input reverts with a named error, a well-formed
    /// proof of something else returns false.
    /// @param publicInputs One public input a proof, each below the order of BN254's scalar field.
    /// @param proofs One proof for each public input, in the same order.
    /// @return True if every proof holds for its public input.
    function verifyBatch(uint256[] calldata publicInputs, uint256[12][] calldata proofs) external view returns (bool);

    /// @notice Digest of the verifying key; names the circuit that the proofs are of.
    function vkDigest() external view returns (bytes32);
}
