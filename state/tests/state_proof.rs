//! Proofs of state: made by the database, checked by the state root alone, and refused by name when altered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use ark_ff::{BigInteger, PrimeField, Zero};
use cairn_protocol::{
    Fr,
    constants::SYSTEM_ACCOUNT,
    leaf::{AccountValue, LeafId, storage_from_fields, two_128},
    state_proof::{StateProof, StateProofError as E},
    state_proof_bytes::{STATE_PROOF_ELEMENTS, StateProofBytesError as B},
};
use cairn_state::{MemoryStore, StateDb, TreeReader};
use common::{Model, address, block, genesis};
use proptest::prelude::*;

/// What a verifier makes of a proof.
fn verify(proof: &StateProof, root: B256, id: LeafId) -> Result<(), E> {
    match id {
        LeafId::Account(address) => proof.verify_account(root, address).map(|_| ()),
        LeafId::Storage(address, slot) => proof.verify_storage(root, address, slot).map(|_| ()),
    }
}

fn ids() -> Vec<LeafId> {
    let slots = (0..4u8).flat_map(|n| (0..6u64).map(move |s| LeafId::Storage(address(n), U256::from(s))));
    let contract =
        [LeafId::Storage(address(0xcc), U256::from(5)), LeafId::Storage(SYSTEM_ACCOUNT, U256::ZERO)];
    (0..24u8).map(|n| LeafId::Account(address(n))).chain(slots).chain(contract).collect()
}

/// Alters a proof in one place and expects one error.
fn rejects(
    proof: &StateProof,
    root: B256,
    id: LeafId,
    change: impl Fn(&mut StateProof),
    is_expected: impl Fn(&E) -> bool,
) -> Result<(), TestCaseError> {
    let mut altered = proof.clone();
    change(&mut altered);
    prop_assert_ne!(&altered, proof);
    let got = verify(&altered, root, id);
    prop_assert!(got.as_ref().is_err_and(&is_expected), "{:?}", got);
    // The same through the bytes, whatever they are: a reader accepts what the checks can name.
    let read = StateProof::from_bytes(&altered.to_bytes()).unwrap();
    prop_assert_eq!(verify(&read, root, id), got);
    Ok(())
}

