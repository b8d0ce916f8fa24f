//! From decoded transactions to rows: a pure simulation over the journal.

use std::ops::Range;

use alloy_primitives::{Address, U256, keccak256};
use cairn_protocol::{
    transfer::{TransferContext, TransferError, apply_transfer},
    tx::{DecodedTx, TxType},
};

use super::row::{ByteRow, IntHint, Kind, SlotRow, TxRows, TxShape};
use crate::machines::journal::{Journal, JournalError};

/// A transaction with the sender that its signature yields.
#[derive(Clone, Copy, Debug)]
pub struct SignedTx<'a> {
    /// Decoded from the batch: its layout counts from the batch's first byte.
    pub tx: &'a DecodedTx,
    pub sender: Address,
}

/// The native counterpart of [`super::TxContext`].
#[derive(Clone, Copy, Debug)]
pub struct TraceContext {
    pub chain_id: u64,
    pub coinbase: Address,
    pub first_stream: u64,
    pub time_offset: u64,
}

/// Why a batch has no rows of a shape.
#[derive(Debug, thiserror::Error)]
pub enum TxTraceError {
    #[error("the batch has {got} transactions, the shape at most {capacity}: prove it in a larger shape")]
    Slots { capacity: usize, got: usize },
    #[error("the batch has {got} bytes, the shape at most {capacity}: prove it in a larger shape")]
    Bytes { capacity: usize, got: usize },
    #[error("transaction {index}: {reason}")]
    Transfer { index: usize, reason: TransferError<JournalError> },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Rows of a batch, and the journal after it: `journal` must hold every account that is accessed.
///
/// # Errors
/// If the batch does not fit, or a transaction is not a plain transfer that may execute; `journal` is then as it was
/// before that transaction.
pub fn trace(
    shape: TxShape,
    context: &TraceContext,
    batch: &[u8],
    txs: &[SignedTx<'_>],
    journal: &mut Journal,
) -> Result<TxRows, TxTraceError> {
    let rules = TransferContext { chain_id: context.chain_id, coinbase: context.coinbase };
    trace_with(shape, context, batch, txs, journal, |index, tx, journal| {
        apply_transfer(tx.tx, tx.sender, &rules, journal, journal.leaf_count)
            .map(|_| ())
            .map_err(|reason| TxTraceError::Transfer { index, reason })
    })
}

/// [`trace`] with `check` in place of the rules, so that tests can have rows of invalid transactions.
pub(super) fn trace_with(
    shape: TxShape,
    context: &TraceContext,
    batch: &[u8],
    txs: &[SignedTx<'_>],
    journal: &mut Journal,
    check: impl Fn(usize, &SignedTx<'_>, &Journal) -> Result<(), TxTraceError>,
) -> Result<TxRows, TxTraceError> {
    if txs.len() > shape.slots {
        return Err(TxTraceError::Slots { capacity: shape.slots, got: txs.len() });
    }
    if batch.len() > shape.bytes {
        return Err(TxTraceError::Bytes { capacity: shape.bytes, got: batch.len() });
    }
    let mut rows = TxRows::empty(shape);
    for (row, &byte) in rows.bytes.iter_mut().zip(batch) {
        *row = ByteRow { enabled: true, byte, ..ByteRow::default() };
    }
    for (j, tx) in txs.iter().enumerate() {
        check(j, tx, journal)?;
        let time = context.time_offset + 3 * j as u64;
        rows.slots[j] = slot(context, batch, tx, time, journal)?;
        let typed = usize::from(tx.tx.tx_type != TxType::Legacy);
        let header = typed + 1 + rows.slots[j].signing_width;
        mark_region(&mut rows.bytes, tx.tx.layout.shared.clone(), header, context.first_stream + j as u64);
    }
    Ok(rows)
}

/// Marks the shared fields of one transaction in the byte table: they follow `header` bytes of the signing payload.
pub(super) fn mark_region(bytes: &mut [ByteRow], shared: Range<usize>, header: usize, stream: u64) {
    for byte in &mut bytes[shared.clone()] {
        byte.stream_plus_one = stream + 1;
        // The list on the wire is at least as long as the signed one, and so is its prefix.
        byte.shift = header as i64 - shared.start as i64;
    }
    bytes[shared.start].boundary = true;
    bytes[shared.end].boundary = true;
}

/// Length bytes of the RLP prefix of `length` bytes.
pub(super) fn width(length: usize) -> usize {
    if length < 56 { 0 } else { (usize::BITS - length.leading_zeros()).div_ceil(8) as usize }
}

pub(super) fn nonzero(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b != 0).count() as u64
}

fn slot(
    context: &TraceContext,
    batch: &[u8],
    signed: &SignedTx<'_>,
    time: u64,
    journal: &mut Journal,
) -> Result<SlotRow, JournalError> {
    let SignedTx { tx, sender } = *signed;
    let layout = &tx.layout;
    let kind = match (tx.tx_type, tx.chain_id) {
        (TxType::Legacy, None) => Kind::PreEip155,
        (TxType::Legacy, Some(_)) => Kind::Eip155,
        (TxType::Eip2930, _) => Kind::Eip2930,
        (TxType::Eip1559, _) => Kind::Eip1559,
    };
    let parity = u128::from(tx.y_parity);
    let v = match kind {
        Kind::PreEip155 => 27 + parity,
        Kind::Eip155 => 35 + 2 * u128::from(tx.chain_id.unwrap_or_default()) + parity,
        Kind::Eip2930 | Kind::Eip1559 => parity,
    };
    let priority_fee = match kind {
        Kind::Eip1559 => IntHint::canonical(U256::from(tx.max_priority_fee_per_gas)),
        _ => IntHint::default(),
    };
    let payload = tx.signing_payload();
    let tail = match kind {
        Kind::Eip155 => IntHint::canonical(U256::from(context.chain_id)).size() + 2,
        _ => 0,
    };
    let data_single = matches!(tx.data[..], [b] if b < 0x80);

    let fee = U256::from(tx.intrinsic_gas()).wrapping_mul(U256::from(tx.effective_gas_price()));
    let to = tx.to.unwrap_or_default();
    let paid = journal.access_account(sender, time + 1, |mut a| {
        a.nonce = tx.nonce.wrapping_add(1);
        a.balance = a.balance.wrapping_sub(tx.value).wrapping_sub(fee);
        a
    })?;
    let received = journal.access_account(to, time + 2, |mut a| {
        a.balance = a.balance.wrapping_add(tx.value);
        a
    })?;
    let earned = journal.access_account(context.coinbase, time + 3, |mut a| {
        a.balance = a.balance.wrapping_add(fee);
        a
    })?;

    Ok(SlotRow {
        enabled: true,
        kind,
        list_width: width(layout.list.payload_len()),
        signing_width: width(layout.shared.len() + tail),
        nonce: IntHint::canonical(U256::from(tx.nonce)),
        priority_fee,
        max_fee: IntHint::canonical(U256::from(tx.max_fee_per_gas)),
        gas_limit: IntHint::canonical(U256::from(tx.gas_limit)),
        to,
        value: IntHint::canonical(tx.value),
        data_len: tx.data.len() as i64,
        data_width: width(tx.data.len()),
        data_single,
        data_first: if tx.data.len() == 1 { tx.data[0] } else { 0 },
        nonzero_from_data: nonzero(&batch[layout.data.start..]),
        nonzero_after_data: nonzero(&batch[layout.data.end..]),
        v: IntHint::canonical(U256::from(v)),
        parity: tx.y_parity,
        r: IntHint::canonical(tx.r),
        s: IntHint::canonical(tx.s),
        digest: keccak256(&payload),
        sender_address: sender,
        sender: paid,
        recipient: received,
        coinbase: earned,
    })
}
