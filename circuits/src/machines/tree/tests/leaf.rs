//! Forged leaves: value from nowhere, pointers that move, and other splits of the same leaf.

use super::{forger::*, *};

/// Sets one of the four columns of a value.
fn set(value: &mut Value, column: usize) {
    match column {
        0 => value.nonce = 1,
        1 => value.hi = 1,
        2 => value.lo = 5,
        _ => value.code_hash = F::from(7u64),
    }
}

/// LINK is on no journal: what is written there is minted into the predecessor. ABSENT is, at position 0, and an absent
/// leaf would end with something.
#[test]
fn rejects_a_value_written_into_the_predecessor() {
    for mut honest in [insert_scene(), absent_scene()] {
        assert_eq!(honest.refused(&[]), Failures::new());
        for column in 0..4 {
            let row = honest.rows[0].clone();
            set(&mut honest.rows[0].new, column);
            // The leaf becomes larger, and all that follows is made for the larger one.
            honest.rows.truncate(1);
            let closes = if row.kind == RowKind::Link { "tree.kind.closed" } else { "tree.leaf.last" };
            assert_eq!(honest.refused(&[]), Failures::from(["tree.leaf.last", closes]));
            honest.rows[0] = row;
        }
    }
}

/// The complete forgery: LINK mints, APPEND follows in the tree that the minting made.
#[test]
fn rejects_minting_by_a_link() {
    let tree = tree_of(4);
    let id = absent_ids(&tree).next().unwrap();
    for column in 0..4 {
        let mut scene = rows_of(tree.clone().write(id, wealth(1, U256::ONE)), tree.root());
        let (link, append) = scene.rows.split_at_mut(1);
        set(&mut link[0].new, column);
        let mut forged = tree.clone();
        let opening = tree.opening(link[0].index);
        let [v0, v1, v2] = opening.leaf.value;
        let new = link[0].new;
        forged.replace(
            opening.index,
            Leaf {
                value: [
                    v0 + F::from(new.lo) + pow2(128) * F::from(new.nonce),
                    v1 + F::from(new.hi),
                    v2 + new.code_hash,
                ],
                next_key: id.key(),
                next_index: append[0].index,
                ..opening.leaf
            },
        );
        append[0].siblings = forged.siblings(append[0].index);
        scene.assert_refused_by("tree.leaf.last", &[]);
    }
}

/// An absent leaf that starts with something: taken from its predecessor in ABSENT, from nowhere in APPEND.
#[test]
fn rejects_a_beginning_that_no_leaf_had() {
    for column in 0..4 {
        let mut scene = insert_scene();
        set(&mut scene.rows[1].old, column);
        // The high half stands in `opened_hi` too, so that nothing of it is passed on.
        scene.assert_refused_by("tree.leaf.first", &[]);

        let mut scene = absent_scene();
        let row = &mut scene.rows[0];
        if row.passed[1].is_zero() {
            row.passed[1] = F::from(9u64);
            // A predecessor with a high half, in a tree of its own.
            let leaf = Leaf {
                key: row.opened_key,
                value: row.passed,
                next_key: row.next_key,
                next_index: row.next_index,
            };
            let mut tree = tree_of(4);
            tree.replace(row.index, leaf);
            (scene.root_in, scene.subtree) = (tree.root(), tree.subtree_root(LEVELS.get()));
        }
        assert_eq!(scene.refused(&[]), Failures::new());
        let row = &mut scene.rows[0];
        set(&mut row.old, column);
        row.passed[0] -= F::from(row.old.lo) + pow2(128) * F::from(row.old.nonce);
        row.passed[2] -= row.old.code_hash;
        scene.assert_refused_by("tree.leaf.first", &[]);
    }
}

/// LINK: what its predecessor had is lost.
#[test]
fn rejects_a_link_that_burns() {
    for column in [0, 2, 3] {
        let mut scene = insert_scene();
        scene.rows.truncate(1);
        let row = &mut scene.rows[0];
        set(&mut row.old, column);
        row.passed[0] -= F::from(row.old.lo) + pow2(128) * F::from(row.old.nonce);
        row.passed[2] -= row.old.code_hash;
        assert_eq!(scene.refused(&[]), Failures::from(["tree.kind.closed", "tree.leaf.first"]));
    }
}

/// LINK: what is passed on is what `first` leaves of `opened_hi`, so a negative high half there is minted into the predecessor.
#[test]
fn rejects_minting_by_a_link_through_the_high_half() {
    let tree = tree_of(4);
    let id = absent_ids(&tree).next().unwrap();
    let mut scene = rows_of(tree.clone().write(id, wealth(1, U256::ONE)), tree.root());
    let (opening, index) = (tree.opening(scene.rows[0].index), scene.rows[1].index);
    let [v0, v1, v2] = opening.leaf.value;
    let value = [v0, v1 + F::from(5u64), v2];
    let mut forged = tree.clone();
    forged.replace(opening.index, Leaf { value, next_key: id.key(), next_index: index, ..opening.leaf });
    scene.rows[1].siblings = forged.siblings(index);
    scene.assert_refused_by("tree.leaf.first", &[lie("tree.leaf.first_hi", 0, -F::from(5u64))]);
}

