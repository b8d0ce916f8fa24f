//! The buses: number and tuple of each, and whether a fixed table receives on it. Tuples of different buses never
//! cancel, because the bus number enters the tuple's fingerprint at a power of its own. Not here: the argument that the
//! buses balance ([`super::argument`]).

use std::collections::HashMap;

use ark_ff::Zero;

use crate::{
    F,
    cs::{Lc, Term, Wire},
};

/// A tuple of one bus, its elements named.
pub trait Tuple {
    /// The bus that carries it.
    const BUS: Bus;
    /// Its elements in the order of their powers of α: the first costs nothing.
    type Elements: AsRef<[Element]>;
    /// The elements.
    fn into_elements(self) -> Self::Elements;
}

/// Declares every bus once: its number, whether a fixed table receives on it, and the names of its elements.
macro_rules! buses {
    ($($(#[doc = $doc:literal])* $kind:ident $name:ident = $number:literal { $($(#[doc = $field_doc:literal])* $field:ident),* $(,)? })*) => {
        /// All buses. A fixed table is a receiver with prover-chosen multiplicities; every other bus balances exactly.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Bus {
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl Bus {
            /// Every bus.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Names of a tuple's elements.
            #[must_use]
            pub const fn elements(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$(stringify!($field)),*],)*
                }
            }

            /// True if a fixed table receives on this bus.
            #[must_use]
            pub const fn is_fixed_table(self) -> bool {
                match self {
                    $(Self::$name => buses!(@table $kind),)*
                }
            }
        }

        $(
            $(#[doc = $doc])*
            #[derive(Clone, Debug)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: Element),* }

            impl Tuple for $name {
                const BUS: Bus = Bus::$name;
                type Elements = [Element; [$(stringify!($field)),*].len()];
                fn into_elements(self) -> Self::Elements {
                    [$(self.$field),*]
                }
            }
        )*
    };
    (@table table) => { true };
    (@table exact) => { false };
}

buses! {
    /// Fixed table: x ∈ [0, 2¹⁶).
    table Range16 = 1 { x }
    /// Fixed table: x ∈ [0, 2⁸).
    table Range8 = 2 { x }
    /// Fixed table: x = Σ bᵢ·8ⁱ with sixteen bits bᵢ.
    table Sparse16 = 3 { x }
    /// Fixed table: a byte and Σ bᵢ·8ⁱ of its bits.
    table ByteSparse = 4 { byte, bits }
    /// A byte of a message to be hashed; the keccak machine receives.
    exact KeccakInput = 5 { byte, position, stream }
    /// The digest of a whole message; the keccak machine sends.
    exact KeccakOutput = 6 {
        /// High 128 bits.
        high,
        /// Low 128 bits.
        low,
        /// Bytes of the message.
        length,
        stream,
    }
    /// A valid recovery; secp256k1 sends. Numbers are halves of 128 bits.
    exact Signature = 7 { address, z_high, z_low, r_high, r_low, s_high, s_low, parity }
    /// An account at a time; sent and received by its accesses and the tree machine. Balances in wei, 128-bit halves.
    exact Account = 8 { index, address, nonce, balance_high, balance_low, code_hash, time }
    /// A storage slot at a time; sent and received as `Account`. Slots and values are halves of 128 bits.
    exact Storage = 9 { index, address, slot_high, slot_low, value_high, value_low, time }
    /// Fixed table: multiples of G.
    table FixedBase = 10 {
        /// 256·window + digit.
        key, x0, x1, x2, x0_low, x1_low, x2_low, y_low, y_high,
    }
    /// Multiples of variable points, written and read by secp256k1.
    exact VariableBase = 11 {
        x0, x1, x2, x0_low, x1_low, x2_low, y_low, y_high,
        /// 16·table + digit.
        key,
    }
    /// Fixed table: where secp256k1's accumulator begins and ends, coordinates in halves, low first.
    table StartPoint = 12 {
        index, start_x_low, start_x_high, start_y_low, start_y_high, end_x_low, end_x_high, end_y_low, end_y_high,
    }
    /// A byte of the batch. A slot sends what it reads, the byte table receives.
    exact BatchByte = 13 { byte, position }
    /// The number of non-zero bytes from a position to the end of the batch. A slot sends, the byte table receives.
    exact BatchPrefix = 14 { nonzero, position }
    /// From this byte on, byte i belongs to position i + shift of a stream, or to none if `shift` and `stream_plus_one`
    /// are 0. A slot announces the fields that its signing payload shares with the wire.
    exact PayloadRegion = 15 { position, shift, stream_plus_one }
    /// The digest of a message of two 256-bit words. The keccak machine sends it once for each receive. Words are
    /// big-endian, in halves of 128 bits.
    exact KeccakWords = 16 { first_high, first_low, second_high, second_low, high, low }
}

