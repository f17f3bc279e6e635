//! Profiles: slopes and tangents against differences, points against fits from scratch.

use crate::common;

use morphist::infer::{FitOptions, Hesse, Likelihood, Profile};
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;

#[test]
fn slopes_and_tangents_are_those_of_differences() {
    let Some(root) = common::corpus("slopes_and_tangents_are_those_of_differences") else { return };
    for name in ["w1_2bin", "w3_sbottomB", "w4_sbottomA", "w8_ewk05"] {
        let (model, data) =
            common::load(&root.join(format!("reference/workspaces/{name}.json")), &ModelOptions::default());
        let program = Program::compile(&model);
        let poi = model.poi.unwrap();
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let (value, h) = (1.5, 1e-4);
        let ahead = likelihood.conditional_fit(&[(poi, value + h)]);
        let behind = likelihood.conditional_fit(&[(poi, value - h)]);
        let here = likelihood.minimum_from(&ahead.parameters, &[(poi, value)]);
        let slope = likelihood.gradient_at_minimum()[poi];
        let difference = (ahead.twice_nll - behind.twice_nll) / (2.0 * h);
        assert!((slope - difference).abs() < 1e-5 * slope.abs().max(0.1), "{name}: {slope} but {difference}");
        let tangent = likelihood.tangent(poi).unwrap();
        for (i, t) in tangent.iter().enumerate() {
            let difference = (ahead.parameters[i] - behind.parameters[i]) / (2.0 * h);
            assert!((t - difference).abs() < 1e-3 * difference.abs().max(0.1), "{name} {i}: {t} but {difference}");
        }
        let fresh = likelihood.conditional_fit(&[(poi, value)]);
        assert!((fresh.twice_nll - here.twice_nll).abs() < 1e-8, "{name}");
    }
}

/// Every point of a profile that walks is the minimum that a fit from scratch finds, within what bounds allow.
#[test]
fn warm_started_points_are_minima() {
    let Some(root) = common::corpus("warm_started_points_are_minima") else { return };
    for (path, _) in common::references(&root) {
        let (model, data) = common::load(&path, &ModelOptions::default());
        let program = Program::compile(&model);
        let poi = model.poi.unwrap();
        let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
        let uncertainty = likelihood.fit(Hesse::Parameter(poi)).uncertainties.unwrap()[poi];
        let mut profile = Profile::new(likelihood.clone(), &[poi]);
        for step in [4.0, 0.0, 1.0, 2.0, 3.0, 7.0] {
            let value = step * uncertainty;
            let point = profile.at(&[value]);
            assert!(point.minimum.valid(), "{}: {:?}", path.display(), point.minimum.reason);
            let fresh = likelihood.conditional_fit(&[(poi, value)]);
            let above = point.minimum.twice_nll - fresh.twice_nll;
            assert!(above < 1e-7, "{} at {value}: {above} above", path.display());
        }
        assert_eq!(profile.first_minimum(), None, "{}", path.display());
    }
}
