//! Checking a state.
