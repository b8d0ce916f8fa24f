//! One access to an account or to a storage slot.

use ark_ff::{One, Zero};

use crate::{
    F,
    cs::{Cs, Lc, Wire},
    gadgets::{low_u128, pow2, words::Word, zero::is_zero},
    lookup::bus::{Account, Bus, Element, Storage},
};

/// Fields of an account as the bus carries them.
#[derive(Clone, Debug, Default)]
pub struct AccountLc {
    pub nonce: Element,
    pub balance: Word,
    pub code_hash: Element,
}

/// When an access happens, and the hints of what was there before.
#[derive(Clone, Debug)]
pub struct At {
    /// This access' time: a constant of the layout, or committed wires.
    pub now: Element,
    /// How long ago the previous access may have been.
    pub gap: Gap,
    /// Hint: time of the previous access, 0 for the tree's.
    pub before: u64,
    /// Hint: leaf position before the access, 0 if absent.
    pub index: u64,
}

/// How far apart two successive accesses to a leaf may be: what now − before − 1 is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// At most 2¹⁶: one lookup.
    Narrow,
    /// At most 2³²: two lookups and a committed limb.
    Wide,
}

impl Gap {
    /// The narrowest gap that admits every two times up to `last_time`, which is at most 2³². With a later time an
    /// honest prover has no assignment.
    #[must_use]
    pub const fn within(last_time: u64) -> Self {
        if last_time <= 1 << 16 { Self::Narrow } else { Self::Wide }
    }
}

/// A flag for [`account_access`]: the fields are not those of an empty account.
///
/// journal.leaf.nonempty: nonce + balance high + balance low ≠ 0; the terms are below 2¹²⁸, so they cannot cancel.
/// Cost: 2. Only an account that was absent asks for it, and an absent account has no code; so code does not enter.
pub fn is_nonempty(cs: &mut Cs, en: &Lc, nonce: &Lc, balance: &Word) -> Lc {
    let sum = nonce.clone() + &balance.hi + &balance.lo;
    let empty = is_zero(cs, "journal.leaf.nonempty", en, &sum);
    en.clone() - empty
}

/// Replaces `old` by `new` in the account at `address`. Returns the leaf count after the access.
///
/// Requires: `en` boolean; the values written are in range (nonce 64 bits, halves 128 bits); `nonempty` is the flag
/// whether `new` is a non-empty account, at least where the account was absent; `at.now` is above the times of what the
/// program does before (docs/circuits/journal.md, Soundness).
///
/// ```text
/// journal.account.old    receive (index, address, old…, before)           7    without it: values from nowhere
/// journal.account.new    send (index', address, new…, now)                5    without it: the write is lost
/// journal.account.order  now − before − 1 ∈ [0, 2¹⁶), or 2³²              1/2  without it: an access reads a later write
/// ```
/// less 1 for each nonce or code hash that is constant or shared with the other tuple; and the families of the leaf
/// position, `journal.leaf.*`.
#[expect(
    clippy::too_many_arguments,
    reason = "an access has an address, two values, a time and the leaf count"
)]
pub fn account_access(
    cs: &mut Cs,
    en: &Lc,
    address: &Lc,
    old: &AccountLc,
    new: &AccountLc,
    nonempty: &Lc,
    at: At,
    leaf_count: &Lc,
) -> Lc {
    let index = cs.commit("journal.account.index", at.index);
    let before = cs.commit("journal.account.before", at.before);
    let (new_index, leaf_count) = next_index(cs, en, index, nonempty, leaf_count);
    let address = cs.share(address);
    let tuple = |a: &AccountLc, index: Lc, time: Element| Account {
        index: index.into(),
        address: (&address).into(),
        nonce: a.nonce.clone(),
        balance_high: (&a.balance.hi).into(),
        balance_low: (&a.balance.lo).into(),
        code_hash: a.code_hash.clone(),
        time,
    };
    let (first, second) = (tuple(old, index.into(), before.into()), tuple(new, new_index, at.now.clone()));
    cs.receive("journal.account.old", en.clone(), first);
    cs.send("journal.account.new", en.clone(), second);
    cs.scoped("journal.account", |cs| enforce_order(cs, en, before, &at));
    leaf_count
}

