//! Objects of the classes TH1C, TH1S, TH1I, TH1L, TH1F and TH1D.

use super::bytes::Bytes;
use super::{Error, Result};

/// A histogram of one dimension.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    pub name: String,
    /// One more than there are bins.
    pub edges: Vec<f64>,
    /// Without underflow and overflow.
    pub contents: Vec<f64>,
    /// The uncertainties of the contents: √Σw², and √|content| where the file has no sums of squares.
    pub errors: Vec<f64>,
    pub underflow: f64,
    pub overflow: f64,
    /// The file has sums of squares of weights.
    pub has_sumw2: bool,
}

impl Histogram {
    /// The sum of all bins, without underflow and overflow.
    pub fn integral(&self) -> f64 {
        self.contents.iter().sum()
    }

    pub fn len(&self) -> usize {
        self.contents.len()
    }

    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }
}

/// How the contents of a class are stored.
#[derive(Clone, Copy)]
enum Cell {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Cell {
    fn of(class: &str) -> Option<Cell> {
        Some(match class {
            "TH1C" => Cell::I8,
            "TH1S" => Cell::I16,
            "TH1I" => Cell::I32,
            "TH1L" => Cell::I64,
            "TH1F" => Cell::F32,
            "TH1D" => Cell::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Cell::I8 => 1,
            Cell::I16 => 2,
            Cell::I32 | Cell::F32 => 4,
            Cell::I64 | Cell::F64 => 8,
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        match self {
            Cell::I8 => f64::from(bits as i8),
            Cell::I16 => f64::from(bits as i16),
            Cell::I32 => f64::from(bits as i32),
            Cell::I64 => bits as i64 as f64,
            Cell::F32 => f64::from(f32::from_bits(bits as u32)),
            Cell::F64 => f64::from_bits(bits),
        }
    }
}

pub(super) fn read(class: &str, object: &[u8]) -> Result<Histogram> {
    let expected = "a histogram of one dimension: TH1F, TH1D, TH1I, TH1L, TH1S or TH1C";
    let cell = Cell::of(class).ok_or_else(|| Error(format!("a {}, not {expected}", short(class))))?;
    let mut bytes = Bytes::new(object, 0);
    bytes.object()?;
    let (base, cells) = Base::read(&mut bytes)?;
    let n = bytes.size()?;
    if n != cells || base.edges.len() + 1 != cells {
        return Err(Error(format!(
            "{n} contents in {cells} cells of an axis of {} bins",
            base.edges.len().saturating_sub(1)
        )));
    }
    let all = bytes.take(n.saturating_mul(cell.size()))?;
    let all: Vec<f64> = all.chunks_exact(cell.size()).map(|one| cell.number(one)).collect();
    let has_sumw2 = !base.sumw2.is_empty();
    if has_sumw2 && base.sumw2.len() != cells {
        return Err(Error(format!("{} sums of squares in {cells} cells", base.sumw2.len())));
    }
    let (first, last) = (1, cells - 1);
    let contents = all[first..last].to_vec();
    let errors = if has_sumw2 {
        base.sumw2[first..last].iter().map(|w| w.sqrt()).collect()
    } else {
        contents.iter().map(|x| x.abs().sqrt()).collect()
    };
    let (underflow, overflow) = (all[0], all[last]);
    Ok(Histogram { name: base.name, edges: base.edges, contents, errors, underflow, overflow, has_sumw2 })
}

/// The part that all classes share.
struct Base {
    name: String,
    edges: Vec<f64>,
    sumw2: Vec<f64>,
}

impl Base {
    /// With the number of cells.
    fn read(bytes: &mut Bytes) -> Result<(Base, usize)> {
        let (version, end) = bytes.object()?;
        let end = end.filter(|_| version >= 3);
        let end =
            end.ok_or_else(|| Error(format!("version {version} of TH1: write the file again with a newer ROOT")))?;
        let name = bytes.named()?;
        for class in ["TAttLine", "TAttFill", "TAttMarker"] {
            bytes.skip_object(class)?;
        }
        let cells = bytes.size()?;
        let edges = axis(bytes)?;
        bytes.skip_object("TAxis")?;
        bytes.skip_object("TAxis")?;
        // Offset and width of bars, then eight numbers: entries, sums, ends and norm.
        bytes.take(2 + 2 + 8 * 8)?;
        bytes.doubles()?;
        let sumw2 = bytes.doubles()?;
        if bytes.at > end {
            return Err(Error("it is longer than it says".to_owned()));
        }
        bytes.at = end;
        Ok((Base { name, edges, sumw2 }, cells))
    }
}

/// The edges of an axis.
fn axis(bytes: &mut Bytes) -> Result<Vec<f64>> {
    let (version, end) = bytes.object()?;
    let end = end.filter(|_| version >= 6);
    let end =
        end.ok_or_else(|| Error(format!("version {version} of TAxis: write the file again with a newer ROOT")))?;
    bytes.named()?;
    bytes.skip_object("TAttAxis")?;
    let n = bytes.size()?;
    let (low, high) = (bytes.f64()?, bytes.f64()?);
    let edges = bytes.doubles()?;
    bytes.at = end;
    let edges = if edges.is_empty() {
        // Before the edges are made: a number of bins that the file has no room for is none.
        if n > bytes.len() {
            return Err(Error(format!("an axis of {n} bins")));
        }
        let width = (high - low) / n as f64;
        let mut edges: Vec<f64> = (0..n).map(|i| low + i as f64 * width).collect();
        edges.push(high);
        edges
    } else {
        edges
    };
    let rise = edges.len() == n + 1 && n > 0 && edges.windows(2).all(|pair| pair[0] < pair[1]);
    if rise { Ok(edges) } else { Err(Error(format!("an axis of {n} bins whose edges do not rise"))) }
}

/// A class as a message shows it.
fn short(class: &str) -> String {
    class.chars().filter(|c| !c.is_control()).take(60).collect()
}
