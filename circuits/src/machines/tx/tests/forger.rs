//! A forger's own generator: a transaction whose wire bytes are put together from raw fields, with everything outside true
//! to those bytes, and rows that claim something else.

use super::{
    super::witness::{mark_region, nonzero, width},
    *,
};
use crate::cs::forge::{Lie, lying};

/// A batch of one transaction: that of [`Sample::new`], changed by `f`.
pub(super) fn single(kind: Kind, f: impl Fn(&mut Sample)) -> Batch {
    let mut s = Sample::new(kind);
    f(&mut s);
    Batch::new(&[s])
}

/// A hint for an encoding that is not canonical.
pub(super) fn hint(value: u64, len: usize, single: bool) -> IntHint {
    IntHint { value: U256::from(value), len, single }
}

/// What fails if the forger's wires have the values of `lies`.
pub(super) fn failures_lying(batch: &Batch, rows: &TxRows, lies: &[Lie]) -> Failures {
    let system = lying(lies, || batch.system(rows, Mode::Check));
    Checker::new(&system, vec![]).failures()
}

/// A wire of this full name, the `nth` from 0, and its value.
pub(super) fn lie(name: &'static str, nth: usize, value: impl Into<F>) -> Lie {
    Lie { name, nth, value: value.into() }
}

/// What is posted and signed in the place of the only transaction of a batch.
pub(super) struct Posted<'a> {
    /// Of a typed transaction, if it is not its own.
    pub type_byte: Option<u8>,
    /// Of the list, if it is not the canonical one.
    pub list_prefix: Option<&'a [u8]>,
    pub fields: &'a [&'a [u8]],
    /// How many of the fields are signed.
    pub shared: usize,
    /// What is signed behind them.
    pub tail: &'a [u8],
}

/// The canonical prefix of a list of `len` bytes.
fn list_prefix(len: usize) -> Vec<u8> {
    let digits = &len.to_be_bytes()[8 - width(len)..];
    let first = if digits.is_empty() { 0xc0 + len } else { 0xf7 + digits.len() };
    [&[first as u8], digits].concat()
}

impl Batch {
    /// Bytes, rows and everything outside follow from what is posted, then the row is changed by `edit`.
    pub(super) fn posting(mut self, posted: &Posted<'_>, edit: impl FnOnce(&mut SlotRow)) -> Self {
        let &Posted { fields, shared, tail, .. } = posted;
        let typed = !matches!(self.rows.slots[0].kind, Kind::PreEip155 | Kind::Eip155);
        let ty: Vec<u8> = if typed { vec![posted.type_byte.unwrap_or(self.bytes[0])] } else { vec![] };
        let (all, signed) = (fields.concat(), fields[..shared].concat());
        let list = posted.list_prefix.map_or_else(|| list_prefix(all.len()), <[u8]>::to_vec);
        self.bytes = [ty.clone(), list.clone(), all].concat();
        let signing = list_prefix(signed.len() + tail.len());
        let payload = [ty.clone(), signing.clone(), signed.clone(), tail.to_vec()].concat();
        let row = |&byte| ByteRow { enabled: true, byte, ..ByteRow::default() };
        self.rows.bytes = self.bytes.iter().map(row).collect();
        let start = ty.len() + list.len();
        let region = start..start + signed.len();
        mark_region(&mut self.rows.bytes, region, ty.len() + signing.len(), FIRST_STREAM);
        // Data is the last of the shared fields; in a typed transaction an access list follows.
        let end = start + fields[..shared - usize::from(typed)].concat().len();
        let row = &mut self.rows.slots[0];
        (row.list_width, row.signing_width) = (list.len() - 1, signing.len() - 1);
        row.digest = keccak256(&payload);
        edit(row);
        row.nonzero_after_data = nonzero(&self.bytes[end..]);
        row.nonzero_from_data = nonzero(&self.bytes[(end as i64 - row.data_len) as usize..]);
        self.signatures[0].0 = row.digest;
        self.messages = vec![(0, self.bytes.clone()), (FIRST_STREAM, payload)];
        self
    }

    /// The fields of the only transaction, as they are on the wire.
    pub(super) fn fields(&self) -> Vec<Vec<u8>> {
        self.txs[0].layout.fields.iter().map(|l| self.bytes[l.start..l.end].to_vec()).collect()
    }
}

/// A single transaction whose wire bytes are put together from raw fields.
pub(super) struct Forgery {
    pub batch: Batch,
    pub fields: Vec<Vec<u8>>,
    list_prefix: Option<Vec<u8>>,
    type_byte: Option<u8>,
    lies: Vec<Lie>,
}

impl Forgery {
    pub fn of(kind: Kind, f: impl Fn(&mut Sample)) -> Self {
        let batch = single(kind, f);
        assert!(batch.failures().is_empty());
        Self::from(batch)
    }

    /// From a batch of one transaction.
    pub fn from(batch: Batch) -> Self {
        let fields = batch.fields();
        Self { batch, fields, list_prefix: None, type_byte: None, lies: vec![] }
    }

    pub fn field(mut self, index: usize, raw: &[u8]) -> Self {
        self.fields[index] = raw.to_vec();
        self
    }

    pub fn list_prefix(mut self, raw: &[u8]) -> Self {
        self.list_prefix = Some(raw.to_vec());
        self
    }

    pub fn type_byte(mut self, byte: u8) -> Self {
        self.type_byte = Some(byte);
        self
    }

    pub fn lies(mut self, lies: &[Lie]) -> Self {
        self.lies.extend(lies);
        self
    }

    /// What fails: bytes, rows and everything outside follow from the raw fields, then the row is changed by `edit`.
    pub fn failures(self, edit: impl FnOnce(&mut SlotRow)) -> Failures {
        let (tx, honest) = (&self.batch.txs[0], self.batch.txs[0].signing_payload());
        let signed = &self.batch.bytes[tx.layout.shared.clone()];
        let signed_at = honest.windows(signed.len()).position(|w| w == signed).expect("they are signed");
        let posted = Posted {
            type_byte: self.type_byte,
            list_prefix: self.list_prefix.as_deref(),
            fields: &self.fields.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            shared: self.fields.len() - 3,
            tail: &honest[signed_at + signed.len()..],
        };
        let batch = self.batch.clone().posting(&posted, edit);
        failures_lying(&batch, &batch.rows, &self.lies)
    }

    /// The forgery is consistent with everything but `name`.
    pub fn assert_rejected_only_by(self, name: &'static str, edit: impl FnOnce(&mut SlotRow)) {
        assert_eq!(self.failures(edit), Failures::from([name]));
    }

    /// The forgery is rejected by `name`; what else fails belongs to the same item, or follows from reading it wrongly.
    pub fn assert_rejected_by(self, name: &str, edit: impl FnOnce(&mut SlotRow)) {
        let failures = self.failures(edit);
        assert!(failures.contains(name), "{name} is not among {failures:?}");
        let of_item: Vec<_> = name.split('.').take(2).collect();
        let of_item = of_item.join(".");
        let strangers: Vec<_> = failures.iter().filter(|f| !f.starts_with(&of_item)).collect();
        let may_cascade = ["tx.v", "tx.to", "tx.access_list", "tx.list"].contains(&of_item.as_str());
        let may_cascade = may_cascade || name.ends_with(".prefix");
        assert!(strangers.is_empty() || may_cascade, "the forgery is not consistent: {failures:?}");
    }
}
