//! The transaction machine: batch bytes and plain transfers.
//!
//! ```text
//!              ┌──────────── byte table ────────────┐
//!   L1 bytes ──► byte 0 … byte N−1                  ├─(batch stream)──► keccak ──► hash of the batch
//!              └─▲──────────▲─────────▲─────────────┘
//!       BatchByte│  Prefix  │ Region  └─(payload streams: shared fields)──► keccak ──┐
//!              ┌─┴──────────┴───┐                                             ▲      │ KeccakOutput
//!              │ slot 0 … T−1   ├─(header and tail of the signing payload)────┘      │
//!              │ parse, check   ◄────────────────────────────────────────────────────┘
//!              │                ◄─ Signature ── secp256k1
//!              └───┬────────────┘
//!                  └─ Account: sender, recipient, coinbase ─► state journal
//! ```
//!
//! Legacy (before and after EIP-155), EIP-2930 and EIP-1559 with an empty access list. Semantics: those of
//! `cairn_protocol::tx` (bytes) and `cairn_protocol::transfer` (effects). Families and costs:
//! docs/circuits/tx.md and the functions they name.
//!
//! Provides: `KeccakInput` (batch bytes, signing payloads). Uses: `Range8`, `Range16`, `KeccakOutput`, `Signature`, `Account`.
//! Private to it: `BatchByte`, `BatchPrefix`, `PayloadRegion`.
//!
//! Not checked here: that the batch stream's digest is the one in the public input and its length `total_len`, that
//! chain id and coinbase are (and are in range), that streams have distinct numbers, that each account enters the
//! journal once with values in range, and with zeros if absent, and that a signature on the bus has s at most n/2.

mod bytes;
mod chain_id;
mod constraints;
mod machine;
mod payload;
mod rlp;
mod row;
#[cfg(test)]
mod tests;
mod transfer;
mod witness;

pub use self::{
    constraints::{MAX_TIME, TxContext, TxOutputs, synthesize},
    machine::Transactions,
    row::{ByteRow, IntHint, Kind, SlotRow, TxRows, TxShape},
    witness::{SignedTx, TraceContext, TxTraceError, trace},
};
