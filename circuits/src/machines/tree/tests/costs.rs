//! The page of the machine has its costs.

use super::*;

/// Constraints a row by family; docs/circuits/tree.md has the same table.
fn costs() -> BTreeMap<&'static str, usize> {
    let count = |rows: usize| {
        let mut cs = Cs::new(Mode::Record);
        let _ = synthesize(&mut cs, &TreeRows::empty(shape(rows)), Lc::zero());
        cs.counts().clone()
    };
    let (one, two) = (count(1), count(2));
    let mut families = BTreeMap::new();
    for (name, n) in two {
        let family = name.split('.').nth(1).unwrap();
        *families.entry(family).or_default() += n - one[name];
    }
    families.retain(|_, n| *n > 0);
    families
}

#[test]
fn costs_are_as_documented() {
    let costs = costs();
    let page = include_str!("../../../../../docs/circuits/tree.md");
    let (_, documented) = page.split_once("## Cost").unwrap();
    for (family, n) in &costs {
        let row = documented.lines().find(|l| l.starts_with(&format!("| {family} "))).unwrap_or_default();
        assert!(row.ends_with(&format!("| {n} |")), "{family} costs {n}, documented: {row}");
    }
    let total: usize = costs.values().sum();
    assert!(documented.contains(&format!("| **total** | | {total} |")), "a row costs {total}");
    assert!(total <= 6_100);
}
