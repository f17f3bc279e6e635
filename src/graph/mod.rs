//! Likelihoods of densities and functions over events (spec/hs3.md): compiled from an HS3 document to flat lists of
//! operations, evaluated with the exact gradient by one pass forward and one backward.
//!
//! Every node is a number that depends on parameters alone, or a column over the events of one set of data. Columns run
//! block by block; integrals that have no closed form are columns over the points of a quadrature.

mod breit_wigner;
mod builder;
mod closed;
mod column;
mod column_hessian;
mod column_integral;
mod combine;
mod compile;
mod constraint;
mod convolution;
mod decay;
mod density;
mod derivative;
mod expectation;
mod functions;
mod held;
mod hessian;
mod interpolation;
mod likelihood;
mod maker;
mod pair;
mod peak;
mod peak_search;
mod piece;
mod product;
mod program;
mod pushes;
mod quadrature;
mod quintic;
mod scalar;
mod scalar_hessian;
mod shape;
mod spline;
mod term;

pub use expectation::{EventDensity, Expectation, Expected, NoData};
pub use functions::{Functions, WantedFunction};
pub use likelihood::{Convention, Conventions, Graph, GraphLikelihood, Options, Parameter, Selection, Wanted};
pub use pair::PairData;
pub use piece::Scratch;
