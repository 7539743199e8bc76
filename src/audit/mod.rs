//! Checking and proving.
