//! Registry-wide tests.
