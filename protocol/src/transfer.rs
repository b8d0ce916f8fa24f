//! The state transition of a plain transfer: one set of formulas for sequencer and witness generation.
//!
//! A plain transfer is a call without access list to an account without code. Rules of Cancun at base fee 0:
//!
//! ```text
//! gas   = intrinsic gas                       price = gas price, or priority fee of EIP-1559
//! valid : chain id, priority ≤ max fee, intrinsic ≤ gas limit ≤ block's, nonce, no sender code,
//!         balance(sender) ≥ value + gas limit · max fee
//! then  : sender    nonce += 1, balance −= value + gas · price
//!         recipient balance += value
//!         coinbase  balance += gas · price
//! ```
//!
//! The three accesses happen in this order, each on what the one before left behind, so sender, recipient and
//! coinbase may be the same account. An absent account that is still empty afterwards stays absent (EIP-161); any
//! other absent account gets its position from the [`LeafAllocator`] at its access.
//!
//! Checks of validity come before checks of provability: an invalid transaction is skipped in a batch whether or
//! not it could be proven. One difference to revm is allowed: revm refuses gas limit · max fee ≥ 2¹²⁸ by itself,
//! here it is compared with the balance. A genesis holds less than 2¹²⁸ wei in total, so both refuse.

use alloy_primitives::{Address, U256};
use ark_ff::Zero;
use thiserror::Error;

use crate::{
    access::LeafAllocator,
    constants::{BLOCK_GAS_LIMIT, LAST_PRECOMPILE, MAX_INITCODE_SIZE},
    leaf::AccountValue,
    tx::DecodedTx,
};

/// Reads accounts as they are before a transaction.
pub trait AccountReader {
    /// What a read may fail with.
    type Error;
    /// Value and leaf position of an account, `None` if it has no leaf.
    ///
    /// # Errors
    /// If the underlying store fails.
    fn read_account(&self, address: Address) -> Result<Option<(AccountValue, u64)>, Self::Error>;
}

/// A rule that the transaction breaks: it is refused by the pool, and skipped without effect in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidTx {
    #[error("chain id is {got}, expected {expected}")]
    ChainIdMismatch { expected: u64, got: u64 },
    #[error("max priority fee per gas ({priority_wei} wei) is above max fee per gas ({max_wei} wei)")]
    PriorityFeeAboveMaxFee { priority_wei: u128, max_wei: u128 },
    #[error("gas limit {gas_limit} is above the block's {block_gas_limit}")]
    GasLimitAboveBlock { gas_limit: u64, block_gas_limit: u64 },
    #[error("init code of {length} bytes is longer than {max}")]
    InitcodeTooLong { length: usize, max: usize },
    #[error("nonce is 2^64 - 1, the largest allowed is 2^64 - 2 (EIP-2681)")]
    NonceOverflow,
    #[error("gas limit {gas_limit} is below the intrinsic gas {intrinsic_gas}")]
    GasBelowIntrinsic { gas_limit: u64, intrinsic_gas: u64 },
    #[error("sender {sender} has code (EIP-3607)")]
    SenderHasCode { sender: Address },
    #[error("nonce too low: account is at {account}, transaction has {tx}")]
    NonceTooLow { account: u64, tx: u64 },
    #[error("nonce too high: account is at {account}, transaction has {tx}")]
    NonceTooHigh { account: u64, tx: u64 },
    /// `cost_wei` is 2²⁵⁶ − 1 if the cost is larger than that.
    #[error("insufficient funds: balance {balance_wei} wei, cost {cost_wei} wei")]
    InsufficientFunds { balance_wei: U256, cost_wei: U256 },
}

/// Why no circuit can prove a valid transaction yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotProvable {
    #[error("contract creation is not provable yet")]
    Creation,
    #[error("an access list is not provable yet")]
    AccessList,
    #[error("a call to the precompile {address} is not provable yet")]
    PrecompileRecipient { address: Address },
    #[error("a call to {address}, which has code, is not provable yet")]
    RecipientHasCode { address: Address },
    #[error("the balance of {address} would reach 2^256 wei")]
    BalanceOverflow { address: Address },
}

