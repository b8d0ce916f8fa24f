//! cairn-circuits
