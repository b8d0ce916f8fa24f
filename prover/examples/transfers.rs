//! Constraints, setup, proof and memory of transfer batches: `cargo run --release --example transfers -- 1 4 8`.
//! `cairn bench` measures the same with L1 gas; this one needs no chain.

use std::{
    io::{Write, stdout},
    time::Instant,
};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use cairn_circuits::{
    batch::{Assignment, Shape},
    testing::batch::{BatchInput, ReferenceChain},
};
use cairn_protocol::constants::DEVNET_CHAIN_ID;
use cairn_prover::{BatchCircuit, Circuit, bench, prove, setup, verify};
use k256::ecdsa::SigningKey;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for n in std::env::args().skip(1) {
        let n: usize = n.parse()?;
        bench::reset_peak_rss()?;
        let circuit = BatchCircuit { shape: Shape::transfers(n) };
        let start = Instant::now();
        let key = setup(circuit.record(), &())?;
        let setup_s = start.elapsed().as_secs_f64();
        let setup_rss = bench::peak_rss_bytes()?;
        bench::reset_peak_rss()?;

        let signer = SigningKey::from_slice(keccak256(b"alice").as_slice())?;
        let sender = Address::from_private_key(&signer);
        let mut chain = ReferenceChain::new(&[(sender, U256::from(10u64).pow(U256::from(20)))]);
        let mut transactions = vec![];
        for nonce in 0..n as u64 {
            let tx = TxEip1559 {
                chain_id: DEVNET_CHAIN_ID,
                nonce,
                gas_limit: 21_000,
                max_fee_per_gas: 2_000_000_000,
                max_priority_fee_per_gas: 1_000_000_000,
                to: TxKind::Call(Address::repeat_byte(0x10 + nonce as u8)),
                value: U256::from(1_000_000_000_000_000_000u64),
                access_list: Default::default(),
                input: Default::default(),
            };
            let signature = Signature::from(signer.sign_prehash_recoverable(tx.signature_hash().as_slice())?);
            transactions.extend(TxEnvelope::from(tx.into_signed(signature)).encoded_2718());
        }
        let coinbase = Address::repeat_byte(0xcb);
        let input =
            BatchInput { transactions, global_exit_root: B256::ZERO, timestamp: 1_700_000_000, coinbase };
        let witness = chain.execute(&input)?;
        let start = Instant::now();
        let assignment = Assignment::new(&circuit.shape, &witness, Address::repeat_byte(1))?;
        let assignment_s = start.elapsed().as_secs_f64();
        let proven = prove(&key, &circuit, &assignment)?;
        verify(&key.vk, proven.public_input, &proven.proof)?;
        writeln!(
            stdout(),
            "{n} transfers: {:?}, setup {setup_s:.1} s ({} MiB), rows {assignment_s:.2} s, {:#?}, {} MiB",
            key.circuit.shape(),
            setup_rss >> 20,
            proven.stats,
            bench::peak_rss_bytes()? >> 20,
        )?;
    }
    Ok(())
}
