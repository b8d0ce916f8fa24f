//! Public-key recovery as a machine of the list.

use cairn_protocol::resources::{CapacityExceeded, Resource};

use super::{Secp256k1Row, SignatureError, SignatureEvent, fixed_tables, synthesize, witness};
use crate::{
    cs::Cs,
    lookup::tables::FixedTable,
    machine::{BatchWires, Events, Layout, Machine},
    machines::keccak::WordsEvent,
};

/// One row a signature; pushes the public keys to be hashed.
#[derive(Clone, Copy, Debug)]
pub struct Secp256k1;

/// Why signatures have no rows.
#[derive(Debug, thiserror::Error)]
pub enum Secp256k1Error {
    #[error("the batch {0}")]
    Capacity(#[from] CapacityExceeded),
    #[error("transaction {index} is not provable: {reason}")]
    Signature { index: usize, reason: SignatureError },
}

impl Machine for Secp256k1 {
    const NAME: &'static str = "secp256k1";
    const RESOURCES: &'static [Resource] = &[Resource::Signatures];
    type Rows = Vec<Secp256k1Row>;
    type Error = Secp256k1Error;

    fn idle(layout: &Layout) -> Self::Rows {
        vec![Secp256k1Row::default(); layout.rows(Resource::Signatures)]
    }

    fn rows(layout: &Layout, events: &mut Events<'_>) -> Result<Self::Rows, Secp256k1Error> {
        let signatures = events.take::<SignatureEvent>();
        let capacity = layout.rows(Resource::Signatures);
        if signatures.len() > capacity {
            let (needed, capacity) = (signatures.len() as u64, capacity as u64);
            return Err(CapacityExceeded { resource: Resource::Signatures, needed, capacity }.into());
        }
        let mut rows = Vec::with_capacity(capacity);
        for (index, event) in signatures.iter().enumerate() {
            let row = witness(event).map_err(|reason| Secp256k1Error::Signature { index, reason })?;
            events.push(WordsEvent(row.key_bytes()));
            rows.push(row);
        }
        rows.resize_with(capacity, Secp256k1Row::default);
        Ok(rows)
    }

    fn synthesize(cs: &mut Cs, _: &Layout, _: &mut BatchWires, rows: &Self::Rows) {
        synthesize(cs, rows);
    }

    fn fixed_tables() -> Vec<FixedTable> {
        fixed_tables()
    }
}
