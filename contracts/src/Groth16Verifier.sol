// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IGroth16Verifier} from "./interfaces/IGroth16Verifier.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";

/// @title Verifier of Groth16 with one commitment
/// @dev A proof (A, B, C, D, D') of public input x holds if, with the challenges (ρ, α) = hash(key, x, D),
///
///     (1)  e(A, B) = e(α₁, β₂) · e(IC₀ + x·IC₁ + ρ·IC₂ + α·IC₃ + D, γ₂) · e(C, δ₂)
///     (2)  e(D, σ·G₂) = e(D', G₂)
///
/// N proofs are checked in one product of N + 5 pairings: with coefficients c₀ = 1, c₁ … and τ drawn from a hash over the
/// key, every public input and every proof,
///
///     ∏ e(cᵢ·Aᵢ, Bᵢ) · e(−Σcᵢ·α₁, β₂) · e(−Σcᵢ·(ICᵢ + Dᵢ), γ₂) · e(−Σcᵢ·Cᵢ, δ₂) · e(τ·Σcᵢ·Dᵢ, σ·G₂) · e(−τ·Σcᵢ·D'ᵢ, G₂) = 1
///
/// where ICᵢ is the sum of the IC points for proof i.
///
/// Soundness: let Eᵢ and Fᵢ be the discrete logarithms of left side over right side of (1) and (2) for proof i. The product
/// is one iff Σcᵢ·(Eᵢ + τ·Fᵢ) = 0. If Fᵢ ≠ 0, one τ at most makes Eᵢ + τ·Fᵢ vanish; if Fᵢ = 0 ≠ Eᵢ, none does. If a sum
/// Eᵢ + τ·Fᵢ with i ≥ 1 is not zero, one cᵢ at most makes the total vanish; if only the one with i = 0 is, none does, since
/// c₀ = 1. The coefficients have 128 bits and are fixed after the proofs, so a bad proof passes with probability at most
/// 2⁻¹²⁷ an attempt.
///
/// Groth16 proofs are malleable: other bytes can prove the same, so bytes are no identifier.
contract Groth16Verifier is IGroth16Verifier {
    /// @dev Domain of the circuit's challenges.
    bytes32 private constant CHALLENGE_DOMAIN = "cairn.challenge.v1";
    /// @dev Domain of the coefficients that join proofs.
    bytes32 private constant BATCH_DOMAIN = "cairn.batch-verify.v1";

    uint256 private immutable ALPHA_X;
    uint256 private immutable ALPHA_Y;
    uint256 private immutable BETA_X1;
    uint256 private immutable BETA_X0;
    uint256 private immutable BETA_Y1;
    uint256 private immutable BETA_Y0;
    uint256 private immutable GAMMA_X1;
    uint256 private immutable GAMMA_X0;
    uint256 private immutable GAMMA_Y1;
    uint256 private immutable GAMMA_Y0;
    uint256 private immutable DELTA_X1;
    uint256 private immutable DELTA_X0;
    uint256 private immutable DELTA_Y1;
    uint256 private immutable DELTA_Y0;
    uint256 private immutable SIGMA_X1;
    uint256 private immutable SIGMA_X0;
    uint256 private immutable SIGMA_Y1;
    uint256 private immutable SIGMA_Y0;
    uint256 private immutable IC0_X;
    uint256 private immutable IC0_Y;
    uint256 private immutable IC1_X;
    uint256 private immutable IC1_Y;
    uint256 private immutable IC2_X;
    uint256 private immutable IC2_Y;
    uint256 private immutable IC3_X;
    uint256 private immutable IC3_Y;

    /// @inheritdoc IVerifier
    bytes32 public immutable vkDigest;

    /// @dev Linear combinations over the proofs of a call.
    struct Sums {
        /// Coefficients of IC₀ to IC₃, modulo r: Σcᵢ, Σcᵢ·xᵢ, Σcᵢ·ρᵢ, Σcᵢ·αᵢ.
        uint256[4] ic;
        /// Σcᵢ·Cᵢ
        uint256[2] c;
        /// Σcᵢ·Dᵢ
        uint256[2] d;
        /// Σcᵢ·D'ᵢ
        uint256[2] dPok;
    }

    /// @dev Reverts: KeyCoordinateOutOfRange, KeyPointAtInfinity, KeyPointNotOnCurve, GammaEqualsDelta, SigmaIsTrivial, and
    /// PrecompileFailed when a point of G2 is not in its subgroup.
    /// @param key Verifying key.
    constructor(VerifyingKey memory key) {
        _checkKey(key);
        ALPHA_X = key.alpha1[0];
        ALPHA_Y = key.alpha1[1];
        BETA_X1 = key.beta2[0];
        BETA_X0 = key.beta2[1];
        BETA_Y1 = key.beta2[2];
        BETA_Y0 = key.beta2[3];
        GAMMA_X1 = key.gamma2[0];
        GAMMA_X0 = key.gamma2[1];
        GAMMA_Y1 = key.gamma2[2];
        GAMMA_Y0 = key.gamma2[3];
        DELTA_X1 = key.delta2[0];
        DELTA_X0 = key.delta2[1];
        DELTA_Y1 = key.delta2[2];
        DELTA_Y0 = key.delta2[3];
        SIGMA_X1 = key.sigma2[0];
        SIGMA_X0 = key.sigma2[1];
        SIGMA_Y1 = key.sigma2[2];
        SIGMA_Y0 = key.sigma2[3];
        IC0_X = key.ic[0][0];
        IC0_Y = key.ic[0][1];
        IC1_X = key.ic[1][0];
        IC1_Y = key.ic[1][1];
        IC2_X = key.ic[2][0];
        IC2_Y = key.ic[2][1];
        IC3_X = key.ic[3][0];
        IC3_Y = key.ic[3][1];
        vkDigest = keccak256(abi.encode(key));
    }

    /// @inheritdoc IVerifier
    function verifyBatch(uint256[] calldata publicInputs, uint256[12][] calldata proofs) external view returns (bool) {
        uint256 count = proofs.length;
        if (count == 0) revert NoProofs();
        if (publicInputs.length != count) revert LengthMismatch(publicInputs.length, count);

        bytes32 transcript = _transcript(publicInputs, proofs);
        uint256[] memory pairs = new uint256[](6 * (count + 5));
        Sums memory sums;
        for (uint256 i = 0; i < count; ++i) {
            _checkProof(i, publicInputs[i], proofs[i]);
            _accumulate(sums, pairs, i, i == 0 ? 1 : _coefficient(transcript, i), publicInputs[i], proofs[i]);
        }
        // c₀ is one and not drawn, so the hash with number zero serves as τ.
        _foldKey(sums, pairs, 6 * count, _coefficient(transcript, 0));
        return Bn254.pairing(pairs);
    }

    /// @inheritdoc IGroth16Verifier
    function challenges(uint256 publicInput, uint256 dX, uint256 dY) public view returns (uint256 rho, uint256 alpha) {
        bytes32 seed = keccak256(abi.encodePacked(CHALLENGE_DOMAIN, vkDigest, publicInput, dX, dY));
        rho = uint256(keccak256(abi.encodePacked(seed, uint8(0)))) % Bn254.R;
        alpha = uint256(keccak256(abi.encodePacked(seed, uint8(1)))) % Bn254.R;
    }

    /// @dev What the equations cannot check themselves: that every value has one encoding, and that no point is infinity.
    ///
    /// Infinity is refused for A, B and C because no honest proof has it there (A and C carry uniform blinding) and because
    /// a pair with infinity contributes one to the product whatever its other half: with A or B at infinity the other
    /// would be free. For D because the challenges are drawn from it: D at infinity commits to nothing and makes them a
    /// function of the public input alone. D' needs no check of its own: by (2) it is infinity iff D is.
    /// The membership of B in its subgroup is left to the pairing precompile, which fails and consumes its gas.
    function _checkProof(uint256 index, uint256 publicInput, uint256[12] calldata proof) private pure {
        if (publicInput >= Bn254.R) revert PublicInputOutOfRange(index, publicInput);
        for (uint256 k = 0; k < 12; ++k) {
            if (proof[k] >= Bn254.Q) revert CoordinateOutOfRange(index, k, proof[k]);
        }
        if ((proof[2] | proof[3] | proof[4] | proof[5]) == 0) revert PointAtInfinity(index, ProofPoint.B);
        if (!Bn254.isOnTwist(proof[2], proof[3], proof[4], proof[5])) revert PointNotOnCurve(index, ProofPoint.B);
        _checkG1(index, ProofPoint.A, proof[0], proof[1]);
        _checkG1(index, ProofPoint.C, proof[6], proof[7]);
        _checkG1(index, ProofPoint.D, proof[8], proof[9]);
        if ((proof[10] | proof[11]) != 0) _checkG1(index, ProofPoint.DPok, proof[10], proof[11]);
    }

    function _checkG1(uint256 index, ProofPoint point, uint256 x, uint256 y) private pure {
        if ((x | y) == 0) revert PointAtInfinity(index, point);
        if (!Bn254.isOnCurve(x, y)) revert PointNotOnCurve(index, point);
    }

    /// @dev Adds proof number `index`, weighted by `c`, to the sums and writes its own pair (c·A, B).
    function _accumulate(
        Sums memory sums,
        uint256[] memory pairs,
        uint256 index,
        uint256 c,
        uint256 publicInput,
        uint256[12] calldata proof
    ) private view {
        {
            (uint256 rho, uint256 alpha) = challenges(publicInput, proof[8], proof[9]);
            sums.ic[0] = addmod(sums.ic[0], c, Bn254.R);
            sums.ic[1] = addmod(sums.ic[1], mulmod(c, publicInput, Bn254.R), Bn254.R);
            sums.ic[2] = addmod(sums.ic[2], mulmod(c, rho, Bn254.R), Bn254.R);
            sums.ic[3] = addmod(sums.ic[3], mulmod(c, alpha, Bn254.R), Bn254.R);
        }
        Bn254.addMul(sums.c, proof[6], proof[7], c);
        Bn254.addMul(sums.d, proof[8], proof[9], c);
        Bn254.addMul(sums.dPok, proof[10], proof[11], c);

        uint256[2] memory a;
        Bn254.addMul(a, proof[0], proof[1], c);
        uint256 word = 6 * index;
        pairs[word] = a[0];
        pairs[word + 1] = a[1];
        pairs[word + 2] = proof[2];
        pairs[word + 3] = proof[3];
        pairs[word + 4] = proof[4];
        pairs[word + 5] = proof[5];
    }

    /// @dev Writes the five pairs with the key's points of G2, from `word` on.
    function _foldKey(Sums memory sums, uint256[] memory pairs, uint256 word, uint256 tau) private view {
        uint256[2] memory g;
        Bn254.addMul(g, ALPHA_X, ALPHA_Y, sums.ic[0]);
        pairs[word] = g[0];
        pairs[word + 1] = Bn254.negateY(g[1]);
        pairs[word + 2] = BETA_X1;
        pairs[word + 3] = BETA_X0;
        pairs[word + 4] = BETA_Y1;
        pairs[word + 5] = BETA_Y0;

        g = [sums.d[0], sums.d[1]];
        Bn254.addMul(g, IC0_X, IC0_Y, sums.ic[0]);
        Bn254.addMul(g, IC1_X, IC1_Y, sums.ic[1]);
        Bn254.addMul(g, IC2_X, IC2_Y, sums.ic[2]);
        Bn254.addMul(g, IC3_X, IC3_Y, sums.ic[3]);
        pairs[word + 6] = g[0];
        pairs[word + 7] = Bn254.negateY(g[1]);
        pairs[word + 8] = GAMMA_X1;
        pairs[word + 9] = GAMMA_X0;
        pairs[word + 10] = GAMMA_Y1;
        pairs[word + 11] = GAMMA_Y0;

        pairs[word + 12] = sums.c[0];
        pairs[word + 13] = Bn254.negateY(sums.c[1]);
        pairs[word + 14] = DELTA_X1;
        pairs[word + 15] = DELTA_X0;
        pairs[word + 16] = DELTA_Y1;
        pairs[word + 17] = DELTA_Y0;

        g = [uint256(0), 0];
        Bn254.addMul(g, sums.d[0], sums.d[1], tau);
        pairs[word + 18] = g[0];
        pairs[word + 19] = g[1];
        pairs[word + 20] = SIGMA_X1;
        pairs[word + 21] = SIGMA_X0;
        pairs[word + 22] = SIGMA_Y1;
        pairs[word + 23] = SIGMA_Y0;

        g = [uint256(0), 0];
        Bn254.addMul(g, sums.dPok[0], sums.dPok[1], tau);
        pairs[word + 24] = g[0];
        pairs[word + 25] = Bn254.negateY(g[1]);
        pairs[word + 26] = Bn254.G2_X1;
        pairs[word + 27] = Bn254.G2_X0;
        pairs[word + 28] = Bn254.G2_Y1;
        pairs[word + 29] = Bn254.G2_Y0;
    }

    /// @dev What the coefficients are drawn from. It must bind every word of the call: whoever knows the coefficients before a
    /// word is fixed can choose two errors that cancel.
    function _transcript(uint256[] calldata publicInputs, uint256[12][] calldata proofs)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(BATCH_DOMAIN, vkDigest, proofs.length, publicInputs, _flat(proofs)));
    }

    /// @dev 128 bits of the transcript's hash with a number.
    function _coefficient(bytes32 transcript, uint256 number) private pure returns (uint256) {
        return uint128(uint256(keccak256(abi.encodePacked(transcript, number))));
    }

    /// @dev The words of all proofs as one byte string. Calldata holds an array of static arrays without gaps.
    function _flat(uint256[12][] calldata proofs) private pure returns (bytes calldata words) {
        assembly ("memory-safe") {
            words.offset := proofs.offset
            words.length := mul(proofs.length, 384)
        }
    }

    /// @dev The 26 words of the key: ranges, curve, subgroup, infinity, and the relations that would void the proofs.
    function _checkKey(VerifyingKey memory key) private view {
        uint256[26] memory words = abi.decode(abi.encode(key), (uint256[26]));
        for (uint256 k = 0; k < 26; ++k) {
            if (words[k] >= Bn254.Q) revert KeyCoordinateOutOfRange(k, words[k]);
        }
        _checkKeyG1(0, key.alpha1);
        for (uint256 k = 0; k < 4; ++k) {
            _checkKeyG1(18 + 2 * k, key.ic[k]);
        }

        // Pairs of infinity with each point of G2: the product is one, and the precompile fails on a point that is not in
        // its subgroup.
        uint256[] memory pairs = new uint256[](24);
        for (uint256 k = 0; k < 4; ++k) {
            uint256 any = 0;
            for (uint256 w = 0; w < 4; ++w) {
                pairs[6 * k + 2 + w] = words[2 + 4 * k + w];
                any |= words[2 + 4 * k + w];
            }
            uint256 start = 2 + 4 * k;
            if (any == 0) revert KeyPointAtInfinity(start);
            if (!Bn254.isOnTwist(words[start], words[start + 1], words[start + 2], words[start + 3])) {
                revert KeyPointNotOnCurve(start);
            }
        }
        Bn254.pairing(pairs);

        // With γ = ±δ the term C absorbs any error in the public inputs: everything has a proof. With σ = ±1 the proof of
        // knowledge D' = ±D can be made for any D, also for one that is no commitment. Equal x means equal up to the sign.
        if (key.gamma2[0] == key.delta2[0] && key.gamma2[1] == key.delta2[1]) revert GammaEqualsDelta();
        if (key.sigma2[0] == Bn254.G2_X1 && key.sigma2[1] == Bn254.G2_X0) revert SigmaIsTrivial();
    }

    function _checkKeyG1(uint256 word, uint256[2] memory point) private pure {
        if ((point[0] | point[1]) == 0) revert KeyPointAtInfinity(word);
        if (!Bn254.isOnCurve(point[0], point[1])) revert KeyPointNotOnCurve(word);
    }
}
