// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IGlobalExitRoot} from "./interfaces/IGlobalExitRoot.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {IZkEVM} from "./interfaces/IZkEVM.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Hashes} from "./libraries/Hashes.sol";

/// @title The rollup on L1
/// @dev Only ends of sequences are stored. The hashes between them are known through the chain of proofs: it starts at one
/// stored accumulated hash and ends at another, and since every link is a keccak256 of the one before, the links between
/// are those that were sequenced.
contract ZkEVM is IZkEVM {
    /// @inheritdoc IZkEVM
    uint256 public constant MAX_TRANSACTIONS_BYTE_LENGTH = 300_000;
    /// @inheritdoc IZkEVM
    uint64 public constant MAX_VERIFY_BATCHES = 1000;

    /// @inheritdoc IZkEVM
    uint64 public immutable chainID;
    /// @inheritdoc IZkEVM
    uint64 public immutable forkID;
    /// @inheritdoc IZkEVM
    IGlobalExitRoot public immutable globalExitRootManager;

    /// @inheritdoc IZkEVM
    uint64 public lastTimestamp;
    /// @inheritdoc IZkEVM
    uint64 public lastBatchSequenced;
    /// @inheritdoc IZkEVM
    uint64 public lastVerifiedBatch;
    /// @inheritdoc IZkEVM
    address public trustedSequencer;
    /// @inheritdoc IZkEVM
    address public trustedAggregator;
    /// @inheritdoc IZkEVM
    address public admin;
    /// @inheritdoc IZkEVM
    address public pendingAdmin;
    /// @inheritdoc IZkEVM
    mapping(uint64 numBatch => SequencedBatchData) public sequencedBatches;
    /// @inheritdoc IZkEVM
    mapping(uint64 numBatch => bytes32 stateRoot) public batchNumToStateRoot;
    /// @inheritdoc IZkEVM
    mapping(uint32 shapeId => IVerifier) public verifiers;
    /// @inheritdoc IZkEVM
    string public trustedSequencerURL;

    modifier onlyAdmin() {
        if (msg.sender != admin) revert OnlyAdmin(msg.sender);
        _;
    }

    modifier onlyTrustedSequencer() {
        if (msg.sender != trustedSequencer) revert OnlyTrustedSequencer(msg.sender);
        _;
    }

    modifier onlyTrustedAggregator() {
        if (msg.sender != trustedAggregator) revert OnlyTrustedAggregator(msg.sender);
        _;
    }

    /// @dev Reverts: GlobalExitRootManagerMismatch, IncompleteInitParams, NewStateRootNotInsidePrime, VerifierAlreadySet,
    /// VerifierHasNoCode.
    /// @param manager Global exit root contract, deployed before with this contract's address as its rollup.
    /// @param params What the deployment begins with.
    /// @param shapeVerifiers Verifiers of the first circuit shapes, at least one.
    constructor(IGlobalExitRoot manager, InitParams memory params, ShapeVerifier[] memory shapeVerifiers) {
        if (manager.rollupAddress() != address(this)) {
            revert GlobalExitRootManagerMismatch(address(manager), address(this));
        }
        if (
            params.admin == address(0) || params.trustedSequencer == address(0)
                || params.trustedAggregator == address(0) || shapeVerifiers.length == 0
        ) revert IncompleteInitParams();
        _checkStateRoot(0, params.genesisStateRoot);

        globalExitRootManager = manager;
        chainID = params.chainId;
        forkID = params.forkId;
        batchNumToStateRoot[0] = params.genesisStateRoot;
        admin = params.admin;
        trustedSequencer = params.trustedSequencer;
        trustedAggregator = params.trustedAggregator;
        trustedSequencerURL = params.trustedSequencerURL;
        for (uint256 i = 0; i < shapeVerifiers.length; ++i) {
            _addVerifier(shapeVerifiers[i].shapeId, shapeVerifiers[i].verifier);
        }
    }

    /// @inheritdoc IZkEVM
    function sequenceBatches(BatchData[] calldata batches, address l2Coinbase) external onlyTrustedSequencer {
        if (batches.length == 0) revert SequenceZeroBatches();
        if (batches.length > MAX_VERIFY_BATCHES) revert ExceedMaxVerifyBatches(batches.length, MAX_VERIFY_BATCHES);

        uint64 previousBatch = lastBatchSequenced;
        uint64 timestamp = lastTimestamp;
        bytes32 accInputHash = sequencedBatches[previousBatch].accInputHash;
        bytes32 knownExitRoot = bytes32(0);

        for (uint256 i = 0; i < batches.length; ++i) {
            BatchData calldata batch = batches[i];
            if (batch.minForcedTimestamp != 0) revert ForcedBatchesNotAllowed(i);
            // Consecutive batches usually have the same exit root: it is looked up when it changes.
            bytes32 exitRoot = batch.globalExitRoot;
            if (exitRoot != bytes32(0) && exitRoot != knownExitRoot) {
                if (globalExitRootManager.globalExitRootMap(exitRoot) == 0) revert GlobalExitRootNotExist(i, exitRoot);
                knownExitRoot = exitRoot;
            }
            if (batch.transactions.length > MAX_TRANSACTIONS_BYTE_LENGTH) {
                revert TransactionsLengthAboveMax(i, batch.transactions.length, MAX_TRANSACTIONS_BYTE_LENGTH);
            }
            if (batch.timestamp < timestamp || batch.timestamp > block.timestamp) {
                revert SequencedTimestampInvalid(i, batch.timestamp, timestamp, uint64(block.timestamp));
            }
            timestamp = batch.timestamp;
            accInputHash =
                Hashes.accInputHash(accInputHash, keccak256(batch.transactions), exitRoot, timestamp, l2Coinbase);
        }

        // No truncation: the length is at most MAX_VERIFY_BATCHES.
        uint64 lastBatch = previousBatch + uint64(batches.length);
        sequencedBatches[lastBatch] = SequencedBatchData(accInputHash, uint64(block.timestamp), previousBatch);
        lastTimestamp = timestamp;
        lastBatchSequenced = lastBatch;
        emit SequenceBatches(lastBatch);
    }

    /// @inheritdoc IZkEVM
    function trustedVerifyBatches(
        uint64 pendingStateNum,
        uint64 initNumBatch,
        uint64 finalNewBatch,
        BatchProof[] calldata proofs
    ) external onlyTrustedAggregator {
        if (pendingStateNum != 0) revert PendingStateDoesNotExist(pendingStateNum);
        _checkBatchRange(initNumBatch, finalNewBatch, proofs);
        _verifyProofs(initNumBatch, _publicInputs(initNumBatch, proofs), proofs);

        BatchProof calldata last = proofs[proofs.length - 1];
        lastVerifiedBatch = finalNewBatch;
        batchNumToStateRoot[finalNewBatch] = last.newStateRoot;
        globalExitRootManager.updateExitRoot(last.newLocalExitRoot);
        emit TrustedVerifyBatches(finalNewBatch, last.newStateRoot, msg.sender);
    }

    /// @inheritdoc IZkEVM
    function addVerifier(uint32 shapeId, IVerifier verifier) external onlyAdmin {
        _addVerifier(shapeId, verifier);
    }

    /// @inheritdoc IZkEVM
    function setTrustedSequencer(address newTrustedSequencer) external onlyAdmin {
        trustedSequencer = newTrustedSequencer;
        emit SetTrustedSequencer(newTrustedSequencer);
    }

    /// @inheritdoc IZkEVM
    function setTrustedSequencerURL(string calldata newTrustedSequencerURL) external onlyAdmin {
        trustedSequencerURL = newTrustedSequencerURL;
        emit SetTrustedSequencerURL(newTrustedSequencerURL);
    }

    /// @inheritdoc IZkEVM
    function setTrustedAggregator(address newTrustedAggregator) external onlyAdmin {
        trustedAggregator = newTrustedAggregator;
        emit SetTrustedAggregator(newTrustedAggregator);
    }

    /// @inheritdoc IZkEVM
    function transferAdminRole(address newPendingAdmin) external onlyAdmin {
        pendingAdmin = newPendingAdmin;
        emit TransferAdminRole(newPendingAdmin);
    }

    /// @inheritdoc IZkEVM
    function acceptAdminRole() external {
        if (msg.sender != pendingAdmin) revert OnlyPendingAdmin(msg.sender);
        admin = msg.sender;
        pendingAdmin = address(0);
        emit AcceptAdminRole(msg.sender);
    }

    /// @inheritdoc IZkEVM
    function getPublicInput(
        address aggregator,
        uint64 initNumBatch,
        bytes32 oldStateRoot,
        bytes32 oldAccInputHash,
        bytes32 newStateRoot,
        bytes32 newAccInputHash,
        bytes32 newLocalExitRoot
    ) external view returns (uint256) {
        return Hashes.publicInput(
            Hashes.BatchContext(aggregator, chainID, forkID),
            initNumBatch,
            oldStateRoot,
            oldAccInputHash,
            newStateRoot,
            newAccInputHash,
            newLocalExitRoot
        );
    }

    /// @dev Both ends of the range are stored ends of sequences, and there is one proof for each batch between.
    function _checkBatchRange(uint64 initNumBatch, uint64 finalNewBatch, BatchProof[] calldata proofs) private view {
        uint64 verified = lastVerifiedBatch;
        if (initNumBatch > verified) revert InitNumBatchAboveLastVerifiedBatch(initNumBatch, verified);
        if (batchNumToStateRoot[initNumBatch] == bytes32(0)) revert OldStateRootDoesNotExist(initNumBatch);
        if (finalNewBatch <= verified) revert FinalNumBatchBelowLastVerifiedBatch(finalNewBatch, verified);
        uint256 count = finalNewBatch - initNumBatch;
        if (count > MAX_VERIFY_BATCHES) revert ExceedMaxVerifyBatches(count, MAX_VERIFY_BATCHES);
        if (proofs.length != count) revert ProofCountMismatch(proofs.length, count);

        bytes32 expected = sequencedBatches[finalNewBatch].accInputHash;
        if (expected == bytes32(0)) revert NewAccInputHashDoesNotExist(finalNewBatch);
        bytes32 got = proofs[count - 1].newAccInputHash;
        if (got != expected) revert NewAccInputHashMismatch(finalNewBatch, got, expected);
    }

    /// @dev Public inputs of a chain of proofs that starts at what is stored for `initNumBatch`.
    function _publicInputs(uint64 initNumBatch, BatchProof[] calldata proofs)
        private
        view
        returns (uint256[] memory inputs)
    {
        inputs = new uint256[](proofs.length);
        Hashes.BatchContext memory context = Hashes.BatchContext(msg.sender, chainID, forkID);
        uint64 verified = lastVerifiedBatch;
        bytes32 stateRoot = batchNumToStateRoot[initNumBatch];
        bytes32 accInputHash = sequencedBatches[initNumBatch].accInputHash;
        for (uint256 i = 0; i < proofs.length; ++i) {
            BatchProof calldata entry = proofs[i];
            bytes32 newStateRoot = entry.newStateRoot;
            uint64 numBatch = initNumBatch + 1;
            _checkStateRoot(numBatch, newStateRoot);
            if (numBatch <= verified) {
                bytes32 known = batchNumToStateRoot[numBatch];
                if (known != bytes32(0) && known != newStateRoot) {
                    revert StateRootConflict(numBatch, newStateRoot, known);
                }
            }
            inputs[i] = Hashes.publicInput(
                context,
                initNumBatch,
                stateRoot,
                accInputHash,
                newStateRoot,
                entry.newAccInputHash,
                entry.newLocalExitRoot
            );
            stateRoot = newStateRoot;
            accInputHash = entry.newAccInputHash;
            initNumBatch = numBatch;
        }
    }

    /// @dev Cuts the proofs into runs of one shape and has each run verified in one call.
    function _verifyProofs(uint64 initNumBatch, uint256[] memory inputs, BatchProof[] calldata proofs) private view {
        uint256 start = 0;
        while (start < proofs.length) {
            uint32 shapeId = proofs[start].shapeId;
            uint256 end = start + 1;
            while (end < proofs.length && proofs[end].shapeId == shapeId) ++end;

            IVerifier verifier = verifiers[shapeId];
            if (address(verifier) == address(0)) revert UnknownShape(shapeId);
            uint256[] memory runInputs = new uint256[](end - start);
            uint256[12][] memory runProofs = new uint256[12][](end - start);
            for (uint256 i = start; i < end; ++i) {
                runInputs[i - start] = inputs[i];
                runProofs[i - start] = proofs[i].proof;
            }
            if (!verifier.verifyBatch(runInputs, runProofs)) {
                // No truncation: there are at most MAX_VERIFY_BATCHES proofs.
                // forge-lint: disable-next-line(unsafe-typecast)
                revert InvalidProof(initNumBatch + uint64(start) + 1, initNumBatch + uint64(end));
            }
            start = end;
        }
    }

    /// @dev A state root is a field element. Zero stands for "not stored" and is no root of any tree.
    function _checkStateRoot(uint64 numBatch, bytes32 stateRoot) private pure {
        if (stateRoot == bytes32(0) || uint256(stateRoot) >= Bn254.R) {
            revert NewStateRootNotInsidePrime(numBatch, stateRoot);
        }
    }

    function _addVerifier(uint32 shapeId, IVerifier verifier) private {
        if (address(verifiers[shapeId]) != address(0)) revert VerifierAlreadySet(shapeId);
        if (address(verifier).code.length == 0) revert VerifierHasNoCode(address(verifier));
        verifiers[shapeId] = verifier;
        emit AddVerifier(shapeId, address(verifier), verifier.vkDigest());
    }
}
