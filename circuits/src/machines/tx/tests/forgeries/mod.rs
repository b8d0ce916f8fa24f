//! Complete forgeries: bytes, rows, accounts and the outside all agree with the lie, and exactly one equation refuses it.
//! Forgeries that change a cell of an honest row are in `rejects`.

mod amounts;
mod chain_id;
mod hidden;
mod items;
mod leaf_count;
mod lengths;
mod payload;
mod slots;

use super::{
    super::witness::{mark_region, nonzero, width},
    forger::{Forgery, failures_lying, hint, lie, single},
    *,
};
use crate::{
    cs::forge::{Lie, lying},
    gadgets::{words::to_u256, zero::INVERSE},
};

/// Inverse hints of a slot: data, recipient, sender's leaf, recipient's balance and leaf, coinbase's balance and leaf.
const INVERSES: usize = 7;

impl Batch {
    #[track_caller]
    fn refused_by(&self, name: &'static str, lies: &[Lie]) {
        let failures = || Checker::new(&self.system(&self.rows, Mode::Check), vec![]).failures();
        assert_eq!(lying(lies, failures), Failures::from([name]));
    }

    fn after(&mut self, who: Address) -> &mut AccountValue {
        &mut self.after.accounts.get_mut(&who).expect("there").value
    }

    /// The first transaction costs `fee` wei more than it should.
    fn charge(&mut self, fee: i128) {
        let sender = self.rows.slots[0].sender_address;
        let (less, more) = (U256::from(fee.min(0).unsigned_abs()), U256::from(fee.max(0).unsigned_abs()));
        let balance = &mut self.after(sender).balance;
        *balance = *balance + less - more;
        let balance = &mut self.after(COINBASE).balance;
        *balance = *balance + more - less;
    }

    /// The only transaction on the wire is put together from raw fields, of which the first `shared` are signed, and `tail`.
    fn of_fields(
        mut self,
        fields: &[&[u8]],
        shared: usize,
        tail: &[u8],
        edit: impl FnOnce(&mut SlotRow),
    ) -> Self {
        let prefix = |len: usize| {
            let digits: Vec<u8> = len.to_be_bytes().into_iter().skip(8 - width(len)).collect();
            let first = if digits.is_empty() { 0xc0 + len } else { 0xf7 + digits.len() };
            [vec![first as u8], digits].concat()
        };
        let typed = !matches!(self.rows.slots[0].kind, Kind::PreEip155 | Kind::Eip155);
        let ty: Vec<u8> = if typed { vec![self.bytes[0]] } else { vec![] };
        let (all, signed) = (fields.concat(), fields[..shared].concat());
        let list = prefix(all.len());
        self.bytes = [ty.clone(), list.clone(), all].concat();
        let signing = prefix(signed.len() + tail.len());
        let payload = [ty.clone(), signing.clone(), signed.clone(), tail.to_vec()].concat();
        let row = |&byte| ByteRow { enabled: true, byte, ..ByteRow::default() };
        self.rows.bytes = self.bytes.iter().map(row).collect();
        let start = ty.len() + list.len();
        mark_region(
            &mut self.rows.bytes,
            start..start + signed.len(),
            ty.len() + signing.len(),
            FIRST_STREAM,
        );
        // Data ends where the shared fields do, or one before in a typed transaction.
        let end = start + signed.len() - usize::from(typed);
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

    fn fields(&self) -> Vec<Vec<u8>> {
        self.txs[0].layout.fields.iter().map(|l| self.bytes[l.start..l.end].to_vec()).collect()
    }
}

fn slices(fields: &[Vec<u8>]) -> Vec<&[u8]> {
    fields.iter().map(Vec::as_slice).collect()
}

const TAIL: [u8; 5] = [0x82, 0x03, 0xe9, 0x80, 0x80];
