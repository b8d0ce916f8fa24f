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
