//! Types generated from the ABI of the contracts.
