//! Several circuit shapes, with proofs of nothing: which one a batch takes, where that is shown, and what the last positions
//! of the largest do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod support;

use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use async_trait::async_trait;
use cairn_node::{
    chain::{Chain, ChainConfig, Produced},
    cli::Role,
    config::ProofMode,
    proof::{BatchProof, MockEngine, ProofEngine, ProofError, VerifierSpec},
    shapes::{self, ShapeSpec},
    wiring::{NodeError, open_chain, open_store},
};
use cairn_protocol::{resources::Rows, witness::BatchWitness};
use cairn_sequencer::{
    admission::Admission,
    batch::batch_witness,
    pool::PoolError,
    shapes::{Room, ShapeId, Shapes},
};
use cairn_state::{MemoryStore, Store};
use serde_json::{Value, json};
use support::{Running, SENDER, chain_config, config, start_with, transfer, transfer_to};

fn specs(names: &[&str]) -> Vec<ShapeSpec> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Pretends to prove, in shapes that batches are admitted and chosen by.
struct Pretend(Shapes);

#[async_trait]
impl ProofEngine for Pretend {
    fn mode(&self) -> ProofMode {
        ProofMode::Groth16
    }

    fn shapes(&self) -> Shapes {
        self.0.clone()
    }

    fn verifiers(&self) -> Vec<(ShapeId, VerifierSpec)> {
        self.0.iter().map(|shape| (shape.id, VerifierSpec::Mock)).collect()
    }

    async fn prove(
        &self,
        shape: ShapeId,
        witness: BatchWitness,
        aggregator: Address,
    ) -> Result<BatchProof, ProofError> {
        // What the circuit of the chosen shape would find: each batch has rows in it.
        let spec: ShapeSpec = shapes::name(shape).parse().unwrap();
        cairn_circuits::batch::Assignment::new(&spec.circuit().shape, &witness, aggregator).unwrap();
        MockEngine { capacity: Rows::ZERO }.prove(shape, witness, aggregator).await
    }
}

