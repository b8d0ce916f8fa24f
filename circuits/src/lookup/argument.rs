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
//! Soundness: the left side, as a rational function in ρ, vanishes identically iff the multiplicities of each
//! fingerprint sum to zero; distinct tuples have distinct fingerprints except with probability (n + 1)/|F| each over α; ρ
//! is a root of the numerator with probability at most N/|F| for N interactions. A denominator of zero
//! (probability N/|F|) leaves its inverse free if m = 0 and makes the system unsatisfiable otherwise. Counts stay
//! below the characteristic because N does.
//!
//! Not checked here: that fixed tables hold what their bus promises, and that other buses' senders are sound.

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

fn is_row(name: &str) -> bool {
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
