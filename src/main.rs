//! The `morphist` command: a table of commands.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use morphist::cli::{self, CommandResult};
use std::process::ExitCode;

/// Reads, validates, evaluates and fits published HistFactory likelihoods
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Validate(cli::validate::Validate),
    Inspect(cli::inspect::Inspect),
    Audit(cli::audit::AuditCommand),
    Evaluate(cli::evaluate::Evaluate),
    Fit(cli::fit::Fit),
    #[command(visible_alias = "cls")]
    Hypotest(cli::hypotest::Hypotest),
    Limit(cli::limit::LimitCommand),
    Significance(cli::significance::Significance),
    Scan(cli::scan::Scan),
    Minos(cli::minos::Minos),
    Toys(cli::toys::Toys),
    Ranking(cli::ranking::Ranking),
    Yields(cli::yields::Yields),
    Gof(cli::gof::Gof),
    Asimov(cli::asimov::Asimov),
    Patch(cli::patch::Patch),
    Combine(cli::combine::Combine),
    Prune(cli::prune::Prune),
    Rename(cli::rename::Rename),
    Sort(cli::sort::Sort),
    Rebin(cli::rebin::Rebin),
    Build(cli::build::Build),
    Symmetrise(cli::symmetrise::Symmetrise),
    Diff(cli::diff::Diff),
    Digest(cli::digest::Digest),
    #[command(subcommand)]
    Patchset(cli::patchset::Patchset),
    Convert(cli::convert::Convert),
    #[command(subcommand)]
    Import(cli::import::Import),
    Xml2json(cli::import::xml::Xml),
    Json2xml(cli::json2xml::Json2xml),
    #[command(subcommand)]
    Eft(cli::eft::Eft),
    Plot(cli::plot::Plot),
    Schema(cli::schema::Schema),
    Bench(cli::bench::Bench),
    Completions(cli::completions::Completions),
    Conformance(cli::conformance::Conformance),
}

fn main() -> ExitCode {
    let matches = with_negative_numbers(Cli::command()).get_matches();
    let command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    cli::exit_code(run(&command.command))
}

/// Every option takes `-1` for its value, which it then judges itself, and not for an option that does not exist.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes_values = |arg: &clap::Arg| !arg.is_positional() && arg.get_action().takes_values();
    let command = command.mut_args(|arg| {
        let negative = takes_values(&arg) && !arg.is_allow_hyphen_values_set();
        if negative { arg.allow_negative_numbers(true) } else { arg }
    });
    command.mut_subcommands(with_negative_numbers)
}

fn run(command: &Command) -> CommandResult {
    match command {
        Command::Validate(command) => command.run(),
        Command::Inspect(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Evaluate(command) => command.run(),
        Command::Fit(command) => command.run(),
        Command::Hypotest(command) => command.run(),
        Command::Limit(command) => command.run(),
        Command::Significance(command) => command.run(),
        Command::Scan(command) => command.run(),
        Command::Minos(command) => command.run(),
        Command::Toys(command) => command.run(),
        Command::Ranking(command) => command.run(),
        Command::Yields(command) => command.run(),
        Command::Gof(command) => command.run(),
        Command::Asimov(command) => command.run(),
        Command::Patch(command) => command.run(),
        Command::Combine(command) => command.run(),
        Command::Prune(command) => command.run(),
        Command::Rename(command) => command.run(),
        Command::Sort(command) => command.run(),
        Command::Rebin(command) => command.run(),
        Command::Build(command) => command.run(),
        Command::Symmetrise(command) => command.run(),
        Command::Diff(command) => command.run(),
        Command::Digest(command) => command.run(),
        Command::Patchset(command) => command.run(),
        Command::Convert(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Xml2json(command) => command.run(),
        Command::Json2xml(command) => command.run(),
        Command::Eft(command) => command.run(),
        Command::Plot(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Completions(command) => command.run(Cli::command()),
        Command::Conformance(command) => command.run(),
    }
}
