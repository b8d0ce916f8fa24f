//! Preparation of blocks for a commit: a group of consecutive blocks is hashed level by level, each changed version of a
//! node once, on all cores. Nothing is written here.

use std::{collections::HashMap, sync::OnceLock, thread::available_parallelism};

use alloy_primitives::{B256, keccak256};
use cairn_protocol::{
    Fr,
    access::{AccessRecorder, BlockAccess},
    code::code_hash,
    constants::{TREE_ARITY_BITS, TREE_DEPTH},
    leaf::{Leaf, LeafId, StateCommitment, node_hash},
};
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use crate::{
    cache::Changed,
    codec,
    db::BlockChanges,
    error::StateError,
    overlay::Overlay,
    store::{Batch, Table},
    tree::{Group, TreeReader, slot_of},
};

/// A block with its hashes and writes, ready to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedBlock {
    pub number: u64,
    /// After the block.
    pub commitment: StateCommitment,
    /// Before the block: what it may be committed on.
    pub(crate) parent: StateCommitment,
    pub(crate) writes: Batch,
    pub(crate) changed: Changed,
}

/// A state that blocks can be prepared on.
pub(crate) trait Base: TreeReader + Sync {
    /// The id of the leaf at a used position; the sentinel has none.
    fn leaf_id(&self, index: u64) -> Result<Option<LeafId>, StateError>;
}

/// A version of a node or leaf: its hash after block `block` of the group, counted from 0.
#[derive(Clone, Copy)]
struct Node {
    index: u64,
    block: usize,
    hash: Fr,
}

/// A version of a node, as its children after block `block` of the group.
struct NodeVersion {
    index: u64,
    block: usize,
    group: Group,
}

/// Runs `work` in a pool of its own: in rayon's global pool a block would wait behind the tasks of a proof.
fn on_all_cores<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        ThreadPoolBuilder::new()
            .num_threads(available_parallelism().map_or(1, usize::from))
            .thread_name(|n| format!("state-{n}"))
            .build()
            .ok()
    });
    match pool {
        Some(pool) => pool.install(work),
        // No thread could be started: the global pool then has none either and runs on this one.
        None => work(),
    }
}

/// Applies a block to the overlay, adds the ids of the leaves that it wrote to `ids`, and returns what it touched.
fn apply<R: TreeReader>(
    overlay: &mut Overlay<'_, R>,
    changes: &BlockChanges,
    ids: &mut HashMap<u64, Option<LeafId>>,
) -> Result<BlockAccess, StateError> {
    let mut recorder = AccessRecorder::new(overlay.commitment().leaf_count);
    for access in &changes.accesses {
        recorder.access(*access, || overlay.find(&access.0))?;
    }
    let record = recorder.finish();
    for leaf in &record.leaves {
        let index = match leaf.created {
            Some(index) => {
                overlay.insert(index, leaf.id, leaf.new_value)?;
                index
            }
            None if leaf.new_value == leaf.old_value => continue,
            // It changes and is not created, so it exists.
            None => match overlay.index_of(&leaf.id)? {
                Some(index) => {
                    overlay.update(index, leaf.new_value)?;
                    index
                }
                None => return Err(StateError::Corrupt { table: Table::Ids }),
            },
        };
        ids.insert(index, Some(leaf.id));
    }
    Ok(record)
}

