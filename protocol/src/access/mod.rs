//! Which leaves a block touches, and the positions of its new leaves. Not here: how execution records accesses
//! (`sequencer/src/trail.rs`), and how touched leaves are opened (`state/src/witness.rs`).

mod allocator;
mod record;
#[cfg(test)]
mod tests;

pub use allocator::LeafAllocator;
pub use record::{Access, AccessError, AccessRecorder, BlockAccess, TouchedLeaf};
