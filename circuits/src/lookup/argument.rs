//! LogUp (Haböck, ePrint 2022/1530): Σ mᵢ/(ρ − tᵢ) = 0 over everything sent (+) and received (−), with
//! tᵢ = x₀ + α·x₁ + … + αⁿ⁻¹·xₙ₋₁ + αᴷ·b for a tuple of n ≤ K elements on bus b, K = [`BUS_POWER`].
//!
//! An element is xₖ = cₖ + vₖ, a constant and a combination of committed wires. α² … αᴷ are wires (bus.alpha_power,
//! K − 1 constraints in all), so constants and the bus number are linear and cost nothing:
//! ```text
//! bus.product   pₖ = vₖ·αᵏ for k ≥ 1; one for all tuples that share vₖ at k        1 a distinct (v, k)
//! bus.inverse   inv·(ρ − Σ cₖ·αᵏ − v₀ − Σ pₖ − b·αᴷ) = m                            1 an interaction
//! bus.sum       Σ inv = 0                                                           1 in all
//! ```
//! A row of a fixed table is constant and costs the inverse only. So does any tuple whose elements beyond the first are
//! constant or paid for elsewhere.
//!
//! # Soundness
//! Distinct tuples have distinct tᵢ as polynomials in α: two tuples of one bus have the same length and differ at some
//! power below K; two buses differ at αᴷ, where no tuple has an element. So the left side vanishes as a rational
//! function in ρ and α iff the multiplicities of each tuple sum to zero in the field. Otherwise its numerator over the
//! N interactions is a polynomial of degree at most K·N, and (ρ, α) is a root with probability at most K·N/|F|
//! (Schwartz, Zippel). A denominator of zero (again K·N/|F| at most) leaves its inverse free if m = 0 and makes the
//! system unsatisfiable otherwise. `tests::prop_unbalanced_multisets_pass_few_challenges` counts this over a field of
//! 97 elements.
//!
//! A product is shared only between elements that are the same combination of the same wires, so it is the same number.
//!
//! The argument proves no more than sums of zero in the field. That a tuple which is looked up is in its table follows
//! only if every multiplicity of a lookup is 0 or 1: then the sum over a tuple, at most N, is below the characteristic.
//! With −1 or a fraction a tuple outside the table could be cancelled by another lookup. Each machine constrains its
//! multiplicities.
//!
//! Not checked here: multiplicities, that fixed tables hold what their bus promises, and that other buses' senders are
//! sound.

use std::collections::HashMap;

use ark_ff::{Field, Zero, batch_inversion};

use super::{
    bus::{Interaction, Payment},
    challenge::Challenges,
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
};

/// K: the power of α that carries the bus number. No tuple is longer.
pub const BUS_POWER: usize = 12;

/// Constraints of [`close`] that no interaction causes: α² … αᴷ and the sum.
pub const FIXED_CONSTRAINTS: usize = BUS_POWER;

/// Products of shared combinations with powers of α, by combination and power.
type SharedProducts = HashMap<(u32, usize), Wire>;

/// Closes the argument: allocates the wires that depend on the challenges and states the constraints. Nothing may be
/// sent afterwards.
pub fn close(cs: &mut Cs, challenges: Challenges) {
    let (rho, alpha) = cs.set_challenges(challenges.rho, challenges.alpha);
    let bus = std::mem::take(&mut cs.bus);
    let powers = alpha_powers(cs, alpha);

    let mut shared = SharedProducts::new();
    let mut denominators = Vec::with_capacity(bus.len());
    let mut own_products = Vec::with_capacity(bus.len());
    for i in bus.iter() {
        let (fingerprint, own) = fingerprint(cs, &i, &powers, &mut shared);
        denominators.push(rho - fingerprint);
        own_products.push(own);
    }

    let mut inverses: Vec<F> = denominators.iter().map(Lc::value).collect();
    batch_inversion(&mut inverses);
    let mut sum = Lc::zero();
    for (((i, denominator), own), inverse) in bus.iter().zip(denominators).zip(own_products).zip(inverses) {
        let inv = cs.witness("bus.inverse", inverse * i.multiplicity);
        // Wires on the B side cost multi-scalar multiplication in G2 too. The inverse is one full-size wire; a
        // denominator brings its own products, which are full-size, and its first element, which is small as a rule.
        if own == 0 {
            cs.argument_enforce("bus.inverse", inv, denominator, i.lc(None));
        } else {
            cs.argument_enforce("bus.inverse", denominator, inv, i.lc(None));
        }
        sum += inv;
    }
    let one = cs.one();
    cs.argument_enforce("bus.sum", sum, one, Lc::zero());
    cs.bus = bus;
}