/// Prepares blocks from number `first` on. `seed` changes the tree before the first one and returns the leaves it created.
pub(crate) fn prepare<B: Base>(
    base: &B,
    first: u64,
    blocks: &[BlockChanges],
    seed: impl FnOnce(&mut Overlay<'_, B>) -> Result<Vec<(u64, LeafId)>, StateError>,
) -> Result<Vec<PreparedBlock>, StateError> {
    let mut overlay = Overlay::new(base);
    let seeded = seed(&mut overlay)?;
    let mut prepared = Vec::with_capacity(blocks.len());
    let mut leaves: Vec<(u64, usize, Leaf)> = Vec::new();
    let mut ids: HashMap<u64, Option<LeafId>> =
        seeded.into_iter().map(|(index, id)| (index, Some(id))).collect();
    let mut parent = base.commitment();
    for (block, changes) in blocks.iter().enumerate() {
        let access = apply(&mut overlay, changes, &mut ids)?;
        for index in overlay.take_changed() {
            leaves.push((index, block, overlay.leaf(index)?));
        }
        // `hash` fills in the root.
        let commitment = overlay.commitment();
        let mut writes = codes(changes);
        let number = first + block as u64;
        // The genesis is in no batch, so nobody opens its leaves.
        if number > 0 {
            writes.put(Table::Accesses, codec::block_key(number), codec::access(&access));
        }
        prepared.push(PreparedBlock { number, commitment, parent, writes, changed: Changed::default() });
        parent = commitment;
    }
    // The ids of predecessors of which only the pointers changed.
    for (index, ..) in &leaves {
        if !ids.contains_key(index) {
            ids.insert(*index, base.leaf_id(*index)?);
        }
    }
    leaves.sort_unstable_by_key(|(index, block, _)| (*index, *block));
    on_all_cores(|| hash(base, &leaves, &ids, &mut prepared))?;
    Ok(prepared)
}

/// The writes that store a block's code.
fn codes(changes: &BlockChanges) -> Batch {
    let mut writes = Batch::new();
    for code in &changes.codes {
        let (poseidon, keccak): (Fr, B256) = (code_hash(code), keccak256(code));
        writes.put(Table::Codes, keccak.as_slice(), codec::code(poseidon, code));
        writes.put(Table::CodeHashes, codec::tree_key(poseidon), codec::hash(codec::CODE_HASH, keccak));
    }
    writes
}

/// Hashes the versions of leaves, which are sorted by position and block, and of the nodes above them, and fills in the
/// prepared blocks.
fn hash<B: Base>(
    base: &B,
    leaves: &[(u64, usize, Leaf)],
    ids: &HashMap<u64, Option<LeafId>>,
    prepared: &mut [PreparedBlock],
) -> Result<(), StateError> {
    let mut nodes: Vec<Node> =
        leaves.par_iter().map(|&(index, block, leaf)| Node { index, block, hash: leaf.hash() }).collect();
    let mut changed: Vec<Vec<u64>> = vec![Vec::new(); prepared.len()];
    for &(index, block, leaf) in leaves {
        let out = &mut prepared[block];
        let id = ids.get(&index).copied().flatten();
        out.writes.put(Table::Leaves, codec::leaf_key(index, out.number), codec::leaf(id.as_ref(), &leaf));
        out.changed.leaves.push((index, (id, leaf)));
        changed[block].push(index);
        if let Some(id) = id.filter(|_| index >= out.parent.leaf_count) {
            let position = |record| codec::position(record, index, out.number);
            let (by_id, by_key) = (position(codec::ID), position(codec::KEY));
            out.writes.put(Table::Ids, codec::leaf_id(&id), by_id);
            out.writes.put(Table::Keys, codec::tree_key(leaf.key), by_key);
            out.changed.positions.push((id, index));
        }
    }
    for level in 1..=TREE_DEPTH {
        let families: Vec<&[Node]> =
            nodes.chunk_by(|a, b| a.index >> TREE_ARITY_BITS == b.index >> TREE_ARITY_BITS).collect();
        let versions = families
            .par_iter()
            .map(|children| node_versions(base, level, children))
            .collect::<Result<Vec<_>, StateError>>()?
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        let hashed: Vec<(Node, Vec<u8>)> = versions
            .par_iter()
            .map(|v| {
                let node = Node { index: v.index, block: v.block, hash: node_hash(&v.group) };
                (node, codec::group(level, &v.group))
            })
            .collect();
        nodes.clear();
        for (version, (node, bytes)) in versions.into_iter().zip(hashed) {
            let out = &mut prepared[node.block];
            out.writes.put(Table::Nodes, codec::node_key(level, node.index, out.number), bytes);
            out.changed.groups.push(((level, node.index), version.group));
            nodes.push(node);
        }
    }
    // What is left are the versions of the root, by block.
    let mut roots = nodes.into_iter().peekable();
    let mut root = base.commitment().tree_root;
    for ((block, out), changed) in prepared.iter_mut().enumerate().zip(&changed) {
        out.parent.tree_root = root;
        if let Some(node) = roots.next_if(|node| node.block == block) {
            root = node.hash;
        }
        out.commitment.tree_root = root;
        out.writes.put(Table::Blocks, codec::block_key(out.number), codec::block(&out.commitment, changed));
        out.writes.put(Table::Meta, codec::META_HEAD, codec::number(out.number));
    }
    Ok(())
}

/// The versions of the node above `children`, which are versions of its children: one for each block that changes any.
fn node_versions<B: Base>(base: &B, level: usize, children: &[Node]) -> Result<Vec<NodeVersion>, StateError> {
    let index = children[0].index >> TREE_ARITY_BITS;
    let mut group = base.children(level, index)?;
    let mut by_block = children.to_vec();
    by_block.sort_unstable_by_key(|child| child.block);
    let versions = by_block.chunk_by(|a, b| a.block == b.block).map(|changed| {
        for child in changed {
            group[slot_of(child.index)] = child.hash;
        }
        NodeVersion { index, block: changed[0].block, group }
    });
    Ok(versions.collect())
}
