//! Family *leaf*: what the old and the new leaf of a row hold.

use super::{constraints::Kind, row::TreeRow};
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::{compare::Wide, poseidon, pow2, range},
};

/// A leaf's value as the journals carry it.
pub(super) struct ValueColumns {
    pub nonce: Lc,
    pub hi: Lc,
    pub lo: Lc,
    pub code_hash: Lc,
}

/// The leaf columns of a row.
pub(super) struct Leaf {
    /// UPDATE: the leaf's value before; else 0.
    pub first: ValueColumns,
    /// UPDATE and APPEND: the leaf's value after; else 0.
    pub last: ValueColumns,
    pub next_index: Lc,
    pub new_next_index: Wire,
    /// What stands at the position before and after.
    pub old: Lc,
    pub new: Lc,
}

/// Columns of the family, in the order of [`columns`].
struct Columns {
    first: ValueColumns,
    last: ValueColumns,
    /// v0, v1, v2 of the predecessor.
    passed: [Lc; 3],
    next_index: Lc,
    new_next_index: Wire,
}

/// tree.leaf.range: first.lo < 2¹²⁸, first.nonce < 2⁶⁴, first.hi + `passed[1]` < 2¹²⁸, next_index < 2³⁰.   Cost: 23
///
/// A leaf holds lo + 2¹²⁸·nonce and hi + 2¹²⁸·next_index; below r/2 each, so each has one split.
/// Without it: another split of the same leaf, which turns nonce into balance, or balance into pointers.
/// `last` needs none: it equals a tuple that a journal's writer sent, which range-checks it, or `first`.
/// `passed[0]` and `passed[2]` are split nowhere.
fn columns(cs: &mut Cs, row: &TreeRow, en: &Lc) -> Columns {
    const RANGE: &str = "tree.leaf.range";
    let lo = range::uint(cs, "tree.leaf.first_lo", RANGE, en, 128, row.old.lo);
    let nonce = range::uint(cs, "tree.leaf.first_nonce", RANGE, en, 64, row.old.nonce.into());
    let opened_hi = range::uint(cs, "tree.leaf.opened_hi", RANGE, en, 128, row.opened_hi());
    let next_index = range::uint(cs, "tree.leaf.next_index", RANGE, en, 30, row.next_index.into());
    let hi = cs.commit("tree.leaf.first_hi", row.old.hi);
    let code_hash = cs.commit("tree.leaf.first_code_hash", row.old.code_hash);
    let passed_0 = cs.witness("tree.leaf.passed_0", row.passed[0]);
    let passed_2 = cs.witness("tree.leaf.passed_2", row.passed[2]);
    let last = ValueColumns {
        nonce: cs.commit("tree.leaf.last_nonce", row.new.nonce).into(),
        hi: cs.commit("tree.leaf.last_hi", row.new.hi).into(),
        lo: cs.commit("tree.leaf.last_lo", row.new.lo).into(),
        code_hash: cs.commit("tree.leaf.last_code_hash", row.new.code_hash).into(),
    };
    Columns {
        passed: [passed_0.into(), opened_hi - hi, passed_2.into()],
        first: ValueColumns { nonce, hi: hi.into(), lo, code_hash: code_hash.into() },
        last,
        next_index,
        new_next_index: cs.witness("tree.leaf.new_next_index", row.new_next_index),
    }
}

/// Both leaves of a row, `opened` being the opened leaf's key and `limit` its next key.
///
/// ```text
/// old = Leaf(opened, first + passed, limit, next_index)          APPEND: 0
/// new = Leaf(opened, last  + passed, limit, new_next_index)      LINK: next key is `key`
/// ```
/// Cost: 683 with tree.leaf.range and `selection`.
pub(super) fn leaves(cs: &mut Cs, row: &TreeRow, kind: &Kind, key: &Lc, opened: &Wide, limit: &Wide) -> Leaf {
    let c = columns(cs, row, &kind.en);
    selection(cs, kind, &c);
    let (opened, next_key) = (opened.field(), limit.field());

    // tree.leaf.next_key: new_next_key = next_key + link·(key − next_key). Cost: 1
    // Without it: the list leaves the new leaf out, or is cut.
    let moved = cs.product("tree.leaf.next_key", key.clone() - next_key.clone(), kind.link);
    let new_next_key = next_key.clone() + moved;
    // tree.leaf.next_index: (en − link)·(new_next_index − next_index) = 0. Cost: 1
    // Without it: pointers change without an insertion. LINK: see tree.pair.index.
    let change = c.new_next_index - c.next_index.clone();
    cs.enforce("tree.leaf.next_index", change, kind.en.clone() - kind.link, Lc::zero());

    let [p0, p1, p2] = c.passed;
    let old_elements = [
        opened.clone(),
        c.first.lo.clone() + c.first.nonce.clone() * pow2(128) + p0.clone(),
        c.first.hi.clone() + p1.clone() + c.next_index.clone() * pow2(128),
        c.first.code_hash.clone() + p2.clone(),
        next_key,
    ];
    let new_elements = [
        opened,
        c.last.lo.clone() + c.last.nonce.clone() * pow2(128) + p0,
        c.last.hi.clone() + p1 + c.new_next_index * pow2(128),
        c.last.code_hash.clone() + p2,
        new_next_key,
    ];
    // tree.leaf.old_hash, tree.leaf.new_hash. Cost: 642
    let old_hash = poseidon::hash(cs, "tree.leaf.old_hash", &kind.en, &old_elements);
    let new = poseidon::hash(cs, "tree.leaf.new_hash", &kind.en, &new_elements);
    // tree.leaf.unused: old = (en − append)·old_hash: an unused position holds 0. Cost: 1
    // Without it: an insertion over an existing leaf.
    let old = cs.product("tree.leaf.unused", old_hash, kind.en.clone() - kind.append.clone()).into();
    Leaf {
        first: c.first,
        last: c.last,
        next_index: c.next_index,
        new_next_index: c.new_next_index,
        old,
        new,
    }
}

/// Which columns a kind of row uses; the others are zero.                                        Cost: 15
///
/// ```text
/// tree.leaf.first       (en − update)·first = 0     4   else an absent leaf starts with a balance
/// tree.leaf.last        (absent + link)·last = 0    4   else a predecessor's value changes, or an absent leaf ends with one
/// tree.leaf.passed      (update + append)·passed = 0  3   else value outside the journal is added to a leaf
/// tree.leaf.slot_value  storage·(nonce, code hash of first and last) = 0   4
///                       else the storage journal, which does not carry them, lets them change
/// ```
fn selection(cs: &mut Cs, kind: &Kind, c: &Columns) {
    let ValueColumns { nonce, hi, lo, code_hash } = &c.first;
    for lc in [nonce, hi, lo, code_hash] {
        cs.enforce("tree.leaf.first", lc.clone(), kind.en.clone() - kind.update.clone(), Lc::zero());
    }
    for lc in &c.passed {
        cs.enforce("tree.leaf.passed", lc.clone(), kind.own(), Lc::zero());
    }
    let ValueColumns { nonce: last_nonce, hi, lo, code_hash: last_code_hash } = &c.last;
    for lc in [last_nonce, hi, lo, last_code_hash] {
        cs.enforce("tree.leaf.last", lc.clone(), kind.predecessor(), Lc::zero());
    }
    for lc in [nonce, code_hash, last_nonce, last_code_hash] {
        cs.enforce("tree.leaf.slot_value", lc.clone(), kind.storage, Lc::zero());
    }
}
