//! The checks that need no account.

use alloy_primitives::{Address, B256};
use cairn_protocol::{
    constants::MAX_TRANSACTIONS_BYTE_LENGTH,
    transfer::{NotProvable, check_stateless, is_precompile},
    tx::{DecodedTx, decode_tx},
};

use super::{PoolConfig, PoolError};
use crate::{admission::Admission, counters::BatchMeter};

/// A transaction that passed every check that needs no account.
#[derive(Clone, Debug)]
pub struct ValidTx {
    pub tx: DecodedTx,
    pub sender: Address,
    pub hash: B256,
}

impl ValidTx {
    /// Decodes and checks one raw transaction. Expensive (a signature): done outside any lock.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn new(raw: &[u8], config: &PoolConfig) -> Result<Self, PoolError> {
        // A transaction that fits no batch would block the queue for ever.
        let limit = config.max_transaction_bytes.min(MAX_TRANSACTIONS_BYTE_LENGTH);
        if raw.len() > limit {
            return Err(PoolError::Oversized { got: raw.len(), limit });
        }
        let tx = decode_tx(raw)?;
        check_stateless(&tx, config.chain_id)?;
        let sender = tx.recover_sender()?;
        if config.admission == Admission::Provable {
            let recipient = tx.to.ok_or(NotProvable::Creation)?;
            if !tx.access_list.is_empty() {
                return Err(NotProvable::AccessList.into());
            }
            if is_precompile(recipient) {
                return Err(NotProvable::PrecompileRecipient { address: recipient }.into());
            }
            BatchMeter::single(&tx, sender, config.coinbase).fits(&config.room.capacity)?;
        }
        let hash = tx.tx_hash();
        Ok(Self { tx, sender, hash })
    }
}
