//! Oracle: the crate sha3 and published vectors.

use std::collections::BTreeSet;

use ark_ff::{One, UniformRand, Zero};
use ark_std::rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use sha3::{Digest, Keccak256};

use super::{
    row::LANES,
    witness::{permute, permute_with},
    *,
};
use crate::{
    F,
    cs::{Cs, Mode, WireId},
    lookup::{
        argument,
        bus::{KeccakInput, KeccakOutput},
        challenge::Challenges,
        tables,
    },
    testing::{Checker, Failures},
};

fn message(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn event(stream: u64, len: usize) -> KeccakEvent {
    KeccakEvent { stream, message: message(len, len as u64 + 1000 * stream) }
}

fn keccak256(message: &[u8]) -> [u8; 32] {
    Keccak256::digest(message).into()
}

fn half(bytes: &[u8]) -> F {
    bytes.iter().fold(F::zero(), |acc, b| acc * F::from(256u64) + F::from(*b))
}

/// The machine's surroundings: sends the bytes of each message and receives (stream, length, digest).
fn play(cs: &mut Cs, events: &[KeccakEvent], digests: &[[u8; 32]]) {
    let one = cs.one();
    for (event, digest) in events.iter().zip(digests) {
        for (k, byte) in event.message.iter().enumerate() {
            let (byte, position) = (u64::from(*byte).into(), (k as u64).into());
            cs.send("outside.byte", one, KeccakInput { byte, position, stream: event.stream.into() });
        }
        let tuple = KeccakOutput {
            high: half(&digest[..16]).into(),
            low: half(&digest[16..]).into(),
            length: (event.message.len() as u64).into(),
            stream: event.stream.into(),
        };
        cs.receive("outside.digest", one, tuple);
    }
}

/// A checker of `rows` in surroundings that ask for the true digests of `events`.
fn checker(rows: &[KeccakRow], events: &[KeccakEvent]) -> Checker {
    let digests: Vec<_> = events.iter().map(|e| keccak256(&e.message)).collect();
    checker_with(rows, events, &digests)
}

fn checker_with(rows: &[KeccakRow], events: &[KeccakEvent], digests: &[[u8; 32]]) -> Checker {
    let mut cs = Cs::new(Mode::Check);
    synthesize(&mut cs, rows);
    play(&mut cs, events, digests);
    Checker::new(&cs, Vec::new())
}

fn honest(events: &[KeccakEvent], capacity: usize) -> Vec<KeccakRow> {
    let rows = rows(events, capacity).expect("capacity");
    assert_eq!(checker(&rows, events).failures(), Failures::new());
    rows
}

/// Recomputes the permutations of `rows` from their flags and blocks, as a prover would who forged those.
fn rehash(rows: &mut [KeccakRow]) {
    let mut state = [0; LANES];
    for row in rows.iter_mut().filter(|r| r.enabled) {
        if row.first {
            state = [0; LANES];
        }
        (row.rounds, row.output) = permute(&mut state, &row.block.map(u64::from_le_bytes));
    }
}

fn digest_of(row: &KeccakRow) -> [u8; 32] {
    let bytes: Vec<u8> = row.output[..4].iter().flat_map(|l| l.bit.to_le_bytes()).collect();
    bytes.try_into().expect("four lanes")
}

fn names(list: &[&'static str]) -> Failures {
    list.iter().copied().collect()
}

/// ShortMsgKAT_256 of the Keccak team's submission, as shipped in the crate sha3 (tests/data/keccak_256.blb).
const KNOWN_ANSWERS: [(&str, &str); 3] = [
    ("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ("cc", "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a"),
    (
        "e926ae8b0af6e53176dbffcc2a6b88c6bd765f939d3d178a9bde9ef3aa131c61\
         e31c1e42cdfaf4b4dcde579a37e150efbef5555b4c1cb40439d835a724e2fae7",
        "574271cd13959e8ddeae5bfbdb02a3fdf54f2babfd0cbeb893082a974957d0c1",
    ),
];

#[test]
fn accepts_known_answers() {
    let decoded = KNOWN_ANSWERS.map(|(m, d)| (hex::decode(m).expect("hex"), hex::decode(d).expect("hex")));
    let events: Vec<_> =
        (0..).zip(&decoded).map(|(stream, (m, _))| KeccakEvent { stream, message: m.clone() }).collect();
    let digests = decoded.map(|(_, d)| d.try_into().expect("32 bytes"));
    let rows = rows(&events, 3).expect("capacity");
    assert_eq!(checker_with(&rows, &events, &digests).failures(), Failures::new());
}

#[test]
fn accepts_messages_around_block_borders() {
    let lens = [0, 1, 135, 136, 137, 271, 272, 273];
    let events: Vec<_> = (5..).zip(lens).map(|(stream, len)| event(stream, len)).collect();
    let needed = lens.iter().map(|&l| permutations(l)).sum::<usize>();
    honest(&events, needed + 2);
}

#[test]
fn prop_digest_of_every_length_is_that_of_sha3() {
    for len in 0..=600 {
        let e = event(1, len);
        let rows = rows(std::slice::from_ref(&e), permutations(len)).expect("capacity");
        assert!(rows.iter().all(|r| r.enabled), "length {len}");
        assert_eq!(digest_of(&rows[rows.len() - 1]), keccak256(&e.message), "length {len}");
    }
}

#[test]
fn accepts_random_lengths() {
    let mut rng = StdRng::seed_from_u64(11);
    let events: Vec<_> = (0..4).map(|stream| event(stream, rng.gen_range(0..400))).collect();
    let needed: usize = events.iter().map(|e| permutations(e.message.len())).sum();
    honest(&events, needed);
}

#[test]
fn accepts_under_the_closed_argument() {
    let mut rng = StdRng::seed_from_u64(12);
    let challenges = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
    let sum = |digest: [u8; 32]| {
        let e = event(9, 3);
        let mut cs = Cs::new(Mode::Assign);
        synthesize(&mut cs, &rows(std::slice::from_ref(&e), 1).expect("capacity"));
        play(&mut cs, &[e], &[digest]);
        tables::sparse16().close(&mut cs);
        tables::byte_sparse().close(&mut cs);
        argument::native_sum(&cs, challenges)
    };
    let digest = keccak256(&message(3, 9003));
    assert!(sum(digest).is_zero());
    let mut wrong = digest;
    wrong[31] ^= 1;
    assert!(!sum(wrong).is_zero());
}

#[test]
fn disabled_rows_are_zero_and_satisfied() {
    let mut cs = Cs::new(Mode::Check);
    synthesize(&mut cs, &vec![KeccakRow::default(); 2]);
    assert!(cs.committed().iter().chain(cs.witness_values()).all(F::is_zero));
    assert_eq!(Checker::new(&cs, Vec::new()).failures(), Failures::new());
}

#[test]
fn structure_and_values_do_not_depend_on_the_mode() {
    let e = event(3, 140);
    let rows = rows(&[e], 3).expect("capacity");
    let run = |mode, rows: &[KeccakRow]| {
        let mut cs = Cs::new(mode);
        synthesize(&mut cs, rows);
        cs
    };
    let (assign, check) = (run(Mode::Assign, &rows), run(Mode::Check, &rows));
    assert_eq!(assign.assignment(), check.assignment());
    let record = run(Mode::Record, &vec![KeccakRow::default(); 3]);
    assert_eq!(record.counts(), check.counts());
    assert_eq!(record.committed().len(), check.committed().len());
}

/// The cost table of docs/circuits/keccak.md is what the code costs.
#[test]
fn counts_are_those_of_the_page() {
    let page = include_str!("../../../../docs/circuits/keccak.md");
    let counts = row_constraints();
    let total: usize = counts.values().sum();
    let mut missing = Vec::new();
    let totals = [("keccak_f", permutation_constraints()), ("row", total)];
    for (name, n) in counts.into_iter().chain(totals) {
        let line = format!("| {name} | {n} |");
        if !page.contains(&line) {
            missing.push(line);
        }
    }
    assert!(missing.is_empty(), "docs/circuits/keccak.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn rejects_messages_beyond_capacity() {
    let events = [event(0, 136), event(1, 0)];
    assert_eq!(rows(&events, 2), Err(KeccakError::Capacity { needed: 3, available: 2 }));
}

/// Every wire of a message of two blocks: nothing is free.
#[test]
fn rejects_any_changed_wire() {
    let e = event(7, 150);
    let rows = honest(std::slice::from_ref(&e), 2);
    let mut rng = StdRng::seed_from_u64(13);
    checker(&rows, &[e]).assert_no_free_wires(&[], None, &mut rng);
}

#[test]
fn rejects_a_wrong_digest_and_a_wrong_byte() {
    let e = event(1, 20);
    let rows = honest(std::slice::from_ref(&e), 1);
    let mut digest = keccak256(&e.message);
    digest[0] ^= 0x80;
    let failed = checker_with(&rows, std::slice::from_ref(&e), &[digest]).failures();
    assert_eq!(failed, names(&["keccak.digest.send", "outside.digest"]));

    // The prover hashes another byte than was sent, consistently.
    let mut forged = rows;
    forged[0].block[1][3] ^= 1;
    rehash(&mut forged);
    let failed = checker_with(&forged, &[e], &[digest_of(&forged[0])]).failures();
    assert_eq!(failed, names(&["keccak.block.receive", "outside.byte"]));
}

/// What fails when `forge` changes the honest rows of `events` and the prover hashes the result and has its digests
/// asked for: everything but the forged part is consistent.
fn forge(events: &[KeccakEvent], capacity: usize, forge: impl Fn(&mut Vec<KeccakRow>)) -> Failures {
    let mut rows = honest(events, capacity);
    forge(&mut rows);
    rehash(&mut rows);
    let digests: Vec<_> = rows.iter().filter(|r| r.last).map(digest_of).collect();
    checker_with(&rows, events, &digests).failures()
}

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

#[test]
fn rejects_padding_before_the_last_block() {
    // 136 bytes, the first block made one of 134 bytes and padding, the state going on.
    let failed = forge(&[event(1, 136)], 2, |rows| {
        rows[0].data_len = 134;
        rows[0].block[16][6] = 0x01;
        rows[0].block[16][7] = 0x80;
    });
    assert!(failed.contains("keccak.block.thermometer"), "{failed:?}");
    // Byte 135 of a block that is not last is data, whatever the row says.
    let failed = forge(&[event(1, 136)], 2, |rows| {
        rows[0].data_len = 135;
        rows[0].block[16][7] = 0x81;
    });
    assert_eq!(failed, names(&["keccak.block.receive", "outside.byte"]));
}

#[test]
fn rejects_gaps_in_the_data() {
    // A byte in the middle is not received: the prover hashes what he likes there.
    let e = [event(1, 20)];
    let rows = honest(&e, 1);
    let mut checker = checker(&rows, &e);
    let is_data = checker.named("keccak.block.is_data");
    let failed = checker.failures_with(&[(is_data[5], F::zero())]);
    assert!(
        failed.is_superset(&names(&[
            "keccak.block.thermometer",
            "keccak.block.padding",
            "keccak.block.receive"
        ])),
        "{failed:?}"
    );
    // Negative multiplicities would make bytes up.
    let failed = checker.failures_with(&[(is_data[30], -F::one()), (is_data[31], -F::one())]);
    assert!(failed.contains("keccak.block.thermometer"), "{failed:?}");
}

#[test]
fn rejects_a_shortened_message() {
    let failed = forge(&[event(1, 20)], 1, |rows| {
        rows[0].data_len = 19;
        rows[0].block[2][3] = 1;
        rows[0].block[2][4] = 0;
    });
    assert_eq!(failed, names(&["keccak.digest.send", "outside.byte", "outside.digest"]));
}

/// Wherever else the prover lets the data end, with the padding that belongs there and everything after it honest.
#[test]
fn rejects_every_other_place_where_data_ends() {
    for len in [20, 135] {
        let e = [event(1, len)];
        let honest = honest(&e, 1);
        for end in [0, 1, 19, 21, 134, 135].into_iter().filter(|end| *end != len) {
            let mut rows = honest.clone();
            let mut block = [0u8; BLOCK_BYTES];
            let kept = len.min(end);
            block[..kept].copy_from_slice(&e[0].message[..kept]);
            block[end] = 1;
            block[BLOCK_BYTES - 1] |= 0x80;
            rows[0].data_len = end;
            block.iter().enumerate().for_each(|(k, b)| rows[0].block[k / 8][k % 8] = *b);
            rehash(&mut rows);
            let digest = digest_of(&rows[0]);
            let failed = checker_with(&rows, &e, &[digest]).failures();
            // The padded block satisfies the machine; the sender and the receiver of the digest refuse it.
            let outside = if end < len { "outside.byte" } else { "keccak.block.receive" };
            assert!(
                failed.is_superset(&names(&[outside, "keccak.digest.send", "outside.digest"])),
                "{end}: {failed:?}"
            );
            assert!(!failed.contains("keccak.block.padding"), "{end}: {failed:?}");
        }
    }
}

/// What docs/circuits/keccak.md leaves to the senders: on one stream, bytes of two messages can be exchanged.
#[test]
fn accepts_exchanged_bytes_of_two_messages_on_one_stream() {
    let of = |message: &[u8]| KeccakEvent { stream: 1, message: message.to_vec() };
    let sent = [of(b"ab"), of(b"cd")];
    let hashed = [of(b"ad"), of(b"cb")];
    let rows = rows(&hashed, 2).expect("capacity");
    let digests = [keccak256(b"ad"), keccak256(b"cb")];
    assert_eq!(checker_with(&rows, &sent, &digests).failures(), Failures::new());
    // With a stream of its own each, nothing can.
    let [first, mut second] = sent;
    second.stream = 2;
    let failed = checker_with(&rows, &[first, second], &digests).failures();
    assert!(failed.contains("keccak.block.receive"), "{failed:?}");
}

#[test]
fn rejects_a_message_that_goes_on_nowhere() {
    // One of two blocks, in the machine's last row.
    let e = [event(1, 136)];
    let failed = forge(&e, 2, |rows| {
        rows.truncate(1);
    });
    assert!(failed.contains("keccak.chain.end"), "{failed:?}");
    // A disabled row between the blocks.
    let failed = forge(&e, 3, |rows| rows.swap(1, 2));
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
    // Another message in between.
    let both = [event(1, 136), event(2, 5)];
    let failed = forge(&both, 3, |rows| rows.swap(1, 2));
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
}

#[test]
fn rejects_a_message_that_starts_from_anothers_state() {
    let both = [event(1, 5), event(2, 6)];
    let failed = forge(&both, 2, |rows| rows[1].first = false);
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
    // Nor may the machine's first row continue anything.
    let failed = forge(&both, 2, |rows| rows[0].first = false);
    assert_eq!(failed, names(&["keccak.chain.continue"]));
    // Nor the row after a disabled one.
    let failed = forge(&both, 3, |rows| {
        rows.swap(1, 2);
        rows[2].first = false;
    });
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
}

#[test]
fn rejects_a_second_start_within_a_message() {
    // Both blocks marked first: the digest would be that of the second block alone.
    let failed = forge(&[event(1, 140)], 2, |rows| rows[1].first = true);
    assert!(failed.contains("keccak.chain.continue"), "{failed:?}");
}

#[test]
fn rejects_mixed_streams_and_positions() {
    let e = [event(1, 140)];
    let failed = forge(&e, 2, |rows| rows[1].stream = 2);
    assert!(failed.contains("keccak.chain.stream"), "{failed:?}");
    let failed = forge(&e, 2, |rows| rows[1].offset = 0);
    assert!(failed.contains("keccak.chain.offset"), "{failed:?}");
    let failed = forge(&e, 2, |rows| rows[0].offset = 136);
    assert!(failed.contains("keccak.chain.offset"), "{failed:?}");
}

#[test]
fn rejects_flags_that_are_no_bits() {
    let e = [event(1, 5)];
    let rows = honest(&e, 2);
    let mut checker = checker(&rows, &e);
    for name in ["keccak.flag.enabled", "keccak.flag.first", "keccak.flag.last"] {
        let wires = checker.named(name);
        for value in [F::from(2u64), -F::one()] {
            assert!(checker.failures_with(&[(wires[0], value)]).contains(name), "{name} = {value}");
        }
        if name != "keccak.flag.enabled" {
            assert!(
                checker.failures_with(&[(wires[1], F::one())]).contains(name),
                "{name} in a disabled row"
            );
        }
    }
}

#[test]
fn rejects_another_effect_of_theta() {
    // One bit of D flipped in some round, everything after it honest: lanes and parities hold, only θ does not.
    let e = [event(1, 5)];
    for (r, x, bit) in [(0, 0, 0), (1, 0, 63), (12, 3, 17), (23, 4, 40)] {
        let mut rows = honest(&e, 1);
        let block = rows[0].block.map(u64::from_le_bytes);
        (rows[0].rounds, rows[0].output) = permute_with(&mut [0; LANES], &block, |round, d| {
            d[x].bit ^= if round == r { 1 << bit } else { 0 }
        });
        let digest = digest_of(&rows[0]);
        assert_ne!(digest, keccak256(&e[0].message));
        let failed = checker_with(&rows, &e, &[digest]).failures();
        assert!(failed.contains("keccak.theta.equation"), "round {r}: {failed:?}");
    }
}

#[test]
fn rejects_digits_outside_short_chunks() {
    // Lane (1, 0) and column 0 are cut for a rotation by one: u is digit 63, w′ = 8·(digits 0 … 14). Moving a digit
    // between u and w′ keeps the lookups and the rotated lane, and only the equation can tell.
    let e = [event(1, 5)];
    let rows = honest(&e, 1);
    let mut checker = checker(&rows, &e);
    for (name, equation, first) in
        [("keccak.lane.bit", "keccak.lane.equation", 4), ("keccak.parity.bit", "keccak.parity.equation", 0)]
    {
        let wires = checker.named(name);
        let (u, w): (WireId, WireId) = (wires[first], wires[first + 1]);
        let (u_value, w_value) = (checker.value(u), checker.value(w));
        let (one, eight) = (F::one(), F::from(8u64));
        let moves = [
            // A digit below w′, which u gives away or which is just one more.
            (u_value - one, w_value + one),
            (u_value, w_value + one),
            // A digit above u.
            (u_value + eight, w_value - eight),
            (u_value + eight, w_value),
        ];
        let mut seen = BTreeSet::new();
        for (u_new, w_new) in moves {
            let failed = checker.failures_with(&[(u, u_new), (w, w_new)]);
            assert!(failed.contains(equation), "{name}: {failed:?}");
            seen.insert(failed.contains(name));
        }
        assert!(seen.contains(&false), "{name}: no move passes the lookups of the chunks");
    }
}

/// The lemma of `digits` in miniature: lanes of four digits, chunks of two, cut for a rotation by one.
mod miniature {
    /// Numbers below 64 with octal digits 0 and 1: the table.
    const TABLE: [i64; 4] = [0, 1, 8, 9];

    /// Over all S with digits up to `max_digit`: the largest number of choices of looked-up chunks that satisfy
    /// 8·S = weight·8·X + Σ 8·w·H, H being planes in place with weights w in `others`. `x` gives 8·X from (u, w′, c).
    fn most_solutions(
        max_digit: i64,
        weight: i64,
        others: &[i64],
        x: impl Fn(i64, i64, i64) -> i64,
    ) -> usize {
        let lanes: Vec<i64> = TABLE.iter().flat_map(|a| TABLE.map(|b| a + 64 * b)).collect();
        let mut values = Vec::new();
        for u in TABLE {
            for w in TABLE {
                values.extend(TABLE.map(|c| weight * x(u, w, c)));
            }
        }
        for other in others {
            values = values.iter().flat_map(|v| lanes.iter().map(move |h| v + 8 * other * h)).collect();
        }
        let mut counts = std::collections::HashMap::<i64, usize>::new();
        for v in values {
            *counts.entry(v).or_default() += 1;
        }
        let digits = 0..=max_digit;
        let sums = digits.clone().flat_map(|a| {
            let digits = digits.clone();
            digits.clone().flat_map(move |b| {
                let digits = digits.clone();
                digits.clone().flat_map(move |c| digits.clone().map(move |d| a + 8 * b + 64 * c + 512 * d))
            })
        });
        let found: Vec<usize> = sums.map(|s| counts.get(&(8 * s)).copied().unwrap_or_default()).collect();
        assert!(found.iter().all(|&n| n > 0), "the honest decomposition is one");
        found.into_iter().max().unwrap_or_default()
    }

    /// As committed: X = w′/8 + 8·c + 8³·u.
    #[test]
    fn prop_decomposition_is_unique() {
        let x = |u, w, c| w + 64 * c + 4096 * u;
        assert_eq!(most_solutions(3, 1, &[2], x), 1);
        assert_eq!(most_solutions(7, 1, &[2, 4], x), 1);
        assert_eq!(most_solutions(7, 2, &[1, 4], x), 1);
    }

    /// The short chunk scaled at the top, X = c + 8²·(w′/8) + 8³·u: a digit 2 passes, see the end of the lemma.
    #[test]
    fn decomposition_cut_the_other_way_is_not_unique() {
        let x = |u, w, c| 8 * c + 64 * w + 4096 * u;
        assert!(most_solutions(3, 1, &[2], x) > 1);
    }
}
