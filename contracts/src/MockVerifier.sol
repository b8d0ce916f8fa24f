// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./interfaces/IVerifier.sol";

/// @title Verifier that proves nothing, for development chains
/// @dev A mock proof has its public input as its first word, the rest is ignored: a public input that the node computes
/// differently from the contract is rejected without a prover.
contract MockVerifier is IVerifier {
    /// @notice Mock verifiers exist on development chains only (31337 and 1337).
    error NotADevelopmentChain(uint256 chainId);
    /// @notice The numbers of public inputs and of proofs differ.
    error LengthMismatch(uint256 publicInputs, uint256 proofs);

    /// @inheritdoc IVerifier
    /// @dev No key has this digest.
    bytes32 public constant vkDigest = keccak256("cairn.mock-verifier.v1");

    /// @dev Reverts: NotADevelopmentChain(chainId).
    constructor() {
        if (block.chainid != 31337 && block.chainid != 1337) revert NotADevelopmentChain(block.chainid);
    }

    /// @inheritdoc IVerifier
    function verifyBatch(uint256[] calldata publicInputs, uint256[12][] calldata proofs) external pure returns (bool) {
        if (publicInputs.length != proofs.length) revert LengthMismatch(publicInputs.length, proofs.length);
        for (uint256 i = 0; i < proofs.length; ++i) {
            if (proofs[i][0] != publicInputs[i]) return false;
        }
        return true;
    }
}
