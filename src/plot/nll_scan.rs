//! Scans of −2 Δln L: a curve over one parameter, a coloured plane with contours over two.

use super::axis::{Axis, Frame, GAP, Range, SMALL, bottom_room, left_room};
use super::canvas::{Canvas, Figure, Label, Point, Rect, Side, Stroke};
use super::colour::{BLACK, GREY, RED, WHITE, sequential};
use super::legend::{Legend, Sign};
use super::mesh::Mesh;
use super::pulls::clean;
use super::ticks::number;
use super::{Options, finite, font, runs};
use serde::Deserialize;
use serde_json::Value;

/// What `scan` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Scan {
    /// The minimum: a number, a list, or an object that holds one as `value` or `values`.
    #[serde(default)]
    pub best: Value,
    #[serde(default)]
    pub contours: Vec<Contour>,
    /// The levels of a scan over one parameter.
    #[serde(default)]
    pub intervals: Vec<Level>,
    #[serde(default)]
    pub parameter: Option<String>,
    #[serde(default)]
    pub parameters: Option<Vec<String>>,
    pub points: Vec<Scanned>,
    #[serde(default)]
    pub valid: Option<bool>,
}

/// One point; `value` of a scan over one parameter, `values` over two.
#[derive(Clone, Debug, Deserialize)]
pub struct Scanned {
    pub delta_twice_nll: Option<f64>,
    #[serde(default = "yes")]
    pub valid: bool,
    #[serde(default)]
    pub value: Option<f64>,
    #[serde(default)]
    pub values: Option<Vec<f64>>,
}

/// A confidence level and its −2 Δln L.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Level {
    pub delta: f64,
    pub level: f64,
}

/// The line of one confidence level.
#[derive(Clone, Debug, Deserialize)]
pub struct Contour {
    pub delta: f64,
    pub level: f64,
    #[serde(default)]
    pub lines: Vec<Vec<Point>>,
}

fn yes() -> bool {
    true
}

/// −2 Δln L at the edge of the 68.27 % and the 95 % interval of one parameter.
const ONE: [(f64, f64); 2] = [(0.6827, 1.0), (0.95, 3.8415)];
/// At the edges of the 68.27 % and the 95 % region of two: −2 ln(1 − level).
const TWO: [(f64, f64); 2] = [(0.6827, 2.2957), (0.95, 5.9915)];

impl Scanned {
    /// −2 Δln L of a valid point, else none.
    fn height(&self) -> Option<f64> {
        self.delta_twice_nll.filter(|_| self.valid).and_then(finite)
    }
}

/// # Errors
/// A sentence, where the result has no point to draw or neither one nor two parameters.
pub fn draw(scan: &Scan, options: &Options) -> Result<Figure, String> {
    let failed = scan.points.iter().filter(|p| p.height().is_none()).count();
    let mut notes = super::note_of(scan.valid);
    if failed == scan.points.len() {
        return Err("the scan has no valid point".to_owned());
    }
    if failed > 0 {
        notes.push(format!(
            "{failed} of {} scan points are not valid: gaps of a curve, crosses in a plane",
            scan.points.len()
        ));
    }
    match (&scan.parameter, scan.parameters.as_deref()) {
        (Some(name), None) => one(scan, name, options).map(|canvas| canvas.finish(notes)),
        (None, Some([name])) => one(scan, name, options).map(|canvas| canvas.finish(notes)),
        (None, Some([x, y])) => two(scan, [x, y], options, &mut notes).map(|canvas| canvas.finish(notes)),
        _ => Err("expected a scan of one or two parameters".to_owned()),
    }
}

