//! Accesses to the state journal: offline memory checking over the bus.
//!
//! A leaf that a batch touches is put on its bus once, with what the old tree says, at time 0; each access takes it
//! off and puts it back with a later time; the tree machine takes the last one and closes it against the new tree.
//!
//! ```text
//! tree, old root ──(leaf, time 0)──► access ──(leaf', t)──► access ──(leaf'', t')──► tree, new root
//! ```
//! Each access costs, on bus elements and constraints:
//!
//! | family | what it says | account | storage |
//! |---|---|---|---|
//! | journal.*.old, new | the tuple before, the tuple after; less what is constant or stays | 7 + 5 | 7 + 3 |
//! | journal.*.order | t_old < t_now, by t_now − t_old − 1 ∈ [0, 2¹⁶), or [0, 2³²) if [`Gap::Wide`] | 1 or 2 | 1 or 2 |
//! | journal.leaf.absent | index 0 means absent | 2 | 2 |
//! | journal.leaf.nonempty | what is written is not empty (flag from the caller for an account that it knows) | 0 or 2 | 2 |
//! | journal.leaf.created | an absent leaf that becomes non-empty is created | 1 | 1 |
//! | journal.leaf.index | and takes the next position | 1 | 1 |
//!
//! Times are constants of the layout or committed wires, at most 2³²; each access is later than the one it reads, and
//! so the accesses to one leaf are totally ordered. Buses used: `Account`, `Storage`, `Range16`.
//! Not checked here: ranges of what is written (the caller's), that an absent leaf is all zero and that one leaf
//! enters the journal only once (the tree machine's).

mod constraints;
#[cfg(test)]
mod tests;
mod witness;

pub use self::{
    constraints::{AccountLc, At, Gap, account_access, is_nonempty, storage_access},
    witness::{Entry, Journal, JournalError},
};
