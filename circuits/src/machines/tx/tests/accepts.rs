//! Honest batches, encoded by alloy and decoded by the protocol's decoder, whose effects are those of the native model.

use std::collections::BTreeMap;

use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use cairn_protocol::transfer::{AccountReader, TransferContext, apply_transfer};

use super::*;
use crate::{
    cs::NUM_PUBLIC,
    lookup::{argument, challenge::Challenges, tables},
};

/// The accounts after the batch by the native model alone.
struct Model(BTreeMap<Address, (AccountValue, u64)>);

impl AccountReader for Model {
    type Error = std::convert::Infallible;

    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, Self::Error> {
        Ok(self.0.get(&address).copied().filter(|(_, index)| *index != 0))
    }
}

fn assert_accepts(batch: &Batch) {
    let failures = batch.failures();
    assert!(failures.is_empty(), "{failures:?}");
    let mut model = Model(batch.before.accounts.iter().map(|(a, e)| (*a, (e.value, e.index))).collect());
    let mut leaf_count = batch.before.leaf_count;
    let context = TransferContext { chain_id: batch.chain_id, coinbase: COINBASE };
    for (tx, row) in batch.txs.iter().zip(&batch.rows.slots) {
        let outcome = apply_transfer(tx, row.sender_address, &context, &model, leaf_count).expect("executes");
        for (access, entry) in outcome.accesses.iter().zip([row.sender, row.recipient, row.coinbase]) {
            assert_eq!((access.old, access.old_index), (entry.value, entry.index));
            model.0.insert(access.address, (access.new, access.new_index));
        }
        leaf_count = outcome.leaf_count;
    }
    let after: BTreeMap<_, _> = batch.after.accounts.iter().map(|(a, e)| (*a, (e.value, e.index))).collect();
    assert_eq!(after, model.0);
    assert_eq!(batch.after.leaf_count, leaf_count);
}

#[test]
fn accepts_every_kind_with_data_of_every_form() {
    let of = |len: usize| -> Vec<u8> { (0..len).map(|i| (i % 7) as u8 * 40).collect() };
    let mut cases: Vec<Vec<u8>> = [0, 2, 3, 54, 55, 56, 57, 255, 256, 300, 1000].map(of).into();
    cases.extend([vec![0], vec![0x7f], vec![0x80], vec![0xff], vec![0; 60]]);
    for data in cases {
        let data = Bytes::from(data);
        assert_accepts(&Batch::new(&each_kind(|s| s.data = data.clone())));
    }
}

#[test]
fn accepts_integers_at_the_edges_of_their_forms() {
    let edges = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, u64::MAX - 1, u64::MAX];
    for edge in edges {
        let batch = Batch::new(&each_kind(|s| {
            s.value = U256::from(edge);
            s.nonce = edge.min(u64::MAX - 1);
            s.max_fee = u128::from(edge);
            s.priority_fee = u128::from(edge / 2);
            s.r = U256::from(edge.max(1));
            s.s = U256::from(edge.max(1));
            s.parity = edge % 2 == 1;
        }));
        assert_accepts(&batch);
    }
}

#[test]
fn accepts_the_largest_values_and_the_smallest_change() {
    let gas = 21_000u64;
    for max_fee in [0, u128::MAX] {
        let cost = U256::from(gas) * U256::from(max_fee);
        let value = U256::MAX - cost;
        let mut s = Sample::new(Kind::Eip1559);
        (s.gas_limit, s.max_fee, s.priority_fee, s.value) = (gas, max_fee, max_fee, value);
        (s.r, s.s) = (U256::MAX, U256::MAX);
        let mut journal = journal_for(&[s.clone()]);
        journal.accounts.get_mut(&s.sender).expect("there").value.balance = U256::MAX;
        let batch = Batch::with_journal(&[s.clone()], journal);
        assert_eq!(batch.after.accounts[&s.sender].value.balance, U256::ZERO);
        assert_accepts(&batch);
    }
}

#[test]
fn accepts_chain_ids_of_every_length() {
    for chain_id in [0, 1, 0x7f, 0x80, 0xff, 0x100, 1001, u64::from(u32::MAX), u64::MAX] {
        assert_accepts(&Batch::new(&each_kind(|s| s.chain_id = chain_id)));
    }
}

