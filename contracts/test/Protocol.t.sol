// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ZkEVMBase} from "./ZkEVMBase.sol";
import {GlobalExitRootL2} from "../src/GlobalExitRootL2.sol";
import {Hashes} from "../src/libraries/Hashes.sol";

/// @title Hashes and constants are those of the Rust crate `cairn-protocol`, by the vectors that it writes
contract ProtocolTest is ZkEVMBase {
    string private vectors;

    function setUp() public {
        _deploy();
        vectors = vm.readFile("test/vectors/protocol.json");
    }

    function test_constants_areTheProtocols() public view {
        assertEq(zkEVM.MAX_TRANSACTIONS_BYTE_LENGTH(), _word(".maxTransactionsByteLength"));
    }

    function test_globalExitRootL2_keepsItsValuesInTheProtocolsSlots() public {
        GlobalExitRootL2 exitRoots2 = new GlobalExitRootL2(BRIDGE);
        bytes32 root = keccak256("root");
        bytes32 place = keccak256(bytes.concat(root, bytes32(_word(".globalExitRootMapSlot"))));
        vm.store(address(exitRoots2), place, bytes32(uint256(17)));
        assertEq(exitRoots2.globalExitRootMap(root), 17);
        vm.store(address(exitRoots2), bytes32(_word(".lastRollupExitRootSlot")), root);
        assertEq(exitRoots2.lastRollupExitRoot(), root);
    }

    function test_publicInput_isTheProtocols() public view {
        for (uint256 i = 0; i < 5; ++i) {
            string memory entry = string.concat(".publicInputs[", vm.toString(i), "]");
            uint256[] memory words = _words(string.concat(entry, ".words"));
            Hashes.BatchContext memory context = Hashes.BatchContext(
                address(uint160(_word(string.concat(entry, ".aggregator")))),
                uint64(_word(string.concat(entry, ".chainId"))),
                uint64(_word(string.concat(entry, ".forkId")))
            );
            uint256 got = Hashes.publicInput(
                context,
                uint64(_word(string.concat(entry, ".initNumBatch"))),
                bytes32(words[0]),
                bytes32(words[1]),
                bytes32(words[2]),
                bytes32(words[3]),
                bytes32(words[4])
            );
            assertEq(got, _word(string.concat(entry, ".publicInput")));
        }
    }

    function test_accInputHash_isTheProtocols() public view {
        for (uint256 i = 0; i < 5; ++i) {
            string memory entry = string.concat(".accInputHashes[", vm.toString(i), "]");
            uint256[] memory words = _words(string.concat(entry, ".words"));
            bytes32 got = Hashes.accInputHash(
                bytes32(words[0]),
                bytes32(words[1]),
                bytes32(words[2]),
                uint64(_word(string.concat(entry, ".timestamp"))),
                address(uint160(_word(string.concat(entry, ".coinbase"))))
            );
            assertEq(got, bytes32(_word(string.concat(entry, ".accInputHash"))));
        }
    }

    function test_globalExitRoot_isTheProtocols() public view {
        for (uint256 i = 0; i < 5; ++i) {
            string memory entry = string.concat(".globalExitRoots[", vm.toString(i), "]");
            uint256[] memory words = _words(string.concat(entry, ".words"));
            bytes32 got = Hashes.globalExitRoot(bytes32(words[0]), bytes32(words[1]));
            assertEq(got, bytes32(_word(string.concat(entry, ".globalExitRoot"))));
        }
    }

    function _word(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(vectors, key);
    }

    function _words(string memory key) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(vectors, key);
    }
}