async fn batch(node: &Running, number: u64) -> Value {
    node.call("zkevm_getBatchByNumber", vec![json!(format!("{number:#x}"))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_each_batch_in_the_smallest_shape_that_it_fits() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    let engine = Arc::new(Pretend(shapes::list(&specs(&["8", "4", "1"])).unwrap()));
    let chain = open_chain(&config, open_store(&config).unwrap(), engine.as_ref()).unwrap();
    // In the pool before anybody takes from it: the first batch is full, the second has the rest.
    for nonce in 0..11 {
        chain.submit(&transfer(nonce, 1)).unwrap();
    }
    let roles = [Role::Sequencer, Role::Prover, Role::Aggregator, Role::Rpc];
    let node = start_with(&config, chain, engine, &mut None, &roles).await;
    node.wait_for("zkevm_verifiedBatchNumber", &json!("0x2")).await;
    node.chain.submit(&transfer(11, 1)).unwrap();
    node.wait_for("zkevm_verifiedBatchNumber", &json!("0x3")).await;

    let expected = [(8, 60_008, "8@6", "capacity"), (3, 60_004, "4@6", "age"), (1, 60_001, "1@6", "age")];
    let summaries = node.call("cairn_getBatches", vec![]).await;
    for (number, (transactions, id, name, reason)) in (1..).zip(expected) {
        let full = batch(&node, number).await;
        assert_eq!(full["transactions"].as_array().unwrap().len(), transactions, "batch {number}");
        assert_eq!(full["shape"], json!({ "id": format!("{id:#x}"), "name": name }), "batch {number}");
        assert_eq!(full["closeReason"], reason, "batch {number}");
        let proof = &summaries[3 - number as usize]["proof"];
        assert_eq!((&proof["shapeId"], &proof["shape"]), (&json!(id), &json!(name)), "batch {number}");
    }
    let status = node.call("cairn_status", vec![]).await;
    let listed: Vec<_> = status["shapes"].as_array().unwrap().iter().collect();
    let names: Vec<_> = listed.iter().map(|shape| shape["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["1@6", "4@6", "8@6"]);
    assert_eq!(listed[2]["capacity"], status["capacity"], "the largest closes batches");
    assert_eq!(listed[0]["positions"], 1 << 18);
    assert_eq!(listed[0]["key"], json!({ "state": "usable", "phase": null, "sinceMs": null }));
    let metrics = http(node.address, "/metrics").await;
    for (_, _, name, _) in expected {
        let line = format!("cairn_prover_proofs_total{{mode=\"groth16\",shape=\"{name}\"}} 1");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    assert!(metrics.contains("cairn_prover_keys{state=\"usable\"} 3"), "{metrics}");
    node.stop().await;
}

/// The answer to a GET.
async fn http(address: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A chain that proves, in which a batch is full with three transfers, and whose tree has `more` positions free.
fn provable(more: u64) -> (Arc<dyn Store>, ChainConfig) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut config = chain_config();
    config.mode = ProofMode::Groth16;
    config.limits.admission = Admission::Provable;
    config.pool.admission = Admission::Provable;
    let leaves = {
        let state = cairn_state::StateDb::open(Arc::new(MemoryStore::new()), &config.genesis).unwrap();
        state.commitment().unwrap().leaf_count
    };
    let capacity = "3".parse::<ShapeSpec>().unwrap().listed().room.capacity;
    let room = Room { capacity, positions: leaves + more };
    (config.limits.room, config.pool.room) = (room, room);
    (store, config)
}

fn run(chain: &Chain) -> Vec<Produced> {
    let mut steps = Vec::new();
    loop {
        match chain.produce().unwrap() {
            Produced::Idle => return steps,
            step => steps.push(step),
        }
    }
}

/// Accounts are created until the largest circuit reaches no more; whatever was accepted is in a block, in a batch that can
/// be proven; and transfers that create nothing go on.
#[test]
fn rejects_what_the_tree_has_no_position_for_and_loses_nothing() {
    const MORE: u64 = 9;
    let (store, config) = provable(MORE);
    let positions = config.limits.room.positions;
    let chain = Chain::open(Arc::clone(&store), config).unwrap();
    let (mut nonce, mut accepted, mut refused) = (0, Vec::new(), 0);
    for round in 0..6u8 {
        // Each batch may bring a root, which takes a position too.
        chain.set_global_exit_root(B256::repeat_byte(round + 1));
        for account in 0..3 {
            let to = Address::repeat_byte(0x40 + 3 * round + account);
            match chain.submit(&transfer_to(nonce, to)) {
                Ok(hash) => {
                    nonce += 1;
                    accepted.push(hash);
                }
                Err(PoolError::TreeFull { leaves, promised, positions: limit }) => {
                    refused += 1;
                    assert!(
                        leaves + promised + 1 > limit && limit == positions,
                        "{leaves} {promised} {limit}"
                    );
                }
                Err(other) => panic!("{other}"),
            }
        }
        // Never the end: whoever is there can be paid.
        accepted.push(chain.submit(&transfer_to(nonce, SENDER)).unwrap());
        nonce += 1;
        let discarded = run(&chain).into_iter().find(|step| matches!(step, Produced::Discarded { .. }));
        assert!(discarded.is_none(), "{discarded:?}");
    }
    assert!(refused > 6, "{refused} refused");
    for hash in accepted {
        assert!(chain.block_with(hash).unwrap().is_some());
        assert_eq!(chain.dropped(hash).unwrap(), None);
    }
    let leaves = chain.state().commitment().unwrap().leaf_count;
    assert!((positions - 1..=positions).contains(&leaves), "{leaves} of {positions}");
    let mut roots = 0;
    for number in 1..=chain.heads().sealed_batch {
        let record = chain.storage().batch(number).unwrap().unwrap();
        let witness =
            batch_witness(chain.state(), &record.batch, chain.chain_id(), keccak256("any")).unwrap();
        assert!(witness.new_state.leaf_count <= positions, "batch {number} cannot be proven");
        roots += u64::from(!record.batch.header.global_exit_root.is_zero());
    }
    assert!((1..6).contains(&roots), "{roots} roots: the last ones had no position");
}

/// What was accepted is promised its positions across a restart, too.
#[test]
fn accepts_a_restart_with_the_last_position_promised() {
    let (store, config) = provable(3);
    let open = || {
        let (_, again) = provable(3);
        Chain::open(Arc::clone(&store), again).unwrap()
    };
    drop(config);
    let first = open();
    first.set_global_exit_root(B256::repeat_byte(1));
    // The recipient and the coinbase; the third is the root's.
    let hash = first.submit(&transfer_to(0, Address::repeat_byte(0x40))).unwrap();
    drop(first);
    let second = open();
    assert!(matches!(
        second.submit(&transfer_to(1, Address::repeat_byte(0x41))),
        Err(PoolError::TreeFull { .. })
    ));
    second.set_global_exit_root(B256::repeat_byte(1));
    run(&second);
    assert!(second.block_with(hash).unwrap().is_some());
    // As many as there are.
    let third = open();
    assert_eq!(third.state().commitment().unwrap().leaf_count, third.room().positions);
    third.submit(&transfer_to(1, SENDER)).unwrap();
    run(&third);
    assert_eq!(third.heads().trusted_block, 2);
}

#[test]
fn rejects_a_tree_that_no_configured_shape_reaches() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let engine = |names: &[&str]| Pretend(shapes::list(&specs(names)).unwrap());
    let open = |names: &[&str]| open_chain(&config, Arc::new(MemoryStore::new()), &engine(names));
    // The development chain begins with more than eight leaves.
    let error = open(&["8@1"]).err().unwrap();
    assert!(matches!(error, NodeError::TreeTooLarge { positions: 8, .. }), "{error}");
    assert!(error.to_string().contains("list a shape with more levels, such as \"8@7\""), "{error}");
    open(&["8@1", "8@2"]).unwrap();
}

/// A tree that a smaller shape's paths do not reach is proven in one that has more levels.
#[test]
fn accepts_a_larger_shape_once_the_tree_is_deeper() {
    let shapes = shapes::list(&specs(&["1@2", "1@3", "4@3"])).unwrap();
    let name = |leaves| {
        let counters = "1".parse::<ShapeSpec>().unwrap().listed().room.capacity;
        shapes
            .smallest_that_fits(&counters, leaves)
            .map(|shape| shape.name.clone())
            .map_err(|e| e.to_string())
    };
    assert_eq!(name(64), Ok("1@2".to_owned()));
    assert_eq!(name(65), Ok("1@3".to_owned()));
    assert!(name(513).unwrap_err().contains("a state tree of 513 leaves, the circuit reaches 512"));
}
