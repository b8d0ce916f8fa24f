//! The state tree as a machine of the list. It stands after every machine that accesses the journal.

use std::collections::BTreeMap;

use cairn_protocol::{leaf::LeafId, resources::Resource};

use super::{
    constraints::synthesize,
    row::{TreeRows, TreeShape},
    witness::{TreeRowsError, rows},
};
use crate::{
    cs::Cs,
    machine::{BatchWires, Events, Layout, Machine},
};

const OFF: &str = "where the row compares nothing: the opened leaf is the operation's own, or none";

/// Rows of leaf operations; replaces the tree root of the wires.
#[derive(Clone, Copy, Debug)]
pub struct Tree;

fn shape(layout: &Layout) -> TreeShape {
    TreeShape { rows: layout.rows(Resource::TreeRows), levels: layout.levels() }
}

impl Machine for Tree {
    const NAME: &'static str = "tree";
    const RESOURCES: &'static [Resource] = &[Resource::TreeRows];
    const FREE_WIRES: &'static [(&'static str, &'static str)] = &[
        ("tree.order.above.gap", OFF),
        ("tree.order.above.borrow", OFF),
        ("tree.order.after.gap", OFF),
        ("tree.order.after.borrow", OFF),
        ("tree.journal.last_time", "LINK has no journal row"),
    ];
    type Rows = TreeRows;
    type Error = TreeRowsError;

    fn idle(layout: &Layout) -> TreeRows {
        TreeRows::empty(shape(layout))
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<TreeRows, TreeRowsError> {
        let times: BTreeMap<LeafId, u64> = events.journal.leaves().map(|(id, e)| (id, e.time)).collect();
        let ops = &events.witness.leaf_ops;
        let last_times: Vec<u64> =
            ops.iter().map(|op| times.get(&op.id).copied().unwrap_or_default()).collect();
        rows(ops, &last_times, shape(layout))
    }

    fn synthesize(cs: &mut Cs, _: &Layout, wires: &mut BatchWires, rows: &TreeRows) {
        wires.tree_root = synthesize(cs, rows, wires.tree_root.clone());
    }
}
