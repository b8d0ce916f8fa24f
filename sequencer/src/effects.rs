//! What revm's state after a transaction means for the tree: leaves to write, code to keep, leaves that were touched.
//!
//! Order of new leaves: sender, recipient or created contract, then the other accounts by address, the coinbase last;
//! after an account's leaf its slots, ascending. For a plain transfer that is the order of the transfer formulas.

use alloy_primitives::{Address, U256};
use cairn_protocol::{
    code::code_hash,
    constants::KECCAK_EMPTY,
    leaf::{AccountValue, LeafId, storage_to_fields},
};
use cairn_state::{BlockChanges, StateError};
use revm::state::{Account, EvmState};

use crate::pending::ReadState;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    pub changes: BlockChanges,
    /// Every leaf that was read or written, once, and whether it is created.
    pub touched: Vec<(LeafId, bool)>,
}

/// The effects of a transaction whose first accounts are `first` and whose fees go to `coinbase`.
///
/// # Errors
/// If the state before the transaction cannot be read.
pub fn effects(
    after: &EvmState,
    before: &dyn ReadState,
    first: [Address; 2],
    coinbase: Address,
) -> Result<Effects, StateError> {
    let mut order: Vec<Address> = Vec::with_capacity(after.len());
    let mut rest: Vec<Address> = after.keys().copied().filter(|a| *a != coinbase).collect();
    rest.sort_unstable();
    for address in first.into_iter().chain(rest).chain([coinbase]) {
        if after.contains_key(&address) && !order.contains(&address) {
            order.push(address);
        }
    }
    let mut effects = Effects::default();
    for address in order {
        if let Some(account) = after.get(&address) {
            effects.account(address, account, before)?;
        }
    }
    Ok(effects)
}

impl Effects {
    fn account(
        &mut self,
        address: Address,
        account: &Account,
        before: &dyn ReadState,
    ) -> Result<(), StateError> {
        let id = LeafId::Account(address);
        let old = before.account(address)?;
        let old_value = old.map_or_else(AccountValue::default, |a| a.value());
        // EIP-6780: only a contract of this very transaction is destroyed; it leaves nothing.
        let destroyed = account.is_selfdestructed();
        let new_value = if !account.is_touched() {
            old_value
        } else if destroyed {
            AccountValue::default()
        } else {
            let keccak = account.info.code_hash;
            let code_hash = if keccak == KECCAK_EMPTY || keccak.is_zero() {
                AccountValue::default().code_hash
            } else if let Some(old) = old.filter(|a| a.keccak_code_hash == keccak) {
                old.code_hash
            } else {
                let code = account.info.code.as_ref().map(|c| c.original_bytes()).unwrap_or_default();
                let hash = code_hash(&code);
                self.changes.add_code(code);
                hash
            };
            AccountValue { nonce: account.info.nonce, balance: account.info.balance, code_hash }
        };
        self.touched.push((id, !before.has_leaf(&id)? && !new_value.is_empty()));
        if new_value != old_value {
            self.changes.set_account(address, &new_value);
        }
        let mut slots: Vec<_> = account.storage.iter().collect();
        slots.sort_unstable_by_key(|(slot, _)| **slot);
        for (slot, value) in slots {
            let present = if destroyed { U256::ZERO } else { value.present_value };
            let id = LeafId::Storage(address, *slot);
            self.touched.push((id, !before.has_leaf(&id)? && !present.is_zero()));
            if present != value.original_value {
                self.changes.writes.push((id, storage_to_fields(present)));
            }
        }
        Ok(())
    }
}
