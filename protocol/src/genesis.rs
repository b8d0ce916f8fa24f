//! The genesis file: chain id and accounts, as JSON. The first leaf is that of the block number; the others are created
//! in the order of the file: account by account, the account's own leaf first, then its storage slots ascending.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use alloy_primitives::{Address, Bytes, U256, address};
use ark_bn254::Fr;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::{
    code::code_hash,
    constants::{DEVNET_CHAIN_ID, SYSTEM_BLOCK_NUMBER_SLOT},
    leaf::{AccountValue, LeafId, storage_to_fields},
    system::block_number_leaf,
    transfer::is_precompile,
};

/// One account of the genesis file. Every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenesisAccount {
    /// In wei; hex or decimal string.
    pub balance: U256,
    /// Number, or hex or decimal string.
    #[serde(deserialize_with = "number_or_string")]
    pub nonce: u64,
    /// Hex string.
    #[serde(skip_serializing_if = "no_code")]
    pub code: Bytes,
    /// Slots to values, which are not 0; hex or decimal strings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique_storage")]
    pub storage: BTreeMap<U256, U256>,
}

impl GenesisAccount {
    /// What the account's leaf commits to.
    #[must_use]
    pub fn value(&self) -> AccountValue {
        AccountValue { nonce: self.nonce, balance: self.balance, code_hash: code_hash(&self.code) }
    }
}

/// The state before block 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Genesis {
    pub chain_id: u64,
    /// In the order in which leaves are created.
    #[serde(serialize_with = "accounts_to_map", deserialize_with = "accounts_from_map")]
    pub accounts: Vec<(Address, GenesisAccount)>,
}

/// Why a genesis file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    #[error("genesis file is malformed: {message}")]
    Malformed { message: String },
    #[error("chain id must not be 0")]
    ZeroChainId,
    #[error("account {address} appears twice")]
    DuplicateAccount { address: Address },
    #[error("account {address} is empty: leave it out")]
    EmptyAccount { address: Address },
    #[error("account {address}, slot {slot}: a slot of value 0 is absent, leave it out")]
    ZeroStorage { address: Address, slot: U256 },
    #[error("account {address} is a precompile and cannot have code or storage")]
    PrecompileWithCode { address: Address },
    #[error("account {address} has nonce 2^64 - 1, the largest allowed is 2^64 - 2 (EIP-2681)")]
    NonceOverflow { address: Address },
    #[error(
        "account {address}, slot {slot}: this slot holds the block number, which is 0 at genesis: leave it out"
    )]
    BlockNumberSlot { address: Address, slot: U256 },
    /// The sum stops at 2²⁵⁶ − 1.
    #[error("the sum of all balances must be below 2^128 wei, got {supply_wei}")]
    SupplyTooLarge { supply_wei: U256 },
}

/// A genesis leaf: id and value elements.
pub type GenesisLeaf = (LeafId, [Fr; 3]);

impl Genesis {
    /// Parses and validates.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn from_json(json: &str) -> Result<Self, GenesisError> {
        let genesis: Self =
            serde_json::from_str(json).map_err(|e| GenesisError::Malformed { message: e.to_string() })?;
        genesis.validate()?;
        Ok(genesis)
    }

    /// Checks everything that the types do not.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn validate(&self) -> Result<(), GenesisError> {
        if self.chain_id == 0 {
            return Err(GenesisError::ZeroChainId);
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut supply = U256::ZERO;
        for (address, account) in &self.accounts {
            let address = *address;
            if !seen.insert(address) {
                return Err(GenesisError::DuplicateAccount { address });
            }
            // An account of storage alone has no account leaf, only storage leaves: the system account.
            if account.value().is_empty() && account.storage.is_empty() {
                return Err(GenesisError::EmptyAccount { address });
            }
            if is_precompile(address) && !(account.code.is_empty() && account.storage.is_empty()) {
                return Err(GenesisError::PrecompileWithCode { address });
            }
            if account.nonce == u64::MAX {
                return Err(GenesisError::NonceOverflow { address });
            }
            if let Some((&slot, _)) = account.storage.iter().find(|(_, v)| v.is_zero()) {
                return Err(GenesisError::ZeroStorage { address, slot });
            }
            if block_number_leaf() == LeafId::Storage(address, SYSTEM_BLOCK_NUMBER_SLOT)
                && account.storage.iter().any(|(slot, _)| *slot == SYSTEM_BLOCK_NUMBER_SLOT)
            {
                return Err(GenesisError::BlockNumberSlot { address, slot: SYSTEM_BLOCK_NUMBER_SLOT });
            }
            supply = supply.saturating_add(account.balance);
        }
        if supply > U256::from(u128::MAX) {
            return Err(GenesisError::SupplyTooLarge { supply_wei: supply });
        }
        Ok(())
    }

    /// The leaves in the order of their creation; the first takes position 1. It is the block number's, the only leaf that
    /// is created with an empty value. It exists from genesis because blocks and batches would create it at different
    /// places: a block at its end, a batch at its own.
    pub fn leaves(&self) -> impl Iterator<Item = GenesisLeaf> + '_ {
        let accounts = self.accounts.iter().flat_map(|(address, account)| {
            let value = account.value();
            let own = (!value.is_empty()).then(|| (LeafId::Account(*address), value.to_fields()));
            let storage = account
                .storage
                .iter()
                .map(|(slot, v)| (LeafId::Storage(*address, *slot), storage_to_fields(*v)));
            own.into_iter().chain(storage)
        });
        std::iter::once((block_number_leaf(), storage_to_fields(U256::ZERO))).chain(accounts)
    }

    /// The development chain: anvil's ten accounts (mnemonic "test … test junk") with 10,000 ETH each.
    #[must_use]
    pub fn devnet() -> Self {
        let account = GenesisAccount { balance: devnet_balance_wei(), ..GenesisAccount::default() };
        Self {
            chain_id: DEVNET_CHAIN_ID,
            accounts: DEVNET_ACCOUNTS.iter().map(|a| (*a, account.clone())).collect(),
        }
    }
}

