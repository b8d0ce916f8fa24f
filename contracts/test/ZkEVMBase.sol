// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Groth16Base} from "./Groth16Base.sol";
import {GlobalExitRoot} from "../src/GlobalExitRoot.sol";
import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {IZkEVM} from "../src/interfaces/IZkEVM.sol";
import {ZkEVM} from "../src/ZkEVM.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

/// @title A deployment with the real verifier of the vectors' key as shape 7
abstract contract ZkEVMBase is Groth16Base {
    uint32 internal constant SHAPE = 7;
    uint64 internal constant CHAIN_ID = 1001;
    uint64 internal constant FORK_ID = 1;
    bytes32 internal constant GENESIS = bytes32(uint256(0x9e4e515));
    address internal constant ADMIN = address(0xad);
    address internal constant SEQUENCER = address(0x5e9);
    address internal constant AGGREGATOR = address(0xa99);
    address internal constant BRIDGE = address(0xb41d9e);
    address internal constant COINBASE = address(0xc0ffee);

    GlobalExitRoot internal exitRoots;
    ZkEVM internal zkEVM;

    function _deploy() internal {
        _loadVectors();
        vm.warp(1_700_000_000);
        (exitRoots, zkEVM) = _deployRollup(CHAIN_ID);
    }

    function _deployRollup(uint64 chainId) internal returns (GlobalExitRoot manager, ZkEVM rollup) {
        manager = new GlobalExitRoot(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1), BRIDGE);
        IZkEVM.InitParams memory params = _params();
        params.chainId = chainId;
        rollup = new ZkEVM(manager, params, _shapes());
    }

    function _params() internal pure returns (IZkEVM.InitParams memory) {
        return IZkEVM.InitParams({
            chainId: CHAIN_ID,
            forkId: FORK_ID,
            genesisStateRoot: GENESIS,
            admin: ADMIN,
            trustedSequencer: SEQUENCER,
            trustedAggregator: AGGREGATOR,
            trustedSequencerURL: "http://localhost:8545"
        });
    }

    function _shapes() internal view returns (IZkEVM.ShapeVerifier[] memory shapes) {
        shapes = new IZkEVM.ShapeVerifier[](1);
        shapes[0] = IZkEVM.ShapeVerifier(SHAPE, IVerifier(address(verifier)));
    }

    /// @dev `count` batches of one transaction byte each, distinct.
    function _batches(uint256 count) internal view returns (IZkEVM.BatchData[] memory batches) {
        batches = new IZkEVM.BatchData[](count);
        for (uint256 i = 0; i < count; ++i) {
            batches[i] = IZkEVM.BatchData(abi.encodePacked(uint8(i + 1)), 0, uint64(block.timestamp), 0);
        }
    }

    /// @dev The accumulated hash after each of `batches`.
    function _accInputHashes(bytes32 accInputHash, IZkEVM.BatchData[] memory batches)
        internal
        pure
        returns (bytes32[] memory hashes)
    {
        hashes = new bytes32[](batches.length);
        for (uint256 i = 0; i < batches.length; ++i) {
            accInputHash = keccak256(
                bytes.concat(
                    accInputHash,
                    keccak256(batches[i].transactions),
                    batches[i].globalExitRoot,
                    bytes8(batches[i].timestamp),
                    bytes20(COINBASE)
                )
            );
            hashes[i] = accInputHash;
        }
    }

    function _sequence(IZkEVM.BatchData[] memory batches) internal {
        vm.prank(SEQUENCER);
        zkEVM.sequenceBatches(batches, COINBASE);
    }

    function _verify(uint64 initNumBatch, uint64 finalNewBatch, IZkEVM.BatchProof[] memory proofs) internal {
        vm.prank(AGGREGATOR);
        zkEVM.trustedVerifyBatches(0, initNumBatch, finalNewBatch, proofs);
    }

    function _reverts(
        bytes memory revertData,
        uint64 initNumBatch,
        uint64 finalNewBatch,
        IZkEVM.BatchProof[] memory proofs
    ) internal {
        vm.prank(AGGREGATOR);
        vm.expectRevert(revertData);
        zkEVM.trustedVerifyBatches(0, initNumBatch, finalNewBatch, proofs);
    }

    /// @dev Sequences `count` batches in one call and proves them.
    function _sequenceAndProve(uint256 count) internal returns (IZkEVM.BatchProof[] memory) {
        uint64 first = zkEVM.lastBatchSequenced();
        (bytes32 old,,) = zkEVM.sequencedBatches(first);
        IZkEVM.BatchData[] memory batches = _batches(count);
        _sequence(batches);
        return _proveChain(first, zkEVM.batchNumToStateRoot(first), old, _accInputHashes(old, batches), "");
    }

    /// @dev Proofs by the trapdoor for a chain of batches after `initNumBatch`.
    /// @param variant Distinguishes the roots of two chains.
    function _proveChain(
        uint64 initNumBatch,
        bytes32 stateRoot,
        bytes32 oldHash,
        bytes32[] memory hashes,
        string memory variant
    ) internal view returns (IZkEVM.BatchProof[] memory proofs) {
        proofs = new IZkEVM.BatchProof[](hashes.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            uint64 numBatch = initNumBatch + uint64(i) + 1;
            proofs[i].shapeId = SHAPE;
            proofs[i].newStateRoot = bytes32(uint256(keccak256(abi.encode("state", numBatch, variant))) % Bn254.R);
            proofs[i].newLocalExitRoot = keccak256(abi.encode("exit", numBatch));
            proofs[i].newAccInputHash = hashes[i];
            _proveEntry(proofs[i], AGGREGATOR, CHAIN_ID, numBatch - 1, stateRoot, oldHash);
            (stateRoot, oldHash) = (proofs[i].newStateRoot, hashes[i]);
        }
    }

    function _proveEntry(
        IZkEVM.BatchProof memory entry,
        address aggregator,
        uint64 chainId,
        uint64 initNumBatch,
        bytes32 stateRoot,
        bytes32 oldHash
    ) internal view {
        entry.proof = _prove(_publicInput(entry, aggregator, chainId, initNumBatch, stateRoot, oldHash), initNumBatch);
    }

    /// @dev The formula of the public input, written out a second time.
    function _publicInput(
        IZkEVM.BatchProof memory entry,
        address aggregator,
        uint64 chainId,
        uint64 initNumBatch,
        bytes32 stateRoot,
        bytes32 oldHash
    ) internal pure returns (uint256) {
        bytes memory head = bytes.concat(bytes20(aggregator), stateRoot, oldHash, bytes8(initNumBatch), bytes8(chainId));
        bytes memory packed = bytes.concat(
            head,
            bytes8(FORK_ID),
            entry.newStateRoot,
            entry.newAccInputHash,
            entry.newLocalExitRoot,
            bytes8(initNumBatch + 1)
        );
        assertEq(packed.length, 212);
        return
            uint256(keccak256(packed)) % 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    }
}
