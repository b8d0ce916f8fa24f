//! Forged kinds of rows, and insertions whose halves do not belong together.

use super::{forger::*, *};

#[test]
fn rejects_an_update_that_is_also_a_link() {
    // A value that no journal sees: the row updates its leaf and is a LINK, which has no journal row; −1 times ABSENT it
    // sums up. The APPEND that must follow puts a second leaf of the same key into the list.
    let mut tree = tree_of(4);
    let root_in = tree.root();
    let free = tree.commitment().leaf_count;
    let position = tree.position(account(2).key()).unwrap();
    let opening = tree.opening(position);
    let new_value = wealth(9, U256::MAX);
    let op = LeafOp { id: account(2), access: LeafAccess::Update { opening: opening.clone(), new_value } };
    let mut scene = rows_of(op, root_in);
    scene.rows[0].new_next_index = free;
    let key = opening.leaf.key;
    tree.replace(position, Leaf { value: new_value, next_key: key, next_index: free, ..opening.leaf });
    scene.rows.push(TreeRow {
        kind: RowKind::Append,
        index: free,
        siblings: tree.siblings(free),
        new_next_index: opening.leaf.next_index,
        old: Value::default(),
        ..scene.rows[0].clone()
    });
    let lies = [lie("tree.kind.absent", 0, -F::one()), lie("tree.kind.link", 0, 1u64)];
    scene.assert_refused_by("tree.kind.absent", &lies);
}

#[test]
fn rejects_a_disabled_row_that_speaks_to_the_journal() {
    // −1 LINK and 1 UPDATE are no row, but −1 LINK is on the journal: an account at position 5 of no tree. The next row is −1
    // APPEND and 1 ABSENT, and compares the key with itself; what its lookups miss is what the first row's lookups, which
    // count −1 times, miss as well.
    let mut scene = update_scene();
    let ghost = TreeRow { address: F::from(7u64), ..TreeRow::default() };
    scene.rows.extend([TreeRow { index: 5, ..ghost.clone() }, ghost]);
    let halves = [2, 3].map(|nth| scene.wire(&[], "tree.order.key_halves", nth));
    let key = halves[0] * pow2(128) + halves[1];
    for row in &mut scene.rows[1..] {
        row.opened_key = key;
    }
    let [hi, lo] = minus_r(key);
    let limb = |nth, half: F, of: F| {
        lie("tree.order.opened_limbs", nth, scene.wire(&[], "tree.order.opened_limbs", nth) + half - of)
    };
    // x + 2¹⁶·y = −1 and y + 2¹⁶·x = 1.
    let x = (pow2(16) - F::one()).inverse().unwrap();
    let (gap, after) = ("tree.order.above.gap", "tree.order.after.gap");
    let mut lies = vec![
        lie("tree.kind.link", 1, -F::one()),
        lie("tree.kind.absent", 2, 1u64),
        lie("tree.order.above.borrow", 1, 0u64),
        lie(gap, 14, x),
        lie("tree.order.after.borrow", 2, 0u64),
        lie(after, 28, -x),
        limb(32, hi, halves[0]),
        limb(40, lo, halves[1]),
    ];
    lies.extend((29..35).map(|nth| lie(after, nth, 0u64)));
    scene.assert_refused_by("tree.kind.link", &lies);
    let sent = scene.wire(&lies, "tree.journal.updated", 1);
    assert_eq!(sent, F::from(5u64));
}

#[test]
fn rejects_an_append_that_is_also_an_absence() {
    // The new leaf has any key below and any value, unseen: UPDATE counts −1 times.
    let mut scene = insert_scene();
    scene.rows[1].opened_key = F::one();
    scene.rows[1].passed = [F::from(5u64), F::one(), F::from(7u64)];
    scene.rows[1].new = Value::default();
    scene.assert_refused_by("tree.kind.update", &[lie("tree.kind.absent", 1, 1u64)]);
}

#[test]
fn rejects_a_second_batch_behind_a_disabled_row() {
    // Keys behind it would start anew, and leaves be touched twice.
    let mut tree = tree_of(4);
    let root_in = tree.root();
    let ops = [tree.write(account(1), wealth(2, U256::ONE)), tree.write(account(1), wealth(2, U256::MAX))];
    let mut scene = scene_of(&ops, root_in, tree.root(), 0);
    scene.rows.insert(1, TreeRow::default());
    scene.assert_refused_by("tree.kind.prefix", &[]);
}