/// The fingerprint of a tuple, and the number of products that are its own.
fn fingerprint(
    cs: &mut Cs,
    i: &Interaction<'_>,
    powers: &[Wire],
    shared: &mut SharedProducts,
) -> (Lc, usize) {
    let mut sum = powers[BUS_POWER] * i.bus.number();
    let mut own = 0;
    for (k, &power) in powers.iter().enumerate().take(i.tuple.len()) {
        sum += power * i.constant(k);
        match i.payment(k) {
            Payment::Nothing => {}
            Payment::Own | Payment::Shared(_) if k == 0 => sum += i.lc(Some(0)),
            Payment::Own => {
                own += 1;
                sum += cs.argument_product("bus.product", i.lc(Some(k)), power);
            }
            Payment::Shared(id) => {
                let product = match shared.get(&(id, k)) {
                    Some(&product) => product,
                    None => {
                        let product = cs.argument_product("bus.product", i.lc(Some(k)), power);
                        shared.insert((id, k), product);
                        product
                    }
                };
                sum += product;
            }
        }
    }
    (sum, own)
}

/// 1, α, α² … αᴷ.
fn alpha_powers(cs: &mut Cs, alpha: Wire) -> Vec<Wire> {
    let mut powers = vec![cs.one(), alpha];
    while powers.len() <= BUS_POWER {
        let last = powers[powers.len() - 1];
        powers.push(cs.argument_product("bus.alpha_power", last, alpha));
    }
    powers
}

