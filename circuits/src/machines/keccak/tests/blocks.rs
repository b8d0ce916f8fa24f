//! Which rows make up a message, where its bytes end, and what is carried from block to block: for each equation a forger who
//! keeps all others.

use ark_ff::{Field, One};

use super::*;

#[test]
fn rejects_forged_padding() {
    let e = [event(1, 20)];
    let only = |k: usize, value: u8| forge(&e, 1, |rows| rows[0].block[k / 8][k % 8] = value);
    assert_eq!(only(20, 0), names(&["keccak.block.padding"]), "no first one");
    assert_eq!(only(20, 6), names(&["keccak.block.padding"]), "padding of SHA-3");
    assert_eq!(only(70, 1), names(&["keccak.block.padding"]), "a byte appended after the padding");
    assert_eq!(only(135, 0), names(&["keccak.block.padding"]), "no last one");
    let full = [event(1, 135)];
    for value in [0x80, 0x01, 0x82] {
        let failed = forge(&full, 1, |rows| rows[0].block[16][7] = value);
        assert_eq!(failed, names(&["keccak.block.padding"]), "{value:#x}");
    }
}

/// A byte that nobody sent, between others that were: it is no data, and 1 as where data ends.
#[test]
fn rejects_gaps_in_the_data() {
    let failed = forge(&[event(1, 20)], 1, |rows| {
        rows[0].data[0][5] = false;
        rows[0].block[0][5] = 1;
    });
    assert_eq!(failed, names(&["keccak.block.thermometer"]));
}

/// Padding in the middle, and data again at the very end of a block that is not the last.
#[test]
fn rejects_data_that_comes_back_in_the_last_byte() {
    let failed = forge(&[event(1, 140)], 2, |rows| {
        let last = rows[0].block[16][7];
        set_data(&mut rows[0], 100);
        rows[0].block[16][7] = last;
    });
    assert_eq!(failed, names(&["keccak.block.thermometer"]));
}

/// −1 bytes are received: what somebody else sends more than once would balance.
#[test]
fn rejects_bytes_received_minus_once() {
    let e = [event(1, 20)];
    let rows = honest(&e, 1);
    let mut checker = Outside::honest(&e).checker(&rows);
    let is_data = checker.named("keccak.block.is_data");
    let failed = checker.failures_with(&[(is_data[30], -F::one()), (is_data[31], -F::one())]);
    assert!(failed.contains("keccak.block.thermometer"), "{failed:?}");
}

/// The prover hashes another byte than he says: the byte is what was sent, its bits are those of another.
#[test]
fn rejects_bits_of_another_byte() {
    let e = [event(1, 20)];
    let mut rows = honest(&e, 1);
    let sent = rows[0].block[1][3];
    rows[0].block[1][3] ^= 1;
    rehash(&mut rows);
    let mut outside = Outside::of(&rows);
    outside.bytes[11].0 = sent;
    let mut checker = outside.checker(&rows);
    let byte = checker.named("keccak.block.byte")[11];
    checker.set(&[(byte, F::from(sent))]);
    assert_eq!(checker.failures(), names(&["keccak.block.spread"]));
}

/// Wherever else the prover lets the data end, with the padding that belongs there and everything after it honest.
#[test]
fn rejects_every_other_place_where_data_ends() {
    for len in [20, 135] {
        let e = [event(1, len)];
        let honest = honest(&e, 1);
        for end in [0, 1, 19, 21, 134, 135].into_iter().filter(|end| *end != len) {
            let mut rows = honest.clone();
            if end > len {
                rows[0].block.as_flattened_mut()[len..].fill(0);
            }
            set_data(&mut rows[0], end);
            rehash(&mut rows);
            // The padded block satisfies the machine; who sent the bytes refuses it.
            assert_eq!(Outside::of(&rows).failures(&rows), Failures::new());
            let mut outside = Outside::honest(&e);
            outside.digests[0].digest = rows[0].permutation.digest();
            let bytes = if end < len { "outside.byte" } else { "keccak.block.receive" };
            let expected = names(&[bytes, "keccak.digest.send", "outside.digest"]);
            assert!(outside.failures(&rows).is_superset(&expected), "{end}");
        }
    }
}

