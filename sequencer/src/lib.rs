//! From raw transactions to blocks and batches: the transaction pool, the executor, the counters of proving cost, the
//! batch builder, the choice of a circuit's shape, and calls and traces that only read. No async, no network, no database of its own.
//!
//! ```text
//! pool ─► executor ─► effects ─► block ─► batch builder ─► BatchData, BatchWitness
//!            │ transfer formulas = revm, where everything is proven; revm alone, where nothing is
//! ```

pub mod admission;
pub mod batch;
pub mod call;
pub mod counters;
pub mod effects;
pub mod evm;
pub mod executor;
pub mod pending;
pub mod pool;
pub mod precompiles;
pub mod shapes;
pub mod trace;
pub mod trail;
pub mod usage;
