//! The measured batch: EIP-1559 transfers of usual values, each to an account that did not exist.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use cairn_circuits::testing::batch::BatchInput;
use cairn_protocol::constants::{DEVNET_CHAIN_ID, TX_GAS};
use k256::ecdsa::SigningKey;

/// Senders; transfer i is of sender i modulo this.
const SENDERS: usize = 4;

fn key(i: usize) -> Result<SigningKey, k256::ecdsa::Error> {
    SigningKey::from_slice(
        keccak256([b"cairn bench sender".as_slice(), &i.to_be_bytes()].concat()).as_slice(),
    )
}

/// What the senders have, in wei.
pub(super) fn balances() -> Vec<(Address, U256)> {
    let wei = U256::from(10u64).pow(U256::from(22));
    (0..SENDERS).filter_map(|i| key(i).ok()).map(|k| (Address::from_private_key(&k), wei)).collect()
}

/// `transfers` signed transfers.
pub(super) fn batch(transfers: usize, timestamp: u64) -> eyre::Result<BatchInput> {
    let mut transactions = vec![];
    for i in 0..transfers {
        let tx = TxEip1559 {
            chain_id: DEVNET_CHAIN_ID,
            nonce: (i / SENDERS) as u64,
            gas_limit: TX_GAS,
            max_fee_per_gas: 2_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: TxKind::Call(Address::from_word(keccak256(i.to_be_bytes()))),
            value: U256::from(1_234_567_890_123_456_789u64),
            access_list: Default::default(),
            input: Default::default(),
        };
        let signature = key(i % SENDERS)?.sign_prehash_recoverable(tx.signature_hash().as_slice())?;
        transactions.extend(TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718());
    }
    Ok(BatchInput {
        transactions,
        global_exit_root: B256::ZERO,
        timestamp,
        coinbase: Address::repeat_byte(0xca),
    })
}
