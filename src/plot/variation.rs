//! One sample along one parameter: its template at −1σ and +1σ over the nominal one, and the yield of a bin between.

use super::axis::{Axis, Frame, GAP, Range, bottom_room, left_room};
use super::canvas::{Canvas, Figure, Rect, Stroke};
use super::colour::{BLACK, BLUE, Colour, GREY, RED};
use super::legend::{Legend, Sign};
use super::pulls::clean;
use crate::audit::Shape;

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Variation {
    pub title: String,
    pub shape: Shape,
    /// Bins that are marked.
    pub bins: Vec<usize>,
    /// The bin of `curve`.
    pub bin: usize,
    /// Numbers of σ and yields of this bin.
    pub curve: Vec<(f64, f64)>,
}

const HEIGHT: f64 = 360.0;
const TEMPLATES: f64 = 470.0;
const CURVE: f64 = 350.0;
/// Behind marked bins.
const MARK: Colour = Colour(255, 240, 200);

/// With one bin there is the curve alone.
pub fn draw(variation: &Variation) -> Figure {
    let has_templates = variation.shape.nominal.len() > 1;
    let width = if has_templates { TEMPLATES + CURVE } else { CURVE + 100.0 };
    let side = |stroke: Stroke| if has_templates { Sign::Line(stroke) } else { Sign::Dot(stroke.colour) };
    let mut entries = vec![
        (side(Stroke::solid(RED, 1.8)), "+1σ".to_owned()),
        (side(Stroke::dashed(BLUE, 1.8)), "−1σ".to_owned()),
        (Sign::Line(Stroke::solid(BLACK, 1.4)), "nominal".to_owned()),
    ];
    if has_templates && !variation.bins.is_empty() {
        entries.push((Sign::Area(MARK.into()), "bins of the finding".to_owned()));
    }
    let legend = Legend::new(Some(&clean(&variation.title)), &entries, width - 3.0 * GAP);
    let top = 1.5 * GAP + legend.height();
    let mut canvas = Canvas::new(width, top + HEIGHT);
    legend.draw(&mut canvas, 1.5 * GAP, 1.5 * GAP);
    let mut left = GAP;
    if has_templates {
        templates(&mut canvas, Rect::new(left, top, TEMPLATES - GAP, top + HEIGHT - 0.5 * GAP), variation);
        left = TEMPLATES + GAP;
    }
    curve(&mut canvas, Rect::new(left, top, width - 2.0 * GAP, top + HEIGHT - 0.5 * GAP), variation);
    let beyond = ratios(&variation.shape).filter(|r| !(LOWEST..=HIGHEST).contains(r)).count();
    let missing = variation.curve.iter().filter(|(_, value)| !value.is_finite()).count();
    let gaps = format!("{missing} of {} yields of bin {} are no numbers: gaps", variation.curve.len(), variation.bin);
    let note = format!("{beyond} ratios are not from {LOWEST} to {HIGHEST}: beyond the frame").replace('-', "−");
    let notes = [(has_templates && beyond > 0).then_some(note), (missing > 0).then_some(gaps)];
    canvas.finish(notes.into_iter().flatten().collect())
}

/// Templates above, their ratio to the nominal one below.
fn templates(canvas: &mut Canvas, outer: Rect, variation: &Variation) {
    let shape = &variation.shape;
    let n = shape.nominal.len();
    let bottom = outer.bottom - bottom_room("Bin");
    let split = outer.top + 0.55 * (bottom - outer.top);
    let all = || shape.nominal.iter().chain(&shape.up).chain(&shape.down).copied();
    let y = Axis::new(&Range::of(all().chain([0.0]), false).padded(0.04, 0.08), split - GAP, outer.top + GAP);
    let below = Axis::new(&ratio_range(shape), bottom, split + GAP);
    let left = outer.left + left_room(&y, "Yield").max(left_room(&below, "Ratio"));
    let range = Range::new(0.0, n as f64, false);
    let x = |right: f64| Axis::new(&range, left, right).whole();
    let right = outer.right - x(outer.right).overhang();
    let main = Frame { area: Rect::new(left, outer.top + GAP, right, split - GAP), x: x(right), y };
    let below = Frame { area: Rect::new(left, split + GAP, right, bottom), x: x(right), y: below };
    for frame in [&main, &below] {
        for &bin in &variation.bins {
            let at = |bin: usize| frame.x.at(bin as f64);
            canvas.rect(Rect::new(at(bin), frame.area.top, at(bin + 1), frame.area.bottom), MARK);
        }
    }
    let ratio =
        |side: &[f64]| side.iter().zip(&shape.nominal).map(|(a, n)| if *n == 0.0 { f64::NAN } else { a / n }).collect();
    let ones: Vec<f64> = vec![1.0; n];
    let ratios: [Vec<f64>; 2] = [ratio(&shape.up), ratio(&shape.down)];
    for (frame, [nominal, up, down]) in
        [(&main, [&shape.nominal, &shape.up, &shape.down]), (&below, [&ones, &ratios[0], &ratios[1]])]
    {
        canvas.clipped(frame.area, |canvas| {
            steps(canvas, frame, nominal, Stroke::solid(BLACK, 1.4));
            steps(canvas, frame, up, Stroke::solid(RED, 1.8));
            steps(canvas, frame, down, Stroke::dashed(BLUE, 1.8));
        });
    }
    zero(canvas, &main);
    main.draw_x(canvas, "", false);
    main.draw_y(canvas, "Yield");
    canvas.outline(main.area, Stroke::solid(BLACK, 1.2));
    below.draw_x(canvas, "Bin", true);
    below.draw_y(canvas, "Ratio");
    canvas.outline(below.area, Stroke::solid(BLACK, 1.2));
}

