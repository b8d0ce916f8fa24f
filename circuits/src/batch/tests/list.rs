//! What must hold of every machine of the list, those to come included.

use cairn_protocol::resources::{Resource, Rows};

use super::*;
use crate::machine::{BatchWires, shared_tables};

/// The machine alone, with disabled rows.
pub(super) fn idle(mode: Mode, machine: &MachineEntry, shape: &Shape) -> Cs {
    let mut cs = Cs::new(mode);
    let mut wires = BatchWires::all(&cs.one().into());
    (machine.synthesize_idle)(&mut cs, &Layout::from(shape), &mut wires);
    cs
}

pub(super) fn two_of_each() -> Shape {
    Shape { capacity: Rows::new(&Resource::ALL.map(|resource| (resource, 2))), ..Shape::transfers(0) }
}

#[test]
fn machines_have_names_and_resources_of_their_own() {
    let names: BTreeSet<_> = MACHINES.iter().map(|machine| machine.name).collect();
    assert_eq!(names.len(), MACHINES.len(), "{names:?}");
    for resource in Resource::ALL {
        let counted: Vec<_> =
            MACHINES.iter().filter(|m| m.resources.contains(&resource)).map(|m| m.name).collect();
        // Steps bound what a batch executes; no circuit has rows for them.
        let expected = usize::from(resource != Resource::Steps);
        assert_eq!(counted.len(), expected, "{resource} is counted by {counted:?}");
    }
}

#[test]
fn a_machine_grows_with_its_own_resources_only() {
    let shape = two_of_each();
    for machine in MACHINES {
        let before = idle(Mode::Record, machine, &shape).num_constraints();
        assert!(before > 0, "{}", machine.name);
        for resource in Resource::ALL {
            let after = idle(Mode::Record, machine, &shape.with(resource, 3)).num_constraints();
            let grows = machine.resources.contains(&resource);
            assert_eq!(after > before, grows, "{} with one row more of {resource}", machine.name);
            assert!(grows || after == before, "{} shrinks with {resource}", machine.name);
        }
    }
}

#[test]
fn the_batch_is_its_machines_and_nothing_that_grows() {
    let alone = |shape: &Shape| -> usize {
        MACHINES.iter().map(|m| idle(Mode::Record, m, shape).num_constraints()).sum()
    };
    let whole = |shape: &Shape| {
        let mut cs = Cs::new(Mode::Record);
        synthesize(&mut cs, shape, &Assignment::structure(shape));
        cs.num_constraints()
    };
    let shape = two_of_each();
    let rest = whole(&shape) - alone(&shape);
    for resource in Resource::ALL {
        let larger = shape.with(resource, 5);
        assert_eq!(whole(&larger) - alone(&larger), rest, "{resource}");
    }
}

#[test]
fn every_table_that_is_looked_up_is_closed_by_its_machine_or_for_all() {
    let shared: BTreeSet<_> = shared_tables().iter().map(|t| t.bus).collect();
    for machine in MACHINES {
        let own: BTreeSet<_> = (machine.fixed_tables)().iter().map(|t| t.bus).collect();
        assert!(own.is_disjoint(&shared), "{} has a table that is closed for all", machine.name);
        for i in idle(Mode::Record, machine, &two_of_each()).interactions().filter(|i| i.bus.is_fixed_table())
        {
            assert!(own.contains(&i.bus) || shared.contains(&i.bus), "{}: {:?}", machine.name, i.bus);
        }
    }
    let all: Vec<_> = fixed_tables().iter().map(|t| t.bus).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "a table is closed twice: {all:?}");
}
