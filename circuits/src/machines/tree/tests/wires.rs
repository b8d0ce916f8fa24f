//! Every wire alone: no change goes unnoticed, no constraint is without a change that it notices.

use super::*;

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
