// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IGlobalExitRoot} from "./IGlobalExitRoot.sol";
import {IVerifier} from "./IVerifier.sol";

/// @title The rollup on L1
/// @notice Takes the data of batches in order and accepts proofs of what they do to the state of L2.
interface IZkEVM {
    /// @notice One batch as the sequencer posts it.
    struct BatchData {
        /// Transactions, one behind the other, each as on the wire with its signature.
        bytes transactions;
        /// Global exit root that the batch brings to L2, or zero.
        bytes32 globalExitRoot;
        /// Unix time in seconds of every block in the batch.
        uint64 timestamp;
        /// Must be zero: the batch is no forced batch.
        uint64 minForcedTimestamp;
    }

    /// @notice Result and proof of one batch.
    struct BatchProof {
        /// Circuit shape that the proof is of; names the verifier.
        uint32 shapeId;
        /// State root after the batch.
        bytes32 newStateRoot;
        /// Accumulated hash of everything sequenced up to and with the batch.
        bytes32 newAccInputHash;
        /// Root of L2's exit tree after the batch.
        bytes32 newLocalExitRoot;
        /// The twelve words of the proof.
        uint256[12] proof;
    }

    /// @notice End of a sequence: what one call of `sequenceBatches` left.
    struct SequencedBatchData {
        /// Accumulated hash up to and with the last batch of the sequence.
        bytes32 accInputHash;
        /// Unix time in seconds of the call.
        uint64 sequencedTimestamp;
        /// Last batch of the sequence before.
        uint64 previousLastBatchSequenced;
    }

    /// @notice Parameters that a deployment fixes or begins with.
    struct InitParams {
        /// Chain id of L2.
        uint64 chainId;
        /// Identifier of the rules that the circuits prove.
        uint64 forkId;
        /// State root of batch zero.
        bytes32 genesisStateRoot;
        /// May change the roles and add verifiers.
        address admin;
        /// May sequence batches.
        address trustedSequencer;
        /// May verify batches without a delay.
        address trustedAggregator;
        /// JSON-RPC address of the trusted sequencer.
        string trustedSequencerURL;
    }

    /// @notice A verifier and the circuit shape it is for.
    struct ShapeVerifier {
        uint32 shapeId;
        IVerifier verifier;
    }

    /// @notice Batches up to and with `numBatch` were sequenced.
    event SequenceBatches(uint64 indexed numBatch);
    /// @notice The trusted aggregator proved the state of batch `numBatch`.
    event TrustedVerifyBatches(uint64 indexed numBatch, bytes32 stateRoot, address indexed aggregator);
    /// @notice Proofs of a shape are accepted from now on.
    event AddVerifier(uint32 indexed shapeId, address indexed verifier, bytes32 vkDigest);
    /// @notice The admin replaced the trusted sequencer.
    event SetTrustedSequencer(address newTrustedSequencer);
    /// @notice The admin replaced the JSON-RPC address of the trusted sequencer.
    event SetTrustedSequencerURL(string newTrustedSequencerURL);
    /// @notice The admin replaced the trusted aggregator.
    event SetTrustedAggregator(address newTrustedAggregator);
    /// @notice The admin offered the role to another account.
    event TransferAdminRole(address newPendingAdmin);
    /// @notice An account accepted the role of the admin.
    event AcceptAdminRole(address newAdmin);

    /// @notice The caller is not the admin.
    error OnlyAdmin(address caller);
    /// @notice The caller was not offered the role of the admin.
    error OnlyPendingAdmin(address caller);
    /// @notice The caller is not the trusted sequencer.
    error OnlyTrustedSequencer(address caller);
    /// @notice The caller is not the trusted aggregator.
    error OnlyTrustedAggregator(address caller);

    /// @notice `manager` does not take rollup exit roots from this contract.
    error GlobalExitRootManagerMismatch(address manager, address rollup);
    /// @notice A role is the zero address, or there is no verifier.
    error IncompleteInitParams();
    /// @notice The shape has a verifier already: verifiers are never replaced.
    error VerifierAlreadySet(uint32 shapeId);
    /// @notice There is no contract at the address of the verifier.
    error VerifierHasNoCode(address verifier);

