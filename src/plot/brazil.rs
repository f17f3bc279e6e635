//! The Brazil band: observed and expected CLs over the parameter of interest.

use super::axis::{Frame, GAP, Range, SMALL};
use super::canvas::{Canvas, Figure, Label, Rect, Side, Stroke};
use super::colour::{BLACK, GREEN, RED, YELLOW};
use super::legend::{Legend, Sign};
use super::ticks::number;
use super::{Options, finite, font, runs};
use crate::report::number::Number;
use serde::Deserialize;

/// What `limit` writes.
#[derive(Clone, Debug, Deserialize)]
pub struct Limit {
    #[serde(default = "usual_level")]
    pub confidence_level: f64,
    pub expected_limit: Option<Vec<Number>>,
    /// Of a Wilson coefficient.
    pub lower_limit: Option<Lower>,
    pub observed_limit: Option<f64>,
    #[serde(default)]
    pub poi: Option<String>,
    #[serde(default)]
    pub scan: Vec<Tested>,
}

/// Lower limits.
#[derive(Clone, Debug, Deserialize)]
pub struct Lower {
    pub expected_limit: Option<Vec<Number>>,
    pub observed_limit: Option<f64>,
}

/// CLs at one value of the parameter of interest; expected from −2σ to +2σ.
#[derive(Clone, Debug, Deserialize)]
pub struct Tested {
    #[serde(rename = "CLs_exp")]
    pub cls_exp: Option<Vec<Number>>,
    #[serde(rename = "CLs_obs")]
    pub cls_obs: Option<f64>,
    pub poi: f64,
}

fn usual_level() -> f64 {
    0.95
}

/// A value of the parameter of interest with CLs observed and expected; NaN where there is none.
#[derive(Clone, Copy)]
struct Column {
    poi: f64,
    observed: f64,
    expected: [f64; 5],
}

/// Below this number of tested values straight lines between them mislead.
const FEW: usize = 10;

/// # Errors
/// A sentence, where the result has no scan to draw.
pub fn draw(limit: &Limit, options: &Options) -> Result<Figure, String> {
    let columns = columns(limit)?;
    let mut notes = Vec::new();
    let gaps = columns.iter().filter(|c| !c.observed.is_finite()).count();
    if gaps > 0 {
        notes.push(format!("{gaps} of {} scan points have no observed CLs: gaps", columns.len()));
    }
    let gaps = columns.iter().filter(|c| c.expected.iter().any(|v| !v.is_finite())).count();
    if gaps > 0 {
        notes.push(format!("{gaps} of {} scan points have no expected CLs: gaps", columns.len()));
    }
    if (2..FEW).contains(&columns.len()) {
        notes.push(format!(
            "only {} tested values, joined by straight lines: the curves between them are not known; limit --scan \
             LO,HI,N tests more",
            columns.len()
        ));
    }
    let alpha = 1.0 - limit.confidence_level;
    let poi = limit.poi.as_deref().unwrap_or("");
    let own_title = match (poi, &limit.lower_limit) {
        ("", _) => "μ (POI)".to_owned(),
        (coefficient, Some(_)) => coefficient.to_owned(),
        (strength, None) => format!("μ (POI: {strength})"),
    };
    let (x_title, y_title) = (options.x_label(&own_title), options.y_label("CLs"));

    let (width, height) = options.size_or(720.0, 560.0);
    let mut canvas = Canvas::new(width, height);
    let legend = Legend::new(options.title.as_deref(), &entries(alpha, &columns), width - 4.0 * GAP);
    // Between legend and frame, where no curve is.
    let texts = limits_text(limit, width - 4.0 * GAP);
    let line = SMALL * font::LINE;
    let top = 2.0 * GAP + legend.height() + texts.len() as f64 * line;
    let outer = Rect::new(1.5 * GAP, top, width - 2.0 * GAP, height);
    let x = Range::of(columns.iter().map(|c| c.poi), false).padded(0.015, 0.015);
    let frame = Frame::within(outer, &x, &y_range(&columns, alpha, options.log), x_title, y_title);
    legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
    canvas.clipped(frame.area, |canvas| curves(canvas, &frame, &columns, alpha, limit));
    frame.draw(&mut canvas, x_title, y_title);
    for (index, text) in texts.iter().enumerate() {
        let y = GAP + legend.height() + index as f64 * line;
        canvas.text(&Label::new(text, SMALL).across(Side::Start), (2.0 * GAP, y));
    }
    Ok(canvas.finish(notes))
}

fn columns(limit: &Limit) -> Result<Vec<Column>, String> {
    let mut columns: Vec<Column> = Vec::new();
    for point in limit.scan.iter().filter(|p| p.poi.is_finite()) {
        let mut expected = [f64::NAN; 5];
        let given = point.cls_exp.as_deref().unwrap_or_default();
        if !given.is_empty() && given.len() != 5 {
            return Err(format!("CLs_exp at {} has {} values, expected 5", point.poi, given.len()));
        }
        expected.iter_mut().zip(given).for_each(|(slot, value)| *slot = value.0);
        columns.push(Column { poi: point.poi, observed: point.cls_obs.unwrap_or(f64::NAN), expected });
    }
    if columns.is_empty() {
        return Err("the result has no scan: let limit write the points it tested (--scan)".to_owned());
    }
    columns.sort_by(|a, b| a.poi.total_cmp(&b.poi));
    Ok(columns)
}

