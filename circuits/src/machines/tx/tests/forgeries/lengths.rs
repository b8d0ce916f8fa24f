//! Forgeries of lengths: data, the list, the signed list.

use super::*;

#[test]
fn rejects_data_longer_than_its_prefix_says() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from(vec![0x33; 64]));
    let mut fields = batch.fields();
    fields[7][1] = 56;
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    let rest = F::from(8u64) / F::from(256u64);
    batch.refused_by("tx.data.digit", &[lie("tx.data.digit", 0, 56u64), lie("tx.data.digit", 1, rest)]);
}

#[test]
fn rejects_two_bytes_of_data_without_a_prefix() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from_static(&[5, 6]));
    let mut fields = batch.fields();
    fields[7] = vec![5, 6];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |r| (r.data_single, r.data_first) = (true, 5));
    batch.refused_by("tx.data.one", &[lie("tx.data.one", 0, 1u64), lie(INVERSE, 0, 0u64)]);
}

#[test]
fn rejects_bytes_hidden_behind_a_prefix() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from_static(&[5, 6]));
    let mut fields = batch.fields();
    fields[7] = vec![0x82, 0xaa, 0xbb, 0xcc, 5, 6];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.refused_by("tx.data.single", &[lie("tx.data.single", 0, -F::from(3u64))]);
    let starts = batch.txs[0].layout.fields[7].start - batch.txs[0].layout.list.payload;
    batch.refused_by("tx.data.start", &[lie("tx.data.start", 0, starts as u64 + 4)]);
}

/// The byte 0x7f is the prefix of −1 bytes of data, and v.
#[test]
fn rejects_a_byte_that_is_read_twice() {
    let batch = single(Kind::Eip155, |s| (s.chain_id, s.parity) = (46, false));
    let mut fields = batch.fields();
    assert_eq!(fields[6], [0x7f]);
    fields.remove(5);
    let mut batch = batch.of_fields(&slices(&fields), 5, &[46, 0x80, 0x80], |r| r.data_len = -1);
    batch.charge(-16 * 0x2_2345_6789);
    batch.refused_by("tx.data.nonnegative", &[]);
}

#[test]
fn rejects_a_prefix_before_one_byte_of_data() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from_static(&[5]));
    let mut fields = batch.fields();
    fields[7] = vec![0x81, 5];
    let batch = batch.of_fields(&slices(&fields), 9, &[], |r| r.data_single = false);
    batch.refused_by("tx.data.one", &[lie("tx.data.one", 0, 0u64)]);
}

/// The prefix 0xb7 is read as the only digit of a length, too, and a zero two bytes before it with −1.
#[test]
fn rejects_a_length_by_a_negative_presence() {
    let data = Bytes::from(vec![0x33; 0xb7]);
    let batch = single(Kind::Eip1559, |s| (s.data, s.value) = (data.clone(), U256::from(0x01_0022u64)));
    let mut fields = batch.fields();
    fields[7] = [vec![0xb7], data.to_vec()].concat();
    let batch = batch.of_fields(&slices(&fields), 9, &[], |r| r.data_width = 0);
    let lies = [
        lie("tx.data.present", 0, 1u64),
        lie("tx.data.present", 2, -F::from(1u64)),
        lie("tx.data.digit", 0, 0xb7u64),
    ];
    batch.refused_by("tx.data.present", &lies);
}

#[test]
fn rejects_bytes_hidden_behind_data() {
    let batch = single(Kind::Eip1559, |s| s.data = Bytes::from_static(&[5, 6]));
    let mut fields = batch.fields();
    let ends = batch.txs[0].layout.fields[7].end - batch.txs[0].layout.list.payload;
    fields[7].extend([0xaa, 0xbb]);
    let mut batch = batch.of_fields(&slices(&fields), 9, &[], |_| ());
    batch.rows.slots[0].nonzero_from_data += 2;
    batch.charge(24 * 0x1_2345_6789);
    batch.refused_by("tx.data.end", &[lie("tx.data.end", 0, ends as u64 + 2)]);
}

#[test]
fn rejects_lists_of_another_length() {
    let honest = single(Kind::Eip1559, |_| ());
    assert_eq!(honest.bytes[1], 0xf8);
    let length = F::from(u64::from(honest.bytes[2]));
    let posted = |prefix: u8, digit: u8| {
        let mut batch = honest.clone();
        for (i, byte) in [(1, prefix), (2, digit)] {
            (batch.bytes[i], batch.rows.bytes[i].byte) = (byte, byte);
        }
        batch.messages[0].1 = batch.bytes.clone();
        batch
    };
    let rest = (length - F::from(60u64)) / F::from(256u64);
    posted(0xf8, 60)
        .refused_by("tx.list.digit", &[lie("tx.list.digit", 0, 60u64), lie("tx.list.digit", 1, rest)]);
    let one = F::from(1u64);
    posted(0xf9, honest.bytes[2] - 1).refused_by("tx.list.value", &[lie("tx.list.digit", 0, length - one)]);
    // A byte that nobody reads between the prefix and its digit.
    let mut batch = honest.clone();
    batch.bytes.insert(2, 0xaa);
    batch.rows.bytes.insert(2, ByteRow { enabled: true, byte: 0xaa, ..ByteRow::default() });
    for row in batch.rows.bytes.iter_mut().filter(|r| r.stream_plus_one != 0) {
        row.shift -= 1;
    }
    batch.messages[0].1 = batch.bytes.clone();
    batch.refused_by("tx.list.size", &[lie("tx.list.size", 0, 4u64)]);
    // The signed list.
    let mut batch = honest;
    let signed = &mut batch.messages[1].1;
    assert_eq!(signed[1], 0xf8);
    let digit = signed[2] - 1;
    signed[1..3].copy_from_slice(&[0xf9, digit]);
    let digest = keccak256(&*signed);
    (batch.signatures[0].0, batch.rows.slots[0].digest) = (digest, digest);
    batch.refused_by("tx.payload.value", &[lie("tx.payload.digit", 0, u64::from(digit))]);
}

/// The prefix 0xf7 of a list of 247 bytes is read as its length, and the zero before the transaction with −1.
#[test]
fn rejects_a_lists_length_by_a_negative_presence() {
    let mut samples = each_kind(|_| ())[2..].to_vec();
    samples[0].s = U256::from(0x7100u64);
    let batch = (0..250usize).map(|n| {
        samples[1].data = Bytes::from(vec![0x33; n]);
        Batch::new(&samples)
    });
    let mut batch = batch
        .into_iter()
        .find(|b| b.txs[1].layout.list.payload_len() == 0xf7)
        .expect("a list of every length");
    let start = batch.txs[1].layout.start;
    assert_eq!(batch.bytes[start - 1..start + 3], [0, 2, 0xf8, 0xf7]);
    batch.bytes.remove(start + 1);
    batch.rows.bytes.remove(start + 1);
    for row in batch.rows.bytes.iter_mut().filter(|r| r.stream_plus_one == FIRST_STREAM + 2) {
        row.shift += 1;
    }
    batch.messages[0].1 = batch.bytes.clone();
    batch.rows.slots[0].nonzero_from_data -= 1;
    batch.rows.slots[0].nonzero_after_data -= 1;
    batch.rows.slots[1].list_width = 0;
    let lies = [
        lie("tx.list.present", 3, 1u64),
        lie("tx.list.present", 5, -F::from(1u64)),
        lie("tx.list.digit", 3, 0xf7u64),
    ];
    batch.refused_by("tx.list.present", &lies);
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