#[test]
fn rejects_a_message_that_goes_on_nowhere() {
    // One of two blocks, in the machine's last row.
    let failed = forge(&[event(1, 136)], 2, |rows| rows.truncate(1));
    assert_eq!(failed, names(&["keccak.chain.end"]));
    // Nothing follows but disabled rows.
    let failed = forge(&[event(1, 136)], 3, |rows| rows[1] = KeccakRow::default());
    assert_eq!(failed, names(&["keccak.chain.continue"]));
    // Another message in between.
    let failed = forge(&[event(1, 136), event(2, 5)], 3, |rows| {
        rows.swap(1, 2);
        (rows[2].stream, rows[2].offset) = (2, 136);
    });
    assert_eq!(failed, names(&["keccak.chain.continue"]));
}

/// The same, the disabled row after it saying that it continues the message: first = −1.
#[test]
fn rejects_a_message_that_goes_on_in_a_disabled_row() {
    let mut rows = honest(&[event(1, 136)], 2);
    let state = rows[1].carried;
    rows[1] = KeccakRow { stream: 1, offset: 136, carried: state, ..KeccakRow::default() };
    let mut checker = Outside::of(&rows).checker(&rows);
    let first = checker.named("keccak.flag.first")[1];
    checker.set(&[(first, -F::one())]);
    assert_eq!(checker.failures(), names(&["keccak.flag.first"]));
}

#[test]
fn rejects_a_message_that_starts_from_anothers_state() {
    // The second message is hashed as if it went on with the first, which has ended.
    let failed = forge(&[event(1, 5), event(1, 6)], 2, |rows| {
        (rows[1].first, rows[1].offset) = (false, 136);
    });
    assert_eq!(failed, names(&["keccak.chain.continue"]));
    // Nor may the machine's first row continue anything.
    let failed = forge(&[event(1, 5)], 1, |rows| rows[0].first = false);
    assert_eq!(failed, names(&["keccak.chain.continue"]));
    // Nor the row after a disabled one.
    let failed = forge(&[event(0, 5)], 2, |rows| {
        rows.swap(0, 1);
        rows[1].first = false;
    });
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
}

/// Both blocks marked first: the digest would be that of the second block alone.
#[test]
fn rejects_a_second_start_within_a_message() {
    let failed = forge(&[event(1, 140)], 2, |rows| (rows[1].first, rows[1].offset) = (true, 0));
    assert_eq!(failed, names(&["keccak.chain.continue"]));
}

/// The second block starts from a state of the prover's choice, and from nothing.
#[test]
fn rejects_another_state_than_that_of_the_row_before() {
    for state in [[0; LANES], std::array::from_fn(|i| 0x0123_4567_89ab_cdef << i)] {
        let mut rows = honest(&[event(1, 140)], 2);
        rows[1].carried = state;
        rows[1].permutation = permute(&mut { state }, &rows[1].block.map(u64::from_le_bytes));
        assert_eq!(Outside::of(&rows).failures(&rows), names(&["keccak.absorb.carry"]));
    }
}

#[test]
fn rejects_mixed_streams_and_positions() {
    let e = [event(1, 140)];
    let failed = forge(&e, 2, |rows| rows[1].stream = 2);
    assert_eq!(failed, names(&["keccak.chain.stream"]));
    for offset in [0, 137] {
        let failed = forge(&e, 2, |rows| rows[1].offset = offset);
        assert_eq!(failed, names(&["keccak.chain.offset"]));
    }
    // A message that does not begin with its first byte: in the machine's first row, and in another.
    let failed = forge(&[event(1, 7)], 1, |rows| rows[0].offset = 3);
    assert_eq!(failed, names(&["keccak.chain.offset"]));
    let failed = forge(&[event(1, 7), event(2, 7)], 2, |rows| rows[1].offset = 3);
    assert_eq!(failed, names(&["keccak.chain.offset"]));
}

#[test]
fn rejects_flags_that_are_no_bits() {
    let e = [event(1, 5)];
    let rows = honest(&e, 2);
    let mut checker = Outside::honest(&e).checker(&rows);
    for name in ["keccak.flag.enabled", "keccak.flag.first", "keccak.flag.last"] {
        let wires = checker.named(name);
        for value in [F::from(2u64), -F::one(), F::from(2u64).inverse().expect("not zero")] {
            assert!(checker.failures_with(&[(wires[0], value)]).contains(name), "{name} = {value}");
        }
        if name != "keccak.flag.enabled" {
            let failed = checker.failures_with(&[(wires[1], F::one())]);
            assert!(failed.contains(name), "{name} in a disabled row");
        }
    }
}
