//! Complete forgeries: bytes, rows, accounts and the outside all agree with the lie, and exactly one equation refuses it.
//! Forgeries that change a cell of an honest row are in `rejects`.

mod amounts;
mod chain_id;
mod items;
mod leaf_count;
mod lengths;
mod payload;
mod slots;

use super::{
    super::witness::nonzero,
    forger::{Forgery, Posted, failures_lying, hint, lie, single},
    *,
};
use crate::{
    cs::forge::Lie,
    gadgets::{words::to_u256, zero::INVERSE},
};

/// Inverse hints of a slot: data, recipient, sender's leaf, recipient's balance and leaf, coinbase's balance and leaf.
const INVERSES: usize = 7;

impl Batch {
    #[track_caller]
    fn refused_by(&self, name: &'static str, lies: &[Lie]) {
        assert_eq!(failures_lying(self, &self.rows, lies), Failures::from([name]));
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

    /// Posts these fields, of which the first `shared` are signed, and `tail`.
    fn of_fields(
        self,
        fields: &[&[u8]],
        shared: usize,
        tail: &[u8],
        edit: impl FnOnce(&mut SlotRow),
    ) -> Self {
        self.posting(&Posted { type_byte: None, list_prefix: None, fields, shared, tail }, edit)
    }
}

fn slices(fields: &[Vec<u8>]) -> Vec<&[u8]> {
    fields.iter().map(Vec::as_slice).collect()
}

const TAIL: [u8; 5] = [0x82, 0x03, 0xe9, 0x80, 0x80];
