//! The rows' constraints, family by family. Costs are a row's. All-zero rows satisfy everything and pass the root on.

use super::{
    leaf::{self, Leaf},
    path,
    row::{RowKind, TreeRow, TreeRows},
    top,
    witness::limit,
};
use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{
        compare::{self, Wide, split},
        poseidon,
    },
    lookup::bus::{Account, Element, Storage},
    machine::Levels,
};

/// What a row is; the flags sum to `en`.
pub(super) struct Kind {
    pub en: Lc,
    pub update: Lc,
    pub absent: Wire,
    pub link: Wire,
    /// The row before is LINK.
    pub append: Lc,
    pub storage: Wire,
}

impl Kind {
    /// 1 if the opened leaf is the operation's own.
    pub fn own(&self) -> Lc {
        self.update.clone() + self.append.clone()
    }

    /// 1 if the opened leaf is the predecessor of the operation's key.
    pub fn predecessor(&self) -> Lc {
        self.absent + self.link
    }
}

/// What a row hands to the next.
struct Carry {
    en: Lc,
    link: Lc,
    key: Wide,
    limit: Lc,
    next_index: Lc,
    new_next_index: Lc,
    /// Of the subtree.
    root: Lc,
}

/// The tree machine. `root_in` is the tree root before the batch; returns the tree root after it.
pub fn synthesize(cs: &mut Cs, tree: &TreeRows, root_in: Lc) -> Lc {
    let mut carry = Carry {
        en: cs.one().into(),
        link: Lc::zero(),
        key: Wide::default(),
        limit: Lc::zero(),
        next_index: Lc::zero(),
        new_next_index: Lc::zero(),
        root: top::open(cs, tree.levels, tree.subtree, root_in),
    };
    for row in &tree.rows {
        carry = synthesize_row(cs, row, tree.levels, &carry);
    }
    // tree.kind.closed: the last row is not LINK. Cost: 1 in all
    // Without it a predecessor points at a leaf that was never written.
    cs.enforce_zero("tree.kind.closed", carry.link);
    top::close(cs, tree.levels, carry.root)
}

fn synthesize_row(cs: &mut Cs, row: &TreeRow, levels: Levels, before: &Carry) -> Carry {
    let kind = kind(cs, row, before);
    let id = identity(cs, row, &kind);
    let order = order(cs, row, &kind, &id.key, before);
    let leaf = leaf::leaves(cs, row, &kind, &id.key, &order.opened, &order.limit);
    let bits = path::position(cs, row, levels);
    let index = Lc::recompose(&bits, 1);
    pair(cs, before, &order, &leaf, &index);
    let roots = path::roots(cs, row, &kind.en, &bits, leaf.old.clone(), leaf.new.clone());
    let root = path::chain(cs, &kind.en, roots, &before.root);
    journal(cs, row, &kind, &id, &leaf, &index);
    Carry {
        en: kind.en,
        link: kind.link.into(),
        key: order.key,
        limit: order.limit.field(),
        next_index: leaf.next_index,
        new_next_index: leaf.new_next_index.into(),
        root,
    }
}

/// append is the row before's link, update = en − absent − link − append.                       Cost: 4
///
/// ```text
/// tree.kind.prefix   en·(en of the row before − en) = 0, that being 1 for the first row
/// tree.kind.absent   absent ∈ {0, 1}
/// tree.kind.link     link ∈ {0, 1}
/// tree.kind.update   update ∈ {0, 1}
/// ```
/// Soundness: by prefix en is 0 or that of the row before, hence 0 or 1. The four flags are boolean and sum to en, so
/// at most one is set; if the row before is LINK, append = 1 forces en = 1. Without prefix: an enabled row after a
/// disabled one, whose key is compared with nothing, or a fraction of a row. Without the others: two kinds at once, a
/// LINK whose APPEND is missing, lookups of multiplicity −1 (by `predecessor` and `en − append`) that cancel others.
fn kind(cs: &mut Cs, row: &TreeRow, before: &Carry) -> Kind {
    let en = cs.commit("tree.kind.enabled", F::from(row.kind != RowKind::Disabled));
    let absent = cs.commit_boolean("tree.kind.absent", row.kind == RowKind::Absent);
    let link = cs.commit_boolean("tree.kind.link", row.kind == RowKind::Link);
    let storage = cs.witness("tree.key.storage", row.storage);
    let append = before.link.clone();
    let update = en - absent - link - append.clone();
    cs.enforce_boolean("tree.kind.update", update.clone());
    cs.enforce("tree.kind.prefix", before.en.clone() - en, en, Lc::zero());
    Kind { en: en.into(), update, absent, link, append, storage }
}

