//! The codes of findings: what each is called, means, and what to do about it (spec/audit.md).

use schemars::JsonSchema;
use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is likely to be wrong, or breaks fits.
    Warning,
    /// Worth knowing; often meant.
    Note,
}

/// What was found. The words do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    FitNotValid,
    DataWithoutExpectation,
    NegativeExpectation,
    NegativeTemplate,
    NegativeNominal,
    NoBackground,
    EmptyBin,
    DegenerateDirection,
    CorrelatedPair,
    PoiWithoutEffect,
    NoPoi,
    PoiAtBound,
    NoDependence,
    NullEffect,
    NullEntries,
    OneSided,
    OneVariation,
    LargeVariation,
    Asymmetric,
    NormInShape,
    SplitNotClean,
    EqualSystematics,
    EqualSamples,
    SharedName,
    FrozenStaterror,
    FrozenShapesys,
    NoMcStatistics,
    LargeMcError,
    NoMcError,
    Unconstrained,
    FixedParameter,
    LargePull,
    FractionalData,
    PulledNuisance,
    ConstrainedNuisance,
}

/// The words about a code.
pub struct About {
    /// As it is written.
    pub word: &'static str,
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub advice: &'static str,
}

const fn about(word: &'static str, title: &'static str, meaning: &'static str, advice: &'static str) -> About {
    About { word, title, meaning, advice }
}

impl Code {
    /// In the order of reports.
    pub const ALL: [Code; 35] = [
        Code::FitNotValid,
        Code::DataWithoutExpectation,
        Code::NegativeExpectation,
        Code::NegativeTemplate,
        Code::NegativeNominal,
        Code::NoBackground,
        Code::EmptyBin,
        Code::DegenerateDirection,
        Code::CorrelatedPair,
        Code::PoiWithoutEffect,
        Code::NoPoi,
        Code::PoiAtBound,
        Code::NoDependence,
        Code::NullEffect,
        Code::NullEntries,
        Code::OneSided,
        Code::OneVariation,
        Code::LargeVariation,
        Code::Asymmetric,
        Code::NormInShape,
        Code::SplitNotClean,
        Code::EqualSystematics,
        Code::EqualSamples,
        Code::SharedName,
        Code::FrozenStaterror,
        Code::FrozenShapesys,
        Code::NoMcStatistics,
        Code::LargeMcError,
        Code::NoMcError,
        Code::Unconstrained,
        Code::FixedParameter,
        Code::LargePull,
        Code::FractionalData,
        Code::PulledNuisance,
        Code::ConstrainedNuisance,
    ];

