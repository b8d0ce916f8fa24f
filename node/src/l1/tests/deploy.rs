use std::time::Duration;

use super::{
    super::{
        anvil::AnvilOptions,
        client::At,
        deploy::{CheckError, DeployError, Deployment, add_verifier, check, forget},
        sender::{SendError, SenderOptions},
    },
    *,
};

#[tokio::test]
async fn accepts_groth16_verifiers_of_two_shapes() {
    let bench = Bench::new().await;
    let verifiers = vec![(3, key(5, 100, 101)), (9, key(6, 102, 103))];
    let deployment = deploy(&bench.sender(), &plan(verifiers.clone())).await.unwrap();
    check(&bench.client, &deployment).await.unwrap();
    let digests: Vec<_> = deployment.verifiers.iter().map(|v| (v.shape_id, v.vk_digest)).collect();
    assert_eq!(digests, [(3, verifiers[0].1.vk_digest()), (9, verifiers[1].1.vk_digest())]);
    let text = serde_json::to_string(&deployment).unwrap();
    assert_eq!(serde_json::from_str::<Deployment>(&text).unwrap(), deployment);
}

/// A shape gets its verifier after the deployment, once, from the admin alone; what was sent of it is not sent again.
#[tokio::test]
async fn accepts_a_verifier_that_is_added_later() {
    let bench = Bench::new().await;
    let plan = DeployPlan { admin: account().address(), ..plan(vec![(3, key(5, 100, 101))]) };
    let deployment = deploy(&bench.sender(), &plan).await.unwrap();
    let rollup = Rollup::new(bench.client.clone(), deployment.zkevm);
    let first = rollup.verifier(3, At::Latest).await.unwrap();
    assert_eq!(first, Some(deployment.verifiers[0]));
    assert_eq!(rollup.verifier(9, At::Latest).await.unwrap(), None);

    let kind = key(6, 102, 103);
    let other = Sender::new(
        bench.client.clone(),
        Anvil::account(1).unwrap(),
        Arc::new(MemoryStore::default()),
        SenderOptions::default(),
    );
    let error = add_verifier(&other, &rollup, 9, &kind).await.unwrap_err();
    assert!(error.to_string().contains("OnlyAdmin"), "{error}");

    let added = add_verifier(&bench.sender(), &rollup, 9, &kind).await.unwrap();
    assert_eq!((added.shape_id, added.vk_digest), (9, kind.vk_digest()));
    assert_eq!(rollup.verifier(9, At::Latest).await.unwrap(), Some(added));
    let nonce = bench.pending_nonce().await;
    assert_eq!(add_verifier(&bench.sender(), &rollup, 9, &kind).await.unwrap(), added);
    assert_eq!(bench.pending_nonce().await, nonce);
    // Whoever does not know of it is refused, and the first stays.
    let again = Sender::new(
        bench.client.clone(),
        account(),
        Arc::new(MemoryStore::default()),
        SenderOptions::default(),
    );
    let error = add_verifier(&again, &rollup, 9, &key(7, 104, 105)).await.unwrap_err();
    assert!(error.to_string().contains("VerifierAlreadySet"), "{error}");
    assert_eq!(rollup.verifier(9, At::Latest).await.unwrap(), Some(added));
}

#[tokio::test]
async fn accepts_a_mock_verifier() {
    let bench = Bench::new().await;
    let (rollup, deployment) = bench.rollup().await;
    check(&bench.client, &deployment).await.unwrap();
    assert_eq!(deployment.block, bench.client.head().await.unwrap().number);
    assert_eq!(rollup.trusted(At::Latest).await.unwrap(), (account().address(), account().address()));
    assert_eq!(deployment.bridge, account().address().create(3));
}

