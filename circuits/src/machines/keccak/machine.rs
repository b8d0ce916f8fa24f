//! Both kinds of keccak rows as machines of the list. They stand after every machine that hashes.

use cairn_protocol::resources::Resource;

use super::{
    KeccakError, KeccakEvent, KeccakRow, constraints,
    words::{self, WORDS_BYTES, WordsRow},
};
use crate::{
    cs::Cs,
    machine::{BatchWires, Events, Layout, Machine},
};

/// A message of two words to be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordsEvent(pub [u8; WORDS_BYTES]);

/// One row a block of a message of any length.
#[derive(Clone, Copy, Debug)]
pub struct Keccak;

impl Machine for Keccak {
    const NAME: &'static str = "keccak";
    const RESOURCES: &'static [Resource] = &[Resource::KeccakPermutations];
    type Rows = Vec<KeccakRow>;
    type Error = KeccakError;

    fn idle(layout: &Layout) -> Self::Rows {
        vec![KeccakRow::default(); layout.rows(Resource::KeccakPermutations)]
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<Self::Rows, KeccakError> {
        super::rows(&events.take::<KeccakEvent>(), layout.rows(Resource::KeccakPermutations))
    }

    fn synthesize(cs: &mut Cs, _: &Layout, _: &mut BatchWires, rows: &Self::Rows) {
        constraints::synthesize(cs, rows);
    }
}

/// One row a different message of two words.
#[derive(Clone, Copy, Debug)]
pub struct KeccakWords;

impl Machine for KeccakWords {
    const NAME: &'static str = "keccak_words";
    const RESOURCES: &'static [Resource] = &[Resource::KeccakWords];
    type Rows = Vec<WordsRow>;
    type Error = KeccakError;

    fn idle(layout: &Layout) -> Self::Rows {
        vec![WordsRow::default(); layout.rows(Resource::KeccakWords)]
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<Self::Rows, KeccakError> {
        let messages: Vec<_> = events.take().into_iter().map(|WordsEvent(message)| message).collect();
        words::rows(&messages, layout.rows(Resource::KeccakWords))
    }

    fn synthesize(cs: &mut Cs, _: &Layout, _: &mut BatchWires, rows: &Self::Rows) {
        words::synthesize(cs, rows);
    }
}
