//! What is accepted: known answers, every length around block borders, and structure.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::{UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use proptest::prelude::*;

use super::*;
use crate::lookup::{argument, challenge::Challenges, tables};

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
    let mut outside = Outside::default();
    let mut events = Vec::new();
    for (stream, (message, digest)) in (0..).zip(KNOWN_ANSWERS) {
        let (message, digest) = (hex::decode(message).expect("hex"), hex::decode(digest).expect("hex"));
        outside.send(&message, 0, stream);
        outside.ask(digest.try_into().expect("32 bytes"), message.len(), stream);
        events.push(KeccakEvent { stream, message });
    }
    assert_eq!(outside.failures(&rows(&events, 3).expect("capacity")), Failures::new());
}

#[test]
fn accepts_messages_around_block_borders() {
    let lens = [0, 1, 135, 136, 137, 271, 272, 273];
    let events: Vec<_> = (5..).zip(lens).map(|(stream, len)| event(stream, len)).collect();
    let needed = lens.iter().map(|&l| permutations(l)).sum::<usize>();
    honest(&events, needed + 2);
}

#[test]
fn accepts_the_digest_of_every_length_that_sha3_gives() {
    for len in 0..=600 {
        let e = event(1, len);
        let rows = rows(std::slice::from_ref(&e), permutations(len)).expect("capacity");
        assert!(rows.iter().all(|r| r.enabled), "length {len}");
        assert_eq!(rows[rows.len() - 1].permutation.digest(), keccak256(&e.message), "length {len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn prop_random_messages_are_accepted(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..4)) {
        let events: Vec<_> =
            (0..).zip(messages).map(|(stream, message)| KeccakEvent { stream, message }).collect();
        let needed: usize = events.iter().map(|e| permutations(e.message.len())).sum();
        honest(&events, needed);
    }
}

#[test]
fn accepts_under_the_closed_argument() {
    let mut rng = StdRng::seed_from_u64(12);
    let challenges = Challenges { rho: F::rand(&mut rng), alpha: F::rand(&mut rng) };
    let e = event(9, 3);
    let sum = |outside: &Outside| {
        let mut cs = Cs::new(Mode::Assign);
        synthesize(&mut cs, &rows(std::slice::from_ref(&e), 1).expect("capacity"));
        outside.play(&mut cs);
        tables::sparse16().close(&mut cs);
        tables::byte_sparse().close(&mut cs);
        argument::native_sum(&cs, challenges)
    };
    let mut outside = Outside::honest(std::slice::from_ref(&e));
    assert!(sum(&outside).is_zero());
    outside.digests[0].digest[31] ^= 1;
    assert!(!sum(&outside).is_zero());
}

/// Both kinds of rows.
fn synthesize_both(mode: Mode, blocks: &[KeccakRow], two_words: &[WordsRow]) -> Cs {
    let mut cs = Cs::new(mode);
    synthesize(&mut cs, blocks);
    words::synthesize(&mut cs, two_words);
    cs
}

#[test]
fn accepts_disabled_rows_which_are_zero() {
    let cs = synthesize_both(Mode::Check, &vec![KeccakRow::default(); 2], &[WordsRow::default()]);
    assert!(cs.committed().iter().chain(cs.witness_values()).all(F::is_zero));
    assert_eq!(Checker::new(&cs, Vec::new()).failures(), Failures::new());
}

#[test]
fn accepts_any_values_in_the_same_structure() {
    let blocks = rows(&[event(3, 140)], 3).expect("capacity");
    let two_words = words::rows(&[[7; 64]], 2).expect("capacity");
    let run = |mode| synthesize_both(mode, &blocks, &two_words);
    let (assign, check) = (run(Mode::Assign), run(Mode::Check));
    assert_eq!(assign.assignment(), check.assignment());
    let record = synthesize_both(Mode::Record, &vec![KeccakRow::default(); 3], &vec![WordsRow::default(); 2]);
    assert_eq!(record.counts(), check.counts());
    assert_eq!(record.committed().len(), check.committed().len());
    let terms = |cs: &Cs| cs.interactions().map(|i| i.terms.to_vec()).collect::<Vec<_>>();
    assert!(terms(&record) == terms(&check));
}

/// The cost table of docs/circuits/keccak.md is what the code costs.
#[test]
fn accepts_the_counts_of_the_page() {
    let page = include_str!("../../../../../docs/circuits/keccak.md");
    let (blocks, two_words) = (row_constraints(), words::row_constraints());
    let names: BTreeSet<_> = blocks.keys().chain(two_words.keys()).copied().collect();
    let of =
        |counts: &BTreeMap<_, usize>, name| counts.get(name).map_or_else(String::new, |n| format!("{n} "));
    let line = |name, a: String, b: String| format!("| {name} | {a}| {b}|");
    let mut lines: Vec<_> =
        names.into_iter().map(|name| line(name, of(&blocks, name), of(&two_words, name))).collect();
    lines.push(line("keccak_f", format!("{} ", permutation_constraints()), String::new()));
    lines.push(line(
        "row",
        format!("{} ", blocks.values().sum::<usize>()),
        format!("{} ", two_words.values().sum::<usize>()),
    ));
    let missing: Vec<_> = lines.into_iter().filter(|line| !page.contains(line)).collect();
    assert!(missing.is_empty(), "docs/circuits/keccak.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn rejects_messages_beyond_capacity() {
    let events = [event(0, 136), event(1, 0)];
    assert_eq!(rows(&events, 2), Err(KeccakError::Capacity { needed: 3, available: 2 }));
    assert_eq!(
        words::rows(&[[1; 64], [2; 64], [1; 64]], 1),
        Err(KeccakError::Words { needed: 2, available: 1 })
    );
}

/// Every wire of a message of two blocks and of one of two words: nothing is free.
#[test]
fn rejects_any_changed_wire() {
    let events = [event(7, 150)];
    let blocks = honest(&events, 2);
    let mut rng = StdRng::seed_from_u64(13);
    Outside::honest(&events).checker(&blocks).assert_no_free_wires(&[], None, &mut rng);
    two_words::checker(&[[9; 64]], 1).assert_no_free_wires(&[], None, &mut rng);
}
