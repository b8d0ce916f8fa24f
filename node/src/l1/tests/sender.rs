use super::{
    super::{
        client::At,
        error::{RequestError, Revert},
        fees::{FeeError, FeeRule},
        sender::{ForgetError, SendError},
        store::{Outcome, SendRecord, SendStoreError},
    },
    *,
};

const fn options(confirmations: u64, bump_after_ms: u64) -> SenderOptions {
    SenderOptions {
        confirmations,
        bump_after: Duration::from_millis(bump_after_ms),
        gas_margin_percent: 20,
        fees: FeeRule { bump_percent: 10, max_fee_cap_wei: u128::MAX, min_tip_wei: 1 },
        outage_limit: Duration::from_secs(1),
    }
}

async fn transactions_at(bench: &Bench, block: u64) -> usize {
    let params = json!([format!("{block:#x}"), false]);
    let block = bench.request("eth_getBlockByNumber", params).await;
    block["transactions"].as_array().unwrap().len()
}

#[tokio::test]
async fn accepts_a_job_once_however_often_it_is_sent() {
    let bench = Bench::new().await;
    let (job, sender) = (transfer("pay"), bench.sender());
    let both = tokio::join!(sender.send(&job), sender.send(&job));
    let first = both.0.unwrap();
    assert_eq!(both.1.unwrap(), first);
    assert_eq!(sender.send(&job).await.unwrap(), first);
    assert_eq!(bench.sender().send(&job).await.unwrap(), first);
    assert_eq!(bench.pending_nonce().await, 1);

    let mut other = job.clone();
    other.value_wei = U256::from(1);
    let error = sender.send(&other).await.unwrap_err();
    assert!(matches!(error, SendError::JobMismatch { .. }), "{error}");
}

#[tokio::test]
async fn accepts_many_jobs_at_a_time() {
    let bench = Bench::new().await;
    let sender = bench.sender();
    let jobs: Vec<_> = (0..8).map(|i| transfer(&format!("pay:{i}"))).collect();
    let sent = futures::future::join_all(jobs.iter().map(|job| sender.send(job))).await;
    let mut nonces: Vec<_> = sent.into_iter().map(|s| s.unwrap().nonce).collect();
    nonces.sort_unstable();
    assert_eq!(nonces, (0..8).collect::<Vec<_>>());
    assert_eq!(bench.settled_nonce().await, 8);
    assert!(sender.in_flight().unwrap().is_empty());
}

#[tokio::test]
async fn accepts_a_crash_between_record_and_send() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let before = bench.pending_nonce().await;
    let job = rollup.sequence_batches(1, &bench.batches().await, COINBASE);
    let record = bench.sender().record(&job).await.unwrap();
    assert_eq!(bench.pending_nonce().await, before, "nothing was sent");

    let resumed = bench.sender().resume().await.unwrap();
    let [(name, Ok(sent))] = resumed.as_slice() else { panic!("{resumed:?}") };
    assert_eq!((name, sent.hash, sent.nonce), (&job.name, record.attempts[0].hash, before));
    assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), 2);
    assert_eq!(bench.sender().send(&job).await.unwrap(), *sent);
    assert_eq!(bench.pending_nonce().await, before + 1);
}

#[tokio::test]
async fn accepts_a_crash_between_send_and_receipt() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let before = bench.pending_nonce().await;
    let job = rollup.sequence_batches(1, &bench.batches().await, COINBASE);
    bench.automine(false).await;
    let sender = bench.sender();
    tokio::select! {
        result = sender.send(&job) => panic!("{result:?}"),
        () = until(|| async { bench.pending_nonce().await == before + 1 }) => {}
    }
    drop(sender);

    // It gets into a block while nobody looks; then the process is back.
    bench.mine(1).await;
    let block = bench.client.head().await.unwrap().number;
    assert_eq!(transactions_at(&bench, block).await, 1);
    bench.automine(true).await;
    let resumed = bench.sender().resume().await.unwrap();
    let [(_, Ok(sent))] = resumed.as_slice() else { panic!("{resumed:?}") };
    assert_eq!(sent.block_number, block);
    assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), 2);
    assert_eq!(bench.pending_nonce().await, before + 1);
}

