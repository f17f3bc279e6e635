//! The exclusion contour: which points of a patchset's plane are excluded, observed and expected.

use super::axis::{Frame, GAP, Range};
use super::canvas::{Canvas, Figure, Point, Rect, Stroke};
use super::colour::{BLACK, GREY, LIGHT_GREY, RED, YELLOW};
use super::legend::{Legend, Sign};
use super::mesh::Mesh;
use super::ticks::number;
use super::{Options, finite};
use crate::report::number::Number;
use serde::Deserialize;
use serde_json::Value;

/// What `limit --patchset` writes for one point, as far as it is drawn here: the upper limits on the signal strength, or
/// CLs at a strength of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Patch {
    #[serde(rename = "CLs_exp", default)]
    pub cls_exp: Option<Vec<Number>>,
    #[serde(rename = "CLs_obs", default)]
    pub cls_obs: Option<f64>,
    #[serde(default)]
    pub confidence_level: Option<f64>,
    #[serde(default)]
    pub expected_limit: Option<Vec<Number>>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub observed_limit: Option<f64>,
    /// Numbers and names, as the patchset has them.
    pub values: Vec<Value>,
}

/// Points and, one a point, how strongly it is excluded: negative where it is.
struct Surface {
    points: Vec<Point>,
    strength: Vec<f64>,
}

impl Patch {
    /// ln of the limit, or of CLs over α: zero on the contour, and nearly linear in masses.
    fn observed(&self) -> Option<f64> {
        let limit = self.observed_limit.filter(|l| *l > 0.0 && l.is_finite()).map(f64::ln);
        limit.or_else(|| self.tested(self.cls_obs?))
    }

    /// As observed; `index` from 0 (−2σ) to 4 (+2σ).
    fn expected(&self, index: usize) -> Option<f64> {
        let of = |values: &Option<Vec<Number>>| values.as_ref().and_then(|v| v.get(index)).and_then(|v| finite(v.0));
        let limit = of(&self.expected_limit).filter(|l| *l > 0.0).map(f64::ln);
        limit.or_else(|| self.tested(of(&self.cls_exp)?))
    }

    fn tested(&self, cls: f64) -> Option<f64> {
        let alpha = 1.0 - self.confidence_level.unwrap_or(0.95);
        // CLs below the smallest normal number is as good as zero.
        (cls.is_finite() && cls >= 0.0).then(|| (cls.max(f64::MIN_POSITIVE) / alpha).ln())
    }
}

/// `axes`: which two of each point's values span the plane.
///
/// # Errors
/// A sentence, where points lack these values or no contour can be drawn.
pub fn draw(patches: &[Patch], axes: (usize, usize), options: &Options) -> Result<Figure, String> {
    let place = |patch: &Patch| -> Result<Point, String> {
        let of = |axis: usize| patch.values.get(axis).and_then(Value::as_f64).filter(|v| v.is_finite());
        let missing = || format!("the point {:?} has no numbers as values {} and {}", patch.name, axes.0, axes.1);
        of(axes.0).zip(of(axes.1)).ok_or_else(missing)
    };
    let places = patches.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    if let Some((a, b)) = same_place(&places) {
        let names = format!("{:?} and {:?}", patches[a].name, patches[b].name);
        return Err(format!("the points {names} lie at one place of this plane: choose other --axes or fewer points"));
    }
    let mut notes = Vec::new();
    let surface = |value: &dyn Fn(&Patch) -> Option<f64>| {
        let both = patches.iter().zip(&places).filter_map(|(patch, place)| Some((*place, value(patch)?)));
        let (points, strength) = both.unzip();
        Surface { points, strength }
    };
    let observed = surface(&Patch::observed);
    let expected = surface(&|p| p.expected(2));
    for (what, have) in [("observed", &observed), ("expected", &expected)] {
        let missing = patches.len() - have.points.len();
        if missing > 0 {
            notes.push(format!("{missing} of {} points have no {what} result: left out of its contour", patches.len()));
        }
    }
    let picture = Picture { patches, places: &places, observed, expected };
    Ok(picture.draw(options, &mut notes)?.finish(notes))
}

/// Two points at one place, between which nothing could be interpolated.
fn same_place(places: &[Point]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    let compare =
        |a: &usize, b: &usize| places[*a].0.total_cmp(&places[*b].0).then(places[*a].1.total_cmp(&places[*b].1));
    order.sort_by(compare);
    order.windows(2).find(|pair| places[pair[0]] == places[pair[1]]).map(|pair| (pair[0], pair[1]))
}

struct Picture<'a> {
    patches: &'a [Patch],
    places: &'a [Point],
    observed: Surface,
    expected: Surface,
}