/// 10,000 ETH in wei.
fn devnet_balance_wei() -> U256 {
    U256::from(10_000u64) * U256::from(10u64).pow(U256::from(18u64))
}

/// Addresses of m/44'/60'/0'/0/0 to 9 of the mnemonic "test test test test test test test test test test test junk".
pub const DEVNET_ACCOUNTS: [Address; 10] = [
    address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

fn no_code(code: &Bytes) -> bool {
    code.is_empty()
}

fn number_or_string<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    let n = U256::deserialize(d)?;
    u64::try_from(n).map_err(|_| D::Error::custom("nonce does not fit 64 bits"))
}

fn accounts_to_map<S: Serializer>(v: &[(Address, GenesisAccount)], s: S) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(v.len()))?;
    for (address, account) in v {
        map.serialize_entry(address, account)?;
    }
    map.end()
}

/// Reads a map as its entries in the order of the file.
struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = Vec<(K, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(entry) = map.next_entry()? {
            out.push(entry);
        }
        Ok(out)
    }
}

fn accounts_from_map<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(Address, GenesisAccount)>, D::Error> {
    d.deserialize_map(Entries(PhantomData))
}

fn unique_storage<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<U256, U256>, D::Error> {
    let mut out = BTreeMap::new();
    for (slot, value) in d.deserialize_map(Entries(PhantomData))? {
        if out.insert(slot, value).is_some() {
            return Err(D::Error::custom(format!("storage slot {slot} appears twice")));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_devnet_round_trip() {
        let genesis = Genesis::devnet();
        genesis.validate().unwrap();
        let json = serde_json::to_string_pretty(&genesis).unwrap();
        assert_eq!(Genesis::from_json(&json).unwrap(), genesis);
        assert_eq!(genesis.leaves().count(), 11);
        assert_eq!(genesis.accounts[0].1.balance, U256::from(10u64).pow(U256::from(22)));
    }

    #[test]
    fn accepts_file_order_and_storage_ascending() {
        let json = r#"{"chainId": 7, "accounts": {
            "0x0000000000000000000000000000000000000bbb": {"balance": "0x1", "nonce": 3, "code": "0x00"},
            "0x000000000000000000000000000000005ca1ab1e": {"storage": {"0x2": "0x5", "0x1": "6"}},
            "0x0000000000000000000000000000000000000aaa": {"balance": "17", "nonce": "0x2"}}}"#;
        let genesis = Genesis::from_json(json).unwrap();
        let b = address!("0x0000000000000000000000000000000000000bbb");
        let s = address!("0x000000000000000000000000000000005ca1ab1e");
        let a = address!("0x0000000000000000000000000000000000000aaa");
        let ids: Vec<_> = genesis.leaves().map(|(id, _)| id).collect();
        assert_eq!(
            ids,
            [
                block_number_leaf(),
                LeafId::Account(b),
                LeafId::Storage(s, U256::from(1)),
                LeafId::Storage(s, U256::from(2)),
                LeafId::Account(a)
            ]
        );
        assert_eq!(genesis.accounts[2].1.balance, U256::from(17));
        assert_eq!(genesis.accounts[2].1.nonce, 2);
    }

    #[test]
    fn rejects_each_rule_by_name() {
        let x = address!("0x00000000000000000000000000000000000000ff");
        let parse = |accounts: &str| {
            Genesis::from_json(&format!(r#"{{"chainId": 1, "accounts": {accounts}}}"#)).unwrap_err()
        };
        let entry = |body: &str| format!(r#"{{"{x}": {body}}}"#);
        assert_eq!(parse(&entry("{}")), GenesisError::EmptyAccount { address: x });
        assert_eq!(
            parse(&format!(r#"{{"{x}": {{"nonce": 1}}, "{x}": {{"nonce": 1}}}}"#)),
            GenesisError::DuplicateAccount { address: x }
        );
        assert_eq!(
            parse(&entry(r#"{"storage": {"0x1": "0x0"}}"#)),
            GenesisError::ZeroStorage { address: x, slot: U256::from(1) }
        );
        assert_eq!(
            parse(&entry(r#"{"nonce": "0xffffffffffffffff"}"#)),
            GenesisError::NonceOverflow { address: x }
        );
        assert_eq!(
            parse(&entry(r#"{"balance": "0x100000000000000000000000000000000"}"#)),
            GenesisError::SupplyTooLarge { supply_wei: U256::from(1) << 128usize }
        );
        let system = address!("0x000000000000000000000000000000005ca1ab1e");
        assert_eq!(
            parse(&format!(r#"{{"{system}": {{"storage": {{"0x0": "0x1"}}}}}}"#)),
            GenesisError::BlockNumberSlot { address: system, slot: U256::ZERO }
        );
        let two = address!("0x0000000000000000000000000000000000000002");
        assert_eq!(
            parse(&format!(r#"{{"{two}": {{"code": "0x00"}}}}"#)),
            GenesisError::PrecompileWithCode { address: two }
        );
        assert!(matches!(
            parse(&entry(r#"{"storage": {"0x1": "0x1", "0x01": "0x2"}}"#)),
            GenesisError::Malformed { .. }
        ));
        assert!(matches!(parse(&entry(r#"{"balnce": 1}"#)), GenesisError::Malformed { .. }));
        assert_eq!(Genesis::from_json(r#"{"chainId": 0, "accounts": {}}"#), Err(GenesisError::ZeroChainId));
    }
}
