//! A page of SVG. Text is drawn as outlines of the embedded font, so that a picture looks the same everywhere and
//! what was measured is what is seen; the words stand in `aria-label`.

use super::colour::{BLACK, Colour};
use super::font;
use crate::report::text::escape;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A place on the page: right, down; in pixels.
pub type Point = (f64, f64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// What an area is filled with.
#[derive(Clone, Copy, Debug)]
pub enum Paint {
    Solid(Colour),
    /// Diagonal lines, nothing between them.
    Hatched(Colour),
}

#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    pub colour: Colour,
    pub width: f64,
    pub dash: &'static str,
}

/// Which part of a text lies at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Start,
    Middle,
    End,
}

/// A line of text before it is drawn.
#[derive(Clone, Debug)]
pub struct Label {
    text: String,
    size: f64,
    colour: Colour,
    along: Side,
    across: Side,
    upwards: bool,
}

/// What was written and the corners of its ink, for checks of the layout.
#[derive(Clone, Debug)]
pub struct Written {
    pub text: String,
    pub area: Rect,
}

pub struct Canvas {
    pub width: f64,
    pub height: f64,
    pub written: Vec<Written>,
    body: String,
    glyphs: BTreeMap<u16, String>,
    hatches: Vec<Colour>,
    clips: usize,
}

/// A finished picture, and what people should know about it.
#[derive(Clone, Debug)]
pub struct Figure {
    pub svg: String,
    pub notes: Vec<String>,
    pub written: Vec<Written>,
}

impl Rect {
    pub fn new(left: f64, top: f64, right: f64, bottom: f64) -> Rect {
        Rect { left, top, right, bottom }
    }
    pub fn width(&self) -> f64 {
        self.right - self.left
    }
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

impl From<Colour> for Paint {
    fn from(colour: Colour) -> Paint {
        Paint::Solid(colour)
    }
}

impl Stroke {
    pub const fn solid(colour: Colour, width: f64) -> Stroke {
        Stroke { colour, width, dash: "" }
    }
    pub const fn dashed(colour: Colour, width: f64) -> Stroke {
        Stroke { colour, width, dash: "7 4" }
    }
    pub const fn dotted(colour: Colour, width: f64) -> Stroke {
        Stroke { colour, width, dash: "2 3" }
    }

    fn attributes(&self) -> String {
        let dash = if self.dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", self.dash) };
        format!("stroke=\"{}\" stroke-width=\"{}\"{dash}", self.colour.hex(), pixels(self.width))
    }
}

impl Label {
    pub fn new(text: &str, size: f64) -> Label {
        let text = escape(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        Label { text, size, colour: BLACK, along: Side::Start, across: Side::End, upwards: false }
    }
    /// Which end of the line lies at its place.
    pub fn along(self, along: Side) -> Label {
        Label { along, ..self }
    }
    /// `Start`: the text hangs below its place; `End`: it stands on it.
    pub fn across(self, across: Side) -> Label {
        Label { across, ..self }
    }
    pub fn colour(self, colour: Colour) -> Label {
        Label { colour, ..self }
    }
    /// Reads from below to above.
    pub fn upwards(self) -> Label {
        Label { upwards: true, ..self }
    }
}

impl Canvas {
    pub fn new(width: f64, height: f64) -> Canvas {
        Canvas {
            width,
            height,
            written: Vec::new(),
            body: String::new(),
            glyphs: BTreeMap::new(),
            hatches: Vec::new(),
            clips: 0,
        }
    }

    pub fn rect(&mut self, area: Rect, paint: impl Into<Paint>) {
        let (x, y, w, h) = corners(&area);
        let fill = self.fill(paint.into());
        self.add(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" {fill}/>"));
    }

    pub fn outline(&mut self, area: Rect, stroke: Stroke) {
        let (x, y, w, h) = corners(&area);
        let stroke = stroke.attributes();
        self.add(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"none\" {stroke}/>"));
    }

