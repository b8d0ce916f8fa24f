// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Groth16Base} from "./Groth16Base.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

/// @dev Shows the transcript from which the coefficients of a batch are drawn.
contract TranscriptHarness is Groth16Verifier {
    constructor(VerifyingKey memory key) Groth16Verifier(key) {}

    function transcript(uint256[] calldata publicInputs, uint256[12][] calldata proofs)
        external
        view
        returns (bytes32)
    {
        return _transcript(publicInputs, proofs);
    }
}

contract Groth16VerifierTest is Groth16Base {
    function setUp() public {
        _loadVectors();
    }

    // Accepted

    function test_vkDigest_isTheDigestOfTheVectors() public view {
        assertEq(verifier.vkDigest(), bytes32(vm.parseJsonUint(json, ".vkDigest")));
        assertEq(verifier.vkDigest(), keccak256(_packed(vm.parseJsonUintArray(json, ".key"))));
    }

    function test_challenges_areThoseOfTheVectors() public view {
        for (uint256 i = 0; i < 4; ++i) {
            (uint256 rho, uint256 alpha) = verifier.challenges(vectorInputs[i], vectorProofs[i][8], vectorProofs[i][9]);
            string memory entry = string.concat(".proofs[", vm.toString(i), "]");
            assertEq(rho, vm.parseJsonUint(json, string.concat(entry, ".rho")));
            assertEq(alpha, vm.parseJsonUint(json, string.concat(entry, ".alpha")));
        }
    }

    function test_verifyBatch_acceptsOneProof() public {
        _accepts(1);
        vm.snapshotGasLastCall("Groth16Verifier", "verifyBatch of 1");
    }

    function test_verifyBatch_acceptsTwoProofs() public {
        _accepts(2);
        vm.snapshotGasLastCall("Groth16Verifier", "verifyBatch of 2");
    }

    function test_verifyBatch_acceptsThreeProofs() public view {
        _accepts(3);
    }

    function test_verifyBatch_acceptsFourProofs() public {
        _accepts(4);
        vm.snapshotGasLastCall("Groth16Verifier", "verifyBatch of 4");
    }

    function test_verifyBatch_acceptsTheSameProofTwice() public view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(2);
        inputs[1] = inputs[0];
        proofs[1] = proofs[0];
        assertTrue(verifier.verifyBatch(inputs, proofs));
    }

    function testFuzz_verifyBatch_acceptsProofsOfAnyInput(uint256 input, uint256 salt, uint8 count) public view {
        uint256 n = bound(count, 1, 4);
        uint256[] memory inputs = new uint256[](n);
        uint256[12][] memory proofs = new uint256[12][](n);
        for (uint256 i = 0; i < n; ++i) {
            inputs[i] = uint256(keccak256(abi.encode(input, i))) % Bn254.R;
            proofs[i] = _prove(inputs[i], uint256(keccak256(abi.encode(salt, i))));
        }
        assertTrue(verifier.verifyBatch(inputs, proofs));
    }

    function test_verifyBatch_acceptsEdgeInputs() public view {
        uint256[3] memory edges = [uint256(0), 1, Bn254.R - 1];
        for (uint256 i = 0; i < 3; ++i) {
            uint256[] memory inputs = new uint256[](1);
            uint256[12][] memory proofs = new uint256[12][](1);
            inputs[0] = edges[i];
            proofs[0] = _prove(edges[i], i);
            assertTrue(verifier.verifyBatch(inputs, proofs));
        }
    }

    // Well-formed, but false. Each cheat is tried at every position of one, two and three proofs.

    function test_verifyBatch_rejectsAnotherInput() public view {
        _rejectsEverywhere(_otherInput);
    }

    function test_verifyBatch_rejectsNegatedA() public view {
        _rejectsEverywhere(_negateA);
    }

    function test_verifyBatch_rejectsNegatedB() public view {
        _rejectsEverywhere(_negateB);
    }

    function test_verifyBatch_rejectsNegatedC() public view {
        _rejectsEverywhere(_negateC);
    }

    function test_verifyBatch_rejectsNegatedD() public view {
        _rejectsEverywhere(_negateD);
    }

    function test_verifyBatch_rejectsNegatedDPok() public view {
        _rejectsEverywhere(_negateDPok);
    }

    function test_verifyBatch_rejectsDPokAtInfinity() public view {
        _rejectsEverywhere(_zeroDPok);
    }

    function test_verifyBatch_rejectsSwappedAAndC() public view {
        _rejectsEverywhere(_swapAC);
    }

    function test_verifyBatch_rejectsSwappedCAndD() public view {
        _rejectsEverywhere(_swapCD);
    }

    function test_verifyBatch_rejectsSwappedDAndDPok() public view {
        _rejectsEverywhere(_swapDDPok);
    }

    function test_verifyBatch_rejectsAnotherCommitmentThatIsKnown() public view {
        _rejectsEverywhere(_otherCommitment);
    }

    function test_verifyBatch_rejectsProofsInAnotherOrder() public view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(2);
        (inputs[0], inputs[1]) = (inputs[1], inputs[0]);
        assertFalse(verifier.verifyBatch(inputs, proofs));
    }

    /// @dev Errors that cancel in a plain sum of the equations do not cancel in a random combination.
    function test_verifyBatch_rejectsErrorsThatCancelInTheSum() public view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(3);
        for (uint256 first = 0; first < 2; ++first) {
            (inputs, proofs) = _vectors(3);
            _add(proofs[first], 6, 1, 2);
            _add(proofs[first + 1], 6, 1, Bn254.Q - 2);
            assertFalse(verifier.verifyBatch(inputs, proofs));
        }
    }

    /// @dev The same for the two equations of one proof: the error of D' in (2) against an error of C in (1).
    function test_verifyBatch_rejectsErrorsThatCancelAcrossEquations() public view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        // D' + δ·G₁ and C − G₁: e(D' + δG₁, G₂) carries what e(C, δG₂) lacks.
        (uint256 x, uint256 y) = _g1(trapdoor.delta);
        _add(proofs[0], 10, x, y);
        _add(proofs[0], 6, 1, Bn254.Q - 2);
        assertFalse(verifier.verifyBatch(inputs, proofs));
    }

    /// @dev A word that the coefficients do not depend on could be chosen after them, so that errors cancel.
    function test_transcript_dependsOnEveryWord() public {
        TranscriptHarness harness = new TranscriptHarness(_key());
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(3);
        bytes32 transcript = harness.transcript(inputs, proofs);
        for (uint256 i = 0; i < 3; ++i) {
            inputs[i] ^= 1;
            assertTrue(harness.transcript(inputs, proofs) != transcript);
            inputs[i] ^= 1;
            for (uint256 k = 0; k < 12; ++k) {
                proofs[i][k] ^= 1;
                assertTrue(harness.transcript(inputs, proofs) != transcript);
                proofs[i][k] ^= 1;
            }
        }
        assertEq(harness.transcript(inputs, proofs), transcript);

        IGroth16Verifier.VerifyingKey memory key = _key();
        (key.ic[2], key.ic[3]) = (key.ic[3], key.ic[2]);
        assertTrue(new TranscriptHarness(key).transcript(inputs, proofs) != transcript);
    }

    function testFuzz_verifyBatch_rejectsAnotherInput(uint256 other) public view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        other %= Bn254.R;
        vm.assume(other != inputs[0]);
        inputs[0] = other;
        assertFalse(verifier.verifyBatch(inputs, proofs));
    }

    // Malformed

    function test_verifyBatch_revertsNoProofs_whenEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.NoProofs.selector));
        verifier.verifyBatch(new uint256[](0), new uint256[12][](0));
    }

    function test_verifyBatch_revertsLengthMismatch_whenAnInputIsMissing() public {
        (, uint256[12][] memory proofs) = _vectors(2);
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.LengthMismatch.selector, 1, 2));
        verifier.verifyBatch(new uint256[](1), proofs);
    }

    function test_verifyBatch_revertsPublicInputOutOfRange_whenInputPlusR() public {
        for (uint256 i = 0; i < 3; ++i) {
            (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(3);
            inputs[i] += Bn254.R;
            _reverts(
                abi.encodeWithSelector(IGroth16Verifier.PublicInputOutOfRange.selector, i, inputs[i]), inputs, proofs
            );
        }
    }

    function test_verifyBatch_revertsPublicInputOutOfRange_whenInputIsR() public {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        inputs[0] = Bn254.R;
        _reverts(abi.encodeWithSelector(IGroth16Verifier.PublicInputOutOfRange.selector, 0, Bn254.R), inputs, proofs);
    }

    function test_verifyBatch_revertsCoordinateOutOfRange_whenCoordinatePlusQ() public {
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 k = 0; k < 12; ++k) {
                (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(2);
                proofs[i][k] += Bn254.Q;
                _reverts(
                    abi.encodeWithSelector(IGroth16Verifier.CoordinateOutOfRange.selector, i, k, proofs[i][k]),
                    inputs,
                    proofs
                );
            }
        }
    }

    function test_verifyBatch_revertsPointNotOnCurve_whenACoordinateChanges() public {
        for (uint256 k = 0; k < 12; ++k) {
            (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(2);
            proofs[1][k] = addmod(proofs[1][k], 1, Bn254.Q);
            _reverts(abi.encodeWithSelector(IGroth16Verifier.PointNotOnCurve.selector, 1, _pointOf(k)), inputs, proofs);
        }
    }

    function test_verifyBatch_revertsPrecompileFailed_whenBIsOutsideTheSubgroup() public {
        uint256[] memory point = vm.parseJsonUintArray(json, ".outsideSubgroup");
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        for (uint256 k = 0; k < 4; ++k) {
            proofs[0][2 + k] = point[k];
        }
        _reverts(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 8), inputs, proofs);
    }

    function test_verifyBatch_revertsPointNotOnCurve_whenRealAndImaginaryPartAreSwapped() public {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        (proofs[0][2], proofs[0][3]) = (proofs[0][3], proofs[0][2]);
        (proofs[0][4], proofs[0][5]) = (proofs[0][5], proofs[0][4]);
        _reverts(
            abi.encodeWithSelector(IGroth16Verifier.PointNotOnCurve.selector, 0, IGroth16Verifier.ProofPoint.B),
            inputs,
            proofs
        );
    }

    function test_verifyBatch_revertsPointAtInfinity_whenAPointIsZero() public {
        uint256[2][4] memory ranges = [[uint256(0), 2], [uint256(2), 6], [uint256(6), 8], [uint256(8), 10]];
        for (uint256 p = 0; p < 4; ++p) {
            (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(2);
            for (uint256 k = ranges[p][0]; k < ranges[p][1]; ++k) {
                proofs[1][k] = 0;
            }
            _reverts(
                abi.encodeWithSelector(IGroth16Verifier.PointAtInfinity.selector, 1, _pointOf(ranges[p][0])),
                inputs,
                proofs
            );
        }
    }

    function test_verifyBatch_revertsPointAtInfinity_whenTheProofIsZero() public {
        uint256[] memory inputs = new uint256[](1);
        uint256[12][] memory proofs = new uint256[12][](1);
        _reverts(
            abi.encodeWithSelector(IGroth16Verifier.PointAtInfinity.selector, 0, IGroth16Verifier.ProofPoint.B),
            inputs,
            proofs
        );
    }

    // Keys

    function test_constructor_revertsGammaEqualsDelta_whenTheyAreEqual() public {
        uint256[] memory words = vm.parseJsonUintArray(json, ".key");
        for (uint256 k = 0; k < 4; ++k) {
            words[10 + k] = words[6 + k];
        }
        _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.GammaEqualsDelta.selector));
    }

    function test_constructor_revertsGammaEqualsDelta_whenTheyAreOpposite() public {
        uint256[] memory words = vm.parseJsonUintArray(json, ".key");
        uint256[] memory negatedDelta = vm.parseJsonUintArray(json, ".negatedDelta");
        for (uint256 k = 0; k < 4; ++k) {
            words[6 + k] = negatedDelta[k];
        }
        _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.GammaEqualsDelta.selector));
    }

    function test_constructor_revertsSigmaIsTrivial_whenSigmaIsOneOrMinusOne() public {
        uint256[] memory words = vm.parseJsonUintArray(json, ".key");
        (words[14], words[15], words[16], words[17]) = (Bn254.G2_X1, Bn254.G2_X0, Bn254.G2_Y1, Bn254.G2_Y0);
        _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.SigmaIsTrivial.selector));
        (words[16], words[17]) = (Bn254.Q - Bn254.G2_Y1, Bn254.Q - Bn254.G2_Y0);
        _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.SigmaIsTrivial.selector));
    }

    function test_constructor_revertsKeyPointAtInfinity_whenAPointIsZero() public {
        uint256[9] memory starts = [uint256(0), 2, 6, 10, 14, 18, 20, 22, 24];
        for (uint256 p = 0; p < 9; ++p) {
            uint256[] memory words = vm.parseJsonUintArray(json, ".key");
            uint256 size = p >= 1 && p <= 4 ? 4 : 2;
            for (uint256 k = 0; k < size; ++k) {
                words[starts[p] + k] = 0;
            }
            _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.KeyPointAtInfinity.selector, starts[p]));
        }
    }

    function test_constructor_revertsKeyCoordinateOutOfRange_whenAWordPlusQ() public {
        for (uint256 k = 0; k < 26; ++k) {
            uint256[] memory words = vm.parseJsonUintArray(json, ".key");
            words[k] += Bn254.Q;
            _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.KeyCoordinateOutOfRange.selector, k, words[k]));
        }
    }

    function test_constructor_revertsKeyPointNotOnCurve_whenAWordChanges() public {
        uint256[9] memory starts = [uint256(0), 2, 6, 10, 14, 18, 20, 22, 24];
        for (uint256 p = 0; p < 9; ++p) {
            uint256[] memory words = vm.parseJsonUintArray(json, ".key");
            words[starts[p]] = addmod(words[starts[p]], 1, Bn254.Q);
            _refusesKey(words, abi.encodeWithSelector(IGroth16Verifier.KeyPointNotOnCurve.selector, starts[p]));
        }
    }

    function test_constructor_revertsPrecompileFailed_whenAPointOfG2IsOutsideTheSubgroup() public {
        uint256[] memory outside = vm.parseJsonUintArray(json, ".outsideSubgroup");
        for (uint256 start = 2; start < 18; start += 4) {
            uint256[] memory words = vm.parseJsonUintArray(json, ".key");
            for (uint256 k = 0; k < 4; ++k) {
                words[start + k] = outside[k];
            }
            // The failing precompile takes all gas it is given: the key is checked in a call with less of it.
            IGroth16Verifier.VerifyingKey memory key = _keyOf(words);
            vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 8));
            this.deploy{gas: 20_000_000}(key);
        }
    }

    function deploy(IGroth16Verifier.VerifyingKey calldata key) external {
        new Groth16Verifier(key);
    }

    function test_verifyBatch_rejectsAProofOfAnotherKey() public {
        IGroth16Verifier.VerifyingKey memory key = _key();
        (key.ic[2], key.ic[3]) = (key.ic[3], key.ic[2]);
        Groth16Verifier other = new Groth16Verifier(key);
        assertTrue(other.vkDigest() != verifier.vkDigest());
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(1);
        assertFalse(other.verifyBatch(inputs, proofs));
    }

    // Cheats

    function _otherInput(uint256[] memory inputs, uint256[12][] memory, uint256 i) private pure {
        inputs[i] = addmod(inputs[i], 1, Bn254.R);
    }

    function _negateA(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        proofs[i][1] = Bn254.Q - proofs[i][1];
    }

    function _negateB(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        proofs[i][4] = Bn254.Q - proofs[i][4];
        proofs[i][5] = Bn254.Q - proofs[i][5];
    }

    function _negateC(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        proofs[i][7] = Bn254.Q - proofs[i][7];
    }

    function _negateD(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        proofs[i][9] = Bn254.Q - proofs[i][9];
    }

    function _negateDPok(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        proofs[i][11] = Bn254.Q - proofs[i][11];
    }

    function _zeroDPok(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        (proofs[i][10], proofs[i][11]) = (0, 0);
    }

    function _swapAC(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        _swap(proofs[i], 0, 6);
    }

    function _swapCD(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        _swap(proofs[i], 6, 8);
    }

    function _swapDDPok(uint256[] memory, uint256[12][] memory proofs, uint256 i) private pure {
        _swap(proofs[i], 8, 10);
    }

    /// @dev D and D' of another valid proof: equation (2) holds, equation (1) does not.
    function _otherCommitment(uint256[] memory, uint256[12][] memory proofs, uint256 i) private view {
        for (uint256 k = 8; k < 12; ++k) {
            proofs[i][k] = vectorProofs[3][k];
        }
    }

    // Helpers

    function _accepts(uint256 count) private view {
        (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(count);
        assertTrue(verifier.verifyBatch(inputs, proofs));
    }

    function _rejectsEverywhere(function(uint256[] memory, uint256[12][] memory, uint256) view cheat) private view {
        for (uint256 count = 1; count <= 3; ++count) {
            for (uint256 i = 0; i < count; ++i) {
                (uint256[] memory inputs, uint256[12][] memory proofs) = _vectors(count);
                assertTrue(verifier.verifyBatch(inputs, proofs));
                cheat(inputs, proofs, i);
                assertFalse(verifier.verifyBatch(inputs, proofs));
            }
        }
    }

    function _reverts(bytes memory revertData, uint256[] memory inputs, uint256[12][] memory proofs) private {
        vm.expectRevert(revertData);
        verifier.verifyBatch{gas: 2_000_000}(inputs, proofs);
    }

    function _refusesKey(uint256[] memory words, bytes memory revertData) private {
        IGroth16Verifier.VerifyingKey memory key = _keyOf(words);
        vm.expectRevert(revertData);
        new Groth16Verifier(key);
    }

    function _swap(uint256[12] memory proof, uint256 p, uint256 q) private pure {
        (proof[p], proof[q]) = (proof[q], proof[p]);
        (proof[p + 1], proof[q + 1]) = (proof[q + 1], proof[p + 1]);
    }

    /// @dev Adds (x, y) to the point of G1 that begins at word `word`.
    function _add(uint256[12] memory proof, uint256 word, uint256 x, uint256 y) private view {
        uint256[2] memory point = [proof[word], proof[word + 1]];
        Bn254.addMul(point, x, y, 1);
        (proof[word], proof[word + 1]) = (point[0], point[1]);
    }

    function _pointOf(uint256 word) private pure returns (IGroth16Verifier.ProofPoint) {
        if (word < 2) return IGroth16Verifier.ProofPoint.A;
        if (word < 6) return IGroth16Verifier.ProofPoint.B;
        return IGroth16Verifier.ProofPoint(word / 2 - 1);
    }
}
