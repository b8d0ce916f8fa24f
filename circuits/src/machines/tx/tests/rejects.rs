//! What a cheating prover may try, and the constraint that stops him. The outside always stays true to the batch that
//! was posted and signed.

use alloy_primitives::address;
use ark_ff::Field;
use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::{
    super::{
        bytes::BYTE_INVERSE,
        witness::{mark_region, nonzero},
    },
    forger::{Forgery, hint, single},
    *,
};
use crate::machine::Machine as _;

// ---- single wires

#[test]
fn rejects_every_change_of_a_single_wire() {
    let mut samples = each_kind(|s| s.data = Bytes::from(vec![0x11; 3]));
    samples[0].data = Bytes::from(vec![0; 300]);
    samples[1].data = Bytes::from(vec![0x05]);
    samples[1].value = U256::ZERO;
    samples[2].data = Bytes::from(vec![0x85; 1]);
    let small = &mut samples[3];
    (small.nonce, small.max_fee, small.priority_fee) = (1, 2, 1);
    (small.value, small.r, small.s) = (U256::from(3u64), U256::from(4u64), U256::from(5u64));
    let mut checker = Batch::new(&samples).checker();
    checker.assert_no_free_wires(Transactions::FREE_WIRES, None, &mut StdRng::seed_from_u64(7));
}

/// Wires of disabled rows that may be anything: they meet nothing but a multiplicity of 0, and no combination that
/// leaves the row contains them.
const IDLE: [&str; 26] = [
    "journal.account.before",
    "journal.account.index",
    "tx.coinbase.balance",
    "tx.coinbase.carry",
    "tx.coinbase.old_balance",
    "tx.coinbase.old_code_hash",
    "tx.coinbase.old_nonce",
    "tx.data.nonzero",
    "tx.fee.priority",
    "tx.gas.block",
    "tx.gas.intrinsic",
    "tx.gas_limit.top",
    "tx.payload.digest",
    "tx.recipient.balance",
    "tx.recipient.carry",
    "tx.recipient.old_balance",
    "tx.recipient.old_nonce",
    "tx.sender.balance",
    "tx.sender.carry",
    "tx.sender.nonce",
    "tx.sender.old_balance",
    "tx.sender.reserve",
    "tx.sender.reserve_carry",
    "tx.signature.sender",
    "tx.to.byte",
    "tx.to.zero",
];

#[test]
fn rejects_every_change_of_a_wire_of_a_disabled_row_that_could_matter() {
    let samples = [Sample::new(Kind::Eip1559)];
    let shape = TxShape { slots: 2, bytes: 150 };
    let mut checker = Batch::with_shape(&samples, journal_for(&samples), shape).checker();
    assert!(checker.failures().is_empty());
    let mut free = std::collections::BTreeSet::new();
    for (id, name) in checker.wires() {
        for value in [checker.value(id) + F::from(1u64), F::from(0u64), F::from(u64::MAX)] {
            if value != checker.value(id) && checker.failures_with(&[(id, value)]).is_empty() {
                free.insert(name);
            }
        }
    }
    let expected: std::collections::BTreeSet<_> =
        IDLE.into_iter().chain(Transactions::FREE_WIRES.iter().map(|(name, _)| *name)).collect();
    assert_eq!(free, expected);
}

// ---- fields

