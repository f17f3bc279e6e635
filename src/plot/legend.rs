//! Which line, marker or area is what: entries in rows above a frame, so that they never cover what is drawn.

use super::axis::{GAP, LARGE, SMALL};
use super::canvas::{Canvas, Label, Paint, Rect, Side, Stroke};
use super::colour::{Colour, GREY};
use super::font;

/// The sign of an entry.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    Area(Paint),
    Line(Stroke),
    /// A line with a point on it.
    LineAndPoint(Stroke),
    /// A point with a thin edge.
    Dot(Colour),
    /// A point with an error bar.
    Point(Colour),
    /// A line within a band.
    LineInBand(Stroke, Colour),
    /// An area with nothing in it.
    Hollow(Colour),
    Cross(Stroke),
}

/// A title and entries, laid out in rows of one width.
pub struct Legend {
    title: String,
    rows: Vec<Vec<(Sign, String)>>,
}

const SIGN: f64 = 26.0;
const ROW: f64 = SMALL * 1.6;

impl Legend {
    pub fn new(title: Option<&str>, entries: &[(Sign, String)], width: f64) -> Legend {
        let mut rows: Vec<Vec<(Sign, String)>> = Vec::new();
        let mut used = f64::INFINITY;
        for (sign, text) in entries {
            let text = font::shorten(text, SMALL, width - SIGN - 2.0 * GAP);
            let room = entry_width(&text);
            if used + room > width {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += room;
            if let Some(row) = rows.last_mut() {
                row.push((*sign, text));
            }
        }
        Legend { title: font::shorten(title.unwrap_or_default(), LARGE, width), rows }
    }

    pub fn height(&self) -> f64 {
        self.title_height() + self.rows.len() as f64 * ROW + GAP
    }

    fn title_height(&self) -> f64 {
        if self.title.is_empty() { 0.0 } else { LARGE * font::LINE + 0.5 * GAP }
    }

    /// Draws with its upper left corner at this place.
    pub fn draw(&self, canvas: &mut Canvas, left: f64, top: f64) {
        canvas.text(&Label::new(&self.title, LARGE).across(Side::Start), (left, top));
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + self.title_height() + (index as f64 + 0.5) * ROW;
            let mut x = left;
            for (sign, text) in row {
                draw_sign(canvas, *sign, Rect::new(x, y - 6.0, x + SIGN, y + 6.0));
                canvas.text(&Label::new(text, SMALL).across(Side::Middle), (x + SIGN + 0.75 * GAP, y));
                x += entry_width(text);
            }
        }
    }
}

fn entry_width(text: &str) -> f64 {
    SIGN + 0.75 * GAP + font::width(text, SMALL) + 2.0 * GAP
}

fn draw_sign(canvas: &mut Canvas, sign: Sign, area: Rect) {
    let middle = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
    let mut line = |stroke| canvas.line((area.left, middle.1), (area.right, middle.1), stroke);
    match sign {
        Sign::Area(paint) => {
            canvas.rect(area, paint);
            canvas.outline(area, Stroke::solid(GREY, 0.6));
        }
        Sign::Hollow(colour) => canvas.outline(area, Stroke::solid(colour, 1.3)),
        Sign::Line(stroke) => line(stroke),
        Sign::LineAndPoint(stroke) => {
            line(stroke);
            canvas.disc(middle, 3.5, stroke.colour);
        }
        Sign::Point(colour) => {
            canvas.line((middle.0, area.top - 1.0), (middle.0, area.bottom + 1.0), Stroke::solid(colour, 1.2));
            canvas.disc(middle, 3.5, colour);
        }
        Sign::LineInBand(stroke, band) => {
            canvas.rect(area, band);
            canvas.line((area.left, middle.1), (area.right, middle.1), stroke);
        }
        Sign::Dot(colour) => {
            canvas.disc(middle, 3.5, colour);
            canvas.circle(middle, 3.5, Stroke::solid(GREY, 0.7));
        }
        Sign::Cross(stroke) => canvas.cross(middle, 5.0, stroke),
    }
}