/// A part of the leaf that the journal does not see.
#[test]
fn rejects_value_beside_the_journal() {
    // UPDATE borrows 5 wei, 5·2¹²⁸ wei or code from itself.
    let rich = U256::from(3) << 128usize | U256::from(1000);
    let mut tree = tree_of(4);
    let _ = tree.write(account(2), wealth(1, rich));
    for part in 0..3 {
        let mut scene = scene(&mut tree.clone(), &[(account(2), Some(wealth(9, rich)))], 0);
        assert_eq!(scene.refused(&[]), Failures::new());
        let row = &mut scene.rows[0];
        match part {
            0 => {
                (row.old.lo, row.new.lo) = (row.old.lo + 5, row.new.lo + 5);
                row.passed[0] = -F::from(5u64);
            }
            1 => {
                row.passed[1] = F::from(row.old.hi);
                (row.old.hi, row.new.hi) = (row.old.hi + 5, row.new.hi + 5);
            }
            _ => {
                (row.old.code_hash, row.new.code_hash) = (F::from(7u64), F::from(7u64));
                row.passed[2] = -F::from(7u64);
            }
        }
        scene.assert_refused_by("tree.leaf.passed", &[]);
        // APPEND: the leaf holds more than its journal wrote.
        let mut scene = insert_scene();
        scene.rows[1].passed[part] = F::from(5u64);
        scene.assert_refused_by("tree.leaf.passed", &[]);
    }
}

/// The storage journal carries neither nonce nor code hash: in a slot they would change unseen.
#[test]
fn rejects_parts_of_an_account_in_a_slot() {
    let plain = storage_to_fields(U256::from(5));
    for (column, at_first) in [(0, true), (3, true), (0, false), (3, false)] {
        let mut tree = tree_of(3);
        if at_first {
            // A malformed slot, as a false genesis might have.
            let position = tree.position(slot(1).key()).unwrap();
            let mut leaf = tree.opening(position).leaf;
            if column == 0 {
                leaf.value[0] += pow2(128)
            } else {
                leaf.value[2] = F::from(7u64)
            }
            tree.replace(position, leaf);
        }
        let mut scene = scene(&mut tree, &[(slot(1), Some(plain))], 0);
        if !at_first {
            set(&mut scene.rows[0].new, column);
        }
        scene.assert_refused_by("tree.leaf.slot_value", &[]);
    }
}

#[test]
fn rejects_pointers_that_move_without_an_insertion() {
    let scene = update_scene();
    scene.assert_refused_by("tree.leaf.next_key", &[lie("tree.leaf.next_key", 0, 1u64)]);
    let mut moved = scene;
    moved.rows[0].new_next_index += 1;
    moved.assert_refused_by("tree.leaf.next_index", &[]);
    let mut moved = absent_scene();
    moved.rows[0].new_next_index += 1;
    moved.assert_refused_by("tree.leaf.next_index", &[]);
    // APPEND: the rest of the list is looked for elsewhere.
    let mut moved = insert_scene();
    moved.rows[1].new_next_index += 1;
    moved.assert_refused_by("tree.leaf.next_index", &[]);
    // LINK: the list leaves the new leaf out.
    let mut scene = insert_scene();
    scene.rows.truncate(1);
    let refused = scene.refused(&[lie("tree.leaf.next_key", 0, 0u64)]);
    assert_eq!(refused, Failures::from(["tree.kind.closed", "tree.leaf.next_key"]));
}

#[test]
fn rejects_another_leaf_than_the_hashed_one() {
    // One wei more than the leaf of the tree has, with its hash; and any leaf afterwards.
    let mut scene = update_scene();
    let row = &scene.rows[0];
    let honest = tree_of(4).opening(row.index).leaf;
    let [v0, v1, v2] = honest.value;
    let claimed = Leaf { value: [v0 + F::one(), v1, v2], ..honest };
    scene.rows[0].old.lo += 1;
    let lies = [scene.steer("tree.leaf.old_hash", 0, 5, honest.hash() - claimed.hash())];
    scene.assert_refused_by("tree.leaf.old_hash", &lies);
    let scene = update_scene();
    let lies = [scene.steer("tree.leaf.new_hash", 0, 5, F::one())];
    scene.assert_refused_by("tree.leaf.new_hash", &lies);
}

