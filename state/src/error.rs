//! Errors of reads and commits of the state; those of batch openings are in `witness`.

use alloy_primitives::B256;

use crate::store::{StoreError, Table};

/// Why a read or a commit fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "table {table:?} lacks an entry that another refers to, or holds one that contradicts it: restore the database from \
         a backup, or remove it and synchronise again"
    )]
    Corrupt { table: Table },
    #[error("block {number} is not known, the newest is {newest}")]
    UnknownBlock { number: u64, newest: u64 },
    #[error("the state of block {number} was pruned, the earliest that is kept is {earliest}")]
    Pruned { number: u64, earliest: u64 },
    #[error("block {got} cannot be committed, the next is {expected}")]
    WrongBlock { expected: u64, got: u64 },
    #[error(
        "block {number} was prepared on state root {got}, the newest block has {expected}: prepare it again"
    )]
    OtherParent { number: u64, expected: B256, got: B256 },
    #[error(
        "the database has genesis digest {got}, the genesis file {expected}: use the file that the database was made from, or \
         another database"
    )]
    GenesisMismatch { expected: B256, got: B256 },
    #[error("no code is known for the Poseidon code hash {code_hash}")]
    UnknownCode { code_hash: B256 },
    #[error("two leaves have the tree key {key}")]
    KeyCollision { key: B256 },
    #[error("the tree is full: {leaf_count} leaves")]
    TreeFull { leaf_count: u64 },
    #[error("position {index} is not free: the tree has {leaf_count} leaves")]
    PositionTaken { index: u64, leaf_count: u64 },
}
