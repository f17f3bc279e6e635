//! Pictures of results, drawn by ourselves as SVG; PNG comes from the same SVG.
//!
//! Each plot reads the JSON that a command writes and gives a [`Figure`]. The same input gives the same bytes. A point
//! without a number is a gap and a note, never a guess.

pub mod audit_page;
mod axis;
pub mod brazil;
mod canvas;
pub mod coefficients;
mod colour;
pub mod correlation;
pub mod data_mc;
pub mod directions;
pub mod exclusion;
mod font;
pub mod individual;
mod legend;
mod mesh;
pub mod nll_scan;
pub mod png;
mod poisson;
pub mod pulls;
pub mod ranking;
pub mod responses;
mod ticks;
pub mod validity;
pub mod variation;

pub use canvas::{Figure, Rect, Written};

/// What may be chosen about a plot; each plot uses what it knows.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub title: Option<String>,
    pub x_label: Option<String>,
    pub y_label: Option<String>,
    /// Width and height in pixels.
    pub size: Option<(f64, f64)>,
    /// Logarithmic where the plot can be: the axis of counts or of CLs.
    pub log: bool,
    /// Most parameters shown.
    pub max_pars: Option<usize>,
    /// Least absolute correlation of a parameter shown.
    pub threshold: Option<f64>,
}

impl Options {
    fn size_or(&self, width: f64, height: f64) -> (f64, f64) {
        self.size.unwrap_or((width, height))
    }

    fn x_label<'a>(&'a self, own: &'a str) -> &'a str {
        self.x_label.as_deref().unwrap_or(own)
    }

    fn y_label<'a>(&'a self, own: &'a str) -> &'a str {
        self.y_label.as_deref().unwrap_or(own)
    }
}

/// A remark where the result says that its fit is not valid.
fn note_of(valid: Option<bool>) -> Vec<String> {
    let invalid = valid == Some(false);
    invalid.then(|| "the fit is not valid: these numbers are not those of a minimum".to_owned()).into_iter().collect()
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Runs of neighbours that have all numbers: a line is drawn through each run, never over a gap.
fn runs<T: Copy>(points: impl IntoIterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push(point),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
