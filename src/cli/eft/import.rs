//! `morphist eft import`: foreign descriptions of responses, as parts of a document or inside a workspace.

use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::model_args::positive;
use crate::cli::output::{OutputArgs, write_json};
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::eft::Basis;
use crate::document::read_bytes;
use crate::document::workspace::{Measurement, MeasurementConfig, Workspace};
use crate::finding::{self, Finding};
use crate::import::attach::{Target, attach, declare};
use crate::import::smefit_runcard::Database;
use crate::import::stxs::StxsInput;
use crate::import::{self, Bounds, ImportOptions, ImportedResponse};
use crate::import::{
    combine_scaling, eft2obs, histeft, morphing_inputs, redist_map, scaling_text, simplified_likelihood,
    smefit_benchmark, smefit_runcard, smefit_theory, stxs,
};
use crate::report::eft_import::ImportReport;
use crate::rule;
use crate::workspace::{Measurements, Scope, validate};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Read EFT responses from the files of other tools
///
/// Without --workspace the coefficients and the modifiers are written by themselves; with it, the workspace with the
/// responses at their samples. spec/eft-importers.md describes every layout.
#[derive(Args, Debug)]
pub struct Import {
    /// Files of the format: equations of production and of decay for stxs, the map and the weights for redist, else one
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    pub(super) files: Vec<PathBuf>,
    /// Whose layout the files have
    #[arg(long, value_enum)]
    from: Layout,
    /// Box of a coefficient, or of all that have none; may be given several times
    #[arg(long, value_name = "[NAME=]LO,HI", allow_hyphen_values = true, value_parser = bounds)]
    bounds: Vec<(Option<String>, [f64; 2])>,
    /// Factors on the yields of the sample, not yields (eft2obs)
    #[arg(long)]
    relative: bool,
    /// Names of the coefficients in order, if the file has none (histeft)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    coefficients: Option<Vec<String>>,
    /// Perturbative order, if the file has several (smefit)
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,
    /// Scale of the columns, if the file does not say it (rg-matrix)
    #[arg(long, value_name = "GEV", value_parser = positive)]
    pub(super) from_scale_gev: Option<f64>,
    /// Scale of the rows, that of the document's coefficients (rg-matrix)
    #[arg(long, value_name = "GEV", value_parser = positive)]
    pub(super) to_scale_gev: Option<f64>,
    #[command(flatten)]
    stxs: StxsArgs,
    #[command(flatten)]
    runcard: RuncardArgs,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
    #[command(flatten)]
    basis: BasisArgs,
    #[command(flatten)]
    pub(super) reading: ReadingArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// Scaling data of Combine's interference model
    CombineScaling,
    /// EFT2Obs, with terms or with bins
    Eft2obs,
    /// Quadratic coefficients of TopEFT's histograms, npz or JSON
    Histeft,
    /// Histograms at points of the coefficients, JSON
    Morphing,
    /// redist's map and polynomials of its kinematic bins
    Redist,
    /// Evolution matrix between two scales, JSON or CSV
    RgMatrix,
    /// Signal regions with the covariance of their backgrounds, as a workspace; a second file may hold the covariance
    SimplifiedLikelihood,
    /// Theory tables of SMEFiT
    Smefit,
    /// Measurements of a global fit in one file, eft-gaussian-benchmark/1
    SmefitBenchmark,
    /// Runcards of SMEFiT, with its database
    SmefitRuncard,
    /// STXS → SMEFT equations of Combine
    Stxs,
    /// Equations in text, one line a bin
    Text,
}

/// How STXS equations are put together.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "STXS")]
struct StxsArgs {
    /// Key of the partial width in the equations of decay
    #[arg(long, value_name = "KEY")]
    decay: Option<String>,
    /// Exponents, starts and bounds of the coefficients: pois.yaml, or the same as JSON
    #[arg(long, value_name = "FILE")]
    pois: Option<PathBuf>,
    /// End every equation after its linear terms
    #[arg(long)]
    linear_only: bool,
    /// The Taylor series of production × partial / total
    #[arg(long)]
    expand_equations: bool,
}

