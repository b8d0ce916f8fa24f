//! The parameters of one width in the form that is cheap to evaluate: worked out once from circom's.
//!
//! A partial round puts one element through the S-box and multiplies the state by the matrix M. With M = (m, v; w, N) in
//! blocks of 1 and T − 1, and state (x, y): x' = m·s + v·y + c₀, y' = w·s + N·y + c, s = x⁵. Let R be the number of partial
//! rounds and z = Nᴿ⁻ᵏ·y before partial round k: then z' = z + Nᴿ⁻ᵏ⁻¹·(w·s + c) and x' = m·s + (v·N⁻⁽ᴿ⁻ᵏ⁾)·z + c₀, without
//! a dense matrix. Nᴿ is multiplied into the matrix of the full round before, and z = y at the end.
//!
//! The constants of z are all added before the first partial round, and x' subtracts the contribution of those that belong
//! to later rounds. So over a few rounds z' is z plus columns times s, and x' is a sum over an older z and the S-box
//! outputs since then.
//!
//! Source: Grassi et al., "Poseidon", 2019/458, appendix B.

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

use super::BLOCK;

type Matrix = Vec<Vec<Fr>>;

/// S-boxes on every element, then matrix, then constants.
pub(super) struct FullRound<const T: usize> {
    pub matrix: Box<[[Fr; T]; T]>,
    /// Of the round that follows.
    pub constants: [Fr; T],
}

/// x' = row·z + boxes·(outputs of the S-boxes of this block, up to this round) + constant, z being the state at the
/// beginning of the block; column·(output) is what the round adds to z.
pub(super) struct PartialRound {
    pub row: Vec<Fr>,
    pub boxes: Vec<Fr>,
    pub column: Vec<Fr>,
    pub constant: Fr,
}

/// The parameters of width `T`.
pub(super) struct Parameters<const T: usize> {
    /// The constants of the first round.
    pub first: [Fr; T],
    pub opening: Vec<FullRound<T>>,
    pub partial: Vec<PartialRound>,
    /// All but the last round.
    pub closing: Vec<FullRound<T>>,
    /// The row of the last round's matrix that gives the hash.
    pub last: [Fr; T],
}

fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

fn apply(m: &Matrix, v: &[Fr]) -> Vec<Fr> {
    m.iter().map(|row| dot(row, v)).collect()
}

/// v·m.
fn apply_left(v: &[Fr], m: &Matrix) -> Vec<Fr> {
    (0..m[0].len()).map(|j| v.iter().zip(m).map(|(x, row)| *x * row[j]).sum()).collect()
}

/// Gauss–Jordan.
#[expect(clippy::expect_used, reason = "every square submatrix of an MDS matrix is invertible")]
fn inverse(m: &Matrix) -> Matrix {
    let n = m.len();
    let unit = |i: usize| (0..n).map(move |j| Fr::from(i == j));
    let mut rows: Matrix =
        m.iter().enumerate().map(|(i, r)| r.iter().copied().chain(unit(i)).collect()).collect();
    for col in 0..n {
        let pivot = (col..n).find(|&r| !rows[r][col].is_zero()).expect("invertible");
        rows.swap(col, pivot);
        let scale = rows[col][col].inverse().expect("pivot is not zero");
        rows[col].iter_mut().for_each(|x| *x *= scale);
        let pivot_row = rows[col].clone();
        for (r, row) in rows.iter_mut().enumerate() {
            if r != col {
                let by = row[col];
                row.iter_mut().zip(&pivot_row).for_each(|(x, p)| *x -= by * p);
            }
        }
    }
    rows.into_iter().map(|r| r[n..].to_vec()).collect()
}

fn array<const T: usize>(v: &[Fr]) -> [Fr; T] {
    std::array::from_fn(|i| v[i])
}

impl<const T: usize> Parameters<T> {
    #[expect(clippy::expect_used, reason = "the width is one of those that `poseidon` names")]
    pub fn new() -> Self {
        let width = u8::try_from(T).expect("at most 13");
        let p = get_poseidon_parameters::<Fr>(width).expect("circom parameters exist for widths 2 to 13");
        let half = p.full_rounds / 2;
        let constants: Vec<&[Fr]> = p.ark.chunks(T).collect();
        let (entry, entry_constants, partial) = partial_rounds(&p.mds, &constants, half, p.partial_rounds);
        let full = |matrix: &Matrix, constants: &[Fr]| FullRound {
            matrix: Box::new(std::array::from_fn(|i| array(&matrix[i]))),
            constants: array(constants),
        };
        let mut opening: Vec<_> = (1..half).map(|round| full(&p.mds, constants[round])).collect();
        opening.push(full(&entry, &entry_constants));
        let after = half + p.partial_rounds;
        Self {
            first: array(constants[0]),
            opening,
            partial,
            closing: (after + 1..after + half).map(|round| full(&p.mds, constants[round])).collect(),
            last: array(&p.mds[0]),
        }
    }
}

/// The matrix and the constants of the full round before the partial ones, and the partial ones.
fn partial_rounds(
    mds: &Matrix,
    constants: &[&[Fr]],
    half: usize,
    count: usize,
) -> (Matrix, Vec<Fr>, Vec<PartialRound>) {
    let n: Matrix = mds[1..].iter().map(|row| row[1..].to_vec()).collect();
    let n_inverse = inverse(&n);
    let w: Vec<Fr> = mds[1..].iter().map(|row| row[0]).collect();

    // From the last round back: what a round adds to z, and the constants that z gets in and after this round.
    let mut rounds = Vec::with_capacity(count);
    let mut row = mds[0][1..].to_vec();
    let mut power: Matrix = (0..w.len()).map(|i| (0..w.len()).map(|j| Fr::from(i == j)).collect()).collect();
    let mut to_come = vec![Fr::zero(); w.len()];
    for round in (half..half + count).rev() {
        row = apply_left(&row, &n_inverse);
        to_come.iter_mut().zip(apply(&power, &constants[round + 1][1..])).for_each(|(sum, c)| *sum += c);
        let constant = constants[round + 1][0] - dot(&row, &to_come);
        rounds.push(PartialRound { row: row.clone(), boxes: vec![], column: apply(&power, &w), constant });
        let columns: Matrix =
            (0..w.len()).map(|j| apply(&power, &n.iter().map(|r| r[j]).collect::<Vec<_>>())).collect();
        power = (0..w.len()).map(|i| columns.iter().map(|c| c[i]).collect()).collect();
    }
    rounds.reverse();
    for block in rounds.chunks_mut(BLOCK) {
        for k in 0..block.len() {
            let (before, round) = block.split_at_mut(k);
            let round = &mut round[0];
            round.boxes = before.iter().map(|earlier| dot(&round.row, &earlier.column)).collect();
            round.boxes.push(mds[0][0]);
        }
    }

    // diag(1, Nᴿ)·M, and the same of the constants.
    let columns: Vec<Vec<Fr>> = (0..mds.len())
        .map(|j| apply(&power, &mds[1..].iter().map(|row| row[j]).collect::<Vec<_>>()))
        .collect();
    let mut entry = vec![mds[0].clone()];
    entry.extend((0..w.len()).map(|i| columns.iter().map(|c| c[i]).collect()));
    let mut entry_constants = vec![constants[half][0]];
    entry_constants
        .extend(apply(&power, &constants[half][1..]).iter().zip(&to_come).map(|(c, sum)| *c + sum));
    (entry, entry_constants, rounds)
}
