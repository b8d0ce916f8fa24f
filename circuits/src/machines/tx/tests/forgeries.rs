//! Complete forgeries: everything that a cheating prover chooses agrees with the lie, so that exactly one constraint refuses
//! it. Forgeries that change a cell of an honest row are in `rejects`.

use ark_ff::PrimeField;

use super::{
    forger::{Forgery, failures_lying, hint, lie, single},
    *,
};

/// An integer of a transaction: the constraints of one name in `tx.<name>.*`, where it is on the wire, and how it is set.
struct Item {
    name: &'static str,
    kind: Kind,
    field: usize,
    set: fn(&mut Sample, u64),
    hint: fn(&mut SlotRow) -> &mut IntHint,
    /// A value of two bytes, of one byte below 0x80, and one that is 0x82 in its third byte and 0 in its second.
    two: u64,
    one: u64,
    three: u64,
}

impl Item {
    fn full_name(&self, constraint: &str) -> &'static str {
        format!("tx.{}.{constraint}", self.name).leak()
    }

    /// The item's value is `value`, and on the wire are `raw` bytes.
    fn forgery(&self, value: u64, raw: &[u8]) -> Forgery {
        Forgery::of(self.kind, |s| (self.set)(s, value)).field(self.field, raw)
    }
}

fn items() -> [Item; 8] {
    let item = |name, field, set, hint| Item {
        name,
        kind: Kind::Eip1559,
        field,
        set,
        hint,
        two: 0x5302,
        one: 5,
        three: 0x82_0091,
    };
    [
        item("nonce", 1, |s, v| s.nonce = v, |r| &mut r.nonce),
        item("priority_fee", 2, |s, v| s.priority_fee = v.into(), |r| &mut r.priority_fee),
        item("max_fee", 3, |s, v| (s.max_fee, s.priority_fee) = (v.into(), 1), |r| &mut r.max_fee),
        item("gas_limit", 4, |s, v| s.gas_limit = v, |r| &mut r.gas_limit),
        item("value", 6, |s, v| s.value = U256::from(v), |r| &mut r.value),
        item("r", 10, |s, v| s.r = U256::from(v), |r| &mut r.r),
        item("s", 11, |s, v| s.s = U256::from(v), |r| &mut r.s),
        // v is 36 + 2 · chain id, as the parity is 1.
        Item {
            kind: Kind::Eip155,
            one: 38,
            three: 0x82_0092,
            ..item("v", 6, |s, v| s.chain_id = (v - 36) / 2, |r| &mut r.v)
        },
    ]
}

/// 0x5302 as the bytes 53 02 without a prefix: nothing else says that only a lone byte stands for itself.
#[test]
fn rejects_integers_of_two_bytes_without_a_prefix() {
    for item in items() {
        let raw = (item.two as u16).to_be_bytes();
        item.forgery(item.two, &raw)
            .lies(&[lie(item.full_name("top"), 0, u64::from(raw[1]))])
            .assert_rejected_only_by(item.full_name("single"), |r| {
                *(item.hint)(r) = hint(item.two, 2, true);
            });
    }
}

/// A lone byte below 0x80 with a prefix. A gas limit of one byte is below the intrinsic gas, whatever it looks like.
#[test]
fn rejects_lone_bytes_with_a_prefix_they_do_not_need() {
    for item in items().into_iter().filter(|item| item.name != "gas_limit") {
        item.forgery(item.one, &[0x81, item.one as u8]).assert_rejected_only_by(
            item.full_name("canonical"),
            |r| {
                *(item.hint)(r) = hint(item.one, 1, false);
            },
        );
    }
}

#[test]
fn rejects_leading_zeros() {
    for item in items() {
        let raw = [&[0x83, 0][..], &(item.two as u16).to_be_bytes()].concat();
        item.forgery(item.two, &raw).assert_rejected_only_by(item.full_name("top"), |r| {
            *(item.hint)(r) = hint(item.two, 3, false);
        });
    }
}

/// Digits 0 and 2 are present and digit 1 is not, which makes two, so that the prefix is read as the highest digit:
/// 82 11 91 passes for 0x820091.
#[test]
fn rejects_digits_with_a_gap() {
    for item in items() {
        let [present, byte] = ["present", "byte"].map(|c| item.full_name(c));
        item.forgery(item.three, &[0x82, 0x11, item.three as u8])
            .lies(&[lie(present, 2, 1u64), lie(byte, 2, 0x82u64)])
            .assert_rejected_only_by(present, |r| *(item.hint)(r) = hint(item.three, 1, false));
    }
}

