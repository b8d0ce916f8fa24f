//! The `cairn` node: roles, JSON-RPC, L1 client, storage, stages.
//!
//! ```text
//! JSON-RPC ─► pool ─► sequencer ─┬─► virtualizer (data) ─────► L1
//!                                └─► prover ─► aggregator ───► L1
//! ```
//!
//! A stage owns its step, writes it down before it passes work on, and resumes from the database alone.

pub mod bench;
pub mod chain;
pub mod cli;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod engine;
pub mod http;
pub mod keys;
pub mod l1;
pub mod logging;
pub mod metrics;
pub mod progress;
pub mod proof;
pub mod records;
pub mod rollup_settlement;
pub mod rpc;
pub mod settlement;
pub mod shapes;
pub mod shutdown;
pub mod stages;
pub mod storage;
pub mod supervisor;
pub mod wiring;
