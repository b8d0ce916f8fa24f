//! Fixed tables: constants known to the verifier through the matrices. A table's multiplicities are committed wires,
//! counted from what was looked up; each row costs one constraint.

use ark_ff::{PrimeField, Zero};

use super::bus::{Bus, Element};
use crate::{F, cs::Cs, gadgets::to_u64};

/// A fixed table of one bus.
pub struct FixedTable {
    pub bus: Bus,
    /// Rows as tuples.
    pub rows: Vec<Vec<F>>,
    /// The row that a tuple's first element names, if any: must satisfy `rows[index_of(rows[i][0])] == rows[i]`.
    pub index_of: fn(F) -> Option<usize>,
    /// Name of the multiplicity wires and row constraints, `table.<bus>.row`.
    pub name: &'static str,
}

/// Spreads the low 16 bits of `x` to base 8: Σ bᵢ·8ⁱ.
#[must_use]
pub fn spread(x: u16) -> u64 {
    (0..16).map(|i| u64::from(x >> i & 1) << (3 * i)).sum()
}

/// The 16 bits of a number whose base-8 digits are all 0 or 1, below 8¹⁶.
#[must_use]
pub fn compact(s: u64) -> Option<u16> {
    const ONES: u64 = 0o1111_1111_1111_1111;
    (s & !ONES == 0).then(|| (0..16).map(|i| ((s >> (3 * i) & 1) as u16) << i).sum())
}

/// [0, 2¹⁶).
#[must_use]
pub fn range16() -> FixedTable {
    FixedTable {
        bus: Bus::Range16,
        rows: (0..1u64 << 16).map(|x| vec![F::from(x)]).collect(),
        index_of: |f| to_u64(f).and_then(|x| usize::try_from(x).ok()),
        name: "table.range16.row",
    }
}

/// [0, 2⁸).
#[must_use]
pub fn range8() -> FixedTable {
    FixedTable {
        bus: Bus::Range8,
        rows: (0..1u64 << 8).map(|x| vec![F::from(x)]).collect(),
        index_of: |f| to_u64(f).and_then(|x| usize::try_from(x).ok()),
        name: "table.range8.row",
    }
}

/// All numbers below 8¹⁶ whose base-8 digits are bits.
#[must_use]
pub fn sparse16() -> FixedTable {
    FixedTable {
        bus: Bus::Sparse16,
        rows: (0..=u16::MAX).map(|x| vec![F::from(spread(x))]).collect(),
        index_of: |f| to_u64(f).and_then(compact).map(usize::from),
        name: "table.sparse16.row",
    }
}

/// A byte and its bits in base 8.
#[must_use]
pub fn byte_sparse() -> FixedTable {
    FixedTable {
        bus: Bus::ByteSparse,
        rows: (0..1u16 << 8).map(|x| vec![F::from(u64::from(x)), F::from(spread(x))]).collect(),
        index_of: |f| to_u64(f).and_then(|x| usize::try_from(x).ok()),
        name: "table.byte_sparse.row",
    }
}

impl FixedTable {
    /// The row equal to `tuple`.
    #[must_use]
    pub fn find(&self, tuple: &[F]) -> Option<usize> {
        (self.index_of)(tuple[0]).filter(|&i| self.rows.get(i).is_some_and(|row| row == tuple))
    }

    /// Counts what was looked up so far and adds the receiving rows: to be called once, after all machines.
    /// A value outside the table is counted nowhere, so that the argument's sum does not vanish.
    pub fn close(&self, cs: &mut Cs) {
        let mut counts = vec![F::zero(); self.rows.len()];
        let found: Vec<(usize, F)> =
            cs.bus.active(self.bus).filter_map(|i| Some((self.find(i.tuple)?, i.multiplicity))).collect();
        for (row, m) in found {
            counts[row] += m;
        }
        debug_assert!(
            counts.iter().all(|c| c.is_zero() || c.into_bigint().0[3] == 0),
            "{}: negative count",
            self.name
        );
        for (row, count) in self.rows.iter().zip(counts) {
            let m = cs.commit(self.name, count);
            let tuple: Vec<_> = row.iter().map(|&f| Element::constant(f)).collect();
            cs.receive_row(self.name, self.bus, m, &tuple);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ark_ff::Field;

    use super::*;
    use crate::machines::secp256k1;

    #[test]
    fn rows_are_distinct_found_and_as_long_as_their_bus() {
        let mut tables = vec![range16(), range8(), sparse16(), byte_sparse()];
        tables.extend(secp256k1::fixed_tables());
        let buses: BTreeSet<_> = tables.iter().map(|t| t.bus).collect();
        assert_eq!(buses.len(), tables.len(), "one table a bus");
        for table in &tables {
            assert!(table.bus.is_fixed_table() && table.name.starts_with("table."));
            for (i, row) in table.rows.iter().enumerate() {
                assert_eq!(row.len(), table.bus.arity(), "{}", table.name);
                assert_eq!(table.find(row), Some(i), "{}", table.name);
            }
        }
    }

    /// Against definitions by decimal and octal digits in text.
    #[test]
    fn tables_hold_what_their_bus_promises() {
        let octal = |bits: String| F::from(u64::from_str_radix(&bits, 8).expect("octal digits"));
        let [r16, r8, s16, bs] = [range16(), range8(), sparse16(), byte_sparse()];
        assert_eq!([&r16, &r8, &s16, &bs].map(|t| t.rows.len()), [65536, 256, 65536, 256]);
        for (x, (range, sparse)) in r16.rows.iter().zip(&s16.rows).enumerate() {
            assert_eq!(*range, [F::from(x as u64)]);
            assert_eq!(*sparse, [octal(format!("{x:b}"))]);
        }
        for (x, (range, sparse)) in r8.rows.iter().zip(&bs.rows).enumerate() {
            assert_eq!(*range, [F::from(x as u64)]);
            assert_eq!(*sparse, [F::from(x as u64), octal(format!("{x:b}"))]);
        }
    }

    #[test]
    fn rejects_what_is_no_row() {
        let eight = F::from(8u64);
        for f in [-F::from(1u64), F::from(1u64 << 16), F::from(u64::MAX), eight.pow([16u64])] {
            assert_eq!([range16(), range8(), sparse16()].map(|t| t.find(&[f])), [None; 3]);
        }
        for digits in [2u64, 3, 7, 0o20, 0o2000_0000_0000_0000] {
            assert_eq!(sparse16().find(&[F::from(digits)]), None);
        }
        assert_eq!(byte_sparse().find(&[F::from(3u64), F::from(3u64)]), None);
        assert_eq!(byte_sparse().find(&[F::from(3u64), F::from(9u64)]), Some(3));
    }
}
