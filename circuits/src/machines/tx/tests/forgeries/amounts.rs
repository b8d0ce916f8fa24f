//! Forgeries of amounts: value, fee, balances, gas.

use super::*;

#[test]
fn rejects_a_value_in_digits_that_are_not_there() {
    let mut batch = single(Kind::Eip1559, |s| s.value = U256::ZERO);
    let value = U256::from(0x55_0000u64);
    batch.after(Address::repeat_byte(0x55)).balance -= value;
    batch.after(Address::repeat_byte(0x77)).balance += value;
    // The recipient was absent and would have stayed so.
    let entry = batch.after.accounts.get_mut(&Address::repeat_byte(0x77)).expect("there");
    entry.index = batch.after.leaf_count - 1;
    let coinbase = batch.after.accounts.get_mut(&COINBASE).expect("there");
    coinbase.index += 1;
    batch.after.leaf_count += 1;
    batch.refused_by("tx.value.byte", &[lie("tx.value.byte", 2, 0x55u64)]);
}

/// The item 0x80 is read as no byte, and as the byte 128 by a digit at −31 with −1.
#[test]
fn rejects_a_value_by_a_negative_presence() {
    let recipient = Address::repeat_byte(0x77);
    let mut s = Sample::new(Kind::Eip1559);
    (s.value, s.max_fee, s.gas_limit) = (U256::ZERO, 0x02_0033_4455_6677, 0x10_1112);
    let mut journal = journal_for(std::slice::from_ref(&s));
    journal.accounts.insert(recipient, Entry { value: AccountValue::default(), index: 34, time: 0 });
    let mut batch = Batch::with_journal(&[s], journal);
    let value = U256::from(128u64);
    batch.after(Address::repeat_byte(0x55)).balance -= value;
    batch.after(recipient).balance += value;
    let lies = [
        lie("tx.value.present", 0, 1u64),
        lie("tx.value.present", 31, -F::from(1u64)),
        lie("tx.value.byte", 0, 128u64),
    ];
    batch.refused_by("tx.value.present", &lies);
}

/// r wei, r being q·2¹²⁸ + rest, are nothing in the field.
#[test]
fn rejects_the_modulus_as_money() {
    let modulus = to_u256(-F::from(1u64)) + U256::from(1u64);
    let zero = F::from(0u64);
    // The sender owns nothing.
    let mut s = Sample::new(Kind::Eip1559);
    (s.value, s.max_fee, s.priority_fee) = (U256::from(1u64), 0, 0);
    let mut journal = journal_for(std::slice::from_ref(&s));
    journal.accounts.get_mut(&s.sender).expect("there").value.balance = U256::ZERO;
    let mut batch = Batch::invalid(std::slice::from_ref(&s), journal);
    batch.after(s.sender).balance = modulus - U256::from(1u64);
    let hi = halves(modulus - U256::from(1u64)).0;
    batch.refused_by("tx.sender.carry", &[lie("tx.sender.carry", 0, -hi), lie("tx.sender.carry", 1, zero)]);
    batch.refused_by(
        "tx.sender.carry",
        &[lie("tx.sender.carry", 0, zero), lie("tx.sender.carry", 1, -hi / F::from(1u64 << 16))],
    );
    // The recipient is given r beside the value.
    let mut batch = single(Kind::Eip1559, |s| s.value = U256::from(1u64));
    let new = modulus + U256::from(1u64);
    batch.after(s.to).balance = new;
    batch.refused_by("tx.recipient.carry", &[lie("tx.recipient.carry", 0, halves(new).0)]);
    // So is the coinbase.
    let mut batch = single(Kind::Eip1559, |_| ());
    let new = batch.after(COINBASE).balance + modulus;
    batch.after(COINBASE).balance = new;
    batch.refused_by(
        "tx.coinbase.carry",
        &[lie("tx.coinbase.carry", 0, halves(new).0), lie("tx.coinbase.carry", 1, zero)],
    );
    // A gas limit that nobody can pay.
    let s = Sample::new(Kind::Eip1559);
    let mut journal = journal_for(std::slice::from_ref(&s));
    let used = s.value + U256::from(21_000u64) * U256::from(s.priority_fee);
    journal.accounts.get_mut(&s.sender).expect("there").value.balance = used;
    let batch = Batch::invalid(std::slice::from_ref(&s), journal);
    let reserve =
        U256::from(s.gas_limit) * U256::from(s.max_fee) - U256::from(21_000u64) * U256::from(s.priority_fee);
    let left = halves(modulus - reserve).0;
    batch.refused_by(
        "tx.sender.reserve_carry",
        &[lie("tx.sender.reserve_carry", 0, -left), lie("tx.sender.reserve_carry", 1, zero)],
    );
}

