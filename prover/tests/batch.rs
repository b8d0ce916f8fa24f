//! Real proofs of real batches: the batch circuit end to end through setup, proof and verification.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use cairn_circuits::{
    batch::{Assignment, Shape},
    testing::batch::{BatchInput, ReferenceChain},
};
use cairn_protocol::{constants::DEVNET_CHAIN_ID, witness::BatchWitness};
use cairn_prover::{BatchCircuit, Circuit, prove, setup, verify, verify_batch};
use k256::ecdsa::SigningKey;

const AGGREGATOR: Address = Address::repeat_byte(0xa9);

fn transfer(key: &SigningKey, nonce: u64, to: Address) -> Vec<u8> {
    let tx = TxEip1559 {
        chain_id: DEVNET_CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        value: U256::from(1_000_000_000_000_000_000u64),
        access_list: Default::default(),
        input: Default::default(),
    };
    let signature = Signature::from(key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap());
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
}

fn batches() -> [BatchWitness; 2] {
    let key = SigningKey::from_slice(keccak256(b"alice").as_slice()).unwrap();
    let sender = Address::from_private_key(&key);
    let mut chain = ReferenceChain::new(&[(sender, U256::from(10u64).pow(U256::from(20)))]);
    let mut execute = |transactions| {
        chain
            .execute(&BatchInput {
                transactions,
                global_exit_root: B256::ZERO,
                timestamp: 1_700_000_000,
                coinbase: Address::repeat_byte(0xcb),
            })
            .unwrap()
    };
    [execute(transfer(&key, 0, Address::repeat_byte(0x99))), execute(vec![])]
}

/// One key serves all cases: making it is what takes the time.
#[test]
fn accepts_true_batches_and_rejects_false_statements() {
    let circuit = BatchCircuit { shape: Shape::transfers(1) };
    let key = setup(circuit.record(), &()).unwrap();
    let proofs = batches().map(|witness| {
        let assignment = Assignment::new(&circuit.shape, &witness, AGGREGATOR).unwrap();
        let proven = prove(&key, &circuit, &assignment).unwrap();
        assert_eq!(proven.public_input, witness.public_input(AGGREGATOR).to_field());
        verify(&key.vk, proven.public_input, &proven.proof).unwrap();
        (witness, proven)
    });
    let pairs: Vec<_> = proofs.iter().map(|(_, p)| (p.public_input, p.proof)).collect();
    verify_batch(&key.vk, &pairs).unwrap();
    let swapped = [(pairs[0].0, pairs[1].1), (pairs[1].0, pairs[0].1)];
    verify_batch(&key.vk, &swapped).unwrap_err();

    let (witness, proven) = &proofs[0];
    let true_input = witness.public_input(AGGREGATOR);
    let mut changed = vec![true_input; 10];
    changed[0].aggregator.0[19] ^= 1;
    changed[1].old_state_root.0[31] ^= 1;
    changed[2].old_acc_input_hash.0[31] ^= 1;
    changed[3].init_num_batch += 1;
    changed[4].chain_id += 1;
    changed[5].fork_id += 1;
    changed[6].new_state_root.0[31] ^= 1;
    changed[7].new_acc_input_hash.0[31] ^= 1;
    changed[8].new_local_exit_root.0[31] ^= 1;
    changed[9].final_new_batch += 1;
    for input in changed {
        let refused = verify(&key.vk, input.to_field(), &proven.proof);
        assert!(refused.is_err(), "{input:?} was accepted");
    }

    // A witness that lies about the state has an assignment that violates a constraint: no proof.
    let mut lie = witness.clone();
    lie.new_state.tree_root += cairn_prover::F::from(1u64);
    let assignment = Assignment::new(&circuit.shape, &lie, AGGREGATOR).unwrap();
    prove(&key, &circuit, &assignment).unwrap_err();
}
