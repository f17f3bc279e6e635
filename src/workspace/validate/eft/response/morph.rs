//! Rules for morphing: basis points, templates, components.

use super::super::super::Report;
use super::super::{check_bins, check_length};
use super::{Checker, Monomials, Response, parameters};
use crate::document::eft::{MorphComponents, MorphData, MorphWeights};
use crate::finding::quote;
use crate::model::eft::Monomial;
use crate::model::eft::morphing;
use crate::rule;
use std::collections::HashMap;

impl Checker<'_, '_> {
    pub(super) fn morph(&self, data: &MorphData, report: &mut Report) -> Option<Response> {
        let reference = self.context.point(&data.reference, &self.at("reference"), report);
        let numbers = self.check_basis(data, report);
        let monomials = morph_monomials(&data.parameters, &data.components, &self.at("components"), report);
        let (numbers, monomials) = (numbers?, monomials?);
        self.check_size(monomials.len(), "templates", report)?;
        let variances = data.variances.as_deref();
        let solved = morphing::solve(&data.basis_points, &monomials, &data.templates, variances, data.weights.into());
        let solved = match solved {
            Ok(solved) => solved.polynomial.renamed(&numbers),
            Err(error) => {
                let expected = "a basis that determines its monomials";
                report.add(&rule::EFT_MORPHING, self.at("basis_points"), error.to_string(), expected);
                return None;
            }
        };
        self.check_reference(data.mode, &reference, &solved, "templates", report);
        let known = Monomials::Known(solved.monomials.iter().cloned().collect());
        let mut response = self.response(data.mode, &data.truncation, known);
        self.check_truncation(&response, report);
        response.mc_stat = data.variances.is_some();
        (response.reference, response.polynomial) = (reference, Some(solved));
        Some(response)
    }

    /// The numbers of the parameters, if points and templates have the shapes that they must have.
    fn check_basis(&self, data: &MorphData, report: &mut Report) -> Option<Vec<u32>> {
        let numbers = parameters(self.context, &data.parameters, &self.at("parameters"), report);
        let points = data.basis_points.len();
        let mut sound = true;
        for (i, point) in data.basis_points.iter().enumerate() {
            let place = self.at(&format!("basis_points/{i}"));
            sound &= check_length(point.len(), data.parameters.len(), "parameter", place, report);
        }
        let tables = [("templates", Some(&data.templates)), ("variances", data.variances.as_ref())];
        for (key, rows) in tables.into_iter().filter_map(|(key, rows)| Some((key, rows?))) {
            sound &= check_length(rows.len(), points, "basis point", self.at(key), report);
            for (i, row) in rows.iter().enumerate() {
                sound &= check_bins(row.len(), self.nominal.len(), || self.at(&format!("{key}/{i}")), report);
            }
        }
        for (i, row) in data.variances.iter().flatten().enumerate() {
            let pointer = || self.at(&format!("variances/{i}"));
            report.add_numbers(&rule::EFT_VARIANCE, pointer, row, "at least 0", |x| x < 0.0);
            sound &= row.iter().all(|x| *x >= 0.0);
        }
        sound &= self.check_weights(data, report);
        numbers.filter(|_| sound)
    }

    /// Weights by the inverse variance need variances, and none that is zero in all bins.
    fn check_weights(&self, data: &MorphData, report: &mut Report) -> bool {
        if data.weights == MorphWeights::Equal {
            return true;
        }
        let certain = |row: &Vec<f64>| row.iter().all(|x| *x == 0.0);
        let (pointer, found) = match &data.variances {
            None => (self.at("weights"), "inverse_variance without variances"),
            Some(rows) => match rows.iter().position(certain) {
                Some(i) => (self.at(&format!("variances/{i}")), "no variance in any bin, under inverse_variance"),
                None => return true,
            },
        };
        report.add(&rule::EFT_VARIANCE, pointer, found, "a variance above 0 of each basis point, summed over bins");
        false
    }
}

/// The monomials of a morphing in its own parameters.
pub(in super::super) fn morph_monomials(
    parameters: &[String],
    components: &MorphComponents,
    pointer: &str,
    report: &mut Report,
) -> Option<Vec<Monomial>> {
    let place: HashMap<&str, u32> = parameters.iter().enumerate().map(|(i, name)| (name.as_str(), i as u32)).collect();
    let mut local = |names: &[String], pointer: String| -> Option<Monomial> {
        let mut places = Some(Monomial::new());
        for (j, name) in names.iter().enumerate() {
            match (place.get(name.as_str()), &mut places) {
                (Some(i), Some(places)) => places.push(*i),
                (Some(_), None) => {}
                (None, _) => {
                    let found = format!("the name {}", quote(name));
                    let expected = "one of the parameters of the morphing";
                    report.add(&rule::EFT_UNKNOWN_COEFFICIENT, format!("{pointer}/{j}"), found, expected);
                    places = None;
                }
            }
        }
        places
    };
    match components {
        MorphComponents::Monomials(list) => {
            let lists = list.monomials.iter().enumerate();
            let all: Vec<_> = lists.map(|(k, names)| local(names, format!("{pointer}/monomials/{k}"))).collect();
            all.into_iter().collect()
        }
        MorphComponents::Vertices(list) => {
            let escape = crate::finding::escape_token;
            let vertices = list.vertices.iter();
            let all: Vec<_> =
                vertices.map(|(name, names)| local(names, format!("{pointer}/vertices/{}", escape(name)))).collect();
            let vertices: Vec<Monomial> = all.into_iter().collect::<Option<_>>()?;
            match morphing::vertex_monomials(&vertices) {
                Ok(monomials) => Some(monomials),
                Err(error) => {
                    report.add(
                        &rule::EFT_MORPHING,
                        format!("{pointer}/vertices"),
                        error.to_string(),
                        "fewer operators",
                    );
                    None
                }
            }
        }
    }
}
