//! Rows on the wrong journal, and journals that say something else.

use super::{forger::*, *};

fn update_of_a_slot() -> Scene {
    scene(&mut tree_of(3), &[(slot(1), Some(storage_to_fields(U256::from(5) << 128usize)))], 0)
}

fn insertion_of_a_slot() -> Scene {
    scene(&mut tree_of(3), &[(slot(9), Some(storage_to_fields(U256::MAX)))], 0)
}

#[test]
fn rejects_a_slot_on_the_journal_of_accounts() {
    update_of_a_slot().assert_refused_by("tree.journal.storage", &[lie("tree.journal.storage", 0, 0u64)]);
    update_scene().assert_refused_by("tree.journal.storage", &[lie("tree.journal.storage", 0, 1u64)]);
}

#[test]
fn rejects_another_position_than_the_leaf_has() {
    for (scene, name, row) in [
        (update_scene(), "tree.journal.updated", 0),
        (insert_scene(), "tree.journal.updated", 1),
        (insert_scene(), "tree.journal.appended", 1),
        (update_scene(), "tree.journal.appended", 0),
        (absent_scene(), "tree.journal.updated", 0),
    ] {
        let value = scene.wire(&[], name, row) + F::one();
        scene.assert_refused_by(name, &[lie(name, row, value)]);
    }
}

/// Each element of each tuple, first and last.
#[test]
fn rejects_a_journal_that_differs_in_any_element() {
    for scene in [update_scene(), insert_scene(), update_of_a_slot(), insertion_of_a_slot()] {
        scene.assert_accepted();
        let storage = scene.journal[0].bus == Bus::Storage;
        for element in 0..7 {
            for first in [true, false] {
                let mut scene = scene.clone();
                let Ends { first: f, last: l, .. } = &mut scene.journal[0];
                // Far enough that the two tuples do not become one.
                let other = F::from(1u64 << 50);
                if first {
                    f[element] += other
                } else {
                    l[element] += other
                }
                let expected = match (storage, first) {
                    (false, true) => ["test.first", "tree.journal.account_first"],
                    (false, false) => ["test.last", "tree.journal.account_last"],
                    (true, true) => ["test.first", "tree.journal.slot_first"],
                    (true, false) => ["test.last", "tree.journal.slot_last"],
                };
                assert_eq!(scene.failures(), Failures::from(expected), "element {element}");
            }
        }
    }
}
