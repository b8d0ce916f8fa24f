//! What a run of revm means for the tree: leaves that were touched, leaves to write, code to keep.

use std::collections::HashSet;

use alloy_primitives::Address;
use cairn_protocol::{
    Fr,
    access::{AccessRecorder, BlockAccess},
    code::code_hash,
    constants::KECCAK_EMPTY,
    leaf::{AccountValue, LeafId, storage_to_fields},
};
use cairn_state::{BlockChanges, StateError};
use revm::state::{Account, EvmState};
use thiserror::Error;

use crate::{pending::ReadState, trail::Trail};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Every access in order, so that who applies them decides positions as here; and code.
    pub changes: BlockChanges,
    /// What those accesses come to.
    pub access: BlockAccess,
    /// The leaf count after them.
    pub leaf_count: u64,
}

/// Why the effects are not known.
#[derive(Debug, Error)]
pub enum EffectsError {
    #[error(transparent)]
    State(#[from] StateError),
    /// A fault of this software: the record does not cover what revm did.
    #[error("revm changed {id:?}, and the run's record does not say that it was touched")]
    NotRecorded { id: LeafId },
    /// A fault of this software, as above.
    #[error("revm left a value in the absent {id:?}, and the run's record does not say when")]
    CreationNotRecorded { id: LeafId },
}

/// The effects of a transaction on the state before it, whose fees go to `coinbase`.
///
/// # Errors
/// See [`EffectsError`].
pub fn effects(
    after: &EvmState,
    mut trail: Trail,
    before: &dyn ReadState,
    coinbase: Address,
) -> Result<Effects, EffectsError> {
    let coinbase = LeafId::Account(coinbase);
    trail.touch(coinbase);
    check_recorded(after, &trail)?;
    let mut changes = BlockChanges::new();
    trail.touched().iter().for_each(|id| changes.read(*id));
    // The first lasting value of each new leaf, so that leaves are created in that order; the last values follow.
    let mut created = HashSet::new();
    for (id, value) in trail.creations() {
        if before.find_leaf(id)?.is_none() {
            changes.write(*id, *value);
            created.insert(*id);
        }
    }
    // The fee is the last write: if it creates the coinbase's leaf, that comes after every other.
    for id in trail.touched().iter().filter(|id| **id != coinbase).chain([&coinbase]) {
        let old = before.find_leaf(id)?.map(|(_, value)| value);
        let Some(value) = last_value(after, before, id, &mut changes)? else { continue };
        if old.is_none() && value != <[Fr; 3]>::default() && !created.contains(id) && *id != coinbase {
            return Err(EffectsError::CreationNotRecorded { id: *id });
        }
        if value != old.unwrap_or_default() || created.contains(id) {
            changes.write(*id, value);
        }
    }
    let mut recorder = AccessRecorder::new(before.leaf_count());
    for access in &changes.accesses {
        recorder.access(*access, || before.find_leaf(&access.0))?;
    }
    Ok(Effects { changes, leaf_count: recorder.leaf_count(), access: recorder.finish() })
}

/// Whatever revm holds was noted.
fn check_recorded(after: &EvmState, trail: &Trail) -> Result<(), EffectsError> {
    for (address, account) in after {
        let slots = account.storage.keys().map(|slot| LeafId::Storage(*address, *slot));
        if let Some(id) = std::iter::once(LeafId::Account(*address)).chain(slots).find(|id| !trail.has(id)) {
            return Err(EffectsError::NotRecorded { id });
        }
    }
    Ok(())
}

/// What a leaf holds after the run, `None` if the run left it as it was. New code is added to `changes`.
fn last_value(
    after: &EvmState,
    before: &dyn ReadState,
    id: &LeafId,
    changes: &mut BlockChanges,
) -> Result<Option<[Fr; 3]>, StateError> {
    let (LeafId::Account(address) | LeafId::Storage(address, _)) = *id;
    let Some(account) = after.get(&address) else { return Ok(None) };
    // EIP-6780: only a contract of this very transaction is destroyed; it leaves nothing.
    let destroyed = account.is_selfdestructed();
    match id {
        LeafId::Account(_) if !account.is_touched() => Ok(None),
        _ if destroyed => Ok(Some(<[Fr; 3]>::default())),
        LeafId::Account(_) => Ok(Some(account_value(address, account, before, changes)?.to_fields())),
        LeafId::Storage(_, slot) => {
            Ok(account.storage.get(slot).map(|slot| storage_to_fields(slot.present_value)))
        }
    }
}

/// An account as the tree commits to it.
fn account_value(
    address: Address,
    account: &Account,
    before: &dyn ReadState,
    changes: &mut BlockChanges,
) -> Result<AccountValue, StateError> {
    let keccak = account.info.code_hash;
    let code_hash = if keccak == KECCAK_EMPTY || keccak.is_zero() {
        AccountValue::default().code_hash
    } else if let Some(old) = before.account(address)?.filter(|a| a.keccak_code_hash == keccak) {
        old.code_hash
    } else {
        let code = account.info.code.as_ref().map(|c| c.original_bytes()).unwrap_or_default();
        let hash = code_hash(&code);
        changes.add_code(code);
        hash
    };
    Ok(AccountValue { nonce: account.info.nonce, balance: account.info.balance, code_hash })
}