    /// @notice The sequence is empty.
    error SequenceZeroBatches();
    /// @notice A sequence or a verification has too many batches.
    error ExceedMaxVerifyBatches(uint256 got, uint256 maximum);
    /// @notice Batch `index` of the call has a forced timestamp: forced batches are not accepted.
    error ForcedBatchesNotAllowed(uint256 index);
    /// @notice Batch `index` of the call brings a global exit root that was never recorded.
    error GlobalExitRootNotExist(uint256 index, bytes32 globalExitRoot);
    /// @notice Batch `index` of the call has too many bytes.
    error TransactionsLengthAboveMax(uint256 index, uint256 got, uint256 maximum);
    /// @notice The timestamp of batch `index` of the call is older than the batch before or in the future.
    error SequencedTimestampInvalid(uint256 index, uint64 got, uint64 minimum, uint64 maximum);

    /// @notice There is no such pending state.
    error PendingStateDoesNotExist(uint64 pendingStateNum);
    /// @notice No verification ended at batch `initNumBatch`: no state root is stored for it.
    error OldStateRootDoesNotExist(uint64 initNumBatch);
    /// @notice Batch `initNumBatch` is not verified yet.
    error InitNumBatchAboveLastVerifiedBatch(uint64 initNumBatch, uint64 lastVerifiedBatch);
    /// @notice Batch `finalNewBatch` is verified already.
    error FinalNumBatchBelowLastVerifiedBatch(uint64 finalNewBatch, uint64 lastVerifiedBatch);
    /// @notice There must be one proof for each batch after `initNumBatch`, up to and with `finalNewBatch`.
    error ProofCountMismatch(uint256 got, uint256 expected);
    /// @notice No sequence ends at batch `finalNewBatch`.
    error NewAccInputHashDoesNotExist(uint64 finalNewBatch);
    /// @notice The last proof's accumulated hash is not the one that was sequenced.
    error NewAccInputHashMismatch(uint64 finalNewBatch, bytes32 got, bytes32 expected);
    /// @notice A new state root is zero or not below the order of the scalar field.
    error NewStateRootNotInsidePrime(uint64 numBatch, bytes32 stateRoot);
    /// @notice Batch `numBatch` is verified already, with another state root.
    error StateRootConflict(uint64 numBatch, bytes32 got, bytes32 verified);
    /// @notice There is no verifier for the shape.
    error UnknownShape(uint32 shapeId);
    /// @notice At least one proof of the batches `firstBatch` to `lastBatch` does not hold.
    error InvalidProof(uint64 firstBatch, uint64 lastBatch);

    /// @notice Appends batches to the chain of sequenced data.
    /// @dev Only the trusted sequencer. One invalid batch reverts the whole call. Reverts: OnlyTrustedSequencer,
    /// SequenceZeroBatches, ExceedMaxVerifyBatches, ForcedBatchesNotAllowed, GlobalExitRootNotExist,
    /// TransactionsLengthAboveMax, SequencedTimestampInvalid.
    /// @param batches Batches in order; timestamps do not decrease and are not in the future.
    /// @param l2Coinbase Receives the fees of these batches on L2.
    function sequenceBatches(BatchData[] calldata batches, address l2Coinbase) external;

    /// @notice Accepts proofs that the batches `initNumBatch + 1` to `finalNewBatch` lead to new state roots.
    /// @dev Only the trusted aggregator. Proof i starts from the results of proof i − 1; the first starts from what is stored
    /// for `initNumBatch`, the last must end at the accumulated hash that is stored for `finalNewBatch`, so both are ends of
    /// sequences. Runs of proofs of one shape are verified together. A proof is bound to the sender. Reverts:
    /// OnlyTrustedAggregator, PendingStateDoesNotExist, OldStateRootDoesNotExist, InitNumBatchAboveLastVerifiedBatch,
    /// FinalNumBatchBelowLastVerifiedBatch, ExceedMaxVerifyBatches, ProofCountMismatch, NewAccInputHashDoesNotExist,
    /// NewAccInputHashMismatch, NewStateRootNotInsidePrime, StateRootConflict, UnknownShape, InvalidProof, and what the
    /// verifier reverts with on malformed proofs.
    /// @param pendingStateNum Pending state to start from; zero starts from a verified batch and is the only one there is.
    /// @param initNumBatch Batch to start from, verified.
    /// @param finalNewBatch Last batch proven.
    /// @param proofs One entry a batch, in order.
    function trustedVerifyBatches(
        uint64 pendingStateNum,
        uint64 initNumBatch,
        uint64 finalNewBatch,
        BatchProof[] calldata proofs
    ) external;

