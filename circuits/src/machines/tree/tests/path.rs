//! Forged paths and forged roots.

use super::{forger::*, *};

/// An UPDATE that claims one wei more than its leaf has; the leaf of the tree and the claimed one.
fn one_wei_more() -> (Scene, Leaf, Leaf) {
    let mut scene = update_scene();
    let honest = tree_of(4).opening(scene.rows[0].index).leaf;
    let [v0, v1, v2] = honest.value;
    scene.rows[0].old.lo += 1;
    (scene, honest, Leaf { value: [v0 + F::one(), v1, v2], ..honest })
}

/// The last wire of Poseidon number `hash` of `hashes` with this name.
fn last_wire_of(scene: &Scene, name: &'static str, hash: usize, hashes: usize) -> usize {
    let mut cs = Cs::new(Mode::Check);
    let _ = scene.machine(&mut cs);
    (hash + 1) * (Checker::new(&cs, vec![]).named(name).len() / hashes) - 1
}

#[test]
fn rejects_a_leaf_that_is_not_in_the_tree() {
    let (scene, honest, claimed) = one_wei_more();
    scene.assert_refused_by("tree.root.old", &[]);
    // The real children of its node, or the real hash of its node.
    let digit = scene.rows[0].index as usize % 8;
    scene.assert_refused_by("tree.path.child", &[lie("tree.path.children", digit, honest.hash())]);
    let (index, siblings) = (scene.rows[0].index, &scene.rows[0].siblings[..1]);
    let [real, false_] = [honest, claimed].map(|leaf| fold_levels(leaf.hash(), index, siblings));
    let lies = [scene.steer("tree.path.old_hash", 0, 8, real - false_)];
    scene.assert_refused_by("tree.path.old_hash", &lies);
}

#[test]
fn rejects_leaves_that_change_along() {
    let scene = update_scene();
    for wire in 0..7 {
        let value = scene.wire(&[], "tree.path.difference", wire) + F::one();
        scene.assert_refused_by("tree.path.difference", &[lie("tree.path.difference", wire, value)]);
    }
    let levels = LEVELS.get();
    for hash in [0, levels - 1] {
        let wire = last_wire_of(&scene, "tree.path.new_hash", hash, levels);
        let lies = [lie("tree.path.new_hash", wire, 5u64)];
        scene.assert_refused_by("tree.path.new_hash", &lies);
    }
    let value = scene.wire(&[], "tree.path.child", 0) + F::one();
    scene.assert_refused_by("tree.path.child", &[lie("tree.path.child", 0, value)]);
}

/// A mixture of two leaves that hashes to 0 is an unused position: APPEND garbles both.
#[test]
fn rejects_a_position_between_two_leaves() {
    let mut tree = tree_of(4);
    let _ = tree.write(account(50), wealth(1, U256::ONE));
    assert_eq!(tree.commitment().leaf_count, 10, "positions 8 and 9 are used, in the node of position 10");
    // LINK changes neither of the two.
    let id = absent_ids(&tree).find(|id| tree.predecessor(id.key()) < 8).unwrap();
    let mut forged = rows_of(tree.clone().write(id, wealth(1, U256::ONE)), tree.root());
    assert_eq!(forged.refused(&[]), Failures::new());
    // c₀ + t·(c₁ − c₀) = 0; LINK points at the number that the bits make, 8 + t.
    let [c0, c1] = [8, 9].map(|position| tree.opening(position).leaf.hash());
    let t = -c0 * (c1 - c0).inverse().unwrap();
    let bits = LEVELS.bits();
    let lies = [
        lie("tree.path.position", bits, t),
        lie("tree.path.position", bits + 1, 0u64),
        lie("tree.leaf.new_next_index", 0, F::from(8u64) + t),
    ];
    // The new position's path after LINK, whose leaf has the forged pointer.
    let link = Leaf { next_key: id.key(), next_index: 0, ..tree.opening(forged.rows[0].index).leaf };
    let hash = cairn_protocol::poseidon::poseidon(&[
        link.key,
        link.value[0],
        link.value[1] + pow2(128) * (F::from(8u64) + t),
        link.value[2],
        link.next_key,
    ]);
    let path = tree.siblings(forged.rows[0].index);
    forged.rows[1].siblings[1][0] = fold_levels(hash, forged.rows[0].index, &path[..1]);
    forged.assert_refused_by("tree.path.position", &lies);
}

#[test]
fn rejects_roots_of_another_tree() {
    // Rows of one tree, and the root of another.
    let other = tree_of(5).root();
    let scene = Scene { root_in: other, ..update_scene() };
    scene.assert_refused_by("tree.top.root", &[]);
    let hashes = 10 - LEVELS.get();
    let lies = [scene.steer("tree.top.old_hash", hashes - 1, 8, other - tree_of(4).root())];
    scene.assert_refused_by("tree.top.old_hash", &lies);
    // Any root afterwards.
    let scene = update_scene();
    for hash in 0..hashes {
        let wire = last_wire_of(&scene, "tree.top.new_hash", hash, hashes);
        scene.assert_refused_by("tree.top.new_hash", &[lie("tree.top.new_hash", wire, 5u64)]);
    }
    scene.assert_refused_by("tree.root.new", &[lie("tree.root.out", 0, 5u64)]);
    // A disabled row hands the root on.
    let mut scene = scene;
    scene.rows.push(TreeRow::default());
    scene.assert_refused_by("tree.root.new", &[lie("tree.root.out", 1, 5u64)]);
}