/// Why a transfer does not execute. `E` is the error of the account reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransferError<E> {
    #[error(transparent)]
    Invalid(#[from] InvalidTx),
    #[error(transparent)]
    NotProvable(#[from] NotProvable),
    #[error("account could not be read: {0}")]
    Read(E),
}

/// The part of a batch that a transfer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferContext {
    pub chain_id: u64,
    pub coinbase: Address,
}

/// The role in which a transfer accesses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferRole {
    Sender,
    Recipient,
    Coinbase,
}

/// One access to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountAccess {
    pub role: TransferRole,
    pub address: Address,
    pub old: AccountValue,
    /// Leaf position before the access, 0 if absent.
    pub old_index: u64,
    pub new: AccountValue,
    /// Leaf position after the access, 0 if absent.
    pub new_index: u64,
    /// The access created the account's leaf.
    pub created: bool,
}

/// What a transfer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferOutcome {
    /// Sender, recipient, coinbase, in the order of execution.
    pub accesses: [AccountAccess; 3],
    pub gas_used: u64,
    pub gas_price_wei: u128,
    /// Gas used times gas price.
    pub fee_wei: U256,
    /// The leaf count after the transfer.
    pub leaf_count: u64,
}

/// Whether `address` is one of Cancun's precompiles.
#[must_use]
pub fn is_precompile(address: Address) -> bool {
    let n = U256::from_be_slice(address.as_slice());
    !n.is_zero() && n <= U256::from(LAST_PRECOMPILE)
}

/// The checks that need no state.
///
/// # Errors
/// The first rule that is broken, in revm's order.
pub fn check_stateless(tx: &DecodedTx, chain_id: u64) -> Result<(), InvalidTx> {
    if let Some(got) = tx.chain_id
        && got != chain_id
    {
        return Err(InvalidTx::ChainIdMismatch { expected: chain_id, got });
    }
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas {
        return Err(InvalidTx::PriorityFeeAboveMaxFee {
            priority_wei: tx.max_priority_fee_per_gas,
            max_wei: tx.max_fee_per_gas,
        });
    }
    if tx.gas_limit > BLOCK_GAS_LIMIT {
        return Err(InvalidTx::GasLimitAboveBlock {
            gas_limit: tx.gas_limit,
            block_gas_limit: BLOCK_GAS_LIMIT,
        });
    }
    if tx.to.is_none() && tx.data.len() > MAX_INITCODE_SIZE {
        return Err(InvalidTx::InitcodeTooLong { length: tx.data.len(), max: MAX_INITCODE_SIZE });
    }
    if tx.nonce == u64::MAX {
        return Err(InvalidTx::NonceOverflow);
    }
    let intrinsic_gas = tx.intrinsic_gas();
    if intrinsic_gas > tx.gas_limit {
        return Err(InvalidTx::GasBelowIntrinsic { gas_limit: tx.gas_limit, intrinsic_gas });
    }
    Ok(())
}

/// The largest amount that the transaction may cost its sender, in wei: value + gas limit · max fee. `None` if that
/// is 2²⁵⁶ or more.
#[must_use]
pub fn max_cost_wei(tx: &DecodedTx) -> Option<U256> {
    // 64 + 128 bits: the product fits.
    (U256::from(tx.gas_limit) * U256::from(tx.max_fee_per_gas)).checked_add(tx.value)
}

/// The checks against the sender's account.
///
/// # Errors
/// The first rule that is broken, in revm's order.
pub fn check_sender(tx: &DecodedTx, sender: Address, account: &AccountValue) -> Result<(), InvalidTx> {
    if !account.code_hash.is_zero() {
        return Err(InvalidTx::SenderHasCode { sender });
    }
    if tx.nonce < account.nonce {
        return Err(InvalidTx::NonceTooLow { account: account.nonce, tx: tx.nonce });
    }
    if tx.nonce > account.nonce {
        return Err(InvalidTx::NonceTooHigh { account: account.nonce, tx: tx.nonce });
    }
    let cost = max_cost_wei(tx);
    if cost.is_none_or(|cost| cost > account.balance) {
        return Err(InvalidTx::InsufficientFunds {
            balance_wei: account.balance,
            cost_wei: cost.unwrap_or(U256::MAX),
        });
    }
    Ok(())
}

