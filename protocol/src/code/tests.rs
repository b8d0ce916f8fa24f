use ark_ff::Field;
use proptest::prelude::*;

use super::*;

/// The positions of instructions: from byte 0, each followed by the one behind its push data.
fn instructions_by_scan(code: &[u8]) -> Vec<bool> {
    let mut out = vec![false; code.len()];
    let mut pc = 0;
    while pc < code.len() {
        out[pc] = true;
        pc += match code[pc] {
            op @ 0x60..=0x7f => 2 + usize::from(op - 0x60),
            _ => 1,
        };
    }
    out
}

/// The same from each chunk alone; bytes behind the end are left out.
fn instructions_by_chunk(code: &[u8]) -> Vec<bool> {
    let mut out: Vec<bool> = chunks(code).flat_map(|chunk| chunk.instructions()).collect();
    out.truncate(code.len());
    out
}

fn dues(code: &[u8]) -> Vec<u8> {
    chunks(code).map(|chunk| chunk.due).collect()
}

fn jump_destinations(code: &[u8]) -> Vec<usize> {
    let instructions = instructions_by_chunk(code);
    (0..code.len()).filter(|&pc| code[pc] == 0x5b && instructions[pc]).collect()
}

/// Code that is half pushes and JUMPDESTs, up to a block and a chunk behind it.
fn code() -> impl Strategy<Value = Vec<u8>> {
    // One draw a byte: a choice between strategies would take most of the test's time.
    let byte = any::<u16>().prop_map(|draw| match draw.to_be_bytes() {
        [0x80..=0xff, low] => 0x5b + low % 0x25,
        [_, low] => low,
    });
    prop::collection::vec(byte, 0..300)
}

proptest! {
    #[test]
    fn prop_a_chunk_alone_shows_its_instructions(code in code()) {
        prop_assert_eq!(instructions_by_chunk(&code), instructions_by_scan(&code));
    }

    /// Bytes are owed up to the next instruction, or to the end of the data that the last one asks for.
    #[test]
    fn prop_due_is_the_distance_to_the_next_instruction(code in code()) {
        let starts = instructions_by_scan(&code);
        for (at, chunk) in chunks(&code).enumerate() {
            let start = at * CHUNK_BYTES;
            let last = (0..start).rev().find(|&pc| starts[pc]);
            let due = last.map_or(0, |pc| (pc + 1 + usize::from(push_bytes(code[pc]))).saturating_sub(start));
            prop_assert_eq!(usize::from(chunk.due), due);
        }
    }

    #[test]
    fn prop_elements_and_code_determine_each_other(code in code()) {
        let read: Option<Vec<Chunk>> = chunks(&code).map(|chunk| Chunk::from_element(chunk.element())).collect();
        let read = read.unwrap();
        prop_assert_eq!(&read, &chunks(&code).collect::<Vec<_>>());
        let mut bytes: Vec<u8> = read.iter().flat_map(|chunk| chunk.bytes).collect();
        prop_assert!(bytes[code.len()..].iter().all(|byte| *byte == 0));
        bytes.truncate(code.len());
        prop_assert_eq!(bytes, code);
    }

    /// A program counter that runs out of the code finds STOP, in the last chunk or behind it.
    #[test]
    fn prop_running_past_the_end_stops(code in code()) {
        let mut pc = 0;
        while pc < code.len() {
            pc += 1 + usize::from(push_bytes(code[pc]));
        }
        let chunk = chunks(&code).nth(pc / CHUNK_BYTES).unwrap_or_default();
        prop_assert!(chunk.instructions()[pc % CHUNK_BYTES]);
        prop_assert_eq!(chunk.bytes[pc % CHUNK_BYTES], 0);
        // No further than two chunks behind the last.
        prop_assert!(pc / CHUNK_BYTES <= code.len().div_ceil(CHUNK_BYTES) + 1);
    }

    #[test]
    fn prop_every_byte_and_the_length_enter_the_hash(code in code(), at in any::<prop::sample::Index>(), mask in 1u8..) {
        let mut longer = code.clone();
        longer.push(0);
        prop_assert_ne!(code_hash(&code), code_hash(&longer));
        if !code.is_empty() {
            let mut other = code.clone();
            other[at.index(code.len())] ^= mask;
            prop_assert_ne!(code_hash(&code), code_hash(&other));
        }
    }
}

