//! Observed counts over the stacked samples of each channel, with their ratio below.

use super::axis::{Axis, Frame, GAP, LARGE, Range, SMALL, bottom_room, left_room};
use super::canvas::{Canvas, Figure, Label, Paint, Point, Rect, Stroke};
use super::colour::{BLACK, Colour, GREY, sample};
use super::legend::{Legend, Sign};
use super::pulls::clean;
use super::{Options, finite, font, poisson};
use crate::report::number::Number;
use serde::Deserialize;

/// What `yields` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Yields {
    pub channels: Vec<Channel>,
    #[serde(default)]
    pub prefit: Option<bool>,
    #[serde(default)]
    pub valid: Option<bool>,
}

/// One channel; all lists have one entry a bin.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    #[serde(default)]
    pub data: Option<Vec<Number>>,
    pub name: String,
    pub samples: Vec<Sample>,
    pub total: Vec<Number>,
    pub total_uncertainties: Option<Vec<Number>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    pub name: String,
    pub yields: Vec<Number>,
}

/// One channel ready to be drawn; NaN where there is no number.
struct Panel<'a> {
    name: &'a str,
    data: Vec<f64>,
    /// Colour and yields from the bottom of the stack.
    samples: Vec<(Colour, Vec<f64>)>,
    total: Vec<f64>,
    sigma: Vec<f64>,
}

/// Least width and height of one channel.
const LEAST: f64 = 280.0;

/// # Errors
/// A sentence, where the result has no channel or lists of different lengths.
pub fn draw(yields: &Yields, options: &Options) -> Result<Figure, String> {
    let mut names: Vec<&str> = Vec::new();
    for sample in yields.channels.iter().flat_map(|c| &c.samples) {
        if !names.contains(&sample.name.as_str()) {
            names.push(&sample.name);
        }
    }
    let panels = yields.channels.iter().map(|c| panel(c, &names)).collect::<Result<Vec<_>, _>>()?;
    if panels.is_empty() {
        return Err("the result has no channels".to_owned());
    }
    let mut notes = super::note_of(yields.valid);
    panels.iter().for_each(|panel| tell(panel, options.log, &mut notes));

    let columns = match panels.len() {
        1 => 1,
        2..=4 => 2,
        5..=9 => 3,
        _ => 4,
    };
    let rows = panels.len().div_ceil(columns);
    let (one_width, one_height) = if columns == 1 { (640.0, 560.0) } else { (430.0, 420.0) };
    let (width, height) = options.size_or(one_width * columns as f64, one_height * rows as f64);
    let (least_width, least_height) = (LEAST * columns as f64, LEAST * rows as f64);
    if width < least_width || height < least_height {
        notes.push("--size is too small for so many channels: the picture is larger".to_owned());
    }
    let (width, height) = (width.max(least_width), height.max(least_height));
    let legend = Legend::new(title(yields, options).as_deref(), &entries(&names, &panels), width - 4.0 * GAP);
    let top = 2.0 * GAP + legend.height();
    let mut canvas = Canvas::new(width, height + top);
    legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
    let (w, h) = (width / columns as f64, (canvas.height - top) / rows as f64);
    for (index, panel) in panels.iter().enumerate() {
        let (x, y) = ((index % columns) as f64 * w, top + (index / columns) as f64 * h);
        let outer = Rect::new(x + GAP, y, x + w - 2.0 * GAP, y + h - 0.5 * GAP);
        draw_panel(&mut canvas, outer, panel, options);
    }
    Ok(canvas.finish(notes))
}

fn title(yields: &Yields, options: &Options) -> Option<String> {
    let own = yields.prefit.map(|prefit| if prefit { "Pre-fit" } else { "Post-fit" }.to_owned());
    options.title.clone().or(own)
}

