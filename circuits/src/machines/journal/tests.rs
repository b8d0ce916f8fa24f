//! Accesses to accounts and storage; the tree's side of the journal is played by constants.

mod forgeries;

use alloy_primitives::{Address, U256};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use cairn_protocol::leaf::{AccountValue, address_to_field, halves};

use super::*;
use crate::{
    F,
    cs::{Cs, Lc, Mode},
    gadgets::{words::Word, zero::INVERSE},
    lookup::bus::{self, Account},
    testing::{Checker, Failures},
};

const WHO: Address = Address::repeat_byte(0xab);
const SLOT: U256 = U256::from_limbs([7, 0, 9, 0]);

fn word(cs: &Cs, v: U256) -> Word {
    let (hi, lo) = halves(v);
    Word { hi: cs.constant(hi), lo: cs.constant(lo) }
}

/// Slot accesses in order: (old, new, what the prover claims about before). Position 50 is the next one.
struct Storage {
    first: Entry<U256>,
    last: Entry<U256>,
    leaf_count: u64,
    accesses: Vec<(Entry<U256>, U256)>,
}

impl Storage {
    fn honest(first: Entry<U256>, writes: &[u64]) -> Self {
        let mut journal = Journal { leaf_count: 50, ..Journal::default() };
        journal.storage.insert((WHO, SLOT), first);
        let access = |(i, &v): (usize, &u64)| {
            let new = U256::from(v);
            let old = journal.access_storage(WHO, SLOT, 1 + i as u64, |_| new).expect("there");
            (old, new)
        };
        let accesses = writes.iter().enumerate().map(access).collect();
        let last = journal.storage[&(WHO, SLOT)];
        Self { first, last, leaf_count: journal.leaf_count, accesses }
    }

    fn checker(&self) -> Checker {
        let mut cs = Cs::new(Mode::Check);
        let en = Lc::from(cs.commit("test.en", 1u64));
        let one = Lc::from(cs.one());
        cs.enforce_equal("test.en", en.clone(), one.clone());
        let address = cs.constant(address_to_field(WHO));
        let slot = word(&cs, SLOT);
        let mut leaf_count = cs.constant(50u64);
        for (i, (old, new)) in self.accesses.iter().enumerate() {
            let now = (1 + i as u64).into();
            let at = At { now, gap: Gap::Narrow, before: old.time, index: old.index };
            let (old, new) = (word(&cs, old.value), word(&cs, *new));
            leaf_count = storage_access(&mut cs, &en, &address, &slot, &old, &new, at, &leaf_count);
        }
        let expected = cs.constant(self.leaf_count);
        cs.enforce_equal("test.leaf_count", leaf_count, expected);
        for (entry, is_first) in [(self.first, true), (self.last, false)] {
            let v = word(&cs, entry.value);
            let tuple = bus::Storage {
                index: entry.index.into(),
                address: (&address).into(),
                slot_high: (&slot.hi).into(),
                slot_low: (&slot.lo).into(),
                value_high: v.hi.into(),
                value_low: v.lo.into(),
                time: entry.time.into(),
            };
            if is_first {
                cs.send("test.first", one.clone(), tuple);
            } else {
                cs.receive("test.last", one.clone(), tuple);
            }
        }
        Checker::new(&cs, vec![])
    }

    fn failures(&self) -> Failures {
        self.checker().failures()
    }
}

fn entry(value: u64, index: u64) -> Entry<U256> {
    Entry { value: U256::from(value), index, time: 0 }
}

#[test]
fn accepts_storage_that_exists_is_created_or_stays_absent() {
    for (first, writes, created) in [
        (entry(5, 9), vec![6, 0, 7], 0),
        (entry(0, 9), vec![0, 7], 0),
        (entry(0, 0), vec![0, 0], 0),
        (entry(0, 0), vec![0, 8, 0, 3], 1),
    ] {
        let storage = Storage::honest(first, &writes);
        assert_eq!(storage.leaf_count, 50 + created);
        assert!(storage.failures().is_empty(), "{:?}", storage.failures());
    }
}

#[test]
fn rejects_every_change_of_a_single_wire() {
    let mut checker = Storage::honest(entry(0, 0), &[0, 8, 0, 3]).checker();
    let free = [(INVERSE, "where the value is zero")];
    checker.assert_no_free_wires(&free, None, &mut StdRng::seed_from_u64(3));
}

#[test]
fn rejects_reading_the_future_and_stale_values() {
    let mut storage = Storage::honest(entry(5, 9), &[6, 7]);
    storage.accesses.swap(0, 1);
    assert!(storage.failures().contains("journal.storage.order"));
    let mut storage = Storage::honest(entry(5, 9), &[6, 7]);
    storage.accesses[1].0 = entry(5, 9);
    assert!(storage.failures().contains("journal.storage.old"));
}

#[test]
fn rejects_a_created_leaf_that_is_lost_or_put_elsewhere() {
    let mut storage = Storage::honest(entry(0, 0), &[8]);
    storage.last.index = 0;
    assert!(storage.failures().contains("journal.storage.new"));
    storage.last.index = 51;
    assert!(storage.failures().contains("journal.storage.new"));
    let mut storage = Storage::honest(entry(0, 0), &[0]);
    (storage.last.index, storage.leaf_count) = (50, 51);
    assert!(storage.failures().contains("journal.storage.new"));
}

#[test]
fn accepts_accounts_and_costs_what_the_document_says() {
    let mut cs = Cs::new(Mode::Check);
    let mut journal = Journal { leaf_count: 50, ..Journal::default() };
    journal.accounts.insert(WHO, Entry::default());
    let (en, count) = (Lc::from(cs.one()), cs.constant(50u64));
    let address = cs.constant(address_to_field(WHO));
    let account = |cs: &Cs, v: AccountValue| AccountLc {
        nonce: cs.constant(v.nonce).into(),
        balance: word(cs, v.balance),
        code_hash: cs.constant(v.code_hash).into(),
    };
    let new = AccountValue { nonce: 3, balance: U256::from(9u64), code_hash: F::from(0u64) };
    let old = journal.access_account(WHO, 1, |_| new).expect("there");
    let at = At { now: 1.into(), gap: Gap::Narrow, before: old.time, index: old.index };
    let (old_lc, new_lc) = (account(&cs, old.value), account(&cs, new));
    let nonce = cs.constant(new.nonce);
    let nonempty = is_nonempty(&mut cs, &en, &nonce, &new_lc.balance);
    account_access(&mut cs, &en, &address, &old_lc, &new_lc, &nonempty, at, &count);
    assert_eq!(cs.num_constraints(), 2 + 7 + 5 + 1 + 2 + 1 + 1);
    assert_eq!(journal.accounts[&WHO], Entry { value: new, index: 50, time: 1 });
    assert!(journal.access_account(Address::ZERO, 2, |v| v).is_err());

    let tuple = |fields: AccountValue, index: u64, time: u64, cs: &Cs| {
        let a = account(cs, fields);
        Account {
            index: index.into(),
            address: (&address).into(),
            nonce: a.nonce,
            balance_high: a.balance.hi.into(),
            balance_low: a.balance.lo.into(),
            code_hash: a.code_hash,
            time: time.into(),
        }
    };
    let (first, last) = (tuple(AccountValue::default(), 0, 0, &cs), tuple(new, 50, 1, &cs));
    cs.send("test.first", en.clone(), first);
    cs.receive("test.last", en, last);
    assert!(Checker::new(&cs, vec![]).failures().is_empty());
}
