//! How deep paths are, and trees that are deeper.

use super::*;

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
