//! Writes `src/libraries/PoseidonT{3,5,6,9}.sol` from circom's parameters and fails if the committed files differ. Also
//! writes those parameters and hashes made with them to `test/vectors/poseidon.json`, to which `test/Poseidon.t.sol`
//! holds Solidity.
//!
//! After a deliberate change: `UPDATE_VECTORS=1 cargo test -p cairn-contracts --test poseidon`.
//!
//! # The form
//!
//! Let vⱼ be the state before the S-box of partial round j, uⱼ its first element, sⱼ = uⱼ⁵, P the number of partial
//! rounds, t the width, M the matrix, kⱼ the round constants, e the first unit vector. A partial round is affine but for
//! its first element: vⱼ₊₁ = M·vⱼ + (sⱼ − uⱼ)·M·e + kⱼ₊₁. Add t rounds before the first and t after the last in which
//! sⱼ = uⱼ and kⱼ = 0. By Cayley and Hamilton eᵀMᵗ is a combination Σ cᵢ·eᵀMⁱ of its predecessors, so for every j
//!
//! ```text
//! uⱼ = κⱼ + Σᵢ (cᵢ − dᵢ)·u₍ⱼ₋ₜ₊ᵢ₎ + dᵢ·s₍ⱼ₋ₜ₊ᵢ₎      0 ≤ i < t
//! ```
//!
//! with the same cᵢ and dᵢ in every round (c₀ = d₀, as M does not see u): the dᵢ follow from the answer of u to one
//! impulse s − u, the κⱼ from its answer to the constants alone. Where sⱼ = uⱼ for t rounds, their uⱼ are O·v with rows
//! eᵀMⁱ: hence the uⱼ before the first round are O·M⁻ᵗ·v₀, and the state after the last is O⁻¹ times the uⱼ after it. A
//! partial round then costs 2t − 1 multiplications instead of t², and needs no matrix of its own. All of it is exact:
//! the hash is circom's.

use std::{fmt::Write, path::Path};

use ark_bn254::Fr;
use ark_ff::{BigInteger, Field, One, PrimeField, Zero};
use light_poseidon::{Poseidon, PoseidonHasher, parameters::bn254_x5::get_poseidon_parameters};
use serde_json::{Value, json};

/// Widths of the hashes of 2, 4, 5 and 8 elements.
const WIDTHS: [usize; 4] = [3, 5, 6, 9];
/// Terms below the modulus whose sum is below 2²⁵⁶.
const TERMS: usize = 5;
/// The scalar field's, as Solidity has it.
const MODULUS: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
/// Bytes that a round keeps: u, s, κ.
const RECORD: usize = 0x60;

type Vector = Vec<Fr>;
type Matrix = Vec<Vector>;

fn times(m: &Matrix, v: &[Fr]) -> Vector {
    m.iter().map(|row| row.iter().zip(v).map(|(a, b)| *a * b).sum()).collect()
}

fn transpose(m: &Matrix) -> Matrix {
    (0..m[0].len()).map(|i| m.iter().map(|row| row[i]).collect()).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    transpose(&transpose(b).iter().map(|column| times(a, column)).collect())
}

fn unit(t: usize, at: usize) -> Vector {
    (0..t).map(|i| if i == at { Fr::one() } else { Fr::zero() }).collect()
}

/// By Gauss and Jordan.
fn inverse(m: &Matrix) -> Matrix {
    let t = m.len();
    let mut rows: Matrix = m.iter().enumerate().map(|(i, row)| [row.clone(), unit(t, i)].concat()).collect();
    for column in 0..t {
        let pivot = (column..t).find(|i| !rows[*i][column].is_zero()).expect("the matrix is regular");
        rows.swap(column, pivot);
        let scale = rows[column][column].inverse().expect("the pivot is not zero");
        rows[column].iter_mut().for_each(|x| *x *= scale);
        let done = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let factor = row[column];
            row.iter_mut().zip(&done).for_each(|(x, d)| *x -= factor * d);
        }
    }
    rows.into_iter().map(|row| row[t..].to_vec()).collect()
}

/// What the form needs of a width.
struct Form {
    t: usize,
    partial: usize,
    /// Constants of the eight full rounds, in order.
    full: Vector,
    mds: Matrix,
    /// From the state after the fourth S-box to the uⱼ before the first partial round.
    enter: Matrix,
    /// cᵢ − dᵢ and dᵢ.
    recurrence: Vec<(Fr, Fr)>,
    /// κⱼ for 0 ≤ j < P + t − 1; the next is zero.
    kappa: Vector,
    /// From the uⱼ after the last partial round to the state.
    leave: Matrix,
}

