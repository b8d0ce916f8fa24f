//! Which transactions become blocks. Not here: whether a transaction is valid; that is the same for both.

/// What the chain admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// What a circuit proves. Everything else is refused by name before it enters the pool.
    Provable,
    /// Whatever revm executes, for chains on which nothing is proven. Counters close batches but refuse no transaction.
    Everything,
}
