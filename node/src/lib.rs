//! cairn-node

pub mod l1;
