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
        let fields =
            batch.txs[0].layout.fields.iter().map(|l| batch.bytes[l.start..l.end].to_vec()).collect();
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
    pub fn failures(mut self, edit: impl FnOnce(&mut SlotRow)) -> Failures {
        let prefix = |len: usize| {
            let digits: Vec<u8> = len.to_be_bytes().into_iter().skip(8 - width(len)).collect();
            let first = if digits.is_empty() { 0xc0 + len } else { 0xf7 + digits.len() };
            [vec![first as u8], digits].concat()
        };
        let kind = self.batch.rows.slots[0].kind;
        let typed = !matches!(kind, Kind::PreEip155 | Kind::Eip155);
        let ty: Vec<u8> = if typed { vec![self.type_byte.unwrap_or(self.batch.bytes[0])] } else { vec![] };
        let number = self.fields.len();
        let (all, shared) = (self.fields.concat(), self.fields[..number - 3].concat());
        let list = self.list_prefix.take().unwrap_or_else(|| prefix(all.len()));
        let bytes = [ty.clone(), list.clone(), all.clone()].concat();
        let (tx, honest) = (&self.batch.txs[0], self.batch.txs[0].signing_payload());
        let fields = &self.batch.bytes[tx.layout.shared.clone()];
        let fields_at = honest.windows(fields.len()).position(|w| w == fields).expect("they are signed");
        let tail = honest[fields_at + fields.len()..].to_vec();
        let payload = [ty.clone(), prefix(shared.len() + tail.len()), shared.clone(), tail].concat();

        let mut rows = self.batch.rows.clone();
        rows.bytes =
            bytes.iter().map(|&byte| ByteRow { enabled: true, byte, ..ByteRow::default() }).collect();
        let start = ty.len() + list.len();
        let header =
            payload.windows(shared.len()).position(|w| w == shared).expect("the payload holds the fields");
        mark_region(&mut rows.bytes, start..start + shared.len(), header, FIRST_STREAM);
        let data_index = number - if typed { 5 } else { 4 };
        let data_end = start + self.fields[..=data_index].concat().len();
        let row = &mut rows.slots[0];
        row.list_width = list.len() - 1;
        row.signing_width = header - 1 - ty.len();
        row.digest = keccak256(&payload);
        edit(row);
        row.nonzero_after_data = nonzero(&bytes[data_end..]);
        row.nonzero_from_data = nonzero(&bytes[data_end - row.data_len as usize..]);
        self.batch.signatures[0].0 = row.digest;
        self.batch.messages = vec![(0, bytes.clone()), (FIRST_STREAM, payload)];
        self.batch.bytes = bytes;
        failures_lying(&self.batch, &rows, &self.lies)
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
