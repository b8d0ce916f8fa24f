//! Poseidon (ePrint 2019/458) over BN254's scalar field with circom's parameters: x⁵, eight full rounds, width t =
//! inputs + 1, capacity element 0, the result being element 0 of the last state.
//!
//! What is a wire: the *input* x of each S-box, with its square and fourth power. The S-box's output is no wire: the
//! linear layers between an S-box and the later ones are invertible, so the output is a linear combination of later
//! inputs (worked out once per width in `schedule.rs`). So the first two factors are single wires, and the
//! dense combination stands on the C side, once.
//! ```text
//! square   x · x   = x²
//! fourth   x² · x² = x⁴
//! fifth    x⁴ · x  = Σ (later inputs) + en · constant          (last round: a wire of its own)
//! ```
//! The capacity's first S-box sees the constant c·en and, en being boolean, gives c⁵·en: no constraint.
//! Cost: 3·(8t + partial rounds − 1): 240 for t = 3, 297 for 5, 321 for 6, 402 for 9.
//!
//! Homogeneous: all constants are multiplied by `en`; with en = 0 and zero inputs all wires are zero.

mod schedule;

use ark_ff::{Field, Zero};

use self::schedule::Schedule;
use crate::{
    F,
    cs::{Cs, Lc, Term, Wire},
};

/// An S-box as constrained: input, square, fourth power.
struct SBox {
    x: Lc,
    x2: Wire,
    x4: Wire,
}