#[test]
fn rejects_each_altered_field() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from_static(&[7, 0, 9]));
    fn other(hint: &mut IntHint) {
        hint.value += U256::from(1u64);
    }
    type Change = fn(&mut SlotRow);
    let changes: [(&str, Change); 23] = [
        ("tx.nonce.byte", |r| other(&mut r.nonce)),
        ("tx.priority_fee.byte", |r| other(&mut r.priority_fee)),
        ("tx.max_fee.byte", |r| other(&mut r.max_fee)),
        ("tx.gas_limit.byte", |r| other(&mut r.gas_limit)),
        ("tx.value.byte", |r| other(&mut r.value)),
        ("tx.r.byte", |r| other(&mut r.r)),
        ("tx.s.byte", |r| other(&mut r.s)),
        ("tx.v.value", |r| r.v = IntHint::canonical(U256::from(0x80u64))),
        ("tx.v.value", |r| r.parity = false),
        ("tx.to.byte", |r| r.to = COINBASE),
        ("tx.data.prefix", |r| r.data_len += 1),
        ("tx.data.minimal", |r| r.data_width = 1),
        ("tx.data.single", |r| r.data_single = true),
        ("tx.data.nonzero", |r| r.nonzero_from_data -= 1),
        ("tx.data.nonzero", |r| r.nonzero_after_data += 1),
        ("tx.list.type", |r| r.kind = Kind::Eip2930),
        ("tx.list.minimal", |r| r.list_width = 3),
        ("tx.payload.digit", |r| r.signing_width = 2),
        ("tx.payload.digest", |r| r.digest = B256::ZERO),
        ("tx.signature.valid", |r| r.sender_address = COINBASE),
        ("journal.account.old", |r| r.sender.value.balance += U256::from(1u64)),
        ("journal.account.old", |r| r.recipient.index = 5),
        ("journal.account.old", |r| r.coinbase.value.code_hash = F::from(1u64)),
    ];
    for (name, change) in changes {
        let failures = batch.failures_after(|rows| change(&mut rows.slots[0]));
        assert!(failures.contains(name), "{name} is not among {failures:?}");
    }
}

#[test]
fn rejects_altered_bytes_and_regions() {
    let batch = Batch::new(&each_kind(|s| s.data = Bytes::from_static(&[7, 0, 9])));
    let region = batch.txs[1].layout.shared.clone();
    batch.assert_rejects("tx.bytes.hash", |rows| rows.bytes[40].byte ^= 1);
    batch.assert_rejects("tx.slot.covered", |rows| rows.bytes.last_mut().expect("bytes").enabled = false);
    batch.assert_rejects("outside.message", |rows| rows.bytes[40].enabled = false);
    batch.assert_rejects("tx.bytes.region", |rows| rows.bytes[region.start].boundary = false);
    batch.assert_rejects("tx.bytes.region", |rows| rows.bytes[region.end].stream_plus_one = 7);
    batch.assert_rejects("tx.bytes.region", |rows| rows.bytes[region.start + 1].shift += 1);
    batch.assert_rejects("tx.bytes.boundary", |rows| {
        // The region starts one byte later.
        rows.bytes[region.start] =
            ByteRow { boundary: false, stream_plus_one: 0, shift: 0, ..rows.bytes[region.start] };
        rows.bytes[region.start + 1].boundary = true;
    });
    batch.assert_rejects("tx.bytes.boundary", |rows| {
        // The last region takes the place of another.
        for i in region.clone() {
            rows.bytes[i].stream_plus_one += 1;
        }
    });
    batch.assert_rejects("tx.bytes.payload", |rows| {
        // A region that no slot announced.
        mark_region(&mut rows.bytes, region.end + 2..region.end + 5, 2, 11);
    });
}

// ---- encodings that are not canonical: bytes, rows and outside all agree with each other

#[test]
fn rejects_integers_that_are_not_canonical() {
    let five = |s: &mut Sample| s.nonce = 5;
    let zero = |s: &mut Sample| s.nonce = 0;
    let high = |s: &mut Sample| s.nonce = 0x85;
    let nonce = |f: &dyn Fn(&mut Sample), raw: &[u8]| Forgery::of(Kind::Eip155, f).field(0, raw);
    nonce(&five, &[0x82, 0x00, 0x05]).assert_rejected_by("tx.nonce.top", |r| r.nonce = hint(5, 2, false));
    nonce(&five, &[0x81, 0x05]).assert_rejected_by("tx.nonce.canonical", |r| r.nonce = hint(5, 1, false));
    nonce(&zero, &[0x00]).assert_rejected_by("tx.nonce.canonical", |r| r.nonce = hint(0, 1, true));
    nonce(&zero, &[0x81, 0x00]).assert_rejected_by("tx.nonce.canonical", |r| r.nonce = hint(0, 1, false));
    nonce(&high, &[0x85]).assert_rejected_by("tx.nonce.canonical", |r| r.nonce = hint(0x85, 1, true));
    nonce(&high, &[0xb8, 0x01, 0x85]).assert_rejected_by("tx.nonce.prefix", |_| ());
    nonce(&high, &[0xc1, 0x85]).assert_rejected_by("tx.nonce.prefix", |_| ());
    nonce(&five, &[0x83, 0, 0, 5]).assert_rejected_by("tx.nonce.top", |r| r.nonce = hint(5, 3, false));
}