fn panel<'a>(channel: &'a Channel, names: &[&str]) -> Result<Panel<'a>, String> {
    let bins = channel.total.len();
    let list = |values: &[Number], what: &str| -> Result<Vec<f64>, String> {
        match values.len() == bins {
            true => Ok(values.iter().map(|v| v.0).collect()),
            false => {
                Err(format!("channel {}: {what} has {} bins, expected {bins}", clean(&channel.name), values.len()))
            }
        }
    };
    let samples = channel.samples.iter().map(|s| {
        let index = names.iter().position(|name| *name == s.name).unwrap_or(0);
        Ok((index, list(&s.yields, &clean(&s.name))?))
    });
    let nothing = || vec![f64::NAN; bins];
    let mut samples = samples.collect::<Result<Vec<_>, String>>()?;
    // The order of the legend, whatever the order in this channel.
    samples.sort_by_key(|(index, _)| *index);
    Ok(Panel {
        name: &channel.name,
        data: channel.data.as_ref().map_or_else(|| Ok(nothing()), |d| list(d, "data"))?,
        samples: samples.into_iter().map(|(index, yields)| (sample(index), yields)).collect(),
        total: list(&channel.total, "total")?,
        sigma: channel
            .total_uncertainties
            .as_ref()
            .map_or_else(|| Ok(nothing()), |s| list(s, "total_uncertainties"))?,
    })
}

/// What a picture of this channel does not show.
fn tell(panel: &Panel, log: bool, notes: &mut Vec<String>) {
    let name = clean(panel.name);
    let count = |values: &[f64], wanted: &dyn Fn(f64) -> bool| values.iter().filter(|v| wanted(**v)).count();
    let missing = |v: f64| !v.is_finite();
    for (what, values) in [("data", &panel.data), ("total yield", &panel.total), ("total uncertainty", &panel.sigma)] {
        let gaps = count(values, &missing);
        if gaps > 0 {
            notes.push(format!("channel {name}: {gaps} of {} bins have no {what}: gaps", values.len()));
        }
    }
    let negative = panel.samples.iter().map(|(_, y)| count(y, &|v| v < 0.0)).sum::<usize>();
    if negative > 0 {
        notes.push(format!("channel {name}: {negative} sample yields are negative: drawn below zero"));
    }
    let lost = count(&panel.total, &|v| v <= 0.0) + count(&panel.data, &|v| v <= 0.0);
    if log && lost > 0 {
        notes.push(format!("channel {name}: {lost} yields or counts are not positive: not on a logarithmic axis"));
    }
}

fn entries(names: &[&str], panels: &[Panel]) -> Vec<(Sign, String)> {
    let mut entries = Vec::new();
    if panels.iter().any(|p| p.data.iter().any(|d| d.is_finite())) {
        entries.push((Sign::Point(BLACK), "Data".to_owned()));
    }
    entries.extend(names.iter().enumerate().rev().map(|(i, name)| (Sign::Area(sample(i).into()), clean(name))));
    if panels.iter().any(|p| p.sigma.iter().any(|s| s.is_finite())) {
        entries.push((Sign::Area(Paint::Hatched(GREY)), "Uncertainty".to_owned()));
    }
    entries
}

fn draw_panel(canvas: &mut Canvas, outer: Rect, panel: &Panel, options: &Options) {
    let (x_title, y_title) = (options.x_label("Bin"), options.y_label("Events"));
    let head = LARGE * font::LINE;
    let bottom = outer.bottom - bottom_room(x_title);
    let between = 1.75 * GAP;
    let split = outer.top + head + 0.72 * (bottom - outer.top - head - between);
    let x = Range::new(0.0, panel.total.len().max(1) as f64, false);
    let y = Axis::new(&y_range(panel, options.log), split, outer.top + head);
    let ratio = Axis::new(&ratio_range(panel), bottom, split + between);
    let left = outer.left + left_room(&y, y_title).max(left_room(&ratio, "Data / MC"));
    let bins = |right| Axis::new(&x, left, right).whole();
    let right = outer.right - bins(outer.right).overhang();
    let x = bins(right);
    let main = Frame { area: Rect::new(left, outer.top + head, right, split), x: x.clone(), y };
    let below = Frame { area: Rect::new(left, split + between, right, bottom), x, y: ratio };

    canvas.clipped(main.area, |canvas| draw_main(canvas, &main, panel));
    main.draw_x(canvas, "", false);
    main.draw_y(canvas, y_title);
    canvas.outline(main.area, Stroke::solid(BLACK, 1.2));
    markers(canvas, &main, panel.data.iter().map(|d| poisson::interval(*d).map(|_| *d)));
    canvas.clipped(below.area, |canvas| draw_ratio(canvas, &below, panel));
    below.draw_x(canvas, x_title, true);
    below.draw_y(canvas, "Data / MC");
    canvas.outline(below.area, Stroke::solid(BLACK, 1.2));
    markers(canvas, &below, ratios(panel).map(|r| r.map(|(ratio, _)| ratio)));
    let name = font::shorten(&clean(panel.name), SMALL, right - left);
    canvas.text(&Label::new(&name, SMALL), (left, main.area.top - 0.75 * GAP));
}

