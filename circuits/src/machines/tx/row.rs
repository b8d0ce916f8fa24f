//! The rows of the transaction machine as plain values. All `Default` values are disabled rows.

use alloy_primitives::{Address, B256, U256};
use cairn_protocol::leaf::AccountValue;

use crate::machines::journal::Entry;

/// Capacity of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxShape {
    /// Transactions.
    pub slots: usize,
    /// Bytes of the batch.
    pub bytes: usize,
}

/// The four forms of a transaction. Legacy is two: its signing payload depends on `v`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Legacy with v = 27 or 28: no chain id.
    #[default]
    PreEip155,
    /// Legacy with v = 35 + 2·chain id + parity.
    Eip155,
    /// Type 1, access list (empty).
    Eip2930,
    /// Type 2, priority fee, access list (empty).
    Eip1559,
}

/// How an RLP integer is written. Hints: the constraints admit the canonical one only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntHint {
    pub value: U256,
    /// Payload bytes: 0 for the integer 0.
    pub len: usize,
    /// One byte below 0x80 that stands for itself, without a prefix.
    pub single: bool,
}

impl IntHint {
    /// The canonical encoding of `value`.
    #[must_use]
    pub fn canonical(value: U256) -> Self {
        Self { value, len: value.byte_len(), single: !value.is_zero() && value < U256::from(0x80) }
    }

    /// Bytes on the wire.
    #[must_use]
    pub fn size(&self) -> usize {
        self.len + usize::from(!self.single)
    }
}

/// One transaction. Positions are not in the row: they follow from the lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotRow {
    pub enabled: bool,
    pub kind: Kind,
    /// Length bytes of the list prefix, 0 for a short list.
    pub list_width: usize,
    /// Length bytes of the signing payload's list prefix.
    pub signing_width: usize,
    pub nonce: IntHint,
    /// Absent (zero, no byte) but in EIP-1559.
    pub priority_fee: IntHint,
    /// Max fee, or gas price.
    pub max_fee: IntHint,
    pub gas_limit: IntHint,
    pub to: Address,
    pub value: IntHint,
    /// Bytes of data. Signed, so that a test can claim what no batch has.
    pub data_len: i64,
    /// Length bytes of the data prefix.
    pub data_width: usize,
    /// One byte below 0x80 that stands for itself.
    pub data_single: bool,
    /// The byte, if there is exactly one.
    pub data_first: u8,
    /// Non-zero bytes of the batch from the first data byte on.
    pub nonzero_from_data: u64,
    /// Non-zero bytes of the batch after the last data byte.
    pub nonzero_after_data: u64,
    /// `v`, or `yParity`.
    pub v: IntHint,
    pub parity: bool,
    pub r: IntHint,
    pub s: IntHint,
    /// keccak256 of the signing payload.
    pub digest: B256,
    pub sender_address: Address,
    /// The sender's account before its access.
    pub sender: Entry<AccountValue>,
    /// The recipient's account before its access.
    pub recipient: Entry<AccountValue>,
    /// The coinbase's account before its access.
    pub coinbase: Entry<AccountValue>,
}

/// One byte of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteRow {
    /// The byte exists.
    pub enabled: bool,
    pub byte: u8,
    /// A signing payload's shared fields start or end here.
    pub boundary: bool,
    /// Stream of the signing payload that this byte belongs to, plus one; 0 for none.
    pub stream_plus_one: u64,
    /// Position in the signing payload minus position in the batch; 0 outside.
    pub shift: i64,
}

/// All rows of a batch, exactly as many as the shape has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxRows {
    pub slots: Vec<SlotRow>,
    pub bytes: Vec<ByteRow>,
}

impl TxRows {
    /// Disabled rows: an empty batch.
    #[must_use]
    pub fn empty(shape: TxShape) -> Self {
        Self { slots: vec![SlotRow::default(); shape.slots], bytes: vec![ByteRow::default(); shape.bytes] }
    }
}
