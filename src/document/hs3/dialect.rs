//! Whose conventions a document follows.

use super::analysis::Metadata;

/// The program whose conventions count where the specification leaves something open or a program departs from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The specification itself; also what names no known program.
    #[default]
    Canonical,
    Root(Version),
    Pyhs3,
    Hs3Jl,
}

/// A release of ROOT, such as 6.40.00.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Dialect {
    /// The conventions of RooFit hold: constraints normalised over the ranges of their observables, densities of binned
    /// data taken at bin centres, negative interpolated templates clipped.
    pub fn root_compat(self) -> bool {
        matches!(self, Dialect::Root(_))
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Dialect::Canonical => f.write_str("hs3"),
            Dialect::Root(version) => write!(f, "root-{version}"),
            Dialect::Pyhs3 => f.write_str("pyhs3"),
            Dialect::Hs3Jl => f.write_str("hs3.jl"),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}.{:02}", self.major, self.minor, self.patch)
    }
}

impl std::str::FromStr for Dialect {
    type Err = String;

    /// `hs3`, `root`, `root-6.40`, `root-6.40.00`, `pyhs3` or `hs3.jl`.
    fn from_str(text: &str) -> Result<Dialect, String> {
        match text {
            "hs3" => Ok(Dialect::Canonical),
            "pyhs3" => Ok(Dialect::Pyhs3),
            "hs3.jl" => Ok(Dialect::Hs3Jl),
            "root" => Ok(Dialect::Root(Version { major: 6, minor: 40, patch: 0 })),
            _ => match text.strip_prefix("root-").map(version) {
                Some(Some(version)) => Ok(Dialect::Root(version)),
                _ => Err(format!("{text:?} is none of hs3, root, root-<version>, pyhs3, hs3.jl")),
            },
        }
    }
}

/// Numbers between dots or slashes, such as 6.36.02 or 6.36/02; what is missing is 0.
fn version(text: &str) -> Option<Version> {
    let mut parts = text.split(['.', '/']).map(|part| {
        let digits: &str = part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse::<u32>().ok()
    });
    let major = parts.next()??;
    let mut next = || parts.next().flatten().unwrap_or(0);
    Some(Version { major, minor: next(), patch: next() })
}

impl Metadata {
    /// The dialect of the program that comes first among the packages that are known.
    pub fn dialect(&self) -> Dialect {
        let known = |package: &super::Package| match package.name.to_lowercase().as_str() {
            "root" => Some(Dialect::Root(version(&package.version).unwrap_or_default())),
            "pyhs3" => Some(Dialect::Pyhs3),
            "hs3.jl" | "hs3jl" => Some(Dialect::Hs3Jl),
            _ => None,
        };
        self.packages.iter().find_map(known).unwrap_or_default()
    }
}
