//! From one format to another (spec/hs3-convert.md): pyhf workspaces to HS3 and back, and HS3 from one program's spelling
//! to another's. Everything that a target cannot carry is told.

pub mod content;
pub mod expand;
pub mod file;
mod form;
mod names;
mod spelling;
pub mod target;
pub mod write;

pub use content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
pub use names::identifier;
pub use target::Target;
pub use write::write;