/// The accounts that the transaction has already accessed, over those of the reader.
struct Overlay<'a, R: ?Sized> {
    reader: &'a R,
    seen: Vec<(Address, AccountValue, u64)>,
    leaves: LeafAllocator,
}

impl<R: AccountReader + ?Sized> Overlay<'_, R> {
    /// Value and leaf position; an absent account is empty at position 0.
    fn get(&self, address: Address) -> Result<(AccountValue, u64), TransferError<R::Error>> {
        if let Some(&(_, value, index)) = self.seen.iter().rev().find(|(a, ..)| *a == address) {
            return Ok((value, index));
        }
        Ok(self.reader.read_account(address).map_err(TransferError::Read)?.unwrap_or_default())
    }

    fn access(
        &mut self,
        role: TransferRole,
        address: Address,
        change: impl FnOnce(&mut AccountValue) -> Option<()>,
    ) -> Result<AccountAccess, TransferError<R::Error>> {
        let (old, old_index) = self.get(address)?;
        let mut new = old;
        change(&mut new).ok_or(NotProvable::BalanceOverflow { address })?;
        let new_index = self.leaves.write(old_index, new.is_empty());
        let created = new_index != old_index;
        self.seen.push((address, new, new_index));
        Ok(AccountAccess { role, address, old, old_index, new, new_index, created })
    }
}

/// Executes a plain transfer from `sender` on the accounts of `reader`. Nothing is written: the caller applies the
/// accesses. `leaf_count` is the position that the next new leaf takes.
///
/// # Errors
/// See [`TransferError`]; the state is then unchanged.
pub fn apply_transfer<R: AccountReader + ?Sized>(
    tx: &DecodedTx,
    sender: Address,
    context: &TransferContext,
    reader: &R,
    leaf_count: u64,
) -> Result<TransferOutcome, TransferError<R::Error>> {
    let mut accounts =
        Overlay { reader, seen: Vec::with_capacity(3), leaves: LeafAllocator::new(leaf_count) };
    check_stateless(tx, context.chain_id)?;
    check_sender(tx, sender, &accounts.get(sender)?.0)?;

    let recipient = tx.to.ok_or(NotProvable::Creation)?;
    if !tx.access_list.is_empty() {
        return Err(NotProvable::AccessList.into());
    }
    if is_precompile(recipient) {
        return Err(NotProvable::PrecompileRecipient { address: recipient }.into());
    }
    if !accounts.get(recipient)?.0.code_hash.is_zero() {
        return Err(NotProvable::RecipientHasCode { address: recipient }.into());
    }

    let gas_used = tx.intrinsic_gas();
    let gas_price_wei = tx.effective_gas_price();
    let fee_wei = U256::from(gas_used) * U256::from(gas_price_wei);
    // The sender's checks bound value + fee by the balance and the nonce by 2⁶⁴ − 2: `None` does not occur here.
    let paid = accounts.access(TransferRole::Sender, sender, |a| {
        a.nonce = a.nonce.checked_add(1)?;
        a.balance = a.balance.checked_sub(tx.value)?.checked_sub(fee_wei)?;
        Some(())
    })?;
    let received = accounts.access(TransferRole::Recipient, recipient, |a| {
        a.balance = a.balance.checked_add(tx.value)?;
        Some(())
    })?;
    let earned = accounts.access(TransferRole::Coinbase, context.coinbase, |a| {
        a.balance = a.balance.checked_add(fee_wei)?;
        Some(())
    })?;
    Ok(TransferOutcome {
        accesses: [paid, received, earned],
        gas_used,
        gas_price_wei,
        fee_wei,
        leaf_count: accounts.leaves.leaf_count(),
    })
}
