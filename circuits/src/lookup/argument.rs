//! LogUp (Haböck, ePrint 2022/1530): Σ mᵢ/(ρ − tᵢ) = 0 over everything sent (+) and received (−), with
//! tᵢ = x₀ + α·x₁ + … + αⁿ⁻¹·xₙ₋₁ + αⁿ·b for a tuple of n elements on bus b.
//!
//! For each interaction, by Horner's rule:
//! ```text
//! bus.fingerprint   hⱼ = α·(xⱼ + hⱼ₊₁),  hₙ = α·b linear in the wire α        n − 1 constraints (j = n − 1 … 1)
//! bus.inverse       inv·(ρ − x₀ − h₁) = m                                     1 constraint
//! bus.sum           Σ inv = 0                                                 1 constraint in all
//! ```
//! A row of a fixed table has constant elements, so its fingerprint is linear in the powers of α (bus.alpha_power, a
//! few constraints in all) and it costs the inverse only.
//!
//! Soundness: distinct tuples have distinct tᵢ as polynomials in α, since b ≠ 0 is the leading coefficient and so tells
//! buses and lengths apart. So the left side vanishes as a rational function in ρ and α iff the multiplicities of each
//! tuple sum to zero in the field. Otherwise its numerator over the N interactions is a polynomial of degree below n·N,
//! n being the longest tuple, and (ρ, α) is a root with probability at most n·N/|F| (Schwartz, Zippel). A denominator
//! of zero (again n·N/|F| at most) leaves its inverse free if m = 0 and makes the system unsatisfiable otherwise.
//!
//! "Sum to zero in the field" is all that it says. That a tuple which is looked up is in its table follows only if
//! every multiplicity of a lookup is 0 or 1: then the sum over a tuple, at most N, is below the characteristic. With −1
//! or a fraction a tuple outside the table could be cancelled by another lookup. The machines see to it.
//!
//! Not checked here: multiplicities, that fixed tables hold what their bus promises, and that other buses' senders are
//! sound.

use ark_ff::{Field, Zero, batch_inversion};

use super::challenge::Challenges;
use crate::{
    F,
    cs::{Cs, Lc, Term, Wire},
};

/// Closes the argument: allocates the wires that depend on the challenges and states the constraints. Nothing may be
/// sent afterwards.
pub fn close(cs: &mut Cs, challenges: Challenges) {
    let (rho, alpha) = cs.set_challenges(challenges.rho, challenges.alpha);
    let bus = std::mem::take(&mut cs.bus);
    let powers = alpha_powers(cs, alpha, 13);

    let mut denominators = Vec::with_capacity(bus.len());
    let mut multiplicities = Vec::with_capacity(bus.len());
    for i in bus.iter() {
        let element = |k: usize| lc(i.terms.get(k), if k == 0 { i.multiplicity } else { i.tuple[k - 1] });
        let n = i.tuple.len();
        let bus_number = F::from(i.bus.number());
        let fingerprint = if is_row(i.name) {
            assert!(n < powers.len(), "{}: a row longer than the powers of α", i.name);
            let constants = i.tuple.iter().copied().chain([bus_number]);
            constants.zip(&powers).map(|(c, p)| *p * c).sum::<Lc>()
        } else {
            let mut h = alpha * bus_number;
            for k in (2..=n).rev() {
                h = cs.argument_product("bus.fingerprint", h + element(k), alpha).into();
            }
            h + element(1)
        };
        let denominator = rho - fingerprint;
        denominators.push(denominator);
        multiplicities.push(element(0));
    }

    let mut inverses: Vec<F> = denominators.iter().map(Lc::value).collect();
    batch_inversion(&mut inverses);
    let mut sum = Lc::zero();
    for ((denominator, m), inverse) in denominators.into_iter().zip(multiplicities).zip(inverses) {
        let inv = cs.witness("bus.inverse", inverse * m.value());
        cs.argument_enforce("bus.inverse", inv, denominator, m);
        sum += inv;
    }
    let one = cs.one();
    cs.argument_enforce("bus.sum", sum, one, Lc::zero());
    cs.bus = bus;
}

fn alpha_powers(cs: &mut Cs, alpha: Wire, max: usize) -> Vec<Wire> {
    let mut powers = vec![cs.one(), alpha];
    while powers.len() <= max {
        let last = powers[powers.len() - 1];
        powers.push(cs.argument_product("bus.alpha_power", last, alpha));
    }
    powers
}

/// True for the names of fixed tables' rows, and for no other: what makes the argument treat a tuple as constants.
pub(crate) fn is_row(name: &str) -> bool {
    name.starts_with("table.")
}

fn lc(terms: Option<&Vec<Term>>, val: F) -> Lc {
    Lc::from_parts(terms.cloned().unwrap_or_default(), val)
}

