//! The decoder of batch bytes and transactions, the only one in pool, sequencer and witness generation.
//!
//! It never panics: any byte string is a list of transactions or a named error. A transaction is as on the wire: a
//! legacy RLP list, or `0x01`/`0x02` ‖ RLP list (EIP-2930, EIP-1559). RLP must be canonical. For these three types the
//! decoder accepts what alloy-consensus accepts, and nothing else (`protocol/tests/tx_differential.rs`). Not here: whether
//! a decoded transaction may execute (signature, nonce, balance, gas).
//!
//! | field | rule |
//! |---|---|
//! | nonce, gas limit, chain id | integer, at most 8 bytes |
//! | prices | integer, at most 16 bytes |
//! | value, r, s | integer, at most 32 bytes |
//! | to | 20 bytes, or empty for a creation |
//! | legacy v | 27 or 28, or 35 + 2·chain id + parity with a chain id of at most 8 bytes |
//! | y parity | integer 0 or 1 |
//! | access list | list of [20 bytes, list of 32 bytes] |

use std::{ops::Range, sync::LazyLock};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use secp256k1::{
    Message, Secp256k1, VerifyOnly,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use crate::{
    constants::{
        ACCESS_LIST_ADDRESS_GAS, ACCESS_LIST_STORAGE_KEY_GAS, INITCODE_WORD_GAS, SECP256K1_HALF_ORDER,
        SECP256K1_ORDER, TX_CREATE_GAS, TX_DATA_NONZERO_GAS, TX_DATA_ZERO_GAS, TX_GAS,
    },
    rlp::{ItemLayout, Reader, RlpError, push_list_header},
};

/// The transaction types that a batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TxType {
    /// RLP list; chain id inside `v` (EIP-155) or absent.
    Legacy,
    /// `0x01 ‖ RLP`: access list.
    Eip2930,
    /// `0x02 ‖ RLP`: priority fee and access list.
    Eip1559,
}

impl TxType {
    /// The EIP-2718 type number; 0 for legacy, which has no type byte on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Legacy => 0,
            Self::Eip2930 => 1,
            Self::Eip1559 => 2,
        }
    }
}

/// A field of a transaction, named in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxField {
    /// The list that holds all others.
    List,
    ChainId,
    Nonce,
    GasPrice,
    MaxPriorityFeePerGas,
    MaxFeePerGas,
    GasLimit,
    To,
    Value,
    Data,
    AccessList,
    /// `v` of a legacy transaction.
    V,
    YParity,
    R,
    S,
}

impl std::fmt::Display for TxField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::List => "field list",
            Self::ChainId => "chainId",
            Self::Nonce => "nonce",
            Self::GasPrice => "gasPrice",
            Self::MaxPriorityFeePerGas => "maxPriorityFeePerGas",
            Self::MaxFeePerGas => "maxFeePerGas",
            Self::GasLimit => "gasLimit",
            Self::To => "to",
            Self::Value => "value",
            Self::Data => "data",
            Self::AccessList => "accessList",
            Self::V => "v",
            Self::YParity => "yParity",
            Self::R => "r",
            Self::S => "s",
        })
    }
}

/// Why bytes are not a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxDecodeError {
    #[error("the transaction is empty")]
    Empty,
    #[error("blob transactions (EIP-4844) are not supported")]
    BlobTransaction,
    #[error("set-code transactions (EIP-7702) are not supported")]
    SetCodeTransaction,
    #[error("unknown transaction type {ty:#04x}")]
    UnknownType { ty: u8 },
    #[error("a transaction starts with its type or an RLP list, got byte {byte:#04x}")]
    NotATransaction { byte: u8 },
    #[error("{field}: {reason}")]
    Field { field: TxField, reason: RlpError },
    #[error("v = {v} is neither 27, 28 nor an EIP-155 value with a chain id of 64 bits")]
    InvalidV { v: u128 },
    #[error("yParity must be 0 or 1, got {got}")]
    InvalidYParity { got: u8 },
    #[error("{count} bytes after the transaction")]
    TrailingBytes { count: usize },
}

/// Why bytes are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transaction {index} at byte {offset}: {reason}")]
pub struct BatchDecodeError {
    /// Number of transactions before the one that does not decode.
    pub index: usize,
    /// Where that one starts, in bytes.
    pub offset: usize,
    pub reason: TxDecodeError,
}

