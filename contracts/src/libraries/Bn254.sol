// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title BN254 by the precompiles of EIP-196 and EIP-197
/// @dev Points of G1 are two words (x, y). Points of G2 are four words in the order of EIP-197: x₁, x₀, y₁, y₀ for
/// coordinates x₀ + x₁·i and y₀ + y₁·i. The point at infinity is all zeros.
library Bn254 {
    /// @notice Order of the base field.
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @notice Order of the groups and of the scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev x₁ of the generator of G2.
    uint256 internal constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    /// @dev x₀ of the generator of G2.
    uint256 internal constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    /// @dev y₁ of the generator of G2.
    uint256 internal constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    /// @dev y₀ of the generator of G2.
    uint256 internal constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    /// @dev 3/(9 + i), the constant of the curve of G2: real part.
    uint256 private constant TWIST_B0 = 0x2b149d40ceb8aaae81be18991be06ac3b5b4c5e559dbefa33267e6dc24a138e5;
    /// @dev 3/(9 + i): imaginary part.
    uint256 private constant TWIST_B1 = 0x009713b03af0fed4cd2cafadeed8fdf4a74fa084e52d1852e4a2bd0685c315d2;

    /// @notice A precompile refused its input or ran out of gas. `precompile` is its address.
    error PrecompileFailed(uint256 precompile);

    /// @notice Whether (x, y) is on y² = x³ + 3. G1 has cofactor one: a point of the curve is a point of the group.
    /// @dev The point at infinity, (0, 0), is not. Coordinates must be below Q, or aliases are accepted.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        return mulmod(y, y, Q) == addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q);
    }

    /// @notice Whether (x₀ + x₁·i, y₀ + y₁·i) is on y² = x³ + 3/(9 + i).
    /// @dev Says nothing about the subgroup. The point at infinity, all zeros, is not on the curve. Coordinates must be
    /// below Q, or aliases are accepted.
    function isOnTwist(uint256 x1, uint256 x0, uint256 y1, uint256 y0) internal pure returns (bool) {
        (uint256 s1, uint256 s0) = _mulFq2(x1, x0, x1, x0);
        (s1, s0) = _mulFq2(s1, s0, x1, x0);
        (uint256 t1, uint256 t0) = _mulFq2(y1, y0, y1, y0);
        return t0 == addmod(s0, TWIST_B0, Q) && t1 == addmod(s1, TWIST_B1, Q);
    }

    /// @notice acc ← acc + k·(x, y).
    /// @dev k = 1 costs no multiplication. Reverts: PrecompileFailed when (x, y) is not on the curve.
    function addMul(uint256[2] memory acc, uint256 x, uint256 y, uint256 k) internal view {
        bool multiplied = true;
        bool added;
        assembly ("memory-safe") {
            // Scratch space above the free memory pointer: (acc, k·(x, y)) and k behind it.
            let m := mload(0x40)
            mstore(m, mload(acc))
            mstore(add(m, 0x20), mload(add(acc, 0x20)))
            mstore(add(m, 0x40), x)
            mstore(add(m, 0x60), y)
            if iszero(eq(k, 1)) {
                mstore(add(m, 0x80), k)
                multiplied := staticcall(gas(), 0x07, add(m, 0x40), 0x60, add(m, 0x40), 0x40)
            }
            added := staticcall(gas(), 0x06, m, 0x80, acc, 0x40)
        }
        if (!multiplied) revert PrecompileFailed(0x07);
        if (!added) revert PrecompileFailed(0x06);
    }

    /// @notice Second coordinate of the negative of a point whose second coordinate is `y`.
    /// @dev Maps infinity to itself.
    function negateY(uint256 y) internal pure returns (uint256) {
        return y == 0 ? 0 : Q - y;
    }

    /// @notice Whether the product of the pairings is one.
    /// @param words Six words a pair: a point of G1 and a point of G2.
    /// @dev The precompile also checks that every point is on its curve and those of G2 in the right subgroup.
    function pairing(uint256[] memory words) internal view returns (bool) {
        bool called;
        uint256 result;
        assembly ("memory-safe") {
            called := staticcall(gas(), 0x08, add(words, 0x20), mul(mload(words), 0x20), 0x00, 0x20)
            result := mload(0x00)
        }
        if (!called) revert PrecompileFailed(0x08);
        return result == 1;
    }

    /// @dev (a₀ + a₁·i)·(b₀ + b₁·i) with i² = −1.
    function _mulFq2(uint256 a1, uint256 a0, uint256 b1, uint256 b0) private pure returns (uint256 c1, uint256 c0) {
        c1 = addmod(mulmod(a1, b0, Q), mulmod(a0, b1, Q), Q);
        // No underflow: a remainder is below Q.
        c0 = addmod(mulmod(a0, b0, Q), Q - mulmod(a1, b1, Q), Q);
    }
}