/// What the operation is on.
struct Identity {
    address: Wire,
    slot_hi: Wire,
    slot_lo: Wire,
    /// The tree key.
    key: Lc,
}

/// tree.key.storage: storage·(en − storage) = 0.                                                Cost: 1
/// tree.key.slot: (en − storage)·(slot_hi, slot_lo) = 0.                                        Cost: 2
/// tree.key.hash: key = Poseidon(en + storage, address, slot_hi, slot_lo).                    Cost: 297
///
/// Without storage: a third tag, whose leaves exist on no journal. Without slot: many leaves for one account. Without
/// hash: the value of one leaf read as another's.
/// The address is not range-checked: leaves are created only by journal writers, who check it; an operation on an
/// address that no one accesses ends as it began.
fn identity(cs: &mut Cs, row: &TreeRow, kind: &Kind) -> Identity {
    let (en, storage) = (kind.en.clone(), kind.storage);
    let address = cs.commit("tree.key.address", row.address);
    let slot_hi = cs.commit("tree.key.slot_hi", row.slot_hi);
    let slot_lo = cs.commit("tree.key.slot_lo", row.slot_lo);
    cs.enforce("tree.key.storage", en.clone() - storage, storage, Lc::zero());
    for half in [slot_hi, slot_lo] {
        cs.enforce("tree.key.slot", half, en.clone() - storage, Lc::zero());
    }
    let tag = en.clone() + storage;
    let key =
        poseidon::hash(cs, "tree.key.hash", &en, &[tag, address.into(), slot_hi.into(), slot_lo.into()]);
    Identity { address, slot_hi, slot_lo, key }
}

/// Keys as integers.
struct Order {
    key: Wide,
    /// Key of the opened leaf.
    opened: Wide,
    /// The opened leaf's next key; r if there is none, which is 0 in the field.
    limit: Wide,
}

/// Integers for the key, the opened key and the limit, and their order.                         Cost: 86
///
/// ```text
/// tree.order.range   limbs of the opened key                                             16
/// tree.order.key     the key's integer is the key in the field                            1
/// tree.order.own     update or append: opened = key                                       1
/// tree.order.above.* absent or link: opened < key                                        17
/// tree.order.below.* key < limit                                                         17
/// tree.order.limit.* limit ≤ r                                                           17
/// tree.order.after.* not APPEND: key of the row before < key                             17
/// ```
/// The leaf's elements are the opened key and the limit *in the field*; limit ∈ [1, r] makes the next key 0 mean r, so
/// that the end of the list needs no case. In UPDATE and APPEND key < limit holds in every tree that this machine
/// built.
/// Soundness: 0 ≤ key of the row before < key < limit ≤ r is a chain of comparisons from 0 and from r, so keys and
/// limits are integers in (0, r] though their halves have no range, see [`compare::enforce_less`]; hence canonical and
/// unique. In APPEND the key's halves are those of the LINK (tree.pair.key). The opened key is bounded from above only,
/// so its range is checked. Without key, own: an operation on another leaf. Without above, below: an existing key
/// is absent or inserted twice. Without limit: a key plus r, above every key. Without range: an opened key minus r,
/// below every key. Without after: a leaf is touched twice, so that its journal starts twice. Row 0 compares with 0: no
/// operation has key 0, the sentinel's.
fn order(cs: &mut Cs, row: &TreeRow, kind: &Kind, key: &Lc, before: &Carry) -> Order {
    const RANGE: &str = "tree.order.range";
    let en = &kind.en;
    let enabled = row.kind != RowKind::Disabled;
    let limit_value = if enabled { limit(row.next_key) } else { [0, 0] };
    let wide = Wide::commit_unchecked(cs, "tree.order.key_halves", split(key.value()));
    let opened = Wide::new(cs, "tree.order.opened_limbs", RANGE, en, split(row.opened_key));
    let limit = Wide::commit_unchecked(cs, "tree.order.limit_halves", limit_value);
    cs.enforce_equal("tree.order.key", wide.field(), key.clone());
    cs.enforce("tree.order.own", opened.field() - key.clone(), kind.own(), Lc::zero());
    let predecessor = kind.predecessor();
    cs.scoped("tree.order.above", |cs| compare::enforce_less(cs, &predecessor, &opened, &wide));
    cs.scoped("tree.order.below", |cs| compare::enforce_less(cs, en, &wide, &limit));
    let r = Wide::modulus(en);
    cs.scoped("tree.order.limit", |cs| compare::enforce_less_or_equal(cs, en, &limit, &r));
    let starts = en.clone() - kind.append.clone();
    cs.scoped("tree.order.after", |cs| compare::enforce_less(cs, &starts, &before.key, &wide));
    Order { key: wide, opened, limit }
}

