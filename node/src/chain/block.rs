//! Blocks as they are written: header, record, receipt. Not here: which transactions become blocks.

use alloy_consensus::{
    Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxEnvelope,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH},
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use alloy_rlp::Encodable;
use cairn_protocol::constants::BLOCK_GAS_LIMIT;
use cairn_state::Batch;

use super::ChainError;
use crate::{
    records::address_index,
    storage::{BlockRecord, Kind, StorageError, TxRecord, put},
};

/// A receipt as alloy has it.
///
/// # Errors
/// If the transaction does not decode.
pub fn receipt_envelope(
    number: u64,
    tx: &TxRecord,
) -> Result<(TxEnvelope, ReceiptEnvelope<Log>), ChainError> {
    let envelope =
        TxEnvelope::decode_2718_exact(&tx.raw).map_err(|source| ChainError::Envelope { number, source })?;
    let receipt = ReceiptWithBloom::from(Receipt {
        status: Eip658Value::Eip658(tx.success),
        cumulative_gas_used: tx.gas_used,
        logs: tx.logs.clone(),
    });
    let receipt = match &envelope {
        TxEnvelope::Legacy(_) => ReceiptEnvelope::Legacy(receipt),
        TxEnvelope::Eip2930(_) => ReceiptEnvelope::Eip2930(receipt),
        // The decoder of batches knows no other type.
        _ => ReceiptEnvelope::Eip1559(receipt),
    };
    Ok((envelope, receipt))
}

/// Where a block stands.
#[derive(Clone, Copy)]
pub(super) struct BlockPlace {
    pub number: u64,
    pub parent_hash: B256,
    pub state_root: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    pub coinbase: Address,
}

/// The header of a block with its one transaction.
pub(super) fn header(place: &BlockPlace, tx: Option<&TxRecord>) -> Result<Header, ChainError> {
    let BlockPlace { number, parent_hash, state_root, timestamp, coinbase } = *place;
    let mut header = Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: coinbase,
        state_root,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        difficulty: U256::ZERO,
        number,
        gas_limit: BLOCK_GAS_LIMIT,
        gas_used: 0,
        timestamp,
        base_fee_per_gas: Some(0),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    if let Some(tx) = tx {
        let (envelope, receipt) = receipt_envelope(number, tx)?;
        header.logs_bloom = *receipt.logs_bloom();
        header.transactions_root = calculate_transaction_root(&[envelope]);
        header.receipts_root = calculate_receipt_root(&[receipt]);
        header.gas_used = tx.gas_used;
    }
    Ok(header)
}

/// Adds a block's records to a batch of writes; returns its hash.
pub(super) fn put_block(
    writes: &mut Batch,
    header: &Header,
    batch: u64,
    transaction: Option<TxRecord>,
) -> Result<B256, StorageError> {
    let (mut rlp, number) = (Vec::new(), header.number);
    header.encode(&mut rlp);
    let hash = alloy_primitives::keccak256(&rlp);
    put(writes, Kind::BlockHash, hash.as_slice(), &number)?;
    if let Some(tx) = &transaction {
        put(writes, Kind::Transaction, tx.hash.as_slice(), &number)?;
        address_index(writes, number, tx)?;
    }
    let record = BlockRecord { hash, header: Bytes::from(rlp), batch, transaction };
    put(writes, Kind::Block, &number.to_be_bytes(), &record)?;
    Ok(hash)
}
