//! `morphist plot`: pictures of results.

use super::input_args::file_name;
use super::output::write_bytes;
use super::{CommandError, CommandResult, note};
use crate::plot::{self, Figure, Options, png};
use crate::plot::{
    brazil, coefficients, correlation, data_mc, directions, exclusion, individual, nll_scan, pulls, ranking, responses,
    validity,
};
use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Draw a result as SVG or PNG
#[derive(Args, Debug)]
pub struct Plot {
    /// What to draw
    #[arg(value_enum)]
    pub kind: Kind,
    /// Result as the command wrote it (JSON); - is standard input
    #[arg(default_value = "-", value_name = "RESULT")]
    pub result: PathBuf,
    /// Picture; its ending, .svg or .png, is its format [default: figures/KIND.svg]
    #[arg(short, long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Line above the picture
    #[arg(long)]
    pub title: Option<String>,
    /// Title of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// Title of the vertical axis; of the upper axis of a ranking
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// Width and height in pixels, of kinds whose size does not follow from their content
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<(f64, f64)>,
    /// Pixels of a PNG for each pixel of --size
    #[arg(long, default_value_t = 2.0, value_parser = scale)]
    pub scale: f64,
    /// Logarithmic vertical axis (brazil, data-mc)
    #[arg(long)]
    pub log: bool,
    /// Show at most N parameters (coefficients, individual, pulls, correlation, ranking), or directions
    #[arg(long, value_name = "N", alias = "max_pars", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_pars: Option<u16>,
    /// Show only parameters with an absolute correlation of at least this (correlation)
    #[arg(long, value_name = "VALUE")]
    pub threshold: Option<f64>,
    /// Which two values of each point span the plane, counted from 0 (exclusion)
    #[arg(long, value_name = "I,J", default_value = "0,1", value_parser = axes)]
    pub axes: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// CLs over the parameter of interest: a result of limit
    Brazil,
    /// Intervals of Wilson coefficients, individual and profiled: a result of eft compare
    Coefficients,
    /// Correlation matrix: a result of fit
    Correlation,
    /// Components of the directions in the space of the coefficients: a result of eft directions
    Directions,
    /// Data and stacked samples with their ratio: a result of yields
    DataMc,
    /// Exclusion contour: the JSON lines of limit --patchset
    Exclusion,
    /// Individual, profiled and Gaussian intervals of Wilson coefficients: a result of eft individual
    Individual,
    /// Pulls and constraints: a result of fit
    Pulls,
    /// Impacts and pulls: a result of ranking
    Ranking,
    /// Yields of bins over a Wilson coefficient: a result of eft responses
    Responses,
    /// −2 Δln L over one or two parameters: a result of scan
    Scan,
    /// Intervals against a cut on an energy: a result of eft validity
    Validity,
}

impl Plot {
    pub fn run(&self) -> CommandResult {
        let file = self.file();
        let as_png = match file.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => false,
            Some("png") => true,
            _ if file == Path::new("-") => false,
            _ => return Err(CommandError::Usage(format!("{}: write .svg or .png", file.display()))),
        };
        let bytes = self.read()?;
        let figure =
            self.draw(&bytes).map_err(|e| CommandError::Message(format!("{}: {e}", file_name(&self.result))))?;
        figure.notes.iter().for_each(|text| note(text));
        let picture = match as_png {
            true => png::render(&figure.svg, self.scale).map_err(CommandError::Message)?,
            false => figure.svg.into_bytes(),
        };
        if self.output_file.is_none() {
            let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.map_err(|e| CommandError::Message(format!("cannot make the folder of {}: {e}", file.display())))?;
            note(&format!("written to {}", file.display()));
        }
        write_bytes(&picture, Some(&file))
    }

    fn file(&self) -> PathBuf {
        let kind = self.kind.to_possible_value();
        let own = || PathBuf::from(format!("figures/{}.svg", kind.as_ref().map_or("plot", |k| k.get_name())));
        self.output_file.clone().unwrap_or_else(own)
    }

    fn read(&self) -> Result<Vec<u8>, CommandError> {
        let mut bytes = Vec::new();
        let read = match self.result == Path::new("-") {
            true => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes),
            false => std::fs::read(&self.result),
        };
        read.map_err(|e| CommandError::Message(format!("cannot read {}: {e}", file_name(&self.result))))
    }

    fn draw(&self, bytes: &[u8]) -> Result<Figure, String> {
        let options = self.options();
        match self.kind {
            Kind::Brazil => brazil::draw(&one(bytes)?, &options),
            Kind::Coefficients => coefficients::draw(&one(bytes)?, &options),
            Kind::Correlation => correlation::draw(&one(bytes)?, &options),
            Kind::DataMc => data_mc::draw(&one(bytes)?, &options),
            Kind::Directions => directions::draw(&one(bytes)?, &options),
            Kind::Exclusion => exclusion::draw(&many::<exclusion::Patch>(bytes)?, self.axes, &options),
            Kind::Individual => individual::draw(&one(bytes)?, &options),
            Kind::Pulls => pulls::draw(&one(bytes)?, &options),
            Kind::Ranking => ranking::draw(&one(bytes)?, &options),
            Kind::Responses => responses::draw(&one(bytes)?, &options),
            Kind::Scan => nll_scan::draw(&one(bytes)?, &options),
            Kind::Validity => validity::draw(&one(bytes)?, &options),
        }
    }

    fn options(&self) -> plot::Options {
        Options {
            title: self.title.clone(),
            x_label: self.x_label.clone(),
            y_label: self.y_label.clone(),
            size: self.size,
            log: self.log,
            max_pars: self.max_pars.map(usize::from),
            threshold: self.threshold,
        }
    }
}

/// The only JSON value of a file.
fn one<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut source).map_err(|e| wrong(&e))?;
    source.end().map_err(|e| format!("not one JSON value: {e}"))?;
    Ok(value)
}

/// JSON values one after the other, one a line.
fn many<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, String> {
    let mut values = Vec::new();
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if !line.iter().all(u8::is_ascii_whitespace) {
            values.push(one(line).map_err(|e| format!("line {}: {e}", index + 1))?);
        }
    }
    if values.is_empty() { Err("no results".to_owned()) } else { Ok(values) }
}

fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (path, error) = (error.path().to_string(), error.inner());
    match (error.classify(), path.as_str()) {
        (serde_json::error::Category::Data, ".") => {
            format!("not a result of the command that this plot is of: {error}")
        }
        (serde_json::error::Category::Data, _) => {
            format!("not a result of the command that this plot is of: {path}: {error}")
        }
        _ => format!("not JSON: {error}"),
    }
}

fn size(text: &str) -> Result<(f64, f64), String> {
    let pair = text.split_once('x').and_then(|(w, h)| Some((w.parse::<f64>().ok()?, h.parse::<f64>().ok()?)));
    let sane = |v: f64| (300.0..=10_000.0).contains(&v);
    pair.filter(|(w, h)| sane(*w) && sane(*h))
        .ok_or_else(|| "expected two numbers from 300 to 10000, as 720x560".to_owned())
}

fn scale(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|v| (0.1..=20.0).contains(v));
    value.ok_or_else(|| "expected a number from 0.1 to 20".to_owned())
}

fn axes(text: &str) -> Result<(usize, usize), String> {
    let pair = text.split_once(',').and_then(|(i, j)| Some((i.trim().parse().ok()?, j.trim().parse().ok()?)));
    pair.filter(|(i, j)| i != j).ok_or_else(|| "expected two different numbers, as 0,1".to_owned())
}
