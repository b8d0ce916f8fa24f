//! The state of the chain: accounts, storage and code under one indexed Poseidon Merkle tree, with its history, over
//! an ordered key-value store; and the openings that a batch proof needs. Source: docs/state.md.

mod cache;
mod codec;
pub mod db;
pub mod empty;
pub mod error;
pub mod overlay;
mod prepare;
mod prune;
pub mod store;
pub mod testing;
pub mod tree;
pub mod view;
pub mod witness;

pub use db::{BlockChanges, StateDb};
pub use error::StateError;
pub use prepare::PreparedBlock;
pub use store::{Batch, MemoryStore, RecordType, RocksStore, Store, StoreError, Table};
pub use tree::{Membership, TreeReader};
pub use view::{AccountRecord, StateView};
