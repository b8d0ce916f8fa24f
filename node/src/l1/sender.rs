//! Sends each job once.
