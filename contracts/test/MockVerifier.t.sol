// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {MockVerifier} from "../src/MockVerifier.sol";

contract MockVerifierTest is Base {
    function test_verifyBatch_acceptsProofsThatCarryTheirInput() public {
        MockVerifier mock = new MockVerifier();
        uint256[] memory inputs = new uint256[](2);
        uint256[12][] memory proofs = new uint256[12][](2);
        (inputs[0], inputs[1]) = (11, 22);
        (proofs[0][0], proofs[1][0]) = (11, 22);
        assertTrue(mock.verifyBatch(inputs, proofs));
        proofs[1][0] = 23;
        assertFalse(mock.verifyBatch(inputs, proofs));
    }

    function test_verifyBatch_revertsLengthMismatch_whenAnInputIsMissing() public {
        MockVerifier mock = new MockVerifier();
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.LengthMismatch.selector, 1, 2));
        mock.verifyBatch(new uint256[](1), new uint256[12][](2));
    }

    function test_constructor_acceptsDevelopmentChains() public {
        vm.chainId(1337);
        new MockVerifier();
        vm.chainId(31337);
        new MockVerifier();
    }

    function testFuzz_constructor_revertsNotADevelopmentChain_whenElsewhere(uint64 id) public {
        vm.assume(id != 1337 && id != 31337 && id != 0);
        vm.chainId(id);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.NotADevelopmentChain.selector, id));
        new MockVerifier();
    }
}
