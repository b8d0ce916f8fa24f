//! The hook of `scripts/weaken-constraints`, in tests only: replaces chosen constraints by 0 · 0 = 0, at equal count,
//! so that one can see which test fails. `CAIRN_WEAKEN` chooses:
//!
//! | value | what is replaced |
//! |---|---|
//! | `NAME` | every constraint or lookup of this name |
//! | `NAME#K/N` | those whose number, counted by name from 0 in each synthesis, is K modulo N |
//! | `bus:BUS:K` | element K of every tuple of this bus, counted from 0 |
//!
//! A lookup gets the multiplicity 0. A message is not dropped, because the bus would no longer balance; its elements
//! are replaced by 0 instead.

use std::{cell::RefCell, collections::HashMap, sync::OnceLock};

use crate::{
    cs::Lc,
    lookup::bus::{Bus, Element, Role},
};

enum Spec {
    Nothing,
    Name { name: String, residue: usize, modulus: usize },
    BusElement { bus: String, element: usize },
}

fn spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    SPEC.get_or_init(|| std::env::var("CAIRN_WEAKEN").map_or(Spec::Nothing, |s| parse(&s)))
}

fn parse(s: &str) -> Spec {
    if let Some((bus, element)) = s.strip_prefix("bus:").and_then(|rest| rest.split_once(':')) {
        let element = element.parse().expect("CAIRN_WEAKEN: bus:BUS:K has a number K");
        assert!(
            Bus::ALL.iter().any(|b| format!("{b:?}") == bus && element < b.arity()),
            "CAIRN_WEAKEN: {s} names no element of a bus"
        );
        return Spec::BusElement { bus: bus.to_string(), element };
    }
    let (name, part) = s.split_once('#').unwrap_or((s, "0/1"));
    let (residue, modulus) = part.split_once('/').expect("CAIRN_WEAKEN: NAME#K/N");
    let number = |n: &str| n.parse().expect("CAIRN_WEAKEN: NAME#K/N has numbers K and N");
    Spec::Name { name: name.to_string(), residue: number(residue), modulus: number(modulus) }
}

thread_local! {
    /// How often the weakened name was used, by the residue's modulus; syntheses of a thread follow one another.
    static USES: RefCell<HashMap<&'static str, usize>> = RefCell::default();
}

/// Whether this use of `name` is replaced.
pub(super) fn hits(name: &'static str) -> bool {
    let Spec::Name { name: weak, residue, modulus } = spec() else { return false };
    if weak != name {
        return false;
    }
    let nth = USES.with_borrow_mut(|uses| {
        let n = uses.entry(name).or_default();
        *n += 1;
        *n - 1
    });
    nth % modulus == *residue
}

/// Starts counting uses anew: a synthesis begins.
pub(super) fn restart() {
    USES.with_borrow_mut(HashMap::clear);
}

/// The interaction as it enters the log.
pub(super) fn interaction(
    name: &'static str,
    bus: Bus,
    role: Role,
    multiplicity: Lc,
    tuple: &[Element],
) -> (Lc, Vec<Element>) {
    let mut tuple = tuple.to_vec();
    match spec() {
        Spec::Name { .. } if role == Role::Lookup && hits(name) => (Lc::zero(), tuple),
        Spec::BusElement { bus: weak, element } if role == Role::Message && format!("{bus:?}") == *weak => {
            tuple[*element] = Element::default();
            (multiplicity, tuple)
        }
        _ => (multiplicity, tuple),
    }
}