/// order: before < now, by now − before − 1 ∈ [0, 2¹⁶), or = low + 2¹⁶·gap with both limbs in that range.  Cost: 1 or 2
///
/// In the caller's scope. Field elements, not integers, are compared; see `# Soundness` in docs/circuits/journal.md.
fn enforce_order(cs: &mut Cs, en: &Lc, before: Wire, at: &At) {
    let variable = at.now.lc().cloned().unwrap_or_default();
    let mut rest = variable - before;
    let constant = at.now.constant - F::one();
    if at.gap == Gap::Wide {
        let gap = if en.value().is_zero() { 0 } else { low_u128(rest.value() + constant) };
        let high = cs.commit("gap", gap as u64 >> 16 & 0xffff);
        cs.lookup("order", Bus::Range16, en.clone(), high);
        rest -= high * pow2(16);
    }
    cs.lookup("order", Bus::Range16, en.clone(), Element::with_constant(rest, constant));
}

/// Replaces `old` by `new` in storage slot `slot` of `address`. Returns the leaf count after the access. A slot that
/// has a leaf keeps it when it becomes zero.
///
/// Requires: `en` boolean; the halves written are below 2¹²⁸; `at.now` as for [`account_access`].
/// Families as there: journal.storage.old (7), new (3), order (1 or 2), and journal.leaf.nonempty (2): high +
/// low ≠ 0, which cannot cancel.
#[expect(
    clippy::too_many_arguments,
    reason = "an access has an address, two values, a time and the leaf count"
)]
pub fn storage_access(
    cs: &mut Cs,
    en: &Lc,
    address: &Lc,
    slot: &Word,
    old: &Word,
    new: &Word,
    at: At,
    leaf_count: &Lc,
) -> Lc {
    let index = cs.commit("journal.storage.index", at.index);
    let before = cs.commit("journal.storage.before", at.before);
    let empty = is_zero(cs, "journal.leaf.nonempty", en, &(new.hi.clone() + &new.lo));
    let (new_index, leaf_count) = next_index(cs, en, index, &(en.clone() - empty), leaf_count);
    let [address, slot_high, slot_low] = [address, &slot.hi, &slot.lo].map(|lc| cs.share(lc));
    let tuple = |v: &Word, index: Lc, time: Element| Storage {
        index: index.into(),
        address: (&address).into(),
        slot_high: (&slot_high).into(),
        slot_low: (&slot_low).into(),
        value_high: (&v.hi).into(),
        value_low: (&v.lo).into(),
        time,
    };
    let (first, second) = (tuple(old, index.into(), before.into()), tuple(new, new_index, at.now.clone()));
    cs.receive("journal.storage.old", en.clone(), first);
    cs.send("journal.storage.new", en.clone(), second);
    cs.scoped("journal.storage", |cs| enforce_order(cs, en, before, &at));
    leaf_count
}

/// The leaf position after an access, and the leaf count.
///
/// ```text
/// journal.leaf.absent    absent = (index = 0)                              2
/// journal.leaf.created   created = absent · nonempty                       1    without it: leaves appear at will, or
///                                                                               a new account is lost
/// journal.leaf.index     position = created · leaf count                   1    without it: a leaf is put over another
/// ```
/// index' = index + position, because the index is 0 where `created` is 1; leaf count' = leaf count + created.
fn next_index(cs: &mut Cs, en: &Lc, index: Wire, nonempty: &Lc, leaf_count: &Lc) -> (Lc, Lc) {
    let absent = is_zero(cs, "journal.leaf.absent", en, &index.into());
    let created = cs.committed_product("journal.leaf.created", nonempty.clone(), absent);
    let position = cs.committed_product("journal.leaf.index", leaf_count.clone(), created);
    debug_assert!(created.value() == F::from(0u64) || created.value() == F::from(1u64));
    (index + position, leaf_count.clone() + created)
}
