//! What are the best-fit values and uncertainties of a workspace?
//!
//! `cargo run --release --example fit [WORKSPACE]`

use morphist::document::{Document, Limits};
use morphist::infer::{self, FitOptions};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "fixtures/higgs_like/workspace.json".to_owned());
    let document = Document::from_path(path.as_ref(), &Limits::default())?;
    let loaded = workspace::load(document, &[], &Scope::default())?;
    let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default())?;
    let program = Program::compile(&model);
    let data = program.prepare(&from_pyhf::data(&loaded.workspace, &model)?);

    let fit = infer::fit(&mut Evaluator::new(&program), &data, &FitOptions::new(&model));
    println!("valid: {}   twice_nll: {:.6}   edm: {:.1e}", fit.valid, fit.twice_nll, fit.edm);
    let uncertainties = fit.uncertainties.unwrap_or_else(|| vec![f64::NAN; fit.parameters.len()]);
    for ((name, value), sigma) in model.parameter_names().iter().zip(&fit.parameters).zip(uncertainties) {
        println!("{name:32} {value:10.4} ± {sigma:.4}");
    }
    Ok(())
}
