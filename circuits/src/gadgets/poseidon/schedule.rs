//! What does not depend on values: parameters, S-box outputs as combinations of later inputs, and a fast evaluation.
//!
//! S-boxes are numbered in order of evaluation: t in each of four full rounds, one in each partial round, t in each of
//! four full rounds. A state is "after the round's constants were added", so its elements are S-box inputs.

use std::sync::OnceLock;

use ark_ff::{Field, One, Zero};
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

use crate::F;

/// Largest width with circom parameters.
const MAX_WIDTH: usize = 13;
static SCHEDULES: [OnceLock<Schedule>; MAX_WIDTH + 1] = [const { OnceLock::new() }; MAX_WIDTH + 1];

type Matrix = Vec<Vec<F>>;

/// Σ coeff · (input of S-box n) + constant · en.
#[derive(Debug, Default)]
pub(super) struct Affine {
    pub terms: Vec<(usize, F)>,
    pub constant: F,
}

/// A partial round with the untouched elements y kept as z = Mh⁻ᵏ·y, Mh being the matrix without row and column 0:
/// x' = mds₀₀·s + row·z + constant, z' = z + column·s. The constants of z are folded into those of x.
#[derive(Debug)]
struct PartialRound {
    row: Vec<F>,
    column: Vec<F>,
    constant: F,
}

/// Everything about one width.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Added before each round, by round and element.
    pub constants: Matrix,
    pub mds: Matrix,
    /// Output of each S-box but those of the last round.
    pub outputs: Vec<Affine>,
    /// Input of S-box t, which the constant output of S-box 0 determines.
    pub entry: Affine,
    partial: Vec<PartialRound>,
    /// y = leave·z + leave_constant · en after the partial rounds.
    leave: Matrix,
    leave_constant: Vec<F>,
    half_rounds: usize,
}

/// A hash's values: all S-box inputs, and the outputs of the last round.
pub(super) struct Values {
    pub x: Vec<F>,
    pub last: Vec<F>,
}

fn fifth(x: F) -> F {
    x.square().square() * x
}

fn dot(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

fn apply(m: &Matrix, v: &[F]) -> Vec<F> {
    m.iter().map(|row| dot(row, v)).collect()
}

fn add_scaled(to: &mut [F], from: &[F], by: F) {
    for (a, b) in to.iter_mut().zip(from) {
        *a += *b * by;
    }
}

/// Gauss–Jordan. MDS matrices and their minors are invertible, and so are the pivots after row exchange.
#[expect(clippy::expect_used, reason = "every square submatrix of an MDS matrix is invertible")]
fn inverse(m: &Matrix) -> Matrix {
    let n = m.len();
    let unit = |i: usize| (0..n).map(move |j| F::from(i == j));
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
                let by = -row[col];
                add_scaled(row, &pivot_row, by);
            }
        }
    }
    rows.into_iter().map(|r| r[n..].to_vec()).collect()
}

impl Schedule {
    /// The schedule of `width`, worked out on first use.
    pub(super) fn of(width: usize) -> &'static Self {
        assert!(
            (2..=MAX_WIDTH).contains(&width),
            "Poseidon takes 1 to 12 inputs, got {}",
            width.saturating_sub(1)
        );
        SCHEDULES[width].get_or_init(|| Self::new(width))
    }

    #[expect(clippy::expect_used, reason = "the width was checked")]
    fn new(width: usize) -> Self {
        let width_u8 = u8::try_from(width).expect("at most 13");
        let p = get_poseidon_parameters::<F>(width_u8).expect("circom parameters exist for widths 2 to 13");
        let half_rounds = p.full_rounds / 2;
        let constants: Matrix = p.ark.chunks(width).map(<[F]>::to_vec).collect();
        let (outputs, entry) = outputs(&constants, &p.mds, half_rounds, p.partial_rounds);
        let (partial, leave, leave_constant) =
            partial_rounds(&constants, &p.mds, half_rounds, p.partial_rounds);
        Self { constants, mds: p.mds, outputs, entry, partial, leave, leave_constant, half_rounds }
    }

    /// Evaluates with constants multiplied by `en`.
    pub(super) fn evaluate(&self, en: F, inputs: &[F]) -> Values {
        let width = self.mds.len();
        let rounds = self.constants.len();
        if en.is_zero() && inputs.iter().all(F::is_zero) {
            return Values { x: vec![F::zero(); self.outputs.len() + width], last: vec![F::zero(); width] };
        }
        let mut x = Vec::with_capacity(self.outputs.len() + width);
        let mut state: Vec<F> = std::iter::once(F::zero()).chain(inputs.iter().copied()).collect();
        add_scaled(&mut state, &self.constants[0], en);
        let full = |state: &mut Vec<F>, x: &mut Vec<F>, round: usize| {
            x.extend_from_slice(state);
            state.iter_mut().for_each(|e| *e = fifth(*e));
            if round + 1 < rounds {
                *state = apply(&self.mds, state);
                add_scaled(state, &self.constants[round + 1], en);
            }
        };
        for round in 0..self.half_rounds {
            full(&mut state, &mut x, round);
        }
        for round in &self.partial {
            let s = fifth(state[0]);
            x.push(state[0]);
            state[0] = self.mds[0][0] * s + dot(&round.row, &state[1..]) + round.constant * en;
            add_scaled(&mut state[1..], &round.column, s);
        }
        let mut y = apply(&self.leave, &state[1..]);
        add_scaled(&mut y, &self.leave_constant, en);
        state[1..].copy_from_slice(&y);
        for round in self.half_rounds + self.partial.len()..rounds {
            full(&mut state, &mut x, round);
        }
        Values { x, last: state }
    }
}

