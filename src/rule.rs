//! Every rule that an input can break, with its id: the source of the table in spec/validation.md.

use crate::finding::Severity::{self, Error, Warning};

/// A rule: what it forbids and how one mends a document that breaks it.
#[derive(Debug, PartialEq)]
pub struct Rule {
    pub id: &'static str,
    /// As in [`crate::finding::Finding::class`].
    pub class: &'static str,
    /// Under the default, strict rules.
    pub severity: Severity,
    /// Under `--compat pyhf`.
    pub compat: Severity,
    /// What breaks the rule.
    pub condition: &'static str,
    pub hint: &'static str,
}

const fn error(id: &'static str, class: &'static str, condition: &'static str, hint: &'static str) -> Rule {
    Rule { id, class, severity: Error, compat: Error, condition, hint }
}

const fn warning(id: &'static str, class: &'static str, condition: &'static str, hint: &'static str) -> Rule {
    Rule { id, class, severity: Warning, compat: Warning, condition, hint }
}

/// An error only under the strict rules: pyhf computes something, and `--compat pyhf` computes the same.
const fn strict(id: &'static str, class: &'static str, condition: &'static str, hint: &'static str) -> Rule {
    Rule { id, class, severity: Error, compat: Warning, condition, hint }
}

/// Rules as constants, and the list of them by id.
macro_rules! rules {
    ($list:ident = rules; $($name:ident = $rule:expr;)*) => {
        $(pub const $name: Rule = $rule;)*
        pub(super) const $list: &[&Rule] = &[$(&$name),*];
    };
}

mod eft;

pub use eft::*;

/// All rules, by id.
pub const ALL: &[&Rule] = &{
    let (parts, mut all, mut part, mut n) = ([FIRST, eft::EFT, LAST], [&SYNTAX; TOTAL], 0, 0);
    while part < parts.len() {
        let mut i = 0;
        while i < parts[part].len() {
            all[n] = parts[part][i];
            (i, n) = (i + 1, n + 1);
        }
        part += 1;
    }
    all
};

const TOTAL: usize = FIRST.len() + eft::EFT.len() + LAST.len();

