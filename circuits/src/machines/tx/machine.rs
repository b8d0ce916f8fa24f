//! The transaction machine as a machine of the list.

use cairn_protocol::resources::Resource;

use super::{
    bytes::BYTE_INVERSE,
    constraints::{TxContext, synthesize},
    row::{TxRows, TxShape},
    witness::{SignedTx, TraceContext, TxTraceError, trace},
};
use crate::{
    cs::Cs,
    gadgets::zero::INVERSE,
    machine::{BatchWires, Events, Layout, Machine},
    machines::{keccak::KeccakEvent, secp256k1::SignatureEvent},
};

const SHORT: &str = "where the integer has fewer than two digits";

/// Transactions and bytes of the batch; sets the wires' leaf count, number of transactions and length.
#[derive(Clone, Copy, Debug)]
pub struct Transactions;

fn shape(layout: &Layout) -> TxShape {
    TxShape { slots: layout.rows(Resource::Transactions), bytes: layout.rows(Resource::Bytes) }
}

impl Machine for Transactions {
    const NAME: &'static str = "tx";
    const RESOURCES: &'static [Resource] = &[Resource::Transactions, Resource::Bytes];
    const FREE_WIRES: &'static [(&'static str, &'static str)] = &[
        (INVERSE, "where the value is zero"),
        (BYTE_INVERSE, "where the byte is zero"),
        ("tx.data.first", "where data is not one byte"),
        ("tx.max_fee.top", SHORT),
        ("tx.nonce.top", SHORT),
        ("tx.priority_fee.top", SHORT),
        ("tx.r.top", SHORT),
        ("tx.s.top", SHORT),
        ("tx.v.top", SHORT),
        ("tx.value.top", SHORT),
    ];
    type Rows = TxRows;
    type Error = TxTraceError;

    fn idle(layout: &Layout) -> TxRows {
        TxRows::empty(shape(layout))
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<TxRows, TxTraceError> {
        let (batch, transactions) = (events.witness, events.transactions);
        let context = TraceContext {
            chain_id: batch.chain_id,
            coinbase: batch.coinbase,
            first_stream: Layout::FIRST_PAYLOAD_STREAM,
            time_offset: layout.transactions_time(),
        };
        let signed: Vec<_> =
            transactions.iter().map(|(tx, sender)| SignedTx { tx, sender: *sender }).collect();
        let rows = trace(shape(layout), &context, &batch.transactions, &signed, &mut events.journal)?;
        for (stream, SignedTx { tx, .. }) in (Layout::FIRST_PAYLOAD_STREAM..).zip(signed) {
            events.push(KeccakEvent { stream, message: tx.signing_payload() });
            events.push(SignatureEvent {
                z: tx.signing_hash().0,
                r: tx.r.to_be_bytes(),
                s: tx.s.to_be_bytes(),
                y_parity: tx.y_parity,
            });
        }
        Ok(rows)
    }

    fn synthesize(cs: &mut Cs, layout: &Layout, wires: &mut BatchWires, rows: &TxRows) {
        let context = TxContext {
            chain_id: wires.chain_id.clone(),
            coinbase: wires.coinbase.clone(),
            batch_stream: Layout::BATCH_STREAM,
            first_stream: Layout::FIRST_PAYLOAD_STREAM,
            time_offset: layout.transactions_time(),
            leaf_count: wires.leaf_count.clone(),
        };
        let out = synthesize(cs, rows, &context);
        wires.leaf_count = out.leaf_count;
        wires.transactions = out.transactions;
        wires.total_len = out.total_len;
    }
}
