//! Forged keys and forged orders of keys.

use super::{forger::*, *};

/// A leaf that exists, with its position, and leaves on both sides.
fn present(tree: &ReferenceTree) -> (LeafId, u64) {
    let ids = (0..4).map(account);
    let found = ids.map(|id| (id, tree.position(id.key()).unwrap())).find(|(id, position)| {
        tree.predecessor(id.key()) != 0 && !tree.opening(*position).leaf.next_key.is_zero()
    });
    found.unwrap()
}

#[test]
fn rejects_another_key_than_the_hash_of_the_identity() {
    // A leaf that exists is absent, because its key is "another".
    let tree = tree_of(4);
    let (id, _) = present(&tree);
    let other = absent_ids(&tree).next().unwrap();
    let scene = rows_of(absent_by(&tree, id, tree.predecessor(other.key())), tree.root());
    let lies = [scene.steer("tree.key.hash", 0, 4, other.key() - id.key())];
    scene.assert_refused_by("tree.key.hash", &lies);
    // The same with the key's integer instead of the key.
    let [hi, lo] = halves_of(other.key());
    let lies = [lie("tree.order.key_halves", 0, hi), lie("tree.order.key_halves", 1, lo)];
    scene.assert_refused_by("tree.order.key", &lies);
}

#[test]
fn rejects_keys_that_belong_to_no_leaf() {
    // Another tag than 1 and 2, and accounts with a slot.
    let tree = tree_of(4);
    let address = address_to_field(address(7));
    for (tag, slot_hi, slot_lo, name) in
        [(3u64, 0u64, 0u64, "tree.key.storage"), (1, 1, 0, "tree.key.slot"), (1, 0, 1, "tree.key.slot")]
    {
        let elements = [F::from(tag), address, F::from(slot_hi), F::from(slot_lo)];
        let key = cairn_protocol::poseidon::poseidon(&elements);
        let mut scene = rows_of(absent_by(&tree, account(7), tree.predecessor(key)), tree.root());
        (scene.rows[0].slot_hi, scene.rows[0].slot_lo) = (slot_hi.into(), slot_lo.into());
        let third = [lie("tree.key.storage", 0, 2u64)];
        scene.assert_refused_by(name, if tag == 3 { &third } else { &[] });
    }
}

#[test]
fn rejects_an_operation_on_the_leaf_of_another() {
    let tree = tree_of(4);
    let (id, position) = present(&tree);
    let above = tree.opening(tree.opening(position).leaf.next_index);
    let access = LeafAccess::Update { opening: above, new_value: wealth(1, U256::MAX) };
    rows_of(LeafOp { id, access }, tree.root()).assert_refused_by("tree.order.own", &[]);
    // The new leaf has another key than the one that its predecessor names.
    let mut scene = insert_scene();
    scene.rows[1].opened_key += F::one();
    scene.assert_refused_by("tree.order.own", &[]);
}

#[test]
fn rejects_a_leaf_absent_by_itself_or_by_a_leaf_above() {
    let tree = tree_of(4);
    let (id, position) = present(&tree);
    let root = tree.root();
    let scene = rows_of(absent_by(&tree, id, position), root);
    scene.assert_refused_by("tree.order.above.gap", &[]);
    // Its opened key as an integer below 0.
    let [hi, lo] = minus_r(id.key());
    let top = (0..8).zip(overflowing_negative(hi)).map(|(i, limb)| lie("tree.order.opened_limbs", i, limb));
    let low = (8..).zip(overflowing_limbs(lo, 8)).map(|(i, limb)| lie("tree.order.opened_limbs", i, limb));
    let lies: Vec<Lie> = top.chain(low).collect();
    scene.assert_refused_by("tree.order.range", &lies);
    // By the leaf above, with a borrow that is no bit.
    let above = tree.opening(position).leaf.next_index;
    let borrow = false_borrow(halves_of(tree.opening(above).leaf.key), halves_of(id.key()), true);
    let scene = rows_of(absent_by(&tree, id, above), root);
    scene.assert_refused_by("tree.order.above.borrow", &[lie("tree.order.above.borrow", 0, borrow)]);
}

