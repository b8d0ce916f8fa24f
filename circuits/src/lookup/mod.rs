//! The bus and its argument: LogUp with challenges from a commitment (DESIGN sections 4 and 5).

pub mod argument;
pub mod bus;
pub mod challenge;
pub mod tables;
