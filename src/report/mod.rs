//! Results → JSON and tables.
