use cairn_protocol::batch::PublicInput;

use super::{
    super::{
        client::At,
        rollup::{
            BatchProofWords, CalldataError, RollupEvent, SequenceError, decode_sequence_batches,
            encode_sequence_batches,
        },
        sender::SendError,
    },
    *,
};

/// The accumulated hash after `batches`, the first of the chain.
fn acc_input_hash(batches: &[BatchData]) -> B256 {
    batches.iter().fold(B256::ZERO, |hash, batch| batch.acc_input_hash(hash, COINBASE))
}

#[tokio::test]
async fn accepts_a_sequence_with_the_hash_of_the_protocol() {
    let bench = Bench::new().await;
    let (rollup, deployment) = bench.rollup().await;
    let batches = bench.batches().await;
    let job = rollup.sequence_batches(1, &batches, COINBASE);
    assert_eq!(job.name, "sequence:1-2");
    let sent = bench.sender().send(&job).await.unwrap();

    assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), 2);
    assert_eq!(rollup.last_batch_sequenced(At::Block(sent.block_number - 1)).await.unwrap(), 0);
    assert_eq!(rollup.last_timestamp(At::Latest).await.unwrap(), batches[1].timestamp);
    let stored = rollup.sequenced_batch(2, At::Hash(sent.block_hash)).await.unwrap();
    assert_eq!(stored.acc_input_hash, acc_input_hash(&batches));
    assert_eq!(stored.previous_last_batch, 0);
    assert_eq!(stored.sequenced_timestamp, bench.client.head().await.unwrap().timestamp);

    let events = rollup.events(deployment.block, None).await.unwrap();
    assert_eq!(events.len(), 1);
    let (place, event) = events[0];
    assert_eq!(event, RollupEvent::Sequenced { last_batch: 2 });
    assert_eq!((place.block_number, place.block_hash), (sent.block_number, sent.block_hash));
    assert_eq!(place.transaction_hash, sent.hash);

    let posted = rollup.sequence(place.transaction_hash).await.unwrap();
    assert_eq!((posted.batches, posted.coinbase), (batches, COINBASE));
}

#[tokio::test]
async fn accepts_proofs_in_one_transaction() {
    let bench = Bench::new().await;
    let (rollup, deployment) = bench.rollup().await;
    let (sender, batches) = (bench.sender(), bench.batches().await);
    sender.send(&rollup.sequence_batches(1, &batches, COINBASE)).await.unwrap();

    let mut old_state_root = deployment.genesis_state_root;
    let mut old_acc_input_hash = B256::ZERO;
    let mut proofs = Vec::new();
    for (i, batch) in batches.iter().enumerate() {
        let input = PublicInput {
            aggregator: sender.address(),
            old_state_root,
            old_acc_input_hash,
            init_num_batch: i as u64,
            chain_id: L2_CHAIN_ID,
            fork_id: FORK_ID,
            new_state_root: B256::with_last_byte(50 + i as u8),
            new_acc_input_hash: batch.acc_input_hash(old_acc_input_hash, COINBASE),
            new_local_exit_root: B256::repeat_byte(9),
            final_new_batch: i as u64 + 1,
        };
        let mut proof = [U256::ZERO; 12];
        proof[0] = U256::from_be_slice(&input.to_field().into_bigint().to_bytes_be());
        (old_state_root, old_acc_input_hash) = (input.new_state_root, input.new_acc_input_hash);
        proofs.push(BatchProofWords {
            shape_id: 7,
            new_state_root: input.new_state_root,
            new_acc_input_hash: input.new_acc_input_hash,
            new_local_exit_root: input.new_local_exit_root,
            proof,
        });
    }

    let mut wrong = proofs.clone();
    wrong[1].proof[0] += U256::from(1);
    let error = sender.send(&rollup.trusted_verify_batches(0, 2, &wrong)).await.unwrap_err();
    let SendError::WouldRevert { revert, .. } = error else { panic!("{error}") };
    assert_eq!(revert.to_string(), "InvalidProof(firstBatch: 1, lastBatch: 2)");

    let job = rollup.trusted_verify_batches(0, 2, &proofs);
    assert_eq!(job.name, "verify:1-2");
    let sent = sender.send(&job).await.unwrap();
    assert_eq!(rollup.last_verified_batch(At::Latest).await.unwrap(), 2);
    assert_eq!(rollup.state_root(2, At::Latest).await.unwrap(), Some(old_state_root));
    assert_eq!(rollup.state_root(1, At::Latest).await.unwrap(), None);
    let events = rollup.events(sent.block_number, Some(sent.block_number)).await.unwrap();
    let event =
        RollupEvent::Verified { last_batch: 2, state_root: old_state_root, aggregator: sender.address() };
    assert_eq!(events.into_iter().map(|e| e.1).collect::<Vec<_>>(), [event]);
}

#[tokio::test]
async fn rejects_the_data_of_other_transactions() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let hash = B256::repeat_byte(1);
    let error = rollup.sequence(hash).await.unwrap_err();
    assert!(matches!(error, SequenceError::NoTransaction { .. }), "{error}");
    let sent = bench.sender().send(&transfer("elsewhere")).await.unwrap();
    let error = rollup.sequence(sent.hash).await.unwrap_err();
    assert!(matches!(error, SequenceError::Indirect { .. }), "{error}");
}

#[test]
fn prop_calldata_decoding_is_total() {
    let batches =
        vec![BatchData { transactions: vec![7; 70].into(), timestamp: 9, ..BatchData::default() }; 2];
    let calldata = encode_sequence_batches(&batches, COINBASE).to_vec();
    let read = decode_sequence_batches(&calldata).unwrap();
    assert_eq!((read.batches, read.coinbase), (batches, COINBASE));

    assert_eq!(decode_sequence_batches(&calldata[..3]), Err(CalldataError::Short { got: 3 }));
    let other = CalldataError::OtherFunction { got: [0; 4] };
    assert_eq!(decode_sequence_batches(&[0; 100]), Err(other));
    for length in 4..calldata.len() {
        // The last bytes are padding, which some decoders do without.
        let read = decode_sequence_batches(&calldata[..length]);
        assert!(length > calldata.len() - 32 || read == Err(CalldataError::Arguments), "{length}");
    }
    for at in 4..calldata.len() {
        let mut altered = calldata.clone();
        altered[at] ^= 0xff;
        let _ = decode_sequence_batches(&altered);
    }
}