#[test]
fn rejects_data_that_is_not_canonical() {
    let with = |data: Vec<u8>| Forgery::of(Kind::Eip1559, move |s| s.data = Bytes::from(data.clone()));
    let data = |len: usize| vec![0x33u8; len];
    let long = |prefix: &[u8], len: usize| [prefix.to_vec(), data(len)].concat();
    with(vec![5]).field(7, &[0x81, 5]).assert_rejected_by("tx.data.canonical", |r| r.data_single = false);
    with(vec![0x85]).field(7, &[0x85]).assert_rejected_by("tx.data.canonical", |r| r.data_single = true);
    with(data(55))
        .field(7, &long(&[0xb8, 55], 55))
        .assert_rejected_by("tx.data.minimal", |r| r.data_width = 1);
    with(data(56)).field(7, &long(&[0xb8], 56)).assert_rejected_by("tx.data.short", |r| r.data_width = 0);
    with(data(56))
        .field(7, &long(&[0xb9, 0, 56], 56))
        .assert_rejected_by("tx.data.minimal", |r| r.data_width = 2);
    with(data(300))
        .field(7, &long(&[0xba, 0, 1, 44], 300))
        .assert_rejected_by("tx.data.minimal", |r| r.data_width = 3);
    with(vec![]).field(7, &[0xb8, 0]).assert_rejected_by("tx.data.minimal", |r| r.data_width = 1);
}

#[test]
fn rejects_a_negative_data_length() {
    let batch = single(Kind::Eip1559, |_| ());
    let mut checker = batch.checker();
    let length = checker.named("tx.data.length")[0];
    assert!(checker.failures_with(&[(length, -F::from(1u64))]).contains("tx.data.nonnegative"));
}

/// 28 bytes were posted and hashed. The slot reads on behind them, where the byte table is the prover's: a value, and the
/// digits of a data length of −33, which leads back to the posted bytes: r is the gas limit too, and s the recipient.
#[test]
fn regression_fields_cannot_lie_behind_the_batch() {
    let victim = Address::repeat_byte(0x77);
    let mut batch = single(Kind::PreEip155, |_| ());
    let posted = [&[0xc0 + 27, 5, 27, 0x83, 1, 0, 0, 0x94][..], victim.as_slice()].concat();
    // Value 0x1234, and the prefix of a long string. −33 has the low digits 0xff, 0xff, 0xe0 in the field.
    let behind = [0x82, 0x12, 0x34, 0xba, 0xff, 0xff, 0xe0];
    let bytes = [&posted[..], &behind].concat();
    let payload = vec![0xc1, 5];
    let (sender, digest) = (Address::repeat_byte(0x55), keccak256(&payload));
    let s = U256::from_be_slice(victim.as_slice());
    let counted = nonzero(&bytes[2..]);
    let (value, gas) = (U256::from(0x1234u64), 21_000 - 4 * 33 - 12 * counted);
    let fee = U256::from(27 * gas);

    batch.before = Journal { leaf_count: 100, ..Journal::default() };
    let rich = AccountValue { nonce: 5, balance: U256::MAX >> 1usize, code_hash: F::from(0u64) };
    batch.before.accounts.insert(sender, Entry { value: rich, index: 10, time: 0 });
    batch.before.accounts.insert(victim, Entry { value: rich, index: 11, time: 0 });
    batch.before.accounts.insert(COINBASE, Entry { value: rich, index: 12, time: 0 });
    batch.after = batch.before.clone();
    let mut access = |who, time, update: &dyn Fn(&mut AccountValue)| {
        let change = |mut a: AccountValue| {
            update(&mut a);
            a
        };
        batch.after.access_account(who, TIME_OFFSET + time, change).expect("there")
    };
    let paid = access(sender, 1, &|a| (a.nonce, a.balance) = (6, a.balance - value - fee));
    let received = access(victim, 2, &|a| a.balance += value);
    let earned = access(COINBASE, 3, &|a| a.balance += fee);

    batch.bytes = posted.clone();
    batch.messages = vec![(0, posted.clone()), (FIRST_STREAM, payload)];
    batch.signatures = vec![(digest, U256::from(1u64 << 16), s, false, sender)];
    let int = |v: u64| IntHint::canonical(U256::from(v));
    batch.rows.slots[0] = SlotRow {
        enabled: true,
        signing_width: 0,
        nonce: int(5),
        max_fee: int(27),
        gas_limit: int(1 << 16),
        to: victim,
        value: IntHint::canonical(value),
        data_len: -33,
        data_width: 3,
        nonzero_from_data: 0,
        nonzero_after_data: counted,
        v: int(27),
        r: int(1 << 16),
        s: IntHint::canonical(s),
        digest,
        sender_address: sender,
        sender: paid,
        recipient: received,
        coinbase: earned,
        ..SlotRow::default()
    };
    let row = |(i, &byte)| ByteRow { enabled: i < posted.len(), byte, ..ByteRow::default() };
    batch.rows.bytes = bytes.iter().enumerate().map(row).collect();
    mark_region(&mut batch.rows.bytes, 1..2, 1, FIRST_STREAM);

    // The lowest digit makes the number −33, which no byte does.
    let mut checker = batch.checker();
    assert_eq!(checker.failures(), Failures::from(["tx.bytes.read", "tx.data.prefix", "tx.data.value"]));
    let digit = F::from(-33i64) - F::from(0xff_ff00u64);
    let changes = [
        (checker.named("tx.data.digit")[0], digit),
        (checker.named("tx.bytes.byte")[bytes.len() - 1], digit),
        (checker.named(BYTE_INVERSE)[bytes.len() - 1], digit.inverse().expect("not zero")),
    ];
    assert_eq!(checker.failures_with(&changes), Failures::from(["tx.data.minimal"]));
}