/// However often the sender is killed, the job is done once.
#[tokio::test]
async fn prop_a_job_survives_being_killed() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let before = bench.pending_nonce().await;
    for round in 0..5 {
        let first = 1 + 2 * round;
        let job = rollup.sequence_batches(first, &bench.batches().await, COINBASE);
        let mut kills = 0;
        loop {
            let (sender, limit) =
                (bench.sender_with(options(0, 1)), Duration::from_micros(500 * (1 + kills)));
            match tokio::time::timeout(limit, sender.send(&job)).await {
                Ok(result) => break assert!(result.is_ok(), "{result:?}"),
                Err(_) => kills += 1,
            }
        }
        assert!(kills > 0);
        assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), first + 1);
        assert_eq!(bench.pending_nonce().await, before + round + 1);
    }
}

/// Records that cannot be written.
struct FullDisk;

impl SendStore for FullDisk {
    fn put(&self, _: &SendRecord) -> Result<(), SendStoreError> {
        Err(SendStoreError(Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull))))
    }

    fn get(&self, _: u64, _: Address, _: &str) -> Result<Option<SendRecord>, SendStoreError> {
        Ok(None)
    }

    fn list(&self, _: u64, _: Address) -> Result<Vec<SendRecord>, SendStoreError> {
        Ok(Vec::new())
    }

    fn remove(&self, _: u64, _: Address, _: &str) -> Result<(), SendStoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn rejects_to_send_what_is_not_recorded() {
    let bench = Bench::new().await;
    let sender = Sender::new(bench.client.clone(), account(), Arc::new(FullDisk), SenderOptions::default());
    let error = sender.send(&transfer("pay")).await.unwrap_err();
    assert!(matches!(error, SendError::Store(_)), "{error}");
    assert_eq!(bench.pending_nonce().await, 0);
    let error = bench.sender().follow("pay").await.unwrap_err();
    assert!(matches!(error, SendError::NotRecorded { .. }), "{error}");
}

#[tokio::test]
async fn accepts_higher_fees_for_a_stuck_transaction() {
    let bench = Bench::with(&AnvilOptions { no_mining: true, ..AnvilOptions::default() }).await;
    let (sender, job) = (bench.sender_with(options(0, 20)), transfer("pay"));
    let attempts = || sender.recorded("pay").unwrap().map_or(0, |record| record.attempts.len());
    let mine = async {
        until(|| async { attempts() >= 3 }).await;
        bench.mine(1).await;
    };
    let (sent, ()) = tokio::join!(sender.send(&job), mine);
    let (sent, record) = (sent.unwrap(), sender.recorded("pay").unwrap().unwrap());
    for pair in record.attempts.windows(2) {
        let (old, new) = (pair[0].fees, pair[1].fees);
        assert!(new.max_fee_wei * 10 >= old.max_fee_wei * 11, "{old:?} {new:?}");
        assert!(new.max_priority_fee_wei * 10 >= old.max_priority_fee_wei * 11, "{old:?} {new:?}");
    }
    let mined = record.attempts.iter().position(|attempt| attempt.hash == sent.hash);
    assert!(mined.is_some_and(|i| i >= 1), "a replacement was taken");
    assert_eq!(record.outcome, Some(Outcome::Done(sent)));
    assert_eq!((sent.nonce, bench.pending_nonce().await), (0, 1));
}

/// Only the transaction that is next can be stuck: those behind it wait for it.
#[tokio::test]
async fn prop_only_the_next_transaction_pays_more() {
    let bench = Bench::with(&AnvilOptions { no_mining: true, ..AnvilOptions::default() }).await;
    let sender = bench.sender_with(options(0, 20));
    let (a, b) = (transfer("a"), transfer("b"));
    sender.record(&a).await.unwrap();
    sender.record(&b).await.unwrap();
    let attempts = |job: &str| sender.recorded(job).unwrap().unwrap().attempts.len();
    let mine = async {
        until(|| async { attempts("a") >= 3 }).await;
        assert_eq!(attempts("b"), 1);
        bench.mine(1).await;
    };
    let (a, b, ()) = tokio::join!(sender.send(&a), sender.send(&b), mine);
    assert_eq!((a.unwrap().nonce, b.unwrap().nonce), (0, 1));
}

