//! What the end-to-end tests share: a real L1, nodes in this process or in one of their own, and clients that know
//! nothing but JSON-RPC.
//!
//! ```text
//! l1::L1 ─► anvil + contracts ◄─┬─ node::Devnet   every role, in this process
//!                               └─ child::Child   every role, in a process that a test may kill
//! client::L2 ─► JSON-RPC of either
//! scripts ─► the same for the clients that people use, in their own languages: e2e/clients
//! ```
//!
//! Tests wait for conditions with [`wait::until`], never for a time. Real proofs use the smallest circuit that holds more
//! than one transfer; its key is made once and kept, see [`keys`].

pub mod child;
pub mod client;
pub mod keys;
pub mod l1;
pub mod node;
pub mod scripts;
pub mod settled;
pub mod wait;

/// Accounts of the development phrase that L1 uses: the deployer and admin, the sequencer, the aggregator.
pub const L1_ACCOUNTS: [u32; 3] = [0, 1, 2];
