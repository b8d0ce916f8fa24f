// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ZkEVMBase} from "./ZkEVMBase.sol";
import {IZkEVM} from "../src/interfaces/IZkEVM.sol";

contract ZkEVMSequenceTest is ZkEVMBase {
    function setUp() public {
        _deploy();
    }

    function test_sequenceBatches_storesTheEndOfTheSequence() public {
        IZkEVM.BatchData[] memory batches = _batches(3);
        vm.prank(SEQUENCER);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.SequenceBatches(3);
        zkEVM.sequenceBatches(batches, COINBASE);

        (bytes32 hash, uint64 timestamp, uint64 previous) = zkEVM.sequencedBatches(3);
        assertEq(hash, _accInputHashes(0, batches)[2]);
        assertEq(timestamp, block.timestamp);
        assertEq(previous, 0);
        assertEq(zkEVM.lastBatchSequenced(), 3);
        assertEq(zkEVM.lastTimestamp(), block.timestamp);
        (hash,,) = zkEVM.sequencedBatches(2);
        assertEq(hash, bytes32(0));
    }

    function test_sequenceBatches_continuesTheChain() public {
        _sequence(_batches(2));
        vm.warp(block.timestamp + 12);
        IZkEVM.BatchData[] memory batches = _batches(1);
        _sequence(batches);

        (bytes32 old,,) = zkEVM.sequencedBatches(2);
        (bytes32 hash,, uint64 previous) = zkEVM.sequencedBatches(3);
        assertEq(hash, _accInputHashes(old, batches)[0]);
        assertEq(previous, 2);
    }

    function test_sequenceBatches_acceptsKnownGlobalExitRoot() public {
        vm.prank(BRIDGE);
        exitRoots.updateExitRoot(keccak256("mainnet"));
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[0].globalExitRoot = exitRoots.getLastGlobalExitRoot();
        batches[1].globalExitRoot = exitRoots.getLastGlobalExitRoot();
        _sequence(batches);
        (bytes32 hash,,) = zkEVM.sequencedBatches(2);
        assertEq(hash, _accInputHashes(0, batches)[1]);
    }

    function test_sequenceBatches_acceptsTheLargestBatch() public {
        IZkEVM.BatchData[] memory batches = _batches(1);
        batches[0].transactions = new bytes(300_000);
        _sequence(batches);
        (bytes32 hash,,) = zkEVM.sequencedBatches(1);
        assertEq(hash, _accInputHashes(0, batches)[0]);
    }

    function test_sequenceBatches_acceptsTheLongestSequence() public {
        _sequence(_batches(1000));
        assertEq(zkEVM.lastBatchSequenced(), 1000);
    }

    function testFuzz_sequenceBatches_hashesEverything(bytes[3] calldata transactions, uint32[3] calldata ages) public {
        IZkEVM.BatchData[] memory batches = _batches(3);
        uint256 age = 3 * uint256(type(uint32).max);
        vm.warp(age + 1);
        for (uint256 i = 0; i < 3; ++i) {
            age -= ages[i];
            batches[i].transactions = transactions[i];
            batches[i].timestamp = uint64(block.timestamp - age);
        }
        _sequence(batches);
        (bytes32 hash,,) = zkEVM.sequencedBatches(3);
        assertEq(hash, _accInputHashes(0, batches)[2]);
    }

    function test_sequenceBatches_gas() public {
        IZkEVM.BatchData[] memory batches = _batches(1);
        batches[0].transactions = new bytes(0);
        _sequence(batches);
        _sequence(batches);
        vm.snapshotGasLastCall("ZkEVM", "sequenceBatches of 1 empty");
        batches = _batches(10);
        _sequence(batches);
        vm.snapshotGasLastCall("ZkEVM", "sequenceBatches of 10, one byte each");
    }

    function test_sequenceBatches_revertsOnlyTrustedSequencer_whenCalledByAnother() public {
        IZkEVM.BatchData[] memory batches = _batches(1);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.OnlyTrustedSequencer.selector, ADMIN));
        zkEVM.sequenceBatches(batches, COINBASE);
    }

    function test_sequenceBatches_revertsSequenceZeroBatches_whenEmpty() public {
        _refuses(_batches(0), abi.encodeWithSelector(IZkEVM.SequenceZeroBatches.selector));
    }

    function test_sequenceBatches_revertsExceedMaxVerifyBatches_whenTooMany() public {
        _refuses(_batches(1001), abi.encodeWithSelector(IZkEVM.ExceedMaxVerifyBatches.selector, 1001, 1000));
    }

    function test_sequenceBatches_revertsForcedBatchesNotAllowed_whenForcedTimestampIsSet() public {
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[1].minForcedTimestamp = 1;
        _refuses(batches, abi.encodeWithSelector(IZkEVM.ForcedBatchesNotAllowed.selector, 1));
    }

    function test_sequenceBatches_revertsGlobalExitRootNotExist_whenUnknown() public {
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[1].globalExitRoot = keccak256("unknown");
        _refuses(batches, abi.encodeWithSelector(IZkEVM.GlobalExitRootNotExist.selector, 1, keccak256("unknown")));
    }

    function test_sequenceBatches_revertsGlobalExitRootNotExist_whenUnknownBehindAKnownOne() public {
        vm.prank(BRIDGE);
        exitRoots.updateExitRoot(keccak256("mainnet"));
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[0].globalExitRoot = exitRoots.getLastGlobalExitRoot();
        batches[1].globalExitRoot = keccak256("unknown");
        _refuses(batches, abi.encodeWithSelector(IZkEVM.GlobalExitRootNotExist.selector, 1, keccak256("unknown")));
    }

    function test_sequenceBatches_revertsTransactionsLengthAboveMax_whenOneByteTooLong() public {
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[1].transactions = new bytes(300_001);
        _refuses(batches, abi.encodeWithSelector(IZkEVM.TransactionsLengthAboveMax.selector, 1, 300_001, 300_000));
    }

    function test_sequenceBatches_revertsSequencedTimestampInvalid_whenInTheFuture() public {
        IZkEVM.BatchData[] memory batches = _batches(1);
        batches[0].timestamp += 1;
        uint64 timestamp = uint64(block.timestamp);
        _refuses(
            batches, abi.encodeWithSelector(IZkEVM.SequencedTimestampInvalid.selector, 0, timestamp + 1, 0, timestamp)
        );
    }

    function test_sequenceBatches_revertsSequencedTimestampInvalid_whenDecreasing() public {
        IZkEVM.BatchData[] memory batches = _batches(2);
        batches[1].timestamp -= 1;
        uint64 timestamp = uint64(block.timestamp);
        _refuses(
            batches,
            abi.encodeWithSelector(IZkEVM.SequencedTimestampInvalid.selector, 1, timestamp - 1, timestamp, timestamp)
        );
    }

    function test_sequenceBatches_revertsSequencedTimestampInvalid_whenOlderThanTheSequenceBefore() public {
        _sequence(_batches(1));
        IZkEVM.BatchData[] memory batches = _batches(1);
        batches[0].timestamp -= 1;
        uint64 timestamp = uint64(block.timestamp);
        _refuses(
            batches,
            abi.encodeWithSelector(IZkEVM.SequencedTimestampInvalid.selector, 0, timestamp - 1, timestamp, timestamp)
        );
    }

    function _refuses(IZkEVM.BatchData[] memory batches, bytes memory revertData) private {
        vm.prank(SEQUENCER);
        vm.expectRevert(revertData);
        zkEVM.sequenceBatches(batches, COINBASE);
    }
}
