//! What goes over the buses, element by element: the surroundings differ from the machine in one.

use super::*;

/// What fails when `change` makes the surroundings of two honest messages differ.
fn outside(change: impl Fn(&mut Outside)) -> Failures {
    let events = [event(1, 20), event(2, 20)];
    let rows = honest(&events, 2);
    let mut outside = Outside::honest(&events);
    change(&mut outside);
    outside.failures(&rows)
}

#[test]
fn rejects_another_byte_position_or_stream() {
    let expected = names(&["keccak.block.receive", "outside.byte"]);
    assert_eq!(outside(|o| o.bytes[3].0 ^= 1), expected);
    assert_eq!(outside(|o| o.bytes[3].1 += 100), expected);
    assert_eq!(outside(|o| o.bytes[3].2 = 5), expected);
    assert_eq!(
        outside(|o| o.bytes.retain(|(_, position, stream)| (*position, *stream) != (3, 1))),
        names(&["keccak.block.receive"]),
        "a byte that nobody sent"
    );
    assert_eq!(outside(|o| o.bytes.push((7, 20, 1))), names(&["outside.byte"]), "a byte that nobody hashes");
}

#[test]
fn rejects_another_digest_length_or_stream() {
    let expected = names(&["keccak.digest.send", "outside.digest"]);
    assert_eq!(outside(|o| o.digests[0].digest[0] ^= 0x80), expected, "the high half");
    assert_eq!(outside(|o| o.digests[0].digest[31] ^= 1), expected, "the low half");
    assert_eq!(outside(|o| o.digests[0].length += 1), expected);
    assert_eq!(outside(|o| o.digests[0].stream = 5), expected);
    assert_eq!(
        outside(|o| o.digests.truncate(1)),
        names(&["keccak.digest.send"]),
        "a digest that nobody wants"
    );
}

/// Two digests of equal length are exchanged.
#[test]
fn rejects_the_digest_of_another_stream() {
    let failed = outside(|o| {
        let digest = o.digests[0].digest;
        o.digests[0].digest = o.digests[1].digest;
        o.digests[1].digest = digest;
    });
    assert_eq!(failed, names(&["keccak.digest.send", "outside.digest"]));
}

/// Bytes are hashed in another order than they were sent in.
#[test]
fn rejects_bytes_in_another_order() {
    let e = [event(1, 20)];
    let mut rows = honest(&e, 1);
    rows[0].block[0].swap(2, 3);
    rehash(&mut rows);
    let mut outside = Outside::of(&rows);
    outside.bytes = Outside::honest(&e).bytes;
    assert_eq!(outside.failures(&rows), names(&["keccak.block.receive", "outside.byte"]));
}

/// What docs/circuits/keccak.md leaves to the senders: on one stream, bytes of two messages can be exchanged.
#[test]
fn accepts_exchanged_bytes_of_two_messages_on_one_stream_and_rejects_them_on_two() {
    let of = |stream, message: &[u8]| KeccakEvent { stream, message: message.to_vec() };
    let failures = |second| {
        let sent = Outside::honest(&[of(1, b"ab"), of(second, b"cd")]);
        let hashed = [of(1, b"ad"), of(second, b"cb")];
        let outside = Outside { bytes: sent.bytes, ..Outside::honest(&hashed) };
        outside.failures(&rows(&hashed, 2).expect("capacity"))
    };
    assert_eq!(failures(1), Failures::new());
    assert_eq!(failures(2), names(&["keccak.block.receive", "outside.byte"]));
}
