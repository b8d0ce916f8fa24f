//! Families *path* and *root*: two paths through the subtree at one position.

use cairn_protocol::constants::{TREE_ARITY, TREE_ARITY_BITS};

use super::row::TreeRow;
use crate::machine::Levels;
use crate::{
    cs::{Cs, Lc, Wire},
    gadgets::poseidon,
};

/// The bits of a position, least significant first, three a level.
pub(super) type Bits = Vec<Wire>;

/// tree.path.position: each bit ∈ {0, 1}.                                                     Cost: 3 a level
/// Without it: an index on the journal that is not a position, a child that is a combination of several.
pub(super) fn position(cs: &mut Cs, row: &TreeRow, levels: Levels) -> Bits {
    (0..levels.bits()).map(|i| cs.witness_boolean("tree.path.position", row.index >> i & 1 == 1)).collect()
}

/// The roots of the subtree with `old` and with `new` at one position, with the same siblings.
///
/// At each level, c being the eight children of the old node:
/// ```text
/// tree.path.child      c[digit] = old            selection by three bits                   7
/// tree.path.difference e[digit] = new − old, e[others] = 0                                 7
/// tree.path.old_hash   old ← Poseidon(c)                                                 402
/// tree.path.new_hash   new ← Poseidon(c + e)                                             402
/// ```
/// Cost: 818 a level. Requires: tree.path.position.
/// Without child: a path to a leaf that is not in the tree. Without difference: other leaves change too.
/// Soundness: Poseidon is collision resistant, so `old` fixes c at each level; e is zero but at the digit.
pub(super) fn roots(cs: &mut Cs, row: &TreeRow, en: &Lc, bits: &[Wire], old: Lc, new: Lc) -> [Lc; 2] {
    let (mut old, mut new) = (old, new);
    for (level, bits) in bits.chunks_exact(TREE_ARITY_BITS).enumerate() {
        let digit = (row.index >> (TREE_ARITY_BITS * level)) as usize % TREE_ARITY;
        let children: [Lc; TREE_ARITY] = std::array::from_fn(|i| {
            let value = match i.cmp(&digit) {
                std::cmp::Ordering::Less => row.siblings[level][i],
                std::cmp::Ordering::Equal => old.value(),
                std::cmp::Ordering::Greater => row.siblings[level][i - 1],
            };
            cs.witness("tree.path.children", value).into()
        });
        enforce_child(cs, bits, &children, &old);
        let differences = place(cs, bits, new - old);
        let changed: Vec<Lc> = children.iter().zip(differences).map(|(c, e)| c.clone() + e).collect();
        old = poseidon::hash(cs, "tree.path.old_hash", en, &children);
        new = poseidon::hash(cs, "tree.path.new_hash", en, &changed);
    }
    [old, new]
}

/// tree.path.child: `children[digit]` = child: halves the list with each bit.                     Cost: 7
fn enforce_child(cs: &mut Cs, bits: &[Wire], children: &[Lc], child: &Lc) {
    let mut list = children.to_vec();
    let (lower, top) = bits.split_at(TREE_ARITY_BITS - 1);
    for &bit in lower {
        let select = |pair: &[Lc]| {
            let chosen = cs.product("tree.path.child", pair[1].clone() - pair[0].clone(), bit);
            pair[0].clone() + chosen
        };
        list = list.chunks_exact(2).map(select).collect();
    }
    cs.enforce("tree.path.child", list[1].clone() - list[0].clone(), top[0], child.clone() - list[0].clone());
}

/// tree.path.difference: `value` at the digit, zero elsewhere: each bit sends it to one half.    Cost: 7
fn place(cs: &mut Cs, bits: &[Wire], value: Lc) -> Vec<Lc> {
    let mut list = vec![value];
    for &bit in bits.iter().rev() {
        list = list
            .into_iter()
            .flat_map(|lc| {
                let upper = cs.product("tree.path.difference", lc.clone(), bit);
                [lc - upper, upper.into()]
            })
            .collect();
    }
    list
}

/// tree.root.old: en·(old root − root_in) = 0.                                                 Cost: 1
/// Without it: leaves of another tree.
///
/// tree.root.new: en·(new root − root_in) = root_out − root_in.                                Cost: 1
/// Without it: any state after the batch. A disabled row passes the root on.
pub(super) fn chain(cs: &mut Cs, en: &Lc, [old, new]: [Lc; 2], root_in: &Lc) -> Lc {
    cs.enforce("tree.root.old", old - root_in.clone(), en.clone(), Lc::zero());
    let step = new - root_in.clone();
    let root_out = cs.witness("tree.root.out", root_in.value() + step.value() * en.value());
    cs.enforce("tree.root.new", step, en.clone(), root_out - root_in.clone());
    root_out.into()
}
