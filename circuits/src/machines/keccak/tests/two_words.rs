//! Messages of two words.

use ark_ff::{Field, One};

use super::*;
use crate::{
    cs::WireId,
    lookup::bus::{KeccakWords, Tuple},
};

/// A checker of `rows` whose tuples are received `asked` times each.
pub fn checker_of(rows: &[WordsRow], asked: usize) -> Checker {
    let received: Vec<_> = rows
        .iter()
        .filter(|row| row.enabled)
        .flat_map(|row| {
            let message = row.message.as_flattened().try_into().expect("64 bytes");
            std::iter::repeat_n((message, row.permutation.digest()), asked)
        })
        .collect();
    checker_with(rows, &received)
}

fn checker_with(rows: &[WordsRow], received: &[([u8; 64], [u8; 32])]) -> Checker {
    let mut cs = Cs::new(Mode::Check);
    words::synthesize(&mut cs, rows);
    let one = cs.one();
    for (message, digest) in received {
        cs.receive("outside.words", one, words::tuple(message, digest));
    }
    Checker::new(&cs, Vec::new())
}

/// Honest rows of `messages`, each hashed once, asked for `asked` times.
pub fn checker(messages: &[[u8; 64]], asked: usize) -> Checker {
    checker_of(&words::rows(messages, messages.len()).expect("capacity"), asked)
}

fn random(seed: u64) -> [u8; 64] {
    message(64, seed).try_into().expect("64 bytes")
}

#[test]
fn accepts_messages_as_sha3_hashes_them_however_often() {
    let messages = [random(1), [0; 64], random(2), [0xff; 64], random(1), random(1), [0; 64]];
    let rows = words::rows(&messages, 5).expect("capacity");
    assert_eq!(rows.iter().map(|row| row.uses).collect::<Vec<_>>(), [3, 2, 1, 1, 0]);
    assert_eq!(rows.iter().filter(|row| row.enabled).count(), 4);
    let received = messages.map(|message| (message, keccak256(&message)));
    assert_eq!(checker_with(&rows, &received).failures(), Failures::new());
}

/// A row that nobody uses says nothing; it may be enabled.
#[test]
fn accepts_a_row_without_uses() {
    let mut rows = words::rows(&[random(1)], 1).expect("capacity");
    rows[0].uses = 0;
    assert_eq!(checker_with(&rows, &[]).failures(), Failures::new());
}

#[test]
fn rejects_another_number_of_uses() {
    for uses in [0, 1, 3] {
        let mut rows = words::rows(&[random(1)], 1).expect("capacity");
        rows[0].uses = uses;
        let expected: &[_] =
            if uses == 0 { &["outside.words"] } else { &["keccak.words.send", "outside.words"] };
        assert_eq!(checker_of(&rows, 2).failures(), names(expected), "{uses}");
    }
}

/// The lookups of a disabled row say nothing, so that it could send anything.
#[test]
fn rejects_uses_of_a_disabled_row() {
    let mut rows = words::rows(&[random(1)], 1).expect("capacity");
    rows[0].enabled = false;
    // Another digest than the message's, which no row that counts would have.
    rows[0].permutation.output[0].bit ^= 1;
    let message = random(1);
    let received = [(message, rows[0].permutation.digest())];
    assert_eq!(checker_with(&rows, &received).failures(), names(&["keccak.words.uses"]));
}

/// Lookups that count −1 times could make up for others that are outside their table.
#[test]
fn rejects_a_flag_that_is_no_bit() {
    let mut checker = checker(&[random(1)], 1);
    let wires = checker.named("keccak.words.enabled");
    for value in [F::from(2u64), -F::one(), F::from(2u64).inverse().expect("not zero")] {
        assert!(checker.failures_with(&[(wires[0], value)]).contains("keccak.words.enabled"), "{value}");
    }
}

/// The words are those that were asked for, the bits that are hashed are another message's.
#[test]
fn rejects_bits_of_another_byte() {
    for k in [0, 20, 63] {
        let (asked, mut hashed) = (random(1), random(1));
        hashed[k] ^= 4;
        let rows = words::rows(&[hashed], 1).expect("capacity");
        let mut checker = checker_with(&rows, &[(asked, keccak256(&hashed))]);
        assert_eq!(checker.failures(), names(&["keccak.words.send", "outside.words"]));
        let byte = checker.named("keccak.words.byte")[k];
        checker.set(&[(byte, F::from(asked[k]))]);
        assert_eq!(checker.failures(), names(&["keccak.words.spread"]), "byte {k}");
    }
}

/// A byte above 255 and one less before it: the same words, other bytes.
#[test]
fn rejects_bytes_with_a_carry() {
    let message = random(1);
    let mut checker = checker(&[message], 1);
    let bytes = checker.named("keccak.words.byte");
    let changes: [(WireId, F); 2] =
        [(bytes[6], F::from(u64::from(message[6]) - 1)), (bytes[7], F::from(u64::from(message[7]) + 256))];
    checker.set(&changes);
    assert_eq!(checker.failures(), names(&["keccak.words.spread"]));
}

/// Each element of the tuple: what is received differs from what is sent in this one alone.
#[test]
fn rejects_another_tuple() {
    let message = random(1);
    let rows = words::rows(&[message], 1).expect("capacity");
    for k in 0..KeccakWords::BUS.arity() {
        let (mut asked, mut digest) = (message, keccak256(&message));
        if k < 4 {
            asked[16 * k + 5] ^= 1
        } else {
            digest[16 * (k - 4) + 5] ^= 1
        }
        let failed = checker_with(&rows, &[(asked, digest)]).failures();
        assert_eq!(failed, names(&["keccak.words.send", "outside.words"]), "element {k}");
    }
}
