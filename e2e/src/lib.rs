//! cairn-e2e
