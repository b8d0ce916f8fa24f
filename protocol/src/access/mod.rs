//! What a block touches in the tree, and where its new leaves go. Not here: how execution finds out (the sequencer's
//! part), and how touched leaves are opened (`crate::witness`).

mod allocator;
mod record;
#[cfg(test)]
mod tests;

pub use allocator::LeafAllocator;
pub use record::{Access, AccessError, AccessRecorder, BlockAccess, TouchedLeaf};