#[test]
fn rejects_recipients_and_access_lists_that_have_no_circuit() {
    Forgery::of(Kind::Eip155, |_| ()).field(3, &[0x80]).assert_rejected_by("tx.to.prefix", |_| ());
    let list = [&[0xd7, 0xd6, 0x94][..], &[1; 20], &[0xc0]].concat();
    Forgery::of(Kind::Eip1559, |_| ()).field(8, &list).assert_rejected_by("tx.access_list.empty", |_| ());
    Forgery::of(Kind::Eip2930, |_| ())
        .field(7, &[0xc1, 0x80])
        .assert_rejected_by("tx.access_list.empty", |_| ());
    Forgery::of(Kind::Eip2930, |_| ()).field(7, &[0x80]).assert_rejected_by("tx.access_list.empty", |_| ());
}

#[test]
fn rejects_list_prefixes_that_are_wrong_or_not_canonical() {
    let tiny = |s: &mut Sample| {
        (s.r, s.s, s.value, s.max_fee) = (U256::from(1u64), U256::from(1u64), U256::ZERO, 0);
    };
    let length = Forgery::of(Kind::Eip155, tiny).fields.concat().len() as u8;
    assert!(length < 56);
    let forged = |raw: &[u8]| Forgery::of(Kind::Eip155, tiny).list_prefix(raw);
    forged(&[0xc0 + length + 1]).assert_rejected_by("tx.list.prefix", |_| ());
    forged(&[0xc0 + length - 1]).assert_rejected_by("tx.list.prefix", |_| ());
    forged(&[0xf8, length]).assert_rejected_by("tx.list.minimal", |_| ());
    let length = Forgery::of(Kind::Eip155, |_| ()).fields.concat().len() as u8;
    let forged = |raw: &[u8]| Forgery::of(Kind::Eip155, |_| ()).list_prefix(raw);
    forged(&[0xf8, length + 1]).assert_rejected_by("tx.list.digit", |_| ());
    forged(&[0xf9, 0, length]).assert_rejected_by("tx.list.minimal", |_| ());
    let batch = single(Kind::Eip155, |_| ());
    batch.assert_rejects("tx.list.short", |rows| rows.slots[0].list_width = 0);
}

#[test]
fn rejects_a_signing_payload_with_a_long_prefix() {
    let batch = single(Kind::PreEip155, |s| (s.nonce, s.max_fee, s.value) = (1, 1, U256::ZERO));
    batch.assert_rejects("tx.payload.minimal", |rows| rows.slots[0].signing_width = 1);
    let batch = single(Kind::PreEip155, |s| s.data = Bytes::from(vec![1; 50]));
    batch.assert_rejects("tx.payload.short", |rows| rows.slots[0].signing_width = 0);
}

