//! Colours: of bands, of samples, of maps.

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

pub const BLACK: Colour = Colour(0, 0, 0);
pub const WHITE: Colour = Colour(255, 255, 255);
pub const GREY: Colour = Colour(128, 128, 128);
pub const LIGHT_GREY: Colour = Colour(217, 217, 217);
pub const RED: Colour = Colour(210, 30, 30);
pub const BLUE: Colour = Colour(31, 95, 180);
pub const LIGHT_BLUE: Colour = Colour(120, 170, 225);
pub const ORANGE: Colour = Colour(230, 140, 30);
/// The ±1σ band.
pub const GREEN: Colour = Colour(98, 200, 100);
/// The ±2σ band.
pub const YELLOW: Colour = Colour(255, 222, 70);

/// Ten colours that people with colour-vision deficiencies tell apart (M. A. Petroff, arXiv:2107.02270).
const SAMPLES: [Colour; 10] = [
    Colour(63, 144, 218),
    Colour(255, 169, 14),
    Colour(189, 31, 1),
    Colour(148, 164, 162),
    Colour(131, 45, 182),
    Colour(169, 107, 89),
    Colour(231, 99, 0),
    Colour(185, 172, 112),
    Colour(113, 117, 129),
    Colour(146, 218, 221),
];

/// Viridis at nine equidistant places (S. van der Walt, N. Smith, CC0).
const SEQUENTIAL: [Colour; 9] = [
    Colour(68, 1, 84),
    Colour(71, 45, 123),
    Colour(59, 82, 139),
    Colour(44, 114, 142),
    Colour(33, 145, 140),
    Colour(40, 174, 128),
    Colour(94, 201, 98),
    Colour(173, 220, 48),
    Colour(253, 231, 37),
];

/// Blue for −1, white for 0, red for +1.
const DIVERGING: [Colour; 5] =
    [Colour(33, 90, 170), Colour(130, 175, 215), WHITE, Colour(240, 150, 120), Colour(180, 20, 40)];

impl Colour {
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// Between this colour at 0 and the other at 1.
    pub fn mixed(self, other: Colour, share: f64) -> Colour {
        let share = share.clamp(0.0, 1.0);
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Colour(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Black or white, whichever is easier to read on this.
    pub fn ink(self) -> Colour {
        let light = 0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2);
        if light > 140.0 { BLACK } else { WHITE }
    }
}

/// The colour of the sample with this index; those after the first ten are lighter copies.
pub fn sample(index: usize) -> Colour {
    let round = (index / SAMPLES.len()) as f64;
    SAMPLES[index % SAMPLES.len()].mixed(WHITE, 1.0 - 0.6f64.powf(round))
}

/// For values from 0 to 1.
pub fn sequential(value: f64) -> Colour {
    map(&SEQUENTIAL, value)
}

/// For values from −1 to 1.
pub fn diverging(value: f64) -> Colour {
    map(&DIVERGING, (value + 1.0) / 2.0)
}

fn map(colours: &[Colour], value: f64) -> Colour {
    let place = value.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let below = (place.floor() as usize).min(colours.len().saturating_sub(2));
    match (colours.get(below), colours.get(below + 1)) {
        (Some(a), Some(b)) => a.mixed(*b, place - below as f64),
        _ => GREY,
    }
}