impl Form {
    fn new(t: usize) -> Self {
        let p =
            get_poseidon_parameters::<Fr>(u8::try_from(t).expect("small")).expect("circom has this width");
        let (half, partial, m) = (p.full_rounds / 2, p.partial_rounds, p.mds);
        assert_eq!((p.width, half, p.alpha), (t, 4, 5));
        let constants: Vec<Vector> = p.ark.chunks(t).map(<[Fr]>::to_vec).collect();
        let (first, rest) = constants.split_at(half);
        let (middle, last) = rest.split_at(partial);

        // Rows eᵀMⁱ, and eᵀMᵗ as their combination.
        let mut observed: Matrix = vec![unit(t, 0)];
        for i in 0..t {
            observed.push(times(&transpose(&m), &observed[i]));
        }
        let next = observed.pop().expect("t + 1 rows");
        let c = times(&transpose(&inverse(&observed)), &next);
        // What the recurrence does not explain of u after `inputs`.
        let rest_of = |u: &[Fr], j: usize| -> Fr {
            let past = |i: usize| if j + i < t { Fr::zero() } else { u[j + i - t] };
            u[j] - (0..t).map(|i| c[i] * past(i)).sum::<Fr>()
        };
        // An impulse in round 0: u₀ = 0, then the powers of M.
        let mut u = vec![Fr::zero()];
        let mut state = unit(t, 0);
        for _ in 0..t {
            state = times(&m, &state);
            u.push(state[0]);
        }
        let d: Vector = (0..t).map(|i| rest_of(&u, t - i)).collect();
        // The constants alone.
        let (mut u, mut state) = (vec![], vec![Fr::zero(); t]);
        for j in 0..partial + t {
            state = times(&m, &state);
            if let Some(k) = middle.get(j) {
                state.iter_mut().zip(k).for_each(|(x, k)| *x += k);
            }
            u.push(state[0]);
        }
        let mut kappa: Vector = (0..partial + t).map(|j| rest_of(&u, j)).collect();
        assert_eq!(kappa.pop(), Some(Fr::zero()));
        let back = inverse(&m);
        let enter = (1..t).fold(observed.clone(), |rows, _| product(&rows, &back));
        Self {
            t,
            partial,
            full: [first.concat(), last.concat()].concat(),
            mds: m,
            enter,
            recurrence: c.iter().zip(d).map(|(c, d)| (*c - d, d)).collect(),
            kappa,
            leave: inverse(&observed),
        }
    }

    /// Byte offset of the full rounds' constants in the workspace: behind the state.
    const fn full_at(&self) -> usize {
        32 * self.t
    }

    /// Byte offset of the records, the first of which is that of round −t.
    const fn records_at(&self) -> usize {
        self.full_at() + 32 * self.full.len()
    }

    const fn size(&self) -> usize {
        self.records_at() + RECORD * (self.partial + 2 * self.t)
    }
}

