//! cairn-contracts
