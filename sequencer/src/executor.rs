//! Executes one transaction as one L2 block.
//!
//! Where everything is proven, it is executed twice: by the formulas of [`apply_transfer`], which the circuit proves, and
//! in revm. The results must be equal in every account, in gas and in status, or the executor refuses to go on. Where
//! nothing is proven, revm alone decides ([`Admission::Everything`]).

use alloy_primitives::{Address, B256, Log, U256};
use cairn_protocol::{
    access::{AccessRecorder, BlockAccess},
    constants::KECCAK_EMPTY,
    leaf::{AccountValue, LeafId},
    transfer::{
        InvalidTx, NotProvable, TransferContext, TransferError, TransferOutcome, apply_transfer,
        check_sender, check_stateless,
    },
    tx::DecodedTx,
};
use cairn_state::BlockChanges;
use revm::{
    context::result::{EVMError, ExecutionResult, InvalidTransaction},
    state::EvmState,
};
use thiserror::Error;

use crate::{
    admission::Admission,
    counters::Work,
    effects::{EffectsError, effects},
    evm::{BlockContext, EvmDb, RecordedRun, ViewError, run, run_recorded},
    usage::EvmUsage,
};

/// What a block's transaction left besides the state.
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
    /// Its accesses to the tree in order, and code.
    pub changes: BlockChanges,
    /// What those accesses come to: the transaction's part of its block's record.
    pub access: BlockAccess,
    pub usage: EvmUsage,
    /// The leaf count after it.
    pub leaf_count: u64,
}

impl Executed {
    /// What it adds to its batch.
    #[must_use]
    pub fn work<'a>(&'a self, tx: &'a DecodedTx) -> Work<'a> {
        Work { tx, access: &self.access, usage: self.usage }
    }

    /// `leaf_count` is that before the transfer.
    fn of_transfer(outcome: &TransferOutcome, leaf_count: u64) -> Self {
        let mut changes = BlockChanges::new();
        let mut recorder = AccessRecorder::new(leaf_count);
        for access in &outcome.accesses {
            changes.set_account(access.address, &access.new);
            let before = (access.old_index != 0).then(|| (access.old_index, access.old.to_fields()));
            let write = (LeafId::Account(access.address), Some(access.new.to_fields()));
            recorder.access_known(write, before);
        }
        Self {
            receipt: Receipt {
                success: true,
                gas_used: outcome.gas_used,
                gas_price_wei: outcome.gas_price_wei,
                logs: Vec::new(),
            },
            changes,
            access: recorder.finish(),
            usage: EvmUsage::default(),
            leaf_count: outcome.leaf_count,
        }
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
    /// revm has a rule that the checks before it do not have.
    #[error("refused by the EVM: {reason}")]
    Refused { reason: InvalidTransaction },
    #[error("revm failed: {message}")]
    Revm { message: String },
    /// A fault of this software: no block may be built on it.
    #[error("execution diverges: {0}")]
    Diverges(#[from] Divergence),
    /// A fault of this software, as above.
    #[error("execution is not recorded as a whole: {0}")]
    Effects(EffectsError),
}

/// Executes `tx` of `sender` on the state before it.
///
/// # Errors
/// [`ExecuteError::Invalid`], [`ExecuteError::NotProvable`] and [`ExecuteError::Refused`] speak of the transaction, the
/// others of the node.
pub fn execute(
    tx: &DecodedTx,
    sender: Address,
    context: &BlockContext,
    db: EvmDb<'_>,
    admission: Admission,
) -> Result<Executed, ExecuteError> {
    match admission {
        Admission::Provable => execute_transfer(tx, sender, context, db),
        Admission::Everything => execute_anything(tx, sender, context, db),
    }
}

fn execute_transfer(
    tx: &DecodedTx,
    sender: Address,
    context: &BlockContext,
    db: EvmDb<'_>,
) -> Result<Executed, ExecuteError> {
    let transfer = TransferContext { chain_id: context.chain_id, coinbase: context.coinbase };
    let leaf_count = db.state.leaf_count();
    let outcome = apply_transfer(tx, sender, &transfer, db.state, leaf_count).map_err(|e| match e {
        TransferError::Invalid(e) => ExecuteError::Invalid(e),
        TransferError::NotProvable(e) => ExecuteError::NotProvable(e),
        TransferError::Read(e) => ExecuteError::View(e.into()),
    })?;
    let result = run(db, context, tx, sender).map_err(|e| match e {
        EVMError::Transaction(reason) => Divergence::Refused { reason }.into(),
        other => evm_failed(other),
    })?;
    compare(&outcome, &result.result, &result.state)?;
    Ok(Executed::of_transfer(&outcome, leaf_count))
}

fn execute_anything(
    tx: &DecodedTx,
    sender: Address,
    context: &BlockContext,
    db: EvmDb<'_>,
) -> Result<Executed, ExecuteError> {
    // The same rules in the same words as where everything is proven.
    check_stateless(tx, context.chain_id)?;
    let account = db.state.read_account(sender).map_err(ViewError::from)?;
    check_sender(tx, sender, &account.map(|(value, _)| value).unwrap_or_default())?;
    let RecordedRun { out, usage, trail } = run_recorded(db, context, tx, sender).map_err(|e| match e {
        EVMError::Transaction(reason) => ExecuteError::Refused { reason },
        other => evm_failed(other),
    })?;
    let effects = effects(&out.state, trail, db.state, context.coinbase).map_err(|e| match e {
        EffectsError::State(e) => ExecuteError::View(e.into()),
        e => ExecuteError::Effects(e),
    })?;
    Ok(Executed {
        receipt: Receipt {
            success: out.result.is_success(),
            gas_used: out.result.gas().tx_gas_used(),
            gas_price_wei: tx.effective_gas_price(),
            logs: out.result.into_logs(),
        },
        changes: effects.changes,
        access: effects.access,
        usage,
        leaf_count: effects.leaf_count,
    })
}

fn evm_failed(error: EVMError<ViewError>) -> ExecuteError {
    match error {
        EVMError::Database(e) => ExecuteError::View(e),
        e => ExecuteError::Revm { message: e.to_string() },
    }
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
