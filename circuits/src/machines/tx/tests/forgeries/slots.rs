//! Forgeries of slots: several kinds at once, disabled slots, slots that make up for one another.

use super::*;

#[test]
fn rejects_a_transaction_of_two_kinds() {
    let batch = single(Kind::Eip1559, |_| ());
    let mut fields = batch.fields();
    fields[9] = vec![0x82, 0x07, 0xdb];
    let v = IntHint::canonical(U256::from(0x07dbu64));
    let batch = batch.of_fields(&slices(&fields), 9, &TAIL, |r| r.v = v);
    batch.refused_by("tx.slot.kind", &[lie("tx.slot.kind", 0, -F::from(1u64))]);
}

/// Kinds 1, −1 and 1: a legacy list with a priority fee.
#[test]
fn rejects_a_legacy_transaction_with_a_priority_fee() {
    let (max_fee, priority) = (0x2_2345_6789i128, 0x1_2345_6789i128);
    let batch = single(Kind::PreEip155, |_| ());
    let mut fields = batch.fields();
    fields.insert(1, vec![0x85, 1, 0x23, 0x45, 0x67, 0x89]);
    let hint = IntHint::canonical(U256::from(priority));
    let mut batch = batch.of_fields(&slices(&fields), 7, &[], |r| r.priority_fee = hint);
    batch.charge(21_000 * (priority - max_fee));
    batch.refused_by("tx.slot.kind", &[lie("tx.slot.kind", 1, -F::from(1u64)), lie("tx.slot.kind", 2, 1u64)]);
}

#[test]
fn rejects_bytes_of_a_disabled_slot() {
    let samples = [Sample::new(Kind::Eip1559)];
    let mut batch = Batch::new(&samples);
    batch.rows.slots.push(SlotRow { data_len: 5, ..SlotRow::default() });
    for byte in [1, 2, 0, 3, 4] {
        batch.rows.bytes.push(ByteRow { enabled: true, byte, ..ByteRow::default() });
        batch.bytes.push(byte);
    }
    batch.rows.slots[0].nonzero_from_data += 4;
    batch.rows.slots[0].nonzero_after_data += 4;
    batch.messages[0].1 = batch.bytes.clone();
    batch.refused_by("tx.slot.idle", &[]);
}

/// Disabled slots between enabled ones say the same as behind them.
#[test]
fn rejects_a_gap_between_slots_by_the_prefix_alone() {
    let samples = each_kind(|_| ());
    let mut journal = journal_for(&samples);
    journal.leaf_count = 100;
    let mut batch = Batch::with_journal(&samples[..2], journal);
    let last = batch.rows.slots.pop().expect("two");
    batch.rows.slots.extend([SlotRow::default(), last]);
    // Times and stream of the third slot.
    for row in &mut batch.rows.bytes {
        if row.stream_plus_one == FIRST_STREAM + 2 {
            row.stream_plus_one += 1;
        }
    }
    batch.messages[2].0 += 1;
    for entry in batch.after.accounts.values_mut().filter(|e| e.time > TIME_OFFSET + 3) {
        entry.time += 3;
    }
    batch.refused_by("tx.slot.prefix", &[]);
}

/// A call to a precompile, whose look-up outside the table another slot takes back.
#[test]
fn rejects_a_precompile_that_another_slot_makes_up_for() {
    let mut samples = each_kind(|_| ());
    samples.truncate(2);
    samples[0].to = Address::left_padding_from(&[5]);
    samples[1].to.0[19] = 5;
    let batch = Batch::invalid(&samples, journal_for(&samples));
    let upper = F::from(19 * 0x77u64);
    let lies = [lie("tx.to.small", 1, -F::from(1u64)), lie(INVERSE, INVERSES + 1, F::from(2u64) / upper)];
    batch.refused_by("tx.to.small", &lies);
}

/// EIP-2930 −1 times and EIP-1559 twice are one typed transaction, of type 3, whose price is minus its maximal fee.
#[test]
fn rejects_a_type_that_is_a_difference_of_kinds() {
    let mut s = Sample::new(Kind::Eip1559);
    s.priority_fee = 0;
    let mut journal = journal_for(std::slice::from_ref(&s));
    let rich = U256::from(1u64) << 100usize;
    for address in [s.sender, COINBASE] {
        journal.accounts.get_mut(&address).expect("there").value.balance = s.value + rich;
    }
    let mut batch = Batch::with_journal(std::slice::from_ref(&s), journal.clone());
    assert!(batch.failures().is_empty());
    let fee = U256::from(batch.txs[0].intrinsic_gas()) * U256::from(s.max_fee);
    let balance = |batch: &mut Batch, address, value| {
        batch.after.accounts.get_mut(&address).expect("there").value.balance = value;
    };
    balance(&mut batch, s.sender, rich + fee);
    balance(&mut batch, COINBASE, s.value + rich - fee);

    let carries = ["tx.sender.carry", "tx.sender.reserve_carry", "tx.coinbase.carry"];
    let mut lies: Vec<_> = carries.iter().flat_map(|name| [0, 1].map(|limb| lie(name, limb, 0u64))).collect();
    lies.extend([lie("tx.slot.kind", 1, -F::from(1u64)), lie("tx.slot.kind", 2, 2u64)]);
    // A priority fee is read twice, so that a byte behind it is hidden.
    Forgery::from(batch)
        .type_byte(3)
        .field(2, &[0x80, 0xaa])
        .lies(&lies)
        .assert_rejected_only_by("tx.slot.kind", |_| ());
}

/// Keccak refuses it too, but whether it always would is not clear: in a disabled slot the digits' positions are free.
#[test]
fn rejects_a_digit_of_what_a_disabled_slot_signs() {
    let samples = [Sample::new(Kind::Eip1559)];
    let shape = TxShape { slots: 2, bytes: samples[0].encode().len() };
    let batch = Batch::with_shape(&samples, journal_for(&samples), shape);
    assert!(batch.failures().is_empty());
    let second_slot = 3;
    let digit = [lie("tx.payload.present", second_slot + 2, -F::from(1u64))];
    let failures = failures_lying(&batch, &batch.rows, &digit);
    assert_eq!(failures, Failures::from(["tx.payload.digit", "tx.payload.present"]));
}
