//! What is −2 ln L at a point of my choice, and how does it change from there?

use morphist::document::{Document, Limits};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = Document::from_path("fixtures/higgs_like/workspace.json".as_ref(), &Limits::default())?;
    let loaded = workspace::load(document, &[], &Scope::default())?;
    let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default())?;
    let program = Program::compile(&model);
    let data = program.prepare(&from_pyhf::data(&loaded.workspace, &model)?);
    let mut evaluator = Evaluator::new(&program);

    // Twice the suggested strength, all else as suggested.
    let mut point = model.init();
    if let Some(poi) = model.poi {
        point[poi] *= 2.0;
    }
    let mut gradient = vec![0.0; model.n_parameters()];
    let twice_nll = evaluator.gradient(&point, &data, &mut gradient);
    println!("twice_nll = {twice_nll}");
    for (name, slope) in model.parameter_names().iter().zip(&gradient) {
        println!("{name:32} {slope:12.4}");
    }

    let mut main = vec![0.0; model.n_bins()];
    let mut auxiliary = vec![0.0; model.auxdata().len()];
    evaluator.expected(&point, &mut main, &mut auxiliary);
    println!("expected events in all bins: {:.2}", main.iter().sum::<f64>());
    Ok(())
}
