//! The oracle is `testing::tree`, which shares only the leaf format and native Poseidon with the machine. The journals
//! are played by constants.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use ark_ff::{Field, One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use cairn_protocol::{
    leaf::{AccountValue, LeafId, address_to_field, halves, storage_to_fields},
    witness::{LeafAccess, LeafOp, fold_levels},
};

use super::{
    levels::Levels,
    row::{RowKind, TreeRow, TreeRows, TreeShape, Value},
    synthesize,
    witness::{self, TreeRowsError},
};
use crate::{
    F,
    cs::{Cs, Lc, Mode, NUM_PUBLIC, WireId},
    gadgets::{compare, pow2, range},
    lookup::{
        argument,
        bus::{Account, Bus, Element, Storage, Tuple},
        challenge::Challenges,
        tables,
    },
    testing::{Checker, Failures, tree::ReferenceTree},
};

/// What a journal sees of one leaf.
#[derive(Clone, Debug)]
struct Ends {
    bus: Bus,
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
            LeafId::Account(a) => [address_to_field(a), nonce, v1, lo, v2, index, time],
            LeafId::Storage(a, slot) => {
                let (hi, low) = halves(slot);
                [address_to_field(a), hi, low, v1, lo, index, time]
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

/// The journal's side of a leaf: receives its first row, sends its last.
fn play(cs: &mut Cs, is_first: bool, tuple: impl Tuple) {
    let one = cs.one();
    if is_first { cs.receive("test.first", one, tuple) } else { cs.send("test.last", one, tuple) }
}

impl Scene {
    fn synthesize(&self, mode: Mode) -> Cs {
        let mut cs = Cs::new(mode);
        let root_in = cs.constant(self.root_in);
        let Self { levels, subtree, .. } = *self;
        let root_out = synthesize(&mut cs, &TreeRows { levels, subtree, rows: self.rows.clone() }, root_in);
        cs.enforce_equal("test.root_out", root_out, cs.constant(self.root_out));
        for Ends { bus, first, last } in &self.journal {
            for (is_first, &[address, a, b, c, d, index, time]) in [(true, first), (false, last)] {
                let [index, address, a, b, c, d, time] =
                    [index, address, a, b, c, d, time].map(Element::from);
                match bus {
                    Bus::Account => {
                        let [nonce, balance_high, balance_low, code_hash] = [a, b, c, d];
                        let tuple =
                            Account { index, address, nonce, balance_high, balance_low, code_hash, time };
                        play(&mut cs, is_first, tuple);
                    }
                    _ => {
                        let [slot_high, slot_low, value_high, value_low] = [a, b, c, d];
                        let tuple =
                            Storage { index, address, slot_high, slot_low, value_high, value_low, time };
                        play(&mut cs, is_first, tuple);
                    }
                }
            }
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

#[test]
fn accepts_random_batches_and_agrees_with_the_reference_tree() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut tree = ReferenceTree::new();
    for _ in 0..4 {
        let mut accesses: BTreeMap<LeafId, Option<[F; 3]>> = BTreeMap::new();
        for _ in 0..5 {
            let n = rng.gen_range(0..6);
            let word = U256::from_limbs(std::array::from_fn(|_| rng.r#gen()));
            let (id, value) = if rng.gen_bool(0.5) {
                let code_hash = F::rand(&mut rng);
                (account(n), AccountValue { nonce: rng.r#gen(), balance: word, code_hash }.to_fields())
            } else {
                (slot(n), storage_to_fields(word))
            };
            accesses.insert(id, rng.gen_bool(0.7).then_some(value));
        }
        scene(&mut tree, &accesses.into_iter().collect::<Vec<_>>(), 2).assert_accepted();
    }
}

#[test]
fn accepts_edges() {
    let mut tree = ReferenceTree::new();
    // First leaves of an empty tree, largest values, values of zero.
    let largest = AccountValue { nonce: u64::MAX, balance: U256::MAX, code_hash: -F::one() }.to_fields();
    scene(&mut tree, &[(account(0), Some(largest)), (account(1), None)], 0).assert_accepted();
    scene(&mut tree, &[(account(0), Some([F::zero(); 3])), (slot(0), Some(storage_to_fields(U256::MAX)))], 0)
        .assert_accepted();
    // Nothing at all, and no rows at all.
    scene(&mut tree, &[], 2).assert_accepted();
    scene(&mut tree, &[], 0).assert_accepted();
    // Enough leaves for a second and a third node above the leaves.
    let many: Vec<_> = (0..70).map(|n| (account(n), Some(wealth(1, U256::from(n))))).collect();
    let _ = tree.batch(&many);
    scene(&mut tree, &[(account(69), None), (account(5), Some(wealth(2, U256::ZERO)))], 0).assert_accepted();
    // Below all keys and above all keys.
    let smallest = (0..70).map(|n| account(n).key()).min().unwrap();
    let largest = (0..70).map(|n| account(n).key()).max().unwrap();
    let below = (1000..).map(account).find(|id| id.key() < smallest).unwrap();
    let above = (1000..).map(account).find(|id| id.key() > largest).unwrap();
    let value = Some(wealth(0, U256::ONE));
    scene(&mut tree, &[(below, None), (above, None)], 0).assert_accepted();
    scene(&mut tree, &[(below, value), (above, value)], 0).assert_accepted();
}

#[test]
fn assigns_the_same_values_and_zeros_to_disabled_rows() {
    let scene = scene(&mut tree_of(3), &[(account(1), Some(wealth(1, U256::ONE))), (slot(9), None)], 1);
    let (check, assign, record) =
        (scene.synthesize(Mode::Check), scene.synthesize(Mode::Assign), scene.synthesize(Mode::Record));
    assert_eq!(check.assignment(), assign.assignment());
    let empty = Scene { rows: vec![TreeRow::default(); 3], ..scene.clone() }.synthesize(Mode::Record);
    let same = |a: &Cs, b: &Cs| {
        let (a, b) = (a.matrices(), b.matrices());
        a.num_constraints() == b.num_constraints()
            && (0..a.num_constraints()).all(|i| {
                let (a, b) = (a.constraint(i), b.constraint(i));
                (a.name, a.a, a.b) == (b.name, b.a, b.b) && (a.c == b.c || a.name == "test.root_out")
            })
    };
    assert!(same(&record, &check) && same(&record, &empty), "the structure depends on values");

    let mut cs = Cs::new(Mode::Assign);
    let root = F::from(5u64);
    let root_in = cs.constant(root);
    let rows = TreeRows { levels: Levels::ALL, subtree: root, rows: vec![TreeRow::default()] };
    let out = synthesize(&mut cs, &rows, root_in);
    assert_eq!(out.value(), root);
    assert!(cs.committed().iter().all(F::is_zero));
    let nonzero: Vec<_> = cs.witness_values().iter().filter(|v| !v.is_zero()).collect();
    assert_eq!(nonzero, [&root, &root], "only the root passes through");
}

#[test]
fn accepts_through_the_lookup_argument_and_rejects_an_altered_journal() {
    let mut rng = StdRng::seed_from_u64(17);
    let challenges = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
    let satisfied = |scene: &Scene| {
        let mut cs = scene.synthesize(Mode::Check);
        tables::range16().close(&mut cs);
        argument::close(&mut cs, challenges);
        let num_instance = NUM_PUBLIC as usize + cs.committed().len();
        let failures = cs.matrices().failures(&cs.assignment(), num_instance);
        failures.into_iter().map(|(_, name)| name).collect::<Failures>()
    };
    let mut scene = insert_scene();
    assert_eq!(satisfied(&scene), Failures::new());
    scene.journal[0].last[6] += F::one();
    assert_eq!(satisfied(&scene), Failures::from(["bus.sum"]));
}

/// Constraints a row by family; docs/circuits/tree.md has the same table.
fn costs() -> BTreeMap<&'static str, usize> {
    let count = |rows: usize| {
        let mut cs = Cs::new(Mode::Record);
        let _ = synthesize(&mut cs, &TreeRows::empty(shape(rows)), Lc::zero());
        cs.counts().clone()
    };
    let (one, two) = (count(1), count(2));
    let mut families = BTreeMap::new();
    for (name, n) in two {
        let family = name.split('.').nth(1).unwrap();
        *families.entry(family).or_default() += n - one[name];
    }
    families.retain(|_, n| *n > 0);
    families
}

#[test]
fn costs_are_as_documented() {
    let costs = costs();
    let page = include_str!("../../../../docs/circuits/tree.md");
    let (_, documented) = page.split_once("## Cost").unwrap();
    for (family, n) in &costs {
        let row = documented.lines().find(|l| l.starts_with(&format!("| {family} "))).unwrap_or_default();
        assert!(row.ends_with(&format!("| {n} |")), "{family} costs {n}, documented: {row}");
    }
    let total: usize = costs.values().sum();
    assert!(documented.contains(&format!("| **total** | | {total} |")), "a row costs {total}");
    assert!(total <= 6_100);
}

#[test]
fn rejects_any_changed_wire_of_an_update() {
    let off = "compares nothing where the opened leaf is the operation's own";
    let free = [("tree.order.above.gap", off), ("tree.order.above.borrow", off)];
    update_scene().checker().assert_no_free_wires(&free, None, &mut StdRng::seed_from_u64(12));
}

#[test]
fn rejects_any_changed_wire_of_an_absence() {
    absent_scene().checker().assert_no_free_wires(&[], None, &mut StdRng::seed_from_u64(13));
}

#[test]
fn rejects_any_changed_wire_of_an_insertion() {
    let off = "compares nothing in APPEND";
    let free = [
        ("tree.order.above.gap", off),
        ("tree.order.above.borrow", off),
        ("tree.order.after.gap", off),
        ("tree.order.after.borrow", off),
        ("tree.journal.last_time", "LINK has no journal row"),
    ];
    insert_scene().checker().assert_no_free_wires(&free, None, &mut StdRng::seed_from_u64(14));
}

#[test]
fn rejects_any_changed_wire_of_a_slot() {
    let mut tree = tree_of(3);
    let off = "compares nothing where the opened leaf is the operation's own";
    let free = [("tree.order.above.gap", off), ("tree.order.above.borrow", off)];
    let scene = scene(&mut tree, &[(slot(2), Some(storage_to_fields(U256::from(6))))], 0);
    scene.checker().assert_no_free_wires(&free, Some(1500), &mut StdRng::seed_from_u64(15));
}

#[test]
fn every_constraint_is_broken_by_some_changed_wire() {
    let mut rng = StdRng::seed_from_u64(16);
    let mut broken = Failures::new();
    let mut stated = Failures::new();
    let slot_update = scene(&mut tree_of(2), &[(slot(1), Some(storage_to_fields(U256::from(5))))], 1);
    for scene in [update_scene(), absent_scene(), insert_scene(), slot_update] {
        stated.extend(scene.synthesize(Mode::Check).counts().keys().filter(|name| name.starts_with("tree.")));
        let mut checker = scene.checker();
        let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (id, name) in checker.wires() {
            by_name.entry(name).or_default().push(id);
        }
        for wires in by_name.values() {
            // The first ones, and the last ones: results of hashes.
            let last = wires.len().saturating_sub(10).max(40).min(wires.len());
            for &id in wires.iter().take(40).chain(&wires[last..]) {
                let v = checker.value(id);
                for value in [v + F::one(), F::rand(&mut rng)] {
                    broken.extend(checker.failures_with(&[(id, value)]));
                }
            }
        }
    }
    assert_eq!(stated.difference(&broken).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn rejects_a_leaf_touched_twice() {
    let mut tree = tree_of(4);
    let root_in = tree.root();
    let first = tree.write(account(1), wealth(2, U256::from(3)));
    let again = tree.write(account(1), wealth(2, U256::from(9_999)));
    scene_of(std::slice::from_ref(&first), root_in, tree_root_after(&first, root_in), 0).assert_accepted();
    let failures = scene_of(&[first, again], root_in, tree.root(), 0).failures();
    assert_eq!(failures, Failures::from(["tree.order.after.gap"]));
}

fn tree_root_after(op: &LeafOp, root_in: F) -> F {
    let rows = witness::rows(std::slice::from_ref(op), &[0], shape(2)).unwrap();
    let mut cs = Cs::new(Mode::Assign);
    let root_in = cs.constant(root_in);
    synthesize(&mut cs, &rows, root_in).value()
}

#[test]
fn rejects_unsorted_operations() {
    let (_, sorted, root_in) = two_updates();
    let mut tree = tree_of(4);
    assert_eq!(tree.root(), root_in);
    let ops: Vec<LeafOp> = sorted
        .iter()
        .rev()
        .map(|op| match &op.access {
            LeafAccess::Update { new_value, .. } => tree.write(op.id, *new_value),
            _ => panic!("both are updates"),
        })
        .collect();
    assert_eq!(scene_of(&ops, root_in, tree.root(), 0).failures(), Failures::from(["tree.order.after.gap"]));
}

#[test]
fn rejects_a_false_absence() {
    let tree = tree_of(4);
    let root = tree.root();
    let present = account(2);
    let key = present.key();
    let position = tree.position(key).unwrap();
    let before = tree.predecessor(key);
    let last = tree.opening(position).leaf.next_index;
    for (position, expected) in
        [(before, "tree.order.below.gap"), (position, "tree.order.above.gap"), (last, "tree.order.above.gap")]
    {
        let op = LeafOp { id: present, access: LeafAccess::Absent { predecessor: tree.opening(position) } };
        let failures = scene_of(&[op], root, root, 0).failures();
        assert!(failures.contains(expected), "{expected}: {failures:?}");
    }
    // An absent key with a leaf that is below, but not the nearest.
    let absent =
        (100..).map(account).find(|id| !tree.opening(tree.predecessor(id.key())).leaf.key.is_zero()).unwrap();
    scene_of(&[tree.read(absent)], root, root, 0).assert_accepted();
    let op = LeafOp { id: absent, access: LeafAccess::Absent { predecessor: tree.opening(0) } };
    assert_eq!(scene_of(&[op], root, root, 0).failures(), Failures::from(["tree.order.below.gap"]));
}

#[test]
fn rejects_an_absence_with_a_value_or_a_position() {
    let scene = absent_scene();
    scene.assert_rejected("tree.leaf.last", |s| {
        s.rows[0].new.lo = 1;
        s.journal[0].last[3] = F::one();
    });
    scene.assert_rejected("tree.leaf.first", |s| {
        s.rows[0].old.lo = 1;
        s.rows[0].passed[0] -= F::one();
        s.journal[0].first[3] = F::one();
    });
    scene.assert_rejected("test.last", |s| s.journal[0].last[5] = F::from(3u64));
    scene.assert_rejected("tree.leaf.next_index", |s| s.rows[0].new_next_index += 1);
}

#[test]
fn rejects_a_false_insertion_into_the_list() {
    let tree = tree_of(4);
    let root_in = tree.root();
    let forge = |id: LeafId, predecessor: u64| {
        // Writes the pointers as if the predecessor were the right one.
        let mut forged = tree.clone();
        let opening = tree.opening(predecessor);
        let op = forged.write(id, wealth(1, U256::ONE));
        let LeafAccess::Insert { index, siblings, new_value, .. } = op.access else { panic!("absent") };
        LeafOp { id, access: LeafAccess::Insert { predecessor: opening, index, siblings, new_value } }
    };
    let id =
        (100..).map(account).find(|id| !tree.opening(tree.predecessor(id.key())).leaf.key.is_zero()).unwrap();
    let above = tree.opening(tree.predecessor(id.key())).leaf.next_index;
    for (predecessor, expected) in [(0, "tree.order.below.gap"), (above, "tree.order.above.gap")] {
        let failures = scene_of(&[forge(id, predecessor)], root_in, root_in, 0).failures();
        assert!(failures.contains(expected), "{expected}: {failures:?}");
    }
}

#[test]
fn rejects_a_link_without_its_append() {
    let scene = insert_scene();
    scene.assert_rejected("tree.kind.closed", |s| drop(s.rows.pop()));
    scene.assert_rejected("tree.kind.update", |s| s.rows[1] = TreeRow::default());
    scene.assert_rejected("tree.kind.update", |s| s.rows.insert(1, TreeRow::default()));
    scene.assert_rejected("tree.kind.update", |s| s.rows.insert(1, s.rows[0].clone()));
    scene.assert_rejected("tree.root.old", |s| drop(s.rows.remove(0)));
}

#[test]
fn rejects_an_append_that_does_not_continue_its_link() {
    let scene = insert_scene();
    scene.assert_rejected("tree.pair.key", |s| s.rows[1].address += F::one());
    scene.assert_rejected("tree.pair.index", |s| s.rows[0].new_next_index += 1);
    scene.assert_rejected("tree.pair.index", |s| s.rows[1].index += 1);
    scene.assert_rejected("tree.pair.next_key", |s| s.rows[1].next_key = F::zero());
    scene.assert_rejected("tree.pair.next_index", |s| s.rows[1].next_index += 1);
    scene.assert_rejected("tree.leaf.next_index", |s| s.rows[1].new_next_index += 1);
    scene.assert_rejected("tree.order.own", |s| s.rows[1].opened_key += F::one());
    scene.assert_rejected("tree.leaf.passed", |s| s.rows[1].passed[0] = F::one());
    scene.assert_rejected("tree.leaf.first", |s| s.rows[1].old.lo = 1);
}

#[test]
fn rejects_an_insertion_over_an_existing_leaf() {
    for occupied in [0, 3] {
        let scene = insert_scene();
        let path = tree_of(4).siblings(occupied);
        scene.assert_rejected("tree.root.old", |s| {
            s.rows[0].new_next_index = occupied;
            s.rows[1].index = occupied;
            s.rows[1].siblings = path;
            s.journal[0].last[5] = F::from(occupied);
        });
    }
}

#[test]
fn rejects_altered_values() {
    let scene = update_scene();
    scene.assert_rejected("tree.journal.account_last", |s| s.rows[0].new.lo += 1);
    scene.assert_rejected("test.root_out", |s| {
        s.rows[0].new.lo += 1;
        s.journal[0].last[3] += F::one();
    });
    scene.assert_rejected("tree.root.old", |s| {
        s.rows[0].old.lo += 1;
        s.journal[0].first[3] += F::one();
    });
    scene.assert_rejected("tree.journal.account_last", |s| s.rows[0].last_time += 1);
    scene.assert_rejected("tree.leaf.passed", |s| s.rows[0].passed[2] = F::one());
    // The value moves out of the journal's sight.
    scene.assert_rejected("tree.leaf.passed", |s| {
        s.rows[0].passed[0] = F::from(s.rows[0].old.lo);
        s.rows[0].old.lo = 0;
        s.journal[0].first[3] = F::zero();
    });
}

#[test]
fn rejects_a_wrong_path() {
    let scene = update_scene();
    scene.assert_rejected("tree.root.old", |s| s.rows[0].siblings[0].swap(0, 1));
    scene.assert_rejected("tree.root.old", |s| s.rows[0].siblings[5][6] = F::one());
    scene.assert_rejected("tree.root.old", |s| s.rows[0].index ^= 1);
    scene.assert_rejected("tree.top.root", |s| s.root_in += F::one());
    scene.assert_rejected("tree.top.root", |s| s.subtree += F::one());

    // The new path takes another position, or other siblings, than the old one.
    let mut checker = scene.checker();
    for wire in checker.named("tree.path.difference") {
        let v = checker.value(wire);
        for value in [v + F::one(), F::zero(), -v] {
            if value != v {
                let failures = checker.failures_with(&[(wire, value)]);
                assert!(failures.contains("tree.path.difference"), "{failures:?}");
            }
        }
    }
    for child in checker.named("tree.path.children") {
        let failures = checker.failures_with(&[(child, checker.value(child) + F::one())]);
        assert!(
            failures.contains("tree.path.old_hash") && failures.contains("tree.path.new_hash"),
            "{failures:?}"
        );
    }
    for bit in checker.named("tree.path.position") {
        for value in [F::from(2u64), -F::one(), pow2(2)] {
            assert!(checker.failures_with(&[(bit, value)]).contains("tree.path.position"));
        }
    }
}

#[test]
fn rejects_two_kinds_at_once() {
    let (tree, ops, root_in) = two_updates();
    let scene = scene_of(&ops, root_in, tree.root(), 1);
    scene.assert_accepted();
    let mut checker = scene.checker();
    let wire = |checker: &Checker, name: &str, row: usize| checker.named(name)[row];
    for row in 0..3 {
        let absent = wire(&checker, "tree.kind.absent", row);
        let link = wire(&checker, "tree.kind.link", row);
        let both = checker.failures_with(&[(absent, F::one()), (link, F::one())]);
        assert!(both.contains("tree.kind.update"), "row {row}: {both:?}");
        let half = pow2(1).inverse().unwrap();
        for (id, name) in [(absent, "tree.kind.absent"), (link, "tree.kind.link")] {
            assert!(checker.failures_with(&[(id, half)]).contains(name));
        }
        let en = wire(&checker, "tree.kind.enabled", row);
        assert!(checker.failures_with(&[(en, half)]).contains("tree.kind.enabled"));
    }
}

#[test]
fn rejects_a_disabled_row_between_enabled_ones() {
    let (tree, ops, root_in) = two_updates();
    let scene = scene_of(&ops, root_in, tree.root(), 1);
    scene.assert_rejected("tree.kind.prefix", |s| s.rows.swap(1, 2));
    // A disabled row cannot change the root.
    let mut checker = scene.checker();
    let out = checker.named("tree.root.out")[2];
    assert!(checker.failures_with(&[(out, F::one())]).contains("tree.root.new"));
}

#[test]
fn rejects_a_wrong_identity() {
    let scene = update_scene();
    scene.assert_rejected("tree.key.slot", |s| s.rows[0].slot_lo = F::one());
    scene.assert_rejected("tree.key.slot", |s| s.rows[0].slot_hi = F::one());
    scene.assert_rejected("tree.order.own", |s| s.rows[0].address += F::one());
    scene.assert_rejected("tree.order.own", |s| s.rows[0].storage = true);
    scene.assert_rejected("test.first", |s| s.journal[0].bus = Bus::Storage);
    let mut checker = scene.checker();
    let storage = checker.named("tree.key.storage")[0];
    for value in [F::from(2u64), -F::one()] {
        assert!(checker.failures_with(&[(storage, value)]).contains("tree.key.storage"));
    }
}

#[test]
fn rejects_a_slot_with_parts_of_an_account() {
    let mut tree = tree_of(3);
    let scene = scene(&mut tree, &[(slot(1), Some(storage_to_fields(U256::from(5))))], 0);
    scene.assert_rejected("tree.leaf.slot_value", |s| s.rows[0].new.nonce = 1);
    scene.assert_rejected("tree.leaf.slot_value", |s| s.rows[0].new.code_hash = F::one());
    scene.assert_rejected("tree.leaf.slot_value", |s| s.rows[0].old.nonce = 1);
    scene.assert_rejected("tree.leaf.slot_value", |s| s.rows[0].old.code_hash = F::one());
}

/// Sets limbs `first..first + n` of the wires called `name` to those of `value`, the top one taking what is beyond.
fn set_limbs(
    checker: &Checker,
    name: &str,
    first: usize,
    bits: u32,
    value: u128,
    beyond: F,
) -> Vec<(WireId, F)> {
    let wires = checker.named(name);
    let mut changes: Vec<_> =
        range::limbs(value, bits).enumerate().map(|(i, l)| (wires[first + i], F::from(l))).collect();
    if let Some(top) = changes.last_mut() {
        top.1 += beyond * pow2(if bits.is_multiple_of(16) { 16 } else { bits % 16 });
    }
    changes
}

#[test]
fn rejects_another_split_of_the_same_leaf() {
    let scene = update_scene();
    scene.assert_accepted();
    let mut checker = scene.checker();
    let old: Value = scene.rows[0].old;
    assert!(old.nonce > 0);
    // One nonce less, 2¹²⁸ wei more.
    let mut changes = set_limbs(&checker, "tree.leaf.first_lo", 0, 128, old.lo, F::one());
    changes.extend(set_limbs(&checker, "tree.leaf.first_nonce", 0, 64, u128::from(old.nonce - 1), F::zero()));
    let failures = checker.failures_with(&changes);
    assert!(failures.contains("tree.leaf.range") && !failures.contains("tree.leaf.old_hash"), "{failures:?}");
    // One position less, 2¹²⁸ more of the balance's high half.
    let next = scene.rows[0].next_index;
    assert!(next > 0);
    let mut changes = set_limbs(&checker, "tree.leaf.opened_hi", 0, 128, old.hi, F::one());
    changes.extend(set_limbs(&checker, "tree.leaf.next_index", 0, 30, u128::from(next - 1), F::zero()));
    let failures = checker.failures_with(&changes);
    assert!(failures.contains("tree.leaf.range") && !failures.contains("tree.leaf.old_hash"), "{failures:?}");
}

#[test]
fn rejects_the_second_representative_of_a_key() {
    // The key plus r, as integer limbs: the field equation still holds.
    let plus_r = |[hi, lo]: [u128; 2]| {
        let [r_hi, r_lo] = compare::modulus();
        let (lo, carry) = lo.overflowing_add(r_lo);
        [hi + r_hi + u128::from(carry), lo]
    };
    for (scene, name) in [
        (absent_scene(), "tree.order.key_limbs"),
        (absent_scene(), "tree.order.opened_limbs"),
        (absent_scene(), "tree.order.limit_limbs"),
    ] {
        scene.assert_accepted();
        let mut checker = scene.checker();
        let row = &scene.rows[0];
        let id = LeafId::Account(address(1000));
        let value = match name {
            "tree.order.key_limbs" => id.key(),
            "tree.order.opened_limbs" => row.opened_key,
            _ => row.next_key,
        };
        let [hi, lo] = plus_r(compare::split(value));
        let mut changes = set_limbs(&checker, name, 0, 128, hi, F::zero());
        changes.extend(set_limbs(&checker, name, 8, 128, lo, F::zero()));
        let failures = checker.failures_with(&changes);
        assert!(
            failures.iter().all(|f| f.starts_with("tree.order.") && *f != "tree.order.key"),
            "{failures:?}"
        );
        assert!(!failures.is_empty());
    }
    // Consistently, the gaps being recomputed: a leaf whose next key "is" r + next key lets a larger key be absent.
    let mut cs = Cs::new(Mode::Check);
    let en: Lc = cs.one().into();
    let limit =
        compare::Wide::new(&mut cs, "test.limbs", "test.range", &en, plus_r(compare::split(F::from(8u64))));
    let r = compare::Wide::modulus(&en);
    cs.scoped("tree.order.limit", |cs| compare::enforce_less_or_equal(cs, &en, &limit, &r));
    assert!(Checker::new(&cs, vec![]).failures().contains("tree.order.limit.gap"));
}

#[test]
fn rejects_what_does_not_fit_without_panicking() {
    let (tree, ops, root_in) = two_updates();
    assert_eq!(
        witness::rows(&ops, &[0, 0], shape(1)).unwrap_err(),
        TreeRowsError::Capacity { needed: 2, capacity: 1 }
    );
    assert_eq!(
        witness::rows(&ops, &[0], shape(4)).unwrap_err(),
        TreeRowsError::Times { expected: 2, got: 1 }
    );

    let mut malformed = ops.clone();
    if let LeafAccess::Update { opening, new_value } = &mut malformed[0].access {
        opening.index = LEVELS.positions() - 1;
        opening.leaf.next_index = u64::MAX;
        opening.leaf.value = [-F::one(); 3];
        *new_value = [-F::one(); 3];
    }
    assert!(scene_of(&malformed, root_in, tree.root(), 0).failures().contains("tree.root.old"));
    let mut rows = witness::rows(&ops, &[0, 0], shape(2)).unwrap();
    rows.rows[0].kind = RowKind::Append;
    rows.rows[1].index = u64::MAX;
    let mut cs = Cs::new(Mode::Assign);
    let root_in = cs.constant(root_in);
    let _ = synthesize(&mut cs, &rows, root_in);
}

#[test]
fn accepts_every_depth_that_holds_the_leaves() {
    for n in 1..=10 {
        let levels = Levels::try_from(n).unwrap();
        let mut tree = tree_of(2);
        let root_in = tree.root();
        // Seven leaves: at one level the tree is a single node.
        let ops = tree.batch(&[
            (account(0), Some(wealth(3, U256::from(4)))),
            (account(5), None),
            (account(6), Some(wealth(1, U256::ONE))),
            (slot(7), Some(storage_to_fields(U256::from(5)))),
        ]);
        scene_at(levels, &ops, root_in, tree.root(), 1).assert_accepted();
    }
}

#[test]
fn rejects_a_tree_that_is_deeper_than_the_paths() {
    let one = Levels::try_from(1).unwrap();
    let rows = |ops: &[LeafOp]| witness::rows(ops, &vec![0; ops.len()], TreeShape { rows: 9, levels: one });
    // Eight leaves and a ninth: its predecessor, or its own position, is in reach, but not both.
    let mut tree = tree_of(3);
    let _ = tree.write(account(3), wealth(1, U256::ONE));
    assert_eq!(tree.commitment().leaf_count, 8);
    let full = tree.clone();
    let insertion = tree.write(account(4), wealth(1, U256::ONE));
    let error = rows(&[insertion]).unwrap_err();
    assert_eq!(error, TreeRowsError::Position { operation: 0, position: 8, levels: one });
    assert!(
        error.to_string().contains("position 8, the shape's tree paths of 1 levels reach those below 8"),
        "{error}"
    );
    // A leaf in reach, in a tree that has one out of reach.
    let read = tree.read(account(1));
    let error = rows(&[full.read(account(1)), read.clone()]).unwrap_err();
    assert_eq!(error, TreeRowsError::Sibling { operation: 1, level: 1, levels: one });
    // Rows that ignore this, with the hint that they lead to, meet the chain of empty subtrees.
    let two = Levels::try_from(2).unwrap();
    let honest = scene_at(two, std::slice::from_ref(&read), tree.root(), tree.root(), 0);
    honest.assert_accepted();
    let LeafAccess::Update { opening, .. } = &read.access else { panic!("it exists") };
    let subtree = fold_levels(opening.leaf.hash(), opening.index, &opening.siblings[..1]);
    let forged = Scene { levels: one, subtree, ..honest };
    assert_eq!(forged.failures(), Failures::from(["tree.top.root", "test.root_out"]));
}

#[test]
fn rejects_any_changed_wire_of_the_levels_above() {
    // Two levels above the paths, no rows: what is there belongs to the family `top`.
    let eight = Levels::try_from(8).unwrap();
    let tree = tree_of(2);
    let scene = Scene {
        levels: eight,
        subtree: tree.subtree_root(8),
        rows: vec![],
        root_in: tree.root(),
        root_out: tree.root(),
        journal: vec![],
    };
    scene.checker().assert_no_free_wires(&[], None, &mut StdRng::seed_from_u64(18));
}
