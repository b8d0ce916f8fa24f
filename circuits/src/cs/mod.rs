//! The constraint system: named rank-1 constraints over four kinds of wires, and the bus log.
//!
//! A circuit is written once, as code that allocates wires with their values and states constraints. What is kept
//! depends on the [`Mode`]: matrices for key generation, values for proving, both for tests. The structure must never
//! depend on the values: key generation runs the same code on a padded, empty assignment.
//!
//! Wires, in the order of the Groth16 instance and witness:
//!
//! ```text
//! instance  0         1            2  3  4 …                    committed: values the bus may carry (phase 1)
//!           constant  public x     ρ  α  committed wires
//! witness   ordinary wires (phase 1), then those of the lookup argument (phase 2)
//! ```
//!
//! Not here: the lookup argument itself ([`crate::lookup::argument`]), commitments and proofs (crate `prover`).

#[cfg(test)]
pub(crate) mod forge;
mod lc;
mod matrix;
mod scope;
#[cfg(test)]
pub(crate) mod weaken;
mod wire;

use std::collections::{BTreeMap, HashSet};

use ark_ff::{One, Zero};

use self::scope::Scopes;
pub use self::{
    lc::Lc,
    matrix::{Matrices, Matrix, Term},
    wire::{Wire, WireId},
};
use crate::{
    F,
    lookup::bus::{Bus, BusLog, Element, Interaction, Role, Shared, Tuple, Variable},
};

/// Instance position of the public input.
pub const PUBLIC_INPUT: u32 = 1;
/// Instance position of the challenge ρ.
pub const RHO: u32 = 2;
/// Instance position of the challenge α.
pub const ALPHA: u32 = 3;
/// Number of true public inputs with the constant: constant, x, ρ, α. Committed wires follow.
pub const NUM_PUBLIC: u32 = 4;

/// What a synthesis keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Matrices, for key generation and counts; values are meaningless.
    Record,
    /// Values, for proving; no linear combination is stored.
    Assign,
    /// Both, and the names of all wires, for tests.
    Check,
}

/// A stored constraint ⟨a,z⟩·⟨b,z⟩ = ⟨c,z⟩ with its name `machine.family.what`.
#[derive(Clone, Debug)]
pub struct Constraint {
    pub name: &'static str,
    pub a: Vec<Term>,
    pub b: Vec<Term>,
    pub c: Vec<Term>,
}

/// A declared range: in enabled rows the wire is below 2^bits.
#[derive(Clone, Debug)]
pub struct Declared {
    pub wire: WireId,
    pub name: &'static str,
    pub bits: u32,
    /// Terms of the row's enable flag.
    pub enable: Vec<Term>,
}

/// The constraint system under construction.
#[derive(Debug)]
pub struct Cs {
    mode: Mode,
    public_input: F,
    rho: F,
    alpha: F,
    committed: Vec<F>,
    committed_names: Vec<&'static str>,
    witness: Vec<F>,
    witness_names: Vec<&'static str>,
    declared: Vec<Declared>,
    pub(crate) matrices: Matrices,
    pub(crate) bus: BusLog,
    counts: BTreeMap<&'static str, usize>,
    scopes: Scopes,
    shared: u32,
    /// Shared combinations that are paid for, by the power of α.
    paid: HashSet<(u32, usize)>,
}