/// The argument's sum for given challenges, evaluated natively: zero iff the buses balance (with overwhelming
/// probability).
#[must_use]
pub fn native_sum(cs: &Cs, challenges: Challenges) -> F {
    let mut sum = F::zero();
    let bus_power = challenges.alpha.pow([BUS_POWER as u64]);
    for i in cs.interactions() {
        let mut t = F::zero();
        for x in i.tuple.iter().rev() {
            t = t * challenges.alpha + x;
        }
        t += bus_power * F::from(i.bus.number());
        if let Some(inv) = (challenges.rho - t).inverse() {
            sum += inv * i.multiplicity;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ark_ff::UniformRand;
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{
        cs::{ALPHA, Mode, NUM_PUBLIC, WireId},
        lookup::{
            bus::{BatchByte, Bus, Element, PayloadRegion, Range8},
            tables,
        },
    };

    /// Three range checks, and two tuples that a shared element and a constant make equal iff `sent` is 5.
    fn example(mode: Mode, values: [u64; 3], sent: u64, challenges: Challenges) -> Cs {
        let mut cs = Cs::new(mode);
        let one = cs.one();
        for v in values {
            let w = cs.commit("test.value", v);
            cs.lookup("test.range", Bus::Range8, one, w);
        }
        let [w, p] = [sent, 3].map(|v| cs.commit("test.sent", v));
        let position = cs.share(p);
        cs.send("test.send", one, BatchByte { byte: w.into(), position: position.plus(4u64) });
        cs.send("test.send", one, BatchByte { byte: 9.into(), position: (&position).into() });
        cs.receive("test.receive", one, BatchByte { byte: 5.into(), position: 7.into() });
        cs.receive("test.receive", one, BatchByte { byte: 9.into(), position: p.into() });
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

    /// What `z` violates, by name.
    fn failing(cs: &Cs, z: &[F]) -> BTreeSet<&'static str> {
        let failures = cs.matrices().failures(z, NUM_PUBLIC as usize + cs.committed().len());
        failures.into_iter().map(|(_, name)| name).collect()
    }

    /// The positions in the assignment of ordinary wires called `name`.
    fn positions(cs: &Cs, name: &str) -> Vec<usize> {
        let named = |i: &usize| cs.wire_name(WireId::witness(*i as u32)) == name;
        let first = NUM_PUBLIC as usize + cs.committed().len();
        (0..cs.witness_values().len()).filter(named).map(|i| first + i).collect()
    }

    #[test]
    fn rejects_an_inverse_that_makes_the_sum_vanish() {
        let mut rng = StdRng::seed_from_u64(4);
        let ch = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
        let unbalanced = example(Mode::Check, [0, 1, 2], 6, ch);
        let mut z = unbalanced.assignment();
        assert_eq!(failing(&unbalanced, &z), BTreeSet::from(["bus.sum"]));
        let inverses = positions(&unbalanced, "bus.inverse");
        let sum: F = inverses.iter().map(|&i| z[i]).sum();
        z[inverses[0]] -= sum;
        assert_eq!(failing(&unbalanced, &z), BTreeSet::from(["bus.inverse"]));
    }

    /// The wires of a balanced argument beside a committed value that does not balance.
    #[test]
    fn rejects_a_product_of_another_value() {
        let mut rng = StdRng::seed_from_u64(5);
        let ch = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
        let mut cs = Cs::new(Mode::Check);
        let (one, w) = (cs.one(), cs.commit("test.value", 6u64));
        let shared = cs.share(w);
        for tuple in [Element::from(w), Element::from(&shared)] {
            cs.send("test.send", one, BatchByte { byte: 5.into(), position: tuple });
            cs.receive("test.receive", one, BatchByte { byte: 5.into(), position: 6.into() });
        }
        close(&mut cs, ch);
        let mut z = cs.assignment();
        assert_eq!(failing(&cs, &z), BTreeSet::new());
        z[NUM_PUBLIC as usize] += F::from(1u64);
        assert_eq!(failing(&cs, &z), BTreeSet::from(["bus.product"]));
        for product in positions(&cs, "bus.product") {
            z[product] += ch.alpha;
        }
        assert_eq!(failing(&cs, &z), BTreeSet::from(["bus.inverse"]));
    }

    /// Powers of a number of the prover's choice: with them he could give the tuples of two buses one fingerprint.
    #[test]
    fn rejects_powers_of_another_alpha() {
        let mut rng = StdRng::seed_from_u64(6);
        let (rho, alpha) = (F::rand(&mut rng), F::rand(&mut rng));
        let mut cs = Cs::new(Mode::Check);
        let (one, w) = (cs.one(), cs.commit("test.value", 6u64));
        cs.lookup("test.range", Bus::Range8, one, w);
        tables::range8().close(&mut cs);
        close(&mut cs, Challenges { rho, alpha: alpha + F::from(1u64) });
        let mut z = cs.assignment();
        z[ALPHA as usize] = alpha;
        assert_eq!(failing(&cs, &z), BTreeSet::from(["bus.alpha_power"]));
    }

    /// Two interactions share one product, a third pays its own, and constants cost nothing.
    #[test]
    fn counts_are_those_of_the_matrices() {
        let ch = Challenges { rho: F::zero(), alpha: F::zero() };
        let cs = example(Mode::Record, [0; 3], 0, ch);
        assert_eq!(cs.counts()["test.send"], 3);
        assert_eq!(cs.counts()["test.receive"], 3);
        assert_eq!(cs.matrices().num_constraints(), cs.num_constraints() + FIXED_CONSTRAINTS);
    }

    #[test]
    fn shared_products_are_those_of_their_own_power() {
        let mut rng = StdRng::seed_from_u64(3);
        let ch = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
        let build = |second: u64| {
            let mut cs = Cs::new(Mode::Check);
            let (one, w) = (cs.one(), cs.commit("test.value", 6u64));
            let w = cs.share(w);
            let tuple =
                |a: Element, b: Element| PayloadRegion { position: 1.into(), stream_plus_one: a, shift: b };
            cs.send("test.send", one, tuple((&w).into(), (&w).into()));
            cs.receive("test.receive", one, tuple(6.into(), second.into()));
            close(&mut cs, ch);
            cs
        };
        assert!(satisfied(&build(6)));
        assert!(!satisfied(&build(7)));
    }

    #[test]
    #[should_panic(expected = "is received by its rows alone")]
    fn rejects_a_receive_from_a_fixed_table() {
        let mut cs = Cs::new(Mode::Record);
        let one = cs.one();
        cs.receive("test.receive", one, Range8 { x: 1.into() });
    }

    #[test]
    #[should_panic(expected = "a row of a fixed table is constant")]
    fn regression_rejects_a_row_that_is_not_constant() {
        let mut cs = Cs::new(Mode::Record);
        let [m, w] = [(); 2].map(|()| cs.commit("test.value", 0u64));
        cs.receive_row("table.range8.row", Bus::Range8, m, &[w.into()]);
    }

    /// LogUp over a field of 97 elements, all challenges: what the soundness bound says, counted. Tuples have up to two
    /// elements, the bus number stands at α².
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
                        let t = tuple.iter().rev().fold(0, |t, x| (t * alpha + x) % P) + bus * alpha * alpha;
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
            &[(1, &[3], 2), (-1, &[3, 1], 1)],
            &[(1, &[0, 0], 1), (-1, &[0], 2)],
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
            check.num_constraints() + FIXED_CONSTRAINTS,
            "counts miss sum and powers only"
        );
    }
}
