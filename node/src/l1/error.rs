//! What the contracts and the endpoint answer when they refuse.
