//! One folder a machine: `mod row constraints witness tests`.