/// Limbs of a negative high half: seven of 16 bits, and a negative one.
fn overflowing_negative(hi: F) -> Vec<F> {
    let size = compare::split(-hi)[1];
    let low = size.wrapping_neg();
    let mut limbs: Vec<F> = (0..7).map(|i| F::from(low >> (16 * i) & 0xffff)).collect();
    let below: F = (0u32..).zip(&limbs).map(|(i, l)| pow2(16 * i) * l).sum();
    limbs.push((hi - below) * pow2(112).inverse().unwrap());
    limbs
}

#[test]
fn rejects_every_limb_of_the_opened_key_out_of_range() {
    let scene = absent_scene();
    let name = "tree.order.opened_limbs";
    for i in (0..7).chain(8..15) {
        scene.assert_refused_by("tree.order.range", &shifted_limbs(&scene, name, i));
    }
    // Between the halves: the borrow of the comparison takes it up.
    let borrow = scene.wire(&[], "tree.order.above.borrow", 0);
    let sign = if borrow.is_zero() { -F::one() } else { F::one() };
    let lies = [
        lie(name, 15, scene.wire(&[], name, 15) - sign * pow2(16)),
        lie(name, 0, scene.wire(&[], name, 0) + sign),
        lie("tree.order.above.borrow", 0, F::one() - borrow),
    ];
    scene.assert_refused_by("tree.order.range", &lies);
}

#[test]
fn rejects_an_insertion_of_a_key_that_exists() {
    let tree = tree_of(4);
    let (id, position) = present(&tree);
    let mut other = tree.clone();
    let index = tree.commitment().leaf_count;
    let predecessor = tree.opening(position);
    other.replace(position, Leaf { next_key: id.key(), next_index: index, ..predecessor.leaf });
    let siblings = other.siblings(index);
    let access = LeafAccess::Insert { predecessor, index, siblings, new_value: wealth(1, U256::MAX) };
    rows_of(LeafOp { id, access }, tree.root()).assert_refused_by("tree.order.above.gap", &[]);
}

#[test]
fn rejects_a_leaf_absent_by_one_that_is_not_the_nearest() {
    let tree = tree_of(4);
    let id = absent_ids(&tree).next().unwrap();
    let far = tree.opening(0).leaf;
    let scene = rows_of(absent_by(&tree, id, 0), tree.root());
    scene.assert_refused_by("tree.order.below.gap", &[]);
    let (key, limit) = (halves_of(id.key()), far.next_key);
    let borrow = false_borrow(key, halves_of(limit), true);
    scene.assert_refused_by("tree.order.below.borrow", &[lie("tree.order.below.borrow", 0, borrow)]);
    // The next key plus r is above everything.
    let [hi, lo] = plus_r(limit);
    let lies = [lie("tree.order.limit_halves", 0, hi), lie("tree.order.limit_halves", 1, lo)];
    scene.assert_refused_by("tree.order.limit.gap", &lies);
    let borrow = false_borrow([hi, lo], compare::modulus().map(F::from), false);
    let [first, second] = lies;
    scene.assert_refused_by(
        "tree.order.limit.borrow",
        &[first, second, lie("tree.order.limit.borrow", 0, borrow)],
    );
}

#[test]
fn rejects_a_leaf_touched_twice_in_every_kind() {
    let new = absent_ids(&tree_of(4)).next().unwrap();
    let value = |n: u64| wealth(1, U256::from(n));
    let twice = |first: &dyn Fn(&mut ReferenceTree) -> LeafOp,
                 second: &dyn Fn(&mut ReferenceTree) -> LeafOp| {
        let mut tree = tree_of(4);
        let root_in = tree.root();
        let ops = [first(&mut tree), second(&mut tree)];
        scene_of(&ops, root_in, tree.root(), 0)
    };
    let (id, _) = present(&tree_of(4));
    // UPDATE after UPDATE, LINK after ABSENT, ABSENT twice, UPDATE after APPEND.
    let update = twice(&|t| t.write(id, value(3)), &|t| t.write(id, value(4)));
    for scene in [
        update.clone(),
        twice(&|t| t.read(new), &|t| t.write(new, value(4))),
        twice(&|t| t.read(new), &|t| t.read(new)),
        twice(&|t| t.write(new, value(3)), &|t| t.write(new, value(4))),
    ] {
        scene.assert_refused_by("tree.order.after.gap", &[]);
    }
    let key = halves_of(id.key());
    let lies = [lie("tree.order.after.borrow", 1, false_borrow(key, key, true))];
    update.assert_refused_by("tree.order.after.borrow", &lies);
}
