//! What people see: a page on the JSON-RPC port, and the feed behind it.
//!
//! ```text
//! chain, records ─► status, batches, transactions ─► rpc::cairn ─► ui (in the browser)
//!                   feed: samples, pushes on change ─┘
//! assets: the page, embedded ─► crate::http
//! ```
//!
//! The page asks JSON-RPC like everybody else: nothing here is for it alone.

pub mod assets;
pub mod batches;
pub mod feed;
pub mod status;
pub mod transactions;
