//! An audit as one page of HTML with its pictures: no script, nothing from elsewhere, readable without a network.

mod figures;
mod style;

use crate::audit::{Audit, Finding, Severity, Subject};
use crate::infer::FitOptions;
use crate::report::audit::{AuditReport, CodeReport, what};
use crate::report::number::significant;
use crate::report::text;
use figures::Figures;
use std::fmt::Write;

/// What the page shows.
pub struct AuditPage<'a> {
    pub file: &'a str,
    pub subject: &'a Subject<'a>,
    pub audit: &'a Audit,
    pub report: &'a AuditReport,
    /// Of the fit, where there is one.
    pub options: &'a FitOptions,
}

/// Findings of a code that are seen at once, and those behind a switch.
const AT_ONCE: usize = 12;
const AT_MOST: usize = 200;
/// Names and bins in one cell.
const MANY: usize = 12;

/// Text as HTML holds it, in elements and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text::escape(text).chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

/// The page; the same input gives the same bytes.
pub fn audit_page(page: &AuditPage) -> String {
    let mut figures = Figures::default();
    let title = escape(&title(page.file));
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Audit of {title}</title>\n<style>{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#findings\">To the findings</a>\n",
        style::STYLE
    );
    head(page, &title, &mut html);
    html += "<main>\n";
    summary(page, &mut html);
    findings(page, &mut figures, &mut html);
    directions(page, &mut figures, &mut html);
    if page.subject.fit.is_some() {
        html += "<section id=\"fit\">\n<h2>Pulls and constraints</h2>\n<p>The fit to the data: how far each nuisance parameter \
                 moves from its auxiliary measurement, and how well it is known, in units of its pre-fit width.</p>\n";
        html += &figures.pulls(page);
        html += "</section>\n";
    }
    html += "<section id=\"channels\">\n<h2>Channels before a fit</h2>\n<p>Samples are stacked; hatched is the uncertainty of \
             the constraints, without correlations; points are observed counts with Poisson errors.</p>\n";
    html += &figures.channels(page);
    html += "</section>\n";
    about(page, &mut html);
    let _ = write!(
        html,
        "</main>\n<footer>Made by morphist {} with <code>morphist audit --html</code>. Each code is defined, with its formula, \
         in the chapter “Audit” of the specification (spec/audit.md).</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    html
}

/// The name of the file without its folders.
fn title(file: &str) -> String {
    let name = std::path::Path::new(file).file_name().map_or_else(|| file.into(), |name| name.to_string_lossy());
    text::shorten(&name, 80)
}

fn head(page: &AuditPage, title: &str, html: &mut String) {
    let report = page.report;
    let content = &report.content;
    let poi = content.poi.as_deref().map_or_else(|| "none".to_owned(), text::label);
    let facts = [
        ("Channels", content.channels.to_string(), format!("{} bins", content.bins)),
        ("Samples", content.samples.to_string(), String::new()),
        (
            "Parameters",
            content.parameters.to_string(),
            format!("{} free, {} constrained", content.free_parameters, content.constrained_parameters),
        ),
        ("Parameter of interest", poi, String::new()),
        (
            "Events observed",
            significant(content.observed.0, 6),
            format!("{} expected before a fit", significant(content.expected.0, 5)),
        ),
    ];
    let _ = write!(
        html,
        "<header>\n<h1>Audit of <span class=\"name\">{title}</span></h1>\n<p>Measurement <span class=\"name\">{}</span>. What is in \
         this likelihood that its authors and users should know. A finding need not be a mistake: a <em>warning</em> is likely \
         to be one, or breaks fits; a <em>note</em> is worth knowing.</p>\n<dl class=\"facts\">\n",
        escape(&text::label(&report.measurement))
    );
    for (name, value, small) in facts {
        let small = if small.is_empty() { small } else { format!("<small>{}</small>", escape(&small)) };
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{}{small}</dd></div>", escape(&value));
    }
    html.push_str("</dl>\n<nav aria-label=\"Contents\"><ul>\n<li><a href=\"#summary\">Summary</a></li>\n");
    html.push_str("<li><a href=\"#findings\">Findings</a></li>\n<li><a href=\"#directions\">Directions</a></li>\n");
    if page.subject.fit.is_some() {
        html.push_str("<li><a href=\"#fit\">Pulls and constraints</a></li>\n");
    }
    html.push_str("<li><a href=\"#channels\">Channels</a></li>\n<li><a href=\"#about\">Limits of this page</a></li>\n</ul></nav>\n</header>\n");
}

fn badge(severity: Severity) -> String {
    let word = severity.word();
    format!("<span class=\"badge {word}\">{word}</span>")
}

fn summary(page: &AuditPage, html: &mut String) {
    let report = page.report;
    let _ = write!(html, "<section id=\"summary\">\n<h2>Summary</h2>\n<p><strong>{}</strong>.</p>\n", report.counts());
    if report.codes.is_empty() {
        html.push_str("<p>Nothing to tell: no check found anything.</p>\n</section>\n");
        return;
    }
    html.push_str(
        "<table>\n<colgroup><col style=\"width:110px\"><col style=\"width:170px\"><col><col style=\"width:250px\"></colgroup>\n\
         <thead><tr><th scope=\"col\">Severity</th><th scope=\"col\" class=\"number\">Findings</th><th scope=\"col\">What</th>\
         <th scope=\"col\">Code</th></tr></thead>\n<tbody>\n",
    );
    for own in &report.codes {
        let word = own.code.word();
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td class=\"number\">{}</td><td><a href=\"#{word}\">{}</a></td><td><code>{word}</code></td></tr>",
            badge(own.severity),
            own.counted(),
            escape(own.title)
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
}

fn findings(page: &AuditPage, figures: &mut Figures, html: &mut String) {
    html.push_str("<section id=\"findings\">\n<h2>Findings</h2>\n");
    for own in &page.report.codes {
        of_code(page, own, figures, html);
    }
    html.push_str("</section>\n");
}

fn of_code(page: &AuditPage, own: &CodeReport, figures: &mut Figures, html: &mut String) {
    let word = own.code.word();
    let of_code: Vec<&Finding> = page.audit.findings.iter().filter(|finding| finding.code == own.code).collect();
    let _ = write!(
        html,
        "<section id=\"{word}\" aria-labelledby=\"h-{word}\">\n<h3 id=\"h-{word}\">{} {} <code>{word}</code></h3>\n<p>{}</p>\n\
         <p><strong>What to do.</strong> {}</p>\n",
        badge(own.severity),
        escape(own.title),
        escape(own.meaning),
        escape(own.advice)
    );
    let seen = of_code.len().min(AT_ONCE);
    table(&of_code[..seen], html);
    let end = of_code.len().min(AT_MOST);
    if seen < end {
        let _ = writeln!(html, "<details><summary>{} more</summary>", end - seen);
        table(&of_code[seen..end], html);
        html.push_str("</details>\n");
    }
    if end < of_code.len() {
        let _ = writeln!(html, "<p>{} more in the result as JSON.</p>", of_code.len() - end);
    }
    html.push_str(&figures.variations(page, own.code));
    html.push_str("</section>\n");
}

fn table(findings: &[&Finding], html: &mut String) {
    let any = |has: &dyn Fn(&Finding) -> bool| findings.iter().any(|finding| has(finding));
    let columns: [(&str, &str, bool); 4] = [
        ("Channel", "16%", any(&|f| f.channel.is_some())),
        ("Sample", "14%", any(&|f| f.sample.is_some())),
        ("Modifier", "22%", any(&|f| f.modifier.is_some())),
        ("Found", "", true),
    ];
    html.push_str("<table>\n<colgroup><col style=\"width:104px\">");
    for (_, width, _) in columns.iter().filter(|(.., shown)| *shown) {
        let style = if width.is_empty() { String::new() } else { format!(" style=\"width:{width}\"") };
        let _ = write!(html, "<col{style}>");
    }
    html.push_str("</colgroup>\n<thead><tr><th scope=\"col\">Severity</th>");
    for (name, ..) in columns.iter().filter(|(.., shown)| *shown) {
        let _ = write!(html, "<th scope=\"col\">{name}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for finding in findings {
        row(finding, &columns, html);
    }
    html.push_str("</tbody>\n</table>\n");
}

fn row(finding: &Finding, columns: &[(&str, &str, bool); 4], html: &mut String) {
    let _ = write!(html, "<tr><td>{}</td>", badge(finding.severity));
    let modifier = finding.modifier.as_ref().map(|name| match finding.types.is_empty() {
        true => name.clone(),
        false => format!("{name} ({})", finding.types.join(", ")),
    });
    for (name, (.., shown)) in [&finding.channel, &finding.sample, &modifier].into_iter().zip(columns) {
        if *shown {
            let name = name.as_deref().map(|name| text::shorten(&text::escape(name), 160));
            let _ = write!(html, "<td class=\"name\">{}</td>", escape(&name.unwrap_or_default()));
        }
    }
    let pointer = finding.pointer.as_deref().map(|pointer| {
        format!("<span class=\"pointer\">at <code>{}</code></span>", escape(&text::shorten(pointer, 160)))
    });
    let _ = writeln!(html, "<td>{}{}</td></tr>", escape(&what(finding)), pointer.unwrap_or_default());
}

fn directions(page: &AuditPage, figures: &mut Figures, html: &mut String) {
    html.push_str("<section id=\"directions\">\n<h2>Directions of the information matrix</h2>\n");
    let Some(directions) = &page.audit.directions else {
        html.push_str("<p>Not available; see below.</p>\n</section>\n");
        return;
    };
    let at = if directions.at_fit { "of the best fit" } else { "of the point before the fit" };
    let lowest: Vec<String> = directions.eigenvalues.iter().take(8).map(|x| significant(x.max(0.0), 3)).collect();
    let _ = writeln!(
        html,
        "<p>The information of the expected data {at} on {} free parameters, with the constraints, scaled so that each \
         parameter alone counts one. An eigenvalue near zero is a combination of parameters that hardly changes the likelihood. \
         The lowest: {}.</p>",
        directions.names.len(),
        lowest.join(", ")
    );
    let picture = figures.correlations(page);
    match picture.is_empty() {
        true => html.push_str("<p>No direction and no pair of parameters passes the thresholds.</p>\n"),
        false => html.push_str(&picture),
    }
    html.push_str("</section>\n");
}

fn about(page: &AuditPage, html: &mut String) {
    html.push_str("<section id=\"about\">\n<h2>Limits of this page</h2>\n");
    if page.report.left_out.is_empty() {
        html.push_str("<p>Everything in the likelihood was looked at.</p>\n");
    } else {
        html.push_str("<p>Not looked at:</p>\n<ul>\n");
        for why in page.report.left_out.iter().take(MANY) {
            let _ = writeln!(html, "<li>{}</li>", escape(why));
        }
        html.push_str("</ul>\n");
    }
    if page.subject.fit.is_none() {
        html.push_str(
            "<p>No fit was done; <code>--fit</code> adds pulls, constraints, and directions at the best fit.</p>\n",
        );
    }
    html.push_str(
        "<details><summary>Thresholds</summary>\n<table>\n<colgroup><col style=\"width:180px\"><col style=\"width:110px\"><col></colgroup>\n\
         <thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">Value</th><th scope=\"col\">Of what</th></tr></thead>\n<tbody>\n",
    );
    for (own, value) in page.thresholds() {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td class=\"number\">{}</td><td>{}</td></tr>",
            own.0,
            significant(value, 6),
            escape(own.1)
        );
    }
    html.push_str("</tbody>\n</table>\n</details>\n</section>\n");
}

impl AuditPage<'_> {
    /// Name and meaning, and the value that was used.
    fn thresholds(&self) -> Vec<((&'static str, &'static str), f64)> {
        let defaults = crate::audit::Thresholds::default();
        let used = |name: &str, value: f64| self.report.thresholds.get(name).map_or(value, |own| own.0);
        defaults.all().iter().map(|own| ((own.name, own.meaning), used(own.name, own.value))).collect()
    }
}