#[test]
fn rejects_a_link_at_the_end() {
    let mut scene = insert_scene();
    scene.rows.truncate(1);
    scene.assert_refused_by("tree.kind.closed", &[]);
}

#[test]
fn rejects_another_leaf_than_the_linked_one() {
    let tree = tree_of(4);
    let before = |id: &LeafId| tree.predecessor(id.key());
    let mut ids = absent_ids(&tree);
    let linked = ids.next().unwrap();
    let other = ids.find(|id| before(id) == before(&linked)).unwrap();
    let rows = |id| rows_of(tree.clone().write(id, wealth(1, U256::ONE)), tree.root());
    let mut scene = rows(linked);
    scene.rows[1] = TreeRow { siblings: scene.rows[1].siblings.clone(), ..rows(other).rows[1].clone() };
    scene.assert_refused_by("tree.pair.key", &[]);
}

#[test]
fn rejects_an_append_of_the_key_minus_r() {
    // The key in the field is right. The next row's key would be above it, whatever it is: here the same leaf again.
    let mut tree = tree_of(4);
    let root_in = tree.root();
    let id = absent_ids(&tree).next().unwrap();
    let ops = [tree.write(id, wealth(1, U256::ONE)), tree.write(id, wealth(1, U256::MAX))];
    let scene = scene_of(&ops, root_in, tree.root(), 0);
    scene.assert_refused_by("tree.order.after.gap", &[]);
    let [hi, lo] = minus_r(id.key());
    let lies = [lie("tree.order.key_halves", 2, hi), lie("tree.order.key_halves", 3, lo)];
    scene.assert_refused_by("tree.pair.key", &lies);
    // And one half alone, made up for by the other: a multiple of 2¹²⁸ moves.
    let [hi, lo] = halves_of(id.key());
    let lies =
        [lie("tree.order.key_halves", 2, hi - F::one()), lie("tree.order.key_halves", 3, lo + pow2(128))];
    assert!(scene.refused(&lies).contains("tree.pair.key"));
}

/// The new leaf's key has one half of the linked key, which 2⁶⁴ hashes would find: each half has an equation of its own.
#[test]
fn rejects_an_append_with_one_half_of_the_linked_key() {
    for delta in [pow2(128), F::one()] {
        let mut scene = insert_scene();
        scene.rows[1].opened_key += delta;
        let lies = [scene.steer("tree.key.hash", 1, 4, delta)];
        assert_eq!(scene.refused(&lies), Failures::from(["tree.key.hash", "tree.pair.key"]));
        let [linked, appended] =
            [0, 2].map(|nth| [0, 1].map(|i| scene.wire(&lies, "tree.order.key_halves", nth + i)));
        let differs = [0, 1].map(|i| linked[i] != appended[i]);
        assert_eq!(differs, [delta != F::one(), delta == F::one()]);
    }
}

#[test]
fn rejects_a_leaf_that_its_pointers_miss() {
    let tree = tree_of(4);
    let scene = insert_scene();
    // The leaf is put behind the position that LINK points at.
    let mut linked = tree.clone();
    let LeafAccess::Insert { predecessor, index, .. } =
        linked.write(absent_ids(&tree).next().unwrap(), wealth(1, U256::from(77))).access
    else {
        panic!("absent")
    };
    let link = linked.opening(predecessor.index);
    let mut linked = tree.clone();
    linked.replace(predecessor.index, link.leaf);
    let mut elsewhere = scene.clone();
    elsewhere.rows[1].index = index + 1;
    elsewhere.rows[1].siblings = linked.siblings(index + 1);
    elsewhere.assert_refused_by("tree.pair.index", &[]);
    // The rest of the list is cut off, or lost.
    let mut cut = scene.clone();
    cut.rows[1].next_key = F::zero();
    cut.assert_refused_by("tree.pair.next_key", &[]);
    let mut lost = scene;
    lost.rows[1].next_index += 1;
    lost.rows[1].new_next_index += 1;
    lost.assert_refused_by("tree.pair.next_index", &[]);
}
