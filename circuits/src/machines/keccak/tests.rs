use sha3::{Digest, Keccak256};

use super::{witness::permute, *};

#[test]
fn permute_agrees_with_sha3() {
    let mut state = [0u64; 25];
    let mut block = [0u64; 17];
    block[0] = 1;
    block[16] = 1 << 63;
    permute(&mut state, &block);
    let bytes: Vec<u8> = state[..4].iter().flat_map(|l| l.to_le_bytes()).collect();
    assert_eq!(bytes, Keccak256::digest([]).to_vec());
}

#[test]
fn counts() {
    eprintln!("{} {:#?}", permutation_constraints(), row_constraints());
    eprintln!("{}", row_constraints().values().sum::<usize>());
}
