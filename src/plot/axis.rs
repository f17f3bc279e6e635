//! Axes and the frame that they span.

use super::canvas::{Canvas, Label, Point, Rect, Side, Stroke};
use super::colour::BLACK;
use super::font;
use super::ticks::{self, Ticks};

/// Size of the numbers at the ticks.
pub const SMALL: f64 = 13.0;
/// Size of titles.
pub const LARGE: f64 = 15.0;
/// Space between things.
pub const GAP: f64 = 8.0;
const LONG_TICK: f64 = 8.0;
const SHORT_TICK: f64 = 4.0;

/// A range of values laid on a range of pixels.
#[derive(Clone, Debug)]
pub struct Axis {
    pub lo: f64,
    pub hi: f64,
    pub log: bool,
    whole: bool,
    from: f64,
    to: f64,
}

/// What an axis shows, before its place is known.
#[derive(Clone, Debug)]
pub struct Range {
    pub lo: f64,
    pub hi: f64,
    pub log: bool,
}

/// The rectangle between two axes.
pub struct Frame {
    pub area: Rect,
    pub x: Axis,
    pub y: Axis,
}

impl Range {
    /// The smallest range of the finite values; those that are not positive do not count on a logarithmic one.
    /// Without any, or where all are equal, a range of some width around.
    pub fn of(values: impl IntoIterator<Item = f64>, log: bool) -> Range {
        let counts = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let (lo, hi) = values
            .into_iter()
            .filter(counts)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        Range::new(lo, hi, log)
    }

    pub fn new(lo: f64, hi: f64, log: bool) -> Range {
        let (lo, hi) = match (lo <= hi, log) {
            (false, false) => (0.0, 1.0),
            (false, true) => (0.1, 1.0),
            // Parts of binary64's range, so that differences and ratios are finite.
            (true, false) => (lo.max(-4e307), hi.min(4e307)),
            (true, true) => (lo.max(1e-140), hi.clamp(1e-140, 1e140)),
        };
        let wide = if log { hi / lo > 1.0 + 1e-6 } else { hi - lo > 1e-9 * lo.abs().max(hi.abs()).max(1e-290) };
        match (wide, log) {
            (true, _) => Range { lo, hi, log },
            (false, true) => Range { lo: lo / 3.0, hi: hi * 3.0, log },
            (false, false) if lo == 0.0 => Range { lo: -1.0, hi: 1.0, log },
            (false, false) => Range { lo: lo - 0.1 * lo.abs(), hi: hi + 0.1 * hi.abs(), log },
        }
    }

    /// With room below and above, in parts of the range.
    pub fn padded(self, below: f64, above: f64) -> Range {
        if self.log {
            let ratio = self.hi / self.lo;
            return Range { lo: self.lo / ratio.powf(below), hi: self.hi * ratio.powf(above), log: true };
        }
        let width = self.hi - self.lo;
        Range { lo: self.lo - below * width, hi: self.hi + above * width, log: false }
    }
}

impl Axis {
    /// `from` is where the lowest value lies, `to` where the highest.
    pub fn new(range: &Range, from: f64, to: f64) -> Axis {
        Axis { lo: range.lo, hi: range.hi, log: range.log, whole: false, from, to }
    }

    /// With ticks at whole numbers only.
    pub fn whole(self) -> Axis {
        Axis { whole: true, ..self }
    }

    /// The pixel of a value; far outside of the range it stays within some thousand pixels.
    pub fn at(&self, value: f64) -> f64 {
        let share = match self.log {
            false => (value - self.lo) / (self.hi - self.lo),
            true if value > 0.0 => (value / self.lo).ln() / (self.hi / self.lo).ln(),
            true => -10.0,
        };
        self.from + (self.to - self.from) * share.clamp(-10.0, 10.0)
    }

    pub fn contains(&self, value: f64) -> bool {
        (self.lo..=self.hi).contains(&value)
    }

    /// As many ticks as have room beside one another; but about `density` pixels between
    /// two; `extent` is the room that a label takes along the axis.
    fn ticks(&self, density: f64, extent: impl Fn(&str) -> f64) -> Ticks {
        let make = |most| {
            if self.log { ticks::logarithmic(self.lo, self.hi, most) } else { ticks::linear(self.lo, self.hi, most) }
        };
        let fits = |ticks: &Ticks| {
            ticks.major.windows(2).all(|pair| match pair {
                [(a, first), (b, second)] => {
                    (self.at(*b) - self.at(*a)).abs() > (extent(first) + extent(second)) / 2.0 + 0.8 * SMALL
                }
                _ => true,
            })
        };
        let wanted = ((self.to - self.from).abs() / density).clamp(3.0, 12.0) as usize;
        let mut ticks = (1..=wanted).rev().map(make).find(fits).unwrap_or_default();
        if self.whole {
            ticks.major.retain(|(value, _)| value.fract() == 0.0);
            ticks.major.iter_mut().for_each(|(value, label)| *label = ticks::number(*value, 6));
            ticks.minor.retain(|value| value.fract() == 0.0);
        }
        ticks
    }