/// Why a signature yields no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("r must be above 0 and below the order of secp256k1, got {r:#x}")]
    ROutOfRange { r: U256 },
    #[error("s must be above 0 and below the order of secp256k1, got {s:#x}")]
    SOutOfRange { s: U256 },
    #[error("s must be at most half the order of secp256k1 (EIP-2), got {s:#x}")]
    HighS { s: U256 },
    #[error(
        "r is not the x coordinate of a point, or the recovered key is the point at infinity: r = {r:#x}, s = {s:#x}"
    )]
    NoPublicKey { r: U256, s: U256 },
}

/// The address of the key that signed `digest` with `r` and `s` in range, by libsecp256k1. Source: SEC 1, section 4.1.6.
fn recover(r: U256, s: U256, y_parity: bool, digest: B256) -> Option<Address> {
    static CONTEXT: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);
    let id = if y_parity { RecoveryId::One } else { RecoveryId::Zero };
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&r.to_be_bytes::<32>());
    compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = CONTEXT.recover_ecdsa(Message::from_digest(digest.0), &signature).ok()?;
    // Without the first byte, 0x04, which marks an uncompressed point.
    Some(Address::from_raw_public_key(&key.serialize_uncompressed()[1..]))
}

/// Where the parts of a transaction lie: byte offsets into the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxLayout {
    /// First byte: the type byte, or the prefix of the legacy list.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The list of all fields, without the type byte.
    pub list: ItemLayout,
    /// The fields that batch bytes and signing payload share, byte for byte: nonce to data of a legacy
    /// transaction, chain id to access list of a typed one.
    pub shared: Range<usize>,
    /// The bytes of the data field, without its RLP prefix.
    pub data: Range<usize>,
    /// Every field in wire order, `v`/`yParity`, `r` and `s` being the last three.
    pub fields: Vec<ItemLayout>,
}

/// A transaction as decoded from a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedTx {
    pub tx_type: TxType,
    /// `None` for a legacy transaction from before EIP-155.
    pub chain_id: Option<u64>,
    pub nonce: u64,
    pub gas_limit: u64,
    /// In wei. The gas price of legacy and EIP-2930.
    pub max_fee_per_gas: u128,
    /// In wei. The gas price of legacy and EIP-2930.
    pub max_priority_fee_per_gas: u128,
    /// `None`: contract creation.
    pub to: Option<Address>,
    /// In wei.
    pub value: U256,
    pub data: Bytes,
    pub access_list: AccessList,
    pub y_parity: bool,
    pub r: U256,
    pub s: U256,
    pub layout: TxLayout,
    raw: Bytes,
}

/// Decodes the transactions of a batch; an empty input is a batch without transactions.
///
/// # Errors
/// The first transaction that does not decode; the whole batch is then a no-op.
pub fn decode_batch(bytes: &[u8]) -> Result<Vec<DecodedTx>, BatchDecodeError> {
    let mut txs = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let tx = decode_at(bytes, offset).map_err(|reason| BatchDecodeError {
            index: txs.len(),
            offset,
            reason,
        })?;
        offset = tx.layout.end;
        txs.push(tx);
    }
    Ok(txs)
}

/// Decodes exactly one transaction.
///
/// # Errors
/// See [`TxDecodeError`]; bytes after the transaction are an error.
pub fn decode_tx(raw: &[u8]) -> Result<DecodedTx, TxDecodeError> {
    let tx = decode_at(raw, 0)?;
    match raw.len() - tx.layout.end {
        0 => Ok(tx),
        count => Err(TxDecodeError::TrailingBytes { count }),
    }
}

/// Reads the fields of one transaction and notes where they lie.
struct FieldReader<'a> {
    rlp: Reader<'a>,
    fields: Vec<ItemLayout>,
}

