//! How a cheating prover makes rows. He says what he wants in a few wires or columns; everything after that is computed
//! from it by the machine's own code, the journal agrees with whatever the rows say, and the root after the batch is the one
//! that they lead to. What then refuses the batch is the rule that forbids the lie, and nothing else.

use super::*;
pub(super) use crate::cs::forge::Lie;
use crate::{cs::forge::lying, gadgets::poseidon};

/// Wire number `nth` of this name gets `value`.
pub(super) fn lie(name: &'static str, nth: usize, value: impl Into<F>) -> Lie {
    Lie { name, nth, value: value.into() }
}

impl Scene {
    /// What refuses these rows.
    pub(super) fn refused(&self, lies: &[Lie]) -> Failures {
        let (root_out, journal) = lying(lies, || {
            let mut cs = Cs::new(Mode::Check);
            let root_out = self.machine(&mut cs).value();
            let rows = cs.interactions().filter(|i| !i.bus.is_fixed_table() && !i.multiplicity.is_zero());
            let rows: Vec<(Bus, F, [F; 7])> =
                rows.map(|i| (i.bus, i.multiplicity, i.tuple.try_into().unwrap())).collect();
            (root_out, rows)
        });
        let cs = lying(lies, || {
            let mut cs = Cs::new(Mode::Check);
            let root = self.machine(&mut cs);
            cs.enforce_equal("test.root_out", root, cs.constant(root_out));
            for (bus, multiplicity, tuple) in &journal {
                let m = cs.constant(-*multiplicity);
                play(&mut cs, "test.journal", m, *bus, tuple);
            }
            cs
        });
        Checker::new(&cs, vec![]).failures()
    }

    /// The rule `name`, and it alone, refuses these rows.
    #[track_caller]
    pub(super) fn assert_refused_by(&self, name: &'static str, lies: &[Lie]) {
        assert_eq!(self.refused(lies), Failures::from([name]));
    }

    /// The value of a wire, `lies` being told.
    pub(super) fn wire(&self, lies: &[Lie], name: &str, nth: usize) -> F {
        let cs = lying(lies, || {
            let mut cs = Cs::new(Mode::Check);
            let _ = self.machine(&mut cs);
            cs
        });
        let checker = Checker::new(&cs, vec![]);
        checker.value(checker.named(name)[nth])
    }

    /// A lie in the last S-box of Poseidon number `nth` of this name, of `inputs` elements: its result grows by `delta`.
    pub(super) fn steer(&self, name: &'static str, nth: usize, inputs: usize, delta: F) -> Lie {
        let hash = |lies: &[Lie]| {
            lying(lies, || {
                let mut cs = Cs::new(Mode::Check);
                let en = cs.constant(1u64);
                let zeros = vec![Lc::zero(); inputs];
                let out = poseidon::hash(&mut cs, "test.hash", &en, &zeros).value();
                (out, cs.witness_values().to_vec())
            })
        };
        let (zero, wires) = hash(&[]);
        let last = wires.len() - 1;
        let slope = hash(&[lie("test.hash", last, wires[last] + F::one())]).0 - zero;
        let wire = nth * wires.len() + last;
        lie(name, wire, self.wire(&[], name, wire) + delta * slope.inverse().unwrap())
    }
}

/// Consecutive 16-bit limbs of a name: limb i loses 2¹⁶ and limb i + 1 gains 1, or the reverse. The number is the same.
pub(super) fn shifted_limbs(scene: &Scene, name: &'static str, i: usize) -> [Lie; 2] {
    let [low, high] = [i, i + 1].map(|n| scene.wire(&[], name, n));
    let sign = if high == F::from(0xffffu64) { -F::one() } else { F::one() };
    [lie(name, i, low - sign * pow2(16)), lie(name, i + 1, high + sign)]
}

/// Limbs of `value`, of which the last takes what is beyond its place.
pub(super) fn overflowing_limbs(value: F, n: u32) -> Vec<F> {
    let low = compare::split(value)[1];
    let mut limbs: Vec<F> = (0..n - 1).map(|i| F::from(low >> (16 * i) & 0xffff)).collect();
    let below: F = (0u32..).zip(&limbs).map(|(i, l)| pow2(16 * i) * l).sum();
    limbs.push((value - below) * pow2(16 * (n - 1)).inverse().unwrap());
    limbs
}

/// The halves of the integer x − r, of which the high one is negative.
pub(super) fn minus_r(x: F) -> [F; 2] {
    let ([hi, lo], [r_hi, r_lo]) = (compare::split(x), compare::modulus());
    let (lo, borrow) = lo.overflowing_sub(r_lo);
    [F::from(hi) - F::from(r_hi) - F::from(borrow), F::from(lo)]
}

/// The halves of the integer x + r.
pub(super) fn plus_r(x: F) -> [F; 2] {
    let ([hi, lo], [r_hi, r_lo]) = (compare::split(x), compare::modulus());
    let (lo, carry) = lo.overflowing_add(r_lo);
    [F::from(hi + r_hi + u128::from(carry)), F::from(lo)]
}

/// The borrow that makes halves of a seem below those of b, or not above them, when r would have to be added to b − a.
pub(super) fn false_borrow(a: [F; 2], b: [F; 2], strict: bool) -> F {
    // The gap is that of the field, between 0 and r.
    let gap = (b[0] - a[0]) * pow2(128) + b[1] - a[1] - F::from(strict);
    b[0] - a[0] - F::from(compare::split(gap)[0])
}

/// Halves of a field element.
pub(super) fn halves_of(x: F) -> [F; 2] {
    compare::split(x).map(F::from)
}

/// The rows of one operation on a tree of which the root is `root`, as its witness makes them.
pub(super) fn rows_of(op: LeafOp, root: F) -> Scene {
    scene_of(&[op], root, root, 0)
}

/// Absent ids whose predecessor is neither the sentinel nor the last leaf.
pub(super) fn absent_ids(tree: &ReferenceTree) -> impl Iterator<Item = LeafId> {
    (100..).map(account).filter(move |id| {
        let leaf = tree.opening(tree.predecessor(id.key())).leaf;
        !leaf.key.is_zero() && !leaf.next_key.is_zero()
    })
}

/// An operation that finds `id` absent because of the leaf at `position`.
pub(super) fn absent_by(tree: &ReferenceTree, id: LeafId, position: u64) -> LeafOp {
    LeafOp { id, access: LeafAccess::Absent { predecessor: tree.opening(position) } }
}