/// Walks from the last round to the first: (outputs of round k) = mds⁻¹·(state of round k + 1 − its constants), where
/// in a partial round the elements after the first are the state itself.
#[expect(clippy::expect_used, reason = "an inverse of an MDS matrix has no zero element")]
fn outputs(
    constants: &Matrix,
    mds: &Matrix,
    half_rounds: usize,
    partial_rounds: usize,
) -> (Vec<Affine>, Affine) {
    let width = mds.len();
    let rounds = constants.len();
    let is_partial = |round: usize| (half_rounds..half_rounds + partial_rounds).contains(&round);
    let first_box = |round: usize| {
        round.min(half_rounds) * width
            + round.saturating_sub(half_rounds).min(partial_rounds)
            + round.saturating_sub(half_rounds + partial_rounds) * width
    };
    let boxes = first_box(rounds);
    // Dense: a coefficient for each S-box input, the last for en.
    let unit = |n: usize| -> Vec<F> { (0..=boxes).map(|m| F::from(m == n)).collect() };
    let inverse = inverse(mds);

    let mut state: Matrix = (0..width).map(|j| unit(first_box(rounds - 1) + j)).collect();
    let mut found: Matrix = vec![Vec::new(); first_box(rounds - 1)];
    for round in (0..rounds - 1).rev() {
        for (element, c) in state.iter_mut().zip(&constants[round + 1]) {
            element[boxes] -= c;
        }
        let mut before: Matrix = inverse
            .iter()
            .map(|row| {
                let mut sum = vec![F::zero(); boxes + 1];
                row.iter().zip(&state).for_each(|(&m, element)| add_scaled(&mut sum, element, m));
                sum
            })
            .collect();
        let n = first_box(round);
        let count = if is_partial(round) { 1 } else { width };
        for (j, element) in before.iter_mut().take(count).enumerate() {
            found[n + j] = std::mem::replace(element, unit(n + j));
        }
        state = before;
    }

    // S-box 0 gives the constant c⁵; solve that equation for the input of S-box t and put the solution elsewhere.
    let mut entry = found[0].clone();
    let scale = -entry[width].inverse().expect("no zero in the inverse matrix");
    entry[width] = F::zero();
    entry[boxes] -= fifth(constants[0][0]);
    entry.iter_mut().for_each(|c| *c *= scale);
    for output in found.iter_mut().take(width).skip(1) {
        let by = std::mem::take(&mut output[width]);
        add_scaled(output, &entry, by);
    }
    let sparse = |dense: &Vec<F>| Affine {
        terms: dense[..boxes].iter().copied().enumerate().filter(|(_, c)| !c.is_zero()).collect(),
        constant: dense[boxes],
    };
    (found.iter().map(sparse).collect(), sparse(&entry))
}

fn partial_rounds(
    constants: &Matrix,
    mds: &Matrix,
    half_rounds: usize,
    partial_rounds: usize,
) -> (Vec<PartialRound>, Matrix, Vec<F>) {
    let width = mds.len();
    let minor: Matrix = mds[1..].iter().map(|row| row[1..].to_vec()).collect();
    let minor_inverse = inverse(&minor);
    let first_column: Vec<F> = mds[1..].iter().map(|row| row[0]).collect();

    let mut power: Matrix = (1..width).map(|i| (1..width).map(|j| F::from(i == j)).collect()).collect();
    let mut inverse_power = power.clone();
    let multiply = |a: &Matrix, b: &Matrix| -> Matrix {
        let column = |j: usize| b.iter().map(|row| row[j]).collect::<Vec<_>>();
        let columns: Matrix = (0..b.len()).map(column).collect();
        a.iter().map(|row| columns.iter().map(|c| dot(row, c)).collect()).collect()
    };
    // Constants of y so far, as part of z.
    let mut folded = vec![F::zero(); width - 1];
    let mut rounds = Vec::with_capacity(partial_rounds);
    for round in half_rounds..half_rounds + partial_rounds {
        let row: Vec<F> =
            (0..width - 1).map(|j| (0..width - 1).map(|i| mds[0][i + 1] * power[i][j]).sum()).collect();
        let constant = constants[round + 1][0] + dot(&row, &folded);
        power = multiply(&power, &minor);
        inverse_power = multiply(&inverse_power, &minor_inverse);
        add_scaled(&mut folded, &apply(&inverse_power, &constants[round + 1][1..]), F::one());
        rounds.push(PartialRound { row, column: apply(&inverse_power, &first_column), constant });
    }
    let leave_constant = apply(&power, &folded);
    (rounds, power, leave_constant)
}
