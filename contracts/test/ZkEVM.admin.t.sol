// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ZkEVMBase} from "./ZkEVMBase.sol";
import {GlobalExitRoot} from "../src/GlobalExitRoot.sol";
import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {IZkEVM} from "../src/interfaces/IZkEVM.sol";
import {MockVerifier} from "../src/MockVerifier.sol";
import {ZkEVM} from "../src/ZkEVM.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

contract ZkEVMAdminTest is ZkEVMBase {
    address private constant OTHER = address(0x07e4);

    function setUp() public {
        _deploy();
    }

    function test_constructor_storesItsParameters() public view {
        assertEq(zkEVM.chainID(), CHAIN_ID);
        assertEq(zkEVM.forkID(), FORK_ID);
        assertEq(address(zkEVM.globalExitRootManager()), address(exitRoots));
        assertEq(zkEVM.batchNumToStateRoot(0), GENESIS);
        assertEq(zkEVM.admin(), ADMIN);
        assertEq(zkEVM.trustedSequencer(), SEQUENCER);
        assertEq(zkEVM.trustedAggregator(), AGGREGATOR);
        assertEq(zkEVM.trustedSequencerURL(), "http://localhost:8545");
        assertEq(address(zkEVM.verifiers(SHAPE)), address(verifier));
        assertEq(zkEVM.lastVerifiedBatch(), 0);
        assertEq(zkEVM.lastBatchSequenced(), 0);
    }

    function test_constructor_revertsGlobalExitRootManagerMismatch_whenMadeForAnotherRollup() public {
        IZkEVM.ShapeVerifier[] memory shapes = _shapes();
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.GlobalExitRootManagerMismatch.selector, address(exitRoots), next));
        new ZkEVM(exitRoots, _params(), shapes);
    }

    function test_constructor_revertsIncompleteInitParams_whenARoleOrTheShapesAreMissing() public {
        for (uint256 i = 0; i < 4; ++i) {
            IZkEVM.InitParams memory params = _params();
            if (i == 0) params.admin = address(0);
            if (i == 1) params.trustedSequencer = address(0);
            if (i == 2) params.trustedAggregator = address(0);
            IZkEVM.ShapeVerifier[] memory shapes = i == 3 ? new IZkEVM.ShapeVerifier[](0) : _shapes();
            _refuses(params, shapes, abi.encodeWithSelector(IZkEVM.IncompleteInitParams.selector));
        }
    }

    function test_constructor_revertsNewStateRootNotInsidePrime_whenGenesisIsNoFieldElement() public {
        IZkEVM.InitParams memory params = _params();
        params.genesisStateRoot = bytes32(Bn254.R);
        _refuses(
            params,
            _shapes(),
            abi.encodeWithSelector(IZkEVM.NewStateRootNotInsidePrime.selector, 0, params.genesisStateRoot)
        );
    }

    function test_addVerifier_addsAShape() public {
        MockVerifier mock = new MockVerifier();
        vm.prank(ADMIN);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.AddVerifier(8, address(mock), keccak256("cairn.mock-verifier.v1"));
        zkEVM.addVerifier(8, mock);
        assertEq(address(zkEVM.verifiers(8)), address(mock));
    }

    function test_addVerifier_revertsVerifierAlreadySet_whenTheShapeIsKnown() public {
        MockVerifier mock = new MockVerifier();
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.VerifierAlreadySet.selector, SHAPE));
        zkEVM.addVerifier(SHAPE, mock);
    }

    function test_addVerifier_revertsVerifierHasNoCode_whenNotAContract() public {
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.VerifierHasNoCode.selector, OTHER));
        zkEVM.addVerifier(8, IVerifier(OTHER));
    }

    function test_setters_changeAndEmit() public {
        vm.prank(ADMIN);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.SetTrustedSequencer(OTHER);
        zkEVM.setTrustedSequencer(OTHER);
        assertEq(zkEVM.trustedSequencer(), OTHER);

        vm.prank(ADMIN);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.SetTrustedSequencerURL("ws://sequencer");
        zkEVM.setTrustedSequencerURL("ws://sequencer");
        assertEq(zkEVM.trustedSequencerURL(), "ws://sequencer");

        vm.prank(ADMIN);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.SetTrustedAggregator(OTHER);
        zkEVM.setTrustedAggregator(OTHER);
        assertEq(zkEVM.trustedAggregator(), OTHER);
    }

    function test_adminFunctions_revertOnlyAdmin_whenCalledByAnother() public {
        bytes[5] memory calls = [
            abi.encodeCall(IZkEVM.addVerifier, (8, IVerifier(address(verifier)))),
            abi.encodeCall(IZkEVM.setTrustedSequencer, (OTHER)),
            abi.encodeCall(IZkEVM.setTrustedSequencerURL, ("")),
            abi.encodeCall(IZkEVM.setTrustedAggregator, (OTHER)),
            abi.encodeCall(IZkEVM.transferAdminRole, (OTHER))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(SEQUENCER);
            (bool done, bytes memory reason) = address(zkEVM).call(calls[i]);
            assertFalse(done);
            assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(IZkEVM.OnlyAdmin.selector, SEQUENCER)));
        }
    }

    function test_transferAdminRole_movesTheRoleWhenAccepted() public {
        vm.prank(ADMIN);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.TransferAdminRole(OTHER);
        zkEVM.transferAdminRole(OTHER);
        assertEq(zkEVM.admin(), ADMIN);
        assertEq(zkEVM.pendingAdmin(), OTHER);

        vm.prank(OTHER);
        vm.expectEmit(address(zkEVM));
        emit IZkEVM.AcceptAdminRole(OTHER);
        zkEVM.acceptAdminRole();
        assertEq(zkEVM.admin(), OTHER);
        assertEq(zkEVM.pendingAdmin(), address(0));
    }

    function test_acceptAdminRole_revertsOnlyPendingAdmin_whenNotOffered() public {
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(IZkEVM.OnlyPendingAdmin.selector, OTHER));
        zkEVM.acceptAdminRole();
    }

    function _refuses(IZkEVM.InitParams memory params, IZkEVM.ShapeVerifier[] memory shapes, bytes memory revertData)
        private
    {
        address rollup = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        GlobalExitRoot manager = new GlobalExitRoot(rollup, BRIDGE);
        vm.expectRevert(revertData);
        new ZkEVM(manager, params, shapes);
    }
}