impl Bus {
    /// Number of elements of a tuple.
    #[must_use]
    pub const fn arity(self) -> usize {
        self.elements().len()
    }

    /// The constant that enters the fingerprint.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }
}

/// What an interaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A row of a fixed table: a constant tuple, received as often as the prover says.
    Row,
    /// A membership check: a tuple sent to a fixed table.
    Lookup,
    /// A send or a receive on a bus that balances exactly.
    Message,
}

/// A combination of committed wires that several tuples carry in the same place: its product with a power of α is paid
/// once. Made by [`crate::cs::Cs::share`].
#[derive(Clone, Debug)]
pub struct Shared {
    pub(crate) id: u32,
    pub(crate) lc: Lc,
}

impl Shared {
    /// The combination.
    #[must_use]
    pub fn lc(&self) -> &Lc {
        &self.lc
    }

    /// The element with `constant` added, which costs nothing.
    #[must_use]
    pub fn plus(&self, constant: impl Into<F>) -> Element {
        Element { constant: constant.into(), variable: Variable::Shared(self.clone()) }
    }
}

/// The part of an element that is not constant.
#[derive(Clone, Debug, Default)]
pub(crate) enum Variable {
    #[default]
    None,
    Own(Lc),
    Shared(Shared),
}

/// An element of a tuple: a constant, which costs nothing, and a combination of committed wires, whose product with a
/// power of α costs a constraint unless it comes first in the tuple.
///
/// It is not multiplied by the row's `enable`: the multiplicity disables the whole tuple.
#[derive(Clone, Debug, Default)]
pub struct Element {
    pub(crate) constant: F,
    pub(crate) variable: Variable,
}

impl Element {
    /// A constant.
    #[must_use]
    pub fn constant(c: impl Into<F>) -> Self {
        Self { constant: c.into(), variable: Variable::None }
    }

    /// `lc` + `constant`.
    #[must_use]
    pub fn with_constant(lc: impl Into<Lc>, constant: impl Into<F>) -> Self {
        Self { constant: constant.into(), variable: Variable::Own(lc.into()) }
    }

    /// The value in this assignment.
    #[must_use]
    pub fn value(&self) -> F {
        self.constant + self.lc().map_or_else(F::zero, Lc::value)
    }

    pub(crate) fn lc(&self) -> Option<&Lc> {
        match &self.variable {
            Variable::None => None,
            Variable::Own(lc) | Variable::Shared(Shared { lc, .. }) => Some(lc),
        }
    }
}

impl From<u64> for Element {
    fn from(c: u64) -> Self {
        Self::constant(c)
    }
}

impl From<F> for Element {
    fn from(c: F) -> Self {
        Self::constant(c)
    }
}

impl From<Wire> for Element {
    fn from(w: Wire) -> Self {
        Lc::from(w).into()
    }
}

impl From<Lc> for Element {
    fn from(lc: Lc) -> Self {
        Self { constant: F::zero(), variable: Variable::Own(lc) }
    }
}

impl From<&Lc> for Element {
    fn from(lc: &Lc) -> Self {
        lc.clone().into()
    }
}

impl From<&Shared> for Element {
    fn from(shared: &Shared) -> Self {
        shared.plus(F::zero())
    }
}

impl From<Shared> for Element {
    fn from(shared: Shared) -> Self {
        Self { constant: F::zero(), variable: Variable::Shared(shared) }
    }
}

/// How an element is paid for, in four bytes: large circuits have millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payment {
    /// Constant.
    Nothing,
    /// A product of its own.
    Own,
    /// The product of a shared combination.
    Shared(u32),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    payment: Payment,
    /// Position in [`BusLog::constants`]; unused where the element is constant.
    constant: u32,
}

/// Everything sent and received, in order. Linear combinations are stored only in recording modes.
#[derive(Debug)]
pub struct BusLog {
    entries: Vec<Entry>,
    values: Vec<F>,
    /// One an element: `values` without the multiplicities.
    slots: Vec<Slot>,
    /// Distinct constants added to variable elements; the first is 0.
    constants: Vec<F>,
    interned: HashMap<F, u32>,
    terms: Vec<Vec<Term>>,
}

