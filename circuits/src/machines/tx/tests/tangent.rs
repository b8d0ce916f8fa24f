//! Nothing of a transaction can move at an honest assignment but what is listed, and each family of equations is needed
//! there, or listed with what else says the same; forgeries far from honest ones are in `forgeries`.

use super::*;
use crate::{machine::Machine as _, testing::tangent::Tangent};

/// Wires that move in pairs, besides those that the machine lists.
const PAIRED: &[(&str, &str)] = &[
    ("tx.bytes.shift", "outside regions, with the stream: nothing is sent there"),
    ("tx.bytes.stream", "outside regions, with the shift: nothing is sent there"),
];

/// Families that follow from others at an honest assignment.
const REDUNDANT: &[(&str, &str)] = &[
    ("tx.batch_chain_id.byte", PARSED),
    ("tx.batch_chain_id.end", PARSED),
    ("tx.batch_chain_id.present", PARSED),
    ("tx.batch_chain_id.top", PARSED),
    ("tx.chain_id.end", PARSED),
    ("tx.chain_id.gate", PARSED),
    ("tx.data.canonical", PARSED),
    ("tx.data.end", PARSED),
    ("tx.data.nonnegative", PARSED),
    ("tx.data.present", PARSED),
    ("tx.data.short", PARSED),
    ("tx.data.single", PARSED),
    ("tx.data.value", PARSED),
    ("tx.gas_limit.canonical", PARSED),
    ("tx.gas_limit.present", PARSED),
    ("tx.list.present", PARSED),
    ("tx.list.short", PARSED),
    ("tx.list.size", PARSED),
    ("tx.list.value", PARSED),
    ("tx.max_fee.present", PARSED),
    ("tx.max_fee.single", PARSED),
    ("tx.nonce.canonical", PARSED),
    ("tx.nonce.present", PARSED),
    ("tx.nonce.single", PARSED),
    ("tx.payload.present", PARSED),
    ("tx.payload.short", PARSED),
    ("tx.priority_fee.canonical", PARSED),
    ("tx.priority_fee.present", PARSED),
    ("tx.priority_fee.single", PARSED),
    ("tx.r.present", PARSED),
    ("tx.r.single", PARSED),
    ("tx.s.canonical", PARSED),
    ("tx.s.present", PARSED),
    ("tx.s.single", PARSED),
    ("tx.slot.enabled", DISABLED),
    ("tx.slot.idle", DISABLED),
    ("tx.slot.kind", PARSED),
    ("tx.slot.prefix", DISABLED),
    ("tx.v.present", PARSED),
    ("tx.v.single", PARSED),
    ("tx.value.canonical", PARSED),
    ("tx.value.present", PARSED),
];

const PARSED: &str = "near an honest parse the bytes at the other positions say the same";
const DISABLED: &str = "near an enabled slot the batch and its payload say the same";

#[test]
fn nothing_moves_and_every_equation_is_needed() {
    let mut samples = each_kind(|s| s.data = Bytes::from(vec![0x11; 3]));
    samples[0].data = Bytes::from(vec![0; 300]);
    samples[1].data = Bytes::from(vec![0x05]);
    samples[2].data = Bytes::from(vec![0x85; 1]);
    samples[3].data = Bytes::from(vec![0x85; 60]);
    let mut small = each_kind(|s| {
        (s.nonce, s.max_fee, s.priority_fee) = (1, 2, 1);
        (s.value, s.r, s.s) = (U256::ZERO, U256::from(4u64), U256::from(5u64));
    });
    small[1].to = Address::with_last_byte(11);
    let scene = |samples: &[Sample]| {
        let mut journal = journal_for(samples);
        // Somebody new.
        journal.accounts.insert(samples[0].to, Entry::default());
        let system = Batch::with_journal(samples, journal).system_with_free_outputs();
        Tangent::at(&Checker::new(&system, vec![]), &[])
    };
    Tangent::join([scene(&samples), scene(&small)]).assert(
        &["tx.", "journal."],
        &[Transactions::FREE_WIRES, PAIRED].concat(),
        REDUNDANT,
    );
}
