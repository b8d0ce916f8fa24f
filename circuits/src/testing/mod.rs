//! Test support: which named constraints and buses fail, for the honest assignment and after changing one wire.
//!
//! Works on a system in [`Mode::Check`] *before* the lookup argument is closed: the buses are checked as what they
//! mean, multisets, so that a failure has the name of the interaction. A cheating prover who changes a committed value
//! would recompute the reciprocals honestly, so this is what he can reach.

pub mod batch;
#[cfg(test)]
pub mod forge;
#[cfg(test)]
pub mod ranges;
#[cfg(test)]
pub(crate) mod tangent;
pub mod tree;
#[cfg(test)]
mod weakening;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ark_ff::Zero;

use crate::{
    F,
    cs::{Constraint, Cs, Mode, NUM_PUBLIC, PUBLIC_INPUT, Term, WireId},
    lookup::{
        bus::{Bus, Role},
        tables,
    },
};

struct Sent {
    name: &'static str,
    bus: Bus,
    role: Role,
    /// Of the multiplicity, then of each element but for its constant.
    terms: Vec<Vec<Term>>,
    /// Of each element.
    constants: Vec<F>,
}

/// A frozen system that can be asked what a changed wire breaks.
pub struct Checker {
    constraints: Vec<Constraint>,
    interactions: Vec<Sent>,
    instance: Vec<F>,
    witness: Vec<F>,
    names: HashMap<WireId, &'static str>,
    constraints_of: HashMap<WireId, Vec<usize>>,
    interactions_of: HashMap<WireId, Vec<usize>>,
    balance: HashMap<(Bus, Vec<F>), F>,
    tables: Vec<tables::FixedTable>,
}

/// Names of what failed.
pub type Failures = BTreeSet<&'static str>;

impl Checker {
    /// Freezes `cs`, whose fixed tables need not be closed. `extra` are tables beyond range, sparse and byte tables.
    ///
    /// # Panics
    /// If `cs` is not in [`Mode::Check`].
    #[must_use]
    pub fn new(cs: &Cs, extra: Vec<tables::FixedTable>) -> Self {
        assert_eq!(cs.mode(), Mode::Check, "only a checked synthesis has values and terms");
        let z = cs.assignment();
        let num_instance = NUM_PUBLIC as usize + cs.committed().len();
        let (instance, witness) = z.split_at(num_instance);
        let constraints: Vec<_> =
            (0..cs.matrices().num_constraints()).map(|i| cs.matrices().constraint(i)).collect();
        let interactions: Vec<_> = cs
            .interactions()
            .map(|i| Sent {
                name: i.name,
                bus: i.bus,
                role: i.role,
                terms: i.terms.to_vec(),
                constants: (0..i.tuple.len()).map(|k| i.constant(k)).collect(),
            })
            .collect();
        let mut constraints_of: HashMap<_, Vec<_>> = HashMap::new();
        for (i, c) in constraints.iter().enumerate() {
            for t in c.a.iter().chain(&c.b).chain(&c.c) {
                let list = constraints_of.entry(t.wire).or_default();
                if list.last() != Some(&i) {
                    list.push(i);
                }
            }
        }
        let mut interactions_of: HashMap<_, Vec<_>> = HashMap::new();
        for (i, s) in interactions.iter().enumerate() {
            for t in s.terms.iter().flatten() {
                let list = interactions_of.entry(t.wire).or_default();
                if list.last() != Some(&i) {
                    list.push(i);
                }
            }
        }
        let ids = (0..num_instance).map(|i| WireId::instance(i as u32));
        let names = ids.chain((0..witness.len()).map(|i| WireId::witness(i as u32)));
        let mut tables = vec![tables::range16(), tables::range8(), tables::sparse16(), tables::byte_sparse()];
        tables.extend(extra);
        let mut checker = Self {
            names: names.map(|id| (id, cs.wire_name(id))).collect(),
            constraints,
            interactions,
            instance: instance.to_vec(),
            witness: witness.to_vec(),
            constraints_of,
            interactions_of,
            balance: HashMap::new(),
            tables,
        };
        for i in 0..checker.interactions.len() {
            let (key, m) = checker.evaluate(i);
            *checker.balance.entry(key).or_default() += m;
        }
        checker
    }