/// The argument's sum for given challenges, evaluated natively: zero iff the buses balance (with overwhelming
/// probability).
#[must_use]
pub fn native_sum(cs: &Cs, challenges: Challenges) -> F {
    let mut sum = F::zero();
    for i in cs.interactions() {
        let mut t = F::from(i.bus.number());
        for x in i.tuple.iter().rev() {
            t = t * challenges.alpha + x;
        }
        if let Some(inv) = (challenges.rho - t).inverse() {
            sum += inv * i.multiplicity;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{
        cs::{Mode, NUM_PUBLIC},
        lookup::{bus::Bus, tables},
    };

    fn example(mode: Mode, values: [u64; 3], sent: u64, challenges: Challenges) -> Cs {
        let mut cs = Cs::new(mode);
        for v in values {
            let w = cs.commit("test.value", v);
            let one = cs.one();
            cs.lookup("test.range", Bus::Range8, one, w);
        }
        let w = cs.commit("test.sent", sent);
        let (one, c) = (cs.one(), cs.constant(7u64));
        cs.send("test.send", Bus::BatchByte, one, &[w.into(), c.clone()]);
        let received = cs.constant(5u64);
        cs.receive("test.receive", Bus::BatchByte, one, &[received, c]);
        tables::range8().close(&mut cs);
        close(&mut cs, challenges);
        cs
    }

    fn satisfied(cs: &Cs) -> bool {
        cs.matrices().failures(&cs.assignment(), NUM_PUBLIC as usize + cs.committed().len()).is_empty()
    }

    #[test]
    fn accepts_balanced_buses_and_rejects_unbalanced_ones() {
        let mut rng = StdRng::seed_from_u64(1);
        let ch = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
        let good = example(Mode::Check, [0, 255, 255], 5, ch);
        assert!(satisfied(&good));
        assert!(native_sum(&good, ch).is_zero());
        assert!(!satisfied(&example(Mode::Check, [0, 256, 255], 5, ch)));
        assert!(!satisfied(&example(Mode::Check, [0, 2, 255], 6, ch)));
    }

    #[test]
    fn accepts_every_bus_in_a_fixed_row_and_in_a_sum() {
        // The powers of α suffice for a row of the longest bus; see the assertion in `close`.
        let longest = (1..=15).filter_map(bus_of).map(Bus::arity).max().expect("buses");
        assert!(longest < 13, "{longest} elements");
    }

    fn bus_of(number: u64) -> Option<Bus> {
        use Bus::*;
        [
            Range16,
            Range8,
            Sparse16,
            ByteSparse,
            KeccakInput,
            KeccakOutput,
            Signature,
            Account,
            Storage,
            FixedBase,
            VariableBase,
            StartPoint,
            BatchByte,
            BatchPrefix,
            PayloadRegion,
        ]
        .into_iter()
        .find(|b| b.number() == number)
    }

    #[test]
    #[should_panic(expected = "takes this name for a row of constants")]
    fn regression_rejects_a_send_that_is_named_like_a_row() {
        // The argument would bake the tuple's values into the matrices instead of its wires.
        let mut cs = Cs::new(Mode::Record);
        let (one, w) = (cs.one(), cs.commit("test.value", 0u64));
        cs.lookup("table.range8.row", Bus::Range8, one, w);
    }

    #[test]
    #[should_panic(expected = "a row of a fixed table is constant")]
    fn regression_rejects_a_row_that_is_not_constant() {
        let mut cs = Cs::new(Mode::Record);
        let [m, w] = [(); 2].map(|()| cs.commit("test.value", 0u64));
        cs.receive_row("table.range8.row", Bus::Range8, m, &[w.into()]);
    }

    /// LogUp over a field of 97 elements, all challenges: what the soundness bound says, counted.
    #[test]
    fn prop_unbalanced_multisets_pass_few_challenges() {
        const P: i64 = 97;
        let inverse = |x: i64| (1..P).find(|y| x * y % P == 1);
        // (multiplicity, tuple, bus): pairs on two buses and a single on a third.
        type Item = (i64, &'static [i64], i64);
        let passes = |items: &[Item]| {
            let mut passed = 0;
            for alpha in 0..P {
                for rho in 0..P {
                    let sum = items.iter().try_fold(0, |sum, (m, tuple, bus)| {
                        let t = tuple.iter().rev().fold(*bus, |t, x| (t * alpha + x) % P);
                        // A zero denominator: free with m = 0, unsatisfiable otherwise.
                        inverse((rho - t).rem_euclid(P)).map(|inv| (sum + m * inv).rem_euclid(P))
                    });
                    passed += i64::from(sum == Some(0));
                }
            }
            passed
        };
        let unbalanced: [&[Item]; 6] = [
            &[(1, &[3, 5], 1), (-1, &[5, 3], 1)],
            &[(1, &[3, 5], 1), (-1, &[3, 5], 2)],
            &[(1, &[3], 1), (-1, &[3, 1], 1)],
            &[(1, &[0, 0], 1), (-1, &[0], 1)],
            &[(2, &[3, 5], 1), (-1, &[3, 5], 1)],
            &[(1, &[1, 1], 1), (1, &[2, 2], 1), (-1, &[1, 2], 1), (-1, &[2, 1], 1)],
        ];
        for items in unbalanced {
            let n = items.len() as i64;
            assert!(passes(items) <= 2 * n * P, "{items:?}: {}", passes(items));
        }
        assert!(passes(&[(2, &[3, 5], 1), (-1, &[3, 5], 1), (-1, &[3, 5], 1)]) >= (P - 1) * P);
    }

    #[test]
    fn values_do_not_depend_on_the_mode() {
        let mut rng = StdRng::seed_from_u64(2);
        let ch = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
        let check = example(Mode::Check, [1, 2, 3], 5, ch);
        let assign = example(Mode::Assign, [1, 2, 3], 5, ch);
        let record = example(Mode::Record, [0, 0, 0], 0, ch);
        assert_eq!(check.assignment(), assign.assignment());
        assert_eq!(check.matrices().num_constraints(), record.matrices().num_constraints());
        assert_eq!(
            check.matrices().num_constraints(),
            check.num_constraints() + 1 + 12,
            "counts miss sum and powers only"
        );
    }
}
