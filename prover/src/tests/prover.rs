//! What the prover refuses before it makes a proof, by name.

use cairn_circuits::{
    cs::{Cs, Mode},
    lookup::argument,
};

use super::{EXAMPLE, Example, Values, key};
use crate::{
    Circuit, F, ProveError, ProveStats,
    commit::{challenges, commit},
    prove,
    prove::finish,
};

#[test]
fn refuses_committed_values_that_changed_after_the_commitment() {
    let (committed, used) = (Values::honest(20, 9), Values::honest(20, 10));
    let c = commit(key(), EXAMPLE.synthesize(Mode::Assign, Some(&committed)).committed());
    let ch = challenges(key().vk.digest(), used.public_input(), &c.d);
    let mut cs = EXAMPLE.synthesize(Mode::Assign, Some(&used));
    argument::close(&mut cs, ch);
    let refused = finish(key(), cs, &c, &mut ProveStats::default());
    assert_eq!(refused, Err(ProveError::CommittedValueChanged { index: 0 }));
}

#[test]
fn refuses_a_synthesis_of_another_structure() {
    let committed = Example { idle: 1, ..EXAMPLE };
    let refused = prove(key(), &committed, &Values::honest(20, 1)).unwrap_err();
    assert!(matches!(refused, ProveError::WireCount { kind: "committed", .. }), "{refused:?}");
    // As many committed wires, fewer ordinary ones.
    let ordinary = Example { rows: 19, idle: 2, ..EXAMPLE };
    let refused = prove(key(), &ordinary, &Values::honest(19, 1)).unwrap_err();
    assert!(matches!(refused, ProveError::WireCount { kind: "ordinary", .. }), "{refused:?}");
}

#[test]
fn names_the_first_violated_constraint() {
    struct Wrong;
    impl Circuit for Wrong {
        type Witness = Values;
        fn synthesize(&self, mode: Mode, witness: Option<&Values>) -> Cs {
            let mut cs = EXAMPLE.synthesize(mode, witness);
            cs.public_input(F::from(1u64));
            cs
        }
    }
    let refused = prove(key(), &Wrong, &Values::honest(20, 1)).unwrap_err();
    assert_eq!(refused, ProveError::Unsatisfied { index: 20, name: "example.sum" });
}