/// Ratios of both sides to the nominal template, where there is one.
fn ratios(shape: &Shape) -> impl Iterator<Item = f64> + '_ {
    let sides = shape.up.iter().zip(&shape.nominal).chain(shape.down.iter().zip(&shape.nominal));
    sides.filter(|(_, n)| **n != 0.0).map(|(a, n)| a / n).filter(|ratio| ratio.is_finite())
}

/// What a frame of ratios shows at most.
const LOWEST: f64 = -1.5;
const HIGHEST: f64 = 6.0;

/// All ratios and one; what is far beyond leaves the frame.
fn ratio_range(shape: &Shape) -> Range {
    let (low, high) = ratios(shape).fold((0.995, 1.005), |(low, high): (f64, f64), r| (low.min(r), high.max(r)));
    Range::new(low.max(LOWEST), high.min(HIGHEST), false).padded(0.1, 0.1)
}

/// A line at zero where the frame shows negative yields.
fn zero(canvas: &mut Canvas, frame: &Frame) {
    if frame.y.lo < 0.0 && frame.y.hi > 0.0 {
        let Rect { left, right, .. } = frame.area;
        canvas.line((left, frame.y.at(0.0)), (right, frame.y.at(0.0)), Stroke::dotted(GREY, 1.0));
    }
}

fn steps(canvas: &mut Canvas, frame: &Frame, values: &[f64], stroke: Stroke) {
    for run in super::runs(values.iter().enumerate().map(|(i, v)| super::finite(*v).map(|v| (i, v)))) {
        let edges = run.iter().flat_map(|(i, v)| [frame.at(*i as f64, *v), frame.at(*i as f64 + 1.0, *v)]);
        canvas.polyline(&edges.collect::<Vec<_>>(), stroke);
    }
}

/// The yield of one bin between −1σ and +1σ.
fn curve(canvas: &mut Canvas, outer: Rect, variation: &Variation) {
    let nominal = variation.shape.nominal.get(variation.bin).copied().unwrap_or(f64::NAN);
    let yields = variation.curve.iter().map(|(_, value)| *value).chain([nominal]);
    let lowest = yields.clone().fold(f64::INFINITY, f64::min);
    // Zero belongs to what is negative.
    let range = Range::of(yields.chain((lowest < 0.0).then_some(0.0)), false).padded(0.1, 0.1);
    let title = format!("Yield in bin {}", variation.bin);
    let area = Rect::new(outer.left, outer.top + GAP, outer.right, outer.bottom);
    let frame = Frame::within(area, &Range::new(-1.1, 1.1, false), &range, "Parameter / σ", &title);
    canvas.clipped(frame.area, |canvas| {
        if nominal.is_finite() {
            let at = frame.y.at(nominal);
            canvas.line((frame.area.left, at), (frame.area.right, at), Stroke::solid(BLACK, 0.8));
        }
        let points = variation.curve.iter().map(|point| Some(*point).filter(|(_, value)| value.is_finite()));
        for run in super::runs(points) {
            let run: Vec<_> = run.iter().map(|(sigma, value)| frame.at(*sigma, *value)).collect();
            canvas.polyline(&run, Stroke::solid(GREY, 2.0));
        }
    });
    zero(canvas, &frame);
    for (end, colour) in [(variation.curve.first(), BLUE), (variation.curve.last(), RED)] {
        if let Some((sigma, value)) = end.filter(|(_, value)| value.is_finite()) {
            canvas.disc(frame.at(*sigma, *value), 4.5, colour);
        }
    }
    frame.draw(canvas, "Parameter / σ", &title);
}
