//! Who is to read what is written.

/// The reader of an HS3 document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The standard, as its newest merged text has it.
    #[default]
    Canonical,
    /// ROOT 6.40.00.
    Root640,
    /// pyhs3 0.4.2.
    Pyhs3,
}

impl Target {
    /// What `metadata.hs3_version` is.
    pub fn hs3_version(self) -> &'static str {
        match self {
            Target::Canonical => "0.2.9",
            Target::Root640 | Target::Pyhs3 => "0.2",
        }
    }

    /// The package whose conventions the document follows: what a reader goes by that knows several.
    pub fn package(self) -> Option<(&'static str, &'static str)> {
        match self {
            Target::Canonical => None,
            Target::Root640 => Some(("ROOT", "6.40.00")),
            Target::Pyhs3 => Some(("pyhs3", "0.4.2")),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Target::Canonical => "hs3",
            Target::Root640 => "root-6.40",
            Target::Pyhs3 => "pyhs3",
        })
    }
}
