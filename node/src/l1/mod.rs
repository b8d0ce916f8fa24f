//! Everything that speaks to L1. ethers stays inside this folder; the rest of the node sees alloy's types.

pub mod anvil;
mod bindings;
mod convert;
pub mod deploy;
pub mod rollup;
pub mod sender;
//!
//! A transaction is written down before it is sent, and what was written down is followed until the chain has settled it.

pub mod anvil;
mod bindings;
pub mod client;
pub mod deploy;
pub mod error;
pub mod fees;
pub mod rollup;
pub mod sender;
pub mod store;
