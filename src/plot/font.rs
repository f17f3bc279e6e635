//! DejaVu Sans: how wide text is, and the outlines of its glyphs.

use std::sync::OnceLock;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Height of capitals over the size of the text.
pub const CAPITALS: f64 = 0.729;
/// Space from one line's base to the next over the size of the text.
pub const LINE: f64 = 1.3;

/// A glyph and where it begins, in units of the font.
pub type Placed = (u16, f64);

/// The extent of inked glyphs in units of the text size: from the base line up, and from the first glyph's origin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ink {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

fn face() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(dejavu::sans::regular(), 0).ok()).as_ref()
}

/// Units of the font a text size.
pub fn units_per_em() -> f64 {
    face().map_or(1.0, |face| f64::from(face.units_per_em()))
}

/// The glyphs of a line; characters that the font lacks become its box.
pub fn glyphs(text: &str) -> Vec<Placed> {
    let Some(face) = face() else { return Vec::new() };
    let mut x = 0.0;
    text.chars()
        .map(|c| {
            let glyph = face.glyph_index(c).unwrap_or(GlyphId(0));
            let placed = (glyph.0, x);
            x += f64::from(face.glyph_hor_advance(glyph).unwrap_or(0));
            placed
        })
        .collect()
}

/// Width of a line of text of this size.
pub fn width(text: &str, size: f64) -> f64 {
    let Some(face) = face() else { return 0.0 };
    let advance = |c| face.glyph_hor_advance(face.glyph_index(c).unwrap_or(GlyphId(0))).unwrap_or(0);
    text.chars().map(|c| f64::from(advance(c))).sum::<f64>() / units_per_em() * size
}

/// Where the glyphs of a line have ink; none for blanks.
pub fn ink(text: &str) -> Option<Ink> {
    let face = face()?;
    let em = units_per_em();
    let boxes = glyphs(text).into_iter().filter_map(|(glyph, x)| {
        let area = face.glyph_bounding_box(GlyphId(glyph))?;
        Some(Ink {
            left: (x + f64::from(area.x_min)) / em,
            right: (x + f64::from(area.x_max)) / em,
            top: f64::from(area.y_max) / em,
            bottom: f64::from(area.y_min) / em,
        })
    });
    boxes.reduce(|a, b| Ink {
        left: a.left.min(b.left),
        right: a.right.max(b.right),
        top: a.top.max(b.top),
        bottom: a.bottom.min(b.bottom),
    })
}

/// The text, its middle replaced by `…` where it is wider than `most`.
pub fn shorten(text: &str, size: f64, most: f64) -> String {
    if text.is_empty() || width(text, size) <= most {
        return text.to_owned();
    }
    let (mut fits, mut too_long) = (1, text.chars().count());
    while fits + 1 < too_long {
        let middle = usize::midpoint(fits, too_long);
        let candidate = crate::report::text::shorten(text, middle);
        if width(&candidate, size) <= most { fits = middle } else { too_long = middle }
    }
    match fits {
        0..=2 => "…".to_owned(),
        fits => crate::report::text::shorten(text, fits),
    }
}

/// The outline of a glyph as an SVG path in units of the font, y upwards.
pub fn outline(glyph: u16) -> String {
    let mut path = Path(String::new());
    if let Some(face) = face() {
        face.outline_glyph(GlyphId(glyph), &mut path);
    }
    path.0
}

struct Path(String);

impl OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push_str(&format!("M{x} {y}"));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push_str(&format!("L{x} {y}"));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.push_str(&format!("Q{x1} {y1} {x} {y}"));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.push_str(&format!("C{x1} {y1} {x2} {y2} {x} {y}"));
    }
    fn close(&mut self) {
        self.0.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advance widths of DejaVu Sans 2.37 as fontTools prints them: A 1401, μ 1303, − 1716 of 2048.
    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(width("A", 2048.0), 1401.0);
        assert_eq!(width("Aμ−", 2048.0), 1401.0 + 1303.0 + 1716.0);
        assert!(outline(glyphs("A")[0].0).starts_with('M'));
    }

    #[test]
    fn long_text_is_cut_to_its_room() {
        let long = "alpha_".repeat(100);
        let short = shorten(&long, 12.0, 100.0);
        assert!(width(&short, 12.0) <= 100.0 && width(&short, 12.0) > 85.0, "{short}");
        assert_eq!(shorten("mu", 12.0, 100.0), "mu");
        assert_eq!(shorten(&long, 12.0, 0.0), "…");
    }
}
