//! Deployment of the contracts.