/// The hash of `inputs` (1 to 12). Names all its wires and constraints `name`.
///
/// Requires: `en` boolean. With `en` = 0 the result is the hash with all constants zero: 0 if the inputs are.
/// Soundness: by induction over the rounds each `x` wire is the state that the rounds before it give: the linear system
/// from the outputs of the S-boxes to the inputs of the later ones is invertible, so its inverse, which the constraints
/// state, has exactly one solution.
///
/// # Panics
/// If the number of inputs is out of range: a mistake of the caller, independent of values.
#[must_use]
pub fn hash(cs: &mut Cs, name: &'static str, en: &Lc, inputs: &[Lc]) -> Lc {
    let width = inputs.len() + 1;
    let schedule = Schedule::of(width);
    let input_values: Vec<F> = inputs.iter().map(Lc::value).collect();
    let values = schedule.evaluate(en.value(), &input_values);

    // S-boxes 0 to t: the capacity, the inputs, and the one that follows from the capacity being constant.
    let wires: Vec<Wire> = values.x[width + 1..].iter().map(|&x| cs.witness(name, x)).collect();
    let powers: Vec<(Wire, Wire)> = values.x[1..]
        .iter()
        .map(|x| {
            let x2 = x.square();
            (cs.witness(name, x2), cs.witness(name, x2.square()))
        })
        .collect();
    let last: Vec<Wire> = values.last.iter().map(|&s| cs.witness(name, s)).collect();

    if cs.records() {
        let combine = |affine: &schedule::Affine| {
            let terms =
                affine.terms.iter().map(|&(n, coeff)| Term { wire: wires[n - width - 1].id(), coeff });
            Lc::from_parts(terms.collect(), F::zero()) + en.clone() * affine.constant
        };
        let boxes = powers.iter().enumerate().map(|(i, &(x2, x4))| {
            let n = i + 1;
            let x = match n {
                n if n < width => inputs[n - 1].clone() + en.clone() * schedule.constants[0][n],
                n if n == width => combine(&schedule.entry),
                n => wires[n - width - 1].into(),
            };
            SBox { x, x2, x4 }
        });
        for (i, SBox { mut x, x2, x4 }) in boxes.enumerate() {
            x.merge();
            let n = i + 1;
            let output = match schedule.outputs.get(n) {
                Some(affine) => combine(affine),
                None => last[n - schedule.outputs.len()].into(),
            };
            cs.enforce(name, x.clone(), x.clone(), x2);
            cs.enforce(name, x2, x2, x4);
            cs.enforce(name, x4, x, output);
        }
    }
    last.iter().zip(&schedule.mds[0]).map(|(&s, &m)| s * m).sum()
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand};
    use ark_std::rand::{SeedableRng, rngs::StdRng};
    use cairn_protocol::poseidon::poseidon;

    use super::*;
    use crate::{cs::Mode, testing::Checker};

    fn synthesize(mode: Mode, en: bool, inputs: &[F]) -> (Cs, Lc) {
        let mut cs = Cs::new(mode);
        let en: Lc = cs.commit_boolean("test.en", en).into();
        let inputs: Vec<Lc> = inputs.iter().map(|&v| cs.commit("test.input", v).into()).collect();
        let out = hash(&mut cs, "test.hash", &en, &inputs);
        (cs, out)
    }

    #[test]
    fn accepts_the_hash_of_light_poseidon_at_every_width_and_edge() {
        let mut rng = StdRng::seed_from_u64(3);
        for n in 1..=12 {
            let edges = [F::zero(), F::one(), -F::one(), F::rand(&mut rng)];
            for edge in edges {
                let mut inputs = vec![edge; n];
                inputs[n - 1] = F::rand(&mut rng);
                for case in [vec![edge; n], inputs] {
                    let (cs, out) = synthesize(Mode::Check, true, &case);
                    assert_eq!(out.value(), poseidon(&case), "{n} inputs");
                    assert_eq!(Checker::new(&cs, vec![]).failures(), Default::default(), "{n} inputs");
                    let (assigned, same) = synthesize(Mode::Assign, true, &case);
                    assert_eq!((assigned.assignment(), same.value()), (cs.assignment(), out.value()));
                }
            }
        }
    }

    #[test]
    fn accepts_zeros_when_disabled() {
        let (cs, out) = synthesize(Mode::Check, false, &[F::zero(); 8]);
        assert!(out.value().is_zero());
        assert!(cs.witness_values().iter().all(F::is_zero));
        assert_eq!(Checker::new(&cs, vec![]).failures(), Default::default());
        let (cs, _) = synthesize(Mode::Check, false, &[F::one(); 8]);
        assert_eq!(
            Checker::new(&cs, vec![]).failures(),
            Default::default(),
            "the system is consistent all the same"
        );
    }

    #[test]
    fn costs_three_constraints_an_s_box() {
        for (n, cost) in [(2, 240), (4, 297), (5, 321), (8, 402)] {
            let (cs, _) = synthesize(Mode::Record, false, &vec![F::zero(); n]);
            assert_eq!(cs.counts()["test.hash"], cost, "{n} inputs");
        }
    }

    #[test]
    fn rejects_any_changed_wire() {
        let mut rng = StdRng::seed_from_u64(4);
        for n in [2, 4, 5, 8] {
            let inputs: Vec<F> = (0..n).map(|_| F::rand(&mut rng)).collect();
            let (cs, _) = synthesize(Mode::Check, true, &inputs);
            Checker::new(&cs, vec![]).assert_no_free_wires(&[], None, &mut rng);
        }
    }

    /// A square, fourth or fifth power of the last round that is none, with all that follows from it.
    #[test]
    fn rejects_any_power_that_is_none() {
        let mut rng = StdRng::seed_from_u64(5);
        let width = 3;
        let inputs = [F::rand(&mut rng), F::rand(&mut rng)];
        let (cs, _) = synthesize(Mode::Check, true, &inputs);
        let honest = || Checker::new(&cs, vec![]);
        // Inputs of S-boxes, then the two powers of each, then what the last ones give.
        let wires = honest().named("test.hash");
        let boxes = wires.len() / 3;
        for i in 0..width {
            let n = boxes - width + i;
            let [x2, x4] = [0, 1].map(|k| wires[boxes - width + 2 * n + k]);
            let last = wires[3 * boxes - width + i];
            let one = F::one();

            let mut c = honest();
            let wrong = c.value(x2) + one;
            c.change(&[(x2, wrong), (x4, wrong.square())]);
            c.solve("test.hash", 3 * n + 2, last);
            assert_eq!(c.only_failure(), "test.hash", "a square");

            let mut c = honest();
            c.change(&[(x4, c.value(x4) + one)]);
            c.solve("test.hash", 3 * n + 2, last);
            assert_eq!(c.only_failure(), "test.hash", "a fourth power");

            let mut c = honest();
            c.change(&[(last, c.value(last) + one)]);
            assert_eq!(c.only_failure(), "test.hash", "a fifth power");
        }
    }
}