// ---- chain id

fn typed() -> Forgery {
    Forgery::of(Kind::Eip1559, |_| ())
}

#[test]
fn rejects_a_typed_transaction_without_a_chain_id() {
    let none: Vec<_> = (0..9).map(|nth| lie("tx.chain_id.gate", nth, 0u64)).collect();
    typed().field(0, &[]).lies(&none).assert_rejected_only_by("tx.chain_id.gate", |_| ());
}

#[test]
fn rejects_a_byte_hidden_in_the_chain_id() {
    typed()
        .field(0, &[0x82, 0x55, 0x03, 0xe9])
        .lies(&[lie("tx.chain_id.end", 0, 4u64)])
        .assert_rejected_only_by("tx.chain_id.end", |_| ());
}

/// Signed for another chain.
#[test]
fn rejects_digits_of_another_chain_id() {
    let mut forgery = Forgery::of(Kind::Eip1559, |s| s.chain_id = 1002);
    forgery.batch.chain_id = CHAIN_ID;
    forgery
        .lies(&[lie("tx.batch_chain_id.byte", 0, 0xeau64)])
        .assert_rejected_only_by("tx.batch_chain_id.end", |_| ());
}

/// The digit 3 of 0x03e9 counts but is not there.
#[test]
fn rejects_digits_of_the_chain_id_that_are_not_present() {
    let mut forgery = Forgery::of(Kind::Eip1559, |s| s.chain_id = 0xe9);
    forgery.batch.chain_id = CHAIN_ID;
    forgery
        .lies(&[lie("tx.batch_chain_id.present", 1, 0u64)])
        .assert_rejected_only_by("tx.batch_chain_id.byte", |_| ());
}

#[test]
fn rejects_a_leading_zero_of_the_chain_id() {
    typed()
        .field(0, &[0x83, 0, 0x03, 0xe9])
        .lies(&[lie("tx.batch_chain_id.present", 2, 1u64)])
        .assert_rejected_only_by("tx.batch_chain_id.top", |_| ());
}

#[test]
fn rejects_a_prefix_of_the_chain_id_that_it_does_not_need() {
    Forgery::of(Kind::Eip1559, |s| s.chain_id = 5)
        .field(0, &[0x81, 5])
        .lies(&[lie("tx.batch_chain_id.single", 0, 0u64)])
        .assert_rejected_only_by("tx.batch_chain_id.canonical", |_| ());
}

#[test]
fn rejects_a_chain_id_of_two_bytes_without_a_prefix() {
    typed()
        .field(0, &[0x03, 0xe9])
        .lies(&[lie("tx.batch_chain_id.single", 0, 1u64)])
        .assert_rejected_only_by("tx.batch_chain_id.single", |_| ());
}

// ---- lists and data

/// As [`rejects_a_list_digit_that_is_not_the_length`], in what is signed.
#[test]
fn rejects_a_digit_of_the_signed_list_that_is_not_its_length() {
    let forgery = Forgery::of(Kind::PreEip155, |s| s.data = Bytes::from(vec![1; 100]));
    let digit = forgery.fields[..6].concat().len() as u8 - 1;
    forgery
        .payload_prefix(&[0xf9, digit])
        .lies(&[lie("tx.payload.digit", 0, u64::from(digit))])
        .assert_rejected_only_by("tx.payload.value", |_| ());
}

/// f8 aa len …: the payload starts behind the byte aa, which nobody reads.
#[test]
fn rejects_a_byte_hidden_behind_the_list_prefix() {
    let forgery = Forgery::of(Kind::Eip155, |_| ());
    let length = forgery.fields.concat().len();
    forgery
        .list_prefix(&[0xf8, 0xaa, length as u8])
        .lies(&[lie("tx.list.size", 0, 3u64)])
        .assert_rejected_only_by("tx.list.size", |r| r.list_width = 1);
}

/// The digit is one less than the length, which makes the prefix byte one more.
#[test]
fn rejects_a_list_digit_that_is_not_the_length() {
    let forgery = Forgery::of(Kind::Eip155, |_| ());
    let digit = forgery.fields.concat().len() as u8 - 1;
    forgery
        .list_prefix(&[0xf9, digit])
        .lies(&[lie("tx.list.digit", 0, u64::from(digit))])
        .assert_rejected_only_by("tx.list.value", |_| ());
}

