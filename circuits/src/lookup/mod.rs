//! The bus and its argument: LogUp with challenges from a commitment (docs/adr/0001).

pub mod argument;
pub mod bus;
pub mod challenge;
pub mod tables;
