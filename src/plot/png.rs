//! Pictures as pixels, from their SVG.

use resvg::{tiny_skia, usvg};

/// Most pixels of a picture: 64 million take 256 MB.
const MOST_PIXELS: f64 = 64e6;

/// A PNG with `scale` pixels for each of the SVG.
///
/// # Errors
/// A sentence, where the picture would be too large.
pub fn render(svg: &str, scale: f64) -> Result<Vec<u8>, String> {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).map_err(|e| format!("cannot draw: {e}"))?;
    let size = tree.size();
    let (width, height) = (f64::from(size.width()) * scale, f64::from(size.height()) * scale);
    if !(width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS) {
        return Err(format!("{width:.0} × {height:.0} pixels are too many or too few; choose another --scale or SVG"));
    }
    let mut pixels = tiny_skia::Pixmap::new(width.round() as u32, height.round() as u32)
        .ok_or_else(|| "no memory for the picture".to_owned())?;
    let scale = tiny_skia::Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| format!("cannot write PNG: {e}"))
}
