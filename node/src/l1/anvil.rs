//! A local chain for development and tests.