#[tokio::test]
async fn rejects_fees_above_the_cap() {
    let bench = Bench::with(&AnvilOptions { no_mining: true, ..AnvilOptions::default() }).await;
    let mut limited = options(0, 5);
    limited.fees.max_fee_cap_wei = 2_500_000_000;
    let (sender, job) = (bench.sender_with(limited), transfer("pay"));
    let mine = async {
        until(|| async { bench.pending_nonce().await == 1 }).await;
        // Time for many replacements, were they allowed; what is asserted holds at every moment.
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await.unwrap_err();
        bench.mine(1).await;
    };
    let (sent, ()) = tokio::join!(sender.send(&job), mine);
    sent.unwrap();
    let record = sender.recorded("pay").unwrap().unwrap();
    assert!(record.attempts.iter().all(|a| a.fees.max_fee_wei <= 2_500_000_000), "{record:?}");

    limited.fees.max_fee_cap_wei = 1;
    let error = bench.sender_with(limited).send(&transfer("again")).await.unwrap_err();
    assert!(matches!(error, SendError::Fees(FeeError::AboveCap { .. })), "{error}");
}

#[tokio::test]
async fn rejects_a_wrong_timestamp_by_name_before_it_is_sent() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let before = bench.pending_nonce().await;
    let mut batches = bench.batches().await;
    batches[1].timestamp += 1_000_000;
    let job = rollup.sequence_batches(1, &batches, COINBASE);
    let sender = bench.sender();
    let error = sender.send(&job).await.unwrap_err();
    let SendError::WouldRevert { revert, .. } = &error else { panic!("{error}") };
    assert!(revert.is("SequencedTimestampInvalid"));
    assert_eq!(revert.value("index"), Some("1"));
    assert_eq!(revert.value("got"), Some(batches[1].timestamp.to_string().as_str()));
    assert_eq!(revert.value("minimum"), Some(batches[0].timestamp.to_string().as_str()));
    assert_eq!(sender.recorded(&job.name).unwrap(), None);
    assert_eq!(bench.pending_nonce().await, before);
}

#[tokio::test]
async fn rejects_a_revert_in_a_block_by_name_and_for_good() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let before = bench.pending_nonce().await;
    let mut batches = bench.batches().await;
    batches[0].timestamp += 1_000_000;
    let mut job = rollup.sequence_batches(1, &batches, COINBASE);
    // With a gas limit there is no estimate to find the error.
    job.gas_limit = Some(500_000);
    let sender = bench.sender();
    for _ in 0..2 {
        let error = sender.send(&job).await.unwrap_err();
        let SendError::Reverted { revert, sent, .. } = &error else { panic!("{error}") };
        assert!(revert.is("SequencedTimestampInvalid"), "{revert}");
        assert_eq!(sent.nonce, before);
    }
    assert_eq!(bench.pending_nonce().await, before + 1);

    sender.forget(&job.name).unwrap();
    let job = rollup.sequence_batches(1, &bench.batches().await, COINBASE);
    assert_eq!(sender.send(&job).await.unwrap().nonce, before + 1);

    let mut job = rollup.sequence_batches(3, &bench.batches().await, COINBASE);
    job.gas_limit = Some(40_000);
    let error = sender.send(&job).await.unwrap_err();
    let SendError::Reverted { revert, .. } = &error else { panic!("{error}") };
    assert_eq!(*revert, Revert::OutOfGas { gas_limit: 40_000 });
}

#[tokio::test]
async fn rejects_a_job_that_lost_its_nonce() {
    let bench = Bench::new().await;
    let (rollup, _) = bench.rollup().await;
    let job = rollup.sequence_batches(1, &bench.batches().await, COINBASE);
    let sender = bench.sender();
    let record = sender.record(&job).await.unwrap();
    bench.mine(3).await;
    let taker = bench.stranger().send(&transfer("elsewhere")).await.unwrap();
    assert_eq!(taker.nonce, record.nonce);
    bench.mine(5).await;

    for _ in 0..2 {
        let error = bench.sender().send(&job).await.unwrap_err();
        let SendError::NonceTaken { nonce, by, .. } = error else { panic!("{error}") };
        assert_eq!((nonce, by), (record.nonce, taker.hash));
    }
    assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), 0);
    sender.forget(&job.name).unwrap();
    assert_eq!(sender.send(&job).await.unwrap().nonce, record.nonce + 1);
    assert_eq!(rollup.last_batch_sequenced(At::Latest).await.unwrap(), 2);
}

