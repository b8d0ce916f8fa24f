#!/usr/bin/env python3
"""Writes groth16.json: a verifying key whose trapdoor is known, and proofs simulated with it.

Everything is computed here independently of the contracts: curve and pairing by py_ecc, keccak by pycryptodome, and each
proof is checked against the two pairing equations before it is written. The seed is fixed, so the file is reproducible.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install py_ecc==8.0.0 pycryptodome==4.4.0
    /tmp/venv/bin/python contracts/test/vectors/generate.py
"""

import json
import pathlib
import random

from Crypto.Hash import keccak
from py_ecc.optimized_bn128 import (
    FQ2, G1, G2, add, b2, curve_order as R, field_modulus as Q, is_on_curve, multiply, normalize, pairing,
)

PROOFS = 4
rng = random.Random("cairn groth16 vectors")


def scalar():
    return rng.randrange(1, R)


def word(value):
    return value.to_bytes(32, "big")


def digest(data):
    return keccak.new(digest_bits=256, data=data).digest()


def g1(point):
    x, y = normalize(point)
    return [int(x), int(y)]


def g2(point):
    """Words in the order of EIP-197: imaginary part first."""
    x, y = normalize(point)
    return [int(x.coeffs[1]), int(x.coeffs[0]), int(y.coeffs[1]), int(y.coeffs[0])]


def outside_subgroup():
    """A point of the twist that is not in the subgroup of order R."""
    for c in range(1, 1000):
        x = FQ2([c, 0])
        y = sqrt_fq2(x * x * x + b2)
        if y is None:
            continue
        point = (x, y, FQ2.one())
        assert is_on_curve(point, b2)
        if not multiply(point, R)[2] == FQ2.zero():
            return point
    raise AssertionError("no point found")


def sqrt_fq2(a):
    """Square root in Fq², None if there is none. q² − 1 = 16·m, m odd: a^((m+1)/2) is a root up to a 16th root of unity."""
    m = (Q * Q - 1) // 16
    assert m % 2 == 1
    non_residue = next(u for u in (FQ2([c, 1]) for c in range(1, 50)) if u ** (8 * m) != FQ2.one())
    candidate, unit = a ** ((m + 1) // 2), non_residue**m
    for k in range(16):
        y = candidate * unit**k
        if y * y == a:
            return y
    return None


def main():
    alpha, beta, gamma, delta, sigma = (scalar() for _ in range(5))
    ic = [scalar() for _ in range(4)]
    alpha1, ic1 = multiply(G1, alpha), [multiply(G1, v) for v in ic]
    beta2, gamma2, delta2, sigma2 = (multiply(G2, v) for v in (beta, gamma, delta, sigma))
    words = g1(alpha1) + g2(beta2) + g2(gamma2) + g2(delta2) + g2(sigma2) + sum((g1(p) for p in ic1), [])
    vk_digest = digest(b"".join(map(word, words)))

    proofs = []
    for _ in range(PROOFS):
        x, a, b, d = scalar(), scalar(), scalar(), scalar()
        point_d = multiply(G1, d)
        seed = digest(b"cairn.challenge.v1".ljust(32, b"\0") + vk_digest + word(x) + b"".join(map(word, g1(point_d))))
        rho = int.from_bytes(digest(seed + b"\0"), "big") % R
        alpha_challenge = int.from_bytes(digest(seed + b"\1"), "big") % R
        inputs = (ic[0] + x * ic[1] + rho * ic[2] + alpha_challenge * ic[3]) % R
        c = (a * b - alpha * beta - gamma * (inputs + d)) * pow(delta, -1, R) % R
        point_a, point_b, point_c = multiply(G1, a), multiply(G2, b), multiply(G1, c)
        d_pok = multiply(G1, sigma * d % R)

        bases = add(add(add(ic1[0], multiply(ic1[1], x)), multiply(ic1[2], rho)), multiply(ic1[3], alpha_challenge))
        right = pairing(beta2, alpha1) * pairing(gamma2, add(bases, point_d)) * pairing(delta2, point_c)
        assert pairing(point_b, point_a) == right
        assert pairing(sigma2, point_d) == pairing(G2, d_pok)
        proofs.append({
            "publicInput": x,
            "rho": rho,
            "alpha": alpha_challenge,
            "bScalar": b,
            "words": g1(point_a) + g2(point_b) + g1(point_c) + g1(point_d) + g1(d_pok),
        })

    def hexed(value):
        if isinstance(value, dict):
            return {k: hexed(v) for k, v in value.items()}
        if isinstance(value, list):
            return [hexed(v) for v in value]
        return f"0x{value:064x}"

    out = hexed({
        "vkDigest": int.from_bytes(vk_digest, "big"),
        "key": words,
        "trapdoor": {"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta, "sigma": sigma, "ic": ic},
        "proofs": proofs,
        "negatedDelta": g2(multiply(G2, R - delta)),
        "outsideSubgroup": g2(outside_subgroup()),
    })
    path = pathlib.Path(__file__).with_name("groth16.json")
    path.write_text(json.dumps(out, indent=2) + "\n")
    print(f"wrote {path.name}: {PROOFS} proofs")


if __name__ == "__main__":
    main()