    pub fn horizontal_ticks(&self) -> Ticks {
        self.ticks(60.0, |label| font::width(label, SMALL))
    }

    pub fn vertical_ticks(&self) -> Ticks {
        self.ticks(45.0, |_| SMALL)
    }

    /// Room that the labels of a vertical axis take beside it.
    pub fn labels_width(&self) -> f64 {
        self.vertical_ticks().major.iter().map(|(_, label)| font::width(label, SMALL)).fold(0.0, f64::max)
    }
}

/// Room below a frame for numbers and a title.
pub fn bottom_room(title: &str) -> f64 {
    let title = if title.is_empty() { 0.0 } else { LARGE * font::LINE + GAP };
    GAP + SMALL * font::LINE + title + GAP
}

impl Frame {
    /// Fills `outer` but for the room that numbers and titles at the left and below take.
    pub fn within(outer: Rect, x: &Range, y: &Range, x_title: &str, y_title: &str) -> Frame {
        let bottom = outer.bottom - bottom_room(x_title);
        let y_axis = Axis::new(y, bottom, outer.top);
        let left = outer.left + left_room(&y_axis, y_title);
        // The last number may stand out by half its width.
        let right = outer.right - Axis::new(x, left, outer.right).overhang();
        Frame { area: Rect::new(left, outer.top, right, bottom), x: Axis::new(x, left, right), y: y_axis }
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.x.at(x), self.y.at(y))
    }

    /// Border, ticks on all sides, numbers, titles.
    pub fn draw(&self, canvas: &mut Canvas, x_title: &str, y_title: &str) {
        self.draw_x(canvas, x_title, true);
        self.draw_y(canvas, y_title);
        canvas.outline(self.area, Stroke::solid(BLACK, 1.2));
    }

    /// Ticks at the bottom and the top; numbers and a title where asked for.
    pub fn draw_x(&self, canvas: &mut Canvas, title: &str, numbers: bool) {
        self.ticks_at(canvas, self.area.top, 1.0);
        if numbers {
            self.draw_bottom(canvas, title);
        } else {
            self.ticks_at(canvas, self.area.bottom, -1.0);
        }
    }

    /// Ticks, numbers and title at the bottom alone.
    pub fn draw_bottom(&self, canvas: &mut Canvas, title: &str) {
        let Rect { left, right, bottom, .. } = self.area;
        self.ticks_at(canvas, bottom, -1.0);
        for (value, text) in &self.x.horizontal_ticks().major {
            let label = Label::new(text, SMALL).along(Side::Middle).across(Side::Start);
            canvas.text(&label, (self.x.at(*value), bottom + GAP));
        }
        let title = font::shorten(title, LARGE, right - left);
        let label = Label::new(&title, LARGE).along(Side::End).across(Side::Start);
        canvas.text(&label, (right, bottom + GAP + SMALL * font::LINE + 0.5 * GAP));
    }

    /// Ticks of the horizontal axis from `y` downwards (`side` 1) or upwards (−1).
    fn ticks_at(&self, canvas: &mut Canvas, y: f64, side: f64) {
        let ticks = self.x.horizontal_ticks();
        let mut tick = |value: f64, length: f64| {
            let x = self.x.at(value);
            canvas.line((x, y), (x, y + side * length), Stroke::solid(BLACK, 1.0));
        };
        ticks.minor.iter().for_each(|v| tick(*v, SHORT_TICK));
        ticks.major.iter().for_each(|(v, _)| tick(*v, LONG_TICK));
    }

    pub fn draw_y(&self, canvas: &mut Canvas, title: &str) {
        let Rect { left, right, top, bottom } = self.area;
        let ticks = self.y.vertical_ticks();
        let stroke = Stroke::solid(BLACK, 1.0);
        let tick = |canvas: &mut Canvas, value: f64, length: f64| {
            let y = self.y.at(value);
            canvas.line((left, y), (left + length, y), stroke);
            canvas.line((right, y), (right - length, y), stroke);
        };
        ticks.minor.iter().for_each(|v| tick(canvas, *v, SHORT_TICK));
        for (value, text) in &ticks.major {
            tick(canvas, *value, LONG_TICK);
            let label = Label::new(text, SMALL).along(Side::End).across(Side::Middle);
            canvas.text(&label, (left - GAP, self.y.at(*value)));
        }
        let title = font::shorten(title, LARGE, bottom - top);
        let label = Label::new(&title, LARGE).along(Side::End).upwards();
        canvas.text(&label, (left - GAP - self.y.labels_width() - GAP, top));
    }
}

/// Room left of a frame for numbers and a title.
pub fn left_room(axis: &Axis, title: &str) -> f64 {
    let title = if title.is_empty() { 0.0 } else { LARGE * font::LINE + 0.5 * GAP };
    title + axis.labels_width() + 1.5 * GAP
}

impl Axis {
    /// How far the numbers of a horizontal axis stand out at its end.
    pub fn overhang(&self) -> f64 {
        let ticks = self.horizontal_ticks();
        let out = |(value, label): &(f64, String)| self.at(*value) + font::width(label, SMALL) / 2.0 - self.to;
        ticks.major.iter().map(out).fold(0.0, f64::max)
    }
}
