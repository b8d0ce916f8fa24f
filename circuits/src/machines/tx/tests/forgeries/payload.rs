//! Forgeries of what is signed: other bytes than those of the slot.

use super::*;

#[test]
fn rejects_bytes_signed_in_another_order() {
    let mut batch = single(Kind::Eip1559, |s| s.value = U256::from(0x0102u64));
    let at = batch.txs[0].layout.fields[6].payload;
    let (shift, signed) = (batch.rows.bytes[at].shift, &mut batch.messages[1].1);
    let position = (at as i64 + shift) as usize;
    assert_eq!(signed[position..position + 2], [1, 2]);
    signed.swap(position, position + 1);
    let digest = keccak256(&*signed);
    batch.rows.bytes[at].shift += 1;
    batch.rows.bytes[at + 1].shift -= 1;
    (batch.signatures[0].0, batch.rows.slots[0].digest) = (digest, digest);
    batch.refused_by("tx.bytes.region", &[]);
}

/// Behind the region rows go on to serve its stream: the last signed byte is one of r. Not one equation, but both ends of the
/// bus refuse the shift with which the region ends.
#[test]
fn rejects_signed_bytes_from_behind_the_fields() {
    let mut batch = single(Kind::Eip1559, |_| ());
    let (end, stream) = (batch.txs[0].layout.shared.end, FIRST_STREAM + 1);
    let of_stream = (stream as i64) << 32;
    let from = end + 5;
    let last = batch.messages[1].1.len() - 1;
    let shift = last as i64 - from as i64;
    let rows = &mut batch.rows.bytes;
    (rows[end - 1].shift, rows[end - 1].stream_plus_one) = (rows[end - 1].shift + of_stream, 0);
    for row in &mut rows[end..] {
        row.shift = shift + of_stream;
    }
    (rows[from].shift, rows[from].stream_plus_one) = (shift, stream);
    let signed = &mut batch.messages[1].1;
    signed[last] = batch.bytes[from];
    let digest = keccak256(&*signed);
    (batch.signatures[0].0, batch.rows.slots[0].digest) = (digest, digest);
    let failures = Checker::new(&batch.system(&batch.rows, Mode::Check), vec![]).failures();
    assert_eq!(failures, Failures::from(["tx.bytes.boundary", "tx.payload.region"]));
}

#[test]
fn rejects_a_signed_length_that_is_not_the_lists() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from(vec![0x33; 10]));
    let mut batch = batch.clone();
    let signed = &mut batch.messages[1].1;
    assert_eq!(signed[..2], [2, 0xf8]);
    let lies = [
        lie("tx.payload.digit", 0, 200u64),
        lie("tx.payload.digit", 1, (F::from(u64::from(signed[2])) - F::from(200u64)) / F::from(256u64)),
    ];
    signed[2] = 200;
    let digest = keccak256(&*signed);
    (batch.signatures[0].0, batch.rows.slots[0].digest) = (digest, digest);
    batch.refused_by("tx.payload.digit", &lies);
}