/// By the definition, from the bytes of the code and a `due` worked out by hand.
#[test]
fn accepts_code_hash_by_its_definition() {
    assert_eq!(code_hash(&[]), Fr::zero());
    // 249 bytes: a full block of 8 · 31, and one byte. PUSH32 at 30, at 61 and at 247; STOP elsewhere.
    let mut code = vec![0u8; 249];
    for at in [30, 61, 247] {
        code[at] = 0x7f;
    }
    code[248] = 0xee;
    // 30 + 1 + 32 = 63: byte 61 is push data, and the second chunk leaves one byte to the third.
    let due = [0u64, 32, 1, 0, 0, 0, 0, 0, 32];
    let element = |at: usize| {
        let bytes = (31 * at..31 * (at + 1)).map(|i| code.get(i).copied().unwrap_or(0));
        let sum = bytes.fold(Fr::zero(), |sum, byte| sum * Fr::from(256u64) + Fr::from(byte));
        sum + Fr::from(2u64).pow([248]) * Fr::from(due[at])
    };
    let mut first = vec![Fr::from(249u64)];
    first.extend((0..8).map(element));
    let mut second = vec![poseidon(&first), element(8)];
    second.resize(9, Fr::zero());
    assert_eq!(code_hash(&code), poseidon(&second));
    // What a PUSH at the end of a block owes is in no element: the code has no chunk for it.
    first[0] = Fr::from(248u64);
    assert_eq!(code_hash(&code[..248]), poseidon(&first));
}

#[test]
fn accepts_push_data_by_opcode() {
    let owed: Vec<u8> = (0..=255).map(push_bytes).collect();
    assert!(owed[..0x60].iter().chain(&owed[0x80..]).all(|due| *due == 0));
    assert_eq!(owed[0x60..0x80], (1..=32).collect::<Vec<u8>>());
    // A byte that is owed is no instruction, whatever it is.
    assert_eq!(
        [due_after(0, 0x5f), due_after(0, 0x61), due_after(1, 0x7f), due_after(32, 0x5b)],
        [0, 2, 0, 31]
    );
}

/// PUSH1 1, PUSH1 0, SSTORE, PUSH1 0x0a, JUMP, PUSH2 0x5b5b, JUMPDEST: the destination is push data.
#[test]
fn rejects_a_jump_into_push_data() {
    let code = [0x60, 0x01, 0x60, 0x00, 0x55, 0x60, 0x0a, 0x56, 0x61, 0x5b, 0x5b, 0x5b];
    assert_eq!(code[0x0a], 0x5b);
    assert_eq!(jump_destinations(&code), [11]);
}

#[test]
fn rejects_destinations_in_a_truncated_push32() {
    // JUMPDEST, PUSH32 and fewer than 32 bytes: all of them are push data, across a border too.
    for have in 0..32 {
        let code = [&[0x5b, 0x7f][..], &vec![0x5b; have]].concat();
        assert_eq!(jump_destinations(&code), [0], "{have} bytes");
    }
    // With all 32 bytes, what follows is an instruction again.
    let whole = [&[0x5b, 0x7f][..], &[0x5b; 33]].concat();
    assert_eq!(jump_destinations(&whole), [0, 34]);
    // At the very end: the code owes 32 bytes to a chunk that is not there.
    let mut code = vec![0x5b; CHUNK_BYTES];
    code[30] = 0x7f;
    assert_eq!(dues(&code), [0]);
    assert_eq!(chunks(&code).last().map(|chunk| chunk.due_after()), Some(32));
}

#[test]
fn accepts_push_data_across_borders() {
    // PUSH32 as the last byte of a chunk: 32 are due, a whole chunk of push data leaves one.
    let mut code = vec![0x5b; 4 * CHUNK_BYTES];
    code[30] = 0x7f;
    assert_eq!(dues(&code), [0, 32, 1, 0]);
    let second = chunks(&code).nth(1).unwrap();
    assert_eq!((second.instructions(), second.due_after()), ([false; CHUNK_BYTES], 1));
    let third = chunks(&code).nth(2).unwrap().instructions();
    assert!(!third[0] && third[1..].iter().all(|instruction| *instruction));
    // PUSH32 as the first byte: 30 of its bytes are in the chunk, two in the next.
    let mut code = vec![0x5b; 2 * CHUNK_BYTES];
    code[0] = 0x7f;
    assert_eq!(dues(&code), [0, 2]);
    assert_eq!(jump_destinations(&code)[0], 33);
    // 31 due: a chunk that is push data to its last byte and owes nothing.
    let mut code = vec![0x5b; 3 * CHUNK_BYTES];
    code[30] = 0x7e;
    assert_eq!(dues(&code), [0, 31, 0]);
    // A push within push data owes nothing.
    let mut code = vec![0x7f; 3 * CHUNK_BYTES];
    code[..2].copy_from_slice(&[0x60, 0x7f]);
    // PUSH1 at 0, PUSH32 at 2, 35, 68.
    assert_eq!(dues(&code), [0, 4, 6]);
}

#[test]
fn rejects_elements_with_too_much_due() {
    let chunk = Chunk { bytes: [0xff; CHUNK_BYTES], due: MAX_DUE };
    assert_eq!(Chunk::from_element(chunk.element()), Some(chunk));
    let next = chunk.element() + Fr::from(1u64);
    assert_eq!(next, Fr::from(2u64).pow([248]) * Fr::from(33u64));
    assert_eq!(Chunk::from_element(next), None);
    assert_eq!(Chunk::from_element(-Fr::from(1u64)), None);
}