fn hex(f: Fr) -> String {
    f.into_bigint().to_bytes_be().iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A value below the modulus; nothing if it is zero.
fn term(value: &str, factor: Fr) -> Option<String> {
    if factor.is_zero() {
        None
    } else if factor.is_one() {
        Some(value.to_owned())
    } else {
        Some(format!("mulmod({value}, {}, r)", hex(factor)))
    }
}

/// The terms' sum, not reduced: at most [`TERMS`].
fn add(terms: &[String]) -> String {
    assert!((1..=TERMS).contains(&terms.len()));
    let (last, others) = terms.split_last().expect("not empty");
    others.iter().rev().fold(last.clone(), |sum, term| format!("add({term}, {sum})"))
}

/// Statements that leave the sum, reduced, in `target`.
fn sum(out: &mut String, indent: &str, target: &str, terms: &[String]) {
    let mut groups = terms.chunks(TERMS);
    let first = add(groups.next().expect("not empty"));
    if terms.len() <= TERMS {
        let _ = writeln!(out, "{indent}{target} := mod({first}, r)");
        return;
    }
    let _ = writeln!(out, "{indent}{target} := {first}");
    for group in groups {
        let _ = writeln!(out, "{indent}{target} := addmod({target}, {}, r)", add(group));
    }
}

/// One row of a matrix times a₀, a₁, …, reduced.
fn row(factors: &[Fr]) -> String {
    let terms: Vec<String> =
        factors.iter().enumerate().filter_map(|(i, f)| term(&format!("a{i}"), *f)).collect();
    let mut groups = terms.chunks(TERMS).map(add);
    let first = groups.next().expect("not empty");
    if terms.len() <= TERMS {
        return if terms.len() == 1 { first } else { format!("mod({first}, r)") };
    }
    groups.fold(first, |sum, group| format!("addmod({sum}, {group}, r)"))
}

fn at(base: &str, offset: usize) -> String {
    if offset == 0 { base.to_owned() } else { format!("add({base}, {offset:#x})") }
}

fn write_workspace(out: &mut String, form: &Form) {
    let _ = writeln!(
        out,
        "    /// @notice Memory for any number of hashes, one after the other, with the constants in it.
    function workspace() internal pure returns (uint256 m) {{
        // forgefmt: disable-start
        assembly (\"memory-safe\") {{
            m := mload(0x40)
            mstore(0x40, add(m, {:#x}))
            // Constants of the full rounds.",
        form.size()
    );
    for (i, k) in form.full.iter().enumerate() {
        let _ = writeln!(out, "            mstore({}, {})", at("m", form.full_at() + 32 * i), hex(*k));
    }
    let _ = writeln!(
        out,
        "            // Constants of the partial rounds. Memory may be used: the last of them is zero."
    );
    let kappa_at = |j: usize| form.records_at() + RECORD * (form.t + j) + 0x40;
    for (j, k) in form.kappa.iter().enumerate() {
        let _ = writeln!(out, "            mstore({}, {})", at("m", kappa_at(j)), hex(*k));
    }
    let _ = writeln!(
        out,
        "            mstore({}, 0)
        }}
        // forgefmt: disable-end
    }}
",
        at("m", kappa_at(form.kappa.len()))
    );
}

fn write_rounds(out: &mut String, form: &Form) {
    let (t, row_bytes) = (form.t, 32 * form.t);
    let window = RECORD * t;
    let _ = writeln!(
        out,
        "    /// @notice Poseidon of the {} words at m + 0x20, each below the field's modulus; overwrites them.
    function hashAt(uint256 m) internal pure returns (uint256 h) {{
        // forgefmt: disable-start
        assembly (\"memory-safe\") {{
            let r := {}
            mstore(m, 0)
            for {{ let k := {} }} 1 {{ k := add(k, {row_bytes:#x}) }} {{
                // The S-box of a full round.",
        t - 1,
        MODULUS,
        at("m", form.full_at()),
    );
    for i in 0..t {
        let (state, constant) = (at("m", 32 * i), at("k", 32 * i));
        let _ = writeln!(
            out,
            "                let a{i} := add(mload({state}), mload({constant}))
                h := mulmod(a{i}, a{i}, r)
                a{i} := mulmod(mulmod(h, h, r), a{i}, r)"
        );
    }
    let _ = writeln!(
        out,
        "                if eq(k, {}) {{
                    // The first elements before the first partial round.",
        at("m", form.full_at() + 3 * row_bytes)
    );
    for (i, factors) in form.enter.iter().enumerate() {
        let record = form.records_at() + RECORD * i;
        let _ = writeln!(
            out,
            "                    h := {}
                    mstore({}, h)
                    mstore({}, h)",
            row(factors),
            at("m", record),
            at("m", record + 0x20)
        );
    }
    let _ = writeln!(
        out,
        "                    // a0 is the record of the round t before this one.
                    a0 := {}
                    a1 := add(a0, {:#x})
                    for {{ a2 := add(a0, {:#x}) }} lt(a0, a2) {{ a0 := add(a0, {RECORD:#x}) }} {{",
        at("m", form.records_at()),
        RECORD * form.partial,
        RECORD * (form.partial + t),
    );
    let mut terms = vec![format!("mload({})", at("a0", window + 0x40))];
    for (i, (of_u, of_s)) in form.recurrence.iter().enumerate() {
        terms.extend(term(&format!("mload({})", at("a0", RECORD * i)), *of_u));
        terms.extend(term(&format!("mload({})", at("a0", RECORD * i + 0x20)), *of_s));
    }
    sum(out, "                        ", "h", &terms);
    let _ = writeln!(
        out,
        "                        mstore({}, h)
                        if lt(a0, a1) {{
                            let x := mulmod(h, h, r)
                            h := mulmod(mulmod(x, x, r), h, r)
                        }}
                        mstore({}, h)
                    }}
                    // The state after the last partial round.",
        at("a0", window),
        at("a0", window + 0x20)
    );
    for i in (0..t).rev() {
        let _ = writeln!(out, "                    a{i} := mload({})", at("a0", RECORD * i));
    }
    for (i, factors) in form.leave.iter().enumerate() {
        let _ = writeln!(out, "                    mstore({}, {})", at("m", 32 * i), row(factors));
    }
    let _ = writeln!(
        out,
        "                    continue
                }}
                h := {}
                if eq(k, {}) {{ break }}
                mstore(m, h)",
        row(&form.mds[0]),
        at("m", form.full_at() + 7 * row_bytes)
    );
    for (i, factors) in form.mds.iter().enumerate().skip(1) {
        let _ = writeln!(out, "                mstore({}, {})", at("m", 32 * i), row(factors));
    }
    let _ = writeln!(
        out,
        "            }}
        }}
        // forgefmt: disable-end
    }}"
    );
}

fn library(form: &Form) -> String {
    let (t, inputs) = (form.t, form.t - 1);
    let mut out = format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

// Written by tests/poseidon.rs, which says how. Not to be edited.

/// @title Poseidon of {inputs} elements over BN254's scalar field, circom's parameters
/// @dev Width {t}, 8 full and {} partial rounds. In a partial round only the first element u passes the S-box, the rest
/// is linear: so u obeys a linear recurrence over the last {t} values of u and of s = u⁵, with the same coefficients in
/// every round (Cayley and Hamilton), and one constant a round. {t} rounds without S-box before and after lead from the
/// state to {t} values of u and back. The result is exactly the hash in its usual form.
library PoseidonT{t} {{
",
        form.partial
    );
    write_workspace(&mut out, form);
    write_rounds(&mut out, form);
    out.push_str(&format!(
        "
    /// @notice Poseidon of {inputs} words, each below the field's modulus.
    function hash(uint256[{inputs}] memory inputs) internal pure returns (uint256) {{
        uint256 m = workspace();
        assembly (\"memory-safe\") {{
            mcopy(add(m, 0x20), inputs, {:#x})
        }}
        return hashAt(m);
    }}
}}
",
        32 * inputs
    ));
    out
}

/// An input: zero, one, the largest element, then numbers without pattern.
fn input(case: usize, at: usize) -> Fr {
    match case {
        0 => Fr::zero(),
        1 => Fr::one(),
        2 => -Fr::one(),
        _ => Fr::from(7 + (case * 100 + at) as u64).pow([0xffff_ffff_ffff]),
    }
}

fn vectors(t: usize) -> Value {
    let p = get_poseidon_parameters::<Fr>(u8::try_from(t).expect("small")).expect("circom has this width");
    let words = |v: &[Fr]| v.iter().map(|f| hex(*f)).collect::<Vec<_>>();
    let mut hasher = Poseidon::<Fr>::new_circom(t - 1).expect("circom has this width");
    let cases: Vec<Value> = (0..8)
        .map(|case| {
            let inputs: Vector = (0..t - 1).map(|at| input(case, at)).collect();
            let hash = hasher.hash(&inputs).expect("the width's number of inputs");
            json!({ "inputs": words(&inputs), "hash": hex(hash) })
        })
        .collect();
    json!({
        "partialRounds": p.partial_rounds,
        "constants": words(&p.ark),
        "matrix": words(&p.mds.concat()),
        "cases": cases,
    })
}

fn check(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, text).expect("the file is writable");
    }
    assert!(
        std::fs::read_to_string(&path).expect("committed file") == text,
        "{} is not current",
        path.display()
    );
}

#[test]
fn solidity_has_the_constants_of_circom() {
    for t in WIDTHS {
        check(&format!("src/libraries/PoseidonT{t}.sol"), &library(&Form::new(t)));
    }
}

#[test]
fn vectors_are_those_of_light_poseidon() {
    let all: serde_json::Map<String, Value> = WIDTHS.iter().map(|t| (format!("t{t}"), vectors(*t))).collect();
    check("test/vectors/poseidon.json", &(serde_json::to_string_pretty(&all).expect("plain values") + "\n"));
}