#[test]
fn rejects_an_append_over_a_leaf() {
    let tree = tree_of(4);
    let id = absent_ids(&tree).next().unwrap();
    let mut scene = rows_of(tree.clone().write(id, wealth(1, U256::ONE)), tree.root());
    let occupied = tree.position(account(3).key()).unwrap();
    let predecessor = tree.opening(scene.rows[0].index);
    let mut linked = tree.clone();
    linked.replace(predecessor.index, Leaf { next_key: id.key(), next_index: occupied, ..predecessor.leaf });
    scene.rows[0].new_next_index = occupied;
    scene.rows[1].index = occupied;
    scene.rows[1].siblings = linked.siblings(occupied);
    let there = linked.opening(occupied).leaf.hash();
    scene.assert_refused_by("tree.leaf.unused", &[lie("tree.leaf.unused", 1, there)]);
}

#[test]
fn rejects_every_limb_of_a_leaf_out_of_range() {
    for scene in [update_scene(), absent_scene()] {
        for (name, limbs) in [
            ("tree.leaf.first_lo", 8),
            ("tree.leaf.first_nonce", 4),
            ("tree.leaf.opened_hi", 8),
            ("tree.leaf.next_index", 2),
        ] {
            for i in 0..limbs - 1 {
                scene.assert_refused_by("tree.leaf.range", &shifted_limbs(&scene, name, i));
            }
        }
    }
}

#[test]
fn rejects_another_split_of_the_same_leaf() {
    let scene = update_scene();
    let wire = |name, nth| scene.wire(&[], name, nth);
    // One nonce less, 2¹²⁸ wei more.
    let lies = [
        lie("tree.leaf.first_lo", 7, wire("tree.leaf.first_lo", 7) + pow2(16)),
        lie("tree.leaf.first_nonce", 0, wire("tree.leaf.first_nonce", 0) - F::one()),
    ];
    scene.assert_refused_by("tree.leaf.range", &lies);
    // One position less, a high half that is 2¹²⁸ larger.
    let lies = [
        lie("tree.leaf.opened_hi", 7, wire("tree.leaf.opened_hi", 7) + pow2(16)),
        lie("tree.leaf.first_hi", 0, wire("tree.leaf.first_hi", 0) + pow2(128)),
        lie("tree.leaf.next_index", 0, wire("tree.leaf.next_index", 0) - F::one()),
        lie("tree.leaf.new_next_index", 0, wire("tree.leaf.new_next_index", 0) - F::one()),
    ];
    assert_eq!(scene.refused(&lies[..3]), Failures::from(["tree.leaf.next_index", "tree.leaf.range"]));
    // The pointer falls back in the new leaf as well, where it is 2¹²⁸ of `last`.
    scene.assert_refused_by("tree.leaf.range", &lies);
    // The leaf's first element plus r, which is a nonce beyond 64 bits.
    let value = tree_of(4).opening(scene.rows[0].index).leaf.value[0];
    let [hi, lo] = plus_r(value);
    let lows = (0..).zip(overflowing_limbs(lo, 8)).map(|(i, limb)| lie("tree.leaf.first_lo", i, limb));
    let nonce = (0..).zip(overflowing_limbs(hi, 4)).map(|(i, limb)| lie("tree.leaf.first_nonce", i, limb));
    let lies: Vec<Lie> = lows.chain(nonce).collect();
    scene.assert_refused_by("tree.leaf.range", &lies);
}

#[test]
fn rejects_positions_of_more_than_30_bits() {
    // A quarter in the short limb, and its multiple of four in range.
    let scene = update_scene();
    let wire = |nth| scene.wire(&[], "tree.leaf.next_index", nth);
    let quarter = pow2(2).inverse().unwrap();
    let lies = [
        lie("tree.leaf.next_index", 0, wire(0) + pow2(14)),
        lie("tree.leaf.next_index", 1, wire(1) - quarter + F::one()),
        lie("tree.leaf.new_next_index", 0, wire(0) + pow2(16)),
    ];
    // The pointer is 2¹⁶ larger: a tree that has it.
    let mut tree = tree_of(4);
    let row = &scene.rows[0];
    let leaf = tree.opening(row.index).leaf;
    tree.replace(row.index, Leaf { next_index: leaf.next_index + (1 << 16), ..leaf });
    let moved = Scene { root_in: tree.root(), subtree: tree.subtree_root(LEVELS.get()), ..scene.clone() };
    moved.assert_refused_by("tree.leaf.range", &lies);
    // A leaf with a pointer of 31 bits.
    let mut tree = tree_of(4);
    tree.replace(row.index, Leaf { next_index: 1 << 30, ..leaf });
    let mut far = Scene { root_in: tree.root(), subtree: tree.subtree_root(LEVELS.get()), ..scene.clone() };
    (far.rows[0].next_index, far.rows[0].new_next_index) = (1 << 30, 1 << 30);
    far.assert_refused_by("tree.leaf.range", &[]);
}