/// Every element of a proof, altered.
fn rejects_alterations(proof: &StateProof, root: B256, id: LeafId) -> Result<(), TestCaseError> {
    let one = Fr::from(1u64);
    prop_assert_eq!(verify(proof, root, id), Ok(()));
    let wrong_tree = |e: &E| matches!(e, E::WrongTreeRoot { .. });
    let wrong_state = |e: &E| matches!(e, E::WrongStateRoot { .. });
    let out_of_range =
        |element| move |e: &E| matches!(e, E::ValueOutOfRange { element: at, .. } if *at == element);
    // A present leaf is no predecessor of itself, and no predecessor has the key.
    let present = proof.present;
    let wrong_flag = move |e: &E| match e {
        E::NotPredecessor { .. } => present,
        E::WrongKey { .. } => !present,
        _ => false,
    };
    rejects(proof, root, id, |p| p.present = !p.present, wrong_flag)?;
    let key = id.key();
    if present {
        rejects(proof, root, id, |p| p.opening.leaf.key += one, |e| matches!(e, E::WrongKey { .. }))?;
        rejects(proof, root, id, |p| p.opening.leaf.next_key += one, wrong_tree)?;
    } else {
        let not_predecessor = |e: &E| matches!(e, E::NotPredecessor { .. });
        rejects(proof, root, id, |p| p.opening.leaf.key = key, not_predecessor)?;
        rejects(proof, root, id, |p| p.opening.leaf.next_key = key, not_predecessor)?;
        rejects(proof, root, id, |p| p.opening.leaf.next_key = Fr::from(1u64), not_predecessor)?;
        rejects(proof, root, id, |p| p.opening.leaf.key = key - one, wrong_tree)?;
    }
    rejects(proof, root, id, |p| p.opening.leaf.next_index += 1, wrong_tree)?;
    for element in 0..3 {
        let by = if proof.opening.leaf.value[element].is_zero() { one } else { -one };
        // The third element of a present slot is 0.
        let is_fixed = element == 2 && present && matches!(id, LeafId::Storage(..));
        let expected = move |e: &E| if is_fixed { out_of_range(2)(e) } else { wrong_tree(e) };
        rejects(proof, root, id, |p| p.opening.leaf.value[element] += by, expected)?;
    }
    // The same hash from another next index.
    let alias = |p: &mut StateProof| {
        p.opening.leaf.value[1] += two_128() * Fr::from(p.opening.leaf.next_index);
        p.opening.leaf.next_index = 0;
    };
    if proof.opening.leaf.next_index > 0 {
        let mut aliased = proof.clone();
        alias(&mut aliased);
        prop_assert_eq!(aliased.opening.leaf.hash(), proof.opening.leaf.hash());
        rejects(proof, root, id, alias, out_of_range(1))?;
    }
    if present {
        rejects(proof, root, id, |p| p.opening.leaf.value[0] = -one, out_of_range(0))?;
    }
    for level in 0..10 {
        let at = (level * 3) % 7;
        rejects(proof, root, id, |p| p.opening.siblings[level][at] += one, wrong_tree)?;
    }
    let out_of_tree = |e: &E| matches!(e, E::IndexOutOfRange { .. });
    rejects(proof, root, id, |p| p.opening.index = p.commitment.leaf_count, out_of_tree)?;
    rejects(proof, root, id, |p| p.commitment.leaf_count = p.opening.index, out_of_tree)?;
    let far = |p: &mut StateProof| {
        p.opening.index |= 1 << 30;
        p.commitment.leaf_count = u64::MAX;
    };
    rejects(proof, root, id, far, out_of_tree)?;
    let other = if proof.opening.index == 0 { 1 } else { proof.opening.index - 1 };
    rejects(proof, root, id, |p| p.opening.index = other, wrong_tree)?;
    rejects(proof, root, id, |p| p.commitment.leaf_count += 1, wrong_state)?;
    rejects(proof, root, id, |p| p.commitment.tree_root += one, wrong_tree)?;
    let of_other_root = verify(proof, B256::repeat_byte(1), id);
    prop_assert!(of_other_root.is_err_and(|e| wrong_state(&e)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn prop_every_leaf_is_proven_present_or_absent(
        blocks in prop::collection::vec(block(), 0..6),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
        let mut model = Model::genesis(&genesis());
        for (i, changes) in blocks.iter().enumerate() {
            db.commit_block(i as u64 + 1, changes).unwrap();
            model.apply(changes);
        }
        let view = db.latest().unwrap();
        let root = view.state_root();
        for id in ids() {
            let proof = view.state_proof(&id).unwrap();
            prop_assert_eq!(StateProof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
            let expected = model.leaves.get(&id).map(|(_, value)| value);
            prop_assert_eq!(proof.present, expected.is_some());
            match id {
                LeafId::Account(address) => {
                    let expected = expected.map(|v| AccountValue::from_fields(v).unwrap());
                    prop_assert_eq!(proof.verify_account(root, address), Ok(expected));
                }
                LeafId::Storage(address, slot) => {
                    let expected = expected.map_or(U256::ZERO, |v| storage_from_fields(v).unwrap());
                    prop_assert_eq!(proof.verify_storage(root, address, slot), Ok(expected));
                }
            }
        }
        let ids = ids();
        for pick in picks {
            let id = ids[pick.index(ids.len())];
            rejects_alterations(&view.state_proof(&id).unwrap(), root, id)?;
        }
    }
}

#[test]
fn rejects_a_proof_of_another_account_or_slot() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let view = db.latest().unwrap();
    let root = view.state_root();
    let of = |id| view.state_proof(&id).unwrap();
    let account = of(LeafId::Account(address(9)));
    assert!(matches!(account.verify_account(root, address(1)), Err(E::WrongKey { .. })));
    // An account's proof is none of a slot, and the reverse.
    assert!(matches!(account.verify_storage(root, address(9), U256::ZERO), Err(E::WrongKey { .. })));
    let slot = of(LeafId::Storage(address(0xcc), U256::from(5)));
    assert_eq!(slot.verify_storage(root, address(0xcc), U256::from(5)), Ok(U256::MAX));
    assert!(matches!(slot.verify_storage(root, address(0xcc), U256::from(3)), Err(E::WrongKey { .. })));
    assert!(matches!(slot.verify_storage(root, address(0xcd), U256::from(5)), Err(E::WrongKey { .. })));
    // The absence of one account is not that of every account.
    let mut absent = (20..60u8).map(|n| LeafId::Account(address(n)));
    let refused = absent.any(|id| {
        let got = of(id).verify_account(root, address(9));
        matches!(got, Err(E::NotPredecessor { .. }))
    });
    assert!(refused);
}

#[test]
fn rejects_malformed_bytes_by_name() {
    let db = StateDb::open(Arc::new(MemoryStore::new()), &genesis()).unwrap();
    let view = db.latest().unwrap();
    let proof = view.state_proof(&LeafId::Account(Address::ZERO)).unwrap();
    let good: Vec<Vec<u8>> = proof.to_bytes().iter().map(|b| b.to_vec()).collect();
    let lengths: Vec<usize> = good.iter().map(Vec::len).collect();
    assert_eq!(lengths, [&[320][..], &[224; 10]].concat());
    let read = |bytes: &[Vec<u8>]| StateProof::from_bytes(bytes);
    let expected = STATE_PROOF_ELEMENTS;
    assert_eq!(read(&[]), Err(B::ProofLength { expected, got: 0 }));
    assert_eq!(read(&good[..10]), Err(B::ProofLength { expected, got: 10 }));
    assert_eq!(read(&[good.clone(), good.clone()].concat()), Err(B::ProofLength { expected, got: 22 }));
    for element in 0..11 {
        let expected = lengths[element];
        let mut short = good.clone();
        short[element].pop();
        assert_eq!(read(&short), Err(B::ElementLength { element, expected, got: expected - 1 }));
        let mut long = good.clone();
        long[element].push(0);
        assert_eq!(read(&long), Err(B::ElementLength { element, expected, got: expected + 1 }));
        for word in 0..expected / 32 {
            // The least values out of range.
            let least = match (element, word) {
                (0, 0) => U256::from(2),
                (0, 6..=8) => U256::from(1) << 64usize,
                _ => U256::from_be_slice(&Fr::MODULUS.to_bytes_be()),
            };
            let (value, max) = (B256::from(least), B256::from(least - U256::ONE));
            let mut wrong = good.clone();
            wrong[element][32 * word..32 * (word + 1)].copy_from_slice(value.as_slice());
            assert_eq!(read(&wrong), Err(B::NotCanonical { element, word, value, max }));
        }
    }
}
