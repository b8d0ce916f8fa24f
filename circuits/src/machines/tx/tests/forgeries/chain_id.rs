//! Forgeries of the chain id: of another chain, not canonical, or not there.

use super::*;

#[test]
fn rejects_transactions_of_another_chain() {
    let mut batch = single(Kind::Eip1559, |s| s.chain_id = 1);
    batch.chain_id = CHAIN_ID;
    let rest = F::from(1000u64) / F::from(256u64);
    let mut lies = vec![
        lie("tx.batch_chain_id.byte", 0, 1u64),
        lie("tx.batch_chain_id.byte", 1, rest),
        lie("tx.batch_chain_id.present", 1, 0u64),
        lie("tx.batch_chain_id.single", 0, 1u64),
    ];
    batch.refused_by("tx.batch_chain_id.byte", &lies);
    lies[1].value = F::from(0u64);
    batch.refused_by("tx.batch_chain_id.end", &lies);
}

#[test]
fn rejects_a_chain_id_that_is_not_canonical() {
    // A leading zero.
    let batch = single(Kind::Eip1559, |_| ());
    let mut fields = batch.fields();
    fields[0] = vec![0x83, 0, 3, 0xe9];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.batch_chain_id.top", &[lie("tx.batch_chain_id.present", 2, 1u64)]);
    // A prefix before a byte that stands for itself.
    let batch = single(Kind::Eip1559, |s| s.chain_id = 46);
    let mut fields = batch.fields();
    fields[0] = vec![0x81, 46];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.batch_chain_id.canonical", &[lie("tx.batch_chain_id.single", 0, 0u64)]);
    // Two bytes that nobody reads, between prefix and digits.
    let batch = single(Kind::Eip1559, |_| ());
    let mut fields = batch.fields();
    fields[0] = vec![0x82, 0xaa, 0xbb, 3, 0xe9];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.batch_chain_id.single", &[lie("tx.batch_chain_id.single", 0, -F::from(2u64))]);
    // None at all.
    let batch = single(Kind::Eip1559, |_| ());
    let fields = batch.fields();
    let batch = batch.of_fields(&slices(&fields[1..]), 8, &[], |_| ());
    let lies: Vec<_> = (0..3).map(|i| lie("tx.chain_id.gate", i, 0u64)).collect();
    batch.refused_by("tx.chain_id.gate", &lies);
}

#[test]
fn rejects_a_chain_id_signed_by_a_transaction_without_one() {
    let batch = single(Kind::PreEip155, |_| ());
    let fields = batch.fields();
    let batch = batch.of_fields(&slices(&fields), 6, &TAIL[..3], |_| ());
    let lies: Vec<_> = (0..3).map(|i| lie("tx.payload.gate", i, 1u64)).collect();
    batch.refused_by("tx.payload.gate", &lies);
}

#[test]
fn rejects_bytes_hidden_in_a_chain_id() {
    let batch = single(Kind::Eip1559, |_| ());
    let mut fields = batch.fields();
    fields[0] = vec![0x82, 0xaa, 3, 0xe9];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.chain_id.end", &[lie("tx.chain_id.end", 0, 4u64)]);
}

#[test]
fn rejects_v_of_another_parity_or_chain() {
    let mut batch = single(Kind::Eip1559, |_| ());
    (batch.signatures[0].3, batch.rows.slots[0].parity) = (false, false);
    batch.refused_by("tx.v.value", &[]);
    let batch = single(Kind::Eip155, |_| ());
    let mut fields = batch.fields();
    fields[6] = vec![50];
    let v = IntHint::canonical(U256::from(50u64));
    let batch = batch.of_fields(&slices(&fields), 6, &TAIL, |r| r.v = v);
    batch.refused_by("tx.v.chain_id", &[lie("tx.v.chain_id", 0, 7u64)]);
}
