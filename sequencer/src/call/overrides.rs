//! What a call may pretend: other accounts (`stateOverrides`) and another block (`blockOverrides`), with geth's rules.
//! Source: go-ethereum, internal/ethapi/override.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, map::AddressHashMap};
use alloy_rpc_types_eth::{
    BlockOverrides,
    state::{AccountOverride, StateOverride},
};
use revm::{
    DatabaseRef,
    context_interface::block::BlobExcessGasAndPrice,
    state::{AccountInfo, Bytecode},
};

use super::error::OverrideError;
use crate::evm::{EvmDb, EvmEnv, ViewError};

/// The code and storage of an account that a call pretends; balance and nonce are in the override itself.
#[derive(Clone, Debug)]
struct Pretended {
    account: AccountOverride,
    code: Option<(B256, Bytecode)>,
}

/// A state with the overrides of one call on top.
#[derive(Clone)]
pub struct OverlayDb<'a> {
    below: EvmDb<'a>,
    accounts: AddressHashMap<Pretended>,
    block_hashes: BTreeMap<u64, B256>,
}

impl<'a> OverlayDb<'a> {
    /// A state as it is.
    #[must_use]
    pub fn new(below: EvmDb<'a>) -> Self {
        Self { below, accounts: AddressHashMap::default(), block_hashes: BTreeMap::new() }
    }

    /// Pretends accounts; precompiled contracts are moved in `env`.
    ///
    /// # Errors
    /// If the overrides contradict each other.
    pub(crate) fn pretend(
        &mut self,
        overrides: StateOverride,
        env: &mut EvmEnv,
    ) -> Result<(), OverrideError> {
        let mut taken = BTreeSet::new();
        for (&address, account) in &overrides {
            if account.state.is_some() && account.state_diff.is_some() {
                return Err(OverrideError::StateAndDiff { address });
            }
            let is_home = env.precompiles.is_home(address);
            if let Some(to) = account.move_precompile_to {
                if !is_home {
                    return Err(OverrideError::NotAPrecompile { address });
                }
                if overrides.contains_key(&to) || !taken.insert(to) {
                    return Err(OverrideError::AlreadyOverridden { address: to });
                }
                env.precompiles.copy(address, to);
            }
            // An overridden precompile is an ordinary account, whatever is overridden.
            if is_home {
                env.precompiles.remove(address);
            }
        }
        self.accounts.extend(overrides.into_iter().map(|(address, account)| {
            let code = account.code.clone().map(|code| {
                // Not `new_raw`: Cancun has no delegations, bytes 0xef01… are code that halts.
                let code = Bytecode::new_legacy(code);
                (code.hash_slow(), code)
            });
            (address, Pretended { account, code })
        }));
        Ok(())
    }

    /// Pretends a block, in `env`.
    ///
    /// # Errors
    /// A field that calls do not have, or a value that a block cannot have.
    pub(crate) fn pretend_block(
        &mut self,
        overrides: BlockOverrides,
        env: &mut EvmEnv,
    ) -> Result<(), OverrideError> {
        let BlockOverrides {
            number,
            difficulty,
            time,
            gas_limit,
            coinbase,
            random,
            base_fee,
            blob_base_fee,
            beacon_root,
            block_hash,
        } = overrides;
        if beacon_root.is_some() {
            return Err(OverrideError::NotSupported { field: "beaconRoot" });
        }
        let block = &mut env.block;
        block.number = number.unwrap_or(block.number);
        block.difficulty = difficulty.unwrap_or(block.difficulty);
        block.timestamp = time.map_or(block.timestamp, U256::from);
        block.gas_limit = gas_limit.unwrap_or(block.gas_limit);
        block.beneficiary = coinbase.unwrap_or(block.beneficiary);
        block.prevrandao = random.or(block.prevrandao);
        if let Some(fee) = base_fee {
            let limit = u128::from(u64::MAX);
            block.basefee =
                u64::try_from(fee).map_err(|_| OverrideError::TooLarge { field: "baseFeePerGas", limit })?;
        }
        if let Some(fee) = blob_base_fee {
            let limit = u128::MAX;
            let blob_gasprice =
                u128::try_from(fee).map_err(|_| OverrideError::TooLarge { field: "blobBaseFee", limit })?;
            let excess_blob_gas = block.blob_excess_gas_and_price.map_or(0, |blob| blob.excess_blob_gas);
            block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice });
        }
        self.block_hashes.extend(block_hash.unwrap_or_default());
        Ok(())
    }
}

impl DatabaseRef for OverlayDb<'_> {
    type Error = ViewError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ViewError> {
        let below = self.below.basic_ref(address)?;
        let Some(Pretended { account, code }) = self.accounts.get(&address) else { return Ok(below) };
        let mut info = below.unwrap_or_default();
        info.balance = account.balance.unwrap_or(info.balance);
        info.nonce = account.nonce.unwrap_or(info.nonce);
        if let Some((hash, code)) = code {
            info.code_hash = *hash;
            info.code = Some(code.clone());
        }
        Ok(Some(info))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, ViewError> {
        let pretended = self.accounts.values().filter_map(|p| p.code.as_ref());
        match pretended.into_iter().find(|(hash, _)| *hash == code_hash) {
            Some((_, code)) => Ok(code.clone()),
            None => self.below.code_by_hash_ref(code_hash),
        }
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let account = self.accounts.get(&address).map(|p| &p.account);
        let key = B256::from(slot);
        if let Some(state) = account.and_then(|a| a.state.as_ref()) {
            return Ok(state.get(&key).copied().unwrap_or_default().into());
        }
        match account.and_then(|a| a.state_diff.as_ref()).and_then(|diff| diff.get(&key)) {
            Some(value) => Ok((*value).into()),
            None => self.below.storage_ref(address, slot),
        }
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ViewError> {
        match self.block_hashes.get(&number) {
            Some(hash) => Ok(*hash),
            None => self.below.block_hash_ref(number),
        }
    }
}