#[test]
fn rejects_v_and_y_parity_out_of_range() {
    let v = |value: u8| (vec![value], hint(u64::from(value), 1, true));
    for (kind, value) in [
        (Kind::PreEip155, 26),
        (Kind::PreEip155, 29),
        (Kind::PreEip155, 37),
        (Kind::Eip1559, 2),
        (Kind::Eip2930, 27),
    ] {
        let (raw, hint) = v(value);
        let index = match kind {
            Kind::PreEip155 | Kind::Eip155 => 6,
            Kind::Eip2930 => 8,
            Kind::Eip1559 => 9,
        };
        Forgery::of(kind, |_| ()).field(index, &raw).assert_rejected_by("tx.v.value", |r| r.v = hint);
    }
}

// ---- slots

#[test]
fn rejects_bytes_that_no_slot_covers() {
    let samples = each_kind(|_| ());
    let batch = Batch::new(&samples);
    batch.assert_rejects("tx.slot.covered", |rows| rows.slots[3] = SlotRow::default());
    batch.assert_rejects("tx.slot.prefix", |rows| rows.slots[1] = SlotRow::default());
    // A disabled slot that swallows the last transaction.
    let last = batch.txs[3].layout.clone();
    let len = (last.end - last.start) as i64;
    let failures = batch.failures_after(|rows| {
        rows.slots[3] = SlotRow { data_len: len, ..SlotRow::default() };
        mark_region(&mut rows.bytes, last.shared.clone(), 2, 0);
        for row in &mut rows.bytes[last.start..] {
            *row = ByteRow { enabled: true, byte: row.byte, ..ByteRow::default() };
        }
    });
    assert!(failures.contains("tx.slot.idle") && !failures.contains("tx.slot.covered"), "{failures:?}");
}

#[test]
fn rejects_gaps_and_overlaps_between_slots() {
    let batch = Batch::new(&each_kind(|_| ()));
    // A byte between two transactions.
    let failures = batch.failures_after(|rows| {
        let at = batch.txs[1].layout.start;
        rows.bytes.insert(at, ByteRow { enabled: true, ..ByteRow::default() });
    });
    assert!(failures.contains("tx.slot.covered"), "{failures:?}");
    // The second slot reads the first one's bytes, or starts later.
    let mut checker = batch.checker();
    let rest = checker.named("tx.slot.rest")[0];
    for value in [F::from(batch.bytes.len() as u64), checker.value(rest) - F::from(1u64)] {
        assert!(checker.failures_with(&[(rest, value)]).contains("tx.slot.rest"));
    }
    // The same transaction twice.
    batch.assert_rejects("tx.nonce.byte", |rows| rows.slots[1] = rows.slots[0]);
    // Trailing bytes.
    let extra = ByteRow { enabled: true, byte: 0xc0, ..ByteRow::default() };
    batch.assert_rejects("tx.slot.covered", |rows| rows.bytes.push(extra));
}

// ---- rules

#[test]
fn rejects_another_chain_id() {
    for kind in KINDS {
        let mut batch = single(kind, |s| s.chain_id = 1002);
        batch.chain_id = CHAIN_ID;
        let name = match kind {
            Kind::PreEip155 => {
                assert!(batch.failures().is_empty());
                continue;
            }
            Kind::Eip155 => "tx.v.value",
            Kind::Eip2930 | Kind::Eip1559 => "tx.chain_id.read",
        };
        assert!(batch.failures().contains(name), "{:?}", batch.failures());
    }
}

fn invalid(kind: Kind, name: &str, f: impl Fn(&mut Sample), g: impl Fn(&Sample, &mut Journal)) {
    let mut s = Sample::new(kind);
    f(&mut s);
    let mut journal = journal_for(&[s.clone()]);
    g(&s, &mut journal);
    let failures = Batch::invalid(&[s], journal).failures();
    assert!(failures.contains(name), "{name} is not among {failures:?}");
}

