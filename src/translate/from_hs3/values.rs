//! Values, ranges and constancy of parameters and global observables.

use crate::document::hs3::{Analysis, Domain, Hs3Document, Point, PointParameter};

/// The parameter point and the domains that count for one likelihood.
pub(super) struct Values<'d> {
    start: Option<&'d Point>,
    others: Vec<&'d Point>,
    /// Those of the analysis.
    own: Vec<&'d Domain>,
    default: Option<&'d Domain>,
    /// Of global observables.
    global: Vec<&'d Domain>,
}

impl<'d> Values<'d> {
    /// The analysis's own point, or `default_values`, or the first; its domains, then `default_domain`.
    pub fn new(document: &'d Hs3Document, analysis: Option<&'d Analysis>) -> Values<'d> {
        let init = analysis.and_then(|analysis| analysis.init.as_deref()).and_then(|name| document.point(name));
        let start = init.or_else(|| document.point("default_values")).or(document.parameter_points.first());
        let others = document.parameter_points.iter().filter(|p| start.is_none_or(|start| start.name != p.name));
        let own = analysis.iter().flat_map(|a| &a.domains).filter_map(|name| document.domain(name)).collect();
        let default = document.domain("default_domain");
        let global = document.domains.iter().filter(|domain| domain.name.ends_with("_global_observables"));
        Values { start, others: others.collect(), own, default, global: global.collect() }
    }

    fn entry(&self, name: &str) -> Option<&'d PointParameter> {
        self.start.and_then(|point| point.parameters.iter().find(|p| p.name == name))
    }

    /// At the point from which analyses start.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.entry(name).map(|p| p.value)
    }

    /// As [`Values::value`], or else at the first other point that has one: ROOT writes some global observables only in
    /// the snapshot of nominal values.
    pub fn value_anywhere(&self, name: &str) -> Option<f64> {
        let others =
            || self.others.iter().flat_map(|point| &point.parameters).find(|p| p.name == name).map(|p| p.value);
        self.value(name).or_else(others)
    }

    /// Whether the point or a domain says that it is constant; nothing where it is in neither.
    pub fn is_constant(&self, name: &str) -> Option<bool> {
        let of_point = self.entry(name).map(|p| p.constant);
        let mut domains = self.own.iter().copied().chain(self.default).filter_map(|domain| domain.axis(name));
        let of_domain = domains.next().map(|axis| axis.constant);
        match (of_point, of_domain) {
            (None, None) => None,
            _ => Some(of_point.unwrap_or(false) || of_domain.unwrap_or(false)),
        }
    }

    /// Whether it is in a domain of global observables (A18).
    pub fn is_global(&self, name: &str) -> bool {
        self.global.iter().any(|domain| domain.axis(name).is_some())
    }

    /// The name of the point from which analyses start.
    pub fn start(&self) -> Option<&'d str> {
        self.start.map(|point| point.name.as_str())
    }

    /// The bounds of a parameter: of the analysis's domains, of `default_domain`, of the point.
    pub fn bounds(&self, name: &str) -> Option<(f64, f64)> {
        let mut domains = self.own.iter().copied().chain(self.default);
        let of_domain = domains.find_map(|domain| domain.axis(name)).map(|axis| (axis.min, axis.max));
        of_domain.or_else(|| self.range_of_point(name))
    }

    /// The range over which densities of a variable are normalised: of `default_domain` first.
    pub fn range(&self, name: &str) -> Option<(f64, f64)> {
        let of_default = self.default.and_then(|domain| domain.axis(name)).map(|axis| (axis.min, axis.max));
        of_default.or_else(|| self.bounds(name))
    }

    fn range_of_point(&self, name: &str) -> Option<(f64, f64)> {
        let entry = self.entry(name)?;
        match (entry.min, entry.max) {
            (None, None) => None,
            (min, max) => Some((min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY))),
        }
    }
}