/// Where the data sets of a runcard are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "SMEFiT")]
struct RuncardArgs {
    /// Folder of the commondata [default: data_path of the runcard]
    #[arg(long, value_name = "FOLDER")]
    data_path: Option<PathBuf>,
    /// Folder of the theory tables [default: --data-path, or theory_path of the runcard]
    #[arg(long, value_name = "FOLDER")]
    theory_path: Option<PathBuf>,
    /// Data set to leave out; may be given several times
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
}

/// Where responses go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Workspace")]
pub(super) struct PlaceArgs {
    /// Workspace to write the responses into
    #[arg(long, value_name = "FILE")]
    pub workspace: Option<PathBuf>,
    /// Channel of the response, if the file does not name it
    #[arg(long, requires = "workspace", requires = "sample", value_name = "NAME")]
    channel: Option<String>,
    /// Sample of the response, if the file does not name it
    #[arg(long, requires = "workspace", requires = "channel", value_name = "NAME")]
    sample: Option<String>,
    /// Which response, if the file has several
    #[arg(long, requires = "channel", value_name = "NAME")]
    response: Option<String>,
    /// Name of the modifier [default: that of the response]
    #[arg(long, requires = "channel", value_name = "NAME")]
    modifier: Option<String>,
}

/// The basis of the coefficients, which foreign files do not say; a workspace with a block `eft` has it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Basis")]
struct BasisArgs {
    /// Theory and operator basis as in WCxf, such as SMEFT/Warsaw; needs --lambda-tev and --input-scheme beside it
    #[arg(long, value_name = "EFT/BASIS", requires = "lambda_tev", requires = "input_scheme")]
    basis: Option<String>,
    /// The scale Λ, in TeV
    #[arg(long, value_name = "TEV", requires = "basis", value_parser = positive)]
    lambda_tev: Option<f64>,
    /// Input parameters of the electroweak sector, such as MW_MZ_GF
    #[arg(long, value_name = "NAME", requires = "basis")]
    input_scheme: Option<String>,
    /// Renormalisation scale, in GeV
    #[arg(long, value_name = "GEV", requires = "basis", value_parser = positive)]
    scale_gev: Option<f64>,
}

impl Import {
    pub fn run(&self) -> CommandResult {
        self.check_options()?;
        if self.from == Layout::RgMatrix {
            return self.evolve();
        }
        let import = self.read()?;
        let file = file_name(&self.files[0]);
        warn(&file, &import.warnings);
        if let Some(workspace) = &import.workspace {
            return self.write(&file, workspace);
        }
        let basis = self.basis.read()?;
        let (name, mut workspace) = match &self.place.workspace {
            Some(path) => {
                let name = file_name(path);
                let fail = |findings| CommandError::input(&name, findings);
                let value = self.reading.read(path)?.value().map_err(fail)?;
                let workspace = Workspace::from_value(&value).map_err(fail)?;
                (name, workspace)
            }
            // Measurements need no channel: with a basis they are a document.
            None if basis.is_some() && !import.measurements.is_empty() => (file, empty()),
            None => {
                let report = ImportReport::new(import);
                return self.output.write(&report, || report.page(&file));
            }
        };
        let fail = |findings| CommandError::input(&name, findings);
        declare(&mut workspace, &import.wilson_coefficients, basis.as_ref()).map_err(fail)?;
        if let Some(eft) = &mut workspace.eft {
            eft.gaussian_measurements.extend(import.measurements.iter().cloned());
            eft.parameter_transform.extend(import.transform.iter().cloned());
        }
        for (response, target) in self.place.targets(&import)? {
            attach(&mut workspace, response, &target).map_err(fail)?;
        }
        self.write(&name, &workspace)
    }

    /// The workspace, if it is sound.
    fn write(&self, name: &str, workspace: &Workspace) -> CommandResult {
        let scope = Scope { compat: self.reading.compat(), measurements: Measurements::All };
        let findings = validate::check(workspace, &scope);
        if !findings.is_valid() {
            return Err(CommandError::input(name, findings));
        }
        warn(name, &findings);
        write_json(workspace, self.output.output_file.as_deref())
    }

