//! Honest scenes with something changed: what fails has the name of the rule.

use super::*;

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
        s.journal[0].last[4] = F::one();
    });
    scene.assert_rejected("tree.leaf.first", |s| {
        s.rows[0].old.lo = 1;
        s.rows[0].passed[0] -= F::one();
        s.journal[0].first[4] = F::one();
    });
    scene.assert_rejected("test.last", |s| s.journal[0].last[0] = F::from(3u64));
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
            s.journal[0].last[0] = F::from(occupied);
        });
    }
}

#[test]
fn rejects_altered_values() {
    let scene = update_scene();
    scene.assert_rejected("tree.journal.account_last", |s| s.rows[0].new.lo += 1);
    scene.assert_rejected("test.root_out", |s| {
        s.rows[0].new.lo += 1;
        s.journal[0].last[4] += F::one();
    });
    scene.assert_rejected("tree.root.old", |s| {
        s.rows[0].old.lo += 1;
        s.journal[0].first[4] += F::one();
    });
    scene.assert_rejected("tree.journal.account_last", |s| s.rows[0].last_time += 1);
    scene.assert_rejected("tree.leaf.passed", |s| s.rows[0].passed[2] = F::one());
    // The value moves out of the journal's sight.
    scene.assert_rejected("tree.leaf.passed", |s| {
        s.rows[0].passed[0] = F::from(s.rows[0].old.lo);
        s.rows[0].old.lo = 0;
        s.journal[0].first[4] = F::zero();
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
        assert!(checker.failures_with(&[(en, half)]).contains("tree.kind.prefix"), "a fraction of a row");
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
