//! MINOS, profiles and impacts of densities over events, against RooFit of ROOT 6.40.00 (tests/peer/hs3_profile.py).

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::infer::ranking::{ImpactMethod, RankingOptions, ranking};
use morphist::infer::{Crossing, FitOptions, Likelihood, Profile, Side, Watch, minos};
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};

fn translate(name: &str) -> Option<Hs3Likelihood> {
    let path = common::directory("hs3/root")?.join(format!("{name}.json"));
    let document = Hs3Document::from_value(&common::read_json(&path), &ReadOptions::default());
    let document = document.unwrap_or_else(|findings| panic!("{findings}"));
    Some(from_hs3::likelihood(&document, &Hs3Options::default()).unwrap_or_else(|findings| panic!("{findings}")))
}

/// Values at the minimum with both errors of MINOS, within 10⁻³ of an error; −2 Δ ln L of profiles.
#[test]
fn minos_and_profiles_of_roofit() {
    type Row = (&'static str, f64, f64, f64);
    type Case = (&'static str, &'static [Row], &'static str, &'static [(f64, f64)]);
    let cases: [Case; 2] = [
        (
            "mixture_dist_extended",
            &[
                ("c", -0.3246882854139693, -0.03823990031668334, 0.03632496214142146),
                ("m", 3.721070199987549, -0.21250840106084806, 0.2227452269085462),
                ("nb", 156.57973499224337, -14.518044198347397, 15.39471357083062),
                ("ns", 43.42013790526268, -10.191213413614625, 10.838832017175909),
            ],
            "ns",
            &[(10.0, 12.548449770163984), (30.0, 1.7695801289812607), (60.0, 2.268291275908041)],
        ),
        (
            "simultaneous_shared_constraint",
            &[
                ("alpha", 0.0, -1.0, 1.0),
                ("c1", -0.16176886925879835, -0.03931127645249348, 0.03788842722267125),
                ("c2", -0.4049329559304082, -0.06803618741073057, 0.06228063712244693),
                ("mu", 0.9269574429870445, -0.21463485900299023, 0.24300519811559604),
                ("nb1", 100.02954644817808, -11.07671516644591, 11.88578729515022),
                ("nb2", 63.622596871832556, -8.43008420479546, 9.167266352547358),
            ],
            "mu",
            &[(0.5, 4.428271708270984), (1.4, 3.355353493090888)],
        ),
    ];
    for (name, rows, poi, profile) in cases {
        let Some(likelihood) = translate(name) else { return };
        let names = likelihood.model.parameter_names();
        let index = |name: &str| names.iter().position(|n| n == name).unwrap();
        let program = Program::compile(&likelihood.model);
        let on = Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
        let parameters: Vec<usize> = rows.iter().map(|row| index(row.0)).collect();
        let found = minos(&on, &parameters, 0.682_689_492_137_085_9, &Watch::new());
        for ((parameter, low, best, high), side) in
            rows.iter().map(|(parameter, best, low, high)| (parameter, low, best, high)).zip(&found.parameters)
        {
            let (Side::Searched(Crossing::At(lower)), Side::Searched(Crossing::At(upper))) = (&side.lower, &side.upper)
            else {
                panic!("{side:?}")
            };
            let value = found.best.parameters[index(parameter)];
            let error = 0.5 * (high - low);
            for (ours, theirs) in [(value, *best), (*lower, best + low), (*upper, best + high)] {
                assert!((ours - theirs).abs() < 1e-3 * error, "{name} {parameter}: {ours} and {theirs}");
            }
        }
        let mut at = Profile::new(on, &[index(poi)]);
        for (value, height) in profile {
            let minimum = at.at(&[*value]).minimum;
            let found = minimum.twice_nll - at.best().twice_nll;
            assert!((found - height).abs() < 1e-5, "{name} {poi} = {value}: {found} and {height}");
        }
    }
}

/// The shift of the POI with a constrained parameter one error down and up. RooFit's error is that of its own Hessian
/// (0.9934 where ours is 1), and impacts go with it.
#[test]
fn impacts_of_roofit() {
    let Some(likelihood) = translate("simultaneous_shared_constraint") else { return };
    let names = likelihood.model.parameter_names();
    let index = |name: &str| names.iter().position(|n| n == name).unwrap();
    let program = Program::compile(&likelihood.model);
    let on = Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
    let method = ImpactMethod::Refit;
    let options = RankingOptions { poi: index("mu"), method, global_method: method, groups: Vec::new() };
    let found = ranking(&on, &options, &Watch::new());
    let alpha = found.impacts.iter().find(|impact| impact.parameter == index("alpha")).unwrap();
    let (error, up, down) = (0.9933628880476341, -0.08376013978934571, 0.10223608746439339);
    for (shift, theirs) in alpha.postfit.iter().zip([down, up]) {
        let ours = shift.clone().unwrap() * error / alpha.uncertainty;
        // Linear in the error to a part in a hundred of 0.7 %.
        assert!((ours / theirs - 1.0).abs() < 2e-3, "{ours} and {theirs}");
    }
    assert_eq!(found.impacts[0].parameter, index("alpha"));
}