impl FieldReader<'_> {
    fn uint(&mut self, field: TxField, max_bytes: usize) -> Result<U256, TxDecodeError> {
        let (v, layout) =
            self.rlp.uint(max_bytes).map_err(|reason| TxDecodeError::Field { field, reason })?;
        self.fields.push(layout);
        Ok(v)
    }

    fn u64(&mut self, field: TxField) -> Result<u64, TxDecodeError> {
        // At most 8 bytes were read.
        Ok(self.uint(field, 8)?.to())
    }

    fn u128(&mut self, field: TxField) -> Result<u128, TxDecodeError> {
        // At most 16 bytes were read.
        Ok(self.uint(field, 16)?.to())
    }

    fn bytes(&mut self, field: TxField) -> Result<&[u8], TxDecodeError> {
        let (bytes, layout) = self.rlp.string().map_err(|reason| TxDecodeError::Field { field, reason })?;
        self.fields.push(layout);
        Ok(bytes)
    }

    fn to(&mut self) -> Result<Option<Address>, TxDecodeError> {
        let bytes = self.bytes(TxField::To)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let reason = RlpError::WrongLength { expected: 20, got: bytes.len() };
        Address::try_from(bytes).map(Some).map_err(|_| TxDecodeError::Field { field: TxField::To, reason })
    }

    fn access_list(&mut self) -> Result<AccessList, TxDecodeError> {
        let (list, layout) = read_access_list(&mut self.rlp)
            .map_err(|reason| TxDecodeError::Field { field: TxField::AccessList, reason })?;
        self.fields.push(layout);
        Ok(list)
    }
}

fn read_access_list(rlp: &mut Reader<'_>) -> Result<(AccessList, ItemLayout), RlpError> {
    let (mut items, layout) = rlp.list()?;
    let mut list = Vec::new();
    while !items.is_at_end() {
        let (mut item, _) = items.list()?;
        let address = Address::from(item.array::<20>()?);
        let (mut keys, _) = item.list()?;
        item.finish()?;
        let mut storage_keys = Vec::new();
        while !keys.is_at_end() {
            storage_keys.push(B256::from(keys.array::<32>()?));
        }
        list.push(AccessListItem { address, storage_keys });
    }
    Ok((AccessList(list), layout))
}

/// Parity and chain id of a legacy `v`.
fn split_v(v: u128) -> Option<(bool, Option<u64>)> {
    match v {
        27 | 28 => Some((v == 28, None)),
        35.. => Some(((v - 35) % 2 == 1, Some(u64::try_from((v - 35) / 2).ok()?))),
        _ => None,
    }
}

/// Decodes the transaction that starts at `start`.
fn decode_at(bytes: &[u8], start: usize) -> Result<DecodedTx, TxDecodeError> {
    let (tx_type, list_start) = match *bytes.get(start).ok_or(TxDecodeError::Empty)? {
        0x01 => (TxType::Eip2930, start + 1),
        0x02 => (TxType::Eip1559, start + 1),
        0x03 => return Err(TxDecodeError::BlobTransaction),
        0x04 => return Err(TxDecodeError::SetCodeTransaction),
        ty @ (0x00 | 0x05..=0x7f) => return Err(TxDecodeError::UnknownType { ty }),
        byte @ 0x80..=0xbf => return Err(TxDecodeError::NotATransaction { byte }),
        0xc0..=0xff => (TxType::Legacy, start),
    };
    let list_error = |reason| TxDecodeError::Field { field: TxField::List, reason };
    let (rlp, list) = Reader::new(bytes, list_start).list().map_err(list_error)?;
    let mut f = FieldReader { rlp, fields: Vec::with_capacity(12) };

    let typed = tx_type != TxType::Legacy;
    let mut chain_id = if typed { Some(f.u64(TxField::ChainId)?) } else { None };
    let nonce = f.u64(TxField::Nonce)?;
    let (max_priority_fee_per_gas, max_fee_per_gas) = if tx_type == TxType::Eip1559 {
        (f.u128(TxField::MaxPriorityFeePerGas)?, f.u128(TxField::MaxFeePerGas)?)
    } else {
        let price = f.u128(TxField::GasPrice)?;
        (price, price)
    };
    let gas_limit = f.u64(TxField::GasLimit)?;
    let to = f.to()?;
    let value = f.uint(TxField::Value, 32)?;
    let data = Bytes::copy_from_slice(f.bytes(TxField::Data)?);
    let data_end = f.fields.last().map_or(list.payload, |l| l.end);
    let data_range = data_end - data.len()..data_end;
    let access_list = if typed { f.access_list()? } else { AccessList::default() };
    let shared = list.payload..f.fields.last().map_or(list.payload, |l| l.end);
    let y_parity = if typed {
        match f.uint(TxField::YParity, 1)?.to::<u8>() {
            got @ (0 | 1) => got == 1,
            got => return Err(TxDecodeError::InvalidYParity { got }),
        }
    } else {
        let v = f.u128(TxField::V)?;
        let (parity, id) = split_v(v).ok_or(TxDecodeError::InvalidV { v })?;
        chain_id = id;
        parity
    };
    let r = f.uint(TxField::R, 32)?;
    let s = f.uint(TxField::S, 32)?;
    f.rlp.finish().map_err(list_error)?;

    Ok(DecodedTx {
        tx_type,
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        to,
        value,
        data,
        access_list,
        y_parity,
        r,
        s,
        layout: TxLayout { start, end: list.end, list, shared, data: data_range, fields: f.fields },
        raw: Bytes::copy_from_slice(&bytes[start..list.end]),
    })
}