impl Picture<'_> {
    fn draw(&self, options: &Options, notes: &mut Vec<String>) -> Result<Canvas, String> {
        let meshes = [&self.observed, &self.expected].map(|s| Mesh::new(&s.points));
        if meshes.iter().all(Option::is_none) {
            return Err("the points with results are too few or lie on one line: no plane".to_owned());
        }
        let [observed, expected] = meshes;
        let lines = |mesh: &Option<Mesh>, surface: &Surface| {
            mesh.as_ref().map(|mesh| mesh.lines(&negated(&surface.strength))).unwrap_or_default()
        };
        let (observed, expected) = (lines(&observed, &self.observed), lines(&expected, &self.expected));
        for (what, lines) in [("observed", &observed), ("expected", &expected)] {
            if lines.is_empty() {
                notes.push(format!("the {what} result crosses the threshold nowhere: no {what} contour"));
            }
        }
        let (x_title, y_title) = (options.x_label("first value"), options.y_label("second value"));
        let (width, height) = options.size_or(720.0, 580.0);
        let legend = Legend::new(options.title.as_deref(), &self.entries(), width - 4.0 * GAP);
        let mut canvas = Canvas::new(width, height);
        let outer = Rect::new(GAP, 2.0 * GAP + legend.height(), width - 2.0 * GAP, height);
        let x = Range::of(self.places.iter().map(|p| p.0), false).padded(0.05, 0.05);
        let y = Range::of(self.places.iter().map(|p| p.1), false).padded(0.05, 0.08);
        let frame = Frame::within(outer, &x, &y, x_title, y_title);
        legend.draw(&mut canvas, 2.0 * GAP, 1.5 * GAP);
        canvas.clipped(frame.area, |canvas| {
            self.band(canvas, &frame);
            self.marks(canvas, &frame);
            for (lines, stroke) in [(expected, EXPECTED), (observed, OBSERVED)] {
                for line in lines {
                    canvas.polyline(&on(&frame, &line), stroke);
                }
            }
        });
        frame.draw(&mut canvas, x_title, y_title);
        Ok(canvas)
    }

    fn entries(&self) -> Vec<(Sign, String)> {
        let level = self.patches.iter().find_map(|p| p.confidence_level).unwrap_or(0.95);
        let mut entries = vec![
            (Sign::Line(OBSERVED), format!("Observed limit ({} % CL)", number(100.0 * level, 4))),
            (Sign::LineInBand(EXPECTED, YELLOW), "Expected limit ±1σ".to_owned()),
            (Sign::Dot(EXCLUDED), "excluded".to_owned()),
            (Sign::Dot(LIGHT_GREY), "not excluded".to_owned()),
        ];
        if self.patches.iter().any(|p| p.observed().is_none()) {
            entries.push((Sign::Cross(Stroke::solid(GREY, 1.2)), "no result".to_owned()));
        }
        entries
    }

    /// Between the expected contours at −1σ and +1σ: excluded by the one, not by the other.
    fn band(&self, canvas: &mut Canvas, frame: &Frame) {
        let all = self.patches.iter().zip(self.places);
        let both = all.filter_map(|(p, place)| Some((*place, (p.expected(1)?, p.expected(3)?))));
        let (points, ends): (Vec<Point>, Vec<(f64, f64)>) = both.unzip();
        if let Some(mesh) = Mesh::new(&points) {
            let (low, high): (Vec<f64>, Vec<f64>) = ends.into_iter().unzip();
            let areas = mesh.region(&[negated(&low), high]);
            canvas.polygons(&areas.iter().map(|area| on(frame, area)).collect::<Vec<_>>(), YELLOW);
        }
    }

    fn marks(&self, canvas: &mut Canvas, frame: &Frame) {
        for (patch, (x, y)) in self.patches.iter().zip(self.places) {
            let place = frame.at(*x, *y);
            match patch.observed() {
                Some(strength) => {
                    canvas.disc(place, 3.0, if strength < 0.0 { EXCLUDED } else { LIGHT_GREY });
                    canvas.circle(place, 3.0, Stroke::solid(GREY, 0.7));
                }
                None => canvas.cross(place, 3.5, Stroke::solid(GREY, 1.2)),
            }
        }
    }
}

const OBSERVED: Stroke = Stroke::solid(RED, 2.2);
const EXPECTED: Stroke = Stroke::dashed(BLACK, 1.8);
const EXCLUDED: super::colour::Colour = super::colour::Colour(110, 110, 110);

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|v| -v).collect()
}

fn on(frame: &Frame, line: &[Point]) -> Vec<Point> {
    line.iter().map(|(x, y)| frame.at(*x, *y)).collect()
}
