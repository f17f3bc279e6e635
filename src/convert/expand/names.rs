//! Names of an expanded document: identifiers that ROOT's and pyhs3's formulas take, each once.

use crate::convert::names::{Taken, identifier};
use crate::model::Model;
use std::collections::HashMap;

/// What sympy 1.14, which pyhs3 reads formulas with, takes for something of its own: what it exports, and functions of
/// Python.
const SYMPY: &str = include_str!("sympy_names.txt");
/// Further words of Python, of C++ and of the standard.
const WORDS: &str = "False None True and as assert auto bool break case char class const continue def default delete do \
    double elif else enum except extern finally float for from global goto if import in int is lambda long namespace new \
    nonlocal not operator or pass private protected raise return short static struct switch template this throw try \
    typedef typename union unsigned using virtual void volatile while with yield PI TRUE FALSE EULER";

/// Gives names to parameters and functions.
#[derive(Debug)]
pub(super) struct Names {
    used: Taken,
    /// By place in fit order.
    pub parameters: Vec<String>,
    /// (in the document, in the file) where they differ.
    pub renamed: Vec<(String, String)>,
}

impl Names {
    pub fn new(model: &Model) -> Names {
        let taken = SYMPY.split_whitespace().chain(WORDS.split_whitespace()).map(str::to_owned).collect();
        let mut names = Names { used: taken, parameters: Vec::new(), renamed: Vec::new() };
        for set in &model.parameters {
            for (k, own) in set.scalar_names().into_iter().enumerate() {
                let wanted = if set.scalar { own.clone() } else { format!("{}_{k}", set.name) };
                let given = names.unique(&wanted);
                if given != own {
                    names.renamed.push((own, given.clone()));
                }
                names.parameters.push(given);
            }
        }
        names
    }

    /// A name of its own, like the one that is wanted.
    pub fn unique(&mut self, wanted: &str) -> String {
        self.used.unique(identifier(wanted))
    }
}

/// The functions of a document: one of each formula.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// (name, formula) in the order in which they were made.
    pub all: Vec<(String, String)>,
    of_formula: HashMap<String, String>,
}

impl Functions {
    /// The name of the function with this formula, which is made where there is none.
    pub fn named(&mut self, names: &mut Names, wanted: &str, formula: String) -> String {
        if let Some(name) = self.of_formula.get(&formula) {
            return name.clone();
        }
        self.own(names, wanted, formula)
    }

    /// A function of its own, even where another has its formula.
    pub fn own(&mut self, names: &mut Names, wanted: &str, formula: String) -> String {
        let name = names.unique(wanted);
        self.of_formula.entry(formula.clone()).or_insert_with(|| name.clone());
        self.all.push((name.clone(), formula));
        name
    }
}