#[test]
fn accepts_sender_recipient_and_coinbase_being_the_same() {
    let sender = Sample::new(Kind::Eip155).sender;
    for (from, to) in [(sender, sender), (sender, COINBASE), (COINBASE, sender), (COINBASE, COINBASE)] {
        let sample = |n| {
            let mut s = Sample::new(KINDS[n]);
            (s.sender, s.to, s.nonce) = (from, to, 7 + n as u64);
            s
        };
        let samples = [0, 1, 2, 3].map(sample);
        assert_accepts(&Batch::with_journal(&samples, journal_for(&samples[..1])));
    }
}

#[test]
fn accepts_absent_accounts_that_are_created_or_stay_absent() {
    let fresh = Address::repeat_byte(0x99);
    for (value, price) in [(0u64, 0u128), (0, 1), (1, 0), (1, 1)] {
        let mut s = Sample::new(Kind::Eip1559);
        (s.to, s.value, s.max_fee, s.priority_fee) = (fresh, U256::from(value), price, price);
        let batch = Batch::new(&[s]);
        assert_eq!(batch.after.accounts[&fresh].index != 0, value != 0);
        assert_eq!(batch.after.accounts[&COINBASE].index != 0, price != 0);
        assert_accepts(&batch);
    }
    // A sender without a leaf: possible when nothing is paid.
    let mut s = Sample::new(Kind::Eip2930);
    (s.sender, s.nonce, s.value, s.max_fee) = (fresh, 0, U256::ZERO, 0);
    let mut journal = journal_for(&[s.clone()]);
    journal.accounts.insert(fresh, Entry::default());
    let batch = Batch::with_journal(&[s], journal);
    assert_eq!(batch.after.accounts[&fresh].index, 100);
    assert_accepts(&batch);
}

#[test]
fn accepts_recipients_next_to_the_precompiles() {
    for n in [0u64, 11, 12, 255, 256, 257, 0x10a] {
        let mut s = Sample::new(Kind::Eip1559);
        s.to = Address::left_padding_from(&n.to_be_bytes());
        assert_accepts(&Batch::new(&[s]));
    }
}

#[test]
fn accepts_spare_slots_and_bytes() {
    let samples = each_kind(|s| s.data = Bytes::from_static(b"call"));
    for (slots, bytes) in [(4, 700), (7, 600), (4, 558)] {
        let batch = Batch::with_shape(&samples, journal_for(&samples), TxShape { slots, bytes });
        assert_accepts(&batch);
    }
    assert_accepts(&Batch::with_shape(&[], journal_for(&[]), TxShape { slots: 2, bytes: 10 }));
    assert_accepts(&Batch::new(&[]));
}

#[test]
fn accepts_a_coinbase_with_code_and_an_existing_empty_account() {
    let s = Sample::new(Kind::Eip155);
    let mut journal = journal_for(std::slice::from_ref(&s));
    let coinbase = AccountValue { nonce: 1, balance: U256::from(u128::MAX), code_hash: F::from(99u64) };
    journal.accounts.insert(COINBASE, Entry { value: coinbase, index: 33, time: 0 });
    journal.accounts.insert(s.to, Entry { value: AccountValue::default(), index: 34, time: 0 });
    let batch = Batch::with_journal(&[s], journal);
    assert_eq!(batch.after.leaf_count, 100);
    assert_accepts(&batch);
}

#[test]
fn accepts_data_whose_lengths_have_three_digits() {
    let data = Bytes::from(vec![0xa5; 65_536]);
    let mut s = Sample::new(Kind::Eip155);
    (s.data, s.gas_limit) = (data, 2_000_000);
    let batch = Batch::new(&[s]);
    let row = &batch.rows.slots[0];
    assert_eq!((row.data_width, row.list_width, row.signing_width), (3, 3, 3));
    assert_accepts(&batch);
}

#[test]
fn accepts_a_wire_list_longer_than_the_signed_one() {
    // With the signature the list needs two length digits, without it one, or none.
    for (len, widths) in [(0, (1, 0)), (160, (2, 1))] {
        let mut s = Sample::new(Kind::PreEip155);
        (s.nonce, s.max_fee, s.value) = (1, 1, U256::ZERO);
        s.data = Bytes::from(vec![1; len]);
        let batch = Batch::new(&[s]);
        let row = &batch.rows.slots[0];
        assert_eq!((row.list_width, row.signing_width), widths);
        assert_accepts(&batch);
    }
}

