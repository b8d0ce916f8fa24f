//! Native Poseidon over BN254's scalar field with circom's parameters, width = inputs + 1. light-poseidon supplies the
//! parameters and is the oracle of the tests; the evaluation is that of the paper's appendix B. Not a sponge.

mod parameters;
mod wide;

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{Field, Zero};

use parameters::Parameters;
use wide::Wide;

/// Largest number of inputs of one permutation.
pub const MAX_INPUTS: usize = 12;

/// Partial rounds after which the elements without S-box are updated. A smaller number costs reductions, a larger one
/// products.
const BLOCK: usize = 4;

/// Poseidon of 1 to [`MAX_INPUTS`] field elements.
///
/// # Panics
/// If the number of inputs is zero or above [`MAX_INPUTS`]: a mistake of the caller, never of the input.
#[must_use]
pub fn poseidon(inputs: &[Fr]) -> Fr {
    /// The parameters of each width, worked out on first use.
    macro_rules! of_width {
        ($($width:literal),*) => {
            match inputs.len() + 1 {
                $($width => {
                    static PARAMETERS: OnceLock<Parameters<$width>> = OnceLock::new();
                    PARAMETERS.get_or_init(Parameters::new).hash(inputs)
                })*
                _ => panic!("poseidon takes 1 to {MAX_INPUTS} inputs, got {}", inputs.len()),
            }
        };
    }
    of_width!(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
}

fn fifth(x: Fr) -> Fr {
    x.square().square() * x
}

impl<const T: usize> Parameters<T> {
    /// The hash of T − 1 inputs. States are S-box inputs: the constants of their round are added already.
    fn hash(&self, inputs: &[Fr]) -> Fr {
        let mut state = self.first;
        for (element, input) in state[1..].iter_mut().zip(inputs) {
            *element += input;
        }
        for round in &self.opening {
            state = round.apply(state);
        }
        for block in self.partial.chunks(BLOCK) {
            let mut boxes = [Fr::zero(); BLOCK];
            for (k, round) in block.iter().enumerate() {
                boxes[k] = fifth(state[0]);
                let mut sum = Wide::of(round.constant);
                sum.add_products(&round.row, &state[1..]);
                sum.add_products(&round.boxes, &boxes);
                state[0] = sum.reduce();
            }
            for (i, element) in state[1..].iter_mut().enumerate() {
                let mut sum = Wide::of(*element);
                for (round, output) in block.iter().zip(&boxes) {
                    sum.add_product(&round.column[i], output);
                }
                *element = sum.reduce();
            }
        }
        for round in &self.closing {
            state = round.apply(state);
        }
        let boxes = state.map(fifth);
        let mut sum = Wide::of(Fr::zero());
        sum.add_products(&self.last, &boxes);
        sum.reduce()
    }
}

impl<const T: usize> parameters::FullRound<T> {
    fn apply(&self, state: [Fr; T]) -> [Fr; T] {
        let boxes = state.map(fifth);
        let mut out = self.constants;
        for (element, row) in out.iter_mut().zip(self.matrix.iter()) {
            let mut sum = Wide::of(*element);
            sum.add_products(row, &boxes);
            *element = sum.reduce();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use light_poseidon::{Poseidon, PoseidonHasher};
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn oracle(inputs: &[Fr]) -> Fr {
        Poseidon::<Fr>::new_circom(inputs.len()).unwrap().hash(inputs).unwrap()
    }

    #[test]
    fn accepts_light_poseidons_answers_for_every_width() {
        let mut rng = StdRng::seed_from_u64(7);
        for width in 1..=MAX_INPUTS {
            for _ in 0..40 {
                let inputs: Vec<Fr> = (0..width).map(|_| Fr::rand(&mut rng)).collect();
                assert_eq!(poseidon(&inputs), oracle(&inputs), "{inputs:?}");
            }
        }
    }

    #[test]
    fn accepts_light_poseidons_answers_at_the_edges() {
        let mut rng = StdRng::seed_from_u64(8);
        let edges = [Fr::zero(), Fr::from(1u64), -Fr::from(1u64), -Fr::from(2u64)];
        for width in 1..=MAX_INPUTS {
            for edge in edges {
                let inputs = vec![edge; width];
                assert_eq!(poseidon(&inputs), oracle(&inputs));
            }
            for _ in 0..20 {
                let inputs: Vec<Fr> = (0..width).map(|_| edges[rng.gen_range(0..edges.len())]).collect();
                assert_eq!(poseidon(&inputs), oracle(&inputs), "{inputs:?}");
            }
        }
    }

    /// From circomlib's own tests.
    #[test]
    fn accepts_circomlibs_vectors() {
        let hash = |n: u64| poseidon(&(1..=n).map(Fr::from).collect::<Vec<_>>()).to_string();
        assert_eq!(hash(2), "7853200120776062878684798364095072458815029376092732009249414926327459813530");
        assert_eq!(hash(4), "18821383157269793795438455681495246036402687001665670618754263018637548127333");
    }

    #[test]
    #[should_panic(expected = "poseidon takes 1 to 12 inputs, got 0")]
    fn rejects_no_inputs() {
        let _ = poseidon(&[]);
    }

    #[test]
    #[should_panic(expected = "poseidon takes 1 to 12 inputs, got 13")]
    fn rejects_too_many_inputs() {
        let _ = poseidon(&[Fr::zero(); 13]);
    }
}
