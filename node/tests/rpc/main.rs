//! JSON-RPC of a running node: what clients read, poll and subscribe to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod filters;
mod methods;
mod relay;
mod subscriptions;
#[path = "../support/mod.rs"]
mod support;
mod txpool;