fn one(scan: &Scan, name: &str, options: &Options) -> Result<Canvas, String> {
    let place = |p: &Scanned| p.value.or_else(|| p.values.as_deref().and_then(|v| v.first()).copied());
    let mut points = Vec::new();
    for point in &scan.points {
        let value = place(point).filter(|v| v.is_finite()).ok_or("a scan point has no value")?;
        points.push((value, point.height()));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let name = clean(name);
    let (x_title, y_title) = (options.x_label(&name), options.y_label("−2 Δln L"));
    let best = numbers(&scan.best).first().copied();
    let mut entries = vec![(Sign::LineAndPoint(Stroke::solid(BLACK, 1.6)), "Profile likelihood".to_owned())];
    if let Some(best) = best {
        entries.push((Sign::Line(Stroke::dotted(BLACK, 1.2)), format!("Best fit: {}", number(best, 4))));
    }
    let (width, height) = options.size_or(680.0, 540.0);
    let legend = Legend::new(options.title.as_deref(), &entries, width - 4.0 * GAP);
    let mut canvas = Canvas::new(width, height);
    let levels = levels(scan);
    let room = levels.iter().map(|(_, text)| font::width(text, SMALL)).fold(0.0, f64::max) + 0.75 * GAP;
    let outer = Rect::new(GAP, 2.0 * GAP + legend.height(), width - GAP - room, height);
    let x = Range::of(points.iter().map(|p| p.0), false).padded(0.02, 0.02);
    let heights = || points.iter().filter_map(|p| p.1);
    let y = Range::of(heights().chain([0.0, 4.6]).chain(levels.iter().map(|l| 1.15 * l.0)), false).padded(0.02, 0.05);
    let frame = Frame::within(outer, &x, &y, x_title, y_title);
    legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
    let Rect { left, right, top, bottom } = frame.area;
    canvas.clipped(frame.area, |canvas| {
        for (delta, _) in &levels {
            canvas.line((left, frame.y.at(*delta)), (right, frame.y.at(*delta)), Stroke::dashed(GREY, 1.2));
        }
        if let Some(best) = best.filter(|b| frame.x.contains(*b)) {
            canvas.line((frame.x.at(best), top), (frame.x.at(best), bottom), Stroke::dotted(BLACK, 1.2));
        }
        for run in runs(points.iter().map(|(x, y)| Some(frame.at(*x, (*y)?)))) {
            canvas.polyline(&run, Stroke::solid(BLACK, 1.6));
        }
        for (x, y) in points.iter().filter_map(|(x, y)| Some((*x, (*y)?))) {
            canvas.disc(frame.at(x, y), 2.8, BLACK);
        }
    });
    frame.draw(&mut canvas, x_title, y_title);
    level_names(&mut canvas, &frame, &levels);
    Ok(canvas)
}

/// The levels of the result with their −2 Δln L, the lowest first; where it has none, the usual ones.
fn levels(scan: &Scan) -> Vec<(f64, String)> {
    let mut levels: Vec<(f64, f64)> = scan.intervals.iter().map(|i| (i.level, i.delta)).collect();
    levels.retain(|(level, delta)| level.is_finite() && delta.is_finite() && *delta > 0.0);
    if levels.is_empty() {
        levels = ONE.to_vec();
    }
    levels.sort_by(|a, b| a.1.total_cmp(&b.1));
    levels.dedup();
    // Whole percents, unless two levels would look the same or one like certainty.
    let named = |digits| -> Vec<String> { levels.iter().map(|(l, _)| number(100.0 * l, digits)).collect() };
    let distinct = |names: &Vec<String>| names.windows(2).all(|w| w[0] != w[1]) && names.iter().all(|n| n != "100");
    let names = (2..6).map(named).find(distinct).unwrap_or_else(|| named(6));
    levels.iter().zip(names).map(|((_, delta), name)| (*delta, format!("{name} %"))).collect()
}

/// Names the levels right of the frame, where no line is; not where they are too close to one another.
fn level_names(canvas: &mut Canvas, frame: &Frame, levels: &[(f64, String)]) {
    let mut last = f64::INFINITY;
    for (delta, text) in levels {
        let y = frame.y.at(*delta);
        if last - y > 1.1 * SMALL {
            let label = Label::new(text, SMALL).across(Side::Middle).colour(DARK);
            canvas.text(&label, (frame.area.right + 0.75 * GAP, y));
            last = y;
        }
    }
}

const FAILED: Stroke = Stroke::solid(GREY, 1.4);
const DARK: super::colour::Colour = super::colour::Colour(90, 90, 90);

fn numbers(best: &Value) -> Vec<f64> {
    match best {
        Value::Number(number) => number.as_f64().into_iter().collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_f64).collect(),
        Value::Object(map) => ["value", "values"].iter().find_map(|key| map.get(*key)).map(numbers).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn two(scan: &Scan, names: [&String; 2], options: &Options, notes: &mut Vec<String>) -> Result<Canvas, String> {
    let mut places: Vec<Point> = Vec::new();
    let mut heights = Vec::new();
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for point in &scan.points {
        let place = point
            .values
            .as_deref()
            .and_then(|v| <[f64; 2]>::try_from(v).ok())
            .ok_or("a scan point has not two values")?;
        let place = (place[0], place[1]);
        all.push(place);
        match point.height() {
            Some(height) => {
                places.push(place);
                heights.push(height);
            }
            None => failed.push(place),
        }
    }
    let mesh = Mesh::new(&places).ok_or("the valid scan points lie on one line: no plane")?;
    let names = names.map(|name| clean(name));
    let (x_title, y_title) = (options.x_label(&names[0]), options.y_label(&names[1]));
    let contours = contours(scan, &mesh, &heights, notes);
    let best: Option<Point> = <[f64; 2]>::try_from(numbers(&scan.best)).ok().map(|[x, y]| (x, y));

    let (width, height) = options.size_or(720.0, 600.0);
    let legend = Legend::new(
        options.title.as_deref(),
        &plane_entries(&contours, best.is_some(), !failed.is_empty()),
        width - 4.0 * GAP,
    );
    let mut canvas = Canvas::new(width, height);
    let most = heights.iter().copied().fold(0.0, f64::max).clamp(TWO[1].1 * 1.5, 25.0);
    let top = 2.0 * GAP + legend.height();
    let scale = Axis::new(&Range::new(0.0, most, false), height - bottom_room(x_title), top);
    let bar = 18.0;
    let right = width - GAP - left_room(&scale, "x") - bar - 2.0 * GAP;
    let x = Range::of(all.iter().map(|p| p.0), false);
    let y = Range::of(all.iter().map(|p| p.1), false);
    let frame = Frame::within(Rect::new(GAP, top, right, height), &x, &y, x_title, y_title);
    legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
    canvas.clipped(frame.area, |canvas| {
        plane(canvas, &frame, &mesh, &heights, most);
        for contour in &contours {
            let stroke = contour_stroke(contour.level);
            for line in &contour.lines {
                canvas.polyline(&line.iter().map(|(x, y)| frame.at(*x, *y)).collect::<Vec<_>>(), stroke);
            }
        }
        for (x, y) in &failed {
            canvas.cross(frame.at(*x, *y), 3.0, FAILED);
        }
        if let Some((x, y)) = best {
            canvas.cross(frame.at(x, y), 6.0, Stroke::solid(RED, 2.4));
        }
    });
    frame.draw(&mut canvas, x_title, y_title);
    let left = width - GAP - left_room(&scale, "x") - bar;
    colour_bar(&mut canvas, Rect::new(left, frame.area.top, left + bar, frame.area.bottom), &scale);
    Ok(canvas)
}

/// Those of the result; where it has none, those of its points.
fn contours(scan: &Scan, mesh: &Mesh, heights: &[f64], notes: &mut Vec<String>) -> Vec<Contour> {
    if scan.contours.iter().any(|c| !c.lines.is_empty()) {
        return scan.contours.clone();
    }
    notes.push("the result has no contour lines: drawn from its points, linear between them".to_owned());
    let own = |(level, delta): (f64, f64)| {
        let function: Vec<f64> = heights.iter().map(|h| delta - h).collect();
        Contour { delta, level, lines: mesh.lines(&function) }
    };
    TWO.into_iter().map(own).collect()
}

fn contour_stroke(level: f64) -> Stroke {
    if level < 0.9 { Stroke::solid(WHITE, 2.2) } else { Stroke::dashed(WHITE, 2.2) }
}

fn plane_entries(contours: &[Contour], best: bool, failed: bool) -> Vec<(Sign, String)> {
    let mut entries = Vec::new();
    if best {
        entries.push((Sign::Cross(Stroke::solid(RED, 2.4)), "Best fit".to_owned()));
    }
    for contour in contours {
        let text = format!("{} % CL (−2 Δln L = {})", number(100.0 * contour.level, 3), number(contour.delta, 3));
        entries.push((Sign::LineInBand(contour_stroke(contour.level), sequential(0.75)), text));
    }
    if failed {
        entries.push((Sign::Cross(FAILED), "no result".to_owned()));
    }
    entries
}

/// Levels one over the other, the highest first, so that no seams show; low is light.
fn plane(canvas: &mut Canvas, frame: &Frame, mesh: &Mesh, heights: &[f64], most: f64) {
    const STEPS: usize = 60;
    for step in 0..=STEPS {
        let level = most * (1.0 - step as f64 / STEPS as f64);
        // The first covers everything, the others what lies below their level.
        let function = heights.iter().map(|h| if step == 0 { 1.0 } else { level - h }).collect();
        let areas: Vec<Vec<Point>> = mesh.region(&[function]);
        let areas: Vec<_> = areas.iter().map(|a| a.iter().map(|(x, y)| frame.at(*x, *y)).collect()).collect();
        canvas.polygons(&areas, sequential(1.0 - level / most));
    }
}

fn colour_bar(canvas: &mut Canvas, area: Rect, scale: &Axis) {
    const STEPS: usize = 60;
    for step in 0..STEPS {
        let share = step as f64 / STEPS as f64;
        let strip = Rect::new(area.left, area.top, area.right, area.bottom - share * area.height());
        canvas.rect(strip, sequential(1.0 - share));
    }
    for (value, text) in scale.vertical_ticks().major {
        let y = scale.at(value);
        canvas.line((area.right - 5.0, y), (area.right, y), Stroke::solid(BLACK, 1.0));
        canvas.text(&Label::new(&text, SMALL).across(Side::Middle), (area.right + GAP, y));
    }
    canvas.outline(area, Stroke::solid(BLACK, 1.0));
    let x = area.right + GAP + scale.labels_width() + 0.5 * GAP;
    let title = Label::new("−2 Δln L", super::axis::LARGE).along(Side::End).across(Side::Start).upwards();
    canvas.text(&title, (x, area.top));
}
