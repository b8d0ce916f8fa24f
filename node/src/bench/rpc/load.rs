//! Signed transfers, made before anything is measured.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Signature, TxKind, U256, hex, keccak256};
use cairn_protocol::{
    constants::TX_GAS,
    genesis::{Genesis, GenesisAccount},
};
use k256::ecdsa::SigningKey;
use rayon::prelude::*;

/// Chain id of the measured chain.
const CHAIN_ID: u64 = 1001;
/// Price of every transfer, in wei: above what any local L1 makes the pool ask for.
const PRICE_WEI: u128 = 10_000_000_000;
/// What every account has, in wei: 10 ETH.
const BALANCE_WEI: u64 = 10_000_000_000_000_000_000;

/// Who sends and who receives.
pub struct Accounts {
    senders: Vec<SigningKey>,
    all: Vec<Address>,
}

fn key(i: usize) -> Result<SigningKey, k256::ecdsa::Error> {
    SigningKey::from_slice(
        keccak256([b"cairn bench rpc sender".as_slice(), &i.to_be_bytes()].concat()).as_slice(),
    )
}

impl Accounts {
    /// `accounts` accounts with the same balance, of which the first `senders` send.
    ///
    /// # Errors
    /// If a hash is no private key, which does not happen.
    pub fn new(accounts: usize, senders: usize) -> Result<Self, k256::ecdsa::Error> {
        let senders = (0..senders.min(accounts)).map(key).collect::<Result<Vec<_>, _>>()?;
        let mut all: Vec<Address> = senders.par_iter().map(Address::from_private_key).collect();
        all.extend((all.len()..accounts).map(|i| Address::from_word(keccak256(i.to_be_bytes()))));
        Ok(Self { senders, all })
    }

    /// Number of senders.
    #[must_use]
    pub const fn senders(&self) -> usize {
        self.senders.len()
    }

    /// Address of a sender.
    #[must_use]
    pub fn address(&self, sender: usize) -> Address {
        self.all[sender]
    }

    /// A genesis with all accounts.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        let account = GenesisAccount { balance: U256::from(BALANCE_WEI), ..GenesisAccount::default() };
        Genesis { chain_id: CHAIN_ID, accounts: self.all.iter().map(|a| (*a, account.clone())).collect() }
    }

    /// Transfers of one sender with nonces from `from_nonce` on, as parameters of `eth_sendRawTransaction`. Recipients are
    /// spread over all accounts.
    ///
    /// # Errors
    /// If a transfer cannot be signed, which does not happen.
    pub fn transfers(
        &self,
        sender: usize,
        from_nonce: u64,
        count: u64,
    ) -> Result<Vec<String>, k256::ecdsa::Error> {
        let sign = |nonce: u64| {
            // A multiplicative walk visits accounts in no particular order.
            let index = (nonce as usize + 1).wrapping_mul(2_654_435_761).wrapping_add(sender * 97);
            let to = self.all[index % self.all.len()];
            let tx = TxEip1559 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: TX_GAS,
                max_fee_per_gas: PRICE_WEI,
                max_priority_fee_per_gas: PRICE_WEI,
                to: TxKind::Call(to),
                value: U256::from(1_000_000_007u64),
                ..TxEip1559::default()
            };
            let signature = self.senders[sender].sign_prehash_recoverable(tx.signature_hash().as_slice())?;
            let raw = TxEnvelope::from(tx.into_signed(Signature::from(signature))).encoded_2718();
            Ok(hex::encode_prefixed(raw))
        };
        (from_nonce..from_nonce + count).map(sign).collect()
    }
}