    pub fn word(self) -> &'static str {
        self.about().word
    }

    pub fn about(self) -> About {
        match self {
            Code::FitNotValid
            | Code::DataWithoutExpectation
            | Code::NegativeExpectation
            | Code::NegativeTemplate
            | Code::NegativeNominal
            | Code::NoBackground
            | Code::EmptyBin => self.of_bins(),
            Code::OneSided
            | Code::OneVariation
            | Code::LargeVariation
            | Code::Asymmetric
            | Code::NormInShape
            | Code::SplitNotClean => self.of_templates(),
            Code::NullEffect | Code::NullEntries | Code::EqualSystematics | Code::EqualSamples | Code::SharedName => {
                self.of_copies()
            }
            Code::FrozenStaterror
            | Code::FrozenShapesys
            | Code::NoMcStatistics
            | Code::LargeMcError
            | Code::NoMcError
            | Code::LargePull
            | Code::FractionalData => self.of_statistics(),
            Code::DegenerateDirection
            | Code::CorrelatedPair
            | Code::PoiWithoutEffect
            | Code::NoPoi
            | Code::PoiAtBound => self.of_interest(),
            _ => self.of_parameters(),
        }
    }

    fn of_bins(self) -> About {
        match self {
            Code::FitNotValid => about(
                "fit_not_valid",
                "The fit is not valid",
                "The fit to the data ended without a minimum that can be vouched for; its pulls mean nothing.",
                "Run morphist fit and read its reason; other findings of this page often explain it.",
            ),
            Code::DataWithoutExpectation => about(
                "data_without_expectation",
                "Data where nothing is expected",
                "Events were counted in a bin in which the model expects none before the fit: the likelihood is zero there, and \
                 a fit has to leave its start.",
                "Add the missing process, merge the bin with its neighbour, or take it out.",
            ),
            Code::NegativeExpectation => about(
                "negative_expectation",
                "Total expectation negative within ±1σ",
                "One parameter within ±1σ of its constraint makes the summed expectation of a bin negative. A Poisson \
                 likelihood does not exist there: fits may stop or run into a wall.",
                "Mend the variation of the modifier in these bins, or merge bins.",
            ),
            Code::NegativeTemplate => about(
                "negative_template",
                "Template negative within ±1σ",
                "One parameter within ±1σ makes the yield of a sample in a bin negative. The sum may still be positive, but \
                 such a yield means nothing, and other systematics multiply it.",
                "Use a normsys or a smoothed variation here, or merge bins with few events.",
            ),
            Code::NegativeNominal => about(
                "negative_nominal",
                "Negative nominal yields",
                "A sample has negative nominal yields, as negative event weights give them. Scale factors then act the wrong \
                 way round.",
                "Merge the bins, or set the yields to a small positive number with a matching uncertainty.",
            ),
            Code::NoBackground => about(
                "no_background",
                "Bins without background",
                "All samples that the parameter of interest does not scale sum to zero or less: asymptotic formulae fail, and \
                 one event there is a discovery.",
                "Merge the bin with its neighbour, or estimate the background from data.",
            ),
            _ => about(
                "empty_bin",
                "Bins without data and without expectation",
                "Nothing is expected and nothing was counted: the bin says nothing.",
                "Leave the bin out.",
            ),
        }
    }

    fn of_templates(self) -> About {
        match self {
            Code::OneSided => about(
                "one_sided",
                "One-sided systematics",
                "Both variations move the yield in the same direction: whatever the parameter does, the prediction goes one way, \
                 and the likelihood may have a kink or two minima.",
                "See whether it is statistical noise of the variations (smooth or merge bins), or meant (then morphist symmetrise \
                 --one-sided makes it symmetric).",
            ),
            Code::OneVariation => about(
                "one_variation",
                "Variation at one side only",
                "One variation moves the sample, and the other is the nominal template: at that side the parameter hardly has an \
                 effect.",
                "Symmetrise it (morphist symmetrise --method larger) unless this is meant.",
            ),
            Code::LargeVariation => about(
                "large_variation",
                "Large variations",
                "One standard deviation changes the yield of the sample by a large part. Interpolation and extrapolation then \
                 matter, and a histosys may go negative.",
                "Check the inputs; use normsys for the size of a sample, which never makes it negative.",
            ),
            Code::Asymmetric => about(
                "asymmetric",
                "Asymmetric variations",
                "The variations go in opposite directions, but one is several times the other. The best fit then depends on how \
                 the model interpolates.",
                "Check that both variations were made alike and with enough events.",
            ),
            Code::NormInShape => about(
                "norm_in_shape",
                "Large norm in a histosys",
                "A histosys without a normsys of the same name changes the size of the sample much, and not only its shape. Linear \
                 interpolation of a size is unbounded from below.",
                "Split the variation into normsys (size) and histosys (shape).",
            ),
            _ => about(
                "split_not_clean",
                "Norm left in a histosys beside a normsys",
                "The sample has a normsys and a histosys of one name, yet the histosys changes the sum of the sample: part of the \
                 size is counted twice, or the split was made in another region.",
                "Scale the variations of the histosys to the nominal sum, unless normalisation is kept over several channels.",
            ),
        }
    }

    fn of_copies(self) -> About {
        match self {
            Code::NullEffect => about(
                "null_effect",
                "Systematics without any effect",
                "All variations of the modifier are the nominal templates: its parameter is only its constraint.",
                "Remove it (morphist prune --modifier), or look for what went wrong where it was made.",
            ),
            Code::NullEntries => about(
                "null_entries",
                "Modifiers of samples that do nothing",
                "Normsys and histosys of single samples whose variations are the nominal: harmless, but the file is larger and \
                 harder to read.",
                "morphist prune --smaller-than 1e-12 leaves them out.",
            ),
            Code::EqualSystematics => about(
                "equal_systematics",
                "Systematics with the same effect",
                "Several parameters have exactly the same variations in all channels and samples: only their sum matters, and one \
                 may be a copy by mistake.",
                "Check that they are different uncertainties.",
            ),
            Code::EqualSamples => about(
                "equal_samples",
                "Samples with the same yields",
                "Two samples of one channel have exactly the same nominal yields in all bins.",
                "Check that none is a copy of the other.",
            ),
            _ => about(
                "shared_name",
                "One parameter, several types of modifier",
                "Modifiers of different types share a name and so a parameter, but no sample has both as the size and the shape of \
                 one variation: they are fully correlated.",
                "Rename one of them unless the correlation is meant (morphist rename --modifier).",
            ),
        }
    }

    fn of_statistics(self) -> About {
        match self {
            Code::FrozenStaterror => about(
                "frozen_staterror",
                "Staterror frozen: zero uncertainty",
                "Samples with staterror have yields in the bin but no uncertainty: the parameter is held at 1, and the \
                 statistical uncertainty of the simulation is missing there.",
                "Give √Σw² of the bin.",
            ),
            Code::FrozenShapesys => about(
                "frozen_shapesys",
                "Shapesys frozen: zero yield or uncertainty",
                "The yield or the uncertainty of the bin is zero: the parameter of this bin is held at 1, and so has no \
                 uncertainty.",
                "Give the uncertainty, or take the modifier away where it is not meant.",
            ),
            Code::NoMcStatistics => about(
                "no_mc_statistics",
                "Bins without simulated events",
                "All samples with staterror are empty in the bin: its parameter is held, and the uncertainty of having found \
                 none is not in the model.",
                "Merge the bin, or give an upper limit of the yield as an uncertainty of its own.",
            ),
            Code::LargeMcError => about(
                "large_mc_error",
                "Large statistical uncertainty of the simulation",
                "The relative statistical uncertainty of the simulation is so large that a Gaussian constraint lets the yield go \
                 to zero, and few events make it.",
                "Merge bins or simulate more events.",
            ),
            Code::NoMcError => about(
                "no_mc_error",
                "Large sample without statistical uncertainty",
                "The sample makes up a large part of the channel but has neither staterror nor shapesys, which other samples of \
                 the channel have.",
                "Add staterror unless the sample's yield is known without simulation.",
            ),
            Code::LargePull => about(
                "large_pull",
                "Data far from the expectation before the fit",
                "The counts differ from the expectation before the fit by several standard deviations of both.",
                "See whether a free normalisation or signal explains it; else check that data and templates belong to one \
                 selection.",
            ),
            _ => about(
                "fractional_data",
                "Counts that are not whole numbers",
                "Observed counts are fractions: Asimov data or weighted events, not a counting experiment.",
                "Make sure that no real data were meant to be here.",
            ),
        }
    }

    fn of_interest(self) -> About {
        match self {
            Code::DegenerateDirection => about(
                "degenerate_direction",
                "Near-degenerate direction",
                "Moving these parameters together hardly changes the likelihood, though each alone would: within several pre-fit \
                 widths, data and constraints do not tell them apart.",
                "Constrain or fix one of them, merge them, or add a region that separates them.",
            ),
            Code::CorrelatedPair => about(
                "correlated_pair",
                "Highly correlated pair",
                "The fit can hardly tell the two parameters apart; the value of one alone means little.",
                "Quote them together, or see whether one of them is needed.",
            ),
            Code::PoiWithoutEffect => about(
                "poi_without_effect",
                "Parameter of interest without effect",
                "No bin and no sample follows the parameter of interest: nothing can be learned of it.",
                "Patch a signal in, or choose another parameter with --poi.",
            ),
            Code::NoPoi => about(
                "no_poi",
                "No parameter of interest",
                "The measurement names none, or one that no modifier declares, as in background-only files.",
                "Patch a signal in, or choose one with --poi.",
            ),
            _ => about(
                "poi_at_bound",
                "Parameter of interest at a bound",
                "The start or the best fit of the parameter of interest is on one of its bounds: a two-sided uncertainty means \
                 little there.",
                "Check the bounds; quote a limit.",
            ),
        }
    }

    fn of_parameters(self) -> About {
        match self {
            Code::NoDependence => about(
                "no_dependence",
                "Parameters that nothing depends on",
                "The expected yields do not change when the parameter moves: it is only its constraint, or nothing at all.",
                "Remove it, or look for what its samples lack.",
            ),
            Code::Unconstrained => about(
                "unconstrained",
                "Unconstrained nuisance parameters",
                "No auxiliary measurement ties these parameters; the data alone determine them.",
                "Make sure that a region determines each.",
            ),
            Code::FixedParameter => about(
                "fixed_parameter",
                "Parameters that are held",
                "The document or the arguments hold the parameter: its uncertainty is not in any result.",
                "Make sure that this is meant.",
            ),
            Code::PulledNuisance => about(
                "pulled_nuisance",
                "Pulled nuisance parameters",
                "The fit moves the parameter far from where its auxiliary measurement has it.",
                "See which region pulls it, and whether the model lacks something there.",
            ),
            _ => about(
                "constrained_nuisance",
                "Over-constrained nuisance parameters",
                "The data know the parameter much better than its auxiliary measurement: the model may be too simple for what \
                 it describes.",
                "See whether the uncertainty needs more than one parameter.",
            ),
        }
    }
}