/// APPEND continues the LINK before it: link' being that row's flag and x' its columns.           Cost: 5
///
/// ```text
/// tree.pair.key         link'·(key − key') = 0, both halves  else another key is inserted than the one linked, or the
///                                                            next row's key is compared with this one minus r
/// tree.pair.index       link'·(index − new_next_index') = 0  else the pointer leads elsewhere
/// tree.pair.next_key    link'·(limit − limit') = 0           else the rest of the list is cut off
/// tree.pair.next_index  link'·(next_index − next_index') = 0
/// ```
fn pair(cs: &mut Cs, before: &Carry, order: &Order, leaf: &Leaf, index: &Lc) {
    let link = &before.link;
    cs.enforce("tree.pair.key", order.key.hi.clone() - before.key.hi.clone(), link.clone(), Lc::zero());
    cs.enforce("tree.pair.key", order.key.lo.clone() - before.key.lo.clone(), link.clone(), Lc::zero());
    cs.enforce("tree.pair.index", index.clone() - before.new_next_index.clone(), link.clone(), Lc::zero());
    cs.enforce("tree.pair.next_key", order.limit.field() - before.limit.clone(), link.clone(), Lc::zero());
    let next_index = leaf.next_index.clone() - before.next_index.clone();
    cs.enforce("tree.pair.next_index", next_index, link.clone(), Lc::zero());
}

/// The journals' first and last rows: UPDATE, ABSENT and APPEND send (…, first value, index or 0, time 0) and receive
/// (…, last value, index or 0, last time).                                                      Cost: 24
///
/// ```text
/// tree.journal.storage        slots = storage·(en − link)                                   1
/// tree.journal.updated        updated = update·index                                        1
/// tree.journal.appended       appended = append·index                                       1
/// tree.journal.account_first  (updated, address, nonce, hi, lo, code hash, 0)               6
/// tree.journal.account_last   (updated + appended, address, nonce, hi, lo, code hash, time) 6
/// tree.journal.slot_first     (updated, address, slot, hi, lo, 0)                           5
/// tree.journal.slot_last      (updated + appended, address, slot, hi, lo, time)             4
/// ```
/// `last_time` is a hint with no constraint of its own: by tree.order.after each leaf has one first and one last row,
/// so the leaf's journal balances only if the last row takes what the last access sent, its time included.
fn journal(cs: &mut Cs, row: &TreeRow, kind: &Kind, id: &Identity, leaf: &Leaf, index: &Lc) {
    let op = kind.en.clone() - kind.link;
    let slots = cs.committed_product("tree.journal.storage", op.clone(), kind.storage);
    let accounts = op - slots;
    let updated = cs.committed_product("tree.journal.updated", index.clone(), kind.update.clone());
    let appended = cs.committed_product("tree.journal.appended", index.clone(), kind.append.clone());
    let time = cs.commit("tree.journal.last_time", row.last_time);
    let address = cs.share(id.address);
    let account = |v: &leaf::ValueColumns, index: Lc, time: Element| Account {
        index: index.into(),
        address: (&address).into(),
        nonce: (&v.nonce).into(),
        balance_high: (&v.hi).into(),
        balance_low: (&v.lo).into(),
        code_hash: (&v.code_hash).into(),
        time,
    };
    let [slot_high, slot_low] = [id.slot_hi, id.slot_lo].map(|w| cs.share(w));
    let slot = |v: &leaf::ValueColumns, index: Lc, time: Element| Storage {
        index: index.into(),
        address: (&address).into(),
        slot_high: (&slot_high).into(),
        slot_low: (&slot_low).into(),
        value_high: (&v.hi).into(),
        value_low: (&v.lo).into(),
        time,
    };
    let (first, last) = (&leaf.first, &leaf.last);
    let (start, end) = (updated, updated + appended);
    cs.send("tree.journal.account_first", accounts.clone(), account(first, start.into(), 0.into()));
    cs.receive("tree.journal.account_last", accounts, account(last, end.clone(), time.into()));
    cs.send("tree.journal.slot_first", slots, slot(first, start.into(), 0.into()));
    cs.receive("tree.journal.slot_last", slots, slot(last, end, time.into()));
}