/// The transaction that took the nonce may leave the chain again: it counts when it is confirmed.
#[tokio::test]
async fn prop_a_lost_nonce_is_confirmed_first() {
    let bench = Bench::new().await;
    let sender = bench.sender_with(options(2, 10_000));
    let record = sender.record(&transfer("pay")).await.unwrap();
    // With the same content it would be the same transaction: the same nonce, fees and signature.
    let mut elsewhere = transfer("elsewhere");
    elsewhere.value_wei = U256::from(1);
    let taker = bench.stranger().send(&elsewhere).await.unwrap();
    bench.mine(1).await;
    let patience = tokio::time::timeout(Duration::from_millis(200), sender.follow("pay")).await;
    assert!(patience.is_err(), "{patience:?}");
    bench.mine(1).await;
    let error = sender.follow("pay").await.unwrap_err();
    assert!(matches!(error, SendError::NonceTaken { by, .. } if by == taker.hash), "{error}");
    assert_eq!(record.nonce, taker.nonce);
}

#[tokio::test]
async fn accepts_a_reorganisation_that_removes_the_receipt() {
    let bench = Bench::new().await;
    let sender = bench.sender_with(options(2, 10_000));
    let job = transfer("pay");
    bench.mine(5).await;
    let upset = async {
        until(|| async { bench.settled_nonce().await == 1 }).await;
        let old = bench.client.head().await.unwrap();
        bench.request("anvil_reorg", json!([1, []])).await;
        assert_ne!(bench.client.block(At::Block(old.number)).await.unwrap().unwrap().hash, old.hash);
        assert_eq!(transactions_at(&bench, old.number).await, 0);
        until(|| async { bench.settled_nonce().await == 1 }).await;
        assert!(sender.recorded("pay").unwrap().unwrap().outcome.is_none());
        bench.mine(2).await;
        old
    };
    let (sent, old) = tokio::join!(sender.send(&job), upset);
    let sent = sent.unwrap();
    assert_ne!(sent.block_hash, old.hash);
    assert_eq!((sent.nonce, bench.pending_nonce().await), (0, 1));
}

#[tokio::test]
async fn rejects_to_forget_what_may_still_happen() {
    let bench = Bench::new().await;
    let sender = bench.sender();
    sender.record(&transfer("pay")).await.unwrap();
    let error = sender.forget("pay").unwrap_err();
    assert!(matches!(error, ForgetError::InFlight { .. }), "{error}");
    sender.follow("pay").await.unwrap();
    sender.forget("pay").unwrap();
    sender.forget("pay").unwrap();
    assert_eq!(sender.send(&transfer("pay")).await.unwrap().nonce, 1);
}

#[tokio::test]
async fn rejects_a_job_that_the_account_cannot_pay() {
    let bench = Bench::new().await;
    let poor = Account::from_key(B256::with_last_byte(0x11)).unwrap();
    let sender =
        Sender::new(bench.client.clone(), poor.clone(), bench.store.clone(), SenderOptions::default());
    let mut job = transfer("pay");
    job.gas_limit = Some(21_000);
    let error = sender.send(&job).await.unwrap_err();
    assert!(
        matches!(error, SendError::InsufficientFunds { account, balance_wei: U256::ZERO, .. }
            if account == poor.address()),
        "{error}"
    );
    // Once it can, the record is enough.
    let mut gift = transfer("gift");
    (gift.to, gift.value_wei) = (Some(poor.address()), U256::from(10).pow(U256::from(18)));
    bench.sender().send(&gift).await.unwrap();
    sender.send(&job).await.unwrap();
}

#[tokio::test]
async fn rejects_an_endpoint_that_is_gone_and_keeps_the_job() {
    let Bench { client, store, _anvil: anvil } = Bench::new().await;
    let sender = Sender::new(client, account(), store, options(0, 1_000));
    sender.record(&transfer("pay")).await.unwrap();
    drop(anvil);
    let error = sender.follow("pay").await.unwrap_err();
    assert!(matches!(error, SendError::Request(RequestError::Transport { .. })), "{error}");
    assert_eq!(sender.in_flight().unwrap().len(), 1);
}
