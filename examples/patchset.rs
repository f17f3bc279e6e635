//! Which points of a patchset do the data prefer? Fits each patch of a background-only workspace.

use morphist::document::patchset::PatchSet;
use morphist::document::{Document, Limits};
use morphist::infer::{self, FitOptions};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let background = Document::from_path("fixtures/higgs_like/workspace.json".as_ref(), &limits)?;
    let patchset = Document::from_path("fixtures/higgs_like/patchset.json".as_ref(), &limits)?;
    let patchset = PatchSet::from_document(&patchset)?;
    patchset.verify(&background.value()?)?;

    for point in &patchset.patches {
        let loaded = workspace::load(background.clone(), std::slice::from_ref(&point.patch), &Scope::default())?;
        let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default())?;
        let poi = model.poi.ok_or("this measurement has no parameter of interest")?;
        let program = Program::compile(&model);
        let data = program.prepare(&from_pyhf::data(&loaded.workspace, &model)?);
        let fit = infer::fit(&mut Evaluator::new(&program), &data, &FitOptions::new(&model));
        let sigma = fit.uncertainties.as_ref().map_or(f64::NAN, |u| u[poi]);
        println!("{:24} {:8.4} ± {sigma:.4}", point.metadata.name, fit.parameters[poi]);
    }
    Ok(())
}
