//! What the port answers besides the methods themselves: pages, limits, and the end; over real connections.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod connections;
mod limits;
mod origins;
mod pages;
mod rate;
mod running;
