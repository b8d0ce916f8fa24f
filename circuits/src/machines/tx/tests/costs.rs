//! Constraint counts: the table in docs/circuits/tx.md. Disabled rows are zero, structure is free of values.

use std::collections::BTreeMap;

use super::*;

/// Constraints by the second part of their names.
fn counts(shape: TxShape) -> BTreeMap<String, usize> {
    let mut cs = Cs::new(Mode::Record);
    let lc = cs.constant(0u64);
    let context = TxContext {
        chain_id: lc.clone(),
        coinbase: lc.clone(),
        batch_stream: 0,
        first_stream: FIRST_STREAM,
        time_offset: TIME_OFFSET,
        leaf_count: lc,
    };
    synthesize(&mut cs, &TxRows::empty(shape), &context);
    let mut counts = BTreeMap::new();
    for (name, n) in cs.counts() {
        let part: Vec<_> = name.split('.').take(2).collect();
        *counts.entry(part.join(".")).or_default() += n;
    }
    counts
}

/// One slot, family by family.
const SLOT: [(&str, usize); 23] = [
    ("journal.account", 31),
    ("journal.leaf", 16),
    ("tx.access_list", 1),
    ("tx.chain_id", 21),
    ("tx.coinbase", 18),
    ("tx.data", 28),
    ("tx.fee", 11),
    ("tx.gas", 4),
    ("tx.gas_limit", 32),
    ("tx.list", 19),
    ("tx.max_fee", 56),
    ("tx.nonce", 32),
    ("tx.payload", 47),
    ("tx.priority_fee", 56),
    ("tx.r", 104),
    ("tx.recipient", 17),
    ("tx.s", 104),
    ("tx.sender", 37),
    ("tx.signature", 8),
    ("tx.slot", 8),
    ("tx.to", 25),
    ("tx.v", 38),
    ("tx.value", 104),
];

#[test]
fn costs_are_those_of_the_document() {
    let base = counts(TxShape { slots: 1, bytes: 100 });
    let total = |c: &BTreeMap<String, usize>| c.values().sum::<usize>();
    let more_slots = counts(TxShape { slots: 2, bytes: 100 });
    let mut slot: Vec<_> = more_slots.iter().map(|(k, n)| (k.as_str(), n - base[k])).collect();
    slot.retain(|(_, n)| *n != 0);
    assert_eq!(slot, SLOT);
    let byte = total(&counts(TxShape { slots: 1, bytes: 101 })) - total(&base);
    assert_eq!(byte, 10);
    // The first slot has no predecessor.
    let slot = total(&more_slots) - total(&base);
    assert_eq!((slot, total(&base) - slot - 100 * byte), (817, 29 - 1));
}

#[test]
fn structure_does_not_depend_on_values() {
    let samples = each_kind(|s| s.data = Bytes::from_static(b"call"));
    let batch = Batch::new(&samples);
    let shape = TxShape { slots: batch.rows.slots.len(), bytes: batch.rows.bytes.len() };
    let check = batch.system(&batch.rows, Mode::Check);
    let assign = batch.system(&batch.rows, Mode::Assign);
    let empty = batch.system(&TxRows::empty(shape), Mode::Record);
    assert_eq!(check.assignment(), assign.assignment());
    assert_eq!(check.matrices().names, empty.matrices().names);
    for i in 0..check.matrices().num_constraints() {
        let (a, b) = (check.matrices().constraint(i), empty.matrices().constraint(i));
        assert_eq!((a.a, a.b, a.c), (b.a, b.b, b.c), "{}", a.name);
    }
    for (a, b) in check.interactions().zip(empty.interactions()) {
        assert_eq!((a.name, a.terms), (b.name, b.terms));
    }
}

#[test]
fn disabled_rows_are_all_zero() {
    let batch = Batch::with_shape(&[], journal_for(&[]), TxShape { slots: 3, bytes: 50 });
    let checker = batch.checker();
    for (id, name) in checker.wires() {
        assert!(checker.value(id) == F::from(0u64) || name.starts_with("tx.batch_chain_id"), "{name}");
    }
    assert!(batch.failures().is_empty(), "{:?}", batch.failures());
}
