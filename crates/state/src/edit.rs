//! Editing a state by hand.
