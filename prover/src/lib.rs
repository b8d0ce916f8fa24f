//! cairn-prover
