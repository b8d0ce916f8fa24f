//! Executes one transaction as one L2 block, twice: by the formulas of [`apply_transfer`], which the circuit proves,
//! and in revm. The results must be equal in every account, in gas and in status, or the executor refuses to go on.

use alloy_primitives::{Address, B256, Log, U256};
use cairn_protocol::{
    constants::KECCAK_EMPTY,
    leaf::AccountValue,
    transfer::{InvalidTx, NotProvable, TransferContext, TransferError, TransferOutcome, apply_transfer},
    tx::DecodedTx,
};
use cairn_state::TreeReader;
use revm::{
    context::result::{EVMError, ExecutionResult, InvalidTransaction},
    state::EvmState,
};
use thiserror::Error;

use crate::evm::{BlockContext, EvmDb, ViewError, run};

/// What a block's transaction left besides accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub success: bool,
    pub gas_used: u64,
    /// In wei.
    pub gas_price_wei: u128,
    pub logs: Vec<Log>,
}

/// An executed transaction. Nothing is written yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    pub receipt: Receipt,
    /// Accesses in the order in which leaves are created.
    pub outcome: TransferOutcome,
}

impl Executed {
    /// Values to write, in the order in which absent leaves are created. Accounts that are empty are left out: they
    /// have no leaf (EIP-161).
    pub fn writes(&self) -> impl Iterator<Item = (Address, AccountValue)> + '_ {
        self.outcome.accesses.iter().filter(|a| !a.new.is_empty()).map(|a| (a.address, a.new))
    }
}

/// Where revm and the transfer formulas part.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Divergence {
    #[error("revm refuses the transaction: {reason}")]
    Refused { reason: InvalidTransaction },
    #[error("revm ends the transaction without success")]
    NotSuccessful,
    #[error("gas used: revm {revm}, transfer {transfer}")]
    GasUsed { revm: u64, transfer: u64 },
    #[error("revm emits {count} logs")]
    Logs { count: usize },
    #[error(
        "account {address}: revm has nonce {revm_nonce} and balance {revm_balance}, the transfer {nonce} and {balance}"
    )]
    Account { address: Address, revm_nonce: u64, revm_balance: U256, nonce: u64, balance: U256 },
    #[error("revm changes account {address}, the transfer does not")]
    UnexpectedAccount { address: Address },
    #[error("revm changes storage of {address}")]
    Storage { address: Address },
    #[error("revm gives {address} the code {code_hash}")]
    Code { address: Address, code_hash: B256 },
}

/// Why a transaction does not become a block.
#[derive(Debug, Error)]
pub enum ExecuteError {
    #[error(transparent)]
    Invalid(#[from] InvalidTx),
    #[error(transparent)]
    NotProvable(#[from] NotProvable),
    #[error("state could not be read: {0}")]
    View(#[from] ViewError),
    #[error("revm failed: {message}")]
    Revm { message: String },
    /// A fault of this software: no block may be built on it.
    #[error("execution diverges: {0}")]
    Diverges(#[from] Divergence),
}

/// Executes `tx` of `sender` on the state before it.
///
/// # Errors
/// [`ExecuteError::Invalid`] and [`ExecuteError::NotProvable`] speak of the transaction, the others of the node.
pub fn execute(
    tx: &DecodedTx,
    sender: Address,
    context: &BlockContext,
    db: EvmDb<'_>,
) -> Result<Executed, ExecuteError> {
    let transfer = TransferContext { chain_id: context.chain_id, coinbase: context.coinbase };
    let leaf_count = db.state.commitment().leaf_count;
    let outcome = apply_transfer(tx, sender, &transfer, db.state, leaf_count).map_err(|e| match e {
        TransferError::Invalid(e) => ExecuteError::Invalid(e),
        TransferError::NotProvable(e) => ExecuteError::NotProvable(e),
        TransferError::Read(e) => ExecuteError::View(e.into()),
    })?;
    let result = run(db, context, tx, sender).map_err(|e| match e {
        EVMError::Transaction(reason) => Divergence::Refused { reason }.into(),
        EVMError::Database(e) => ExecuteError::View(e),
        e @ (EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_)) => {
            ExecuteError::Revm { message: e.to_string() }
        }
    })?;
    compare(&outcome, &result.result, &result.state)?;
    let receipt = Receipt {
        success: true,
        gas_used: outcome.gas_used,
        gas_price_wei: outcome.gas_price_wei,
        logs: Vec::new(),
    };
    Ok(Executed { receipt, outcome })
}

/// Holds revm's result to the transfer's.
fn compare(outcome: &TransferOutcome, result: &ExecutionResult, state: &EvmState) -> Result<(), Divergence> {
    let ExecutionResult::Success { gas, logs, .. } = result else {
        return Err(Divergence::NotSuccessful);
    };
    if gas.tx_gas_used() != outcome.gas_used {
        return Err(Divergence::GasUsed { revm: gas.tx_gas_used(), transfer: outcome.gas_used });
    }
    if !logs.is_empty() {
        return Err(Divergence::Logs { count: logs.len() });
    }
    for access in &outcome.accesses {
        let address = access.address;
        // The last access to an address has its final value.
        let AccountValue { nonce, balance, .. } = final_value(outcome, address).unwrap_or_default();
        let (revm_nonce, revm_balance) = match state.get(&address) {
            Some(account) => (account.info.nonce, account.info.balance),
            // revm does not touch an account that gains nothing.
            None => (access.old.nonce, access.old.balance),
        };
        if (revm_nonce, revm_balance) != (nonce, balance) {
            return Err(Divergence::Account { address, revm_nonce, revm_balance, nonce, balance });
        }
    }
    for (&address, account) in state {
        if account.changed_storage_slots().next().is_some() {
            return Err(Divergence::Storage { address });
        }
        if !account.is_touched() {
            continue;
        }
        let original = account.original_info();
        if account.info.code_hash != original.code_hash
            && !(account.info.code_hash == KECCAK_EMPTY || account.info.code_hash.is_zero())
        {
            return Err(Divergence::Code { address, code_hash: account.info.code_hash });
        }
        let changed = (account.info.nonce, account.info.balance) != (original.nonce, original.balance);
        if changed && final_value(outcome, address).is_none() {
            return Err(Divergence::UnexpectedAccount { address });
        }
    }
    Ok(())
}

fn final_value(outcome: &TransferOutcome, address: Address) -> Option<AccountValue> {
    outcome.accesses.iter().rev().find(|a| a.address == address).map(|a| a.new)
}
