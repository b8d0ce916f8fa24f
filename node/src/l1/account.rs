//! A key that signs L1 transactions.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use ethers::{
    signers::{LocalWallet, MnemonicBuilder, Signer as _, WalletError, coins_bip39::English},
    types::transaction::eip2718::TypedTransaction,
};

use super::convert;

/// The phrase that development chains derive their accounts from. It is public: its accounts are anybody's.
pub const DEVELOPMENT_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// What was given is not repeated: it may be a mistyped secret.
    #[error("a private key is 32 bytes in hex, not zero and below the curve's order")]
    NotAKey,
    #[error("the development phrase has no account {index}")]
    NoSuchAccount { index: u32 },
}

/// Why a transaction is not signed.
#[derive(Debug, thiserror::Error)]
#[error("the transaction cannot be signed: {source}")]
pub struct SignError {
    source: Box<WalletError>,
}

/// A private key and its address. Neither `Debug` nor an error shows the key.
#[derive(Clone)]
pub struct Account {
    wallet: LocalWallet,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.address()).finish()
    }
}

impl Account {
    /// The account of a private key.
    ///
    /// # Errors
    /// If the number is no private key.
    pub fn from_key(key: B256) -> Result<Self, AccountError> {
        let wallet = LocalWallet::from_bytes(key.as_slice()).map_err(|_| AccountError::NotAKey)?;
        Ok(Self { wallet })
    }

    /// The account of a private key in hex, with or without 0x; space around it is ignored.
    ///
    /// # Errors
    /// If the text is no private key.
    pub fn from_hex(text: &str) -> Result<Self, AccountError> {
        let key: B256 = text.trim().parse().map_err(|_| AccountError::NotAKey)?;
        Self::from_key(key)
    }

    /// The account of a file with a private key in hex.
    ///
    /// # Errors
    /// If the file cannot be read or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, AccountError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| AccountError::Read { path: path.to_owned(), source })?;
        Self::from_hex(&text)
    }

    /// Account `index` of [`DEVELOPMENT_MNEMONIC`], under m/44'/60'/0'/0.
    ///
    /// # Errors
    /// If the index is no index of a derivation.
    pub fn development(index: u32) -> Result<Self, AccountError> {
        let builder = MnemonicBuilder::<English>::default().phrase(DEVELOPMENT_MNEMONIC).index(index);
        let wallet = builder.and_then(|b| b.build()).map_err(|_| AccountError::NoSuchAccount { index })?;
        Ok(Self { wallet })
    }

    /// The account's address.
    #[must_use]
    pub fn address(&self) -> Address {
        convert::from_address(self.wallet.address())
    }

    /// The private key, for programs that are started with it.
    #[must_use]
    pub fn key(&self) -> B256 {
        B256::from_slice(&self.wallet.signer().to_bytes())
    }

    /// Signs: the transaction's hash, and its bytes as they are sent. The transaction names its chain.
    pub(super) fn sign(&self, transaction: &TypedTransaction) -> Result<(B256, Bytes), SignError> {
        let signature = self
            .wallet
            .sign_transaction_sync(transaction)
            .map_err(|source| SignError { source: Box::new(source) })?;
        let raw = convert::from_bytes(transaction.rlp_signed(&signature));
        Ok((keccak256(&raw), raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_well_known_accounts() {
        let first = Account::development(0).unwrap();
        assert_eq!(first.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        assert_eq!(first.key().to_string(), key);
        assert_eq!(Account::from_hex(&format!("{key}\n")).unwrap().address(), first.address());
        assert!(!format!("{first:?}").contains("ac0974be"));
    }

    #[test]
    fn rejects_what_is_no_key() {
        for text in ["", "0x", "zz", &"00".repeat(32), &"ff".repeat(32), &"11".repeat(31)] {
            assert!(matches!(Account::from_hex(text), Err(AccountError::NotAKey)), "{text}");
        }
    }
}
