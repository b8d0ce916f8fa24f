//! From raw transactions to blocks and batches: the transaction pool, the executor, the counters of proving cost, the
//! batch builder, and calls that only read. No async, no network, no database of its own.
//!
//! ```text
//! pool ─► executor (transfer formulas = revm) ─► block ─► batch builder ─► BatchData, BatchWitness
//! ```

pub mod batch;
pub mod call;
pub mod counters;
pub mod evm;
pub mod executor;
pub mod pool;
