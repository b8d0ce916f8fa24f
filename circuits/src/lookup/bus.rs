//! Buses: who may meet whom, and with how many elements. Tuples of different buses never cancel, because the bus
//! number enters the tuple's fingerprint as a constant.

use ark_ff::Zero;

use crate::{
    F,
    cs::{Lc, Term},
};

/// All buses. A fixed table is a receiver with prover-chosen multiplicities; every other bus balances exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Bus {
    /// Fixed table: (x), x ∈ [0, 2¹⁶).
    Range16 = 1,
    /// Fixed table: (x), x ∈ [0, 2⁸).
    Range8 = 2,
    /// Fixed table: (x), x = Σ bᵢ·8ⁱ with sixteen bits bᵢ.
    Sparse16 = 3,
    /// Fixed table: (byte, Σ bᵢ·8ⁱ of its bits).
    ByteSparse = 4,
    /// (stream, position, byte): bytes of a message to be hashed; the keccak machine receives.
    KeccakInput = 5,
    /// (stream, length in bytes, digest high 128 bits, digest low 128 bits); the keccak machine sends.
    KeccakOutput = 6,
    /// (z high, z low, r high, r low, s high, s low, y parity, address): valid recoveries; secp256k1 sends.
    Signature = 7,
    /// (address, nonce, balance high, balance low, code hash, leaf index, time): the account journal.
    Account = 8,
    /// (address, slot high, slot low, value high, value low, leaf index, time): the storage journal.
    Storage = 9,
    /// Fixed table: (256·window + digit, three x limbs, their three low parts, two y halves): multiples of G.
    FixedBase = 10,
    /// (16·table + digit, three x limbs, their three low parts, two y halves): multiples of variable points, written
    /// and read by secp256k1.
    VariableBase = 11,
    /// Fixed table: (index, two halves each of start x, start y, end x, end y): where secp256k1's accumulator begins and ends.
    StartPoint = 12,
    /// (position, byte): the batch's bytes. A slot sends what it reads, the byte table receives.
    BatchByte = 13,
    /// (position, non-zero bytes from it to the end of the batch). A slot sends, the byte table receives.
    BatchPrefix = 14,
    /// (position, stream + 1, shift): from this byte on, byte i belongs to position i − shift of the stream, or to none if
    /// the last two are 0. A slot announces the fields that its signing payload shares with the wire.
    PayloadRegion = 15,
}

impl Bus {
    /// Elements of a tuple.
    #[must_use]
    pub const fn arity(self) -> usize {
        match self {
            Self::Range16 | Self::Range8 | Self::Sparse16 => 1,
            Self::ByteSparse | Self::BatchByte | Self::BatchPrefix => 2,
            Self::KeccakInput | Self::PayloadRegion => 3,
            Self::KeccakOutput => 4,
            Self::Signature => 8,
            Self::Account | Self::Storage => 7,
            Self::FixedBase | Self::VariableBase | Self::StartPoint => 9,
        }
    }

    /// The constant that enters the fingerprint.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// True if a fixed table receives on this bus.
    #[must_use]
    pub const fn is_fixed_table(self) -> bool {
        matches!(
            self,
            Self::Range16
                | Self::Range8
                | Self::Sparse16
                | Self::ByteSparse
                | Self::FixedBase
                | Self::StartPoint
        )
    }
}

/// Everything sent and received, in order. Linear combinations are stored only in recording modes.
#[derive(Debug, Default)]
pub struct BusLog {
    entries: Vec<Entry>,
    values: Vec<F>,
    terms: Vec<Vec<Term>>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    bus: Bus,
    start: usize,
}

/// One send (multiplicity positive) or receive (negative): multiplicity first, then the tuple.
#[derive(Clone, Debug)]
pub struct Interaction<'a> {
    pub name: &'static str,
    pub bus: Bus,
    pub multiplicity: F,
    pub tuple: &'a [F],
    /// Terms of the multiplicity and of each element; empty in a values-only synthesis.
    pub terms: &'a [Vec<Term>],
}

impl BusLog {
    pub(crate) fn push(
        &mut self,
        name: &'static str,
        bus: Bus,
        multiplicity: Lc,
        tuple: &[Lc],
        record: bool,
    ) {
        self.entries.push(Entry { name, bus, start: self.values.len() });
        self.values.push(multiplicity.value());
        self.values.extend(tuple.iter().map(Lc::value));
        if record {
            self.terms.push(multiplicity.into_terms());
            self.terms.extend(tuple.iter().map(|lc| lc.clone().into_terms()));
        }
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
        self.entries.iter().map(|e| {
            let end = e.start + 1 + e.bus.arity();
            Interaction {
                name: e.name,
                bus: e.bus,
                multiplicity: self.values[e.start],
                tuple: &self.values[e.start + 1..end],
                terms: if self.terms.is_empty() { &[] } else { &self.terms[e.start..end] },
            }
        })
    }

    /// Interactions on `bus` with a multiplicity other than zero.
    pub fn active(&self, bus: Bus) -> impl Iterator<Item = Interaction<'_>> {
        self.iter().filter(move |i| i.bus == bus && !i.multiplicity.is_zero())
    }
}