fn entries(alpha: f64, columns: &[Column]) -> Vec<(Sign, String)> {
    let mut entries = Vec::new();
    if columns.iter().any(|c| c.observed.is_finite()) {
        entries.push((Sign::LineAndPoint(Stroke::solid(BLACK, 1.6)), "Observed CLs".to_owned()));
    }
    entries.push((Sign::Line(Stroke::dashed(BLACK, 1.6)), "Expected CLs".to_owned()));
    entries.push((Sign::Area(GREEN.into()), "Expected ±1σ".to_owned()));
    entries.push((Sign::Area(YELLOW.into()), "Expected ±2σ".to_owned()));
    entries.push((Sign::Line(Stroke::solid(RED, 1.6)), format!("α = {}", number(alpha, 4))));
    entries
}

fn y_range(columns: &[Column], alpha: f64, log: bool) -> Range {
    if !log {
        return Range::new(0.0, 1.0, false).padded(0.02, 0.05);
    }
    let values = columns.iter().flat_map(|c| c.expected.into_iter().chain([c.observed])).chain([alpha, 1.0]);
    let range = Range::of(values, true);
    Range::new(range.lo.max(1e-6), range.hi.max(1.0), true).padded(0.02, 0.05)
}

fn curves(canvas: &mut Canvas, frame: &Frame, columns: &[Column], alpha: f64, limit: &Limit) {
    for (low, high, colour) in [(0, 4, YELLOW), (1, 3, GREEN)] {
        let edges = columns.iter().map(|c| Some((c.poi, finite(c.expected[low])?, finite(c.expected[high])?)));
        for run in runs(edges) {
            let upper = run.iter().map(|(x, _, y)| frame.at(*x, *y));
            let lower = run.iter().rev().map(|(x, y, _)| frame.at(*x, *y));
            canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), colour);
        }
    }
    let mut line = |values: &dyn Fn(&Column) -> f64, stroke: Stroke| {
        for run in runs(columns.iter().map(|c| Some(frame.at(c.poi, finite(values(c))?)))) {
            canvas.polyline(&run, stroke);
        }
    };
    for index in [0, 1, 3, 4] {
        line(&|c| c.expected[index], Stroke::dotted(BLACK, 0.8));
    }
    line(&|c| c.expected[2], Stroke::dashed(BLACK, 1.6));
    line(&|c| c.observed, Stroke::solid(BLACK, 1.6));
    let Rect { left, right, bottom, .. } = frame.area;
    canvas.line((left, frame.y.at(alpha)), (right, frame.y.at(alpha)), Stroke::solid(RED, 1.6));
    let median = |expected: &Option<Vec<Number>>| expected.as_deref().and_then(|e| e.get(2)).map(|v| v.0);
    let (expected, observed) = (Stroke::dashed(RED, 1.0), Stroke::solid(RED, 1.0));
    let mut limits = vec![(median(&limit.expected_limit), expected), (limit.observed_limit, observed)];
    if let Some(lower) = &limit.lower_limit {
        limits.extend([(median(&lower.expected_limit), expected), (lower.observed_limit, observed)]);
    }
    for (value, stroke) in limits {
        if let Some(value) = value.and_then(finite).filter(|v| frame.x.contains(*v)) {
            canvas.line((frame.x.at(value), frame.y.at(alpha)), (frame.x.at(value), bottom), stroke);
        }
    }
    for column in columns.iter().filter(|c| c.observed.is_finite()) {
        canvas.disc(frame.at(column.poi, column.observed), 3.0, BLACK);
    }
}

/// The limits in words, in lines of at most this width.
fn limits_text(limit: &Limit, width: f64) -> Vec<String> {
    let level = number(100.0 * limit.confidence_level, 4);
    let named = |v: f64| finite(v).map_or("none".to_owned(), |v| number(v, 4));
    let parts = |which: &str, observed: Option<f64>, expected: &Option<Vec<Number>>| {
        let mut parts =
            vec![format!("{level} % CL {which} limits:"), format!("observed {}", named(observed.unwrap_or(f64::NAN)))];
        let expected: Vec<f64> = expected.iter().flatten().map(|v| v.0).collect();
        if let [_, low, median, high, _] = expected.as_slice() {
            let (low, high) = if low > high { (high, low) } else { (low, high) };
            parts.push(format!("expected {} [{}, {}] (±1σ)", named(*median), named(*low), named(*high)));
        }
        parts
    };
    let mut parts_of_all = vec![parts("upper", limit.observed_limit, &limit.expected_limit)];
    if let Some(lower) = &limit.lower_limit {
        parts_of_all.push(parts("lower", lower.observed_limit, &lower.expected_limit));
    }
    parts_of_all.iter().flat_map(|parts| in_lines(parts, width)).collect()
}

/// Parts in lines of at most this width.
fn in_lines(parts: &[String], width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if font::width(&format!("{line}   {part}"), SMALL) <= width => {
                *line = format!("{line}   {part}");
            }
            _ => lines.push(part.clone()),
        }
    }
    lines.iter().map(|line| font::shorten(line, SMALL, width)).collect()
}
