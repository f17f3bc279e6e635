//! How fast does the profile likelihood of the parameter of interest rise around its minimum?

use morphist::document::{Document, Limits};
use morphist::infer::{FitOptions, Fitter, Hesse};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = Document::from_path("fixtures/higgs_like/workspace.json".as_ref(), &Limits::default())?;
    let loaded = workspace::load(document, &[], &Scope::default())?;
    let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default())?;
    let poi = model.poi.ok_or("this measurement has no parameter of interest")?;
    let program = Program::compile(&model);
    let data = program.prepare(&from_pyhf::data(&loaded.workspace, &model)?);
    let mut evaluator = Evaluator::new(&program);
    let mut fitter = Fitter::new(&evaluator);

    let best = fitter.fit(&mut evaluator, &data, &FitOptions::new(&model));
    let sigma = best.uncertainties.as_ref().map_or(f64::NAN, |u| u[poi]);
    println!("minimum at {:.4} ± {sigma:.4}", best.parameters[poi]);

    let (low, high) = model.bounds()[poi];
    for step in -4..=4 {
        let value = (best.parameters[poi] + 0.5 * f64::from(step) * sigma).clamp(low, high);
        // Each fit starts from the minimum, with the parameter of interest held.
        let mut options = FitOptions { init: best.parameters.clone(), hesse: Hesse::No, ..FitOptions::new(&model) };
        options.init[poi] = value;
        options.fixed[poi] = true;
        let conditional = fitter.fit(&mut evaluator, &data, &options);
        println!("{value:10.4}  Δ(−2 ln L) = {:8.4}", conditional.twice_nll - best.twice_nll);
    }
    Ok(())
}
