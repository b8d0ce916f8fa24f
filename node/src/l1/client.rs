//! One endpoint of L1.
