//! Constraint counts: per unit and per machine, taken from the recorded matrices' names, never estimated.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    batch::{Assignment, Shape, synthesize},
    cs::{Cs, Mode},
    machine::Levels,
    machines::{
        keccak, secp256k1,
        tree::{self, TreeRows, TreeShape},
    },
};

/// Constraints of the units that have targets, and of each machine in two shapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// One keccak-f\[1600\], absorption of its block included.
    pub keccak_f: usize,
    /// One keccak row: the permutation, its 136 bytes, padding, digest and bus.
    pub keccak_row: usize,
    /// One keccak row of two words: the permutation, 64 bytes, digest and bus.
    pub keccak_words_row: usize,
    /// One recovery of a secp256k1 public key with its address.
    pub signature: usize,
    /// One leaf opened against the old root and closed against the new one, in a tree of at most 2¹⁸ leaves.
    pub leaf_update: usize,
    /// One ETH transfer with everything: a shape for 9 transfers less one for 1, by 8.
    pub transfer: usize,
    /// Everything in an empty batch: fixed tables, header, system state (a shape for 0 transfers).
    pub batch: usize,
    /// Constraints by machine of a shape for 9 transfers less one for 1, by 8, rounded down.
    pub transfer_by_machine: BTreeMap<String, usize>,
    /// Constraints by machine of a shape for 0 transfers.
    pub batch_by_machine: BTreeMap<String, usize>,
}

/// Constraints by the first part of their name, the lookup argument's own sum and powers included.
fn by_machine(shape: &Shape) -> BTreeMap<String, usize> {
    let mut cs = Cs::new(Mode::Record);
    synthesize(&mut cs, shape, &Assignment::structure(shape));
    let mut out = BTreeMap::new();
    for (name, n) in cs.counts() {
        *out.entry(name.split('.').next().unwrap_or(name).to_string()).or_default() += n;
    }
    out
}

fn constraints_of(rows: impl Fn(&mut Cs, usize)) -> usize {
    let total = |n| {
        let mut cs = Cs::new(Mode::Record);
        rows(&mut cs, n);
        cs.num_constraints()
    };
    total(3) - total(2)
}

impl Counts {
    /// Records the circuits and counts.
    #[must_use]
    pub fn measure() -> Self {
        let (zero, one, nine) = (
            by_machine(&Shape::transfers(0)),
            by_machine(&Shape::transfers(1)),
            by_machine(&Shape::transfers(9)),
        );
        let sum = |m: &BTreeMap<String, usize>| m.values().sum::<usize>();
        let eighth = |name: &String| (nine[name] - one.get(name).copied().unwrap_or_default()) / 8;
        Self {
            keccak_f: keccak::permutation_constraints(),
            keccak_row: keccak::row_constraints().values().sum(),
            keccak_words_row: keccak::words::row_constraints().values().sum(),
            signature: constraints_of(|cs, n| secp256k1::synthesize(cs, &vec![Default::default(); n])),
            leaf_update: constraints_of(|cs, n| {
                let root = cs.constant(0u64);
                let shape = TreeShape { rows: n, levels: Levels::DEFAULT };
                tree::synthesize(cs, &TreeRows::empty(shape), root);
            }),
            transfer: (sum(&nine) - sum(&one)) / 8,
            batch: sum(&zero),
            transfer_by_machine: nine
                .keys()
                .map(|name| (name.clone(), eighth(name)))
                .filter(|(_, n)| *n > 0)
                .collect(),
            batch_by_machine: zero,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed table: a change of a circuit shows its cost as a diff. Set `UPDATE_COUNTS=1` to rewrite it.
    #[test]
    fn committed_table_is_current_and_meets_the_targets() {
        let counts = Counts::measure();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.json");
        let json = format!("{}\n", serde_json::to_string_pretty(&counts).unwrap());
        if std::env::var_os("UPDATE_COUNTS").is_some() {
            std::fs::write(path, &json).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            json,
            "run with UPDATE_COUNTS=1 to rewrite {path}"
        );
        assert!(counts.keccak_f <= 28_000);
        assert!(counts.signature <= 50_000);
        assert!(counts.leaf_update <= 6_100);
        assert!(counts.batch <= 260_000);
        assert!(counts.transfer <= 75_000);
    }
}
