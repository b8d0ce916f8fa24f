// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ZkEVMBase} from "./ZkEVMBase.sol";
import {GlobalExitRoot} from "../src/GlobalExitRoot.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {IZkEVM} from "../src/interfaces/IZkEVM.sol";
import {MockVerifier} from "../src/MockVerifier.sol";
import {ZkEVM} from "../src/ZkEVM.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

contract ZkEVMVerifyTest is ZkEVMBase {
    function setUp() public {
        _deploy();
    }

    // Accepted

    function test_trustedVerifyBatches_storesTheStateAndTheExitRoot() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(3);
        vm.prank(AGGREGATOR);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.TrustedVerifyBatches(3, proofs[2].newStateRoot, AGGREGATOR);
        zkEVM.trustedVerifyBatches(0, 0, 3, proofs);

        assertEq(zkEVM.lastVerifiedBatch(), 3);
        assertEq(zkEVM.batchNumToStateRoot(3), proofs[2].newStateRoot);
        assertEq(zkEVM.batchNumToStateRoot(2), bytes32(0));
        assertEq(exitRoots.lastRollupExitRoot(), proofs[2].newLocalExitRoot);
        assertTrue(exitRoots.globalExitRootMap(exitRoots.getLastGlobalExitRoot()) == block.timestamp);
    }

    function test_trustedVerifyBatches_continuesWhereTheLastEnded() public {
        _verify(0, 2, _sequenceAndProve(2));
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        _verify(2, 3, proofs);
        assertEq(zkEVM.batchNumToStateRoot(3), proofs[0].newStateRoot);
    }

    function test_trustedVerifyBatches_acceptsSeveralSequencesAtOnce() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        _verify(0, 3, proofs);
        assertEq(zkEVM.lastVerifiedBatch(), 3);
    }

    function test_trustedVerifyBatches_acceptsAnEarlierVerifiedBatchAsStart() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        _verify(0, 1, _slice(proofs, 0, 1));
        _verify(0, 3, proofs);
        assertEq(zkEVM.lastVerifiedBatch(), 3);
    }

    function test_trustedVerifyBatches_acceptsShapesInTurn() public {
        MockVerifier mock = new MockVerifier();
        vm.prank(ADMIN);
        zkEVM.addVerifier(8, mock);
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(4);
        bytes32 oldRoot = proofs[0].newStateRoot;
        bytes32 oldHash = proofs[0].newAccInputHash;
        proofs[1].shapeId = 8;
        proofs[1].proof[0] = _publicInput(proofs[1], AGGREGATOR, CHAIN_ID, 1, oldRoot, oldHash);
        _verify(0, 4, proofs);
        assertEq(zkEVM.lastVerifiedBatch(), 4);
    }

    function test_trustedVerifyBatches_gas() public {
        _verify(0, 1, _sequenceAndProve(1));
        _verify(1, 2, _sequenceAndProve(1));
        vm.snapshotGasLastCall("ZkEVM", "trustedVerifyBatches of 1");
        _verify(2, 4, _sequenceAndProve(2));
        vm.snapshotGasLastCall("ZkEVM", "trustedVerifyBatches of 2");
        _verify(4, 8, _sequenceAndProve(4));
        vm.snapshotGasLastCall("ZkEVM", "trustedVerifyBatches of 4");
        _verify(8, 24, _sequenceAndProve(16));
        vm.snapshotGasLastCall("ZkEVM", "trustedVerifyBatches of 16");
    }

    function testFuzz_getPublicInput_isTheFormula(address aggregator, uint64 initNumBatch, bytes32[5] calldata hashes)
        public
        view
    {
        vm.assume(initNumBatch < type(uint64).max);
        IZkEVM.BatchProof memory entry;
        (entry.newStateRoot, entry.newAccInputHash, entry.newLocalExitRoot) = (hashes[2], hashes[3], hashes[4]);
        assertEq(
            zkEVM.getPublicInput(aggregator, initNumBatch, hashes[0], hashes[1], hashes[2], hashes[3], hashes[4]),
            _publicInput(entry, aggregator, CHAIN_ID, initNumBatch, hashes[0], hashes[1])
        );
    }

    // Proofs of something else

    function test_trustedVerifyBatches_revertsInvalidProof_whenMadeForAnotherAggregator() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        vm.prank(ADMIN);
        zkEVM.setTrustedAggregator(address(0xbad));
        vm.prank(address(0xbad));
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 1));
        zkEVM.trustedVerifyBatches(0, 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenMadeForAnotherChain() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        _proveEntry(proofs[0], AGGREGATOR, CHAIN_ID + 1, 0, GENESIS, 0);
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 1), 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenReplayedOnAnotherChain() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        (exitRoots, zkEVM) = _deployRollup(CHAIN_ID + 1);
        _sequence(_batches(1));
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 1), 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenABatchIsReplayed() public {
        IZkEVM.BatchProof[] memory first = _sequenceAndProve(1);
        _verify(0, 1, first);
        IZkEVM.BatchProof[] memory second = _sequenceAndProve(1);
        second[0].proof = first[0].proof;
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 2, 2), 1, 2, second);
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenAStateRootChanges() public {
        for (uint256 i = 0; i < 3; ++i) {
            IZkEVM.BatchProof[] memory proofs = _fresh(3);
            proofs[i].newStateRoot = bytes32(uint256(proofs[i].newStateRoot) ^ 1);
            _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 3), 0, 3, proofs);
        }
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenAnExitRootChanges() public {
        for (uint256 i = 0; i < 3; ++i) {
            IZkEVM.BatchProof[] memory proofs = _fresh(3);
            proofs[i].newLocalExitRoot = ~proofs[i].newLocalExitRoot;
            _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 3), 0, 3, proofs);
        }
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenAnInnerAccInputHashChanges() public {
        for (uint256 i = 0; i < 2; ++i) {
            IZkEVM.BatchProof[] memory proofs = _fresh(3);
            proofs[i].newAccInputHash = ~proofs[i].newAccInputHash;
            _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 3), 0, 3, proofs);
        }
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenProofsAreSwapped() public {
        IZkEVM.BatchProof[] memory proofs = _fresh(2);
        (proofs[0].proof, proofs[1].proof) = (proofs[1].proof, proofs[0].proof);
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 2), 0, 2, proofs);
    }

    /// @dev Both proofs hold for what they say, but the second does not start where the first ends.
    function test_trustedVerifyBatches_revertsInvalidProof_whenTheChainIsBroken() public {
        IZkEVM.BatchProof[] memory proofs = _fresh(2);
        _proveEntry(proofs[1], AGGREGATOR, CHAIN_ID, 1, GENESIS, proofs[0].newAccInputHash);
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 2), 0, 2, proofs);
        _proveEntry(proofs[1], AGGREGATOR, CHAIN_ID, 1, proofs[0].newStateRoot, 0);
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 1, 2), 0, 2, proofs);
    }

    function test_trustedVerifyBatches_revertsInvalidProof_whenOneRunOfAShapeIsBad() public {
        MockVerifier mock = new MockVerifier();
        vm.prank(ADMIN);
        zkEVM.addVerifier(8, mock);
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(4);
        proofs[1].shapeId = 8;
        proofs[2].shapeId = 8;
        _reverts(abi.encodeWithSelector(IZkEVM.InvalidProof.selector, 2, 3), 0, 4, proofs);
    }

    function test_trustedVerifyBatches_revertsCoordinateOutOfRange_whenAProofIsMalformed() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(2);
        proofs[1].proof[6] += Bn254.Q;
        bytes memory reason =
            abi.encodeWithSelector(IGroth16Verifier.CoordinateOutOfRange.selector, 1, 6, proofs[1].proof[6]);
        _reverts(reason, 0, 2, proofs);
    }

    // Other rules

    function test_trustedVerifyBatches_revertsOnlyTrustedAggregator_whenCalledByAnother() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        vm.prank(SEQUENCER);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.OnlyTrustedAggregator.selector, SEQUENCER));
        zkEVM.trustedVerifyBatches(0, 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsPendingStateDoesNotExist_whenNotZero() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        vm.prank(AGGREGATOR);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.PendingStateDoesNotExist.selector, 1));
        zkEVM.trustedVerifyBatches(1, 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsInitNumBatchAboveLastVerifiedBatch_whenNotVerified() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        bytes memory reason = abi.encodeWithSelector(IZkEVM.InitNumBatchAboveLastVerifiedBatch.selector, 1, 0);
        _reverts(reason, 1, 3, _slice(proofs, 1, 2));
    }

    function test_trustedVerifyBatches_revertsOldStateRootDoesNotExist_whenInsideAVerification() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        _verify(0, 2, _slice(proofs, 0, 2));
        bytes memory reason = abi.encodeWithSelector(IZkEVM.OldStateRootDoesNotExist.selector, 1);
        _reverts(reason, 1, 3, _slice(proofs, 1, 2));
    }

    function test_trustedVerifyBatches_revertsFinalNumBatchBelowLastVerifiedBatch_whenVerifiedAlready() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(1);
        _verify(0, 1, proofs);
        bytes memory reason = abi.encodeWithSelector(IZkEVM.FinalNumBatchBelowLastVerifiedBatch.selector, 1, 1);
        _reverts(reason, 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsFinalNumBatchBelowLastVerifiedBatch_whenEmpty() public {
        bytes memory reason = abi.encodeWithSelector(IZkEVM.FinalNumBatchBelowLastVerifiedBatch.selector, 0, 0);
        _reverts(reason, 0, 0, new IZkEVM.BatchProof[](0));
    }

    function test_trustedVerifyBatches_revertsExceedMaxVerifyBatches_whenTooMany() public {
        bytes memory reason = abi.encodeWithSelector(IZkEVM.ExceedMaxVerifyBatches.selector, 1001, 1000);
        _reverts(reason, 0, 1001, new IZkEVM.BatchProof[](0));
    }

    function test_trustedVerifyBatches_revertsProofCountMismatch_whenProofsAreMissingOrMany() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        _reverts(abi.encodeWithSelector(IZkEVM.ProofCountMismatch.selector, 3, 2), 0, 2, proofs);
        _reverts(abi.encodeWithSelector(IZkEVM.ProofCountMismatch.selector, 2, 3), 0, 3, _slice(proofs, 0, 2));
        IZkEVM.BatchProof[] memory none = new IZkEVM.BatchProof[](0);
        _reverts(abi.encodeWithSelector(IZkEVM.ProofCountMismatch.selector, 0, 1), 0, 1, none);
    }

    function test_trustedVerifyBatches_revertsNewAccInputHashDoesNotExist_whenNotTheEndOfASequence() public {
        IZkEVM.BatchProof[] memory proofs = _sequenceAndProve(3);
        bytes memory reason = abi.encodeWithSelector(IZkEVM.NewAccInputHashDoesNotExist.selector, 2);
        _reverts(reason, 0, 2, _slice(proofs, 0, 2));
    }

    function test_trustedVerifyBatches_revertsNewAccInputHashDoesNotExist_whenNotSequenced() public {
        IZkEVM.BatchProof[] memory proofs = _proveChain(0, GENESIS, 0, new bytes32[](1), "");
        _reverts(abi.encodeWithSelector(IZkEVM.NewAccInputHashDoesNotExist.selector, 1), 0, 1, proofs);
    }

    /// @dev A valid proof of data that was not sequenced.
    function test_trustedVerifyBatches_revertsNewAccInputHashMismatch_whenOtherData() public {
        IZkEVM.BatchProof[] memory honest = _sequenceAndProve(1);
        IZkEVM.BatchData[] memory batches = _batches(1);
        batches[0].transactions = "other";
        IZkEVM.BatchProof[] memory proofs = _proveChain(0, GENESIS, 0, _accInputHashes(0, batches), "");
        bytes memory reason = abi.encodeWithSelector(
            IZkEVM.NewAccInputHashMismatch.selector, 1, proofs[0].newAccInputHash, honest[0].newAccInputHash
        );
        _reverts(reason, 0, 1, proofs);
    }

    function test_trustedVerifyBatches_revertsNewStateRootNotInsidePrime_whenRootPlusR() public {
        for (uint256 i = 0; i < 2; ++i) {
            IZkEVM.BatchProof[] memory proofs = _fresh(2);
            proofs[i].newStateRoot = bytes32(uint256(proofs[i].newStateRoot) + Bn254.R);
            bytes memory reason =
                abi.encodeWithSelector(IZkEVM.NewStateRootNotInsidePrime.selector, i + 1, proofs[i].newStateRoot);
            _reverts(reason, 0, 2, proofs);
        }
    }

    function test_trustedVerifyBatches_revertsNewStateRootNotInsidePrime_whenZeroOrR() public {
        IZkEVM.BatchProof[] memory proofs = _fresh(1);
        proofs[0].newStateRoot = 0;
        _reverts(abi.encodeWithSelector(IZkEVM.NewStateRootNotInsidePrime.selector, 1, 0), 0, 1, proofs);
        proofs[0].newStateRoot = bytes32(Bn254.R);
        _reverts(abi.encodeWithSelector(IZkEVM.NewStateRootNotInsidePrime.selector, 1, Bn254.R), 0, 1, proofs);
    }

    /// @dev Two valid chains of proofs that disagree on a batch that is verified: the later one is refused.
    function test_trustedVerifyBatches_revertsStateRootConflict_whenProofsContradictTheVerifiedState() public {
        IZkEVM.BatchProof[] memory proofs = _threeSequences("");
        IZkEVM.BatchProof[] memory others = _proveChain(0, GENESIS, 0, _hashesOf(proofs), "another");
        _verify(0, 2, _slice(proofs, 0, 2));
        bytes memory reason = abi.encodeWithSelector(
            IZkEVM.StateRootConflict.selector, 2, others[1].newStateRoot, proofs[1].newStateRoot
        );
        _reverts(reason, 0, 3, others);
    }

    function test_trustedVerifyBatches_revertsUnknownShape_whenThereIsNoVerifier() public {
        IZkEVM.BatchProof[] memory proofs = _fresh(2);
        proofs[1].shapeId = 9;
        _reverts(abi.encodeWithSelector(IZkEVM.UnknownShape.selector, 9), 0, 2, proofs);
    }

    // Helpers

    /// @dev A new deployment with `count` batches sequenced and proven.
    function _fresh(uint256 count) private returns (IZkEVM.BatchProof[] memory) {
        (exitRoots, zkEVM) = _deployRollup(CHAIN_ID);
        return _sequenceAndProve(count);
    }

    /// @dev Three sequences of one batch each, and the proofs from batch zero on.
    function _threeSequences(string memory variant) private returns (IZkEVM.BatchProof[] memory) {
        bytes32[] memory hashes = new bytes32[](3);
        for (uint64 i = 0; i < 3; ++i) {
            _sequence(_batches(1));
            (hashes[i],,) = zkEVM.sequencedBatches(i + 1);
        }
        return _proveChain(0, GENESIS, 0, hashes, variant);
    }

    function _hashesOf(IZkEVM.BatchProof[] memory proofs) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](proofs.length);
        for (uint256 i = 0; i < proofs.length; ++i) {
            hashes[i] = proofs[i].newAccInputHash;
        }
    }

    function _slice(IZkEVM.BatchProof[] memory proofs, uint256 start, uint256 count)
        private
        pure
        returns (IZkEVM.BatchProof[] memory part)
    {
        part = new IZkEVM.BatchProof[](count);
        for (uint256 i = 0; i < count; ++i) {
            part[i] = proofs[start + i];
        }
    }
}