#[tokio::test]
async fn rejects_a_mock_verifier_on_another_chain() {
    let bench = Bench::with(&AnvilOptions { chain_id: Some(5), ..AnvilOptions::default() }).await;
    let error = deploy(&bench.sender(), &plan(vec![(7, VerifierKind::Mock)])).await.unwrap_err();
    let DeployError::Send { source: SendError::WouldRevert { revert, .. }, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(revert.to_string(), "NotADevelopmentChain(chainId: 5)");
    assert_eq!(bench.pending_nonce().await, 0);
}

#[tokio::test]
async fn rejects_a_key_with_gamma_equal_to_delta() {
    let bench = Bench::new().await;
    let error = deploy(&bench.sender(), &plan(vec![(1, key(5, 100, 100))])).await.unwrap_err();
    let DeployError::Send { source: SendError::WouldRevert { revert, .. }, .. } = error else {
        panic!("{error}")
    };
    assert!(revert.is("GammaEqualsDelta"), "{revert}");
}

#[tokio::test]
async fn rejects_plans_that_the_rollup_refuses() {
    let bench = Bench::new().await;
    let twice = vec![(7, VerifierKind::Mock), (7, VerifierKind::Mock)];
    let error = deploy(&bench.sender(), &plan(twice)).await.unwrap_err();
    assert!(matches!(error, DeployError::ShapeTwice { shape_id: 7 }), "{error}");

    let error = deploy(&bench.sender(), &plan(vec![])).await.unwrap_err();
    let DeployError::Send { contract, source: SendError::WouldRevert { revert, .. } } = error else {
        panic!("{error}")
    };
    assert_eq!(contract, "the rollup");
    assert!(revert.is("IncompleteInitParams"), "{revert}");
}

/// However often the deployer is killed, each contract is deployed once.
#[tokio::test]
async fn prop_a_deployment_survives_being_killed() {
    let bench = Bench::new().await;
    let plan = plan(vec![(1, VerifierKind::Mock), (2, key(5, 100, 101))]);
    let mut kills = 0;
    let deployment = loop {
        let limit = Duration::from_millis(1 + kills);
        let sender = bench.sender();
        match tokio::time::timeout(limit, deploy(&sender, &plan)).await {
            Ok(result) => break result.unwrap(),
            Err(_) => kills += 1,
        }
    };
    assert!(kills > 0);
    assert_eq!(bench.settled_nonce().await, 4);
    check(&bench.client, &deployment).await.unwrap();

    // Once more: nothing is sent, the same is found.
    let sender = bench.sender();
    assert_eq!(deploy(&sender, &plan).await.unwrap(), deployment);
    assert_eq!(bench.pending_nonce().await, 4);

    forget(&sender, &plan).unwrap();
    assert_ne!(deploy(&sender, &plan).await.unwrap().zkevm, deployment.zkevm);
    assert_eq!(bench.pending_nonce().await, 8);
}

#[tokio::test]
async fn rejects_a_rollup_that_lost_its_place() {
    let bench = Bench::new().await;
    let (patient, sender) = (SenderOptions { confirmations: 1, ..SenderOptions::default() }, bench.sender());
    // The deployer dies with the global exit root in a block; another transaction follows it.
    let plan = plan(vec![(1, VerifierKind::Mock)]);
    let interrupted = async {
        let sender = bench.sender_with(patient);
        deploy(&sender, &plan).await
    };
    let conflict = async {
        until(|| async { bench.settled_nonce().await == 1 }).await;
        bench.mine(1).await;
        until(|| async { bench.settled_nonce().await == 2 }).await;
    };
    tokio::select! {
        biased;
        () = conflict => {}
        result = interrupted => panic!("{result:?}"),
    }
    bench.stranger().send(&transfer("elsewhere")).await.unwrap();
    let error = deploy(&sender, &plan).await.unwrap_err();
    assert!(
        matches!(
            &error,
            DeployError::Send { source: SendError::NonceUnexpected { expected: 2, got: 3, .. }, .. }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn rejects_deployments_that_are_something_else() {
    let bench = Bench::new().await;
    let (_, honest) = bench.rollup().await;
    check(&bench.client, &honest).await.unwrap();
    let other = deploy(&bench.stranger(), &plan(vec![(7, VerifierKind::Mock)])).await.unwrap();

    let altered = |change: &dyn Fn(&mut Deployment)| {
        let mut deployment = honest.clone();
        change(&mut deployment);
        let client = bench.client.clone();
        async move { check(&client, &deployment).await.unwrap_err() }
    };
    let e = altered(&|d| d.l1_chain_id += 1).await;
    assert!(matches!(e, CheckError::L1Chain { .. }), "{e}");
    let e = altered(&|d| d.zkevm = COINBASE).await;
    assert!(matches!(e, CheckError::NoCode { contract: "the rollup", .. }), "{e}");
    let e = altered(&|d| d.l2_chain_id += 1).await;
    assert!(matches!(e, CheckError::L2Chain { .. }), "{e}");
    let e = altered(&|d| d.fork_id += 1).await;
    assert!(matches!(e, CheckError::Fork { .. }), "{e}");
    let e = altered(&|d| d.genesis_state_root = B256::ZERO).await;
    assert!(matches!(e, CheckError::GenesisStateRoot { .. }), "{e}");
    let e = altered(&|d| d.global_exit_root = other.global_exit_root).await;
    assert!(matches!(e, CheckError::GlobalExitRoot { .. }), "{e}");
    let e = altered(&|d| d.bridge = COINBASE).await;
    assert!(matches!(e, CheckError::Bridge { .. }), "{e}");
    let e = altered(&|d| d.verifiers[0].address = other.verifiers[0].address).await;
    assert!(matches!(e, CheckError::Verifier { shape_id: 7, .. }), "{e}");
    let e = altered(&|d| d.verifiers[0].shape_id = 8).await;
    assert!(matches!(e, CheckError::Verifier { shape_id: 8, .. }), "{e}");
    let e = altered(&|d| d.verifiers[0].vk_digest = B256::ZERO).await;
    assert!(matches!(e, CheckError::VkDigest { shape_id: 7, .. }), "{e}");
}
