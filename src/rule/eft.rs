//! The rules of the EFT extension (spec/eft.md): the block, responses, systematics, event databases, foreign files.

use super::{Rule, error, warning};

rules! {
    EFT = rules;
    // The EFT extension: the block
    EFT_UNDECLARED = error("W201", "InvalidEft",
        "A modifier of the EFT extension stands in a workspace without the block eft.",
        "add the block eft, or remove the modifiers whose type begins with eft_");
    EFT_DUPLICATE_NAME = error("W202", "InvalidEft",
        "Two Wilson coefficients, or two event databases, have one name.",
        "keep one of the two, or rename it");
    EFT_NAME_TAKEN = error("W203", "InvalidNameReuse",
        "A Wilson coefficient, or a nuisance parameter of the extension, has the name of a parameter with which it cannot be one; nuisances are shared with histosys and normsys alone.",
        "give it a name of its own");
    EFT_BOUNDS = error("W204", "InvalidEft",
        "The lower bound of a Wilson coefficient is above the upper one.",
        "swap the two bounds");
    EFT_INIT_OUTSIDE = warning("W205", "InvalidEft",
        "The initial value of a Wilson coefficient is outside its bounds; a fit from there fails.",
        "move the initial value or the bounds");
    EFT_SCALE = error("W206", "InvalidEft",
        "A scale of the basis (Lambda_TeV, scale_GeV) is not positive.",
        "write the scale, in the unit that its key names");
    EFT_UNUSED = warning("W207", "InvalidEft",
        "No response of any sample depends on a Wilson coefficient that is not fixed: a fit cannot find it.",
        "fix the coefficient, or remove it");
    // Responses
    EFT_UNKNOWN_COEFFICIENT = error("W210", "InvalidEft",
        "A name is no Wilson coefficient of the block eft.",
        "declare the coefficient in eft/wilson_coefficients, or correct the name");
    EFT_REPEATED = error("W211", "InvalidEft",
        "A list has one monomial (whatever the order of its names), parameter or column twice.",
        "write each of them once: the coefficient of [a, b] is that of the product a·b, with both halves of a symmetric matrix added up");
    EFT_LENGTH = error("W212", "InvalidEft",
        "A list has another length than the monomials, parameters, basis points or columns to which its entries belong.",
        "write one entry for each of them");
    EFT_BINS = error("W213", "InvalidEft",
        "A list of numbers for each bin has another length than the sample has bins.",
        "write one number for each bin of the sample, or one number for all where the format allows it");
    EFT_UNKNOWN_RESPONSE = error("W214", "InvalidEft",
        "A modifier names a response that the block eft does not have.",
        "add it to eft/responses, or correct the name");
    EFT_NOT_NOMINAL = error("W215", "InvalidEft",
        "At its reference an absolute response differs from the nominal yields of its sample, or a relative one from 1, by more than 1e-6 of it.",
        "make the data of the sample the prediction at the reference, so that the document stays right without the extension");
    EFT_SEVERAL_ABSOLUTE = error("W216", "InvalidEft",
        "Two responses of a sample both replace its nominal yields; only one may be absolute, a map or of events.",
        "make the others relative: responses of one sample multiply");
    EFT_SAMPLE_TRUNCATION = error("W217", "InvalidEft",
        "Several responses of a sample multiply, one of them is truncated, and no eft_sample says what becomes of their product.",
        "add an eft_sample with a truncation of its own, or with none");
    EFT_NO_POLYNOMIAL = error("W218", "InvalidEft",
        "What needs the monomials of a response (applies_to, per_monomial, a statistical uncertainty beside another response) meets one with a denominator that is not expanded; or a response of events that are not summed (with a floor or with systematics of single events) meets another response, a truncation of the sample, or any of these.",
        "expand the response with taylor, or leave out what needs monomials");
    EFT_TRUNCATED_AWAY = warning("W219", "InvalidEft",
        "Truncation leaves nothing of a response that depends on a coefficient.",
        "raise max_np_order, or write none");
    EFT_POWER = error("W220", "InvalidEft",
        "The power of a factor of a rational response is 0, or its magnitude is above 100.",
        "remove the factor, or write its power");
    EFT_DENOMINATOR = error("W221", "InvalidEft",
        "A factor with a negative power is not positive everywhere inside the bounds of its coefficients; or it is expanded, and its constant is not positive or moves with a nuisance parameter.",
        "narrow the bounds, or expand the response with taylor");
    EFT_MORPHING = error("W222", "InvalidEft",
        "The templates of a morphing do not determine its monomials: fewer basis points than monomials, or a basis that does not tell them apart.",
        "add basis points, or leave out monomials that the samples do not contain");
    EFT_NEGATIVE = error("W223", "InvalidEft",
        "A response that promises not to be negative is so somewhere inside the bounds of its coefficients.",
        "narrow the bounds, keep the squared terms, or write allow for positivity");
    EFT_SIGN_OPEN = warning("W224", "InvalidEft",
        "Whether a response keeps its promise not to be negative could not be decided: no negative value was found.",
        "write allow for positivity, if the promise is not needed");
    EFT_TOO_LARGE = error("W225", "InvalidEft",
        "A response has more than 1e8 coefficients: monomials times bins.",
        "leave out monomials, or split the channel");
    EFT_DEGREE = error("W226", "InvalidEft",
        "A monomial is a product of more than 100 coefficients.",
        "end the series earlier: no prediction has such an order");
    // Systematics of samples with responses
    EFT_UNKNOWN_SYSTEMATIC = error("W230", "InvalidEft",
        "A systematic of an eft_sample is no modifier of that sample of the type in question: histosys for histosys; normsys, normfactor or lumi for applies_to.",
        "correct the name, or add the modifier");
    EFT_UNKNOWN_MONOMIAL = error("W231", "InvalidEft",
        "A monomial is none of those of the response to which it belongs.",
        "write a monomial that the response has, with its names in any order");
    EFT_NO_TEMPLATES = error("W232", "InvalidEft",
        "A histosys that is to be per_monomial has no templates of monomials, or one that is not has some.",
        "give lo_data and hi_data for the monomials in eft_sample/systematics, or choose relative or absolute");
    EFT_TEMPLATES = error("W233", "InvalidEft",
        "At the reference the templates of the monomials add up to something else than lo_data and hi_data of the histosys, by more than 1e-6 of it.",
        "make lo_data and hi_data the varied prediction at the reference, so that the document stays right without the extension");
    EFT_EMPTY_BIN = error("W234", "InvalidEft",
        "A histosys changes a bin whose nominal yield is 0, relative to which nothing can be changed.",
        "choose absolute or per_monomial for this systematic in an eft_sample");
    EFT_SEVERAL_SAMPLE = error("W235", "InvalidEft",
        "A sample has two modifiers of type eft_sample.",
        "merge the two");
    EFT_IDLE_SAMPLE = warning("W236", "InvalidEft",
        "An eft_sample belongs to a sample without response and has no effect.",
        "remove it");
    // Statistical uncertainty
    EFT_STATERROR = error("W240", "InvalidEft",
        "A sample has a staterror and a response with a statistical uncertainty of its own: the same uncertainty would count twice.",
        "keep one of the two");
    EFT_RESOLVED = error("W241", "InvalidEft",
        "A statistical uncertainty of a response stands beside what changes single monomials (per_monomial, applies_to, a shift of an observable) or single events (a floor, a systematic): the profiled form does not hold.",
        "leave out mc_stat, or describe the errors by uncertainties of coefficients");
    EFT_SEVERAL_MC_STAT = error("W242", "InvalidEft",
        "Two responses of a sample have a statistical uncertainty.",
        "keep that of the one that holds the simulated yields");
    EFT_VARIANCE = error("W243", "InvalidEft",
        "A variance is negative at zero, or an error of a coefficient is negative; or weights by the inverse variance lack a variance above 0.",
        "write variances and errors of at least 0");
    EFT_VARIANCE_ORDER = warning("W244", "InvalidEft",
        "A variance has monomials above twice the order at which its response is truncated: it is that of another response.",
        "give the variance of the truncated response, or none");
    // Event databases, as the document declares them
    EFT_UNKNOWN_EVENTS = error("W245", "InvalidEft",
        "An event database, or an observable or a systematic of one, does not exist by the name.",
        "correct the name, or declare it in eft/event_databases");
    EFT_HASH = error("W246", "InvalidEft",
        "A sha256 is not 64 hexadecimal digits.",
        "write what sha256sum prints for the file");
    EFT_VARIANCE_NEGATIVE = error("W247", "InvalidEft",
        "A variance that is given as a polynomial is negative somewhere inside the bounds of its coefficients, at the reference, or where it is fixed.",
        "give the sum of the squared weights as it comes from the events, with all its monomials, or narrow the bounds");
    EFT_UNUSED_EVENTS = warning("W248", "InvalidEft",
        "No sample is a histogram of an event database: its file is never read.",
        "add an eft_events that names it, or remove the database");
    // Event databases, as they are read
    EVENT_PATH = error("W260", "EventDatabaseError",
        "The uri of an event database is no path below the folder of the document.",
        "write a relative path with forward slashes, without scheme and without ..; files are never fetched");
    EVENT_FILE = error("W261", "EventDatabaseError",
        "The file of an event database cannot be read.",
        "put the file beside the document, at the path of its uri");
    EVENT_HASH = error("W262", "EventDatabaseError",
        "The sha256 of an event database is not that of the file; nothing of it is used.",
        "get the file that the document was published with, or correct sha256 if the file is meant to be another");
    EVENT_FORMAT = error("W263", "EventDatabaseError",
        "The file of an event database is no Parquet or Arrow file as its media_type says, is damaged, or is compressed in a way that is not read.",
        "write Parquet with snappy, zstd, gzip or no compression, or an Arrow file without compression");
    EVENT_ROWS = error("W264", "EventDatabaseError",
        "An event database has another number of rows than n_rows, none, or more than the limit (10^9).",
        "correct n_rows, if this is the right file");
    EVENT_COLUMN = error("W265", "EventDatabaseError",
        "An event database lacks a column that the document names, or has it twice.",
        "correct the name of the column");
    EVENT_COLUMN_TYPE = error("W266", "EventDatabaseError",
        "A column of an event database has a type that its use does not allow.",
        "store weights and observables as float64, float32 or integers, event_id as integers, channel as strings");
    EVENT_VALUE = error("W267", "EventDatabaseError",
        "A value in a column of an event database is missing, NaN or infinite, or an integer that binary64 cannot hold.",
        "remove the row or repair the program that wrote it");
    EVENT_DECLARATION = error("W268", "InvalidEventDatabase",
        "A histogram of events or its database contradicts itself or the block eft, or there is none where one is needed.",
        "correct the declaration");
    EVENT_EDGES = error("W269", "InvalidEventDatabase",
        "The edges of an axis, or the ends of a selection, do not increase.",
        "write the edges from low to high, \"-inf\" only first and \"inf\" only last");
    EVENT_FLOW = error("W270", "EventDatabaseError",
        "Events lie below the first or above the last edge of an axis, and underflow or overflow is error.",
        "widen the axis, select the range, or write drop or merge");
    EVENT_NORMALISATION = error("W271", "InvalidEventDatabase",
        "A luminosity, cross section, sum of weights or k_factor is not a positive finite number.",
        "write positive numbers");
    EVENT_NEGATIVE = error("W272", "EventDatabaseError",
        "positivity is require, and a weight is negative inside the bounds of the coefficients or cannot be shown not to be.",
        "write allow, if negative weights are meant");
    EVENT_OVERLAP = error("W273", "EventDatabaseError",
        "A row of an event database enters two samples of the likelihood.",
        "make the selections disjoint, or write \"overlap\": \"allowed\" in both samples and \"mc_stat\": \"none\" in all but one of them");
    EVENT_SYSTEMATIC = error("W274", "EventDatabaseError",
        "A systematic of single events cannot be used as declared.",
        "correct the column or leave the systematic out of the sample");
    EVENT_BASIS = error("W275", "EventDatabaseError",
        "Basis weights have no solution for the coefficients of the weight.",
        "give as many basis points as monomials, in general position");
    EVENT_SIZE = error("W276", "SizeLimit",
        "A histogram of events needs more memory than the limit.",
        "use fewer bins or coefficients, or \"mc_stat\": {\"fixed_at\": …}, which needs no quartic");
    EVENT_EMPTY_BIN = warning("W277", "EventDatabaseWarning",
        "A bin of a histogram of events has no event.",
        "the response of this bin is zero everywhere: merge the bin with another if that is not meant");
    // What only a model shows
    EFT_RESPONSE = error("W280", "InvalidEft",
        "A response cannot be made of what the document says of a sample.",
        "see spec/eft.md, and the message");
    // Foreign files of the EFT extension
    IMPORT_FORMAT = error("W290", "ImportError",
        "A foreign file does not have the layout of its format.",
        "is this the right file for --from? spec/eft-importers.md describes the layouts");
    IMPORT_REFUSED = error("W291", "ImportError",
        "A foreign file holds code, or something that no response can say.",
        "write what it computes as coefficients of monomials");
    IMPORT_MISSING = error("W292", "ImportError",
        "A foreign file leaves something open that a response needs.",
        "give it as an option");
    IMPORT_DROPPED = warning("W293", "ImportWarning",
        "Something in a foreign file is not carried over.",
        "add it to the document by hand, if it matters");
}
