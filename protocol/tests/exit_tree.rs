//! The exit tree against published vectors and against a full recomputation.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_protocol::exit_tree::{
    EXIT_TREE_DEPTH, ExitLeaf, ExitTree, ExitTreeError, global_exit_root, verify_exit_proof,
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeafVector {
    origin_network: u32,
    token_address: Address,
    amount: U256,
    destination_network: u32,
    destination_address: Address,
    metadata: Bytes,
    #[serde(alias = "currentLeafValue")]
    leaf_value: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootVector {
    previous_leafs_values: Vec<B256>,
    current_root: B256,
    new_leaf: LeafVector,
    new_root: B256,
}

fn leaf(v: &LeafVector) -> ExitLeaf {
    ExitLeaf {
        leaf_type: 0,
        origin_network: v.origin_network,
        origin_address: v.token_address,
        destination_network: v.destination_network,
        destination_address: v.destination_address,
        amount: v.amount,
        metadata_hash: keccak256(&v.metadata),
    }
}

#[test]
fn accepts_published_leaves() {
    let vectors: Vec<LeafVector> = serde_json::from_str(include_str!("vectors/leaf-vectors.json")).unwrap();
    assert!(!vectors.is_empty());
    for v in &vectors {
        assert_eq!(leaf(v).hash(), v.leaf_value);
    }
}

#[test]
fn accepts_published_roots() {
    let vectors: Vec<RootVector> = serde_json::from_str(include_str!("vectors/root-vectors.json")).unwrap();
    assert!(!vectors.is_empty());
    for v in &vectors {
        let mut tree = ExitTree::new();
        for l in &v.previous_leafs_values {
            tree.append(*l).unwrap();
        }
        assert_eq!(tree.root(), v.current_root);
        assert_eq!(leaf(&v.new_leaf).hash(), v.new_leaf.leaf_value);
        tree.append(v.new_leaf.leaf_value).unwrap();
        assert_eq!(tree.root(), v.new_root);
    }
}

/// The root by its definition, over the leaves padded with zero subtrees.
fn naive_root(leaves: &[B256]) -> B256 {
    let mut zero = B256::ZERO;
    let mut nodes = leaves.to_vec();
    for _ in 0..EXIT_TREE_DEPTH {
        if nodes.len() % 2 == 1 {
            nodes.push(zero);
        }
        nodes = nodes.chunks(2).map(|p| global_exit_root(p[0], p[1])).collect();
        zero = global_exit_root(zero, zero);
    }
    nodes.first().copied().unwrap_or(zero)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn prop_roots_and_proofs_at_every_size(leaves in prop::collection::vec(any::<[u8; 32]>(), 0..40), pick in any::<(u32, u32)>()) {
        let leaves: Vec<B256> = leaves.into_iter().map(B256::from).collect();
        let mut tree = ExitTree::new();
        for (i, l) in leaves.iter().enumerate() {
            prop_assert_eq!(tree.append(*l), Ok(i as u32));
        }
        prop_assert_eq!(tree.root(), naive_root(&leaves));
        let n = leaves.len() as u32;
        let size = pick.0 % (n + 1);
        let root = tree.root_at(size).unwrap();
        prop_assert_eq!(root, naive_root(&leaves[..size as usize]));
        if size > 0 {
            let index = pick.1 % size;
            let mut proof = tree.proof_at(index, size).unwrap();
            let l = leaves[index as usize];
            prop_assert!(verify_exit_proof(l, index, &proof, root));
            prop_assert!(!verify_exit_proof(l, index ^ 1, &proof, root) || proof[0] == l);
            prop_assert!(!verify_exit_proof(keccak256(l), index, &proof, root));
            proof[(pick.0 % 32) as usize].0[0] ^= 1;
            prop_assert!(!verify_exit_proof(l, index, &proof, root));
        }
        let is_missing = matches!(tree.proof(n), Err(ExitTreeError::NoSuchLeaf { .. }));
        prop_assert!(is_missing);
    }
}