#[test]
fn rejects_more_gas_than_the_limit() {
    let mut s = Sample::new(Kind::Eip1559);
    s.gas_limit = 20_999;
    let batch = Batch::invalid(std::slice::from_ref(&s), journal_for(std::slice::from_ref(&s)));
    batch.refused_by("tx.gas.intrinsic", &[lie("tx.gas.intrinsic", 0, -F::from(1u64))]);
}

#[test]
fn rejects_a_gas_limit_above_the_blocks() {
    let mut s = Sample::new(Kind::Eip1559);
    s.gas_limit = 30_000_001;
    let batch = Batch::invalid(std::slice::from_ref(&s), journal_for(std::slice::from_ref(&s)));
    batch.refused_by("tx.gas.block", &[lie("tx.gas.block", 0, -F::from(1u64))]);
}

#[test]
fn rejects_a_zero_byte_that_pays_for_others() {
    let mut batch = single(Kind::Eip1559, |s| s.data = Bytes::from(vec![0; 2]));
    let at = batch.txs[0].layout.data.start;
    let fewer = 40u64;
    let lies: Vec<_> =
        (0..=at).map(|i| lie("tx.bytes.suffix", i, nonzero(&batch.bytes[i..]) - fewer)).collect();
    batch.rows.slots[0].nonzero_from_data -= fewer;
    batch.charge(-i128::from(12 * fewer) * 0x1_2345_6789);
    batch.refused_by("tx.bytes.nonzero", &lies);
}

#[test]
fn rejects_other_fees() {
    let (gas, max_fee, priority) = (21_000u64, 0x2_2345_6789u64, 0x1_2345_6789u64);
    let zero = F::from(0u64);
    let mut batch = single(Kind::Eip1559, |_| ());
    batch.charge(1 << 90);
    let lies = [
        lie("tx.fee.fee", 0, F::from(gas * priority) + F::from(1u128 << 90)),
        lie("tx.sender.reserve_carry", 0, zero),
        lie("tx.sender.reserve_carry", 1, zero),
    ];
    batch.refused_by("tx.fee.fee", &lies);
    let mut batch = single(Kind::Eip1559, |_| ());
    batch.charge(i128::from(gas * (max_fee - priority)));
    batch.refused_by("tx.fee.price", &[lie("tx.fee.price", 0, zero)]);
    let s = Sample::new(Kind::Eip1559);
    let mut journal = journal_for(std::slice::from_ref(&s));
    journal.accounts.get_mut(&s.sender).expect("there").value.balance = s.value + U256::from(gas * priority);
    let batch = Batch::invalid(std::slice::from_ref(&s), journal);
    batch.refused_by("tx.fee.limit", &[lie("tx.fee.limit", 0, gas * priority)]);
    // A priority fee above the maximum, whose difference has a limb of −1.
    let mut s = s;
    s.priority_fee = s.max_fee + 1;
    let batch = Batch::invalid(std::slice::from_ref(&s), journal_for(std::slice::from_ref(&s)));
    let mut lies: Vec<_> = (0..6).map(|i| lie("tx.fee.priority", i, 0xffffu64)).collect();
    lies.push(lie("tx.fee.priority", 6, -F::from(1u64) + F::from(0xffffu64)));
    batch.refused_by("tx.fee.priority", &lies);
}

/// Of the five digits 01 02 03 00 00 three are read, two of them twice.
#[test]
fn rejects_digits_that_count_twice() {
    let recipient = Address::repeat_byte(0x77);
    let mut batch = single(Kind::Eip1559, |s| s.value = U256::from(0x01_0203_0000u64));
    let more = U256::from(0x01_0200_0000u64);
    batch.after(Address::repeat_byte(0x55)).balance += more;
    batch.after(recipient).balance -= more;
    let present = [2u64, 2, 1, 0, 0];
    let mut lies: Vec<_> = (0..5).map(|i| lie("tx.value.present", i, present[i])).collect();
    lies.extend([3, 4].map(|i| lie("tx.value.byte", i, 0u64)));
    lies.push(lie("tx.value.top", 0, 1u64));
    batch.refused_by("tx.value.present", &lies);
}