/// One digit is present and another −1 times: the prefix byte f7 is its own digit, for a list of 247 bytes. The digit that is
/// present −1 times is a zero byte before the list.
#[test]
fn rejects_a_list_prefix_that_is_its_own_digit() {
    let mut samples = [Sample::new(Kind::PreEip155), Sample::new(Kind::PreEip155)];
    samples[0].s = U256::from(0x7100u64);
    samples[1].sender = Address::repeat_byte(0x56);
    let length = |s: &Sample| Batch::new(std::slice::from_ref(s)).txs[0].layout.list.payload_len();
    samples[1].data = Bytes::from(vec![1; 100]);
    samples[1].data = Bytes::from(vec![1; 100 + 247 - length(&samples[1])]);
    let mut batch = Batch::new(&samples);
    let layout = &batch.txs[1].layout;
    assert_eq!((layout.list.payload_len(), batch.bytes[layout.start + 1]), (247, 0xf7));
    let (f8, shared) = (layout.start, layout.shared.clone());

    batch.bytes.remove(f8);
    batch.messages[0].1.remove(f8);
    let mut rows = batch.rows.clone();
    rows.bytes.remove(f8);
    for row in &mut rows.bytes[shared.start - 1..shared.end - 1] {
        row.shift += 1;
    }
    rows.slots[0].nonzero_from_data -= 1;
    rows.slots[0].nonzero_after_data -= 1;
    let lies = [lie("tx.list.present", 4, -F::from(1u64)), lie("tx.list.size", 1, 1u64)];
    assert_eq!(failures_lying(&batch, &rows, &lies), Failures::from(["tx.list.present"]));
}

/// Digit 2 is present −1 times, so that data starts one byte early, at its own prefix. That digit is a zero byte of the value.
#[test]
fn rejects_data_that_begins_with_its_prefix() {
    let sample = |s: &mut Sample| {
        s.value = U256::from(0x0100_2233u64);
        s.data = Bytes::from_static(&[0x83, 7, 8, 9]);
    };
    Forgery::of(Kind::Eip1559, sample)
        .field(7, &[0x83, 7, 8, 9])
        .lies(&[lie("tx.data.present", 2, -F::from(1u64))])
        .assert_rejected_only_by("tx.data.present", |_| ());
}

// ---- kinds

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

// ---- balances

/// A carry of q = ⌊r / 2¹²⁸⌋ adds q to the high half and takes 2¹²⁸·q from the low one, which modulo r is an addition of
/// r mod 2¹²⁸: r wei from nowhere.
#[test]
fn rejects_carries_that_mint_the_modulus() {
    let modulus = U256::from_limbs(F::MODULUS.0);
    let (q, _) = halves(modulus);
    let batch = single(Kind::Eip1559, |s| s.value = U256::from(7u64));
    let low = U256::from(1u64) << 120usize;
    let mut before = batch.before.clone();
    for entry in before.accounts.values_mut() {
        entry.value.balance = low;
    }
    let mut s = Sample::new(Kind::Eip1559);
    s.value = U256::from(7u64);
    let batch = Batch::with_journal(std::slice::from_ref(&s), before);
    assert!(batch.failures().is_empty());
    for (name, address, carry) in [
        ("tx.sender.carry", s.sender, -q),
        ("tx.recipient.carry", s.to, q),
        ("tx.coinbase.carry", COINBASE, q),
    ] {
        let mut forged = batch.clone();
        forged.after.accounts.get_mut(&address).expect("there").value.balance += modulus;
        let failures = failures_lying(&forged, &forged.rows, &[lie(name, 0, carry)]);
        assert_eq!(failures, Failures::from([name]));
    }
}

/// The same for what the sender must own besides: a gas limit that he cannot pay.
#[test]
fn rejects_a_reserve_that_is_the_modulus() {
    let mut s = Sample::new(Kind::Eip1559);
    s.value = U256::from(7u64);
    s.max_fee = 1 << 110;
    let mut journal = journal_for(std::slice::from_ref(&s));
    let gas = U256::from(21_000u64);
    journal.accounts.get_mut(&s.sender).expect("there").value.balance =
        s.value + gas * U256::from(s.priority_fee);
    s.gas_limit = 21_000;
    let batch = Batch::invalid(&[s], journal);
    assert!(batch.failures().contains("tx.sender.reserve"));
    let (q, _) = halves(U256::from_limbs(F::MODULUS.0));
    let lies = [lie("tx.sender.reserve_carry", 0, -q), lie("tx.sender.reserve_carry", 1, 0u64)];
    assert_eq!(failures_lying(&batch, &batch.rows, &lies), Failures::from(["tx.sender.reserve_carry"]));
}
