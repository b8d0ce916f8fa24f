// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {PoseidonT3} from "../src/libraries/PoseidonT3.sol";
import {PoseidonT5} from "../src/libraries/PoseidonT5.sol";
import {PoseidonT6} from "../src/libraries/PoseidonT6.sol";
import {PoseidonT9} from "../src/libraries/PoseidonT9.sol";

/// @dev Each width in a contract of its own: together they do not fit one.
contract HarnessT3 {
    function hash(uint256[2] calldata inputs) external pure returns (uint256) {
        return PoseidonT3.hash(inputs);
    }
}

contract HarnessT5 {
    function hash(uint256[4] calldata inputs) external pure returns (uint256) {
        return PoseidonT5.hash(inputs);
    }
}

contract HarnessT6 {
    function hash(uint256[5] calldata inputs) external pure returns (uint256) {
        return PoseidonT6.hash(inputs);
    }
}

contract HarnessT9 {
    function hash(uint256[8] calldata inputs) external pure returns (uint256) {
        return PoseidonT9.hash(inputs);
    }

    /// @dev The hash of a hash and seven zeros, in one workspace.
    function twice(uint256[8] calldata inputs) external pure returns (uint256) {
        uint256 m = PoseidonT9.workspace();
        for (uint256 i = 0; i < 8; ++i) {
            _set(m, i, inputs[i]);
        }
        uint256 h = PoseidonT9.hashAt(m);
        for (uint256 i = 0; i < 8; ++i) {
            _set(m, i, i == 0 ? h : 0);
        }
        return PoseidonT9.hashAt(m);
    }

    function _set(uint256 m, uint256 i, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(m, mul(0x20, add(i, 1))), word)
        }
    }
}

/// @title Poseidon in its fast form against vectors of light-poseidon and against the hash in its usual form
contract PoseidonTest is Base {
    struct Parameters {
        uint256 partialRounds;
        uint256[] constants;
        uint256[] matrix;
    }

    string private json;
    HarnessT3 private t3 = new HarnessT3();
    HarnessT5 private t5 = new HarnessT5();
    HarnessT6 private t6 = new HarnessT6();
    HarnessT9 private t9 = new HarnessT9();
    mapping(uint256 t => Parameters) private parameters;

    function setUp() public {
        json = vm.readFile("test/vectors/poseidon.json");
        for (uint256 i = 0; i < 4; ++i) {
            uint256 t = [uint256(3), 5, 6, 9][i];
            string memory key = string.concat(".t", vm.toString(t));
            parameters[t].partialRounds = vm.parseJsonUint(json, string.concat(key, ".partialRounds"));
            parameters[t].constants = vm.parseJsonUintArray(json, string.concat(key, ".constants"));
            parameters[t].matrix = vm.parseJsonUintArray(json, string.concat(key, ".matrix"));
        }
    }

    function test_hash_isThatOfTheVectors() public view {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 t = [uint256(3), 5, 6, 9][i];
            for (uint256 j = 0; j < 8; ++j) {
                string memory key = string.concat(".t", vm.toString(t), ".cases[", vm.toString(j), "]");
                uint256[] memory inputs = vm.parseJsonUintArray(json, string.concat(key, ".inputs"));
                uint256 expected = vm.parseJsonUint(json, string.concat(key, ".hash"));
                assertEq(inputs.length, t - 1);
                assertEq(_hash(inputs), expected);
                assertEq(_usual(inputs), expected);
            }
        }
    }

    function testFuzz_hash_isThatOfTheUsualForm(uint256 seed, uint8 edges) public view {
        for (uint256 i = 0; i < 4; ++i) {
            uint256[] memory inputs = new uint256[]([uint256(2), 4, 5, 8][i]);
            for (uint256 j = 0; j < inputs.length; ++j) {
                inputs[j] = uint256(keccak256(abi.encode(seed, j))) % Bn254.R;
                if ((edges >> j) & 1 == 1) inputs[j] = inputs[j] % 2 == 0 ? Bn254.R - 1 : 0;
            }
            assertEq(_hash(inputs), _usual(inputs));
        }
    }

    function test_hashAt_mayBeCalledAgain() public view {
        uint256[8] memory inputs = [uint256(1), 2, 3, 4, 5, 6, 7, Bn254.R - 1];
        uint256[8] memory outer;
        outer[0] = t9.hash(inputs);
        assertEq(t9.twice(inputs), t9.hash(outer));
    }

    function test_hash_gas() public {
        t3.hash([uint256(1), 2]);
        vm.snapshotGasLastCall("Poseidon", "hash of 2");
        t5.hash([uint256(1), 2, 3, 4]);
        vm.snapshotGasLastCall("Poseidon", "hash of 4");
        t6.hash([uint256(1), 2, 3, 4, 5]);
        vm.snapshotGasLastCall("Poseidon", "hash of 5");
        t9.hash([uint256(1), 2, 3, 4, 5, 6, 7, 8]);
        vm.snapshotGasLastCall("Poseidon", "hash of 8");
    }

    function _hash(uint256[] memory inputs) private view returns (uint256) {
        bytes memory words = abi.encodePacked(inputs);
        if (inputs.length == 2) return t3.hash(abi.decode(words, (uint256[2])));
        if (inputs.length == 4) return t5.hash(abi.decode(words, (uint256[4])));
        if (inputs.length == 5) return t6.hash(abi.decode(words, (uint256[5])));
        return t9.hash(abi.decode(words, (uint256[8])));
    }

    /// @dev Poseidon as its paper has it: constants, S-box, matrix, in each round.
    function _usual(uint256[] memory inputs) private view returns (uint256) {
        Parameters memory p = parameters[inputs.length + 1];
        uint256[] memory state = new uint256[](inputs.length + 1);
        for (uint256 i = 0; i < inputs.length; ++i) {
            state[i + 1] = inputs[i];
        }
        for (uint256 round = 0; round < 8 + p.partialRounds; ++round) {
            bool full = round < 4 || round >= 4 + p.partialRounds;
            for (uint256 i = 0; i < state.length; ++i) {
                state[i] = addmod(state[i], p.constants[round * state.length + i], Bn254.R);
                if (full || i == 0) state[i] = _power5(state[i]);
            }
            state = _times(p.matrix, state);
        }
        return state[0];
    }

    function _times(uint256[] memory matrix, uint256[] memory state) private pure returns (uint256[] memory next) {
        next = new uint256[](state.length);
        for (uint256 place = 0; place < matrix.length; ++place) {
            uint256 i = place / state.length;
            next[i] = addmod(next[i], mulmod(matrix[place], state[place % state.length], Bn254.R), Bn254.R);
        }
    }

    function _power5(uint256 x) private pure returns (uint256) {
        uint256 square = mulmod(x, x, Bn254.R);
        return mulmod(mulmod(square, square, Bn254.R), x, Bn254.R);
    }
}