/// Room for the data and the band above what is drawn.
fn y_range(panel: &Panel, log: bool) -> Range {
    let tops = panel.total.iter().zip(&panel.sigma).map(|(t, s)| t + finite(*s).unwrap_or(0.0));
    let data = panel.data.iter().filter_map(|d| poisson::interval(*d)).map(|(_, hi)| hi);
    let most = tops.chain(data).chain(panel.total.iter().copied()).filter(|v| v.is_finite()).fold(0.0, f64::max);
    if log {
        let range = Range::of(panel.total.iter().chain(&panel.data).copied().chain([most]), true);
        // Down to the smallest sample, but not so far that the total is a line.
        let samples = Range::of(panel.samples.iter().flat_map(|(_, y)| y.iter().copied()).chain([range.lo]), true);
        return Range::new(samples.lo.max(range.lo * 1e-3) / 2.0, range.hi, true).padded(0.0, 0.08);
    }
    let least = stack(panel).flat_map(|(_, bars)| bars).map(|(from, to)| from.min(to)).fold(0.0, f64::min);
    let least = panel.total.iter().copied().filter(|v| v.is_finite()).fold(least, f64::min);
    let range = if most > least { Range::new(least, most, false) } else { Range::new(0.0, 1.0, false) };
    range.padded(if least < 0.0 { 0.08 } else { 0.0 }, 0.12)
}

/// Each sample's colour and, a bin, where its bar begins and ends. Positive yields stand on one another upwards from
/// zero, negative ones downwards.
fn stack<'a>(panel: &'a Panel<'a>) -> impl Iterator<Item = (Colour, Vec<(f64, f64)>)> + 'a {
    let mut reached = vec![(0.0, 0.0); panel.total.len()];
    panel.samples.iter().map(move |(colour, yields)| {
        let bars = yields.iter().zip(&mut reached).map(|(value, (up, down))| {
            let side = if *value >= 0.0 { up } else { down };
            let from = *side;
            *side += finite(*value).unwrap_or(0.0);
            (from, *side)
        });
        (*colour, bars.collect())
    })
}

fn draw_main(canvas: &mut Canvas, frame: &Frame, panel: &Panel) {
    for (colour, bars) in stack(panel) {
        let areas: Vec<Vec<Point>> =
            bars.iter().enumerate().filter(|(_, (a, b))| a != b).map(|(i, bar)| bin(frame, i, *bar)).collect();
        canvas.polygons(&areas, colour);
    }
    let band = |(i, (t, s)): (usize, (&f64, &f64))| (t.is_finite() && *s > 0.0).then(|| bin(frame, i, (t - s, t + s)));
    let areas: Vec<_> = panel.total.iter().zip(&panel.sigma).enumerate().filter_map(band).collect();
    canvas.polygons(&areas, Paint::Hatched(HATCH));
    let steps = panel.total.iter().enumerate().map(|(i, t)| finite(*t).map(|t| (i, t)));
    for run in super::runs(steps) {
        let edges = run.iter().flat_map(|(i, t)| [frame.at(*i as f64, *t), frame.at(*i as f64 + 1.0, *t)]);
        canvas.polyline(&edges.collect::<Vec<_>>(), Stroke::solid(BLACK, 1.1));
    }
    for (i, count) in panel.data.iter().enumerate() {
        if let Some(bar) = poisson::interval(*count) {
            error_bar(canvas, frame, panel.data.len(), i as f64 + 0.5, bar);
        }
    }
}

