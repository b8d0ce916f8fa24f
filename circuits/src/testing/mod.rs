//! Test support: which named constraints and buses fail, for the honest assignment and after changing one wire.
//!
//! Works on a system in [`Mode::Check`] *before* the lookup argument is closed: the buses are checked as what they
//! mean, multisets, so that a failure has the name of the interaction. A cheating prover who changes a committed value
//! would recompute the reciprocals honestly, so this is what he can reach.

pub mod batch;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ark_ff::Zero;

use crate::{
    F,
    cs::{Constraint, Cs, Mode, NUM_PUBLIC, Term, WireId},
    lookup::{bus::Bus, tables},
};

struct Sent {
    name: &'static str,
    bus: Bus,
    terms: Vec<Vec<Term>>,
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
        let interactions: Vec<_> =
            cs.interactions().map(|i| Sent { name: i.name, bus: i.bus, terms: i.terms.to_vec() }).collect();
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

    /// All committed and ordinary wires (not the constant and the public inputs) with their names.
    #[must_use]
    pub fn wires(&self) -> BTreeMap<WireId, &'static str> {
        let public = |id: &WireId| id.instance_index().is_some_and(|i| i < NUM_PUBLIC);
        self.names.iter().filter(|(id, _)| !public(id)).map(|(id, name)| (*id, *name)).collect()
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
        let tuple = s.terms[1..].iter().map(|t| self.dot(t)).collect();
        ((s.bus, tuple), self.dot(&s.terms[0]))
    }

    fn in_fixed_table(&self, bus: Bus, tuple: &[F]) -> bool {
        #[expect(clippy::panic, reason = "a test that uses a table must pass it in")]
        let table =
            self.tables.iter().find(|t| t.bus == bus).unwrap_or_else(|| panic!("no table for {bus:?}"));
        table.find(tuple).is_some()
    }

    /// Everything that fails as things stand: names of constraints, and names of interactions on a bus that does not
    /// balance or whose tuple is not in its fixed table.
    #[must_use]
    pub fn failures(&self) -> Failures {
        let mut out: Failures = (0..self.constraints.len())
            .filter(|&i| !self.holds(i))
            .map(|i| self.constraints[i].name)
            .collect();
        for (i, s) in self.interactions.iter().enumerate() {
            let (key, m) = self.evaluate(i);
            let bad = if s.bus.is_fixed_table() {
                !m.is_zero() && !s.name.starts_with("table.") && !self.in_fixed_table(key.0, &key.1)
            } else {
                !m.is_zero() && !self.balance[&key].is_zero()
            };
            if bad {
                out.insert(s.name);
            }
        }
        out
    }

    /// Sets wires to new values and returns what fails that involves them; then puts the old values back.
    pub fn failures_with(&mut self, changes: &[(WireId, F)]) -> Failures {
        let old: Vec<_> = changes.iter().map(|&(id, _)| (id, self.value(id))).collect();
        let touched: BTreeSet<usize> = changes
            .iter()
            .flat_map(|(id, _)| self.interactions_of.get(id).into_iter().flatten().copied())
            .collect();
        let before: Vec<_> = touched.iter().map(|&i| self.evaluate(i)).collect();
        self.set(changes);
        let mut out: Failures = changes
            .iter()
            .flat_map(|(id, _)| self.constraints_of.get(id).into_iter().flatten())
            .filter(|&&i| !self.holds(i))
            .map(|&i| self.constraints[i].name)
            .collect();
        let mut delta: HashMap<(Bus, Vec<F>), (F, &'static str)> = HashMap::new();
        for (&i, (old_key, old_m)) in touched.iter().zip(before) {
            let (key, m) = self.evaluate(i);
            let s = &self.interactions[i];
            if s.bus.is_fixed_table() {
                if !m.is_zero() && !self.in_fixed_table(key.0, &key.1) {
                    out.insert(s.name);
                }
            } else {
                delta.entry(old_key).or_insert((F::zero(), s.name)).0 -= old_m;
                delta.entry(key).or_insert((F::zero(), s.name)).0 += m;
            }
        }
        for (key, (d, name)) in delta {
            let base = self.balance.get(&key).copied().unwrap_or_default();
            if !d.is_zero() && !(base + d).is_zero() {
                out.insert(name);
            }
        }
        self.set(&old);
        out
    }

    fn set(&mut self, changes: &[(WireId, F)]) {
        for &(id, v) in changes {
            if let Some(i) = id.instance_index() {
                self.instance[i as usize] = v;
            } else if let Some(i) = id.witness_index() {
                self.witness[i as usize] = v;
            }
        }
    }

    /// The malicious-prover test over single wires: each wire in turn (all, or `sample` of them by `rng`) becomes
    /// v + 1, 0 and a random value; a wire of which some change goes unnoticed must have its name in `free` with a
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
            let candidates = [v + F::one(), F::zero(), F::rand(rng)];
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