impl Cs {
    /// An empty system.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        #[cfg(test)]
        weaken::restart();
        #[cfg(test)]
        forge::restart();
        Self {
            mode,
            public_input: F::zero(),
            rho: F::zero(),
            alpha: F::zero(),
            committed: Vec::new(),
            committed_names: Vec::new(),
            witness: Vec::new(),
            witness_names: Vec::new(),
            declared: Vec::new(),
            matrices: Matrices::default(),
            bus: BusLog::default(),
            counts: BTreeMap::new(),
            scopes: Scopes::default(),
            shared: 0,
            paid: HashSet::new(),
        }
    }

    /// Runs `f` in the scope `name`: names given in it are relative, `scope.name`. So a gadget names what it states,
    /// and whoever uses it says where.
    pub fn scoped<R>(&mut self, name: &'static str, f: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.enter(name);
        let out = f(self);
        self.scopes.leave();
        out
    }

    /// The full name of `name` in the present scope. A values-only synthesis uses names in tests only.
    fn full(&mut self, name: &'static str) -> &'static str {
        if self.records() || cfg!(test) { self.scopes.full(name) } else { name }
    }

    /// The value of the next wire called `name`: the forged one if a test gives one, else `val`.
    #[cfg(test)]
    fn forged(&mut self, name: &'static str, val: F) -> F {
        if forge::is_active() { forge::value(self.full(name), val) } else { val }
    }

    /// What this synthesis keeps.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// True if linear combinations are stored.
    #[must_use]
    pub fn records(&self) -> bool {
        self.mode != Mode::Assign
    }

    fn wire(&self, id: WireId, val: F) -> Wire {
        Wire::new(if self.records() { id } else { WireId::NONE }, val)
    }

    /// The constant-one wire.
    #[must_use]
    pub fn one(&self) -> Wire {
        self.wire(WireId::instance(0), F::one())
    }

    /// A constant as a linear combination.
    #[must_use]
    pub fn constant(&self, c: impl Into<F>) -> Lc {
        self.one() * c.into()
    }

    /// Sets the value of the public input and returns its wire.
    pub fn public_input(&mut self, val: F) -> Wire {
        self.public_input = val;
        self.wire(WireId::instance(PUBLIC_INPUT), val)
    }

    /// Allocates a committed wire: a hint (not determined by any constraint yet) whose value is fixed before the
    /// challenges exist, so that the bus may carry it. `name` is `machine.column`.
    pub fn commit(&mut self, name: &'static str, val: impl Into<F>) -> Wire {
        let val = val.into();
        #[cfg(test)]
        let val = self.forged(name, val);
        let id = WireId::instance(NUM_PUBLIC + index(self.committed.len()));
        self.committed.push(val);
        if self.mode == Mode::Check {
            let name = self.full(name);
            self.committed_names.push(name);
        }
        self.wire(id, val)
    }

    /// Allocates an ordinary wire: a hint that the bus may *not* carry.
    pub fn witness(&mut self, name: &'static str, val: impl Into<F>) -> Wire {
        let val = val.into();
        #[cfg(test)]
        let val = self.forged(name, val);
        let id = WireId::witness(index(self.witness.len()));
        self.witness.push(val);
        if self.mode == Mode::Check {
            let name = self.full(name);
            self.witness_names.push(name);
        }
        self.wire(id, val)
    }

    /// Declares that rows with `enable` = 1 hold `wire` below 2^bits. It adds no constraint: mode [`Mode::Check`] keeps
    /// the declaration for the test that finds the lookup behind each.
    pub fn declare_range(&mut self, wire: Wire, bits: u32, enable: impl Into<Lc>) {
        if self.mode == Mode::Check {
            let (id, enable) = (wire.id(), enable.into().into_terms());
            self.declared.push(Declared { wire: id, name: self.wire_name(id), bits, enable });
        }
    }

    /// All declared ranges (mode [`Mode::Check`]).
    #[must_use]
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// `name`: a · b = c. One constraint. Keep the smaller and sparser factor on the `b` side: its wires cost
    /// multi-scalar multiplication in G2 too.
    pub fn enforce(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>, c: impl Into<Lc>) {
        if self.records() {
            let name = self.full(name);
            *self.counts.entry(name).or_default() += 1;
            #[cfg(test)]
            if weaken::hits(name) {
                self.matrices.push(name, Vec::new(), Vec::new(), Vec::new());
                return;
            }
            self.matrices.push(name, a.into().into_terms(), b.into().into_terms(), c.into().into_terms());
        }
    }

    /// `name`: lc = 0. One constraint.
    pub fn enforce_zero(&mut self, name: &'static str, lc: impl Into<Lc>) {
        let one = self.one();
        self.enforce(name, lc, one, Lc::zero());
    }

    /// `name`: a = b. One constraint.
    pub fn enforce_equal(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>) {
        self.enforce_zero(name, a.into() - b.into());
    }

    /// `name`: w ∈ {0, 1}. One constraint.
    pub fn enforce_boolean(&mut self, name: &'static str, w: impl Into<Lc>) {
        let w = w.into();
        let one = self.one();
        self.enforce(name, w.clone() - one, w, Lc::zero());
    }

    /// An ordinary wire constrained to a · b. One constraint.
    pub fn product(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>) -> Wire {
        let (a, b) = (a.into(), b.into());
        let w = self.witness(name, a.value() * b.value());
        self.enforce(name, a, b, w);
        w
    }

    /// A committed wire constrained to a · b. One constraint.
    pub fn committed_product(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>) -> Wire {
        let (a, b) = (a.into(), b.into());
        let w = self.commit(name, a.value() * b.value());
        self.enforce(name, a, b, w);
        w
    }

    /// A committed boolean wire. One constraint.
    pub fn commit_boolean(&mut self, name: &'static str, val: bool) -> Wire {
        let w = self.commit(name, F::from(val));
        self.enforce_boolean(name, w);
        w
    }

    /// An ordinary boolean wire. One constraint.
    pub fn witness_boolean(&mut self, name: &'static str, val: bool) -> Wire {
        let w = self.witness(name, F::from(val));
        self.enforce_boolean(name, w);
        w
    }

    /// A combination of committed wires that several tuples carry at the same place, see [`Shared`].
    pub fn share(&mut self, lc: impl Into<Lc>) -> Shared {
        let mut lc = lc.into();
        if self.records() {
            lc.merge();
        }
        self.shared += 1;
        Shared { id: self.shared, lc }
    }

    /// Sends `tuple` with a multiplicity, usually a row's enable flag. A tuple of multiplicity 0 has no effect.
    /// Every element and the multiplicity must be made of committed wires, the public input and constants; anything
    /// else panics in recording modes, because the identity would depend on something that the prover may still choose
    /// after the challenges.
    ///
    /// Cost: 1, and 1 for each element but the first that is not constant. An element that is shared is paid once for
    /// each place in a tuple. The constraints are added when the argument is closed.
    pub fn send<T: Tuple>(&mut self, name: &'static str, multiplicity: impl Into<Lc>, tuple: T) {
        let role = if T::BUS.is_fixed_table() { Role::Lookup } else { Role::Message };
        self.interact(name, T::BUS, role, multiplicity.into(), tuple.into_elements().as_ref());
    }

    /// Receives `tuple`: a send with negative multiplicity.
    ///
    /// # Panics
    /// On the bus of a fixed table, whose rows alone receive.
    pub fn receive<T: Tuple>(&mut self, name: &'static str, multiplicity: impl Into<Lc>, tuple: T) {
        assert!(!T::BUS.is_fixed_table(), "{name}: {:?} is received by its rows alone", T::BUS);
        self.interact(name, T::BUS, Role::Message, -multiplicity.into(), tuple.into_elements().as_ref());
    }

    /// One row of a fixed table: a constant tuple, received `multiplicity` times. Cost: 1.
    pub(crate) fn receive_row(
        &mut self,
        name: &'static str,
        bus: Bus,
        multiplicity: Wire,
        tuple: &[Element],
    ) {
        assert!(bus.is_fixed_table(), "{name}: {bus:?} has no fixed table");
        let constant = tuple.iter().all(|e| matches!(e.variable, Variable::None));
        assert!(constant, "{name}: a row of a fixed table is constant");
        self.interact(name, bus, Role::Row, -multiplicity, tuple);
    }

    fn interact(&mut self, name: &'static str, bus: Bus, role: Role, multiplicity: Lc, tuple: &[Element]) {
        assert_eq!(tuple.len(), bus.arity(), "{name}: tuple length on bus {bus:?}");
        let name = self.full(name);
        if self.records() {
            for lc in tuple.iter().filter_map(Element::lc).chain([&multiplicity]) {
                assert!(
                    lc.is_committed(),
                    "{name}: a wire on bus {bus:?} is not committed before the challenges"
                );
            }
            let products = tuple.iter().enumerate().skip(1).filter(|(k, element)| match &element.variable {
                Variable::None => false,
                Variable::Own(_) => true,
                Variable::Shared(shared) => self.paid.insert((shared.id, *k)),
            });
            *self.counts.entry(name).or_default() += 1 + products.count();
        }
        #[cfg(test)]
        let (multiplicity, tuple) = weaken::interaction(name, bus, role, multiplicity, tuple);
        self.bus.push(name, bus, role, multiplicity, tuple.as_ref(), self.mode != Mode::Assign);
    }

    /// Range or membership check: `value`, of a row that counts only if `enable` is 1, is in `bus`' fixed table.
    pub fn lookup(&mut self, name: &'static str, bus: Bus, enable: impl Into<Lc>, value: impl Into<Element>) {
        assert!(bus.is_fixed_table(), "{name}: {bus:?} has no fixed table");
        self.interact(name, bus, Role::Lookup, enable.into(), &[value.into()]);
    }

    /// Constraints so far by name, bus elements included.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<&'static str, usize> {
        &self.counts
    }

    /// Total of [`Self::counts`].
    #[must_use]
    pub fn num_constraints(&self) -> usize {
        self.counts.values().sum()
    }

    /// Values of the committed wires, in order.
    #[must_use]
    pub fn committed(&self) -> &[F] {
        &self.committed
    }

    /// Values of the ordinary wires, in order.
    #[must_use]
    pub fn witness_values(&self) -> &[F] {
        &self.witness
    }

    /// The matrices recorded so far.
    #[must_use]
    pub fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// Takes the matrices out.
    #[must_use]
    pub fn into_matrices(self) -> Matrices {
        self.matrices
    }

    /// All interactions so far.
    pub fn interactions(&self) -> impl Iterator<Item = Interaction<'_>> {
        self.bus.iter()
    }

    /// The public input's value.
    #[must_use]
    pub fn public_input_value(&self) -> F {
        self.public_input
    }

    /// A constraint of the lookup argument: not counted, because [`Self::send`] counted it where it was caused.
    pub(crate) fn argument_enforce(
        &mut self,
        name: &'static str,
        a: impl Into<Lc>,
        b: impl Into<Lc>,
        c: impl Into<Lc>,
    ) {
        if self.records() {
            #[cfg(test)]
            if weaken::hits(name) {
                self.matrices.push(name, Vec::new(), Vec::new(), Vec::new());
                return;
            }
            self.matrices.push(name, a.into().into_terms(), b.into().into_terms(), c.into().into_terms());
        }
    }

    pub(crate) fn argument_product(
        &mut self,
        name: &'static str,
        a: impl Into<Lc>,
        b: impl Into<Lc>,
    ) -> Wire {
        let (a, b) = (a.into(), b.into());
        let w = self.witness(name, a.value() * b.value());
        self.argument_enforce(name, a, b, w);
        w
    }

    pub(crate) fn set_challenges(&mut self, rho: F, alpha: F) -> (Wire, Wire) {
        self.rho = rho;
        self.alpha = alpha;
        (self.wire(WireId::instance(RHO), rho), self.wire(WireId::instance(ALPHA), alpha))
    }

    /// Instance followed by witness: the full assignment z.
    #[must_use]
    pub fn assignment(&self) -> Vec<F> {
        let mut z = Vec::with_capacity(4 + self.committed.len() + self.witness.len());
        z.extend([F::one(), self.public_input, self.rho, self.alpha]);
        z.extend_from_slice(&self.committed);
        z.extend_from_slice(&self.witness);
        z
    }

    /// Name of a wire (mode [`Mode::Check`]).
    #[must_use]
    pub fn wire_name(&self, id: WireId) -> &'static str {
        match (id.instance_index(), id.witness_index()) {
            (Some(0), _) => "one",
            (Some(PUBLIC_INPUT), _) => "public_input",
            (Some(RHO), _) => "rho",
            (Some(ALPHA), _) => "alpha",
            (Some(i), _) => self.committed_names.get((i - NUM_PUBLIC) as usize).copied().unwrap_or("unnamed"),
            (_, Some(i)) => self.witness_names.get(i as usize).copied().unwrap_or("unnamed"),
            (None, None) => "unrecorded",
        }
    }
}

#[expect(clippy::expect_used, reason = "2³¹ wires do not fit in memory")]
fn index(len: usize) -> u32 {
    u32::try_from(len).expect("fewer than 2³¹ wires")
}