#[rustfmt::skip]
rules! {
    FIRST = rules;
    // Reading
    SYNTAX = error("W001", "SyntaxError",
        "The text is not JSON (RFC 8259); NaN, Infinity, comments and trailing commas are not JSON.",
        "mend the text at this place");
    ENCODING = error("W002", "SyntaxError",
        "The text is not UTF-8.",
        "save the file as UTF-8");
    DUPLICATE_KEY = error("W003", "DuplicateKey",
        "An object has one key twice.",
        "keep one of the two members: readers disagree on which of them counts");
    NUMBER_RANGE = error("W004", "NumberRange",
        "A number is outside the range of binary64.",
        "write a finite number of magnitude below 1.8e308");
    INTEGER_RANGE = error("W005", "NumberRange",
        "An integer literal (no fraction, no exponent) is below −2^63 or above 2^64 − 1.",
        "write it with a decimal point or an exponent, if it is meant as a binary64 number");
    DEPTH = error("W006", "DepthLimit",
        "Arrays and objects are nested deeper than the limit (128).",
        "no workspace, patch or patchset needs such depth: is this the right file?");
    SIZE = error("W007", "SizeLimit",
        "The document is larger than the limit (512 MB, decompressed), or a patch makes it so.",
        "raise the limit with --max-size, if the document is to be trusted");
    UNREADABLE = error("W008", "ReadError",
        "The file cannot be read or decompressed.",
        "check the path, the permissions and that the file is complete");
    // Schema
    SPECIFICATION = error("W010", "InvalidSpecification",
        "The document does not follow its schema (schemas/).",
        "write what the schema asks for at this place");
    MORE_VIOLATIONS = error("W011", "InvalidSpecification",
        "The document breaks its schema in more places than are listed (1000).",
        "mend the listed ones first");
    // Patches
    PATCH_TEST = error("W020", "PatchTestFailed",
        "A test operation of a patch does not hold; nothing is applied.",
        "is this the patch for this document?");
    PATCH_APPLICATION = error("W021", "PatchApplicationError",
        "A patch operation cannot be carried out: its path or from is no JSON Pointer, or leads to no place; nothing is applied.",
        "check that the patch belongs to this document");
    PATCHSET_NAME = error("W030", "InvalidPatchSet",
        "Two patches of a patchset have one name.",
        "rename one of the two patches");
    PATCHSET_VALUES = error("W031", "InvalidPatchSet",
        "Two patches of a patchset have equal values (1 and 1.0 are equal).",
        "give each patch its own values");
    PATCHSET_LENGTH = error("W032", "InvalidPatchSet",
        "A patch of a patchset has another number of values than the patchset has labels.",
        "write one value for each label");
    PATCH_LOOKUP = error("W033", "InvalidPatchLookup",
        "A patch is asked for that the patchset lacks.",
        "choose a patch that the patchset has");
    DIGEST = error("W034", "PatchSetVerificationError",
        "A digest of the patchset is not the digest of the workspace.",
        "use the workspace that the patchset was published with");
    // Channels and samples
    DUPLICATE_CHANNEL = error("W101", "InvalidModel",
        "Two channels have one name.",
        "rename or remove one of the two channels");
    DUPLICATE_SAMPLE = error("W102", "InvalidModel",
        "Two samples of one channel have one name.",
        "rename one of the two samples, or add their yields up");
    SAMPLE_BINS = error("W103", "InvalidModel",
        "A sample has another number of bins than the first sample of its channel.",
        "give all samples of a channel the same binning");
    // Modifiers
    DUPLICATE_MODIFIER = strict("W104", "InvalidModel",
        "A sample has two modifiers of one name and type.",
        "remove or rename one of the two; under --compat pyhf the last one counts");
    MODIFIER_BINS = error("W105", "InvalidModifier",
        "The data of a histosys, shapesys or staterror have another number of bins than the sample.",
        "give the modifier one number for each bin of its sample");
    NAME_REUSE = error("W106", "InvalidNameReuse",
        "One name is used by modifiers of two types; only histosys and normsys share a parameter.",
        "give the modifiers different names");
    SHAPESYS_SHARED = error("W107", "InvalidModel",
        "A shapesys has the name of another shapesys.",
        "give each shapesys its own name: its parameters cannot be shared");
    STATERROR_CHANNELS = error("W108", "InvalidModel",
        "The samples that carry one staterror do not carry it in the same channels.",
        "use one staterror name for each channel");
    SHAPEFACTOR_BINS = strict("W109", "InvalidModel",
        "A shapefactor is shared with a channel that has more bins than the first of its channels, by name.",
        "share a shapefactor only between channels of one binning; under --compat pyhf the further bins follow the first parameter of the model");
    NO_PARAMETERS = error("W110", "InvalidModel",
        "No sample has a modifier, so that the model has no parameter.",
        "add a modifier, for example a normfactor for the signal");
    NORMSYS_FACTOR = error("W111", "InvalidModifier",
        "A factor of a normsys (lo or hi) is not positive: its logarithm does not exist.",
        "write a positive factor, such as 0.9 for −10 %; use a histosys for a yield that vanishes or changes sign");
    NEGATIVE_UNCERTAINTY = error("W112", "InvalidModifier",
        "An uncertainty of a shapesys or staterror is negative.",
        "write the absolute uncertainty of the bin, at least 0");
    UNCERTAINTY_RANGE = error("W113", "InvalidModifier",
        "The relative uncertainty of a bin of a shapesys or staterror has a square (or inverse square) outside the range of binary64.",
        "write 0 for a bin without uncertainty");
    // Observations
    MISSING_OBSERVATION = error("W120", "MissingObservation",
        "A channel has no observation.",
        "add an observation with the channel's name");
    OBSERVATION_BINS = error("W121", "ObservationShape",
        "An observation has another number of bins than its channel.",
        "write one count for each bin of the channel");
    DUPLICATE_OBSERVATION = error("W122", "DuplicateObservation",
        "Two observations have one name.",
        "keep one of the two");
    NEGATIVE_OBSERVATION = error("W123", "NegativeObservation",
        "An observed count is negative.",
        "a Poisson count is at least 0: is this background-subtracted data?");
    UNKNOWN_CHANNEL = warning("W124", "UnknownChannel",
        "An observation names no channel; it is not used.",
        "remove it, or correct its name");
    DATA_LENGTH = error("W125", "InvalidPdfData",
        "A vector of data has another length than the main and auxiliary data of the model.",
        "give the counts of all bins, then the auxiliary data, in the order that inspect shows");
    // Measurements
    UNKNOWN_MEASUREMENT = error("W130", "InvalidMeasurement",
        "A measurement is asked for that the workspace lacks.",
        "choose one of the measurements that inspect lists");
    DUPLICATE_MEASUREMENT = warning("W131", "DuplicateMeasurement",
        "Two measurements have one name; by name the first is chosen.",
        "rename one of the two");
    UNKNOWN_POI = warning("W132", "InvalidModel",
        "The parameter of interest is no parameter of the model; what needs one fails.",
        "apply the signal patch that brings the parameter, or choose another with --poi");
    POI_NOT_SCALAR = warning("W133", "InvalidModel",
        "The parameter of interest has more than one value; what needs one fails.",
        "choose a scalar parameter with --poi");
    UNKNOWN_PARAMETER = warning("W134", "UnknownParameter",
        "A parameter configuration names no parameter of the model; it is not used.",
        "remove it, or correct its name");
    DUPLICATE_PARAMETER = error("W135", "InvalidModel",
        "A measurement has two configurations of one parameter.",
        "merge the two");
    LUMI_UNCONFIGURED = error("W136", "InvalidModel",
        "The model has a lumi modifier and the measurement gives no inits, bounds or auxdata for lumi.",
        "add a parameter configuration of the name lumi, with inits, bounds, auxdata and sigmas");
    LUMI_NO_SIGMA = warning("W137", "InvalidModel",
        "The model has a lumi modifier and the measurement gives no sigmas for lumi: its width becomes 1.",
        "write the relative uncertainty of the luminosity into sigmas");
    PARAMETER_KEY = error("W138", "InvalidModel",
        "A parameter configuration has a key that its type does not take.",
        "remove the key: sigmas belong to lumi and staterror, factors to shapesys, auxdata to constrained parameters");
    PARAMETER_LENGTH = error("W139", "InvalidModel",
        "A list in a parameter configuration has another length than the parameter set.",
        "write one entry for each parameter of the set");
    BOUNDS_PAIR = error("W140", "InvalidModel",
        "An entry of bounds is no pair of numbers.",
        "write [lower, upper] for each parameter");
    BOUNDS_REVERSED = error("W141", "InvalidModel",
        "A lower bound is above its upper bound.",
        "swap the two bounds");
    INIT_OUTSIDE = warning("W142", "InvalidModel",
        "An initial value is outside its bounds; a fit from there fails.",
        "move the initial value or the bounds");
    SIGMA_NOT_POSITIVE = error("W143", "InvalidModel",
        "A width in sigmas or a factor in factors is not positive.",
        "write a positive number");
    NEGATIVE_AUXDATA = error("W144", "InvalidModel",
        "Auxiliary data of a Poisson constraint (shapesys) are negative.",
        "write a number of at least 0");
    FREED_BIN = strict("W145", "InvalidModel",
        "fixed is false for a shapesys or staterror with a bin whose uncertainty is zero: the parameter of that bin would float in a constraint of arbitrary width.",
        "remove the key fixed, so that such bins stay fixed by themselves; under --compat pyhf they float");
    CORRELATION_PARAMETER = error("W150", "InvalidModel",
        "The member correlations names a parameter that is not there, has no Gaussian constraint, has several values, or stands in it twice.",
        "name scalar parameters of normsys, histosys or lumi, each in one group");
    CORRELATION_MATRIX = error("W151", "InvalidModel",
        "A matrix of the member correlations has not as many rows and columns as the group has parameters, is not symmetric, has not 1 on its diagonal, or is not positive definite.",
        "write correlations: 1 on the diagonal, numbers between -1 and 1 elsewhere, the same on both sides of it");}