    fn read(&self) -> Result<import::Import, CommandError> {
        let options = self.options();
        let first = self.bytes(&self.files[0])?;
        let second = self.files.get(1).map(|path| self.bytes(path)).transpose()?;
        let name = file_name(&self.files[0]);
        let import = match self.from {
            Layout::CombineScaling => combine_scaling::read(&name, first, &options),
            Layout::Eft2obs => eft2obs::read(&name, first, &options),
            Layout::Histeft if first.starts_with(histeft::PARQUET) => self.parquet(&options),
            Layout::Histeft => histeft::read(&name, first, self.coefficients.as_deref(), &options),
            Layout::Morphing => morphing_inputs::read(&name, first, &options),
            Layout::Redist => {
                let weights = second.ok_or_else(|| usage("redist needs two files: the map, and the weights"))?;
                redist_map::read(&name, first, weights, &options)
            }
            Layout::RgMatrix => return Err(usage("a matrix goes into a workspace")),
            Layout::SimplifiedLikelihood => simplified_likelihood::read(&name, first, second, &options),
            Layout::Smefit => smefit_theory::read(&name, first, self.order.as_deref(), &options),
            Layout::SmefitBenchmark => smefit_benchmark::read(&name, first, &options),
            Layout::SmefitRuncard => smefit_runcard::read(first, &self.runcard.database(), &options),
            Layout::Stxs => {
                let pois = self.stxs.pois.as_deref().map(|path| self.bytes(path)).transpose()?;
                let input = StxsInput {
                    production: first,
                    decay: second,
                    channel: self.stxs.decay.clone(),
                    pois,
                    linear_only: self.stxs.linear_only,
                    expand_equations: self.stxs.expand_equations,
                };
                stxs::read(input, &options)
            }
            Layout::Text => scaling_text::read(&first, &options),
        };
        let import = import.map_err(|findings| CommandError::input(&name, findings))?;
        let new = import.transform.iter().flat_map(|step| &step.parameters).map(|parameter| &parameter.name);
        let named: Vec<&String> = import.wilson_coefficients.iter().map(|c| &c.name).chain(new).collect();
        let unknown = options.bounds.by_name.keys().find(|own| !named.contains(own));
        match unknown {
            None => Ok(import),
            Some(own) => Err(usage(&format!("--bounds of {}, which the file does not name", finding::quote(own)))),
        }
    }

    fn parquet(&self, options: &ImportOptions) -> crate::finding::Result<import::Import> {
        let unnamed = || {
            Finding::new(
                &rule::IMPORT_MISSING,
                "columns without names",
                "the names of the coefficients in order (--coefficients)",
            )
        };
        let names = self.coefficients.as_deref().ok_or_else(unnamed)?;
        let unreadable = |e: std::io::Error| Finding::new(&rule::UNREADABLE, e.to_string(), "a file");
        histeft::read_parquet(std::fs::File::open(&self.files[0]).map_err(unreadable)?, names, options)
    }

    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>, CommandError> {
        read_bytes(path, &self.reading.limits()).map_err(|findings| CommandError::input(&file_name(path), findings))
    }

    pub(super) fn options(&self) -> ImportOptions {
        let mut bounds = Bounds::default();
        for (name, interval) in &self.bounds {
            match name {
                Some(name) => {
                    bounds.by_name.insert(name.clone(), *interval);
                }
                None => bounds.others = Some(*interval),
            }
        }
        ImportOptions { bounds, relative: self.relative, limits: self.reading.limits() }
    }

