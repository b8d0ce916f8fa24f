//! The oracle is `testing::tree`, which shares only the leaf format and native Poseidon with the machine. The journals
//! are played by constants.
//!
//! | file | idea |
//! |---|---|
//! | `accepts`, `levels`, `costs` | honest batches, depths, the table of costs |
//! | `wires` | every wire alone, changed |
//! | `rejects` | honest scenes with something changed |
//! | `forger` | how a cheating prover makes rows: the tools of the next five |
//! | `kinds`, `order`, `leaf`, `path`, `journal` | forgeries by family, each refused by that family alone |

#![allow(clippy::unwrap_used, reason = "a test")]

mod accepts;
mod costs;
mod forger;
mod journal;
mod kinds;
mod leaf;
mod levels;
mod order;
mod path;
mod rejects;
mod wires;

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use ark_ff::{Field, One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use cairn_protocol::{
    leaf::{AccountValue, Leaf, LeafId, address_to_field, halves, storage_to_fields},
    witness::{LeafAccess, LeafOp, fold_levels},
};

use super::{
    row::{RowKind, TreeRow, TreeRows, TreeShape, Value},
    synthesize,
    witness::{self, TreeRowsError},
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, NUM_PUBLIC},
    gadgets::{compare, pow2},
    lookup::{
        argument,
        bus::{Account, Bus, Element, Storage},
        challenge::Challenges,
        tables,
    },
    machine::Levels,
    testing::{Checker, Failures, tree::ReferenceTree},
};

/// What a journal sees of one leaf.
#[derive(Clone, Debug)]
struct Ends {
    bus: Bus,
    /// In the bus' order of elements.
    first: [F; 7],
    last: [F; 7],
}

/// A batch as the machine sees it.
#[derive(Clone, Debug)]
struct Scene {
    levels: Levels,
    subtree: F,
    rows: Vec<TreeRow>,
    root_in: F,
    root_out: F,
    journal: Vec<Ends>,
}

/// Journal rows of an operation, straight from the formats.
fn ends(op: &LeafOp, time: u64) -> Ends {
    let zero = [F::zero(); 3];
    let (old, old_index, new, new_index) = match &op.access {
        LeafAccess::Update { opening, new_value } => {
            (opening.leaf.value, opening.index, *new_value, opening.index)
        }
        LeafAccess::Insert { index, new_value, .. } => (zero, 0, *new_value, *index),
        LeafAccess::Absent { .. } => (zero, 0, zero, 0),
    };
    let tuple = |[v0, v1, v2]: [F; 3], index: u64, time: u64| {
        let [nonce, lo] = compare::split(v0).map(F::from);
        let (index, time) = (F::from(index), F::from(time));
        match op.id {
            LeafId::Account(a) => [index, address_to_field(a), nonce, v1, lo, v2, time],
            LeafId::Storage(a, slot) => {
                let (hi, low) = halves(slot);
                [index, address_to_field(a), hi, low, v1, lo, time]
            }
        }
    };
    let bus = if matches!(op.id, LeafId::Account(_)) { Bus::Account } else { Bus::Storage };
    Ends { bus, first: tuple(old, old_index, 0), last: tuple(new, new_index, time) }
}

/// Levels of the scenes that are not about levels: the shallowest that has a level above and one below.
const LEVELS: Levels = Levels::DEFAULT;

fn shape(rows: usize) -> TreeShape {
    TreeShape { rows, levels: LEVELS }
}

fn scene_of(ops: &[LeafOp], root_in: F, root_out: F, spare: usize) -> Scene {
    scene_at(LEVELS, ops, root_in, root_out, spare)
}

fn scene_at(levels: Levels, ops: &[LeafOp], root_in: F, root_out: F, spare: usize) -> Scene {
    let times: Vec<u64> = (0..ops.len() as u64).map(|i| 3 * i).collect();
    let shape = TreeShape { rows: witness::rows_needed(ops) + spare, levels };
    let TreeRows { rows, subtree, .. } = witness::rows(ops, &times, shape).unwrap();
    let journal = ops.iter().zip(times).map(|(op, t)| ends(op, t)).collect();
    Scene { levels, subtree, rows, root_in, root_out, journal }
}

fn scene(tree: &mut ReferenceTree, accesses: &[(LeafId, Option<[F; 3]>)], spare: usize) -> Scene {
    let (root_in, subtree) = (tree.root(), tree.subtree_root(LEVELS.get()));
    let ops = tree.batch(accesses);
    let scene = scene_of(&ops, root_in, tree.root(), spare);
    assert!(ops.is_empty() || scene.subtree == subtree, "the hint is the subtree's root");
    Scene { subtree, ..scene }
}

