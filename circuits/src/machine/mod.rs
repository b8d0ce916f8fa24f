//! What every machine fulfils: [`Machine`], and what machines are handed: the [`Layout`] of a shape, a batch's [`Events`],
//! and the [`BatchWires`] that pass from machine to machine. Which machines there are is not said here: `batch` has the
//! list.
//!
//! ```text
//!            BatchWitness ─► Events ─┐                       ┌─ BatchWires
//!                                    ▼                       ▼
//!  Shape ─► Layout ─► Machine::rows(layout, events) ─► Machine::synthesize(cs, layout, wires, rows)
//!             │                                              ▲
//!             └──────► Machine::idle(layout) ────────────────┘   (key generation)
//! ```

mod events;
#[cfg(test)]
mod example;
mod layout;
mod levels;
mod shape;

use cairn_protocol::resources::Resource;

pub use self::{
    events::Events,
    layout::Layout,
    levels::{Levels, LevelsError},
    shape::{Shape, permutations_of},
};
use crate::{
    cs::{Cs, Lc},
    gadgets::words::Word,
    lookup::tables::FixedTable,
};

/// A machine: rows of one kind with constraints of their own, joined to the other machines by the bus.
///
/// Rows have no effect on the structure: [`Machine::idle`] and what [`Machine::rows`] returns give the same matrices.
pub trait Machine {
    /// In snake_case; no two machines share it.
    const NAME: &'static str;
    /// The resources whose capacity is a number of rows of this machine: no other machine counts them.
    const RESOURCES: &'static [Resource];
    /// Names of wires that nothing determines in some rows, each with the reason why it may be free.
    const FREE_WIRES: &'static [(&'static str, &'static str)] = &[];
    /// The values of all rows.
    type Rows: Clone + std::fmt::Debug;
    /// Why a batch has no rows.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Disabled rows, as many as the layout has.
    fn idle(layout: &Layout) -> Self::Rows;

    /// Takes the events of this machine, pushes those that it causes for machines later in the list, and returns its rows.
    ///
    /// # Errors
    /// If the events do not fit the layout or have no satisfying rows.
    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<Self::Rows, Self::Error>;

    /// Commits to the rows and constrains them.
    fn synthesize(cs: &mut Cs, layout: &Layout, wires: &mut BatchWires, rows: &Self::Rows);

    /// Tables that this machine alone looks up. [`shared_tables`] are closed for all.
    #[must_use]
    fn fixed_tables() -> Vec<FixedTable> {
        Vec::new()
    }
}

/// Fixed tables of gadgets, which any machine may look up.
#[must_use]
pub fn shared_tables() -> Vec<FixedTable> {
    use crate::lookup::tables::{byte_sparse, range8, range16, sparse16};
    vec![range16(), range8(), sparse16(), byte_sparse()]
}

/// A machine that gave a batch no rows.
#[derive(Debug, thiserror::Error)]
#[error("{machine}: {reason}")]
pub struct MachineError {
    /// [`Machine::NAME`].
    pub machine: &'static str,
    #[source]
    pub reason: Box<dyn std::error::Error + Send + Sync>,
}

impl MachineError {
    /// The error of machine `M`.
    pub fn of<M: Machine>(reason: M::Error) -> Self {
        Self { machine: M::NAME, reason: Box::new(reason) }
    }
}

/// What the batch gives to its machines and they to each other, in the order of the list.
#[derive(Clone, Debug)]
pub struct BatchWires {
    /// Below 2⁶⁴, as its bytes are hashed.
    pub chain_id: Lc,
    /// Below 2¹⁶⁰, as its bytes are hashed.
    pub coinbase: Lc,
    /// Below 2⁶⁴, as its bytes are hashed.
    pub timestamp: Lc,
    /// In range, as its bytes are hashed.
    pub global_exit_root: Word,
    /// In range, as its bytes are hashed.
    pub new_local_exit_root: Word,
    /// Leaf count after the machines so far.
    pub leaf_count: Lc,
    /// Tree root: of the old state, until the tree machine replaces it by that of the new state.
    pub tree_root: Lc,
    /// Number of transactions, of which each is a block; set by the transaction machine.
    pub transactions: Lc,
    /// Bytes in the batch; set by the transaction machine.
    pub total_len: Lc,
}

#[cfg(test)]
impl BatchWires {
    /// Every wire the same value, for a machine that stands alone.
    pub(crate) fn all(value: &Lc) -> Self {
        let word = Word { hi: value.clone(), lo: value.clone() };
        Self {
            chain_id: value.clone(),
            coinbase: value.clone(),
            timestamp: value.clone(),
            global_exit_root: word.clone(),
            new_local_exit_root: word,
            leaf_count: value.clone(),
            tree_root: value.clone(),
            transactions: value.clone(),
            total_len: value.clone(),
        }
    }
}
