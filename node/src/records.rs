//! Records that no stage reads, for people who watch the chain: what a batch cost to prove and to settle, and which
//! blocks touch an address. A database without them works; it has less to show.

use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Address;
use cairn_protocol::tx::decode_tx;
use cairn_sequencer::shapes::ShapeId;
use cairn_state::Batch;
use serde::{Deserialize, Serialize};

use crate::{
    settlement::{Lane, Settled},
    storage::{Kind, Storage, StorageError, TxRecord, put},
};

/// Most addresses of logs that one transaction enters into the index.
const MAX_LOG_ADDRESSES: usize = 16;

/// What the proof of a batch took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofMeasure {
    /// Unix time in milliseconds.
    pub started_ms: u64,
    /// None while the proof is being made.
    pub seconds: Option<f64>,
    /// The shape that it is made in.
    pub shape: ShapeId,
}

/// What an L1 transaction of the rollup took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementMeasure {
    pub gas_used: u64,
    /// When the node learned of it, Unix time in milliseconds.
    pub settled_ms: u64,
}

/// Unix time in milliseconds; 0 before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// The id of a settlement's measure.
fn settlement_id(lane: Lane, last_batch: u64) -> [u8; 9] {
    let mut id = [0; 9];
    id[0] = match lane {
        Lane::Sequence => 0,
        Lane::Verify => 1,
    };
    id[1..].copy_from_slice(&last_batch.to_be_bytes());
    id
}

/// Adds what a proof took.
///
/// # Errors
/// If the record cannot be encoded.
pub fn put_proof(writes: &mut Batch, batch: u64, measure: &ProofMeasure) -> Result<(), StorageError> {
    put(writes, Kind::ProofMeasure, &batch.to_be_bytes(), measure)
}

/// Adds what an L1 transaction took.
///
/// # Errors
/// If the record cannot be encoded.
pub fn put_settlement(writes: &mut Batch, lane: Lane, settled: &Settled) -> Result<(), StorageError> {
    let measure = SettlementMeasure { gas_used: settled.gas_used, settled_ms: now_ms() };
    put(writes, Kind::SettlementMeasure, &settlement_id(lane, settled.last_batch), &measure)
}

/// Enters a block's transaction into the index of addresses: sender, recipient or created contract, and who logged.
///
/// # Errors
/// If the transaction does not decode or a record cannot be encoded.
pub fn address_index(writes: &mut Batch, number: u64, record: &TxRecord) -> Result<(), StorageError> {
    let tx = decode_tx(&record.raw).map_err(|source| StorageError::Transaction { number, source })?;
    let mut addresses = BTreeSet::from([record.sender]);
    addresses.insert(tx.to.unwrap_or_else(|| record.sender.create(tx.nonce)));
    let most = addresses.len() + MAX_LOG_ADDRESSES;
    for log in &record.logs {
        if addresses.len() < most {
            addresses.insert(log.address);
        }
    }
    for address in addresses {
        put(writes, Kind::AddressTransaction, &[address.as_slice(), &number.to_be_bytes()].concat(), &())?;
    }
    Ok(())
}

impl Storage {
    /// What the proof of a batch took.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn proof_measure(&self, batch: u64) -> Result<Option<ProofMeasure>, StorageError> {
        self.get(Kind::ProofMeasure, &batch.to_be_bytes())
    }

    /// What the L1 transaction took whose range ends at a batch.
    ///
    /// # Errors
    /// If the store fails or the record is damaged.
    pub fn settlement_measure(
        &self,
        lane: Lane,
        last_batch: u64,
    ) -> Result<Option<SettlementMeasure>, StorageError> {
        self.get(Kind::SettlementMeasure, &settlement_id(lane, last_batch))
    }

    /// Blocks below `before` that touch an address, newest first, at most `count`.
    ///
    /// # Errors
    /// If the store fails.
    pub fn blocks_of(&self, address: Address, before: u64, count: usize) -> Result<Vec<u64>, StorageError> {
        let Some(last) = before.checked_sub(1) else { return Ok(Vec::new()) };
        let ids = self.ids_back(Kind::AddressTransaction, address.as_slice(), &last.to_be_bytes(), count)?;
        ids.into_iter()
            .map(|id| id.try_into().map(u64::from_be_bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| StorageError::Missing { kind: Kind::AddressTransaction })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::{B256, Bytes, Log};
    use cairn_state::MemoryStore;

    use super::*;

    fn record(nonce: u8, to: Option<Address>, logs: Vec<Log>) -> TxRecord {
        use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
        use alloy_eips::eip2718::Encodable2718;
        use alloy_primitives::{Signature, TxKind, U256};
        let to = to.map_or(TxKind::Create, TxKind::Call);
        let tx = TxEip1559 { chain_id: 1001, nonce: nonce.into(), to, ..TxEip1559::default() };
        let envelope: TxEnvelope = tx.into_signed(Signature::new(U256::from(1), U256::from(1), false)).into();
        TxRecord {
            raw: envelope.encoded_2718().into(),
            hash: B256::ZERO,
            sender: Address::repeat_byte(1),
            success: true,
            gas_used: 0,
            gas_price_wei: 0,
            logs,
        }
    }

    fn log(byte: u8) -> Log {
        Log::new_unchecked(Address::repeat_byte(byte), Vec::new(), Bytes::new())
    }

    #[test]
    fn accepts_every_party_of_a_transaction_newest_first() {
        let storage = Storage::open(Arc::new(MemoryStore::default())).unwrap();
        let mut writes = Batch::new();
        let (sender, recipient) = (Address::repeat_byte(1), Address::repeat_byte(2));
        for number in 1..=300 {
            address_index(&mut writes, number, &record(0, Some(recipient), vec![])).unwrap();
        }
        address_index(&mut writes, 301, &record(7, None, vec![log(3), log(3)])).unwrap();
        storage.write(writes).unwrap();
        assert_eq!(storage.blocks_of(sender, u64::MAX, 3).unwrap(), [301, 300, 299]);
        assert_eq!(storage.blocks_of(recipient, 257, 2).unwrap(), [256, 255]);
        assert_eq!(storage.blocks_of(recipient, 2, 9).unwrap(), [1]);
        assert!(storage.blocks_of(recipient, 0, 9).unwrap().is_empty());
        assert_eq!(storage.blocks_of(sender.create(7), u64::MAX, 9).unwrap(), [301]);
        assert_eq!(storage.blocks_of(Address::repeat_byte(3), u64::MAX, 9).unwrap(), [301]);
        assert!(storage.blocks_of(Address::repeat_byte(4), u64::MAX, 9).unwrap().is_empty());
    }

    #[test]
    fn rejects_more_log_addresses_than_the_bound() {
        let mut writes = Batch::new();
        let logs = (10..100).map(log).collect();
        address_index(&mut writes, 1, &record(0, None, logs)).unwrap();
        assert_eq!(writes.len(), 2 + MAX_LOG_ADDRESSES);
    }
}
