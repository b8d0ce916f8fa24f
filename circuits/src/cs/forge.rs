//! The forger's hook, in tests only: wires get other values than the honest hints, and everything that is computed from them
//! afterwards follows. So a forged assignment lies where the test says and is consistent everywhere else, as a cheating
//! prover's would be. Not here: making constraints say nothing ([`super::weaken`]).

use std::{cell::RefCell, collections::HashMap};

use crate::F;

/// The value of one wire: the `nth` of this full name, counted from 0 in each synthesis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lie {
    pub name: &'static str,
    pub nth: usize,
    pub value: F,
}

#[derive(Default)]
struct State {
    lies: Vec<(Lie, bool)>,
    uses: HashMap<&'static str, usize>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Runs `synthesize`, in which wires have the values of `lies`.
///
/// # Panics
/// If there is no such wire.
pub(crate) fn lying<R>(lies: &[Lie], synthesize: impl FnOnce() -> R) -> R {
    STATE.with_borrow_mut(|s| s.lies = lies.iter().map(|&lie| (lie, false)).collect());
    let out = synthesize();
    for (lie, told) in STATE.take().lies {
        assert!(told, "there is no wire for {lie:?}");
    }
    out
}

/// Whether names are needed.
pub(super) fn is_active() -> bool {
    STATE.with_borrow(|s| !s.lies.is_empty())
}

/// The value of the next wire called `name`.
pub(super) fn value(name: &'static str, honest: F) -> F {
    STATE.with_borrow_mut(|State { lies, uses }| {
        let n = uses.entry(name).or_default();
        *n += 1;
        match lies.iter_mut().find(|(lie, _)| lie.name == name && lie.nth == *n - 1) {
            Some((lie, told)) => {
                *told = true;
                lie.value
            }
            None => honest,
        }
    })
}

/// Starts counting uses anew: a synthesis begins.
pub(super) fn restart() {
    STATE.with_borrow_mut(|s| s.uses.clear());
}
