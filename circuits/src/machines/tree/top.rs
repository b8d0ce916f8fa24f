//! Family *top*: from the root of the subtree that a shape's paths lie in to the root of the tree.
//!
//! All positions of a shape are below 8^levels, so the upper 10 − levels levels of all paths are one chain: at each of
//! them the path goes through child 0, and the seven other children are roots of empty subtrees, constants. The rows
//! replace leaves in the subtree; the chain is hashed once for the root before the batch and once for the root after
//! it.

use cairn_protocol::{
    constants::{TREE_ARITY, TREE_DEPTH},
    leaf::zero_hash,
};

use crate::machine::Levels;
use crate::{
    F,
    cs::{Cs, Lc},
    gadgets::poseidon,
};

/// `name`: the root of a tree whose leaves are all in the subtree with root `subtree`.     Cost: 402·(10 − levels)
fn tree_root(cs: &mut Cs, name: &'static str, levels: Levels, subtree: Lc) -> Lc {
    let one = Lc::from(cs.one());
    (levels.get()..TREE_DEPTH).fold(subtree, |node, level| {
        let children: [Lc; TREE_ARITY] = std::array::from_fn(|i| match i {
            0 => node.clone(),
            _ => cs.constant(zero_hash(level)),
        });
        poseidon::hash(cs, name, &one, &children)
    })
}

/// The subtree's root, a hint with value `subtree`, in the tree with root `root_in`.
///
/// ```text
/// tree.top.old_hash   old = the tree root above the hint                   402·(10 − levels)
/// tree.top.root       old = root_in                                        1
/// ```
/// Without either: leaves of another tree.
/// Soundness: Poseidon is collision resistant, so `root_in` determines the hint: if `root_in` is the root of a tree of
/// which all leaves are in the subtree, the hint is the root of that subtree; if it is not, no hint satisfies the
/// equations.
pub(super) fn open(cs: &mut Cs, levels: Levels, subtree: F, root_in: Lc) -> Lc {
    let subtree = Lc::from(cs.witness("tree.top.subtree", subtree));
    let old = tree_root(cs, "tree.top.old_hash", levels, subtree.clone());
    cs.enforce_equal("tree.top.root", old, root_in);
    subtree
}

/// tree.top.new_hash: the tree root above `subtree`.                                       Cost: 402·(10 − levels)
/// Without it: any state after the batch.
pub(super) fn close(cs: &mut Cs, levels: Levels, subtree: Lc) -> Lc {
    tree_root(cs, "tree.top.new_hash", levels, subtree)
}