impl Default for BusLog {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            values: Vec::new(),
            slots: Vec::new(),
            constants: vec![F::zero()],
            interned: HashMap::from([(F::zero(), 0)]),
            terms: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    bus: Bus,
    role: Role,
    start: usize,
}

/// One send (multiplicity positive) or receive (negative).
#[derive(Clone, Debug)]
pub struct Interaction<'a> {
    pub name: &'static str,
    pub bus: Bus,
    pub role: Role,
    pub multiplicity: F,
    /// Values of the elements, constants included.
    pub tuple: &'a [F],
    slots: &'a [Slot],
    constants: &'a [F],
    /// Terms of the multiplicity, then of each element's variable part; empty in a values-only synthesis.
    pub terms: &'a [Vec<Term>],
}

impl Interaction<'_> {
    /// The constant part of element `k`.
    #[must_use]
    pub fn constant(&self, k: usize) -> F {
        match self.slots[k].payment {
            Payment::Nothing => self.tuple[k],
            Payment::Own | Payment::Shared(_) => self.constants[self.slots[k].constant as usize],
        }
    }

    pub(crate) fn payment(&self, k: usize) -> Payment {
        self.slots[k].payment
    }

    /// The variable part of element `k`, or with `None` the multiplicity.
    pub(crate) fn lc(&self, k: Option<usize>) -> Lc {
        let value = k.map_or(self.multiplicity, |k| self.tuple[k] - self.constant(k));
        let terms = self.terms.get(k.map_or(0, |k| k + 1)).cloned().unwrap_or_default();
        Lc::from_parts(terms, value)
    }
}

impl BusLog {
    pub(crate) fn push(
        &mut self,
        name: &'static str,
        bus: Bus,
        role: Role,
        multiplicity: Lc,
        tuple: &[Element],
        record: bool,
    ) {
        self.entries.push(Entry { name, bus, role, start: self.values.len() });
        self.values.push(multiplicity.value());
        if record {
            self.terms.push(multiplicity.into_terms());
        }
        for element in tuple {
            self.values.push(element.value());
            let payment = match &element.variable {
                Variable::None => Payment::Nothing,
                Variable::Own(_) => Payment::Own,
                Variable::Shared(s) => Payment::Shared(s.id),
            };
            let constant = if payment == Payment::Nothing { 0 } else { self.intern(element.constant) };
            self.slots.push(Slot { payment, constant });
            if record {
                self.terms.push(element.lc().map_or_else(Vec::new, |lc| lc.clone().into_terms()));
            }
        }
    }

    fn intern(&mut self, c: F) -> u32 {
        let constants = &mut self.constants;
        *self.interned.entry(c).or_insert_with(|| {
            constants.push(c);
            #[expect(clippy::expect_used, reason = "2³² constants do not fit in memory")]
            u32::try_from(constants.len() - 1).expect("fewer than 2³² constants")
        })
    }

    /// Number of interactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All interactions in order.
    pub fn iter(&self) -> impl Iterator<Item = Interaction<'_>> {
        self.entries.iter().enumerate().map(|(n, e)| {
            let end = e.start + 1 + e.bus.arity();
            Interaction {
                name: e.name,
                bus: e.bus,
                role: e.role,
                multiplicity: self.values[e.start],
                tuple: &self.values[e.start + 1..end],
                // Each entry before this one has one multiplicity among the values.
                slots: &self.slots[e.start - n..end - n - 1],
                constants: &self.constants,
                terms: if self.terms.is_empty() { &[] } else { &self.terms[e.start..end] },
            }
        })
    }

    /// Interactions on `bus` with a multiplicity other than zero.
    pub fn active(&self, bus: Bus) -> impl Iterator<Item = Interaction<'_>> {
        self.iter().filter(move |i| i.bus == bus && !i.multiplicity.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::lookup::argument::BUS_POWER;

    #[test]
    fn numbers_are_distinct_and_not_zero_and_tuples_end_below_the_bus_number() {
        let numbers: BTreeSet<_> = Bus::ALL.iter().map(|bus| bus.number()).collect();
        assert_eq!(numbers.len(), Bus::ALL.len());
        assert!(!numbers.contains(&0));
        for bus in Bus::ALL {
            assert!((1..=BUS_POWER).contains(&bus.arity()), "{bus:?}");
        }
    }
}