    pub fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        self.polyline(&[from, to], stroke);
    }

    pub fn polyline(&mut self, points: &[Point], stroke: Stroke) {
        if points.len() > 1 {
            let (path, stroke) = (path(points), stroke.attributes());
            self.add(&format!("<path d=\"{path}\" fill=\"none\" stroke-linejoin=\"round\" {stroke}/>"));
        }
    }

    pub fn polygon(&mut self, points: &[Point], paint: impl Into<Paint>) {
        self.polygons(&[points.to_vec()], paint);
    }

    /// Areas as one shape, so that no seams show between neighbours.
    pub fn polygons(&mut self, areas: &[Vec<Point>], paint: impl Into<Paint>) {
        if !areas.is_empty() {
            let path: String = areas.iter().map(|points| format!("{}Z", path(points))).collect();
            let fill = self.fill(paint.into());
            self.add(&format!("<path d=\"{path}\" {fill}/>"));
        }
    }

    pub fn disc(&mut self, (x, y): Point, radius: f64, colour: Colour) {
        let (x, y, r) = (pixels(x), pixels(y), pixels(radius));
        self.add(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{}\"/>", colour.hex()));
    }

    pub fn circle(&mut self, (x, y): Point, radius: f64, stroke: Stroke) {
        let (x, y, r) = (pixels(x), pixels(y), pixels(radius));
        self.add(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"none\" {}/>", stroke.attributes()));
    }

    /// A diagonal cross.
    pub fn cross(&mut self, (x, y): Point, radius: f64, stroke: Stroke) {
        self.line((x - radius, y - radius), (x + radius, y + radius), stroke);
        self.line((x - radius, y + radius), (x + radius, y - radius), stroke);
    }

    /// Draws with everything outside of `area` hidden.
    pub fn clipped(&mut self, area: Rect, draw: impl FnOnce(&mut Canvas)) {
        let ((x, y, w, h), id) = (corners(&area), self.clips);
        self.clips += 1;
        self.add(&format!(
            "<clipPath id=\"c{id}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/></clipPath>\n\
             <g clip-path=\"url(#c{id})\">"
        ));
        draw(self);
        self.add("</g>");
    }

    /// Writes a line of text at a place.
    pub fn text(&mut self, label: &Label, (x, y): Point) {
        let Some(ink) = font::ink(&label.text) else { return };
        let size = label.size;
        let length = font::width(&label.text, size);
        let along = match label.along {
            Side::Start => 0.0,
            Side::Middle => -length / 2.0,
            Side::End => -length,
        };
        let across = match label.across {
            Side::Start => font::CAPITALS * size,
            Side::Middle => font::CAPITALS * size / 2.0,
            Side::End => 0.0,
        };
        let (x, y, turn) = match label.upwards {
            false => (x + along, y + across, ""),
            true => (x + across, y - along, " rotate(-90)"),
        };
        let area = match label.upwards {
            false => Rect::new(x + ink.left * size, y - ink.top * size, x + ink.right * size, y - ink.bottom * size),
            true => Rect::new(x - ink.top * size, y - ink.right * size, x - ink.bottom * size, y - ink.left * size),
        };
        let scale = size / font::units_per_em();
        let mut group = format!(
            "<g role=\"img\" aria-label=\"{}\" fill=\"{}\" transform=\"translate({} {}){turn} scale({scale:.6} {:.6})\">",
            attribute(&label.text),
            label.colour.hex(),
            pixels(x),
            pixels(y),
            -scale
        );
        for (glyph, x) in font::glyphs(&label.text) {
            let outline = self.glyphs.entry(glyph).or_insert_with(|| font::outline(glyph));
            if !outline.is_empty() {
                let _ = write!(group, "<use href=\"#g{glyph}\" x=\"{}\"/>", pixels(x));
            }
        }
        self.add(&format!("{group}</g>"));
        self.written.push(Written { text: label.text.clone(), area });
    }

    /// The SVG document.
    pub fn finish(self, notes: Vec<String>) -> Figure {
        let (w, h) = (pixels(self.width), pixels(self.height));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">\n<defs>\n"
        );
        for (glyph, outline) in self.glyphs.iter().filter(|(_, outline)| !outline.is_empty()) {
            let _ = writeln!(svg, "<path id=\"g{glyph}\" d=\"{outline}\"/>");
        }
        for (index, colour) in self.hatches.iter().enumerate() {
            let colour = colour.hex();
            let _ = writeln!(
                svg,
                "<pattern id=\"h{index}\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
                 <path d=\"M-1 1L1 -1M0 5L5 0M4 6L6 4\" stroke=\"{colour}\" stroke-width=\"0.9\"/></pattern>"
            );
        }
        let _ = write!(svg, "</defs>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n{}</svg>\n", self.body);
        Figure { svg, notes, written: self.written }
    }

    fn fill(&mut self, paint: Paint) -> String {
        match paint {
            Paint::Solid(colour) => format!("fill=\"{}\"", colour.hex()),
            Paint::Hatched(colour) => {
                let known = self.hatches.iter().position(|c| *c == colour);
                let index = known.unwrap_or_else(|| {
                    self.hatches.push(colour);
                    self.hatches.len() - 1
                });
                format!("fill=\"url(#h{index})\"")
            }
        }
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

fn corners(area: &Rect) -> (String, String, String, String) {
    (pixels(area.left), pixels(area.top), pixels(area.width().max(0.0)), pixels(area.height().max(0.0)))
}

fn path(points: &[Point]) -> String {
    let mut out = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(out, "{}{} {}", if index == 0 { 'M' } else { 'L' }, pixels(*x), pixels(*y));
    }
    out
}

/// A coordinate to a hundredth of a pixel, so that the last bits of a computation do not show.
fn pixels(value: f64) -> String {
    let text = format!("{:.2}", value.clamp(-1e6, 1e6) + 0.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if matches!(text, "-0" | "") { "0".to_owned() } else { text.to_owned() }
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
