//! The list of machines: all that the batch circuit, key generation, counts and tests know of them.

use cairn_protocol::resources::Resource;

use super::Header;
use crate::{
    cs::Cs,
    lookup::tables::FixedTable,
    machine::{BatchWires, Events, Layout, Machine, MachineError, Shape, shared_tables},
    machines::{
        keccak::{Keccak, KeccakWords},
        secp256k1::Secp256k1,
        system::{BatchEnd, ExitRoot},
        tree::Tree,
        tx::Transactions,
    },
};

/// One line a machine: the name of its rows in [`Assignment`], and the type. The order is that of events and of wires: a
/// machine stands after those whose events it takes and whose wires it reads.
macro_rules! machines {
    ($($rows:ident: $machine:ty,)+) => {
        /// Values of the header and of all machines.
        #[derive(Clone, Debug)]
        pub struct Assignment {
            pub header: Header,
            $(pub $rows: <$machine as Machine>::Rows,)+
        }

        impl Assignment {
            /// Disabled rows of all machines.
            pub(super) fn idle(header: Header, shape: &Shape) -> Self {
                let layout = Layout::from(shape);
                Self { header, $($rows: <$machine>::idle(&layout),)+ }
            }

            /// The rows of all machines for `events`.
            pub(super) fn rows(
                header: Header,
                shape: &Shape,
                events: &mut Events<'_>,
            ) -> Result<Self, MachineError> {
                let layout = Layout::from(shape);
                $(let $rows = <$machine>::rows(&layout, events).map_err(MachineError::of::<$machine>)?;)+
                Ok(Self { header, $($rows,)+ })
            }

            /// The constraints of all machines.
            pub(super) fn synthesize_machines(&self, cs: &mut Cs, shape: &Shape, wires: &mut BatchWires) {
                let layout = Layout::from(shape);
                $(<$machine>::synthesize(cs, &layout, wires, &self.$rows);)+
            }
        }

        /// The list.
        pub const MACHINES: &[MachineEntry] = &[$(MachineEntry::of::<$machine>(),)+];
    };
}

machines! {
    exit_root: ExitRoot,
    transactions: Transactions,
    batch_end: BatchEnd,
    tree: Tree,
    signatures: Secp256k1,
    keccak: Keccak,
    keccak_words: KeccakWords,
}

/// A machine without its type: what can be done with every one of the list.
#[derive(Clone, Copy, Debug)]
pub struct MachineEntry {
    /// [`Machine::NAME`].
    pub name: &'static str,
    /// [`Machine::RESOURCES`].
    pub resources: &'static [Resource],
    /// [`Machine::FREE_WIRES`].
    pub free_wires: &'static [(&'static str, &'static str)],
    /// [`Machine::fixed_tables`].
    pub fixed_tables: fn() -> Vec<FixedTable>,
    /// Synthesizes the machine alone, with disabled rows.
    pub synthesize_idle: fn(&mut Cs, &Layout, &mut BatchWires),
}

impl MachineEntry {
    const fn of<M: Machine>() -> Self {
        Self {
            name: M::NAME,
            resources: M::RESOURCES,
            free_wires: M::FREE_WIRES,
            fixed_tables: M::fixed_tables,
            synthesize_idle: |cs, layout, wires| M::synthesize(cs, layout, wires, &M::idle(layout)),
        }
    }
}

/// Every fixed table that the batch circuit uses.
#[must_use]
pub fn fixed_tables() -> Vec<FixedTable> {
    MACHINES.iter().fold(shared_tables(), |mut tables, machine| {
        tables.extend((machine.fixed_tables)());
        tables
    })
}