impl DecodedTx {
    /// The transaction as on the wire.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// keccak256 of the transaction as on the wire.
    #[must_use]
    pub fn tx_hash(&self) -> B256 {
        keccak256(&self.raw)
    }

    /// What the sender signs: type byte (typed) ‖ list of the shared fields, followed in a legacy transaction with
    /// a chain id by chain id, 0, 0 (EIP-155).
    #[must_use]
    pub fn signing_payload(&self) -> Vec<u8> {
        let TxLayout { start, shared, .. } = &self.layout;
        let shared = &self.raw[shared.start - start..shared.end - start];
        let mut tail = Vec::new();
        if let (TxType::Legacy, Some(id)) = (self.tx_type, self.chain_id) {
            alloy_rlp::Encodable::encode(&id, &mut tail);
            tail.extend([0x80, 0x80]);
        }
        let mut out = Vec::with_capacity(shared.len() + tail.len() + 10);
        if self.tx_type != TxType::Legacy {
            out.push(self.tx_type.number());
        }
        push_list_header(shared.len() + tail.len(), &mut out);
        out.extend_from_slice(shared);
        out.extend(tail);
        out
    }

    /// keccak256 of [`Self::signing_payload`].
    #[must_use]
    pub fn signing_hash(&self) -> B256 {
        keccak256(self.signing_payload())
    }

    /// The sender, from the signature.
    ///
    /// # Errors
    /// `r` and `s` must be in [1, n), `s` at most n/2, and a public key must exist; n is the order of secp256k1.
    pub fn recover_sender(&self) -> Result<Address, SignatureError> {
        let Self { r, s, y_parity, .. } = *self;
        if r.is_zero() || r >= SECP256K1_ORDER {
            return Err(SignatureError::ROutOfRange { r });
        }
        if s.is_zero() || s >= SECP256K1_ORDER {
            return Err(SignatureError::SOutOfRange { s });
        }
        if s > SECP256K1_HALF_ORDER {
            return Err(SignatureError::HighS { s });
        }
        recover(r, s, y_parity, self.signing_hash()).ok_or(SignatureError::NoPublicKey { r, s })
    }

    /// Price paid per gas at base fee 0, in wei: the gas price, or the priority fee of EIP-1559.
    #[must_use]
    pub const fn effective_gas_price(&self) -> u128 {
        self.max_priority_fee_per_gas
    }

    /// Gas charged before execution, rules of Cancun.
    #[must_use]
    pub fn intrinsic_gas(&self) -> u64 {
        let zeros = self.data.iter().filter(|b| **b == 0).count() as u64;
        let nonzeros = self.data.len() as u64 - zeros;
        let list: u64 = self
            .access_list
            .iter()
            .map(|i| ACCESS_LIST_ADDRESS_GAS + i.storage_keys.len() as u64 * ACCESS_LIST_STORAGE_KEY_GAS)
            .sum();
        let creation = match self.to {
            Some(_) => 0,
            None => TX_CREATE_GAS + (self.data.len() as u64).div_ceil(32) * INITCODE_WORD_GAS,
        };
        TX_GAS + zeros * TX_DATA_ZERO_GAS + nonzeros * TX_DATA_NONZERO_GAS + list + creation
    }
}