/// The argument itself, with tables and challenges, on a batch in a shape with room.
#[test]
fn accepts_a_batch_with_the_argument_closed() {
    let samples = each_kind(|s| s.data = Bytes::from_static(b"call"));
    let batch = Batch::with_shape(&samples, journal_for(&samples), TxShape { slots: 5, bytes: 600 });
    let mut cs = batch.system(&batch.rows, Mode::Check);
    tables::range8().close(&mut cs);
    tables::range16().close(&mut cs);
    let challenges =
        Challenges { rho: F::from(0x1234_5678_9abc_def1u64), alpha: F::from(0x0fed_cba9_8765_4321u64) };
    assert_eq!(argument::native_sum(&cs, challenges), F::from(0u64));
    argument::close(&mut cs, challenges);
    let num_instance = NUM_PUBLIC as usize + cs.committed().len();
    let failures = cs.matrices().failures(&cs.assignment(), num_instance);
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn refuses_what_does_not_fit_or_may_not_execute() {
    let s = Sample::new(Kind::Eip1559);
    let bytes = s.encode();
    let txs = decode_batch(&bytes).expect("valid");
    let signed = [SignedTx { tx: &txs[0], sender: s.sender }];
    let context =
        TraceContext { chain_id: CHAIN_ID, coinbase: COINBASE, first_stream: FIRST_STREAM, time_offset: 0 };
    let journal = journal_for(std::slice::from_ref(&s));
    let run = |slots, bytes_capacity, context: &TraceContext, mut journal: Journal| {
        let shape = TxShape { slots, bytes: bytes_capacity };
        trace(shape, context, &bytes, &signed, &mut journal).map(|_| ()).expect_err("refused")
    };
    assert!(matches!(run(0, 500, &context, journal.clone()), TxTraceError::Slots { capacity: 0, got: 1 }));
    assert!(matches!(run(1, 9, &context, journal.clone()), TxTraceError::Bytes { capacity: 9, .. }));
    let other = TraceContext { chain_id: 7, ..context };
    assert!(matches!(run(1, 500, &other, journal), TxTraceError::Transfer { index: 0, .. }));
    assert!(matches!(run(1, 500, &context, Journal::default()), TxTraceError::Transfer { index: 0, .. }));
}

/// Few accounts, so that they meet in all roles; amounts of any size.
#[test]
fn accepts_random_batches() {
    let mut rng = StdRng::seed_from_u64(11);
    let accounts = [COINBASE, Address::repeat_byte(1), Address::repeat_byte(2), Address::repeat_byte(3)];
    for _ in 0..30 {
        let mut nonces = [0u64; 4];
        let mut samples = Vec::new();
        for _ in 0..rng.gen_range(1..6) {
            let (from, to) = (rng.gen_range(0..4), rng.gen_range(0..4));
            let mut s = Sample::new(KINDS[rng.gen_range(0..4)]);
            let data: Vec<u8> =
                (0..rng.gen_range(0..70)).map(|_| rng.r#gen::<u8>() & rng.r#gen::<u8>()).collect();
            let max_fee = rng.r#gen::<u128>() >> rng.gen_range(0..128);
            (s.sender, s.to, s.nonce) = (accounts[from], accounts[to], nonces[from]);
            (s.data, s.max_fee, s.priority_fee) = (data.into(), max_fee, max_fee / 3);
            s.value =
                U256::from(rng.r#gen::<u128>()) << rng.gen_range(0..120usize) >> rng.gen_range(0..248usize);
            (s.gas_limit, s.parity) = (rng.gen_range(30_000..30_000_000), rng.r#gen());
            s.r = U256::from(rng.r#gen::<u128>()) >> rng.gen_range(0..120usize);
            nonces[from] += 1;
            samples.push(s);
        }
        let mut journal = Journal { leaf_count: 100, ..Journal::default() };
        for (i, a) in accounts.into_iter().enumerate() {
            let value = AccountValue { nonce: 0, balance: U256::MAX >> 4usize, code_hash: F::from(0u64) };
            journal.accounts.insert(a, Entry { value, index: 10 + i as u64, time: 0 });
        }
        assert_accepts(&Batch::with_journal(&samples, journal));
    }
}