/// The journal's side of a row: sends `tuple`, a constant of the bus' element order.
fn play(cs: &mut Cs, name: &'static str, multiplicity: Lc, bus: Bus, tuple: &[F; 7]) {
    let [index, e1, e2, e3, e4, e5, time] = tuple.map(Element::from);
    match bus {
        Bus::Account => {
            let [address, nonce, balance_high, balance_low, code_hash] = [e1, e2, e3, e4, e5];
            let tuple = Account { index, address, nonce, balance_high, balance_low, code_hash, time };
            cs.send(name, multiplicity, tuple);
        }
        _ => {
            let [address, slot_high, slot_low, value_high, value_low] = [e1, e2, e3, e4, e5];
            let tuple = Storage { index, address, slot_high, slot_low, value_high, value_low, time };
            cs.send(name, multiplicity, tuple);
        }
    }
}

impl Scene {
    /// The machine alone; returns the root after the batch.
    fn machine(&self, cs: &mut Cs) -> Lc {
        let Self { levels, subtree, root_in, .. } = *self;
        let root_in = cs.constant(root_in);
        synthesize(cs, &TreeRows { levels, subtree, rows: self.rows.clone() }, root_in)
    }

    fn synthesize(&self, mode: Mode) -> Cs {
        let mut cs = Cs::new(mode);
        let root_out = self.machine(&mut cs);
        cs.enforce_equal("test.root_out", root_out, cs.constant(self.root_out));
        let one = cs.constant(1u64);
        for Ends { bus, first, last } in &self.journal {
            play(&mut cs, "test.first", -one.clone(), *bus, first);
            play(&mut cs, "test.last", one.clone(), *bus, last);
        }
        cs
    }

    fn checker(&self) -> Checker {
        Checker::new(&self.synthesize(Mode::Check), vec![])
    }

    fn failures(&self) -> Failures {
        self.checker().failures()
    }

    #[track_caller]
    fn assert_accepted(&self) {
        assert_eq!(self.failures(), Failures::new());
    }

    /// The honest scene passes; after `change` the failures include `expected`.
    #[track_caller]
    fn assert_rejected(&self, expected: &str, change: impl FnOnce(&mut Scene)) {
        self.assert_accepted();
        let mut changed = self.clone();
        change(&mut changed);
        let failures = changed.failures();
        assert!(failures.contains(expected), "expected {expected}, failed: {failures:?}");
    }
}

fn address(n: u64) -> Address {
    Address::from_word(U256::from(n + 1).into())
}

fn account(n: u64) -> LeafId {
    LeafId::Account(address(n))
}

fn slot(n: u64) -> LeafId {
    LeafId::Storage(address(n), (U256::from(n) << 128usize) + U256::from(7 * n))
}

fn wealth(nonce: u64, balance: U256) -> [F; 3] {
    AccountValue { nonce, balance, code_hash: F::zero() }.to_fields()
}

/// Accounts 0 to n − 1 and as many slots.
fn tree_of(n: u64) -> ReferenceTree {
    let mut tree = ReferenceTree::new();
    for i in 0..n {
        let _ = tree.write(account(i), wealth(i, U256::from(1000 * i)));
        let _ = tree.write(slot(i), storage_to_fields(U256::from(i) << 130usize));
    }
    tree
}

fn update_scene() -> Scene {
    scene(&mut tree_of(4), &[(account(2), Some(wealth(9, U256::from(5) << 128usize)))], 0)
}

fn absent_scene() -> Scene {
    scene(&mut tree_of(4), &[(account(1000), None)], 0)
}

fn insert_scene() -> Scene {
    let mut tree = tree_of(4);
    // A key with a predecessor that is not the sentinel and a successor, so that all pointers are non-zero.
    let id = (100..)
        .map(account)
        .find(|id| {
            let low = tree.opening(tree.predecessor(id.key())).leaf;
            !low.key.is_zero() && low.next_index != 0
        })
        .unwrap();
    scene(&mut tree, &[(id, Some(wealth(1, U256::from(77))))], 0)
}

/// Two updates in key order.
fn two_updates() -> (ReferenceTree, Vec<LeafOp>, F) {
    let mut tree = tree_of(4);
    let root_in = tree.root();
    let ops = tree.batch(&[
        (account(1), Some(wealth(2, U256::from(3)))),
        (slot(3), Some(storage_to_fields(U256::from(4)))),
    ]);
    (tree, ops, root_in)
}

fn tree_root_after(op: &LeafOp, root_in: F) -> F {
    let rows = witness::rows(std::slice::from_ref(op), &[0], shape(2)).unwrap();
    let mut cs = Cs::new(Mode::Assign);
    let root_in = cs.constant(root_in);
    synthesize(&mut cs, &rows, root_in).value()
}
