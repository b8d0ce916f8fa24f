// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {Groth16Verifier} from "../src/Groth16Verifier.sol";
import {IGroth16Verifier} from "../src/interfaces/IGroth16Verifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

/// @title The key and the proofs of test/vectors/groth16.json, and a prover with the key's trapdoor
abstract contract Groth16Base is Base {
    struct Trapdoor {
        uint256 alpha;
        uint256 beta;
        uint256 gamma;
        uint256 delta;
        uint256 sigma;
        uint256[] ic;
    }

    string internal json;
    Groth16Verifier internal verifier;
    Trapdoor internal trapdoor;
    /// Public inputs and proofs of the vectors.
    uint256[] internal vectorInputs;
    uint256[12][] internal vectorProofs;
    /// Discrete logarithms of the B of each proof.
    uint256[] internal vectorB;

    function _loadVectors() internal {
        json = vm.readFile("test/vectors/groth16.json");
        verifier = new Groth16Verifier(_key());
        trapdoor = Trapdoor(
            vm.parseJsonUint(json, ".trapdoor.alpha"),
            vm.parseJsonUint(json, ".trapdoor.beta"),
            vm.parseJsonUint(json, ".trapdoor.gamma"),
            vm.parseJsonUint(json, ".trapdoor.delta"),
            vm.parseJsonUint(json, ".trapdoor.sigma"),
            vm.parseJsonUintArray(json, ".trapdoor.ic")
        );
        for (uint256 i = 0; i < 4; ++i) {
            string memory entry = string.concat(".proofs[", vm.toString(i), "]");
            vectorInputs.push(vm.parseJsonUint(json, string.concat(entry, ".publicInput")));
            vectorProofs.push(
                abi.decode(_packed(vm.parseJsonUintArray(json, string.concat(entry, ".words"))), (uint256[12]))
            );
            vectorB.push(vm.parseJsonUint(json, string.concat(entry, ".bScalar")));
        }
    }

    function _key() internal view returns (IGroth16Verifier.VerifyingKey memory) {
        return _keyOf(vm.parseJsonUintArray(json, ".key"));
    }

    function _keyOf(uint256[] memory words) internal pure returns (IGroth16Verifier.VerifyingKey memory) {
        return abi.decode(_packed(words), (IGroth16Verifier.VerifyingKey));
    }

    function _packed(uint256[] memory words) internal pure returns (bytes memory) {
        return abi.encodePacked(words);
    }

    /// @dev A valid proof of any public input, made with the trapdoor: A, D, and B from the vectors are chosen, C follows.
    /// @param salt Chooses A and D.
    function _prove(uint256 publicInput, uint256 salt) internal view returns (uint256[12] memory proof) {
        uint256 a = 1 + uint256(keccak256(abi.encode("a", salt))) % (Bn254.R - 1);
        uint256 d = 1 + uint256(keccak256(abi.encode("d", salt))) % (Bn254.R - 1);
        proof = vectorProofs[salt % 4];
        (proof[0], proof[1]) = _g1(a);
        (proof[8], proof[9]) = _g1(d);
        (proof[10], proof[11]) = _g1(mulmod(trapdoor.sigma, d, Bn254.R));
        (proof[6], proof[7]) = _g1(_solveC(publicInput, mulmod(a, vectorB[salt % 4], Bn254.R), d, proof));
    }

    function _solveC(uint256 publicInput, uint256 ab, uint256 d, uint256[12] memory proof)
        private
        view
        returns (uint256)
    {
        (uint256 rho, uint256 alpha) = verifier.challenges(publicInput, proof[8], proof[9]);
        uint256 sum = addmod(trapdoor.ic[0], d, Bn254.R);
        sum = addmod(sum, mulmod(trapdoor.ic[1], publicInput, Bn254.R), Bn254.R);
        sum = addmod(sum, mulmod(trapdoor.ic[2], rho, Bn254.R), Bn254.R);
        sum = addmod(sum, mulmod(trapdoor.ic[3], alpha, Bn254.R), Bn254.R);
        uint256 right =
            addmod(mulmod(trapdoor.alpha, trapdoor.beta, Bn254.R), mulmod(trapdoor.gamma, sum, Bn254.R), Bn254.R);
        return mulmod(addmod(ab, Bn254.R - right, Bn254.R), _inverse(trapdoor.delta), Bn254.R);
    }

    /// @dev k·G₁
    function _g1(uint256 k) internal view returns (uint256, uint256) {
        uint256[2] memory point;
        Bn254.addMul(point, 1, 2, k);
        return (point[0], point[1]);
    }

    /// @dev k⁻¹ modulo the group order, by the precompile for modular exponentiation.
    function _inverse(uint256 k) internal view returns (uint256) {
        (bool called, bytes memory out) =
            address(5).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), k, Bn254.R - 2, Bn254.R));
        assertTrue(called);
        return abi.decode(out, (uint256));
    }

    /// @dev The first `count` proofs of the vectors, as memory that a test may spoil.
    function _vectors(uint256 count) internal view returns (uint256[] memory inputs, uint256[12][] memory proofs) {
        inputs = new uint256[](count);
        proofs = new uint256[12][](count);
        for (uint256 i = 0; i < count; ++i) {
            inputs[i] = vectorInputs[i];
            proofs[i] = vectorProofs[i];
        }
    }
}
