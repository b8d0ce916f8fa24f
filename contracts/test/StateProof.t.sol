// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";
import {StateProof} from "../src/StateProof.sol";
import {IStateProof} from "../src/interfaces/IStateProof.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

/// @dev Cheatcodes that only these tests use.
interface VmBytes {
    function parseJsonBytesArray(string calldata json, string calldata key) external pure returns (bytes[] memory);
}

/// @title Proofs of state by the vectors that Rust writes, whole and altered
contract StateProofTest is Base {
    uint256 private constant ACCOUNTS = 6;
    uint256 private constant SLOTS = 5;
    // Words of a proof's first element.
    uint256 private constant PRESENT = 0;
    uint256 private constant KEY = 1;
    uint256 private constant V0 = 2;
    uint256 private constant V1 = 3;
    uint256 private constant V2 = 4;
    uint256 private constant NEXT_KEY = 5;
    uint256 private constant NEXT_INDEX = 6;
    uint256 private constant INDEX = 7;
    uint256 private constant LEAF_COUNT = 8;
    uint256 private constant TREE_ROOT = 9;

    /// @dev A call of the verifier.
    struct Claim {
        bool isSlot;
        bytes32 root;
        address account;
        uint256 slot;
        bytes[] proof;
    }

    error Accepted();

    string private json;
    bytes32 private root;
    StateProof private verifier;

    function setUp() public {
        json = vm.readFile("test/vectors/state_proof.json");
        root = bytes32(vm.parseJsonUint(json, ".stateRoot"));
        verifier = new StateProof();
    }

    // Accepted

    function test_verifyAccount_returnsWhatRustProved() public view {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            Claim memory claim = _account(i);
            (bool exists, uint64 nonce, uint256 balance, bytes32 codeHash) =
                verifier.verifyAccount(root, claim.account, claim.proof);
            assertEq(exists ? 1 : 0, _word(_key("accounts", i, "exists")));
            assertEq(nonce, _word(_key("accounts", i, "nonce")));
            assertEq(balance, _word(_key("accounts", i, "balance")));
            assertEq(uint256(codeHash), _word(_key("accounts", i, "codeHash")));
        }
    }

    function test_verifyStorage_returnsWhatRustProved() public view {
        for (uint256 i = 0; i < SLOTS; ++i) {
            Claim memory claim = _slot(i);
            uint256 value = verifier.verifyStorage(root, claim.account, claim.slot, claim.proof);
            assertEq(value, _word(_key("slots", i, "value")));
            assertEq(_get(claim.proof, 0, PRESENT), _word(_key("slots", i, "present")));
        }
    }

    /// @dev The vectors are what the tests below need: each kind of leaf, present and absent.
    function test_vectors_haveTheEdges() public view {
        Claim memory last = _account(2);
        assertEq(_get(last.proof, 0, INDEX) + 1, _get(last.proof, 0, LEAF_COUNT));
        assertEq(_word(_key("accounts", 2, "balance")), type(uint256).max);
        assertEq(_word(_key("accounts", 2, "nonce")), type(uint64).max);
        assertEq(_get(_account(4).proof, 0, NEXT_KEY), 0);
        assertEq(_get(_account(5).proof, 0, KEY), 0);
        assertTrue(_word(_key("accounts", 1, "codeHash")) != 0);
    }

    function test_gas() public {
        Claim memory claim = _account(0);
        verifier.verifyAccount(root, claim.account, claim.proof);
        vm.snapshotGasLastCall("StateProof", "verifyAccount");
        claim = _account(3);
        verifier.verifyAccount(root, claim.account, claim.proof);
        vm.snapshotGasLastCall("StateProof", "verifyAccount of an absent account");
        claim = _slot(0);
        verifier.verifyStorage(root, claim.account, claim.slot, claim.proof);
        vm.snapshotGasLastCall("StateProof", "verifyStorage");
    }

    // Refused

    function test_verify_revertsWrongStateRoot_whenTheRootIsAnothers() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            Claim memory claim = _claim(i);
            claim.root = keccak256("another state");
            _reverts(claim, abi.encodeWithSelector(IStateProof.WrongStateRoot.selector, claim.root, root));
            claim.root = root;
            _alter(claim, 0, LEAF_COUNT, _get(claim.proof, 0, LEAF_COUNT) + 1);
            _revertsWith(claim, IStateProof.WrongStateRoot.selector);
        }
    }

    function test_verify_revertsWrongTreeRoot_whenASiblingIsAltered() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            for (uint256 level = 1; level <= 10; ++level) {
                Claim memory claim = _claim(i);
                uint256 word = (i + level) % 7;
                _alter(claim, level, word, addmod(_get(claim.proof, level, word), 1, Bn254.R));
                _revertsWith(claim, IStateProof.WrongTreeRoot.selector);
            }
        }
    }

    function test_verify_revertsWrongTreeRoot_whenTheLeafIsAltered() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            Claim memory claim = _claim(i);
            bool present = _get(claim.proof, 0, PRESENT) == 1;
            for (uint256 word = V0; word <= TREE_ROOT; ++word) {
                // A slot's third value, a predecessor's next key, position and leaf count have errors of their own.
                if (word == V2 && present && claim.isSlot) continue;
                if (word == NEXT_KEY && !present) continue;
                if (word == INDEX || word == LEAF_COUNT) continue;
                claim = _claim(i);
                uint256 old = _get(claim.proof, 0, word);
                _alter(claim, 0, word, old == 0 ? 1 : old - 1);
                _revertsWith(claim, IStateProof.WrongTreeRoot.selector);
            }
            claim = _claim(i);
            uint256 index = _get(claim.proof, 0, INDEX);
            _alter(claim, 0, INDEX, index == 0 ? 1 : index - 1);
            _revertsWith(claim, IStateProof.WrongTreeRoot.selector);
        }
    }

    function test_verify_revertsIndexOutOfRange_whenNoLeafCanBeThere() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            Claim memory claim = _claim(i);
            uint256 count = _get(claim.proof, 0, LEAF_COUNT);
            _alter(claim, 0, INDEX, count);
            _reverts(claim, abi.encodeWithSelector(IStateProof.IndexOutOfRange.selector, count, count));
            // The same position below bit 30, which the path does not see.
            claim = _claim(i);
            uint256 far = _get(claim.proof, 0, INDEX) | (1 << 30);
            _alter(claim, 0, INDEX, far);
            _alter(claim, 0, LEAF_COUNT, type(uint64).max);
            _reverts(claim, abi.encodeWithSelector(IStateProof.IndexOutOfRange.selector, far, type(uint64).max));
        }
    }

    function test_verify_revertsWrongKey_whenTheLeafIsAnothers() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            Claim memory claim = _claim(i);
            if (_get(claim.proof, 0, PRESENT) == 0) {
                // A predecessor passed off as the leaf itself.
                _alter(claim, 0, PRESENT, 1);
            } else {
                claim.account = address(0xdead);
            }
            _revertsWith(claim, IStateProof.WrongKey.selector);
        }
        Claim memory slot = _slot(0);
        slot.slot += 1;
        _revertsWith(slot, IStateProof.WrongKey.selector);
        // An account's proof is none of its slots', and the reverse.
        Claim memory account = _account(1);
        account.isSlot = true;
        _revertsWith(account, IStateProof.WrongKey.selector);
        slot = _slot(0);
        slot.isSlot = false;
        _revertsWith(slot, IStateProof.WrongKey.selector);
    }

    function test_verify_revertsNotPredecessor_whenAbsenceDoesNotFollow() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            Claim memory claim = _claim(i);
            uint256 key = _get(claim.proof, 0, KEY);
            uint256 nextKey = _get(claim.proof, 0, NEXT_KEY);
            if (_get(claim.proof, 0, PRESENT) == 1) {
                // A leaf hidden behind itself.
                _alter(claim, 0, PRESENT, 0);
                _reverts(claim, abi.encodeWithSelector(IStateProof.NotPredecessor.selector, key, key, nextKey));
                continue;
            }
            _alter(claim, 0, KEY, Bn254.R - 1);
            _revertsWith(claim, IStateProof.NotPredecessor.selector);
            claim = _claim(i);
            _alter(claim, 0, NEXT_KEY, 1);
            _revertsWith(claim, IStateProof.NotPredecessor.selector);
        }
    }

    function test_verify_revertsValueOutOfRange_whenAValueHasTooManyBits() public view {
        for (uint256 i = 0; i < ACCOUNTS + SLOTS; ++i) {
            // Another next index in the same hash.
            Claim memory claim = _claim(i);
            uint256 alias_ = _get(claim.proof, 0, V1) + (_get(claim.proof, 0, NEXT_INDEX) << 128);
            if (alias_ >> 128 != 0) {
                _alter(claim, 0, V1, alias_);
                _alter(claim, 0, NEXT_INDEX, 0);
                _reverts(claim, abi.encodeWithSelector(IStateProof.ValueOutOfRange.selector, 1, alias_));
            }
            claim = _claim(i);
            if (_get(claim.proof, 0, PRESENT) == 0) continue;
            uint256 large = claim.isSlot ? 1 << 128 : 1 << 192;
            _alter(claim, 0, V0, large);
            _reverts(claim, abi.encodeWithSelector(IStateProof.ValueOutOfRange.selector, 0, large));
            if (!claim.isSlot) continue;
            claim = _claim(i);
            _alter(claim, 0, V2, 1);
            _reverts(claim, abi.encodeWithSelector(IStateProof.ValueOutOfRange.selector, 2, 1));
        }
    }

    function test_verifyAccount_revertsNotCanonical_whenAWordIsOutOfRange() public view {
        _rejectsWordsOutOfRange(3);
    }

    function test_verifyStorage_revertsNotCanonical_whenAWordIsOutOfRange() public view {
        _rejectsWordsOutOfRange(ACCOUNTS);
    }

    function test_verify_revertsLengths_whenElementsAreMissingOrCut() public view {
        Claim memory claim = _account(0);
        bytes[] memory whole = claim.proof;
        for (uint256 count = 0; count <= 13; ++count) {
            if (count == 11) continue;
            claim.proof = new bytes[](count);
            for (uint256 i = 0; i < count && i < 11; ++i) {
                claim.proof[i] = whole[i];
            }
            _reverts(claim, abi.encodeWithSelector(IStateProof.ProofLength.selector, 11, count));
        }
        for (uint256 element = 0; element <= 10; ++element) {
            uint256 length = element == 0 ? 320 : 224;
            for (uint256 i = 0; i < 3; ++i) {
                uint256 got = [length - 1, length + 1, 0][i];
                claim = _account(0);
                claim.proof[element] = _resized(claim.proof[element], got);
                _reverts(claim, abi.encodeWithSelector(IStateProof.ElementLength.selector, element, length, got));
            }
        }
    }

    function testFuzz_verify_reverts_whenOneByteIsAltered(uint256 which, uint256 place, uint8 change) public view {
        Claim memory claim = _claim(which % (ACCOUNTS + SLOTS));
        uint256 element = place % 11;
        uint256 position = (place >> 8) % claim.proof[element].length;
        claim.proof[element][position] ^= bytes1(change == 0 ? 1 : change);
        (bool accepted,) = _call(claim);
        // A predecessor whose key or next key moved within the gap still fails at the path.
        assertFalse(accepted);
    }

    /// @dev Every word of a proof by the least value out of its range, and by another number for the same element.
    function _rejectsWordsOutOfRange(uint256 i) private view {
        for (uint256 element = 0; element <= 10; ++element) {
            for (uint256 word = 0; word < (element == 0 ? 10 : 7); ++word) {
                Claim memory claim = _claim(i);
                uint256 old = _get(claim.proof, element, word);
                uint256 least = Bn254.R;
                if (element == 0 && word == PRESENT) least = 2;
                if (element == 0 && word >= NEXT_INDEX && word <= LEAF_COUNT) least = 1 << 64;
                _alter(claim, element, word, least);
                _reverts(claim, abi.encodeWithSelector(IStateProof.NotCanonical.selector, element, word, least));
                if (least != Bn254.R || old == 0) continue;
                _alter(claim, element, word, old + least);
                _reverts(claim, abi.encodeWithSelector(IStateProof.NotCanonical.selector, element, word, old + least));
            }
        }
    }

    // Claims

    function _claim(uint256 i) private view returns (Claim memory) {
        return i < ACCOUNTS ? _account(i) : _slot(i - ACCOUNTS);
    }

    function _account(uint256 i) private view returns (Claim memory claim) {
        claim = _named("accounts", i);
    }

    function _slot(uint256 i) private view returns (Claim memory claim) {
        claim = _named("slots", i);
        claim.isSlot = true;
        claim.slot = _word(_key("slots", i, "slot"));
    }

    function _named(string memory list, uint256 i) private view returns (Claim memory claim) {
        claim.root = root;
        claim.account = address(uint160(_word(_key(list, i, "address"))));
        claim.proof = VmBytes(address(vm)).parseJsonBytesArray(json, _key(list, i, "proof"));
    }

    function _call(Claim memory claim) private view returns (bool accepted, bytes memory data) {
        if (claim.isSlot) {
            try verifier.verifyStorage(claim.root, claim.account, claim.slot, claim.proof) returns (uint256) {
                accepted = true;
            } catch (bytes memory reason) {
                data = reason;
            }
        } else {
            try verifier.verifyAccount(claim.root, claim.account, claim.proof) returns (
                bool, uint64, uint256, bytes32
            ) {
                accepted = true;
            } catch (bytes memory reason) {
                data = reason;
            }
        }
    }

    function _reverts(Claim memory claim, bytes memory expected) private view {
        (bool accepted, bytes memory data) = _call(claim);
        if (accepted) revert Accepted();
        assertEq(string(data), string(expected));
    }

    function _revertsWith(Claim memory claim, bytes4 selector) private view {
        (bool accepted, bytes memory data) = _call(claim);
        if (accepted) revert Accepted();
        assertEq(bytes32(bytes4(data)), bytes32(selector));
    }

    // Words

    function _get(bytes[] memory proof, uint256 element, uint256 word) private pure returns (uint256 value) {
        bytes memory words = proof[element];
        assembly ("memory-safe") {
            value := mload(add(add(words, 0x20), mul(word, 0x20)))
        }
    }

    function _alter(Claim memory claim, uint256 element, uint256 word, uint256 value) private pure {
        bytes memory words = claim.proof[element];
        assertTrue(_get(claim.proof, element, word) != value);
        assembly ("memory-safe") {
            mstore(add(add(words, 0x20), mul(word, 0x20)), value)
        }
    }

    function _resized(bytes memory old, uint256 length) private pure returns (bytes memory resized) {
        resized = new bytes(length);
        for (uint256 i = 0; i < length && i < old.length; ++i) {
            resized[i] = old[i];
        }
    }

    function _key(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "].", field);
    }

    function _word(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, key);
    }
}
