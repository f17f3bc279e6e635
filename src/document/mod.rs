//! Files as they are written: one module a format, types one to one with the text.

pub mod workspace;
