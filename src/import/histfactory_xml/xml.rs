//! Files of XML: elements with their places, and what is told about them.

use crate::finding::{Finding, Findings, quote};
use crate::rule::{self, Rule};
use roxmltree::{Document, Node, ParsingOptions};

/// More elements and texts than any channel has.
const MOST_NODES: u32 = 5_000_000;

/// Findings by file, in the order of the files.
#[derive(Default)]
pub(super) struct Told(Vec<(String, Findings)>);

impl Told {
    pub fn add(&mut self, file: &str, finding: Finding) {
        match self.0.iter_mut().find(|(name, _)| name == file) {
            Some((_, findings)) => findings.push(finding),
            None => self.0.push((file.to_owned(), finding.into())),
        }
    }

    /// All findings, and whether none is an error.
    pub fn finish(self) -> (Vec<(String, Findings)>, bool) {
        let valid = self.0.iter().all(|(_, findings)| findings.is_valid());
        (self.0, valid)
    }
}

/// One file. Entities of the file itself are expanded, within limits; nothing outside of it is read.
pub(super) struct Source<'t> {
    name: String,
    document: Document<'t>,
}

impl<'t> Source<'t> {
    pub fn parse(name: &str, text: &'t str, told: &mut Told) -> Option<Source<'t>> {
        let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        match Document::parse_with_options(text, options) {
            Ok(document) => Some(Source { name: name.to_owned(), document }),
            Err(error) => {
                let at = error.pos();
                let finding = Finding::new(&rule::XML_SYNTAX, error.to_string(), "well-formed XML");
                told.add(name, finding.at_line(at.row as usize, at.col as usize));
                None
            }
        }
    }

    /// The outermost element, which has to have this name.
    pub fn root<'s>(&'s self, tag: &str, told: &mut Told) -> Option<Element<'s, 't>> {
        let element = Element { source: self, node: self.document.root_element() };
        if element.tag() == tag {
            return Some(element);
        }
        element.wrong(quote(element.tag()), format!("{tag}: is this the right file?"), told);
        None
    }
}

#[derive(Clone, Copy)]
pub(super) struct Element<'s, 't> {
    source: &'s Source<'t>,
    node: Node<'s, 't>,
}

impl<'s, 't> Element<'s, 't> {
    pub fn tag(&self) -> &'s str {
        self.node.tag_name().name()
    }

    pub fn all(&self, tag: &str) -> Vec<Element<'s, 't>> {
        self.elements().into_iter().filter(|element| element.tag() == tag).collect()
    }

    pub fn elements(&self) -> Vec<Element<'s, 't>> {
        let nodes = self.node.children().filter(Node::is_element);
        nodes.map(|node| Element { source: self.source, node }).collect()
    }

    pub fn text(&self) -> String {
        self.node.text().unwrap_or_default().trim().to_owned()
    }

    pub fn attribute(&self, name: &str) -> Option<&'s str> {
        self.node.attribute(name)
    }

    /// An attribute that has to be there.
    pub fn needed(&self, name: &str, told: &mut Told) -> Option<&'s str> {
        let own = self.attribute(name);
        if own.is_none() {
            self.wrong(format!("{} without {name}", self.tag()), format!("{name}=\"…\""), told);
        }
        own
    }

    /// A finite number that has to be there.
    pub fn number(&self, name: &str, told: &mut Told) -> Option<f64> {
        let text = self.needed(name, told)?;
        let number = text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        if number.is_none() {
            self.wrong(format!("{name} {} of {}", quote(text), self.tag()), "a finite number", told);
        }
        number
    }

    /// Tells of attributes that are not `known`; those in `harmless` say nothing about the likelihood.
    pub fn attributes(&self, known: &[&str], harmless: &[&str], told: &mut Told) {
        for attribute in self.node.attributes() {
            let name = attribute.name();
            if attribute.namespace().is_none() && !known.contains(&name) && !harmless.contains(&name) {
                let found = format!("{name}=\"{}\" of {}", attribute.value(), self.tag());
                self.dropped(found, "an attribute that a workspace can say: it is passed over, as pyhf does", told);
            }
        }
    }

    /// Tells of elements that are not `known`.
    pub fn children(&self, known: &[&str], told: &mut Told) {
        for child in self.elements() {
            if !known.contains(&child.tag()) {
                let found = format!("the element {} in {}", child.tag(), self.tag());
                child.dropped(found, "an element that a workspace can say: it is passed over, as pyhf does", told);
            }
        }
    }

    /// Something that cannot be read.
    pub fn wrong(&self, found: impl Into<String>, expected: impl Into<String>, told: &mut Told) {
        self.add(&rule::XML_CONTENT, found, expected, told);
    }

    /// A histogram that cannot be had.
    pub fn no_histogram(&self, found: impl Into<String>, expected: impl Into<String>, told: &mut Told) {
        self.add(&rule::XML_HISTOGRAM, found, expected, told);
    }

    /// Something that HistFactory reads and a workspace does not say.
    pub fn dropped(&self, found: impl Into<String>, expected: impl Into<String>, told: &mut Told) {
        self.add(&rule::XML_DROPPED, found, expected, told);
    }

    fn add(&self, rule: &Rule, found: impl Into<String>, expected: impl Into<String>, told: &mut Told) {
        let at = self.source.document.text_pos_at(self.node.range().start);
        let finding = Finding::new(rule, found, expected).at_line(at.row as usize, at.col as usize);
        told.add(&self.source.name, finding);
    }
}
