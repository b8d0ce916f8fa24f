//! Scopes of names: a gadget gives relative names, its user the scope. Names are static strings: each full name is made
//! once for the whole process and never freed; there are some hundreds of them.

use std::{
    collections::{HashMap, HashSet},
    sync::{LazyLock, Mutex, PoisonError},
};

/// Every full name that was ever made.
static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

fn intern(name: String) -> &'static str {
    // A thread that panics between look-up and insertion leaves a set that is still right.
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let name: &'static str = Box::leak(name.into_boxed_str());
    names.insert(name);
    name
}

/// The scopes that are open.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    open: Vec<&'static str>,
    /// Full names by open scopes and relative name.
    known: HashMap<(Vec<&'static str>, &'static str), &'static str>,
}

impl Scopes {
    pub fn enter(&mut self, name: &'static str) {
        self.open.push(name);
    }

    pub fn leave(&mut self) {
        self.open.pop();
    }

    /// `scope.scope.name`.
    pub fn full(&mut self, name: &'static str) -> &'static str {
        if self.open.is_empty() {
            return name;
        }
        let Self { open, known } = self;
        known
            .entry((open.clone(), name))
            .or_insert_with(|| intern(open.iter().chain([&name]).copied().collect::<Vec<_>>().join(".")))
    }
}

#[cfg(test)]
mod tests {
    use crate::cs::{Cs, Mode};

    #[test]
    fn names_are_relative_to_their_scope() {
        let mut cs = Cs::new(Mode::Check);
        let one = cs.one();
        cs.scoped("machine.item", |cs| {
            cs.enforce_zero("first", one - one);
            cs.scoped("inner", |cs| cs.enforce_zero("second", one - one));
            cs.witness("hint", 0u64);
        });
        cs.enforce_zero("machine.whole", one - one);
        assert_eq!(cs.matrices().names, ["machine.item.first", "machine.item.inner.second", "machine.whole"]);
        assert_eq!(cs.wire_name(crate::cs::WireId::witness(0)), "machine.item.hint");
    }
}