    /// All committed and ordinary wires and, where a constraint knows it, the public input x; not the constant and not the
    /// challenges. With their names.
    #[must_use]
    pub fn wires(&self) -> BTreeMap<WireId, &'static str> {
        let fixed = |id: &WireId| match id.instance_index() {
            Some(PUBLIC_INPUT) => !self.constraints_of.contains_key(id),
            index => index.is_some_and(|i| i < NUM_PUBLIC),
        };
        self.names.iter().filter(|(id, _)| !fixed(id)).map(|(id, name)| (*id, *name)).collect()
    }

    /// Wires named `name`, in order of allocation.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<WireId> {
        self.wires().into_iter().filter(|(_, n)| *n == name).map(|(id, _)| id).collect()
    }

    /// The value of a wire.
    #[must_use]
    pub fn value(&self, id: WireId) -> F {
        match (id.instance_index(), id.witness_index()) {
            (Some(i), _) => self.instance[i as usize],
            (_, Some(i)) => self.witness[i as usize],
            (None, None) => F::zero(),
        }
    }

    fn dot(&self, terms: &[Term]) -> F {
        terms.iter().map(|t| self.value(t.wire) * t.coeff).sum()
    }

    fn holds(&self, i: usize) -> bool {
        let c = &self.constraints[i];
        self.dot(&c.a) * self.dot(&c.b) == self.dot(&c.c)
    }

    fn evaluate(&self, i: usize) -> ((Bus, Vec<F>), F) {
        let s = &self.interactions[i];
        let tuple = s.terms[1..].iter().zip(&s.constants).map(|(t, c)| self.dot(t) + c).collect();
        ((s.bus, tuple), self.dot(&s.terms[0]))
    }

    /// True if the bus is a fixed table with this tuple as a row: the prover chooses the row's multiplicity, so that any
    /// sum balances. A tuple that is no row must balance like one of any other bus, and does if what was looked up +1
    /// times is looked up −1 times elsewhere.
    fn in_fixed_table(&self, (bus, tuple): &(Bus, Vec<F>)) -> bool {
        #[expect(clippy::panic, reason = "a test that uses a table must pass it in")]
        let table =
            || self.tables.iter().find(|t| t.bus == *bus).unwrap_or_else(|| panic!("no table for {bus:?}"));
        bus.is_fixed_table() && table().find(tuple).is_some()
    }

    /// Everything that fails as things stand: names of constraints, and names of interactions whose tuple does not
    /// balance, and is not in its bus' fixed table.
    #[must_use]
    pub fn failures(&self) -> Failures {
        let mut out: Failures = (0..self.constraints.len())
            .filter(|&i| !self.holds(i))
            .map(|i| self.constraints[i].name)
            .collect();
        for (i, s) in self.interactions.iter().enumerate() {
            let (key, m) = self.evaluate(i);
            if !m.is_zero() && !self.balance[&key].is_zero() && !self.in_fixed_table(&key) {
                out.insert(s.name);
            }
        }
        out
    }

    /// Lookups in fixed tables by name, each with the wires and coefficients of its multiplicity.
    #[must_use]
    pub fn lookups(&self) -> Vec<(&'static str, &[Term])> {
        let lookups = self.interactions.iter().filter(|s| s.role == Role::Lookup);
        lookups.map(|s| (s.name, s.terms[0].as_slice())).collect()
    }

    /// Sets wires to new values and returns what fails that involves them; then puts the old values back.
    pub fn failures_with(&mut self, changes: &[(WireId, F)]) -> Failures {
        let old: Vec<_> = changes.iter().map(|&(id, _)| (id, self.value(id))).collect();
        let touched: BTreeSet<usize> = changes
            .iter()
            .flat_map(|(id, _)| self.interactions_of.get(id).into_iter().flatten().copied())
            .collect();
        let before: Vec<_> = touched.iter().map(|&i| self.evaluate(i)).collect();
        self.put(changes);
        let mut out: Failures = changes
            .iter()
            .flat_map(|(id, _)| self.constraints_of.get(id).into_iter().flatten())
            .filter(|&&i| !self.holds(i))
            .map(|&i| self.constraints[i].name)
            .collect();
        let mut delta: HashMap<(Bus, Vec<F>), (F, Failures)> = HashMap::new();
        for (&i, (old_key, old_m)) in touched.iter().zip(before) {
            let (key, m) = self.evaluate(i);
            let name = self.interactions[i].name;
            for (key, change) in [(old_key, -old_m), (key, m)] {
                if !change.is_zero() {
                    let (sum, names) = delta.entry(key).or_default();
                    *sum += change;
                    names.insert(name);
                }
            }
        }
        for (key, (d, names)) in delta {
            let base = self.balance.get(&key).copied().unwrap_or_default();
            if !(base + d).is_zero() && !self.in_fixed_table(&key) {
                out.extend(names);
            }
        }
        self.put(&old);
        out
    }

    /// Sets wires to new values for good.
    pub fn set(&mut self, changes: &[(WireId, F)]) {
        self.put(changes);
        self.balance.clear();
        for i in 0..self.interactions.len() {
            let (key, m) = self.evaluate(i);
            *self.balance.entry(key).or_default() += m;
        }
    }

    fn put(&mut self, changes: &[(WireId, F)]) {
        for &(id, v) in changes {
            if let Some(i) = id.instance_index() {
                self.instance[i as usize] = v;
            } else if let Some(i) = id.witness_index() {
                self.witness[i as usize] = v;
            }
        }
    }

    /// The malicious-prover test over single wires: each wire in turn (all, or `sample` of them by `rng`) becomes
    /// v + 1, v − 1, −v, 0 and a random value; a wire of which some change goes unnoticed must have its name in `free` with a
    /// reason, and every listed name must indeed be free.
    ///
    /// # Panics
    /// If the honest assignment fails, or a wire is free and not listed, or is listed and not free.
    #[expect(clippy::panic, reason = "this is an assertion")]
    pub fn assert_no_free_wires(
        &mut self,
        free: &[(&'static str, &'static str)],
        sample: Option<usize>,
        rng: &mut impl ark_std::rand::Rng,
    ) {
        use ark_ff::{One, UniformRand};
        let honest = self.failures();
        assert!(honest.is_empty(), "the honest assignment fails: {honest:?}");
        let mut wires: Vec<_> = self.wires().into_iter().collect();
        if let Some(n) = sample {
            while wires.len() > n {
                wires.swap_remove(rng.gen_range(0..wires.len()));
            }
        }
        let mut found_free: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (id, name) in wires {
            let v = self.value(id);
            let candidates = [v + F::one(), v - F::one(), -v, F::zero(), F::rand(rng)];
            for candidate in candidates {
                if candidate != v && self.failures_with(&[(id, candidate)]).is_empty() {
                    *found_free.entry(name).or_default() += 1;
                }
            }
        }
        for (name, count) in &found_free {
            if !free.iter().any(|(n, _)| n == name) {
                panic!("wire {name} is free: {count} changes went unnoticed");
            }
        }
        if sample.is_none() {
            for (name, reason) in free {
                assert!(
                    found_free.contains_key(name),
                    "wire {name} is listed as free ({reason}) but is constrained"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::lookup::{argument, challenge::Challenges};

    fn closed_argument_holds(build: impl Fn(&mut Cs)) -> bool {
        let mut rng = StdRng::seed_from_u64(1);
        let mut cs = Cs::new(Mode::Check);
        build(&mut cs);
        tables::range8().close(&mut cs);
        argument::close(&mut cs, Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) });
        cs.matrices().failures(&cs.assignment(), NUM_PUBLIC as usize + cs.committed().len()).is_empty()
    }

    fn checker(build: impl Fn(&mut Cs)) -> Checker {
        let mut cs = Cs::new(Mode::Check);
        build(&mut cs);
        Checker::new(&cs, vec![])
    }

    /// Looks `values` up with these multiplicities.
    fn lookups(values: [u64; 2], multiplicities: [F; 2]) -> impl Fn(&mut Cs) {
        move |cs| {
            for (v, m) in values.into_iter().zip(multiplicities) {
                let (m, w) = (cs.commit("test.multiplicity", m), cs.commit("test.value", v));
                cs.lookup("test.range", Bus::Range8, m, w);
            }
        }
    }

    /// Opposite multiplicities cancel outside the table: the argument accepts, and the checker must say so, lest a
    /// test take a forgery for rejected.
    #[test]
    fn regression_lookups_that_cancel_are_no_failure() {
        let (one, minus) = (F::one(), -F::one());
        for (values, m, holds) in [
            ([3, 255], [one, one], true),
            ([3, 256], [one, one], false),
            ([256, 256], [one, one], false),
            ([256, 256], [one, minus], true),
            ([256, 257], [one, minus], false),
            ([3, 255], [F::zero(), F::from(77u64)], true),
        ] {
            let build = lookups(values, m);
            assert_eq!(closed_argument_holds(&build), holds, "{values:?}");
            assert_eq!(checker(&build).failures().is_empty(), holds, "{values:?}");
        }
    }

    #[test]
    fn regression_changes_to_lookups_that_cancel_are_no_failure() {
        let mut c = checker(lookups([3, 3], [F::one(), -F::one()]));
        let values = c.named("test.value");
        let far = F::from(1u64 << 40);
        assert_eq!(c.failures_with(&[(values[0], far), (values[1], far)]), Failures::new());
        assert_eq!(c.failures_with(&[(values[0], far)]), Failures::from(["test.range"]));
        // And back: the wires hold their old values.
        assert_eq!(c.failures(), Failures::new());
    }

    #[test]
    fn rejects_wires_that_nothing_constrains() {
        let free = |build: fn(&mut Cs)| {
            let mut c = checker(build);
            let wires: Vec<_> = c.wires().into_keys().collect();
            wires.into_iter().filter(|w| c.failures_with(&[(*w, c.value(*w) + F::one())]).is_empty()).count()
        };
        let unused: fn(&mut Cs) = |cs| {
            cs.commit("test.unused", 5u64);
            cs.witness("test.unused", 5u64);
        };
        assert_eq!(free(unused), 2);
        // A multiplicity of a tuple that is in the table.
        assert_eq!(free(|cs| lookups([3, 4], [F::one(); 2])(cs)), 4);
    }
}
