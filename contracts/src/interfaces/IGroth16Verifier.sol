// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";

/// @title Verifier of Groth16 with one commitment on BN254
/// @notice A proof is twelve words: A.x, A.y, B.x₁, B.x₀, B.y₁, B.y₀, C.x, C.y, D.x, D.y, D'.x, D'.y. Coordinates of G2 have
/// the imaginary part first, as in EIP-197.
interface IGroth16Verifier is IVerifier {
    /// @notice Verifying key. Its 26 words, in this order, are what `vkDigest` is the keccak256 of.
    struct VerifyingKey {
        /// α·G₁
        uint256[2] alpha1;
        /// β·G₂
        uint256[4] beta2;
        /// γ·G₂
        uint256[4] gamma2;
        /// δ·G₂
        uint256[4] delta2;
        /// σ·G₂, the key of the commitment's proof of knowledge
        uint256[4] sigma2;
        /// Bases of: one, the public input, the challenge ρ, the challenge α
        uint256[2][4] ic;
    }

    /// @notice Points of a proof, as errors name them.
    enum ProofPoint {
        A,
        B,
        C,
        D,
        DPok
    }

    /// @notice The call contains no proof.
    error NoProofs();
    /// @notice The numbers of public inputs and of proofs differ.
    error LengthMismatch(uint256 publicInputs, uint256 proofs);
    /// @notice Public input number `index` is not below the order of the scalar field.
    error PublicInputOutOfRange(uint256 index, uint256 publicInput);
    /// @notice Word `word` (0 to 11) of proof `index` is not below the order of the base field.
    error CoordinateOutOfRange(uint256 index, uint256 word, uint256 value);
    /// @notice A point of proof `index` is not on its curve.
    error PointNotOnCurve(uint256 index, ProofPoint point);
    /// @notice A point of proof `index` is the point at infinity.
    error PointAtInfinity(uint256 index, ProofPoint point);

    /// @notice Word `word` (0 to 25) of the key is not below the order of the base field.
    error KeyCoordinateOutOfRange(uint256 word, uint256 value);
    /// @notice The key's point that begins at word `word` is the point at infinity.
    error KeyPointAtInfinity(uint256 word);
    /// @notice The key's point that begins at word `word` is not on its curve.
    error KeyPointNotOnCurve(uint256 word);
    /// @notice γ·G₂ equals δ·G₂ or its negative.
    error GammaEqualsDelta();
    /// @notice σ·G₂ equals the generator or its negative.
    error SigmaIsTrivial();

    /// @notice Challenges of the circuit for a public input and a commitment D.
    /// @param publicInput Public input of the proof.
    /// @param dX First coordinate of D.
    /// @param dY Second coordinate of D.
    /// @return rho Point at which the bus is evaluated, below the order of the scalar field.
    /// @return alpha Base that joins the elements of a tuple, below the order of the scalar field.
    function challenges(uint256 publicInput, uint256 dX, uint256 dY) external view returns (uint256 rho, uint256 alpha);
}