    /// @notice Accepts proofs of one more circuit shape.
    /// @dev Only the admin. A shape's verifier cannot be replaced or removed. Whoever may add verifiers decides what is
    /// proven: the admin is trusted with it. Reverts: OnlyAdmin, VerifierAlreadySet, VerifierHasNoCode.
    /// @param shapeId Identifier of the shape.
    /// @param verifier Verifier with the shape's key.
    function addVerifier(uint32 shapeId, IVerifier verifier) external;

    /// @notice Replaces the trusted sequencer. Only the admin.
    function setTrustedSequencer(address newTrustedSequencer) external;

    /// @notice Replaces the JSON-RPC address of the trusted sequencer. Only the admin.
    function setTrustedSequencerURL(string calldata newTrustedSequencerURL) external;

    /// @notice Replaces the trusted aggregator. Only the admin.
    function setTrustedAggregator(address newTrustedAggregator) external;

    /// @notice Offers the role of the admin; it moves when the other account accepts. Only the admin.
    function transferAdminRole(address newPendingAdmin) external;

    /// @notice Accepts the role of the admin. Only the account it was offered to.
    function acceptAdminRole() external;

    /// @notice Largest `transactions` of one batch in bytes.
    function MAX_TRANSACTIONS_BYTE_LENGTH() external view returns (uint256);

    /// @notice Most batches of one sequence and of one verification.
    function MAX_VERIFY_BATCHES() external view returns (uint64);

    /// @notice Chain id of L2.
    function chainID() external view returns (uint64);

    /// @notice Identifier of the rules that the circuits prove.
    function forkID() external view returns (uint64);

    /// @notice The contract of the global exit roots.
    function globalExitRootManager() external view returns (IGlobalExitRoot);

    /// @notice May change the roles and add verifiers.
    function admin() external view returns (address);

    /// @notice Was offered the role of the admin.
    function pendingAdmin() external view returns (address);

    /// @notice May sequence batches.
    function trustedSequencer() external view returns (address);

    /// @notice May verify batches without a delay.
    function trustedAggregator() external view returns (address);

    /// @notice JSON-RPC address of the trusted sequencer.
    function trustedSequencerURL() external view returns (string memory);

    /// @notice Timestamp of the last sequenced batch, in seconds.
    function lastTimestamp() external view returns (uint64);

    /// @notice Number of the last sequenced batch.
    function lastBatchSequenced() external view returns (uint64);

    /// @notice Number of the last verified batch.
    function lastVerifiedBatch() external view returns (uint64);

    /// @notice What is stored for `numBatch` if a sequence ends there, zeros otherwise.
    function sequencedBatches(uint64 numBatch)
        external
        view
        returns (bytes32 accInputHash, uint64 sequencedTimestamp, uint64 previousLastBatchSequenced);

    /// @notice Verified state root of `numBatch` if a verification ended there, zero otherwise.
    function batchNumToStateRoot(uint64 numBatch) external view returns (bytes32);

    /// @notice Verifier of a shape, zero if there is none.
    function verifiers(uint32 shapeId) external view returns (IVerifier);

    /// @notice Public input of the proof that takes `initNumBatch` to `initNumBatch + 1`.
    /// @param aggregator Sender of the transaction that will carry the proof.
    /// @param initNumBatch Number of the batch before the proven one.
    /// @param oldStateRoot State root before.
    /// @param oldAccInputHash Accumulated hash before.
    /// @param newStateRoot State root after.
    /// @param newAccInputHash Accumulated hash after.
    /// @param newLocalExitRoot Root of L2's exit tree after.
    /// @return keccak256 of the packed values, this contract's chain and fork id among them, modulo the order of the
    /// scalar field.
    function getPublicInput(
        address aggregator,
        uint64 initNumBatch,
        bytes32 oldStateRoot,
        bytes32 oldAccInputHash,
        bytes32 newStateRoot,
        bytes32 newAccInputHash,
        bytes32 newLocalExitRoot
    ) external view returns (uint256);
}
