//! The pictures of the page. Each figure's marks get names of their own, since all stand in one document.

use super::{AuditPage, escape};
use crate::audit::{Code, Finding, curve, shape};
use crate::infer::covariance::Covariance;
use crate::infer::prediction::{Propagation, predict};
use crate::infer::prefit;
use crate::kernel::Evaluator;
use crate::plot::variation::{Variation, draw};
use crate::plot::{Figure, Options, correlation, data_mc, pulls};
use crate::program::Program;
use crate::report::blind::Blinding;
use crate::report::fit::{Correlation, FitReport};
use crate::report::number::Number;
use crate::report::text;
use crate::report::yields::YieldsReport;

/// Pictures of the worst findings of a code.
const OF_CODE: usize = 4;
/// Channels of one picture, and of all.
const IN_PICTURE: usize = 4;
const MOST_CHANNELS: usize = 40;
/// Bins of a channel that is drawn.
const MOST_BINS: usize = 1000;
/// Pulls of one picture.
const PULLS: usize = 45;
/// Parameters of the correlation matrix.
const CORRELATED: usize = 32;

/// Writes figures with a number each.
#[derive(Default)]
pub(super) struct Figures {
    written: usize,
}

impl Figures {
    /// A picture with words below; notes of the picture belong to them.
    fn add(&mut self, figure: &Figure, caption: &str) -> String {
        self.written += 1;
        let mark = format!("f{}-", self.written);
        let svg = figure
            .svg
            .replace("id=\"", &format!("id=\"{mark}"))
            .replace("href=\"#", &format!("href=\"#{mark}"))
            .replace("url(#", &format!("url(#{mark}"));
        let svg = svg.replacen("<svg ", &format!("<svg role=\"group\" aria-label=\"{}\" ", escape(caption)), 1);
        let words: Vec<String> = [caption.to_owned()].into_iter().chain(figure.notes.iter().cloned()).collect();
        format!("<figure>{svg}<figcaption>{}</figcaption></figure>\n", escape(&words.join("; ")))
    }

    fn missing(why: &str) -> String {
        format!("<p>No picture: {}.</p>\n", escape(why))
    }

    /// The variations of the worst findings of a code.
    pub fn variations(&mut self, page: &AuditPage, code: Code) -> String {
        let findings = page.audit.findings.iter().filter(|finding| finding.code == code);
        let drawn: Vec<String> = findings
            .filter_map(|finding| variation(page, finding))
            .take(OF_CODE)
            .map(|(variation, caption)| self.add(&draw(&variation), &caption))
            .collect();
        if drawn.is_empty() { String::new() } else { format!("<div class=\"figures\">{}</div>\n", drawn.concat()) }
    }

    /// Data and expectation of all channels, before the fit.
    pub fn channels(&mut self, page: &AuditPage) -> String {
        let subject = page.subject;
        let program = Program::compile(subject.model);
        let covariance = Covariance::diagonal(prefit::widths(&program, subject.fixed));
        let mut evaluator = Evaluator::new(&program);
        let prediction = predict(&mut evaluator, subject.point, &covariance, Propagation::Linear);
        let report = YieldsReport::new(subject.model, subject.data, &prediction, Blinding::default());
        let read = serde_json::to_value(&report).and_then(serde_json::from_value::<data_mc::Yields>);
        let yields = match read {
            Ok(yields) => yields,
            Err(why) => return Figures::missing(&why.to_string()),
        };
        let mut html = String::new();
        let all = yields.channels.len();
        let shown = yields.channels.into_iter().filter(|channel| channel.total.len() <= MOST_BINS);
        let shown: Vec<data_mc::Channel> = shown.take(MOST_CHANNELS).collect();
        let left_out = all - shown.len();
        if left_out > 0 {
            html += &format!(
                "<p>{} of {all} channels are drawn, of {MOST_BINS} bins at most; <code>morphist yields</code> and \
                 <code>morphist plot data-mc</code> draw all.</p>\n",
                shown.len()
            );
        }
        for channels in shown.chunks(IN_PICTURE) {
            let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
            let caption = format!("Data and expectation before a fit: {}", names.join(", "));
            let part = data_mc::Yields { channels: channels.to_vec(), prefit: Some(true), valid: None };
            html += &match data_mc::draw(&part, &Options::default()) {
                Ok(figure) => self.add(&figure, &caption),
                Err(why) => Figures::missing(&why),
            };
        }
        html
    }

    /// Correlations of the parameters of low directions and correlated pairs.
    pub fn correlations(&mut self, page: &AuditPage) -> String {
        let Some(directions) = page.audit.directions.as_ref().filter(|own| own.block.len() > 1) else {
            return String::new();
        };
        let n = directions.block.len();
        let labels = directions.block.iter().map(|i| directions.names[*i].clone()).collect();
        let values = directions.correlations.chunks(n).map(|row| row.iter().copied().map(Number).collect()).collect();
        let matrix = correlation::Correlation { correlation: Some(Correlation { labels, values }), valid: true };
        let options = Options { max_pars: Some(CORRELATED), ..Options::default() };
        match correlation::draw(&matrix, &options) {
            Ok(figure) => self.add(&figure, "Correlations of the parameters of the directions and pairs above"),
            Err(why) => Figures::missing(&why),
        }
    }

    /// Pulls and constraints of the fit.
    pub fn pulls(&mut self, page: &AuditPage) -> String {
        let Some(fit) = page.subject.fit else { return String::new() };
        let report = FitReport::new(page.subject.model, page.options, fit);
        let mut html = String::new();
        for part in report.pulls.chunks(PULLS) {
            let pulls = pulls::Pulls { pulls: part.to_vec(), valid: fit.valid };
            html += &match pulls::draw(&pulls, &Options::default()) {
                Ok(figure) => self.add(&figure, "Pulls and constraints of nuisance parameters in the fit to the data"),
                Err(why) => Figures::missing(&why),
            };
        }
        match html.is_empty() {
            true => "<p>The fit has no free parameter with a constraint.</p>\n".to_owned(),
            false => format!("<div class=\"figures pulls\">{html}</div>\n"),
        }
    }
}

fn variation(page: &AuditPage, finding: &Finding) -> Option<(Variation, String)> {
    let (channel, sample, parameter) = finding.variation?;
    let (model, point) = (page.subject.model, page.subject.point);
    let is_drawn = model.channels.get(channel).is_some_and(|own| own.n_bins <= MOST_BINS);
    let shape = shape(model, point, channel, sample, parameter).filter(|_| is_drawn)?;
    let worst = finding.value("worst_bin");
    let largest = || {
        let moved =
            |bin: usize| (shape.up[bin] - shape.nominal[bin]).abs().max((shape.down[bin] - shape.nominal[bin]).abs());
        (0..shape.nominal.len()).max_by(|a, b| moved(*a).total_cmp(&moved(*b))).unwrap_or(0)
    };
    let bin = if worst.is_finite() { worst as usize } else { largest() };
    let curve = curve(model, point, (channel, sample, parameter), bin)?;
    let name = |name: &Option<String>| text::label(name.as_deref().unwrap_or_default());
    let place = format!("{} / {} / {}", name(&finding.channel), name(&finding.sample), name(&finding.modifier));
    Some((Variation { title: name(&finding.modifier), shape, bins: finding.bins.clone(), bin, curve }, place))
}
