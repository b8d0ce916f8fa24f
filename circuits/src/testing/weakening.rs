//! What `scripts/weaken-constraints` can weaken: every named constraint and lookup of the batch circuit and its argument,
//! and every element of every tuple on a bus that balances exactly; and which of them are known to be redundant. Not
//! here: the hook itself (`cs/weaken.rs`) and the tests that die.

use std::collections::BTreeSet;

use ark_ff::Zero;

use crate::{
    F,
    batch::{Assignment, Shape, synthesize},
    cs::{Cs, Mode},
    lookup::{argument, bus::Bus, challenge::Challenges},
};

/// Weakenings that no test can notice, with the reason: what they say follows from the rest.
pub const REDUNDANT: &[(&str, &str)] = &[
    ("tx.batch_chain_id.present", "top asks every digit above the first, and canonical the first"),
    ("tx.gas_limit.canonical", "a gas limit of one byte is below the intrinsic gas"),
    ("tx.slot.enabled", "a sum of four kinds, and the journal has no account twice"),
];

/// Values of `CAIRN_WEAKEN`.
fn weakenings() -> BTreeSet<String> {
    let shape = Shape::transfers(1);
    let mut cs = Cs::new(Mode::Record);
    synthesize(&mut cs, &shape, &Assignment::structure(&shape));
    let mut names: BTreeSet<String> = cs
        .interactions()
        .filter(|i| i.bus.is_fixed_table() && !i.name.starts_with("table."))
        .map(|i| i.name.to_string())
        .collect();
    argument::close(&mut cs, Challenges { rho: F::zero(), alpha: F::zero() });
    names.extend(cs.matrices().names.iter().map(|name| name.to_string()));
    for bus in Bus::ALL.iter().filter(|bus| !bus.is_fixed_table()) {
        names.extend((0..bus.arity()).map(|k| format!("bus:{bus:?}:{k}")));
    }
    names
}

/// `CAIRN_WEAKENINGS=FILE` makes this test write the list, a line each: name, tab, reason if it is known to be redundant.
#[test]
fn lists_what_can_be_weakened() {
    let names = weakenings();
    assert!(names.len() > 250, "{} names", names.len());
    for expected in
        ["batch.public_input.value", "tx.fee.fee", "keccak.block.spread", "bus.inverse", "bus:Signature:7"]
    {
        assert!(names.contains(expected), "{expected} is missing");
    }
    let unknown: Vec<_> = REDUNDANT.iter().filter(|(name, _)| !names.contains(*name)).collect();
    assert!(unknown.is_empty(), "listed as redundant, but there is no such constraint: {unknown:?}");
    let Some(path) = std::env::var_os("CAIRN_WEAKENINGS") else { return };
    let reason = |name: &str| REDUNDANT.iter().find(|(n, _)| *n == name).map_or("", |(_, reason)| reason);
    let lines: String = names.iter().map(|name| format!("{name}\t{}\n", reason(name))).collect();
    std::fs::write(path, lines).unwrap();
}
