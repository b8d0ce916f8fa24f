//! Honest batches, and what the witness refuses by name.

use super::*;

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