#[test]
fn rejects_gas_and_fee_violations() {
    let same = |_: &Sample, _: &mut Journal| ();
    invalid(Kind::Eip155, "tx.gas.intrinsic", |s| s.gas_limit = 20_999, same);
    let data = |s: &mut Sample| (s.data, s.gas_limit) = (Bytes::from_static(&[0, 1]), 21_019);
    invalid(Kind::Eip1559, "tx.gas.intrinsic", data, same);
    invalid(Kind::Eip1559, "tx.gas.block", |s| s.gas_limit = 30_000_001, same);
    invalid(Kind::Eip1559, "tx.gas.block", |s| s.gas_limit = u64::MAX, same);
    invalid(Kind::Eip1559, "tx.fee.priority", |s| s.priority_fee = s.max_fee + 1, same);
}

#[test]
fn accepts_gas_and_balance_at_the_limit() {
    let data = |s: &mut Sample| (s.data, s.gas_limit) = (Bytes::from_static(&[0, 1]), 21_020);
    assert!(single(Kind::Eip1559, data).failures().is_empty());
    assert!(single(Kind::Eip1559, |s| s.gas_limit = 30_000_000).failures().is_empty());
    assert!(single(Kind::Eip1559, |s| s.priority_fee = s.max_fee).failures().is_empty());
    let s = Sample::new(Kind::Eip1559);
    let mut journal = journal_for(std::slice::from_ref(&s));
    journal.accounts.get_mut(&s.sender).expect("there").value.balance = cost(&s);
    assert!(Batch::with_journal(&[s], journal).failures().is_empty());
}

fn cost(s: &Sample) -> U256 {
    s.value + U256::from(s.gas_limit) * U256::from(s.max_fee)
}

fn account(journal: &mut Journal, address: Address) -> &mut AccountValue {
    &mut journal.accounts.get_mut(&address).expect("there").value
}

#[test]
fn rejects_an_unaffordable_transaction() {
    let one = U256::from(1u64);
    for kind in KINDS {
        // Enough for what is used, not for the gas limit.
        invalid(kind, "tx.sender.reserve", |_| (), |s, j| account(j, s.sender).balance = cost(s) - one);
        invalid(kind, "tx.sender.balance", |_| (), |s, j| account(j, s.sender).balance = s.value);
        invalid(kind, "tx.sender.balance", |s| s.value = U256::MAX, |_, _| ());
    }
}

#[test]
fn rejects_wrong_accounts() {
    let journal = "journal.account.old";
    for kind in KINDS {
        invalid(kind, journal, |_| (), |s, j| account(j, s.sender).nonce += 1);
        invalid(kind, journal, |_| (), |s, j| account(j, s.sender).nonce -= 1);
        invalid(kind, journal, |_| (), |s, j| account(j, s.sender).code_hash = F::from(1u64));
        invalid(kind, journal, |_| (), |s, j| account(j, s.to).code_hash = F::from(1u64));
        invalid(kind, "tx.sender.nonce", |s| s.nonce = u64::MAX, |_, _| ());
        invalid(kind, "tx.recipient.balance", |_| (), |s, j| account(j, s.to).balance = U256::MAX);
        invalid(kind, "tx.coinbase.balance", |_| (), |_, j| account(j, COINBASE).balance = U256::MAX);
    }
}

#[test]
fn rejects_precompiles() {
    for n in 1..=10u64 {
        let to = Address::left_padding_from(&n.to_be_bytes());
        invalid(Kind::Eip1559, "tx.to.precompile", |s| s.to = to, |_, _| ());
    }
}

#[test]
fn rejects_a_precompile_that_passes_for_another_address() {
    let mut s = Sample::new(Kind::Eip1559);
    s.to = address!("0x0000000000000000000000000000000000000005");
    let mut checker = Batch::invalid(&[s.clone()], journal_for(&[s])).checker();
    let (small, zero) = (checker.named("tx.to.small")[0], checker.named("tx.to.zero")[0]);
    assert!(checker.failures_with(&[(small, F::from(0u64))]).contains("tx.to.small"));
    assert!(checker.failures_with(&[(zero, F::from(1u64))]).contains("tx.to.zero"));
}

#[test]
fn rejects_accounts_in_another_order_or_time() {
    let batch = Batch::new(&each_kind(|_| ()));
    batch.assert_rejects("journal.account.old", |rows| rows.slots[1].coinbase.time = 0);
    // An access that reads what is written later.
    batch.assert_rejects("journal.account.order", |rows| rows.slots[0].coinbase.time = TIME_OFFSET + 6);
}
