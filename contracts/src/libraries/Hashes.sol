// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";

/// @title Hashes that L1, node and circuit agree on
/// @dev All are keccak256 over big-endian values without padding.
library Hashes {
    /// @notice The values of a public input that are the same for all batches of a verification.
    struct BatchContext {
        /// Sender of the verifying transaction: nobody else can use the proof.
        address aggregator;
        /// Chain id of L2.
        uint64 chainId;
        /// Identifier of the rules that the circuit proves.
        uint64 forkId;
    }

    /// @notice One step of the chain of hashes over everything that was sequenced.
    /// @param previous Accumulated hash of the batch before.
    /// @param transactionsHash keccak256 of the batch's bytes.
    /// @param exitRoot Global exit root of the batch or zero.
    /// @param timestamp Unix time of the batch in seconds.
    /// @param l2Coinbase Receiver of the batch's fees.
    function accInputHash(
        bytes32 previous,
        bytes32 transactionsHash,
        bytes32 exitRoot,
        uint64 timestamp,
        address l2Coinbase
    ) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(previous, transactionsHash, exitRoot, timestamp, l2Coinbase));
    }

    /// @notice Global exit root of an exit root of L1 and one of L2.
    function globalExitRoot(bytes32 mainnetExitRoot, bytes32 rollupExitRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(mainnetExitRoot, rollupExitRoot));
    }

    /// @notice Public input of the proof that takes `initNumBatch` to `initNumBatch + 1`: keccak256 of 212 bytes, reduced
    /// modulo the order of the scalar field.
    /// @dev `initNumBatch + 1` must not overflow: the caller has compared it with a greater batch number.
    function publicInput(
        BatchContext memory context,
        uint64 initNumBatch,
        bytes32 oldStateRoot,
        bytes32 oldAccInputHash,
        bytes32 newStateRoot,
        bytes32 newAccInputHash,
        bytes32 newLocalExitRoot
    ) internal pure returns (uint256) {
        bytes memory before = abi.encodePacked(
            context.aggregator, oldStateRoot, oldAccInputHash, initNumBatch, context.chainId, context.forkId
        );
        bytes32 hash =
            keccak256(bytes.concat(before, newStateRoot, newAccInputHash, newLocalExitRoot, bytes8(initNumBatch + 1)));
        return uint256(hash) % Bn254.R;
    }
}
