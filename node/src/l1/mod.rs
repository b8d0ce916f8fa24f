//! Everything that speaks to L1. ethers stays inside this folder; the rest of the node sees alloy's types.
//!
//! A transaction is written down before it is sent, and what was written down is followed until the chain has settled it.

pub mod account;
pub mod anvil;
mod bindings;
pub mod client;
mod convert;
pub mod deploy;
pub mod error;
pub mod fees;
pub mod rollup;
pub mod sender;
pub mod store;