const HATCH: Colour = Colour(70, 70, 70);

fn bin(frame: &Frame, index: usize, (from, to): (f64, f64)) -> Vec<Point> {
    let (left, right) = (index as f64, index as f64 + 1.0);
    vec![frame.at(left, from), frame.at(right, from), frame.at(right, to), frame.at(left, to)]
}

fn radius(frame: &Frame, bins: usize) -> f64 {
    (0.35 * frame.area.width() / bins.max(1) as f64).clamp(1.2, 3.6)
}

/// With the head of an arrow where it goes on above the frame.
fn error_bar(canvas: &mut Canvas, frame: &Frame, bins: usize, x: f64, (lo, hi): (f64, f64)) {
    let radius = radius(frame, bins);
    let stroke = Stroke::solid(BLACK, 0.35 * radius);
    canvas.line(frame.at(x, lo), frame.at(x, hi.min(frame.y.hi)), stroke);
    if hi > frame.y.hi {
        let (at, top) = (frame.x.at(x), frame.area.top + 1.0);
        canvas.polyline(&[(at - radius, top + 1.5 * radius), (at, top), (at + radius, top + 1.5 * radius)], stroke);
    }
}

/// One point a bin, whole even at the edge of the frame.
fn markers(canvas: &mut Canvas, frame: &Frame, values: impl ExactSizeIterator<Item = Option<f64>>) {
    let radius = radius(frame, values.len());
    for (i, value) in values.enumerate() {
        if let Some(value) = value.filter(|v| frame.y.contains(*v)) {
            canvas.disc(frame.at(i as f64 + 0.5, value), radius, BLACK);
        }
    }
}

/// Data over total and its error bar, where the total is positive.
fn ratios<'a>(panel: &'a Panel<'a>) -> impl ExactSizeIterator<Item = Option<(f64, (f64, f64))>> + 'a {
    panel.data.iter().zip(&panel.total).map(|(data, total)| {
        let (lo, hi) = poisson::interval(*data).filter(|_| *total > 0.0)?;
        Some((data / total, (lo / total, hi / total)))
    })
}

/// Symmetric around one as far as 0 to 2, with all points and bars; wider only for points beyond 2.
fn ratio_range(panel: &Panel) -> Range {
    let bars = ratios(panel).flatten().flat_map(|(_, (lo, hi))| [lo, hi]);
    let bands =
        panel.total.iter().zip(&panel.sigma).filter(|(t, s)| **t > 0.0 && s.is_finite()).map(|(t, s)| 1.0 + s / t);
    let far = bars.chain(bands).map(|v| (v - 1.0).abs()).fold(0.2, f64::max).min(1.0) * 1.05;
    let most = ratios(panel).flatten().map(|(r, _)| r).fold(0.0, f64::max).min(10.0);
    Range::new((1.0 - far).max(0.0), (1.0 + far).max(most * 1.1), false).padded(0.05, 0.05)
}

fn draw_ratio(canvas: &mut Canvas, frame: &Frame, panel: &Panel) {
    let band =
        |(i, (t, s)): (usize, (&f64, &f64))| (*t > 0.0 && *s > 0.0).then(|| bin(frame, i, (1.0 - s / t, 1.0 + s / t)));
    let areas: Vec<_> = panel.total.iter().zip(&panel.sigma).enumerate().filter_map(band).collect();
    canvas.polygons(&areas, Paint::Hatched(HATCH));
    let Rect { left, right, top, .. } = frame.area;
    canvas.line((left, frame.y.at(1.0)), (right, frame.y.at(1.0)), Stroke::dashed(BLACK, 1.0));
    for (i, ratio) in ratios(panel).enumerate() {
        let Some((ratio, bar)) = ratio else { continue };
        let x = i as f64 + 0.5;
        if ratio > frame.y.hi {
            // An arrow to what lies above.
            let at = frame.x.at(x);
            canvas.polygon(&[(at, top + 1.0), (at - 4.0, top + 9.0), (at + 4.0, top + 9.0)], BLACK);
        } else {
            error_bar(canvas, frame, panel.data.len(), x, bar);
        }
    }
}