#[rustfmt::skip]
rules! {
    LAST = rules;
    // Several documents combined
    COMBINE_NAME = error("W301", "InvalidWorkspaceOperation",
        "Two documents have a channel, an observation or a measurement of one name, and the join is none.",
        "rename one of the two, or choose another join: outer, left outer, right outer");
    COMBINE_UNEQUAL = error("W302", "InvalidWorkspaceOperation",
        "Channels or observations of one name differ, and the join is outer.",
        "rename one of the two, merge channels, or let one side win by left outer or right outer");
    COMBINE_POI = error("W303", "InvalidWorkspaceOperation",
        "Measurements of one name have different parameters of interest, and the join is outer.",
        "rename one of the measurements, or let one side win by left outer or right outer");
    COMBINE_PARAMETER = error("W304", "InvalidWorkspaceOperation",
        "Measurements of one name configure a parameter differently, and the join is outer.",
        "make the configurations equal, or let one side win by left outer or right outer");
    COMBINE_SAMPLE = strict("W305", "InvalidWorkspaceOperation",
        "Merged channels have different samples of one name, and the join is outer.",
        "rename one of the samples; under --compat pyhf the first one counts");
    COMBINE_DROPPED = warning("W306", "InvalidWorkspaceOperation",
        "Something differs from what another document has under its name, and is left out, as left outer and right outer say.",
        "check that the other one is meant");
    COMBINE_CONSTRAINT = strict("W307", "InvalidWorkspaceOperation",
        "A parameter would have another constraint in the combination than in one of the documents.",
        "a parameter has one auxiliary measurement: make auxdata, sigmas and factors equal in measurements of one name, or rename the parameter");
    COMBINE_SETTINGS = warning("W308", "InvalidWorkspaceOperation",
        "A measurement of one document says nothing of parameters that the measurement of another document configures.",
        "give the measurements one name before combining with outer, or configure the parameters in the result");
    COMBINE_TWICE = error("W309", "InvalidWorkspaceOperation",
        "Two parameters of one workspace would become one, whose constraint counts in each: the combination would not be the product of the likelihoods.",
        "give the two parameters names of their own");
    COMBINE_BASIS = error("W310", "InvalidEft",
        "The coefficients of two documents belong to different theories, bases, input schemes or scales.",
        "translate the coefficients of one document; only another Lambda_TeV is converted");
    COMBINE_LAMBDA = warning("W311", "InvalidEft",
        "The coefficients of a document are divided by another Λ than those of the first: its responses, bounds and starts are converted, so that c/Λ² stays the same.",
        "read bounds and results at the Λ of the first document");
    COMBINE_LAMBDA_EVENTS = error("W312", "InvalidEft",
        "The coefficients of a document are divided by another Λ than those of the first, and its event databases hold weights that cannot be converted.",
        "sum the events by morphist eft bin before, or put the document first");
    COMBINE_COEFFICIENT = error("W313", "InvalidEft",
        "A Wilson coefficient has another dimension or WCxf name in two documents; or other bounds, another start or fixed flag, and the join is none or outer.",
        "rename the coefficient if it is another; else make the declarations equal, or let one side's settings win by left outer or right outer");
    COMBINE_SHARED = error("W314", "InvalidEft",
        "Two documents have different responses, or different event databases, under one name.",
        "rename one of the two, also where samples name it");
    COMBINE_TRANSFORM = error("W315", "InvalidEft",
        "Documents have different parameter_transform, or one that would have to be converted to another Λ.",
        "combine the documents without their transforms, and add the transform to the result");
    COMBINE_ONCE = warning("W316", "InvalidWorkspaceOperation",
        "A channel of one document stands in another one, equal in model and data: it counts once.",
        "nothing if both analyses use this region; their likelihoods are then no independent ones");
    COMBINE_SAME_DATA = strict("W317", "InvalidWorkspaceOperation",
        "Channels of two documents have the same data under different names, and the same samples or so many events that this is no accident: they would count twice.",
        "leave one of them out (morphist prune), give both one name if they are one region, or allow it by --allow-same-data if the data are not those of an experiment");
    COMBINE_SAME_DATA_ALLOWED = warning("W318", "InvalidWorkspaceOperation",
        "Channels of two documents have the same data under different names, which --allow-same-data allows, or which may be an accident.",
        "nothing if the data are those of no experiment, such as Asimov data, or if the channels select other events");
    SCHEME = error("W319", "InvalidWorkspaceOperation",
        "A correlation scheme speaks of a workspace or a parameter that is not there, speaks of one twice, or gives a name that is taken; or two workspaces have one label.",
        "labels are the names of files without extensions, or those of LABEL=FILE; a parameter is in one entry");
    // Measurements with Gaussian errors
    GAUSSIAN_NAME = error("W320", "InvalidMeasurements",
        "A measurement, a systematic of a measurement, or a correlation of two measurements stands twice, or has an empty name.",
        "keep one of the two, or rename it");
    GAUSSIAN_LENGTH = error("W321", "InvalidMeasurements",
        "A list of a measurement does not have an entry for each point, or for each monomial.",
        "give every list one entry for each point, in the order of data");
    GAUSSIAN_SYMMETRY = error("W322", "InvalidMeasurements",
        "A covariance matrix is not symmetric.",
        "write the whole matrix, row by row, with as many digits as its elements have");
    GAUSSIAN_REFERENCE = error("W323", "InvalidMeasurements",
        "A measurement has multiplicative errors and does not say what they are fractions of; or they are fractions of the model and not Gaussian errors that are correlated by name.",
        "add the member multiplicative to the measurement: data, t0 for the prediction at zero, or model");
    GAUSSIAN_POSITIVE = error("W324", "InvalidMeasurements",
        "The covariance of some points is not positive definite: an error is zero, or its square is beyond the numbers that there are, or correlations contradict each other.",
        "give every point an error above zero, in a unit that squares can have; write covariances with more digits");
    GAUSSIAN_ERROR = error("W325", "InvalidMeasurements",
        "An uncorrelated error is negative.",
        "write its size");
    GAUSSIAN_UNKNOWN = error("W326", "InvalidMeasurements",
        "A correlation names a measurement that is not there.",
        "correct the name");
    GAUSSIAN_FLAT = error("W327", "InvalidMeasurements",
        "A flat error has the name of something else; or it is clamped or marginalised, and correlated, or beside another one, or on a point that other errors correlate.",
        "give it a name of its own, or correlation none; or profile flat errors");
    GAUSSIAN_CORRELATION = warning("W328", "InvalidMeasurements",
        "Two points are correlated so much that rounding decides about what their difference says.",
        "write their difference, or one of them, as the measurement; or an error of each point alone");
    // Relations among coefficients
    TRANSFORM_NAME = error("W330", "InvalidTransform",
        "A relation names something that is neither a Wilson coefficient nor a parameter of its step or an earlier one.",
        "declare the parameter in the step, or correct the name");
    TRANSFORM_TWICE = error("W331", "InvalidTransform",
        "Two relations give one coefficient.",
        "keep one of the two");
    TRANSFORM_CHAIN = error("W332", "InvalidTransform",
        "A relation needs something that the same step or an earlier one gives, or gives a parameter of its own step.",
        "write out what the other relation says, or move the relation that needs less into a later step");
    TRANSFORM_PARAMETER = error("W333", "InvalidTransform",
        "A parameter of a transform has the name of another parameter.",
        "give it a name of its own");
    TRANSFORM_LENGTH = error("W334", "InvalidTransform",
        "A matrix or a list of a transform does not have an entry for each coefficient or parameter that it belongs to.",
        "give the matrix a row for each of coefficients and a column for each of parameters");
    TRANSFORM_BOUNDS = error("W335", "InvalidTransform",
        "The bounds of a parameter of a transform are in the wrong order, or do not contain its start.",
        "write the lower bound first, and a start between the two");
    TRANSFORM_POWER = error("W336", "InvalidTransform",
        "A power of a relation is zero, beyond 100, or negative where the parameter may be zero or below.",
        "give what stands in a denominator bounds above zero");
    TRANSFORM_UNUSED = warning("W337", "InvalidTransform",
        "A parameter of a transform stands in no relation: a fit cannot find it.",
        "remove it, or fix it");
    TRANSFORM_SCALE = error("W338", "InvalidTransform",
        "The scales of an evolution matrix are not those of the coefficients that it gives, or it gives some of them only.",
        "evolve all coefficients of the document, to the scale_GeV of its basis");
    TRANSFORM_FIXED = error("W339", "InvalidTransform",
        "A coefficient that a relation gives is fixed by its declaration.",
        "remove fixed from the declaration, or the relation");
    // Unbinned terms
    UNBINNED_NAME = error("W340", "InvalidUnbinned",
        "An unbinned term, or a component of one, has the name of another.",
        "rename one of the two");
    UNBINNED_COLUMN = error("W341", "InvalidUnbinned",
        "A column of an unbinned term is not in its table.",
        "correct the name, or add the column to the observed and to the reference events");
    UNBINNED_LENGTH = error("W342", "InvalidUnbinned",
        "A list of an unbinned term does not have an entry for each monomial, basis point or column; or columns of a table differ in length.",
        "give every list the length that expected names");
    UNBINNED_WEIGHT = error("W343", "InvalidUnbinned",
        "The weight of an observed event is negative, or the weights of the reference events have no positive sum.",
        "correct the column of weights");
    UNBINNED_YIELD = error("W344", "InvalidUnbinned",
        "A component expects no events where all coefficients are zero, so that its ratio of yields has no scale.",
        "give yields that are positive there, or say ratio_of: densities");
    UNBINNED_REFERENCE = error("W345", "InvalidUnbinned",
        "A calibration, or yields from the reference, without reference events.",
        "add the member reference to the term");
    UNBINNED_VALUE = error("W346", "InvalidUnbinned",
        "A value is outside of the range that its use has: a probability not between 0 and 1, a ratio or the base of a power not positive.",
        "correct the column, or its declared meaning");
    UNBINNED_REPLICAS = error("W347", "InvalidUnbinned",
        "The mean of logarithms of replicas with what does not go with it: several components, a calibration, yields from the reference, or nuisances of replicas.",
        "take central: mean_ratio, or leave out what found names");
    UNBINNED_FACTOR = error("W348", "InvalidUnbinned",
        "A factor of two systematics names one that the component does not have, or one twice.",
        "name two of its systematics");
    UNBINNED_SIZE = error("W349", "InvalidUnbinned",
        "A table has more numbers than are kept in memory, or a ratio more monomials.",
        "select events or coefficients before");
    UNBINNED_BASIS = error("W350", "InvalidUnbinned",
        "The basis points of a ratio do not determine its polynomial.",
        "add basis points, or leave out monomials");
    UNBINNED_NORMFACTOR = error("W351", "InvalidUnbinned",
        "A normfactor of an unbinned term is no parameter of the document.",
        "name a Wilson coefficient, or a normfactor that a channel has");
    UNBINNED_LAMBDA = error("W352", "InvalidEft",
        "The coefficients of a document are divided by another Λ than those of the first, and its unbinned terms hold columns that cannot be converted.",
        "put the document first, or give its coefficients the Λ of the first");
    UNBINNED_REPLICA_TWICE = error("W353", "InvalidUnbinned",
        "One nuisance parameter stands for two replicas of a term, which would cancel their spread, or is a systematic of the component.",
        "give each replica a nuisance parameter of its own");
    // Workspaces changed as a whole
    EDIT_UNKNOWN = error("W370", "InvalidWorkspaceOperation",
        "An operation names a channel, a sample, a modifier, a type of modifiers or a measurement that the workspace lacks, or a pattern that fits none.",
        "write a name that inspect lists, or a pattern that fits one");
    EDIT_EMPTIED = error("W371", "InvalidSpecification",
        "An operation leaves a channel without samples, or a workspace without channels or measurements.",
        "leave out the channel itself, or keep one of its samples");
    EDIT_TAKEN = strict("W372", "InvalidWorkspaceOperation",
        "A new name belongs to something else, or two new names are given for one.",
        "choose a name that is free; under --compat pyhf what has one name becomes one, where that is sound");
    EDIT_EXTENSION = error("W373", "InvalidEft",
        "A name is to be changed that the EFT extension uses.",
        "keep the name, or change it in the document by hand wherever it stands");
    EDIT_BINS = error("W374", "InvalidWorkspaceOperation",
        "Bins cannot be summed: groups do not fit a channel, a measurement gives values for each bin, or a sample has a response to coefficients.",
        "give sizes whose sum is the number of bins; remove what is given for each bin");
    EDIT_NEGATIVE = warning("W375", "InvalidModifier",
        "A template that was made symmetric is negative in a bin where the nominal yield is not.",
        "is another method better for this modifier?");
    // HS3 documents
    HS3_METADATA = warning("W401", "InvalidSpecification",
        "An HS3 document has no metadata, or no metadata.hs3_version; an error for a strict reader.",
        "add \"metadata\": {\"hs3_version\": \"0.2\"}, with the program that wrote the file in packages");
    HS3_COMPONENT = error("W402", "InvalidSpecification",
        "A member of an HS3 component is missing, or is not what its type asks for.",
        "write what expected names");
    HS3_UNKNOWN_KEY = warning("W403", "UnknownKey",
        "An HS3 component has a key that its type does not have; it is not used. An error for a strict reader.",
        "remove it, correct its spelling, or mark it as an extension: \"name:key\"");
    HS3_UNKNOWN_TYPE = warning("W404", "UnknownType",
        "An HS3 component has a type that is not known; it is kept, and is an error where a likelihood needs it (W421).",
        "correct the type, or leave the component out");
    HS3_NUMERIC_STRING = warning("W405", "NumericString",
        "A number is written as a string, as ROOT writes some; it is read as the number. An error for a strict reader.",
        "write the number without quotes");
    HS3_SPELLING = warning("W406", "OtherSpelling",
        "A key, a type or an array is written in the way of one program; it is read as what the specification has. An error for a strict reader.",
        "write what expected names");
    HS3_NAME = warning("W407", "InvalidName",
        "A name is not made of letters, digits and underscores, with no digit first; ROOT does not read it.",
        "rename the component");
    HS3_DUPLICATE_NAME = error("W408", "DuplicateName",
        "Two HS3 components, or a component and a parameter, have one name.",
        "rename one of the two");
    HS3_UNRESOLVED = warning("W409", "UnresolvedReference",
        "An HS3 component names a distribution, a function, data or a likelihood that is not there. An error for a strict reader, and where a likelihood needs it.",
        "correct the name, or add the component");
    HS3_CYCLE = error("W410", "CyclicReference",
        "An HS3 component needs itself, directly or through others.",
        "break the circle at the reference that found names");
    HS3_AXIS = error("W411", "AxisShape",
        "An axis is none (edges that do not rise, min not below max), or the numbers are not as many as the axes claim.",
        "give the axes as many bins as there are numbers");
    HS3_EXPRESSION = error("W412", "InvalidExpression",
        "A generic expression does not follow the grammar of spec/hs3.md.",
        "mend the expression at the column that found names");
    HS3_EXPRESSION_DEPTH = error("W413", "DepthLimit",
        "A generic expression is nested deeper than the limit (200), or has more than 100,000 operations.",
        "write parts of it as functions of their own");
    HS3_EXPRESSION_FORM = warning("W414", "OtherSpelling",
        "A generic expression uses functions or names that the specification's grammar does not have. An error for a strict reader.",
        "other programs may not read it: write it with exp, log, pow, min and names of parameters");
    HS3_LIKELIHOOD = error("W415", "InvalidLikelihood",
        "A likelihood has another number of distributions than of data.",
        "pair each distribution with its data");
    HS3_WEIGHTS = warning("W416", "WeightsShape",
        "Unbinned data have another number of weights than of events: missing weights are 1, those too many are not used. An error for a strict reader.",
        "write one weight for each event");
    HS3_UNKNOWN_DOMAIN = warning("W417", "UnresolvedReference",
        "An analysis names a domain that is not there; it is not used. An error for a strict reader.",
        "correct the name");
    HS3_NO_BINS = warning("W418", "AxisShape",
        "The only axis of binned numbers has neither nbins nor edges: it has as many bins as there are numbers. An error for a strict reader.",
        "write nbins");
    HS3_NO_VALUE = warning("W419", "MissingValue",
        "A parameter that a likelihood needs has no value in the parameter points: it is 1, or the middle of its range where that does not contain 1.",
        "add the parameter to the parameter point that analyses start from");
    HS3_RANGE = error("W420", "MissingRange",
        "A variate over which a density is normalised has no finite range, in its data or in default_domain.",
        "write min and max of its axis");
    HS3_UNKNOWN_NEEDED = error("W421", "UnknownType",
        "A likelihood needs a component whose type is not known.",
        "correct the type, or choose another likelihood");
    HS3_UNSUPPORTED = error("W422", "Unsupported",
        "A likelihood needs something that is understood but not evaluated.",
        "write the component in the form that expected names");
    HS3_COEFFICIENTS = error("W423", "InvalidMixture",
        "The coefficients of a mixture do not fit its parts: their number, or n of them in a mixture that is not extended and whose sum is not 1.",
        "write n − 1 coefficients, or n with extended: true");
    HS3_DEPTH = error("W424", "DepthLimit",
        "Components of an HS3 document use one another in a chain longer than the limit (300), or more than 10^6 times in all.",
        "no model needs this: is this the right file?");
    HS3_BIN_INTEGRAL = warning("W425", "BinnedDensity",
        "A continuous density has binned data: its integral over each bin counts. Of ROOT's files the value at the centre counts, without this warning.",
        "say which is meant: bincounts_extended_dist, or the conventions of ROOT");
    HS3_CHOICE = error("W426", "UnknownLikelihood",
        "A likelihood or an analysis is asked for that the document lacks, or none where there are several.",
        "choose one of those that expected names");
    HS3_GLOBAL = warning("W427", "GlobalObservable",
        "A parameter of a domain of global observables is not constant in the parameter points; it is held constant.",
        "write const: true in the parameter point");
    HS3_EVENT = error("W428", "EventOutside",
        "An event lies outside of the range of its axis, or is weighted by something that is no number.",
        "leave the event out, or widen the axis");
    HS3_NEGATIVE_BINS = warning("W429", "NegativeDensity",
        "A histogram_dist has bins with negative contents: its density is negative there, and −ln L is +∞ with an event there, in a mixture too. ROOT takes zero there and keeps the integral that counts them.",
        "give the bins contents that are not negative, or widen them");
    // Channels of HistFactory in HS3
    HS3_SHAPESYS = warning("W440", "AmbiguousValues",
        "The vals of a shapesys may be uncertainties in events, in parts of the nominal yield, or τ: programs disagree. They are taken as found says.",
        "say which is meant when the document is read, or write constraints by name");
    HS3_CONSTRAINT = error("W441", "InvalidConstraint",
        "The constraint of a modifier is of no known type, says nothing about its parameter, or is another than that of the same parameter elsewhere.",
        "name one distribution for each parameter, the same in all modifiers");
    HS3_INTERPOLATION = error("W442", "InvalidInterpolation",
        "An interpolation is none of the six, or cannot be made with the yields at hand.",
        "write interpolation as a structure of type, in and out");
    HS3_SIDE = warning("W443", "NegativeFactor",
        "A side of a normsys is not above zero under an exponential; ROOT's smallest step above zero takes its place. An error where ROOT did not write the file.",
        "write sides above zero");
    HS3_CHANNEL_DATA = error("W444", "AxisShape",
        "The data of a channel, or one of its samples, have other bins than the channel.",
        "give the channel, its samples and its data the same axes");
    HS3_STATERROR = warning("W445", "MissingConstraint",
        "A staterror has no type of constraint, and the program that wrote the file has no default: it is taken as Gaussian. An error for a strict reader.",
        "write constraint_type, or constraints by name");
    HS3_FACTOR_SUM = warning("W446", "NegativeFactor",
        "Several normsys of a sample add to one another, as ROOT's codes 0 and 2 do. ROOT ends their sum at zero; here it may become negative.",
        "write interpolation that multiplies");
    // Conversion
    EFT_NOT_IN_HS3 = error("W455", "ConversionLoss",
        "A part of an EFT document has no form in HS3 that other programs evaluate to the same number.",
        "express it by channels and measurements, or keep the EFT document");
    EFT_LAYER = warning("W456", "ExtensionMismatch",
        "An HS3 file holds an EFT document that does not say what the file says without it; the latter counts.",
        "mend what was found, or expand the document again");
    CONVERT_LOST = error("W460", "ConversionLoss",
        "What is converted has something that the target cannot say, and that changes the likelihood or its parameters.",
        "choose another target, change it in the source, or allow the loss");
    CONVERT_CLIP = error("W461", "ConversionLoss",
        "A template becomes negative within the ranges of its parameters: ROOT ends it at zero, so that the likelihood is another one there.",
        "narrow the ranges, choose another target, or allow the loss");
    CONVERT_CONSTANT = warning("W462", "ConversionConstant",
        "The likelihood in the target differs by a constant factor.",
        "differences of −ln L are the same");
    CONVERT_RENAMED = warning("W463", "ConversionRenamed",
        "Something is written under another name or in another form of the same meaning.",
        "use the new name, or this form, with what is written");
    CONVERT_DROPPED = warning("W464", "ConversionDropped",
        "Something that the likelihood does not depend on is not written.",
        "nothing to do, unless it is wanted for itself");
    CONVERT_RANGE = error("W465", "ConversionLoss",
        "A constraint is normalised over a range, as in RooFit; in the target over all values, which is another function near the ends.",
        "allow the loss where the ends are many widths away");
    // Datacards of Combine, ROOT files, HistFactory XML
    DATACARD_SYNTAX = error("W470", "InvalidDatacard",
        "A line of a datacard is not as CMS Combine reads it, or contradicts another line.",
        "mend the line");
    DATACARD_UNSUPPORTED = error("W471", "Unsupported",
        "A datacard has something that Combine knows and that has no exact form here.",
        "spec/combine-datacards.md says what has");
    DATACARD_TEMPLATE = error("W472", "InvalidTemplate",
        "A histogram that a datacard names cannot be had, or does not fit to the others of its channel.",
        "mend the histogram or the line shapes");
    DATACARD_DROPPED = warning("W473", "DatacardWarning",
        "Something in a datacard has no effect on the likelihood, and is not carried over.",
        "nothing to do, unless it is wanted for itself");
    XML_SYNTAX = error("W475", "SyntaxError",
        "A file is not well-formed XML, or needs something outside of it.",
        "mend the text at this place");
    XML_CONTENT = error("W476", "InvalidXml",
        "HistFactory XML lacks something, contradicts itself, or says what a workspace cannot.",
        "mend the element");
    XML_HISTOGRAM = error("W477", "InvalidTemplate",
        "A histogram that HistFactory XML names cannot be had, or does not fit to its sample.",
        "mend the histogram, or the attributes that name it");
    XML_DROPPED = warning("W478", "XmlWarning",
        "HistFactory reads something in its XML that a workspace cannot say, and that pyhf passes over.",
        "the likelihood may be another one than ROOT's");
}
