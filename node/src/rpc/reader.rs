//! Blocks, transactions and receipts in the shapes of JSON-RPC.

use alloy_consensus::{
    Header, Sealed, TxEnvelope,
    transaction::{Recovered, TransactionInfo},
};
use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use alloy_primitives::{B256, TxKind};
use alloy_rpc_types_eth::{Block, BlockTransactions, Log, Transaction, TransactionReceipt, Withdrawals};
use cairn_state::StateView;

use super::error::RpcError;
use crate::{
    chain::{Chain, receipt_envelope},
    storage::{BlockRecord, Kind, StorageError, TxRecord},
};

/// Number of the block that a tag or number names, if there is one. Tags: `latest` and `pending` are the trusted
/// state, `safe` the virtual, `finalized` the consolidated one.
pub fn resolve_number(chain: &Chain, block: BlockNumberOrTag) -> Result<Option<u64>, RpcError> {
    let heads = chain.heads();
    Ok(match block {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(heads.trusted_block),
        BlockNumberOrTag::Safe => Some(chain.last_block_of(heads.virtual_batch)?),
        BlockNumberOrTag::Finalized => Some(chain.last_block_of(heads.verified_batch)?),
        BlockNumberOrTag::Earliest => Some(0),
        BlockNumberOrTag::Number(number) => (number <= heads.trusted_block).then_some(number),
    })
}

/// As [`resolve_number`], by hash too.
pub fn resolve(chain: &Chain, block: Option<BlockId>) -> Result<Option<u64>, RpcError> {
    match block.unwrap_or_default() {
        BlockId::Number(number) => resolve_number(chain, number),
        BlockId::Hash(RpcBlockHash { block_hash, .. }) => Ok(chain.storage().block_number(block_hash)?),
    }
}

/// The state after a block and the block's number.
pub fn state_at(chain: &Chain, block: Option<BlockId>) -> Result<(StateView, u64), RpcError> {
    let number = resolve(chain, block)?.ok_or(RpcError::UnknownBlock)?;
    Ok((chain.state().at(number)?, number))
}

fn header_of(chain: &Chain, number: u64) -> Result<Header, RpcError> {
    Ok(chain.header(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?)
}

fn envelope_of(number: u64, tx: &TxRecord) -> Result<Recovered<TxEnvelope>, RpcError> {
    let (envelope, _) = receipt_envelope(number, tx)?;
    Ok(Recovered::new_unchecked(envelope, tx.sender))
}

fn transaction_of(block: &BlockRecord, header: &Header, tx: &TxRecord) -> Result<Transaction, RpcError> {
    let info = TransactionInfo {
        hash: Some(tx.hash),
        index: Some(0),
        block_hash: Some(block.hash),
        block_number: Some(header.number),
        base_fee: Some(0),
        block_timestamp: Some(header.timestamp),
    };
    Ok(Transaction::from_transaction(envelope_of(header.number, tx)?, info))
}

/// A block; with whole transactions if `full`.
pub fn block(chain: &Chain, number: u64, full: bool) -> Result<Option<Block>, RpcError> {
    let Some(record) = chain.storage().block(number)? else { return Ok(None) };
    let header = header_of(chain, number)?;
    let transactions = match (&record.transaction, full) {
        (Some(tx), true) => BlockTransactions::Full(vec![transaction_of(&record, &header, tx)?]),
        (None, true) => BlockTransactions::Full(Vec::new()),
        (tx, false) => BlockTransactions::Hashes(tx.iter().map(|tx| tx.hash).collect()),
    };
    let size = record.header.len() + record.transaction.as_ref().map_or(0, |tx| tx.raw.len());
    let sealed = Sealed::new_unchecked(header, record.hash);
    let mut header = alloy_rpc_types_eth::Header::from_sealed(sealed);
    header.size = Some(alloy_primitives::U256::from(size));
    header.total_difficulty = Some(alloy_primitives::U256::ZERO);
    Ok(Some(Block { header, uncles: Vec::new(), transactions, withdrawals: Some(Withdrawals::default()) }))
}

/// The block with a transaction, and the transaction in it.
fn found(chain: &Chain, hash: B256) -> Result<Option<(u64, BlockRecord, TxRecord)>, RpcError> {
    let Some(number) = chain.storage().transaction_block(hash)? else { return Ok(None) };
    let block = chain.storage().block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
    let tx = block.transaction.clone().ok_or(StorageError::Missing { kind: Kind::Block })?;
    Ok(Some((number, block, tx)))
}

/// A transaction, from a block or from the pool.
pub fn transaction(chain: &Chain, hash: B256) -> Result<Option<Transaction>, RpcError> {
    if let Some((number, block, tx)) = found(chain, hash)? {
        return transaction_of(&block, &header_of(chain, number)?, &tx).map(Some);
    }
    let pooled = chain.with_pool(|pool| pool.get(&hash).map(|p| p.valid.clone()));
    let Some(valid) = pooled else { return Ok(None) };
    let record = TxRecord {
        raw: valid.tx.raw().clone(),
        hash,
        sender: valid.sender,
        success: true,
        gas_used: 0,
        gas_price_wei: valid.tx.effective_gas_price(),
        logs: Vec::new(),
    };
    let info = TransactionInfo { hash: Some(hash), ..TransactionInfo::default() };
    Ok(Some(Transaction::from_transaction(envelope_of(0, &record)?, info)))
}

fn receipt_of(
    number: u64,
    block: &BlockRecord,
    tx: &TxRecord,
    timestamp: u64,
) -> Result<TransactionReceipt, RpcError> {
    let (envelope, receipt) = receipt_envelope(number, tx)?;
    let mut index = 0;
    let inner = receipt.map_logs(|inner| {
        let log = Log {
            inner,
            block_hash: Some(block.hash),
            block_number: Some(number),
            block_timestamp: Some(timestamp),
            transaction_hash: Some(tx.hash),
            transaction_index: Some(0),
            log_index: Some(index),
            removed: false,
        };
        index += 1;
        log
    });
    let (to, contract_address) = match alloy_consensus::Transaction::kind(&envelope) {
        TxKind::Call(to) => (Some(to), None),
        TxKind::Create => {
            let nonce = alloy_consensus::Transaction::nonce(&envelope);
            (None, Some(tx.sender.create(nonce)))
        }
    };
    Ok(TransactionReceipt {
        inner,
        transaction_hash: tx.hash,
        transaction_index: Some(0),
        block_hash: Some(block.hash),
        block_number: Some(number),
        gas_used: tx.gas_used,
        effective_gas_price: tx.gas_price_wei,
        blob_gas_used: None,
        blob_gas_price: None,
        from: tx.sender,
        to,
        contract_address,
    })
}

/// The receipt of a transaction in a block.
pub fn receipt(chain: &Chain, hash: B256) -> Result<Option<TransactionReceipt>, RpcError> {
    let Some((number, block, tx)) = found(chain, hash)? else { return Ok(None) };
    receipt_of(number, &block, &tx, header_of(chain, number)?.timestamp).map(Some)
}

/// The receipts of a block.
pub fn receipts(chain: &Chain, number: u64) -> Result<Option<Vec<TransactionReceipt>>, RpcError> {
    let Some(block) = chain.storage().block(number)? else { return Ok(None) };
    let timestamp = header_of(chain, number)?.timestamp;
    let receipts = block.transaction.iter().map(|tx| receipt_of(number, &block, tx, timestamp));
    receipts.collect::<Result<_, _>>().map(Some)
}
