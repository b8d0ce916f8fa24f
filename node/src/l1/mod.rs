//! Everything that talks to L1: a local chain, the contracts, their deployment, calls and transactions.
//!
//! ```text
//!          anvil ─► a chain of one's own                       (development and tests)
//!         deploy ─► verifiers, global exit root, rollup ─► Deployment ─► check
//! rollup::Rollup ─┬► reads, events, calldata of sequenceBatches
//!                 └► jobs ─► sender::Sender ─► SendStore, then L1, then confirmations
//! ```
//!
//! The client library (ethers) stays inside this folder: what is public speaks alloy's `Address`, `B256`, `U256` and
//! `Bytes`, so that another client would change nothing elsewhere.
//!
//! A transaction is written down before it is sent, and what was written down is followed until the chain has settled it.
//!
//! | module | what it is for |
//! |---|---|
//! | [`account`] | a key that signs L1 transactions |
//! | [`anvil`] | starts an anvil process, waits until it answers, ends it on drop; its well-known accounts |
//! | [`client`] | one endpoint and the number of its chain |
//! | [`exit_roots`] | updates of the global exit root |
//! | [`deploy`] | deploys the contracts, and checks that a deployment is what it says it is |
//! | [`error`] | the contracts' custom errors by name, and what an endpoint answered |
//! | [`fees`] | what a transaction offers, and what its replacement must |
//! | [`rollup`] | typed calls, reads and events of the rollup |
//! | [`sender`] | does each job once, across restarts, stuck fees and reorganisations |
//! | [`store`] | what the sender writes down, and where: the `SendStore` trait |

pub mod account;
pub mod anvil;
mod bindings;
pub mod client;
mod convert;
pub mod deploy;
pub mod error;
pub mod exit_roots;
pub mod fees;
pub mod rollup;
pub mod sender;
pub mod store;
#[cfg(test)]
mod tests;
