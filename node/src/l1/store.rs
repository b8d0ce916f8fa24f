//! What the sender writes down.