    /// Options that the layout does not know are errors, and not ignored.
    fn check_options(&self) -> CommandResult {
        let (stxs, runcard) = (&self.stxs, &self.runcard);
        let given = [
            ("--relative", self.relative, Layout::Eft2obs),
            ("--coefficients", self.coefficients.is_some(), Layout::Histeft),
            ("--from-scale-gev", self.from_scale_gev.is_some(), Layout::RgMatrix),
            ("--to-scale-gev", self.to_scale_gev.is_some(), Layout::RgMatrix),
            ("--order", self.order.is_some(), Layout::Smefit),
            ("--data-path", runcard.data_path.is_some(), Layout::SmefitRuncard),
            ("--theory-path", runcard.theory_path.is_some(), Layout::SmefitRuncard),
            ("--without", !runcard.without.is_empty(), Layout::SmefitRuncard),
            ("--decay", stxs.decay.is_some(), Layout::Stxs),
            ("--pois", stxs.pois.is_some(), Layout::Stxs),
            ("--linear-only", stxs.linear_only, Layout::Stxs),
            ("--expand-equations", stxs.expand_equations, Layout::Stxs),
        ];
        if let Some((option, ..)) = given.iter().find(|(_, given, layout)| *given && *layout != self.from) {
            return Err(usage(&format!("{option} does not go with this --from")));
        }
        if self.files.len() > 1 && !matches!(self.from, Layout::Stxs | Layout::Redist | Layout::SimplifiedLikelihood) {
            return Err(usage("this --from takes one file"));
        }
        let paths = self.files.iter().chain(&stxs.pois).chain(&self.place.workspace);
        if paths.filter(|path| *path == Path::new("-")).count() > 1 {
            return Err(usage("two inputs are -, and standard input can be read once: give a file for one of them"));
        }
        let whole = self.from == Layout::SimplifiedLikelihood;
        if whole && (self.place.workspace.is_some() || self.basis.basis.is_some()) {
            return Err(usage(
                "a simplified likelihood becomes a workspace of its own, without --workspace and --basis",
            ));
        }
        let measured = matches!(self.from, Layout::SmefitBenchmark | Layout::SmefitRuncard);
        let alone = self.place.workspace.is_none() && !measured;
        if alone && self.basis.basis.is_some() {
            note("the basis is written into a workspace only: give --workspace");
        }
        Ok(())
    }
}

/// A document without channels.
fn empty() -> Workspace {
    let config = MeasurementConfig { poi: String::new(), parameters: Vec::new() };
    Workspace {
        correlations: None,
        channels: Vec::new(),
        eft: None,
        measurements: vec![Measurement { name: "measurement".to_owned(), config }],
        observations: Vec::new(),
        version: "1.0.0".to_owned(),
    }
}

fn usage(message: &str) -> CommandError {
    CommandError::Usage(message.to_owned())
}

impl RuncardArgs {
    fn database(&self) -> Database {
        let RuncardArgs { data_path, theory_path, without } = self.clone();
        Database { data_path, theory_path, without }
    }
}

impl PlaceArgs {
    /// Responses and where they go: what the options say, or what the file says.
    fn targets<'a>(&self, import: &'a import::Import) -> Result<Vec<(&'a ImportedResponse, Target)>, CommandError> {
        if let (Some(channel), Some(sample)) = (&self.channel, &self.sample) {
            let response =
                import.response(self.response.as_deref()).map_err(|f| CommandError::input("--response", f))?;
            let name = self.modifier.clone().unwrap_or_else(|| response.name.clone());
            return Ok(vec![(response, Target { channel: channel.clone(), sample: sample.clone(), name })]);
        }
        let target = |response: &'a ImportedResponse| match (&response.channel, &response.sample) {
            (Some(channel), Some(sample)) => {
                let (channel, sample, name) = (channel.clone(), sample.clone(), response.name.clone());
                Ok((response, Target { channel, sample, name }))
            }
            _ => Err(usage("the file does not say to which sample it belongs: give --channel and --sample")),
        };
        import.responses.iter().map(target).collect()
    }
}

impl BasisArgs {
    fn read(&self) -> Result<Option<Basis>, CommandError> {
        let (Some(name), Some(lambda_tev), Some(input_scheme)) = (&self.basis, self.lambda_tev, &self.input_scheme)
        else {
            return Ok(None);
        };
        let (eft, basis) = name.split_once('/').ok_or_else(|| usage("--basis is EFT/BASIS, such as SMEFT/Warsaw"))?;
        Ok(Some(Basis {
            eft: eft.to_owned(),
            basis: basis.to_owned(),
            lambda_tev,
            input_scheme: input_scheme.clone(),
            scale_gev: self.scale_gev,
        }))
    }
}

/// `cHW=-3,3` or `-3,3`
fn bounds(text: &str) -> Result<(Option<String>, [f64; 2]), String> {
    let (name, interval) = match text.rsplit_once('=') {
        Some((name, interval)) => (Some(name.to_owned()), interval),
        None => (None, text),
    };
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
    let interval = interval.split_once(',').and_then(|(low, high)| Some([number(low)?, number(high)?]));
    match interval {
        Some([low, high]) if low < high => Ok((name, [low, high])),
        _ => Err("expected LO,HI or NAME=LO,HI with LO < HI".to_owned()),
    }
}
