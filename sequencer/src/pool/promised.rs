//! Accounts that pooled transactions may create: positions of the state tree that are promised to them. While there is a
//! position for each, whatever was accepted can be proven, in whatever order it is executed. Not here: how many positions
//! there are, and whether an account is there already.

use std::collections::{HashMap, hash_map::Entry};

use alloy_primitives::Address;

/// How many pooled transactions may create each account. One that is created meanwhile counts until they have left.
#[derive(Clone, Debug, Default)]
pub(super) struct Promised(HashMap<Address, usize>);

impl Promised {
    /// Positions that are promised: an account takes one, whoever creates it.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Positions that would be promised with `accounts` and without what only `instead_of` stands for.
    pub(super) fn len_with(&self, accounts: &[Address], instead_of: &[Address]) -> u64 {
        let new = accounts.iter().filter(|account| !self.0.contains_key(*account)).count();
        let gone = |account: &&Address| self.0.get(*account) == Some(&1) && !accounts.contains(account);
        let gone = instead_of.iter().filter(gone).count();
        (self.0.len() + new - gone) as u64
    }

    /// A transaction that may create these accounts, each named once, is in the pool.
    pub(super) fn add(&mut self, accounts: &[Address]) {
        accounts.iter().for_each(|account| *self.0.entry(*account).or_default() += 1);
    }

    /// It has left.
    pub(super) fn remove(&mut self, accounts: &[Address]) {
        for account in accounts {
            if let Entry::Occupied(mut count) = self.0.entry(*account) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// By a list of all transactions, each replacing one that is there or not.
        #[test]
        fn prop_counts_each_account_once(steps in vec((0..4usize, vec(0..6u8, 0..4)), 0..20)) {
            let mut promised = Promised::default();
            let mut pooled: Vec<Vec<Address>> = vec![Vec::new(); 4];
            for (at, accounts) in steps {
                let mut accounts: Vec<Address> = accounts.into_iter().map(Address::repeat_byte).collect();
                accounts.sort_unstable();
                accounts.dedup();
                let expected = promised.len_with(&accounts, &pooled[at]);
                promised.add(&accounts);
                promised.remove(&std::mem::replace(&mut pooled[at], accounts));
                let mut distinct = pooled.concat();
                distinct.sort_unstable();
                distinct.dedup();
                prop_assert_eq!(promised.len(), distinct.len() as u64);
                prop_assert_eq!(promised.len(), expected);
            }
        }
    }
}
