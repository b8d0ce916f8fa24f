//! Blocks, transactions and receipts in the shapes of JSON-RPC.

use alloy_consensus::{
    Header, Sealed, TxEnvelope,
    constants::EMPTY_ROOT_HASH,
    transaction::{Recovered, TransactionInfo},
};
use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash, eip2718::Decodable2718};
use alloy_primitives::{B256, Bloom, Bytes, TxKind, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_rpc_types_eth::{Block, BlockTransactions, Log, Transaction, TransactionReceipt, Withdrawals};
use cairn_sequencer::pool::ValidTx;
use cairn_state::StateView;
use serde_json::Value;

use super::error::RpcError;
use crate::{
    chain::{Chain, ChainError, now, receipt_envelope},
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

/// As [`resolve_number`], by hash too. Every block that is known is canonical: `requireCanonical` asks for nothing more.
pub fn resolve(chain: &Chain, block: Option<BlockId>) -> Result<Option<u64>, RpcError> {
    match block.unwrap_or_default() {
        BlockId::Number(number) => resolve_number(chain, number),
        BlockId::Hash(RpcBlockHash { block_hash, .. }) => Ok(chain.block_named(block_hash)?),
    }
}

/// The state after a block and the block's number.
pub fn state_at(chain: &Chain, block: Option<BlockId>) -> Result<(StateView, u64), RpcError> {
    let number = resolve(chain, block)?.ok_or(match block {
        Some(BlockId::Hash(_)) => RpcError::UnknownBlockHash,
        _ => RpcError::UnknownBlock,
    })?;
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
    let body_bytes = record.transaction.as_ref().map_or(0, |tx| tx.raw.len());
    Ok(Some(sealed(header, record.hash, body_bytes, transactions)))
}

/// The block that would follow the last one if nothing more were pooled: it has no transactions, and its state is that
/// of the last one. What a sealed block has only, it has not: no hash, no miner, no nonce.
pub fn pending_block(chain: &Chain, full: bool) -> Result<Value, RpcError> {
    let number = chain.heads().trusted_block;
    let record = chain.storage().block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
    let parent = header_of(chain, number)?;
    let timestamp = now()?.as_secs().max(parent.timestamp);
    let header = Header {
        parent_hash: record.hash,
        number: number + 1,
        timestamp,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        gas_used: 0,
        ..parent
    };
    let transactions =
        if full { BlockTransactions::Full(Vec::new()) } else { BlockTransactions::Hashes(Vec::new()) };
    let block = sealed(header, B256::ZERO, 0, transactions);
    let mut json = serde_json::to_value(block)?;
    for field in ["hash", "miner", "nonce"] {
        json[field] = Value::Null;
    }
    Ok(json)
}

fn sealed(
    header: Header,
    hash: B256,
    body_bytes: usize,
    transactions: BlockTransactions<Transaction>,
) -> Block {
    let size = header.length() + body_bytes;
    let mut header = alloy_rpc_types_eth::Header::from_sealed(Sealed::new_unchecked(header, hash));
    header.size = Some(U256::from(size));
    Block { header, uncles: Vec::new(), transactions, withdrawals: Some(Withdrawals::default()) }
}

/// The block with a transaction, and the transaction in it.
fn found(chain: &Chain, hash: B256) -> Result<Option<(u64, BlockRecord, TxRecord)>, RpcError> {
    let Some(number) = chain.block_with(hash)? else { return Ok(None) };
    let block = chain.storage().block(number)?.ok_or(StorageError::Missing { kind: Kind::Block })?;
    let tx = block.transaction.clone().ok_or(StorageError::Missing { kind: Kind::Block })?;
    Ok(Some((number, block, tx)))
}

/// A transaction, from a block or from the pool.
pub fn transaction(chain: &Chain, hash: B256) -> Result<Option<Transaction>, RpcError> {
    // The pool first: a transaction moves from it into a block, not back.
    let valid = chain.with_pool(|pool| pool.get(&hash).map(|p| p.valid.clone()));
    if let Some((number, block, tx)) = found(chain, hash)? {
        return transaction_of(&block, &header_of(chain, number)?, &tx).map(Some);
    }
    valid.map(|valid| pooled(&valid)).transpose()
}

/// A transaction that is in no block.
pub fn pooled(valid: &ValidTx) -> Result<Transaction, RpcError> {
    let envelope = TxEnvelope::decode_2718_exact(valid.tx.raw())
        .map_err(|source| ChainError::Envelope { number: 0, source })?;
    let info = TransactionInfo { hash: Some(valid.hash), ..TransactionInfo::default() };
    Ok(Transaction::from_transaction(Recovered::new_unchecked(envelope, valid.sender), info))
}

/// The bytes of a transaction, from a block or from the pool.
pub fn raw_transaction(chain: &Chain, hash: B256) -> Result<Option<Bytes>, RpcError> {
    let pooled = chain.with_pool(|pool| pool.get(&hash).map(|p| p.valid.tx.raw().clone()));
    Ok(found(chain, hash)?.map(|(_, _, tx)| tx.raw).or(pooled))
}

/// The logs of a block that are `wanted`.
pub fn logs(
    number: u64,
    block: &BlockRecord,
    wanted: impl Fn(&alloy_primitives::Log) -> bool,
) -> Result<Vec<Log>, RpcError> {
    let Some(tx) = &block.transaction else { return Ok(Vec::new()) };
    let wanted: Vec<_> = (0..).zip(&tx.logs).filter(|(_, log)| wanted(log)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let header =
        Header::decode(&mut block.header.as_ref()).map_err(|source| ChainError::Rlp { number, source })?;
    let log = |(index, log): (u64, &alloy_primitives::Log)| {
        log_of(log.clone(), index, number, block, tx, header.timestamp)
    };
    Ok(wanted.into_iter().map(log).collect())
}

fn log_of(
    inner: alloy_primitives::Log,
    index: u64,
    number: u64,
    block: &BlockRecord,
    tx: &TxRecord,
    timestamp: u64,
) -> Log {
    Log {
        inner,
        block_hash: Some(block.hash),
        block_number: Some(number),
        block_timestamp: Some(timestamp),
        transaction_hash: Some(tx.hash),
        transaction_index: Some(0),
        log_index: Some(index),
        removed: false,
    }
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
        let log = log_of(inner, index, number, block, tx, timestamp);
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
